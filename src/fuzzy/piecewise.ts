import {
  type Membership,
  type MembershipParameter,
  type MembershipSpec,
  overColumn,
  type ParameterFault,
  parameterAt,
} from './membership.ts'

/** Corners of a trapezoid: 0 up to `foot`, 1 from `rise` to `fall`, 0 from `toe`. Shoulders reach to ±Infinity. */
type Corners = { readonly foot: number; readonly rise: number; readonly fall: number; readonly toe: number }

const edges =
  'The plateau includes its ends: where an edge is vertical, the corner itself has membership 1 and the next ' +
  'number outside has 0. Feet have 0.'

/** 0 outside (a, c), straight up to 1 at b and down again. */
export const triangular: MembershipSpec = {
  type: 'triangular',
  title: 'Triangle',
  formula: 'max(0, min((x − a) / (b − a), (c − x) / (c − b))); 1 at x = b',
  description: `A value around b. ${edges} Source: Zadeh 1965; MATLAB trimf.`,
  ...ordered(['a', 'b', 'c'], ['left foot', 'peak', 'right foot']),
  create: parameters => {
    const [a, b, c] = take(parameters, 3)
    return createPiecewise('triangular', parameters, { foot: a, rise: b, fall: b, toe: c })
  },
}

/** 0 outside (a, d), 1 on [b, c], straight edges between. */
export const trapezoidal: MembershipSpec = {
  type: 'trapezoidal',
  title: 'Trapezoid',
  formula: 'max(0, min((x − a) / (b − a), 1, (d − x) / (d − c))); 1 for b ≤ x ≤ c',
  description: `A value between b and c. ${edges} Source: MATLAB trapmf.`,
  ...ordered(['a', 'b', 'c', 'd'], ['left foot', 'left end of the plateau', 'right end', 'right foot']),
  create: parameters => {
    const [a, b, c, d] = take(parameters, 4)
    return createPiecewise('trapezoidal', parameters, { foot: a, rise: b, fall: c, toe: d })
  },
}

/** 1 up to a, 0 from b: the lowest term of a set, open to the left. */
export const leftShoulder: MembershipSpec = {
  type: 'left_shoulder',
  title: 'Left shoulder',
  formula: '1 for x ≤ a; (b − x) / (b − a) between; 0 for x ≥ b',
  description: `Everything low: no value is too low to count. With a = b a step: 1 at x = a. ${edges} Source: MATLAB linzmf.`,
  ...ordered(['a', 'b'], ['last value that belongs fully', 'first value that does not belong']),
  create: parameters => {
    const [a, b] = take(parameters, 2)
    const open = Number.NEGATIVE_INFINITY
    return createPiecewise('left_shoulder', parameters, { foot: open, rise: open, fall: a, toe: b })
  },
}

/** 0 up to a, 1 from b: the highest term of a set, open to the right. */
export const rightShoulder: MembershipSpec = {
  type: 'right_shoulder',
  title: 'Right shoulder',
  formula: '0 for x ≤ a; (x − a) / (b − a) between; 1 for x ≥ b',
  description: `Everything high: no value is too high to count. With a = b a step: 1 at x = b. ${edges} Source: MATLAB linsmf.`,
  ...ordered(['a', 'b'], ['last value that does not belong', 'first value that belongs fully']),
  create: parameters => {
    const [a, b] = take(parameters, 2)
    const open = Number.POSITIVE_INFINITY
    return createPiecewise('right_shoulder', parameters, { foot: a, rise: b, fall: open, toe: open })
  },
}

/** 1 at c and 0 everywhere else. */
export const singleton: MembershipSpec = {
  type: 'singleton',
  title: 'Single value',
  formula: '1 for x = c, otherwise 0',
  description:
    'Exactly c, compared without tolerance: for indicators with few values, such as a direction of −1 or 1. ' +
    'Source: Zadeh 1965.',
  ...ordered(['c'], ['the value']),
  create: parameters => {
    const [c] = take(parameters, 1)
    return createPiecewise('singleton', parameters, { foot: c, rise: c, fall: c, toe: c })
  },
}

function createPiecewise(type: string, parameters: readonly number[], corners: Corners): Membership {
  const { foot, rise, fall, toe } = corners
  return {
    type,
    parameters: [...parameters],
    support: { min: Number.isFinite(foot) ? foot : null, max: Number.isFinite(toe) ? toe : null },
    evaluate: x => trapezoidAt(x, corners),
    // The scalar form would read four fields per value; here they are locals.
    evaluateAll: overColumn((values, out) => {
      for (let i = 0; i < values.length; i++) {
        const x = values[i] as number
        if (x >= rise && x <= fall) out[i] = 1
        else if (x <= foot || x >= toe) out[i] = 0
        else out[i] = x < rise ? (x - foot) / (rise - foot) : (toe - x) / (toe - fall)
      }
    }),
  }
}

/** The plateau is asked first, so that it wins where foot and plateau are one point; NaN reaches the last line. */
function trapezoidAt(x: number, { foot, rise, fall, toe }: Corners): number {
  if (x >= rise && x <= fall) return 1
  if (x <= foot || x >= toe) return 0
  return x < rise ? (x - foot) / (rise - foot) : (toe - x) / (toe - fall)
}

/** Parameters that may not decrease. */
function ordered(
  names: readonly string[],
  descriptions: readonly string[],
): Pick<MembershipSpec, 'parameters' | 'constraint' | 'findFault'> {
  const constraint = names.length === 1 ? 'any number' : names.join(' ≤ ')
  return {
    parameters: names.map((name, i): MembershipParameter => ({ name, description: descriptions[i] ?? name })),
    constraint,
    findFault: parameters => findDecrease(parameters, names, constraint),
  }
}

function findDecrease(
  parameters: readonly number[],
  names: readonly string[],
  constraint: string,
): ParameterFault | null {
  for (let i = 1; i < parameters.length; i++) {
    const before = parameterAt(parameters, i - 1)
    const value = parameterAt(parameters, i)
    if (value >= before) continue
    const message = `${names[i]} is ${value}, below ${names[i - 1]} ${before}: ${constraint} is required`
    return { index: i, code: 'order', message }
  }
  return null
}

type Numbers = {
  1: [number]
  2: [number, number]
  3: [number, number, number]
  4: [number, number, number, number]
}

function take<N extends keyof Numbers>(parameters: readonly number[], count: N): Numbers[N]
function take(parameters: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => parameterAt(parameters, i))
}

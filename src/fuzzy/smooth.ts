import {
  type Membership,
  type MembershipSpec,
  overColumn,
  type ParameterFault,
  parameterAt,
} from './membership.ts'

const everywhere = { min: null, max: null } as const

/** A bell that falls with the square of the distance, never quite to 0. */
export const gaussian: MembershipSpec = {
  type: 'gaussian',
  title: 'Gaussian',
  formula: 'exp(−((x − mean) / sigma)² / 2)',
  description:
    'A value around the mean: 1 there, 0.61 at one sigma, 0.14 at two, 0.011 at three. Positive everywhere until ' +
    'it underflows. Source: MATLAB gaussmf with its parameters in the order of the original system.',
  parameters: [
    { name: 'mean', description: 'value with membership 1' },
    { name: 'sigma', description: 'standard deviation, above 0' },
  ],
  constraint: 'sigma > 0',
  findFault: parameters => findNotPositive(parameters, 1, 'sigma'),
  create: parameters => {
    const mean = parameterAt(parameters, 0)
    const sigma = parameterAt(parameters, 1)
    return createSmooth('gaussian', parameters, {
      evaluate: x => gaussianAt(x, mean, sigma),
      evaluateAll: overColumn((values, out) => {
        for (let i = 0; i < values.length; i++) out[i] = gaussianAt(values[i] as number, mean, sigma)
      }),
    })
  },
}

/** A soft step: open to the right with a positive width, to the left with a negative one. */
export const sigmoid: MembershipSpec = {
  type: 'sigmoid',
  title: 'Sigmoid',
  formula: '1 / (1 + exp(−(x − center) / width))',
  description:
    'High values softly, or low ones with a negative width: 0.5 at the center, 0.73 one width on, 0.95 three widths ' +
    'on. Source: MATLAB sigmf, whose slope is 1 / width.',
  parameters: [
    { name: 'center', description: 'value with membership 0.5' },
    { name: 'width', description: 'distance from 0.5 to 0.73; negative falls; not 0' },
  ],
  constraint: 'width ≠ 0',
  findFault: parameters =>
    parameterAt(parameters, 1) === 0
      ? { index: 1, code: 'range', message: 'width is 0: it must be above 0 to rise or below 0 to fall' }
      : null,
  create: parameters => {
    const center = parameterAt(parameters, 0)
    const width = parameterAt(parameters, 1)
    return createSmooth('sigmoid', parameters, {
      evaluate: x => sigmoidAt(x, center, width),
      evaluateAll: overColumn((values, out) => {
        for (let i = 0; i < values.length; i++) out[i] = sigmoidAt(values[i] as number, center, width)
      }),
    })
  },
}

/** A plateau with soft edges, whose width and steepness are set apart from each other. */
export const bell: MembershipSpec = {
  type: 'bell',
  title: 'Generalised bell',
  formula: '1 / (1 + |(x − center) / width|^(2 · slope))',
  description:
    'A value around the center: 0.5 at one width on either side; the larger the slope, the flatter the top and the ' +
    'steeper the edge. Source: Jang 1993 (ANFIS); MATLAB gbellmf, in its order.',
  parameters: [
    { name: 'width', description: 'distance from the center to membership 0.5, above 0' },
    { name: 'slope', description: 'steepness of the edge, above 0' },
    { name: 'center', description: 'value with membership 1' },
  ],
  constraint: 'width > 0, slope > 0',
  findFault: parameters => findNotPositive(parameters, 0, 'width') ?? findNotPositive(parameters, 1, 'slope'),
  create: parameters => {
    const width = parameterAt(parameters, 0)
    const power = 2 * parameterAt(parameters, 1)
    const center = parameterAt(parameters, 2)
    return createSmooth('bell', parameters, {
      evaluate: x => bellAt(x, { width, power, center }),
      evaluateAll: overColumn((values, out) => {
        const shape = { width, power, center }
        for (let i = 0; i < values.length; i++) out[i] = bellAt(values[i] as number, shape)
      }),
    })
  },
}

function createSmooth(
  type: string,
  parameters: readonly number[],
  functions: Pick<Membership, 'evaluate' | 'evaluateAll'>,
): Membership {
  return { type, parameters: [...parameters], support: everywhere, ...functions }
}

function gaussianAt(x: number, mean: number, sigma: number): number {
  const deviations = (x - mean) / sigma
  return Math.exp(-0.5 * deviations * deviations)
}

function sigmoidAt(x: number, center: number, width: number): number {
  return 1 / (1 + Math.exp((center - x) / width))
}

type BellShape = { readonly width: number; readonly power: number; readonly center: number }

function bellAt(x: number, { width, power, center }: BellShape): number {
  return 1 / (1 + Math.abs((x - center) / width) ** power)
}

function findNotPositive(parameters: readonly number[], index: number, name: string): ParameterFault | null {
  const value = parameterAt(parameters, index)
  return value > 0 ? null : { index, code: 'range', message: `${name} is ${value}, but must be above 0` }
}

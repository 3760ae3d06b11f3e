import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Membership, MembershipSpec } from '../../src/fuzzy/membership.ts'
import { createMembership, findMembership, memberships, membershipTypes } from '../../src/fuzzy/registry.ts'
import { Problem } from '../../src/problems.ts'

const at = (type: string, parameters: readonly number[], x: number) =>
  createMembership(type, parameters).evaluate(x)

/** Parameters of every size that obey the rule of the type. */
function anyParameters(spec: MembershipSpec): fc.Arbitrary<number[]> {
  const size = fc.oneof(
    fc.integer({ min: -100, max: 100 }),
    fc.double({ min: -1e300, max: 1e300, noNaN: true }),
    fc.double({ min: -1e-300, max: 1e-300, noNaN: true }),
  )
  const length = spec.parameters.length
  return fc
    .array(size, { minLength: length, maxLength: length })
    .map(numbers => (spec.constraint.includes('≤') ? numbers.toSorted((a, b) => a - b) : numbers))
    .filter(numbers => spec.findFault(numbers) === null)
}

const anyValue = fc.oneof(
  fc.integer({ min: -100, max: 100 }),
  fc.double({ noNaN: true }),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE, Number.MIN_VALUE, -0),
)

function isWithin(x: number, { support }: Membership): boolean {
  return (support.min === null || x >= support.min) && (support.max === null || x <= support.max)
}

describe.each(memberships.map(spec => [spec.type, spec] as const))('%s', (type, spec) => {
  test('is a number from 0 to 1 for every value and parameter, and 0 outside its support', () => {
    fc.assert(
      fc.property(anyParameters(spec), anyValue, (parameters, x) => {
        const membership = createMembership(type, parameters)
        const value = membership.evaluate(x)
        expect(value >= 0 && value <= 1).toBe(true)
        if (!isWithin(x, membership)) expect(value).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })

  test('gives a column the same bits as one value after the other, and keeps NaN', () => {
    fc.assert(
      fc.property(
        anyParameters(spec),
        fc.array(fc.oneof(anyValue, fc.constant(Number.NaN))),
        (parameters, x) => {
          const membership = createMembership(type, parameters)
          const values = Float64Array.from(x)
          const one = Float64Array.from(x, value => membership.evaluate(value))
          expect(membership.evaluateAll(values)).toEqual(one)
          const single = new Float32Array(x.length).fill(7)
          expect(membership.evaluateAll(values, single)).toBe(single)
          expect(single).toEqual(Float32Array.from(one))
          x.forEach((value, i) => {
            expect(Number.isNaN(one[i])).toBe(Number.isNaN(value))
          })
        },
      ),
    )
  })

  test('reaches full membership somewhere, or comes as near as numbers allow', () => {
    fc.assert(
      fc.property(anyParameters(spec), parameters => {
        const membership = createMembership(type, parameters)
        const ends = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, ...parameters]
        expect(Math.max(...ends.map(x => membership.evaluate(x)))).toBe(1)
      }),
    )
  })

  test('refuses a column of another length', () => {
    const membership = spec.create([1, 2, 3, 4].slice(0, spec.parameters.length))
    expect(() => membership.evaluateAll(new Float64Array(3), new Float64Array(2))).toThrow(RangeError)
  })

  test('refuses parameters that are too few, too many, infinite or NaN', () => {
    const good = [1, 2, 3, 4].slice(0, spec.parameters.length)
    expect(createMembership(type, good).parameters).toEqual(good)
    for (const bad of [
      good.slice(1),
      [...good, 9],
      good.with(0, Number.NaN),
      good.with(0, Number.POSITIVE_INFINITY),
      good.with(-1, 1.1e300),
    ]) {
      expect(() => createMembership(type, bad)).toThrow(Problem)
    }
  })
})

// Worked by hand, exact in binary.
test.each([
  ['triangular', [0, 4, 6], [-1, 0, 1, 2, 4, 5, 6, 7], [0, 0, 0.25, 0.5, 1, 0.5, 0, 0]],
  ['trapezoidal', [0, 4, 6, 8], [0, 1, 4, 5, 6, 7, 8, 9], [0, 0.25, 1, 1, 1, 0.5, 0, 0]],
  ['left_shoulder', [2, 6], [-1e9, 2, 3, 5, 6, 1e9], [1, 1, 0.75, 0.25, 0, 0]],
  ['right_shoulder', [2, 6], [-1e9, 2, 3, 5, 6, 1e9], [0, 0, 0.25, 0.75, 1, 1]],
  ['singleton', [3], [2, 3, 3.0000000001], [0, 1, 0]],
  ['bell', [2, 1, 5], [5, 3, 7, 9, -5], [1, 0.5, 0.5, 0.2, 1 / 26]],
  ['bell', [2, 3, 0], [2, 4, 1], [0.5, 1 / 65, 64 / 65]],
  ['sigmoid', [5, 2], [5], [0.5]],
  ['gaussian', [5, 2], [5], [1]],
] as const)('%s %j of %j', (type, parameters, xs, expected) => {
  expect(xs.map(x => at(type, parameters, x))).toEqual([...expected])
})

test('gaussian and sigmoid give the values of the normal density and the logistic curve in tables', () => {
  // exp(−1/2), exp(−2), exp(−4.5) and 1/(1 + e^−1), 1/(1 + e^−3): Abramowitz and Stegun, table 4.4.
  expect(at('gaussian', [10, 4], 14)).toBeCloseTo(0.6065306597, 10)
  expect(at('gaussian', [10, 4], 2)).toBeCloseTo(0.1353352832, 10)
  expect(at('gaussian', [10, 4], 22)).toBeCloseTo(0.011108996538, 10)
  expect(at('sigmoid', [10, 4], 14)).toBeCloseTo(0.7310585786, 10)
  expect(at('sigmoid', [10, 4], 22)).toBeCloseTo(0.9525741268, 10)
  expect(at('sigmoid', [10, -4], 14)).toBeCloseTo(0.2689414214, 10)
})

describe('vertical edges belong to the plateau', () => {
  test.each([
    ['triangular', [60, 60, 100], 60],
    ['triangular', [60, 100, 100], 100],
    ['triangular', [60, 60, 60], 60],
    ['trapezoidal', [30, 30, 50, 70], 30],
    ['trapezoidal', [30, 40, 70, 70], 70],
    ['trapezoidal', [30, 30, 30, 30], 30],
    ['left_shoulder', [50, 50], 50],
    ['right_shoulder', [50, 50], 50],
  ] as const)('%s %j is 1 at %d, alone and in a column', (type, parameters, x) => {
    const membership = createMembership(type, parameters)
    expect(membership.evaluate(x)).toBe(1)
    expect([...membership.evaluateAll(Float64Array.of(x))]).toEqual([1])
  })

  test('a step has no third value beside it', () => {
    expect(at('left_shoulder', [50, 50], 50 + 1e-13)).toBe(0)
    expect(at('right_shoulder', [50, 50], 50 - 1e-13)).toBe(0)
    expect(at('triangular', [60, 60, 100], 60 - 1e-13)).toBe(0)
  })
})

test('shoulders and a triangle between them share out every value: the memberships add up to 1', () => {
  const set = [
    createMembership('left_shoulder', [30, 50]),
    createMembership('triangular', [30, 50, 70]),
    createMembership('right_shoulder', [50, 70]),
  ]
  fc.assert(
    fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), x => {
      expect(set.reduce((sum, membership) => sum + membership.evaluate(x), 0)).toBeCloseTo(1, 12)
    }),
  )
})

test('a broken order, width or type is named with what would be right', () => {
  expect(() => createMembership('triangular', [1, 3, 2])).toThrow('c is 2, below b 3: a ≤ b ≤ c is required')
  expect(() => createMembership('gaussian', [1, 0])).toThrow('sigma is 0, but must be above 0')
  expect(() => createMembership('sigmoid', [1, 0])).toThrow('width is 0')
  expect(() => createMembership('bell', [-1, 1, 0])).toThrow('width is -1')
  expect(() => createMembership('bell', [1, 0, 0])).toThrow('slope is 0')
  expect(() => createMembership('triangle', [1, 2, 3])).toThrow("did you mean 'triangular'?")
  expect(() => createMembership('trapezoid', [1, 2, 3, 4])).toThrow("did you mean 'trapezoidal'?")
})

test('types are unique and found by their exact name', () => {
  expect(new Set(membershipTypes).size).toBe(memberships.length)
  for (const spec of memberships) expect(findMembership(spec.type)).toBe(spec)
  expect(findMembership('Triangular')).toBeUndefined()
  expect(findMembership('constructor')).toBeUndefined()
})

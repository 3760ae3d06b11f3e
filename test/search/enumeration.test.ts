import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createAxis } from '../../src/search/axis.ts'
import { nextRound, planTrials, type SearchMethod } from '../../src/search/plan.ts'
import { createSpace, keyOf, type Space, sizeOf, valueOn } from '../../src/search/space.ts'
import { anySpace, anySteppedSpace, orderedPairs } from '../fixtures/spaces.ts'

const drawing: SearchMethod[] = ['random', 'latin_hypercube', 'tpe']
const anySeed = fc.nat({ max: 2 ** 31 })
const plan = (space: Space, method: SearchMethod, trials: number, seed = 1) =>
  planTrials(space, { method, trials, seed })

/** Whether every value of a trial is one its field has. */
function isInside(space: Space, values: Readonly<Record<string, unknown>>): boolean {
  return space.axes.every(axis => {
    const value = valueOn(axis, values as never)
    const place = axis.placeOf(value)
    return axis.count === null ? place >= 0 && place <= 1 : axis.levelOf(value) >= 0
  })
}

describe('a grid', () => {
  test('has every point once, the first field slowest', () => {
    const space = createSpace(
      [
        { path: 'a', values: [1, 2] },
        { path: 'b', min: 0, max: 0.3, step: 0.1 },
        { path: 'c', values: [true, false] },
      ],
      [],
    )
    const { trials } = plan(space, 'grid', 0)
    expect(trials.slice(0, 3).map(({ values }) => values)).toEqual([
      { a: 1, b: 0, c: true },
      { a: 1, b: 0, c: false },
      { a: 1, b: 0.1, c: true },
    ])
    expect(trials.at(-1)).toEqual({ index: 15, values: { a: 2, b: 0.3, c: false } })
  })

  test('of any space has as many points as the fields have values, none twice', () => {
    fc.assert(
      fc.property(anySteppedSpace, space => {
        fc.pre(sizeOf(space) <= 5_000)
        const { trials } = plan(space, 'grid', 0)
        expect(new Set(trials.map(({ values }) => keyOf(space, values))).size).toBe(sizeOf(space))
        expect(trials.every(({ values }) => isInside(space, values))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('leaves out and counts what the constraints forbid', () => {
    const { trials, excluded } = plan(orderedPairs(9), 'grid', 0)
    expect([trials.length, excluded]).toEqual([45, 55])
    expect(trials.map(({ index }) => index)).toEqual(Array.from({ length: 45 }, (_, i) => i))
  })

  test('too large to run is refused with its size, one without steps with the field', () => {
    expect(() => plan(orderedPairs(100), 'grid', 0)).toThrow('the grid has 10201 points')
    const endless = createSpace([{ path: 'risk', min: 0, max: 1 }], [])
    expect(() => plan(endless, 'grid', 0)).toThrow('give risk a step')
  })
})

describe.each(drawing)('%s', method => {
  test('draws no point twice and none outside the space, and the same ones again for the same seed', () => {
    fc.assert(
      fc.property(anySpace, fc.integer({ min: 1, max: 40 }), anySeed, (space, count, seed) => {
        const { trials } = plan(space, method, count, seed)
        expect(new Set(trials.map(({ values }) => keyOf(space, values))).size).toBe(trials.length)
        expect(trials.every(({ values }) => isInside(space, values))).toBe(true)
        expect(plan(space, method, count, seed).trials).toEqual(trials)
      }),
      { numRuns: 100 },
    )
  })

  test('draws other points for another seed', () => {
    const space = orderedPairs(90)
    expect(plan(space, method, 20, 1).trials).not.toEqual(plan(space, method, 20, 2).trials)
  })

  test('keeps to the constraints and counts what they cost', () => {
    const { trials, excluded } = plan(orderedPairs(60), method, 20)
    expect(trials.every(({ values }) => Number(values.a) < Number(values.b))).toBe(true)
    expect(trials.length).toBeGreaterThanOrEqual(15)
    expect(excluded).toBeGreaterThanOrEqual(0)
  })

  test('says so when the constraints leave nothing', () => {
    const space = { ...orderedPairs(20), constraints: [{ text: 'a < a', accepts: () => false }] }
    expect(() => plan(space, method, 10)).toThrow('the constraints forbid all')
  })

  test('refuses more trials than it runs', () => {
    expect(() => plan(orderedPairs(90), method, 10_001)).toThrow('10001 trials are asked for')
  })
})

test('random search finds every allowed point of a small space, however few there are', () => {
  const space = orderedPairs(40)
  const narrow = {
    ...space,
    constraints: [
      {
        text: 'b == a + 40',
        accepts: ({ a, b }: object & Record<string, unknown>) => Number(b) === Number(a) + 40,
      },
    ],
  }
  expect(plan(narrow, 'random', 5).trials).toEqual([{ index: 0, values: { a: 0, b: 40 } }])
  expect(plan(space, 'random', 5_000).trials).toHaveLength(820)
})

/** Fast and slow of 2 to 5000, of which a constraint allows one point in five thousand. */
const narrow = (looks: { count: number }): Space => {
  const dimensions = ['fast', 'slow'].map(path => ({ path, min: 2, max: 5_000, integer: true }))
  const accepts = ({ fast }: Readonly<Record<string, unknown>>) => {
    looks.count++
    return Number(fast) < 3
  }
  return createSpace(dimensions, [{ text: 'fast < 3', accepts }])
}

test.each(drawing)('%s looks at no more than 100,000 points, however few are allowed', method => {
  const looks = { count: 0 }
  const trials = method === 'tpe' ? 1_000 : 10_000
  const { trials: found } = plan(narrow(looks), method, trials)
  expect(found.length).toBeGreaterThan(0)
  expect(looks.count).toBeLessThanOrEqual(100_000)
  const none = { count: 0 }
  const { axes } = narrow(none)
  const accepts = () => ++none.count < 0
  expect(() => plan({ axes, constraints: [{ text: '', accepts }] }, method, trials)).toThrow('forbid all')
  expect(none.count).toBeLessThanOrEqual(100_000)
})

test.each(['random', 'tpe'] as const)(
  '%s goes on until it finds what one point in five thousand is',
  method => {
    for (let seed = 1; seed <= 10; seed++)
      expect(plan(narrow({ count: 0 }), method, 3, seed).trials).toHaveLength(3)
  },
)

test('constraints that take long to ask are asked less often, and refused where every point must be', () => {
  let asked = 0
  const accepts = () => ++asked < 0
  const { axes } = narrow({ count: 0 })
  const space = { axes, constraints: [{ text: 'fast < 3 and '.repeat(1_000), accepts }] }
  expect(() => plan(space, 'random', 10_000)).toThrow('forbid all')
  expect(asked).toBeLessThan(1_000)
  expect(() => plan(space, 'latin_hypercube', 10_000)).toThrow('constraints are too long')
  const small = { ...space, axes: orderedPairs(80).axes }
  expect(() => plan(small, 'grid', 0)).toThrow('constraints are too long')
})

test('a Latin hypercube uses each share of each field exactly once', () => {
  const endless = (count: number) =>
    createSpace(
      Array.from({ length: count }, (_, d) => ({ path: `f${d}`, min: 0, max: 1 })),
      [],
    )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 200 }),
      anySeed,
      (dims, n, seed) => {
        const space = endless(dims)
        const { trials } = plan(space, 'latin_hypercube', n, seed)
        for (const axis of space.axes) {
          const shares = trials.map(({ values }) => Math.floor(Number(valueOn(axis, values)) * n + 1e-9))
          expect(shares.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('a Latin hypercube avoids what is forbidden by exchanging shares, and still uses each once', () => {
  const space = {
    ...createSpace(
      ['a', 'b'].map(path => ({ path, min: 0, max: 1 })),
      [],
    ),
  }
  const accepts = ({ a, b }: Readonly<Record<string, unknown>>) => Number(a) < Number(b) + 0.3
  const { trials } = plan({ ...space, constraints: [{ text: '', accepts }] }, 'latin_hypercube', 200)
  expect(trials.length).toBeGreaterThan(170)
  const shares = trials.map(({ values }) => Math.floor(Number(values.a) * 200 + 1e-9))
  expect(new Set(shares).size).toBe(trials.length)
})

test('a field on a log scale gives each order of magnitude the same share', () => {
  const space = createSpace([{ path: 'f', min: 0.001, max: 1000, scale: 'log' }], [])
  const { trials } = plan(space, 'latin_hypercube', 600)
  const decades = trials.map(({ values }) => Math.floor(Math.log10(Number(values.f)) + 1e-9))
  for (let decade = -3; decade < 3; decade++) expect(decades.filter(one => one === decade)).toHaveLength(100)
})

test('the place of every value of every axis leads back to it', () => {
  fc.assert(
    fc.property(anySteppedSpace, ({ axes }) => {
      for (const { count, levelValue, levelOf, valueAt, placeOf } of axes) {
        const values = Array.from({ length: count ?? 0 }, (_, level) => levelValue(level))
        expect(values.map(levelOf)).toEqual(values.map((_, level) => level))
        expect(values.map(placeOf).map(valueAt)).toEqual(values)
      }
    }),
  )
})

test('steps do not gather rounding errors', () => {
  const axis = createAxis({ path: 'f', min: 0.1, max: 0.7, step: 0.1 })
  expect(Array.from({ length: axis.count ?? 0 }, (_, level) => axis.levelValue(level))).toEqual([
    0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7,
  ])
})

test('rounds of tpe go on until as many trials have run as were asked for, or nothing is left', () => {
  const space = orderedPairs(9)
  const settings = { method: 'tpe', trials: 1_000, seed: 3 } as const
  const finished: { values: Readonly<Record<string, number>>; score: number }[] = []
  for (;;) {
    const { trials } = nextRound(space, settings, finished)
    if (trials.length === 0) break
    expect(trials[0]?.index).toBe(finished.length)
    for (const { values } of trials) finished.push({ values: values as never, score: Number(values.a) })
  }
  expect(new Set(finished.map(({ values }) => keyOf(space, values))).size).toBe(45)
})

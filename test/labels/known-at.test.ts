import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { makeLabels } from '../../src/labels/label.ts'
import { truncateBars } from '../../src/market/bars.ts'
import { barsOf, someBars, specs } from './label-bars.ts'

test.each(specs)('a label of %j stands from its t1 on and not a bar earlier', spec => {
  let seen = 0
  fc.assert(
    fc.property(someBars, fc.nat(), (bars, seed) => {
      const labels = makeLabels(spec, bars)
      const labelled = Array.from(labels.value, (_, t) => t).filter(t => !Number.isNaN(labels.value[t]))
      if (labelled.length === 0) return
      // Some bars of every walk; the property has to hold for each.
      for (const k of [seed, seed + 1, seed + 7, 0, -1]) {
        const at = labelled.at(k % labelled.length) ?? -1
        const t1 = labels.t1[at] ?? -1
        expect(t1).toBeGreaterThan(at)
        const then = makeLabels(spec, truncateBars(bars, t1 + 1))
        expect([then.value[at], then.t0[at], then.t1[at], then.ret[at]]).toEqual([
          ...[labels.value[at], at, t1, labels.ret[at]],
        ])
        expect(makeLabels(spec, truncateBars(bars, t1)).value[at]).toBe(Number.NaN)
        seen++
      }
    }),
    { numRuns: 25 },
  )
  expect(seen).toBeGreaterThan(50)
})

test.each(specs)(
  'labels of %j have a class or a return, an end and the return to it, or none of them',
  spec => {
    fc.assert(
      fc.property(someBars, bars => {
        const { kind, classes, value, t0, t1, ret } = makeLabels(spec, bars)
        for (let t = 0; t < bars.length; t++) {
          expect(t0[t]).toBe(t)
          if (Number.isNaN(value[t])) {
            expect([t1[t], ret[t]]).toEqual([-1, Number.NaN])
            continue
          }
          const end = t1[t] ?? -1
          expect(ret[t]).toBe((bars.close[end] ?? 0) / (bars.close[t] ?? 0) - 1)
          if (kind === 'regression') expect(value[t]).toBe(ret[t])
          else expect(classes[value[t] ?? -1]).toEqual(expect.any(String))
        }
      }),
      { numRuns: 12 },
    )
  },
)

test('no bars, or too few, have no labels', () => {
  fc.assert(
    fc.property(someBars, fc.constantFrom(...specs), fc.nat(3), (bars, spec, length) => {
      const labels = makeLabels(spec, truncateBars(bars, length))
      expect(labels.value).toHaveLength(length)
      if (spec.source !== 'zigzag') expect(labels.value.every(Number.isNaN)).toBe(true)
    }),
  )
})

test.each(specs)('making labels of %j can be stopped all the way through', spec => {
  const bars = barsOf(Array.from({ length: 40_000 }, (_, i) => 100 + 5 * Math.sin(i / 5) + Math.sin(i)))
  let calls = 0
  const stopAt = (call: number) => () => {
    if (++calls === call) throw new Error('stopped')
  }
  makeLabels(spec, bars, stopAt(-1))
  expect(calls).toBeGreaterThanOrEqual(2)
  const last = calls
  calls = 0
  expect(() => makeLabels(spec, bars, stopAt(last))).toThrow('stopped')
})

import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type EnsembleSignals, type Route, routeSignals } from '../../src/training/ensemble-signals.ts'
import { emptySignals, type ModelSignals } from '../../src/training/model-signals.ts'
import { barsOfCloses } from '../fixtures/bars.ts'

const classes = ['trending_up', 'trending_down', 'ranging', 'volatile']
const answers: Readonly<Record<string, readonly number[]>> = {
  u: [0.7, 0.1, 0.1, 0.1],
  d: [0.1, 0.7, 0.1, 0.1],
  r: [0.1, 0.1, 0.7, 0.1],
  v: [0.1, 0.1, 0.1, 0.7],
  // None is as likely as 0.4.
  x: [0.3, 0.3, 0.2, 0.2],
}

/** The gate's answers, a letter per bar; `.` is none. */
function gateOf(text: string) {
  const bar = [...text].flatMap((letter, i) => (letter === '.' ? [] : [i]))
  const outputs = [...text].flatMap(letter => answers[letter] ?? [])
  return {
    base: barsOfCloses([...text].map(() => 100)),
    bar: Int32Array.from(bar),
    outputs: Float32Array.from(outputs),
  }
}

/** A member that wants the same on every bar. */
function always(
  length: number,
  ...names: ('enter_long' | 'exit_long' | 'enter_short' | 'exit_short')[]
): ModelSignals {
  const signals = emptySignals(length)
  for (const name of names) signals[name].fill(1)
  return { ...signals, first_usable_bar: 0, outputs: [] }
}

const routeFor = (length: number, more: Partial<Route> = {}): Route => ({
  classes,
  threshold: 0.4,
  otherwise: 'volatile',
  stabilityBars: 1,
  closesAtTransition: true,
  members: {
    trending_up: always(length, 'enter_long', 'exit_short'),
    trending_down: always(length, 'enter_short', 'exit_long'),
  },
  ...more,
})

/** The regime of each bar by its letter, `.` for none. */
const regimes = ({ regime }: EnsembleSignals) =>
  [...regime].map(index => ['u', 'd', 'r', 'v'][index] ?? '.').join('')

/** What stands on each bar: an entry by its side, `x` for both exits without one, `.` for nothing. */
const orders = ({ enter_long, exit_long, enter_short, exit_short }: EnsembleSignals) =>
  Array.from(enter_long, (long, i) => {
    if (long === 1) return 'L'
    if (enter_short[i] === 1) return 'S'
    return exit_long[i] === 1 && exit_short[i] === 1 ? 'x' : '.'
  }).join('')

const routed = (text: string, more: Partial<Route> = {}) =>
  routeSignals(gateOf(text), routeFor(text.length, more))

describe('the regime that holds', () => {
  test.each([
    ['is the one proposed, from the first bar on', 'uudd', 1, 'uudd'],
    ['changes once it was proposed often enough in a row', 'uuuddudddd', 3, '..uuuuuudd'],
    ['is volatile where none is likely enough', 'uuxxx', 2, '.uuvv'],
    ['is kept where the gate says nothing, which breaks the row', 'uud.ddd', 2, '.uuuudd'],
    ['is none before the gate has said anything', '..uu', 1, '..uu'],
  ])('%s', (_name, said, stabilityBars, expected) => {
    expect(regimes(routed(said, { stabilityBars }))).toBe(expected)
  })

  test('is believed from the threshold on', () => {
    expect(regimes(routed('x', { threshold: Math.fround(0.3) }))).toBe('u')
    expect(regimes(routed('x', { threshold: 0.31 }))).toBe('v')
  })
})

describe('the decisions', () => {
  test.each<[string, string, boolean, string]>([
    ['are those of the member of the regime', 'uuu', true, 'LLL'],
    ['close at a transition, and the new member enters after it', 'uuddd', true, 'LLxSS'],
    ['are the new member’s at once where positions run on', 'uuddd', false, 'LLSSS'],
    ['are none where nobody decides, but the close at the transition', 'uurrr', true, 'LLx..'],
    ['are none at all there where positions run on', 'uurrr', false, 'LL...'],
    ['are none before the first regime, which closes nothing', '..uu', true, '..LL'],
  ])('%s', (_name, said, closesAtTransition, expected) => {
    expect(orders(routed(said, { closesAtTransition }))).toBe(expected)
  })

  test('say which bar was the first on which a regime held', () => {
    expect(routed('..uuu', { stabilityBars: 2 }).first_usable_bar).toBe(3)
    expect(routed('...').first_usable_bar).toBe(3)
  })

  test('at a bar depend on answers up to it only', () => {
    const anySaid = fc.array(fc.constantFrom('u', 'd', 'r', 'v', 'x', '.'), { minLength: 2, maxLength: 40 })
    fc.assert(
      fc.property(
        anySaid,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.nat(),
        (said, stabilityBars, closes, at) => {
          const text = said.join('')
          const cut = 1 + (at % (text.length - 1))
          const more = { stabilityBars, closesAtTransition: closes }
          const [all, known] = [routed(text, more), routed(text.slice(0, cut), more)]
          expect([regimes(known), orders(known)]).toEqual([
            regimes(all).slice(0, cut),
            orders(all).slice(0, cut),
          ])
        },
      ),
    )
  })
})

import { expect, test } from '@jest/globals'
import type { BacktestConfig } from '../../src/backtest/backtest-config.ts'
import { decisions, freeConfig, runOne } from '../fixtures/backtest.ts'
import { barsOfCloses } from '../fixtures/bars.ts'

const bars = barsOfCloses([50, 50, 50])

/** Entered at 50 with 10 000. */
function enter(config: Partial<BacktestConfig>, signals: Parameters<typeof decisions>[1]) {
  const run = runOne({
    bars,
    signals: decisions(3, signals),
    config: { ...freeConfig, initial_capital: 10_000, ...config },
  })
  const { rejected_orders, unplaced_entries, reduced_orders } = run
  return [run.open_trade?.units ?? null, { rejected_orders, unplaced_entries, reduced_orders }]
}

const nothing = { rejected_orders: 0, unplaced_entries: 0, reduced_orders: 0 }

test('a risk of 1 % with a stop 4 away buys what loses 1 % of the equity at the stop', () => {
  const sizing = { mode: 'risk', risk_percent: 1 } as const
  expect(enter({ sizing }, { enter_long: [0], stop: 4 })).toEqual([25, nothing])
  expect(enter({ sizing }, { enter_short: [0], stop: 4 })).toEqual([25, nothing])
  // 100 / 7 = 14.29
  expect(enter({ sizing, units: 'whole' }, { enter_long: [0], stop: 7 })).toEqual([14, nothing])
})

test('a risk that asks for more than the equity pays is bounded by it, and that is counted', () => {
  const sizing = { mode: 'risk', risk_percent: 10 } as const
  for (const side of ['enter_long', 'enter_short'] as const)
    expect(enter({ sizing }, { [side]: [0], stop: 1 })).toEqual([200, { ...nothing, reduced_orders: 1 }])
})

test('a number of units is what is traded, if the equity pays for it', () => {
  const sizing = { mode: 'units', units: 120.5 } as const
  expect(enter({ sizing }, { enter_long: [0] })).toEqual([120.5, nothing])
  expect(enter({ sizing, units: 'whole' }, { enter_short: [0] })).toEqual([120, nothing])
  const all = { mode: 'units', units: 200 } as const
  expect(enter({ sizing: all }, { enter_long: [0] })).toEqual([200, nothing])
  const most = { mode: 'units', units: 201 } as const
  expect(enter({ sizing: most }, { enter_long: [0] })).toEqual([200, { ...nothing, reduced_orders: 1 }])
})

test('a short all in sells what the equity could have bought', () => {
  expect(enter({}, { enter_short: [0] })).toEqual([200, nothing])
  const sizing = { mode: 'fraction', fraction: 0.25 } as const
  expect(enter({ sizing }, { enter_short: [0] })).toEqual([50, nothing])
})

test('a short that its own costs would ruin is not opened', () => {
  // One unit is worth 50; to sell and to buy it back costs 2 · 4 980 = 9 960, which 9 960 does not outlive.
  const config = {
    initial_capital: 9960,
    commission_fixed: 4980,
    sizing: { mode: 'units', units: 1 },
  } as const
  expect(enter(config, { enter_short: [0] })).toEqual([null, { ...nothing, rejected_orders: 1 }])
})

test('an entry whose stop or target is not known is not taken', () => {
  for (const unknown of [Number.NaN, 0, -1]) {
    const expected = [null, { rejected_orders: 1, unplaced_entries: 1, reduced_orders: 0 }]
    expect(enter({}, { enter_long: [0], stop: unknown })).toEqual(expected)
    expect(enter({}, { enter_long: [0], stop: 1, target: unknown })).toEqual(expected)
  }
})

test('a risk without a stop buys nothing', () => {
  const sizing = { mode: 'risk', risk_percent: 1 } as const
  expect(enter({ sizing }, { enter_long: [0] })).toEqual([null, { ...nothing, rejected_orders: 1 }])
})

import { describe, expect, test } from '@jest/globals'
import { type IntrabarMode, type OrderPlan, plainPlan } from '../../src/backtest/backtest-config.ts'
import { runBacktest } from '../../src/backtest/engine.ts'
import type { Bars } from '../../src/market/bars.ts'
import { decisions, marketOf } from '../fixtures/backtest.ts'
import {
  daysOf,
  type FillCase,
  ordersIn,
  type Row,
  runCase,
  tenUnits,
  tradesIn,
} from '../fixtures/fill-case.ts'

const quiet: Row = [100, 101, 99, 100]

describe('entries that wait for a price', () => {
  const enter = (plan: Partial<OrderPlan>, signals: FillCase['signals'], ...bars: Row[]): FillCase => ({
    bars: [quiet, ...bars],
    plan,
    signals,
  })
  const buyLimit = { enter_long: [0], limit: 5 }
  const buyStop = { enter_long: [0], entryStop: 5 }
  test.each<[string, FillCase, readonly string[]]>([
    [
      'a limit is filled at its price',
      enter({ entry: 'limit' }, buyLimit, [98, 99, 94, 97]),
      ['long 10: 95 →'],
    ],
    [
      'a limit is filled by a touch',
      enter({ entry: 'limit' }, buyLimit, [98, 99, 95, 97]),
      ['long 10: 95 →'],
    ],
    ['a limit is not filled above it', enter({ entry: 'limit' }, buyLimit, [98, 99, 95.1, 97]), []],
    [
      'a gap beyond the limit is better',
      enter({ entry: 'limit' }, buyLimit, [93, 97, 92, 96]),
      ['long 10: 93 →'],
    ],
    [
      'a short limit sells above',
      enter({ entry: 'limit' }, { enter_short: [0], limit: 5 }, [101, 106, 100, 103]),
      ['short 10: 105 →'],
    ],
    [
      'a stop is filled at its price',
      enter({ entry: 'stop' }, buyStop, [101, 106, 100, 104]),
      ['long 10: 105 →'],
    ],
    [
      'a gap beyond the stop is worse',
      enter({ entry: 'stop' }, buyStop, [107, 109, 106, 108]),
      ['long 10: 107 →'],
    ],
    [
      'a short stop sells below',
      enter({ entry: 'stop' }, { enter_short: [0], entryStop: 5 }, [99, 100, 94, 96]),
      ['short 10: 95 →'],
    ],
    [
      'a stop-limit reached inside a bar waits for the next, and is filled at its open',
      enter({ entry: 'stop_limit' }, { ...buyStop, limit: 1 }, [101, 107, 100, 104], [105.5, 107, 105, 106]),
      ['long 10: 105.5 →'],
    ],
    [
      'a stop-limit the open jumps over is a limit order in that bar',
      enter({ entry: 'stop_limit' }, { ...buyStop, limit: 1 }, [108, 109, 105.5, 107]),
      ['long 10: 106 →'],
    ],
    [
      'a stop-limit the price never comes back to is not filled',
      enter({ entry: 'stop_limit' }, { ...buyStop, limit: 1 }, [101, 107, 100, 107], [107, 108, 106.5, 108]),
      [],
    ],
    [
      'a buy limit between two ticks is rounded up, away from the better price',
      {
        ...enter({ entry: 'limit' }, { enter_long: [0], limit: 5.03 }, [98, 99, 95, 97]),
        config: { tick_size: 0.5 },
      },
      ['long 10: 95 →'],
    ],
    [
      'an entry for two bars is filled on the second',
      enter({ entry: 'limit', good_till: { bars: 2 } }, buyLimit, quiet, [98, 99, 94, 97]),
      ['long 10: 95 →'],
    ],
    [
      'an entry for one bar is not filled on the second',
      enter({ entry: 'limit', good_till: { bars: 1 } }, buyLimit, quiet, [98, 99, 94, 97]),
      [],
    ],
    [
      'an entry for the session is not filled on the next day',
      enter({ entry: 'limit', good_till: 'session' }, buyLimit, quiet, [98, 99, 94, 97]),
      [],
    ],
    [
      'an entry is cancelled by its exit rule',
      enter({ entry: 'limit' }, { ...buyLimit, exit_long: [1] }, quiet, [98, 99, 94, 97]),
      [],
    ],
    [
      'an entry is replaced by one of the other side',
      enter({ entry: 'limit' }, { ...buyLimit, enter_short: [1] }, quiet, [98, 106, 94, 97]),
      ['short 10: 105 →'],
    ],
  ])('%s', (_name, given, expected) => {
    expect(tradesIn(runCase(given))).toEqual(expected)
  })

  test('a stop-limit reached inside a bar is filled at its stop by modes that are not pessimistic', () => {
    const given = enter(
      { entry: 'stop_limit' },
      { ...buyStop, limit: 1 },
      [101, 107, 100, 107],
      [107, 108, 106.5, 108],
    )
    for (const intrabar of ['optimistic', 'ohlc', 'adaptive'] as const)
      expect(tradesIn(runCase({ ...given, config: { intrabar } }))).toEqual(['long 10: 105 →'])
  })

  test('a session is what the bars say it is', () => {
    const bars = daysOf([quiet, quiet, [98, 99, 94, 97], quiet])
    const signals = decisions(4, buyLimit)
    const run = (session: readonly number[]) =>
      runBacktest({
        markets: [marketOf({ ...bars, session: Float64Array.from(session) } as Bars, signals)],
        config: tenUnits,
        plan: { ...plainPlan, entry: 'limit', good_till: 'session' },
      })
    expect(tradesIn(run([1, 2, 2, 3]))).toEqual(['long 10: 95 →'])
    expect(tradesIn(run([1, 1, 2, 2]))).toEqual([])
  })

  test('an order tells how it ended', () => {
    const entry = enter({ entry: 'limit', good_till: { bars: 1 } }, buyLimit, quiet, quiet)
    expect([ordersIn(runCase(entry)), runCase(entry).expired_orders]).toEqual([['buy limit 95: expired'], 1])
    const late = { ...entry, signals: { enter_long: [2], limit: 5 } }
    expect([ordersIn(runCase(late)), runCase(late).unfilled_signals]).toEqual([['buy limit 95: unfilled'], 1])
  })
})

describe('the bracket of an entry inside a bar', () => {
  const modes: readonly IntrabarMode[] = ['pessimistic', 'optimistic', 'ohlc', 'adaptive']
  const limit = { enter_long: [0], limit: 5, stop: 5, target: 10 }
  const stop = { enter_long: [0], entryStop: 5, stop: 5, target: 10 }
  // A limit order buys at 95: stop 90, target 105. A stop order buys at 105: stop 100, target 115.
  test.each<[string, 'limit' | 'stop', Row, readonly string[]]>([
    ['the stop below a limit is certain', 'limit', [98, 99, 89, 96], Array(4).fill('long 10: 95 → 90 stop')],
    [
      'the target above a limit may have been reached before',
      'limit',
      [98, 106, 94, 97],
      ['long 10: 95 →', 'long 10: 95 → 105 target ?', 'long 10: 95 →', 'long 10: 95 → 105 target ?'],
    ],
    [
      'a close beyond the target is after the entry',
      'limit',
      [98, 106, 94, 105],
      Array(4).fill('long 10: 95 → 105 target'),
    ],
    [
      'the target above a stop entry is certain',
      'stop',
      [101, 116, 100.5, 112],
      Array(4).fill('long 10: 105 → 115 target'),
    ],
    [
      'the stop below a stop entry may have been reached before',
      'stop',
      [101, 108, 99, 107],
      ['long 10: 105 → 100 stop ?', 'long 10: 105 →', 'long 10: 105 → 100 stop ?', 'long 10: 105 →'],
    ],
    [
      'a close beyond the stop is after the entry',
      'stop',
      [101, 108, 99, 99.5],
      Array(4).fill('long 10: 105 → 100 stop'),
    ],
    [
      'an open beyond the limit is held through the whole bar',
      'limit',
      [94, 105, 93, 100],
      Array(4).fill('long 10: 94 → 104 target'),
    ],
  ])('%s', (_name, entry, bar, expected) => {
    const seen = modes.map(intrabar =>
      tradesIn(
        runCase({
          bars: [quiet, bar],
          signals: entry === 'limit' ? limit : stop,
          plan: { entry },
          config: { intrabar },
        }),
      ).join(),
    )
    expect(seen).toEqual(expected)
  })

  test('a doubt that ended nothing stays with the trade', () => {
    const bars: Row[] = [quiet, [98, 106, 94, 97], [97, 98, 89, 90]]
    expect(tradesIn(runCase({ bars, signals: limit, plan: { entry: 'limit' } }))).toEqual([
      'long 10: 95 → 90 stop ?',
    ])
  })

  test('of the bar of the entry only the close moves the trailing stop and counts as an excursion', () => {
    // The high of 110 may have been before 95 was paid: the stop goes from 90 to 96 − 5, not to 105.
    const run = runCase({
      bars: [quiet, [98, 110, 94, 96], [95, 96, 92, 95]],
      signals: { enter_long: [0], limit: 5, stop: 5 },
      plan: { entry: 'limit', trailing_stop: true },
    })
    expect(run.open_trades[0]).toMatchObject({ current_stop_price: 91, max_favourable_excursion: 10 })
  })

  test('finer bars show what came after the entry', () => {
    const finer = {
      1: [
        [98, 106, 97, 98],
        [98, 98.5, 94, 97],
      ] as const,
    }
    const given = { bars: [quiet, [98, 106, 94, 97], [97, 98, 89, 90]] as Row[], signals: limit, finer }
    for (const intrabar of modes)
      expect(tradesIn(runCase({ ...given, plan: { entry: 'limit' }, config: { intrabar } }))).toEqual([
        'long 10: 95 → 90 stop',
      ])
  })
})

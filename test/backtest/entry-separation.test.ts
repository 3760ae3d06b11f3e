import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plainPlan } from '../../src/backtest/backtest-config.ts'
import { runBacktest, traceBacktest } from '../../src/backtest/engine.ts'
import { anyPortfolio, anySingle } from '../fixtures/backtest-inputs.ts'

const anyBarsApart = fc.integer({ min: 2, max: 9 })

/** Bars between the first fills of consecutive entries of one market. */
function gapsOf(run: ReturnType<typeof runBacktest>, symbol: string, times: Float64Array): number[] {
  const entries = [
    ...[...run.trades.entry_time].filter((_, i) => run.trades.symbol[i] === symbol),
    ...run.open_trades.filter(trade => trade.symbol === symbol).map(trade => trade.entry_time),
  ]
  const bars = entries.map(timeMs => times.findLastIndex(time => time <= timeMs)).sort((a, b) => a - b)
  return bars.slice(1).map((bar, i) => bar - (bars[i] ?? 0))
}

test('entries of one market are kept apart by their fills, whatever ended the position before', () => {
  let entries = 0
  fc.assert(
    fc.property(anyPortfolio, anyBarsApart, (input, entry_separation_bars) => {
      const plan = { ...plainPlan, entry_separation_bars }
      const config = { ...input.config, volume_share: null, fill_on: 'next_open' as const }
      const run = runBacktest({ ...input, plan, config })
      entries += run.trades.length
      for (const { symbol, bars } of input.markets) {
        const gaps = gapsOf(run, symbol, bars.time)
        expect([symbol, gaps.filter(gap => gap < entry_separation_bars)]).toEqual([symbol, []])
      }
    }),
    { numRuns: 200 },
  )
  expect(entries).toBeGreaterThan(200)
})

test('quiet bars may be passed with entries kept apart, too, and 0 and 1 keep nothing apart', () => {
  fc.assert(
    fc.property(anySingle, fc.nat(9), (input, entry_separation_bars) => {
      if (input.plan === undefined) throw new Error('there is no plan')
      const kept = { ...input, plan: { ...input.plan, entry_separation_bars } }
      const [passed, traded] = [runBacktest(kept), traceBacktest(kept, false)]
      expect(passed.trades.net_pnl).toEqual(traded.trades.net_pnl)
      expect(passed.equity.equity).toEqual(traded.equity.equity)
      if (entry_separation_bars > 1) return
      expect(runBacktest(input).equity.equity).toEqual(passed.equity.equity)
    }),
    { numRuns: 200 },
  )
})

import { computeSignals } from '../../src/strategy/signals.ts'
import { compilation, type Measured } from '../c-peer.ts'
import { Client } from '../client.ts'
import { max, median, millionsPerSecond, ms, spread, whole } from '../numbers.ts'
import type { Finding, Report, Row } from '../row.ts'
import { withServer } from '../server.ts'
import { strategyOf, syntheticBars } from './backtest-bars.ts'
import { type CTime, timeC, timeGrademark } from './backtest-peers.ts'
import { type Served, type SweepMemory, serveBacktests, threads } from './backtest-server.ts'
import { type Single, timeSingle } from './backtest-single.ts'
import { pairsOf, type Sweep, timeSweep } from './backtest-sweep.ts'

/** A year of minutes. */
const yearBars = 525_600

/** One backtest by the pure functions, beside C and grademark; ten times the bars; a sweep; and a backtest as a client sees it. */
export const backtest: Row = {
  name: 'backtest',
  run: async ({ pick }) => {
    const count = pick(yearBars, 20_000)
    const rounds = pick(40, 3)
    const bars = syntheticBars(count)
    const sma = await timeSingle('sma', count, rounds)
    const c = await timeC(bars, rounds)
    const rsi = await timeSingle('rsi', count, rounds)
    const largeCount = pick(5_000_000, 200_000)
    const large = await timeSingle('sma', largeCount, pick(6, 2))
    const largeC = await timeC(syntheticBars(largeCount), pick(6, 2))
    const grademark = await timeGrademark(bars, computeSignals(strategyOf('sma'), bars))
    const pairs = pairsOf(pick(1_000, 40))
    const sweeps = [await timeSweep(bars, pairs, 1), await timeSweep(bars, pairs, 2)] as const
    const served = await serveBacktests({
      bars: count,
      reports: pick(10, 2),
      cancels: pick(10, 1),
      trials: pick(10_000, 200),
    })
    const http = await throughHttp(pick(20, 3))
    return {
      findings: [
        compareWithC(sma, c),
        compareWithGrademark(sma, grademark),
        ofRsi(rsi, sma),
        ofLarge([sma, large], [c, largeC]),
        ...ofSweeps(sweeps),
        ...ofServed(served, count),
        {
          what: 'sma_cross over the AAPL sample through HTTP',
          target: '–',
          measured: spread(http),
          met: null,
        },
      ],
      notes: notesOf({ sma, rsi, large, c, served, http }),
    } satisfies Report
  },
}

function compareWithC(sma: Single, c: Measured<CTime>): Finding {
  const finding = {
    what: `SMA(10/30) cross, ${whole(sma.bars)} one-minute bars: indicators, rules, engine, metrics`,
    target: '≤ 15 ms, ≥ 0.28 × C',
    measured: `${ms(sma.bestMs)}, ${millionsPerSecond(sma.bars, sma.bestMs)} bars/s`,
  }
  if (c.kind === 'not-measured') return { ...finding, peer: c.reason, met: sma.bestMs <= 15 ? null : false }
  checkSame(sma, c.value)
  const ratio = c.value.fresh_ms / sma.bestMs
  return {
    ...finding,
    peer: `C ${ms(c.value.fresh_ms)}`,
    ratio: `${ratio.toFixed(2)} ×`,
    met: sma.bestMs <= 15 && ratio >= 0.28,
  }
}

/** A comparison of different work would be worth nothing. */
function checkSame(sma: Single, c: CTime): void {
  const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.abs(b)
  if (
    sma.trades !== c.trades ||
    !isNear(sma.finalEquity, c.final_equity) ||
    !isNear(sma.sharpe ?? 0, c.sharpe)
  ) {
    const ours = `${sma.trades} trades, equity ${sma.finalEquity}, Sharpe ${sma.sharpe}`
    throw new Error(`ours has ${ours}, C ${c.trades} trades, equity ${c.final_equity}, Sharpe ${c.sharpe}`)
  }
}

function compareWithGrademark(sma: Single, peer: Awaited<ReturnType<typeof timeGrademark>>): Finding {
  const finding = {
    what: 'the same beside grademark (npm)',
    target: '–',
    measured: ms(sma.bestMs),
    met: null,
  }
  if (peer.kind === 'not-measured') return { ...finding, peer: peer.reason }
  const { bestMs, trades } = peer.value
  return {
    ...finding,
    peer: `grademark ${ms(bestMs)}, ${whole(trades)} trades`,
    ratio: `${(bestMs / sma.bestMs).toFixed(1)} ×`,
  }
}

function ofRsi(rsi: Single, sma: Single): Finding {
  const ratio = rsi.bestMs / sma.bestMs
  return {
    what: `RSI(14) reversion with 2 % stop and 4 % target, ${whole(rsi.bars)} bars`,
    target: '≤ 2 × the cross',
    measured: `${ms(rsi.bestMs)}, ${whole(rsi.trades)} trades`,
    ratio: `${ratio.toFixed(2)} ×`,
    met: ratio <= 2,
  }
}

/** The C loop shows what the machine takes more for memory that no cache holds. */
function ofLarge(
  [sma, large]: readonly [Single, Single],
  [c, largeC]: readonly [Measured<CTime>, Measured<CTime>],
): Finding {
  const perBar = (measured: Measured<CTime>, { bars }: Single) =>
    measured.kind === 'not-measured' ? Number.NaN : measured.value.fresh_ms / bars
  const growthOfC = perBar(largeC, large) / perBar(c, sma)
  const ratio = large.bestMs / large.bars / (sma.bestMs / sma.bars)
  const bytes = (single: Single) => (single.peakRssBytes - single.barsRssBytes) / single.bars
  return {
    what: `the cross, ${whole(large.bars)} bars`,
    target: 'linear in time (≤ 1.3 × per bar) and memory',
    measured: `${ms(large.bestMs)}, peak ${whole(large.peakRssBytes / 2 ** 20)} MiB, ${whole(bytes(large))} bytes per bar beyond the bars`,
    ...(Number.isNaN(growthOfC) ? {} : { peer: `C ${growthOfC.toFixed(2)} × per bar` }),
    ratio: `${ratio.toFixed(2)} × per bar`,
    met: ratio <= 1.3,
  }
}

function ofSweeps([one, two]: readonly [Sweep, Sweep]): readonly Finding[] {
  if (Math.abs(one.checksum - two.checksum) > 1e-9 * Math.abs(one.checksum))
    throw new Error(`the sweeps differ: ${one.checksum} and ${two.checksum}`)
  const rate = ({ barsPerSecond }: Sweep) => `${(barsPerSecond / 1e6).toFixed(1)} M bars/s`
  const speedUp = two.barsPerSecond / one.barsPerSecond
  return [
    {
      what: `sweep of ${whole(one.trials)} SMA pairs, one thread`,
      target: '≥ 40 M bars/s',
      measured: `${rate(one)}, ${ms(one.elapsedMs / one.trials)} per trial`,
      met: one.barsPerSecond >= 40e6,
    },
    {
      what: 'the same sweep, two threads',
      target: '≥ 1.8 × one, on idle cores',
      measured: `${rate(two)} together`,
      ratio: `${speedUp.toFixed(2)} ×`,
      met: speedUp >= 1.8,
    },
  ]
}

function ofServed(served: Served, bars: number): readonly Finding[] {
  const { reportMs, artifactBytes, cancelMs, sweep } = served
  return [
    {
      what: `the cross over ${whole(bars)} bars by the server: what comes after trading, ${mib(artifactBytes)} of artifacts on disk`,
      target: '≤ 100 ms',
      measured: spread(reportMs),
      met: median(reportMs) <= 100,
    },
    {
      what: 'cancel of a sweep of 10,000 trials, until `GET /workers` shows every thread idle',
      target: '≤ 100 ms',
      measured: spread(cancelMs),
      met: max(cancelMs) <= 100,
    },
    ofMemory(sweep),
  ]
}

function ofMemory({ trials, peakBytes, idleBytes, fileBytes, datasetBytes }: SweepMemory): Finding {
  const allowed = datasetBytes + 200e6 + threads * 40e6
  return {
    what: `resident size of the server in a sweep of ${whole(trials)} trials, ${threads} threads`,
    target: `≤ ${mib(allowed)}: bars, 200 MB, 40 MB per thread`,
    measured: `peak ${mib(peakBytes)}, ${mib(idleBytes)} before it; ${mib(fileBytes)} of both mapped from files`,
    met: peakBytes <= allowed,
  }
}

const mib = (bytes: number) => `${whole(bytes / 2 ** 20)} MiB`

/** The shipped SMA cross over the shipped sample, from POST to the answer that carries the result. */
function throughHttp(count: number): Promise<number[]> {
  return withServer({}, async server => {
    const client = new Client(server.url)
    await client.complete('data_download', { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] })
    const times: number[] = []
    for (let round = 0; round < count + 3; round++) {
      const startedAt = performance.now()
      await client.complete('backtesting', { strategy: 'sma_cross', symbol: 'AAPL', timeframe: '1d' })
      times.push(performance.now() - startedAt)
    }
    client.close()
    return times.slice(3)
  })
}

type Noted = {
  readonly sma: Single
  readonly rsi: Single
  readonly large: Single
  readonly c: Measured<CTime>
  readonly served: Served
  readonly http: readonly number[]
}

function notesOf({ sma, rsi, large, c, served, http }: Noted): readonly string[] {
  const parts = ({ steps }: Single) =>
    `indicators and rules ${ms(steps.signalsMs)}, trading with costs and equity curve ${ms(steps.tradingMs)}, metrics ${ms(steps.metricsMs)}`
  const ofC =
    c.kind === 'not-measured'
      ? c.reason
      : `The C loop (bench/c/backtest.c, ${compilation}) does this one strategy in one pass, with ${whole(c.value.trades)} trades to the same cent; into memory it has used before it takes ${ms(c.value.reused_ms)}.`
  return [
    `Each of the single runs in a process of its own, best of the runs after the first, outputs allocated anew. Cross: ${parts(sma)}, ${whole(sma.trades)} trades; the first run, before anything is compiled, ${ms(sma.firstMs)}. Reversion: ${parts(rsi)}. ${whole(large.bars)} bars: ${parts(large)}. The bars are a seeded random walk of minute bars.`,
    ofC,
    'The sweep calls the pure functions as a search does: indicators cached (8.5 MB per thread), signals and curves into the same memory, all metrics but the bootstrap; the bars are shared by the threads, and time counts from when both are warm.',
    `By the server, after one that does not count: from the end of trading (the time of the first point of the series equity) to completed_at, with metrics, bootstrap, tables and report.html made, written and flushed; the whole attempt takes ${ms(median(served.wholeMs))} of server time. After one that does not count, a sweep is stopped when each of ${threads} threads has worked on a batch of it for 0.3 to 1.5 s; the memory is VmHWM of a server started for it, at the end of a whole sweep of ${whole(served.sweep.trials)} trials, which takes ${(served.sweep.elapsedMs / 1000).toFixed(1)} s: ${millionsPerSecond(served.sweep.trials * sma.bars, served.sweep.elapsedMs)} bars/s.`,
    'grademark is timed with the crosses worked out beforehand: its loop alone, without costs and metrics.',
    'For comparison, measured earlier on 2 cores and not run here: backtesting.py 3,183 ms, vectorbt (numba) 142 ms; they come from PyPI, not from npm or Debian.',
    `Through HTTP: ${http.length} times POST with “Prefer: wait” to the answer with the result, after 3 unmeasured ones; 1,000 to 1,500 daily bars, trades and equity written as artifacts, everything durable.`,
  ]
}

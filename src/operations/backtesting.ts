import type { Manifest } from '../archive/bars.ts'
import { toRfc3339 } from '../clock.ts'
import { sliceBars } from '../market/bars.ts'
import { closeTimeMs } from '../market/timeframe.ts'
import type { components } from '../openapi.gen.ts'
import { Problem } from '../problems.ts'
import { requireRules } from '../strategy/strategy.ts'
import { rangeOf } from './moment.ts'
import type { Params } from './operation.ts'
import type { Prepared, Rooms, WorkerSpec } from './spec.ts'
import { readChosenStrategy } from './strategy-text.ts'

type Requested = Readonly<components['schemas']['BacktestingParams']>
type WithDefault =
  | 'adjustment'
  | 'initial_capital'
  | 'commission_rate'
  | 'commission_fixed'
  | 'slippage_bps'
  | 'units'
  | 'close_open_trades'
/** As the validator hands them on: defaults filled in. */
export type BacktestingParams = Requested & Required<Pick<Requested, WithDefault>>
export type BacktestingResult = Readonly<components['schemas']['BacktestingResult']>

/** What the worker is given: everything that was left to a default is filled in. */
export type EffectiveBacktestingParams = BacktestingParams &
  Required<Pick<BacktestingParams, 'symbol' | 'timeframe' | 'start' | 'end' | 'sizing'>>

const MINUTE_MS = 60_000
/** Bars of larger segments are not counted before the operation runs: it would hold up the main thread. */
const maxCountedBytes = 8 * 1024 * 1024

/** Runs a strategy over stored bars. */
export const backtestingSpec: WorkerSpec = {
  kind: 'worker',
  description: 'Runs a strategy over stored bars.',
  worker: 'backtesting.ts',
  resumable: false,
  timeoutMs: 60 * MINUTE_MS,
  stallMs: 2 * MINUTE_MS,
  maxConcurrent: null,
  series: {
    equity: { bar: 'bar', equity: 'currency' },
    speed: { bar: 'bar', bars_per_second: 'bar/s' },
  },
  prepare,
}

async function prepare(given: Params, rooms: Rooms): Promise<Prepared> {
  const params = given as BacktestingParams
  if (params.sizing !== undefined) checkSizing(params.sizing)
  const range = rangeOf(params)
  const { strategy: parsed, warnings, yaml } = await readChosenStrategy(params, rooms)
  const strategy = requireRules(parsed)
  const sizing = params.sizing ?? strategy.decisions.rules.sizing ?? { mode: 'all_in' as const }
  if (sizing.mode === 'risk' && strategy.decisions.rules.stop_loss === null) throw noStop(strategy.name)
  const symbol = params.symbol ?? strategy.symbols[0]
  const timeframe = params.timeframe ?? strategy.base_timeframe
  const pinned = await rooms.bars.pin(symbol, timeframe, params.adjustment)
  if (pinned === null) throw noDataset(symbol, timeframe)
  const { manifest, sha256 } = pinned
  const bars = countBars(manifest, range, rooms)
  const effective: EffectiveBacktestingParams = {
    ...params,
    symbol,
    timeframe,
    sizing,
    start: params.start ?? manifest.first_time,
    // No later bar can open before it.
    end: params.end ?? toRfc3339(closeTimeMs(Date.parse(manifest.last_time), timeframe)),
  }
  return {
    params: effective,
    warnings: [...warnings, ...splitWarnings(manifest, effective)],
    steps: bars === null ? null : { total: bars, unit: 'bar' },
    seed: null,
    strategy_sha256: await rooms.strategies.snapshot(yaml),
    dataset_sha256: [sha256],
  }
}

/** As traded, a split is a jump that no holder has felt. */
function splitWarnings(manifest: Manifest, params: EffectiveBacktestingParams): string[] {
  if (params.adjustment !== 'none') return []
  const isInside = (date: string) => params.start.slice(0, 10) < date && date < params.end.slice(0, 10)
  const dates = manifest.actions.filter(({ kind, ex_date }) => kind === 'split' && isInside(ex_date))
  if (dates.length === 0) return []
  const named = dates.map(({ ex_date }) => ex_date).join(', ')
  return [
    `${params.symbol} was split inside the range (${named}): prices as traded jump there. adjustment: split removes the jump.`,
  ]
}

/** The key each mode needs. */
const sizingKeys = { all_in: null, fraction: 'fraction', units: 'units', risk: 'risk_percent' } as const

/** The schema cannot say which mode needs which key without naming each mode twice. */
function checkSizing(sizing: components['schemas']['Sizing']): void {
  const { mode, ...given } = sizing
  const needed = sizingKeys[mode]
  const errors = (['fraction', 'units', 'risk_percent'] as const).flatMap(key => {
    if ((key === needed) === (given[key] !== undefined)) return []
    const [code, what] = key === needed ? ['required', 'needs'] : ['not_allowed', 'takes no']
    const message = `sizing mode '${mode}' ${what} ${key}`
    return [{ pointer: `/body/params/sizing/${key}`, code, message }]
  })
  const [first] = errors
  if (first !== undefined) throw new Problem('params-invalid', first.message, { errors })
}

function noStop(name: string): Problem {
  const message = `sizing mode 'risk' needs a stop, and ${name} has none`
  return new Problem('params-invalid', message, {
    hint: 'Add decisions.rules.stop_loss to the strategy, or choose another sizing.',
    errors: [{ pointer: '/body/params/sizing/mode', code: 'not_allowed', message }],
  })
}

/** Bars of the range, null when counting them takes long. @throws {Problem} 'bars-missing' when there are none */
function countBars(
  manifest: Manifest,
  range: { start: number | null; end: number | null },
  rooms: Rooms,
): number | null {
  const { symbol, timeframe, sha256, first_time, last_time } = manifest
  const start = range.start ?? Number.NEGATIVE_INFINITY
  const end = range.end ?? Number.POSITIVE_INFINITY
  const [first, last] = [Date.parse(first_time), Date.parse(last_time)]
  if (start <= first && end > last) return manifest.bars
  const isOutside = start > last || end <= first
  if (!isOutside && manifest.size_bytes > maxCountedBytes) return null
  const bars = isOutside
    ? 0
    : sliceBars(rooms.bars.read(symbol, timeframe, sha256), range.start, range.end).length
  if (bars > 0) return bars
  throw new Problem('bars-missing', `${symbol} ${timeframe} has no bars in the requested range`, {
    hint: `The stored bars open from ${first_time} to ${last_time}.`,
  })
}

function noDataset(symbol: string, timeframe: string): Problem {
  const request = {
    type: 'data_download',
    params: { vendor: 'sample', symbols: [symbol], timeframes: [timeframe] },
  }
  return new Problem('bars-missing', `no bars of ${symbol} ${timeframe} are stored`, {
    hint: `Fetch them: POST /api/v1/operations ${JSON.stringify(request)}; or import a CSV file: PUT /api/v1/datasets/${symbol}/${timeframe}.`,
  })
}

import { isTimeframe, type Timeframe } from '../market/timeframe.ts'
import { suggest } from './nearest.ts'
import { strategySchema } from './schema.gen.ts'
import type { Fault } from './schema-errors.ts'
import { fieldOf, isRecord, type WrittenTrainingData } from './written.ts'
import type { Path } from './yaml-source.ts'

/** More are a fault of the schema; the others are then left unread. */
const maxListed = strategySchema.$defs.StrategySymbols.properties.list.maxItems

/** How one of `symbols` and `timeframes` is written. */
const selections = [
  { key: 'symbols', one: 'symbol', many: 'multi_symbol', least: 1 },
  { key: 'timeframes', one: 'timeframe', many: 'multi_timeframe', least: 2 },
] as const

type Selection = (typeof selections)[number]

/** What the schema cannot say about `training_data`: which keys go with which mode, and what rules can run on. */
export function findTrainingDataFaults(trainingData: unknown, kind: 'rules' | 'model'): readonly Fault[] {
  return selections.flatMap(selection => {
    const written = fieldOf(trainingData, selection.key)
    if (!isRecord(written)) return []
    if (written.mode === 'single') return findSingleFaults(selection, written)
    return written.mode === selection.many ? findListFaults(selection, written, kind) : []
  })
}

/** The timeframes of valid or broken training data, in their order: those that are ones. */
export function listTimeframes(trainingData: unknown): readonly Timeframe[] {
  const written = fieldOf(trainingData, 'timeframes')
  const list =
    fieldOf(written, 'mode') === 'single' ? [fieldOf(written, 'timeframe')] : fieldOf(written, 'list')
  if (!Array.isArray(list)) return []
  const names = list.filter(name => typeof name === 'string' && isTimeframe(name))
  return [...new Set<Timeframe>(names)]
}

/** @param written checked */
export function resolveTrainingData({ symbols, timeframes, history_required = 0 }: WrittenTrainingData) {
  const frames = nonEmpty(timeframes.mode === 'single' ? [timeframes.timeframe] : (timeframes.list ?? []))
  return {
    symbols: nonEmpty(symbols.mode === 'single' ? [symbols.symbol] : (symbols.list ?? [])),
    timeframes: frames,
    base_timeframe: timeframes.base_timeframe ?? frames[0],
    history_required,
  } as const
}

function findSingleFaults(
  { key, one, many }: Selection,
  written: Readonly<Record<string, unknown>>,
): Fault[] {
  const path: Path = ['training_data', key]
  const faults: Fault[] = []
  const single = written[one]
  if (single === undefined) {
    const message = `'${one}' is missing: mode single needs it`
    faults.push({ path: [...path, one], part: 'value', code: 'required', message })
  }
  if (written.list !== undefined) {
    const message = `'list' goes with mode ${many}, not with single`
    faults.push({ path: [...path, 'list'], part: 'key', code: 'conflict', message })
  }
  const base = written.base_timeframe
  if (key === 'timeframes' && base !== undefined && single !== undefined && base !== single) {
    const message = `with mode single 'base_timeframe' can only be ${String(single)}`
    faults.push({ path: [...path, 'base_timeframe'], part: 'value', code: 'conflict', message })
  }
  return faults
}

function findListFaults(
  { key, one, many, least }: Selection,
  written: Readonly<Record<string, unknown>>,
  kind: 'rules' | 'model',
): Fault[] {
  const path: Path = ['training_data', key]
  if (kind === 'rules' && key === 'timeframes') {
    const message = `${many} is not supported by strategies with rules: use mode single with one ${one}`
    return [{ path: [...path, 'mode'], part: 'value', code: 'unsupported', message }]
  }
  const faults: Fault[] = []
  const { list, base_timeframe: base } = written
  if (list === undefined) {
    const message = `'list' is missing: mode ${many} needs it`
    faults.push({ path: [...path, 'list'], part: 'value', code: 'required', message })
  }
  if (written[one] !== undefined) {
    const message = `'${one}' goes with mode single, not with ${many}`
    faults.push({ path: [...path, one], part: 'key', code: 'conflict', message })
  }
  if (!Array.isArray(list)) return faults
  list.slice(0, maxListed).forEach((name, i) => {
    if (list.indexOf(name) === i) return
    const message = `${String(name)} is in the list already`
    faults.push({ path: [...path, 'list', i], part: 'value', code: 'duplicate', message })
  })
  if (list.length > 0 && list.length < least) {
    const message = `mode ${many} needs at least ${least} ${key}: for one, use mode single`
    faults.push({ path: [...path, 'list'], part: 'value', code: 'count', message })
  }
  if (key === 'timeframes' && typeof base === 'string' && !list.includes(base)) {
    const message = `the base timeframe ${base} is not in the list: ${suggest(base, list.map(String))}`
    faults.push({ path: [...path, 'base_timeframe'], part: 'value', code: 'unknown_reference', message })
  }
  return faults
}

function nonEmpty<T>(values: readonly (T | undefined)[]): readonly [T, ...T[]] {
  const [first, ...rest] = values.filter(value => value !== undefined)
  if (first === undefined) throw new TypeError('the strategy has not been checked: a selection is empty')
  return [first, ...rest]
}

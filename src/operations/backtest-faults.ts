import { canResample } from '../market/resample.ts'
import type { Timeframe } from '../market/timeframe.ts'
import type { FieldError } from '../problems.ts'
import { pointerTo } from '../strategy/schema-errors.ts'
import { findSizingFaults } from '../strategy/sizing.ts'
import { sizingOf, type TradedStrategy } from './backtest-config.ts'
import type { BacktestingParams } from './backtesting.ts'

/** Where the parameters stand in the request. */
const root = '/body/params'

/** What the schema cannot say of the parameters of a backtest by themselves. */
export function findParamFaults(params: BacktestingParams): readonly FieldError[] {
  return [
    ...symbolFaults(params),
    ...findSizingFaults(['body', 'params', 'sizing'], params.sizing).map(({ path, code, message }) => ({
      pointer: pointerTo(path),
      code: code === 'conflict' ? 'not_allowed' : code,
      message,
    })),
    ...tierFaults(params),
    ...lotFaults(params),
    ...marginFaults(params),
  ]
}

/** What does not go with the strategy, or with the timeframe it is run on. */
export function findRunFaults(
  params: BacktestingParams,
  { strategy, timeframe }: { readonly strategy: TradedStrategy; readonly timeframe: Timeframe },
): readonly FieldError[] {
  const faults: FieldError[] = []
  const hasStop = strategy.kind === 'rules' && strategy.decisions.rules.stop_loss !== null
  if (sizingOf(params, strategy).mode === 'risk' && !hasStop)
    faults.push(fault('sizing/mode', `sizing mode 'risk' needs a stop, and ${strategy.name} has none`))
  const { intrabar_timeframe: finer } = params.engine
  if (finer !== undefined && !canResample(finer, timeframe)) {
    const message = `bars of ${finer} do not lie inside bars of ${timeframe}: give a shorter timeframe that divides it`
    faults.push({ ...fault('engine/intrabar_timeframe', message), code: 'timeframe' })
  }
  return faults
}

/** A fault of one field. @param field below the parameters, as in a pointer */
export function fault(field: string, message: string): FieldError {
  return { pointer: `${root}/${field}`, code: 'not_allowed', message }
}

function symbolFaults({ symbol, symbols }: BacktestingParams): FieldError[] {
  if (symbol === undefined || symbols === undefined) return []
  const message = 'give either symbol or symbols, not both'
  return [fault('symbol', message), fault('symbols', message)]
}

function tierFaults({ commission_tiers: tiers }: BacktestingParams): FieldError[] {
  return tiers.flatMap(({ from_value }, index) => {
    const before = tiers[index - 1]?.from_value
    if (before === undefined || from_value > before) return []
    const message = `from_value ${from_value} should be above ${before}, that of the tier before`
    return [{ ...fault(`commission_tiers/${index}/from_value`, message), code: 'order' }]
  })
}

function lotFaults({ units, lot_size }: BacktestingParams): FieldError[] {
  if (units !== 'whole' || lot_size === null || Number.isInteger(lot_size)) return []
  return [
    fault('lot_size', `lots of ${lot_size} are not whole units: give units 'fractional', or whole lots`),
  ]
}

function marginFaults({ leverage, maintenance_margin_fraction: margin }: BacktestingParams): FieldError[] {
  if (margin * leverage < 1) return []
  const message = `maintenance_margin_fraction ${margin} should be below 1 / leverage (${1 / leverage}): else what is bought with all of the leverage is closed at once`
  return [{ ...fault('maintenance_margin_fraction', message), code: 'range' }]
}

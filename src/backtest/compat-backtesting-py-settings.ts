import type { FieldError } from '../problems.ts'
import { type BacktestConfig, plainPlan } from './backtest-config.ts'
import type { BacktestInput } from './backtest-run.ts'

/** What each setting has to be, because backtesting.py knows nothing else. Settings that are not named may be anything. */
const neutral = {
  commission_per_unit: 0,
  commission_min: 0,
  slippage_bps: 0,
  volume_share: null,
  borrow_rate_annual: 0,
  funding_rate_annual: 0,
  units: 'whole',
  lot_size: null,
  tick_size: null,
  maintenance_margin_fraction: 0,
  intrabar: 'pessimistic',
} as const satisfies Partial<BacktestConfig>

/** Everything asked for that backtesting.py cannot do. Pointers are those of the configuration, `/plan` and `/markets`. */
export function findBacktestingPyFaults({
  markets,
  config,
  plan = plainPlan,
}: Pick<BacktestInput, 'config' | 'plan'> & {
  readonly markets: readonly { readonly finer: unknown }[]
}): readonly FieldError[] {
  const faults: FieldError[] = []
  const report = (pointer: string, message: string) =>
    faults.push({ pointer, code: 'not_supported', message })
  for (const [name, value] of Object.entries(neutral)) {
    const given = config[name as keyof typeof neutral]
    if (given !== value) report(`/${name}`, `${name} must be ${value}, but is ${JSON.stringify(given)}`)
  }
  if (config.commission_tiers.length > 0) report('/commission_tiers', 'commission_tiers must be empty')
  const { mode } = config.sizing
  if (mode !== 'all_in' && mode !== 'fraction' && mode !== 'units')
    report('/sizing/mode', `sizing must be all_in, fraction or units, but is ${mode}`)
  if (markets.length > 1) report('/markets', `one market is traded, but there are ${markets.length}`)
  if (markets.some(({ finer }) => finer !== null)) report('/markets/0/finer', 'no finer bars are looked at')
  if (plan.trailing_stop) report('/plan/trailing_stop', 'stops do not trail')
  if (plan.good_till !== 'cancel') report('/plan/good_till', 'orders are good till they are cancelled')
  if ((plan.entry_separation_bars ?? 0) > 1)
    report('/plan/entry_separation_bars', 'entries are not kept apart, min_signal_separation must be 0 or 1')
  return faults
}

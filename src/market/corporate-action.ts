import { Problem } from '../problems.ts'

/** What changes the price of a share without changing what its holders own. */
export type CorporateAction = {
  /** The first date the share trades without it, `YYYY-MM-DD` of the exchange. */
  readonly ex_date: string
} & (
  | {
      readonly kind: 'split'
      /** New shares for one old: 7 for 7:1, 0.1 for a reverse split 1:10. */
      readonly ratio: number
    }
  | {
      readonly kind: 'dividend'
      /** Paid per share as it was on the ex-date, in the currency of the prices. */
      readonly amount: number
    }
)

/** How prices are shown: as traded, as if every split had always been, or with dividends reinvested as well. */
export type Adjustment = 'none' | 'split' | 'total'
export const adjustments = ['none', 'split', 'total'] as const satisfies readonly Adjustment[]

/**
 * 00:00 UTC of an action's ex-date, epoch ms.
 * @throws {Problem} 'bars-invalid' when the ex-date is no date, a ratio is not above 0 or an amount is below 0
 */
export function exDateMs(action: CorporateAction): number {
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(action.ex_date)
    ? Date.parse(`${action.ex_date}T00:00:00Z`)
    : Number.NaN
  // Date.parse rolls 31 February over into March in some engines: the text must come back unchanged.
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString().slice(0, 10) !== action.ex_date)
    refuse(`'${action.ex_date}' is not a date (YYYY-MM-DD)`)
  if (action.kind === 'split' && !(action.ratio > 0 && Number.isFinite(action.ratio)))
    refuse(`the split of ${action.ex_date} has the ratio ${action.ratio}, but a ratio is above 0`)
  if (action.kind === 'dividend' && !(action.amount >= 0 && Number.isFinite(action.amount)))
    refuse(`the dividend of ${action.ex_date} has the amount ${action.amount}, but an amount is not below 0`)
  return timeMs
}

/**
 * Dividends as they were paid, from a vendor (such as Yahoo) that states them per share of today: each
 * amount is multiplied by the ratios of the splits after its ex-date. A split of the same date is already in
 * the share that was paid on. Splits and the order of the list stay as they are.
 * @param actions with split-adjusted dividend amounts, and every split the vendor adjusted for
 * @throws {Problem} 'bars-invalid' as `exDateMs`
 */
export function rawActions(actions: readonly CorporateAction[]): CorporateAction[] {
  const splits = actions.flatMap(action =>
    action.kind === 'split' ? [{ dateMs: exDateMs(action), ratio: action.ratio }] : [],
  )
  return actions.map(action => {
    if (action.kind === 'split') return action
    const dateMs = exDateMs(action)
    const later = splits.filter(split => split.dateMs > dateMs)
    return { ...action, amount: later.reduce((amount, split) => amount * split.ratio, action.amount) }
  })
}

function refuse(detail: string): never {
  throw new Problem('bars-invalid', detail, {
    hint: 'Correct the corporate action, or read the bars with adjustment none, which needs no actions.',
  })
}

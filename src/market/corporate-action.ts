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

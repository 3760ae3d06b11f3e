/** What a metric is measured in. Money is in account currency; `fraction` is 0.1 for 10 %. */
export type MetricUnit = 'fraction' | 'ratio' | 'days' | 'count' | 'currency'

export type MetricDefinition = {
  readonly unit: MetricUnit
  readonly definition: string
  /** Whose convention it is. */
  readonly source: string
}

/** Whose conventions are followed most. */
export const sources = {
  own: 'ktrdr',
  empyrical: 'empyrical 0.5 (Quantopian)',
  backtestingPy: 'backtesting.py 0.6',
  paper2012: 'Bailey and López de Prado 2012',
} as const

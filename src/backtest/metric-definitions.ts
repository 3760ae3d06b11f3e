import { type MetricDefinition, sources } from './metric-definition.ts'
import { tradeMetricDefinitions } from './trade-metric-definitions.ts'

const { own, empyrical, backtestingPy, paper2012 } = sources

/** Of the equity at the closes of the bars. */
const equityDefinitions = {
  final_equity: { unit: 'currency', definition: 'Equity at the last close.', source: own },
  total_return_fraction: {
    unit: 'fraction',
    definition: 'Last equity / initial capital − 1.',
    source: empyrical,
  },
  cagr_fraction: {
    unit: 'fraction',
    definition:
      '(last equity / initial capital)^(1 / years) − 1, years = days from the first open to the last close / 365.25.',
    source: backtestingPy,
  },
  max_drawdown_fraction: {
    unit: 'fraction',
    definition:
      'Largest fall of the equity from its highest so far, as a positive fraction of it; the initial capital is the first high.',
    source: empyrical,
  },
  max_drawdown_duration_days: {
    unit: 'days',
    definition: 'Longest time from a high of the equity to the bar that reaches it again, or to the end.',
    source: own,
  },
  avg_drawdown_fraction: {
    unit: 'fraction',
    definition:
      'Mean over the drawdowns (a high, the fall from it, until it is reached again or the end) of the deepest fall of each.',
    source: backtestingPy,
  },
  avg_drawdown_duration_days: {
    unit: 'days',
    definition: 'Mean over the drawdowns of the time that max_drawdown_duration_days is the longest of.',
    source: backtestingPy,
  },
  calmar: { unit: 'ratio', definition: 'cagr_fraction / max_drawdown_fraction.', source: empyrical },
  recovery_factor: {
    unit: 'ratio',
    definition: 'total_return_fraction / max_drawdown_fraction.',
    source: own,
  },
  exposure_fraction: {
    unit: 'fraction',
    definition:
      'Time in the market: bars on which a position was held, entry and exit bars included, / bars.',
    source: backtestingPy,
  },
  long_time_fraction: {
    unit: 'fraction',
    definition:
      'Σ bars held of the long trades, closed and open / bars; symbols held at the same time add up.',
    source: own,
  },
  short_time_fraction: {
    unit: 'fraction',
    definition:
      'Σ bars held of the short trades, closed and open / bars; symbols held at the same time add up.',
    source: own,
  },
  annual_turnover: {
    unit: 'ratio',
    definition:
      'Value bought and sold (units · raw price, both fills) / mean equity at the ends of the return periods / years.',
    source: own,
  },
} as const satisfies Record<string, MetricDefinition>

/** Of the returns: those of the equity from the end of a period to the end of the next. */
const returnDefinitions = {
  annual_return_fraction: {
    unit: 'fraction',
    definition:
      'Π(1 + return)^(periods_per_year / n) − 1 over the n equity returns: the geometric mean, by count.',
    source: empyrical,
  },
  annual_volatility_fraction: {
    unit: 'fraction',
    definition: 'Standard deviation of the equity returns (n − 1) · √periods_per_year.',
    source: empyrical,
  },
  sharpe: {
    unit: 'ratio',
    definition: 'Mean return / standard deviation (n − 1) · √periods_per_year; risk-free rate 0.',
    source: empyrical,
  },
  sharpe_ci_low: {
    unit: 'ratio',
    definition:
      'Lower end of the 95 % confidence interval of sharpe: 2.5th percentile of 1,000 stationary bootstrap resamples of the returns, blocks of ⌈n^⅓⌉ on average.',
    source: 'Politis and Romano 1994',
  },
  sharpe_ci_high: {
    unit: 'ratio',
    definition: 'Upper end of the interval of sharpe_ci_low: the 97.5th percentile.',
    source: 'Politis and Romano 1994',
  },
  psr: {
    unit: 'fraction',
    definition:
      'Probabilistic Sharpe ratio: the probability that the true Sharpe ratio is above 0, Φ(SR · √(n − 1) / √(1 − γ₃ · SR + (γ₄ − 1) / 4 · SR²)), SR per period, γ₃ the skew, γ₄ the kurtosis.',
    source: paper2012,
  },
  sortino: {
    unit: 'ratio',
    definition:
      'Mean return · periods_per_year / (√(mean of min(return, 0)² over all periods) · √periods_per_year).',
    source: empyrical,
  },
  omega: {
    unit: 'ratio',
    definition: 'Σ of the positive returns / |Σ of the negative returns|: threshold 0.',
    source: empyrical,
  },
  skew: {
    unit: 'ratio',
    definition: 'Skewness of the returns, m₃ / m₂^1.5 with moments divided by n.',
    source: paper2012,
  },
  kurtosis: {
    unit: 'ratio',
    definition:
      'Kurtosis of the returns, m₄ / m₂² with moments divided by n: 3 for normal ones, not the excess.',
    source: paper2012,
  },
  tail_ratio: {
    unit: 'ratio',
    definition: '|95th percentile of the returns / 5th percentile|.',
    source: empyrical,
  },
  value_at_risk_95_fraction: {
    unit: 'fraction',
    definition:
      'Loss that 95 % of the returns stay above: −(5th percentile), neighbours joined by a straight line; below 0 where it is a gain.',
    source: empyrical,
  },
  expected_shortfall_95_fraction: {
    unit: 'fraction',
    definition: 'Mean loss of the ⌊(n − 1) · 0.05⌋ + 1 worst returns (CVaR), positive for a loss.',
    source: empyrical,
  },
  ulcer_index_fraction: {
    unit: 'fraction',
    definition: '√(mean of the squared drawdowns at the ends of the return periods).',
    source: 'Martin and McCann 1989',
  },
  stability: {
    unit: 'ratio',
    definition:
      'R² of a straight line through the logarithm of the equity at the ends of the return periods.',
    source: empyrical,
  },
} as const satisfies Record<string, MetricDefinition>

/** Beside a portfolio that buys equal amounts of every symbol and holds them. */
const benchmarkDefinitions = {
  buy_and_hold_return_fraction: {
    unit: 'fraction',
    definition:
      'Last close / close of the first bar a decision could be made on − 1, without costs; the mean over the symbols. This is the benchmark: cash until then, then held.',
    source: backtestingPy,
  },
  alpha_annual_fraction: {
    unit: 'fraction',
    definition:
      'Intercept of the least-squares line through returns over benchmark returns · periods_per_year, not compounded; risk-free rate 0.',
    source: 'empyrical 0.3 (Quantopian)',
  },
  beta: { unit: 'ratio', definition: 'Slope of the line of alpha_annual_fraction.', source: empyrical },
  correlation: {
    unit: 'ratio',
    definition: 'Pearson correlation of the returns with the benchmark returns.',
    source: own,
  },
  information_ratio: {
    unit: 'ratio',
    definition:
      'Mean of (return − benchmark return) / its standard deviation (n − 1) · √periods_per_year; empyrical does not annualise it.',
    source: empyrical,
  },
  treynor: { unit: 'ratio', definition: 'annual_return_fraction / beta.', source: 'Treynor 1965' },
} as const satisfies Record<string, MetricDefinition>

/** Costs and the basis of annualisation. */
const otherDefinitions = {
  commission_total: { unit: 'currency', definition: 'Commission of every fill.', source: own },
  spread_total: { unit: 'currency', definition: 'Half the spread of every fill that pays it.', source: own },
  slippage_total: { unit: 'currency', definition: 'Slippage of every fill.', source: own },
  borrow_total: { unit: 'currency', definition: 'What borrowing the shorts cost.', source: own },
  funding_total: { unit: 'currency', definition: 'Interest on borrowed cash.', source: own },
  periods_per_year: {
    unit: 'count',
    definition:
      'Equity returns in a year, used to annualise: 12, 52, 252, or 365 for markets open at weekends.',
    source: backtestingPy,
  },
} as const satisfies Record<string, MetricDefinition>

/** THE table of metrics: the calculation must give every one of them, and the docs print it. */
export const metricDefinitions = {
  ...equityDefinitions,
  ...returnDefinitions,
  ...benchmarkDefinitions,
  ...tradeMetricDefinitions,
  ...otherDefinitions,
} as const satisfies Record<string, MetricDefinition>

export type MetricName = keyof typeof metricDefinitions
export type ReturnMetricName = keyof typeof returnDefinitions
export type BenchmarkMetricName = keyof typeof benchmarkDefinitions

/** Every metric, in the order to show them. */
export const metricNames = Object.keys(metricDefinitions) as MetricName[]
export const returnMetricNames = Object.keys(returnDefinitions) as ReturnMetricName[]
export const benchmarkMetricNames = Object.keys(benchmarkDefinitions) as BenchmarkMetricName[]

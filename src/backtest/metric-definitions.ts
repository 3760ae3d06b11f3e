/** What a metric is measured in. Money is in account currency; `fraction` is 0.1 for 10 %. */
export type MetricUnit = 'fraction' | 'ratio' | 'days' | 'count' | 'currency'

type Definition = { readonly unit: MetricUnit; readonly definition: string; readonly source: string }

const own = 'ktrdr'
const empyrical = 'empyrical 0.5 (Quantopian)'

/** THE table of metrics: the calculation must give every one of them, and the docs print it. */
export const metricDefinitions = {
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
    source: 'backtesting.py 0.6',
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
  sortino: {
    unit: 'ratio',
    definition:
      'Mean return · periods_per_year / (√(mean of min(return, 0)² over all periods) · √periods_per_year).',
    source: empyrical,
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
  calmar: { unit: 'ratio', definition: 'cagr_fraction / max_drawdown_fraction.', source: empyrical },
  exposure_fraction: {
    unit: 'fraction',
    definition: 'Bars on which a position was held, entry and exit bars included, / bars.',
    source: 'backtesting.py 0.6',
  },
  trades: { unit: 'count', definition: 'Closed trades.', source: own },
  winning_trades: { unit: 'count', definition: 'Closed trades with net P&L > 0.', source: own },
  losing_trades: { unit: 'count', definition: 'Closed trades with net P&L < 0.', source: own },
  net_pnl: { unit: 'currency', definition: 'Σ net P&L of the closed trades, costs deducted.', source: own },
  win_rate_fraction: {
    unit: 'fraction',
    definition: 'winning_trades / trades; a net P&L of zero is not a win.',
    source: 'backtesting.py 0.6',
  },
  profit_factor: {
    unit: 'ratio',
    definition: 'Σ net P&L of winners / |Σ net P&L of losers|, in money.',
    source: own,
  },
  expectancy: { unit: 'currency', definition: 'Mean net P&L of a trade.', source: own },
  avg_win: { unit: 'currency', definition: 'Mean net P&L of the winning trades.', source: own },
  avg_loss: { unit: 'currency', definition: 'Mean net P&L of the losing trades, negative.', source: own },
  best_trade: { unit: 'currency', definition: 'Highest net P&L of a trade.', source: own },
  worst_trade: { unit: 'currency', definition: 'Lowest net P&L of a trade.', source: own },
  sqn: {
    unit: 'ratio',
    definition: '√trades · mean net P&L / its standard deviation (n − 1): Van Tharp’s system quality number.',
    source: 'backtesting.py 0.6',
  },
  avg_bars_held: {
    unit: 'count',
    definition: 'Mean number of bars from the entry bar of a trade to its exit bar.',
    source: own,
  },
  ambiguous_trades: {
    unit: 'count',
    definition:
      'Closed trades whose last bar reached both stop and target; the stop was taken to have been first.',
    source: 'backtesting.py 0.6',
  },
  commission_total: { unit: 'currency', definition: 'Commission of every fill.', source: own },
  slippage_total: { unit: 'currency', definition: 'Slippage of every fill.', source: own },
  buy_and_hold_return_fraction: {
    unit: 'fraction',
    definition: 'Last close / close of the first bar a decision could be made on − 1, without costs.',
    source: 'backtesting.py 0.6',
  },
  periods_per_year: {
    unit: 'count',
    definition:
      'Equity returns in a year, used to annualise: 12, 52, 252, or 365 for markets open at weekends.',
    source: 'backtesting.py 0.6',
  },
} as const satisfies Record<string, Definition>

export type MetricName = keyof typeof metricDefinitions

/** Every metric, in the order to show them. */
export const metricNames = Object.keys(metricDefinitions) as MetricName[]

/** The metrics that are made of closed trades alone: those of a split by side or exit reason. */
export const tradeMetricNames = [
  'trades',
  'winning_trades',
  'losing_trades',
  'net_pnl',
  'win_rate_fraction',
  'profit_factor',
  'expectancy',
  'avg_win',
  'avg_loss',
  'best_trade',
  'worst_trade',
  'sqn',
  'avg_bars_held',
  'ambiguous_trades',
] as const satisfies readonly MetricName[]

export type TradeMetricName = (typeof tradeMetricNames)[number]

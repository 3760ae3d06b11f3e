import { type MetricDefinition, sources } from './metric-definition.ts'

const { own, backtestingPy } = sources

/** Metrics that are made of closed trades alone: those of a split by side, symbol or exit reason. */
export const tradeMetricDefinitions = {
  trades: { unit: 'count', definition: 'Closed trades.', source: own },
  winning_trades: { unit: 'count', definition: 'Closed trades with net P&L > 0.', source: own },
  losing_trades: { unit: 'count', definition: 'Closed trades with net P&L < 0.', source: own },
  net_pnl: { unit: 'currency', definition: 'Σ net P&L of the closed trades, costs deducted.', source: own },
  win_rate_fraction: {
    unit: 'fraction',
    definition: 'winning_trades / trades; a net P&L of zero is not a win.',
    source: backtestingPy,
  },
  profit_factor: {
    unit: 'ratio',
    definition: 'Σ net P&L of winners / |Σ net P&L of losers|, in money.',
    source: own,
  },
  expectancy: { unit: 'currency', definition: 'Mean net P&L of a trade.', source: own },
  expectancy_ratio: {
    unit: 'ratio',
    definition:
      'win_rate_fraction · payoff_ratio − (1 − win_rate_fraction): what a trade brings per money lost in a losing one.',
    source: 'LEAN, freqtrade',
  },
  payoff_ratio: { unit: 'ratio', definition: 'avg_win / |avg_loss|.', source: own },
  kelly_fraction: {
    unit: 'fraction',
    definition:
      'win_rate_fraction − (1 − win_rate_fraction) / payoff_ratio: the share of the equity to risk, below 0 for none.',
    source: backtestingPy,
  },
  avg_win: { unit: 'currency', definition: 'Mean net P&L of the winning trades.', source: own },
  avg_loss: { unit: 'currency', definition: 'Mean net P&L of the losing trades, negative.', source: own },
  best_trade: { unit: 'currency', definition: 'Highest net P&L of a trade.', source: own },
  worst_trade: { unit: 'currency', definition: 'Lowest net P&L of a trade.', source: own },
  best_trade_return_fraction: {
    unit: 'fraction',
    definition: 'Highest net P&L / (units · entry price) of a trade.',
    source: backtestingPy,
  },
  worst_trade_return_fraction: {
    unit: 'fraction',
    definition: 'Lowest net P&L / (units · entry price) of a trade.',
    source: backtestingPy,
  },
  avg_trade_return_fraction: {
    unit: 'fraction',
    definition: 'Geometric mean of net P&L / (units · entry price) over the trades.',
    source: backtestingPy,
  },
  sqn: {
    unit: 'ratio',
    definition: '√trades · mean net P&L / its standard deviation (n − 1): Van Tharp’s system quality number.',
    source: backtestingPy,
  },
  max_consecutive_wins: {
    unit: 'count',
    definition: 'Most winning trades one after the other, by exit.',
    source: own,
  },
  max_consecutive_losses: {
    unit: 'count',
    definition: 'Most losing trades one after the other, by exit.',
    source: own,
  },
  avg_bars_held: {
    unit: 'count',
    definition: 'Mean number of bars from the entry bar of a trade to its exit bar.',
    source: own,
  },
  avg_trade_duration_days: {
    unit: 'days',
    definition: 'Mean time from the entry of a trade to its exit.',
    source: backtestingPy,
  },
  max_trade_duration_days: {
    unit: 'days',
    definition: 'Longest time from the entry of a trade to its exit.',
    source: backtestingPy,
  },
  ambiguous_trades: {
    unit: 'count',
    definition:
      'Closed trades whose last bar reached both stop and target, so that which came first is not known.',
    source: backtestingPy,
  },
} as const satisfies Record<string, MetricDefinition>

export type TradeMetricName = keyof typeof tradeMetricDefinitions

/** Every metric of trades, in the order to show them. */
export const tradeMetricNames = Object.keys(tradeMetricDefinitions) as TradeMetricName[]

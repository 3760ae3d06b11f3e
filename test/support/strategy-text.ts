/** A strategy for AAPL. @param rules and @param indicators lines of YAML, indented */
export const strategyText = (rules: string, indicators = '  fast: { type: sma, period: 10 }') => `name: mine
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
${indicators}
decisions:
  rules:
${rules}
`

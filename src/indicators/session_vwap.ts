import { defineIndicator } from './indicator.ts'
import { sessionAt } from './session.ts'
import { priceColumn } from './source.ts'

/** Volume-weighted average price since the session began. Source: Berkowitz, Logue and Noser 1988; StockCharts “VWAP”. */
export const sessionVwap = defineIndicator({
  type: 'session_vwap',
  title: 'Volume-weighted average price of the session',
  description:
    'Sum of (high + low + close) / 3 · volume since the session’s first bar divided by that of the volume, in price ' +
    'units; the bar’s (high + low + close) / 3 while there was no volume. A bar outside the sessions belongs to that of its date. Sessions are those of the exchange where they ' +
    'are known, else UTC days. History that begins inside a session gives that session another value.',
  params: {},
  outputs: [{ name: 'value', title: 'Session VWAP', unit: 'price' }],
  pane: 'overlay',
  lookback: () => 0,
  // How many bars a session has is not known here.
  settling: () => null,
  start() {
    let session = Number.NaN
    let values = 0
    let volumes = 0
    return input => {
      const value = priceColumn(input, 'hlc3')
      for (let i = 0; i < value.length; i++) {
        const now = sessionAt(input, i)
        if (now !== session) {
          session = now
          values = 0
          volumes = 0
        }
        values += (value[i] as number) * (input.volume[i] as number)
        volumes += input.volume[i] as number
        if (volumes > 0) value[i] = values / volumes
      }
      return { value }
    }
  },
})

import { defineIndicator, type IndicatorInput } from './indicator.ts'
import { textOf } from './params.ts'
import { sessionAt } from './session.ts'

type Session = { readonly high: number; readonly low: number; readonly close: number }

/** Levels in the order of `names`. */
type Levels = readonly number[]

const names = ['pivot', 'r1', 's1', 'r2', 's2', 'r3', 's3'] as const

const methods: Readonly<Record<string, (session: Session) => Levels>> = {
  classic({ high, low, close }) {
    const pivot = (high + low + close) / 3
    const range = high - low
    const reach = [2 * pivot - low, 2 * pivot - high, pivot + range, pivot - range]
    return [pivot, ...reach, high + 2 * (pivot - low), low - 2 * (high - pivot)]
  },
  fibonacci({ high, low, close }) {
    return spread((high + low + close) / 3, high - low, [0.382, 0.618, 1])
  },
  camarilla({ high, low, close }) {
    return spread(close, high - low, [1.1 / 12, 1.1 / 6, 1.1 / 4])
  },
}

/** Pivot points of the session before. Source: StockCharts “Pivot Points”; Camarilla: Stott 1989, pivot as Skender. */
export const pivotPoints = defineIndicator({
  type: 'pivot_points',
  title: 'Pivot points',
  description:
    'Levels from high, low and close of the last complete session, in price units, constant within a session. classic: ' +
    'pivot (H + L + C) / 3, r1 2P − L, s1 2P − H, r2 and s2 P ± (H − L), r3 H + 2(P − L), s3 L − 2(H − P). fibonacci: ' +
    'P ± 0.382, 0.618 and 1 of the range. camarilla: C ± 1.1/12, 1.1/6 and 1.1/4 of the range. NaN in the first ' +
    'session. Sessions are those of the exchange where they are known, else UTC days; a bar outside them belongs to that of its date.',
  params: {
    method: { type: 'string', default: 'classic', enum: Object.keys(methods), description: 'Which levels' },
  },
  outputs: [
    { name: 'pivot', title: 'Pivot', unit: 'price' },
    { name: 'r1', title: 'Resistance 1', unit: 'price' },
    { name: 's1', title: 'Support 1', unit: 'price' },
    { name: 'r2', title: 'Resistance 2', unit: 'price' },
    { name: 's2', title: 'Support 2', unit: 'price' },
    { name: 'r3', title: 'Resistance 3', unit: 'price' },
    { name: 's3', title: 'Support 3', unit: 'price' },
  ],
  pane: 'overlay',
  warmUp: 'first_session',
  lookback: () => 1,
  // How many bars a session has is not known here.
  settling: () => null,
  start(params) {
    const method = methods[textOf(params, 'method')]
    if (method === undefined) throw new TypeError('params have not been validated: there is no such method')
    const follow = createLevels(method)
    return input => {
      const columns = names.map(() => new Float64Array(input.length))
      follow(input, (i, levels) => {
        columns.forEach((column, k) => {
          column[i] = levels[k] ?? Number.NaN
        })
      })
      return Object.fromEntries(names.map((name, k) => [name, columns[k] ?? new Float64Array()]))
    }
  },
})

/** Calls back with every bar and the levels of the session before, which are none in the first. */
function createLevels(
  method: (session: Session) => Levels,
): (input: IndicatorInput, put: (i: number, levels: Levels) => void) => void {
  let session = Number.NaN
  let levels: Levels = []
  let [high, low, close] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN]
  return (input, put) => {
    for (let i = 0; i < input.length; i++) {
      const now = sessionAt(input, i)
      if (now !== session) {
        if (!Number.isNaN(close)) levels = method({ high, low, close })
        session = now
        high = Number.NEGATIVE_INFINITY
        low = Number.POSITIVE_INFINITY
      }
      high = Math.max(high, input.high[i] as number)
      low = Math.min(low, input.low[i] as number)
      close = input.close[i] as number
      put(i, levels)
    }
  }
}

function spread(pivot: number, range: number, shares: readonly number[]): Levels {
  return [pivot, ...shares.flatMap(share => [pivot + share * range, pivot - share * range])]
}

/**
 * Preloaded into the program and its threads: some modules are replaced by ones that look ahead. Whoever imports them
 * gets the others; everything else is the real program.
 */
import { registerHooks } from 'node:module'

/** A module that is `file` but for `column`, which each value of an indicator's outputs is replaced by. */
const spoiled = (name, column) => `
  import { ${name} as clean } from './${name}.ts?clean'
  export * from './${name}.ts?clean'
  const column = ${column}
  export const ${name} = {
    ...clean,
    compute(input, params) {
      const columns = Object.entries(clean.compute(input, params))
      return Object.fromEntries(columns.map(([output, values]) => [output, column(values, input)]))
    },
  }`

const spoiledModules = {
  /** Knows a tenth of the next bar's move. */
  '/src/indicators/sma.ts': spoiled(
    'sma',
    '(values, { close }) => values.map((value, i) => value + ((close[i + 1] ?? close[i]) - close[i]) / 10)',
  ),
  /** Has the mean of the whole sample taken off. */
  '/src/indicators/macd.ts': spoiled(
    'macd',
    `values => {
      const known = values.filter(value => !Number.isNaN(value))
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length
      return values.map(value => value - mean)
    }`,
  ),
  /** Gives a bar of a longer timeframe away when it opens. */
  '/src/features/as-of-join.ts': `
    import { asOfIndexes as clean } from './as-of-join.ts?clean'
    export * from './as-of-join.ts?clean'
    export const asOfIndexes = (base, other) =>
      clean(base, other).map(index => Math.min(index + 1, other.length - 1))`,
}

registerHooks({
  load(url, context, nextLoad) {
    const found = Object.entries(spoiledModules).find(([file]) => url.endsWith(file))
    return found === undefined
      ? nextLoad(url, context)
      : { format: 'module', source: found[1], shortCircuit: true }
  },
})

import { expect, test } from '@jest/globals'
import { resolveIndicator } from '../../src/strategy/indicator-params.ts'

const faultsOf = (written: Record<string, unknown>) =>
  resolveIndicator(['fast'], written, { names: ['fast'], own: ['fast'] }).faults

test('a hundred thousand parameters are one fault, that of the indicator', () => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))
  expect(faultsOf({ type: 'sma', ...keys })).toEqual([
    {
      path: ['fast'],
      part: 'value',
      code: 'count',
      message: 'sma has no 100000 parameters: its parameters are period, source',
    },
  ])
})

test.each(['__proto__', 'constructor', 'toString'])(
  'a parameter called %s is unknown like any other',
  name => {
    const written = JSON.parse(`{ "type": "sma", "${name}": 1 }`)
    expect(faultsOf(written)).toMatchObject([
      {
        path: ['fast', name],
        code: 'unknown_parameter',
        message: `sma has no parameter "${name}": its parameters are period, source`,
      },
    ])
  },
)

test('keys that are often expected are answered with what to do instead', () => {
  expect(faultsOf({ type: 'sma', timeframe: '1d' })[0]?.message).toMatch(/each timeframe, and nn_inputs say/)
})

import { describe, expect, test } from '@jest/globals'
import { Problem } from '../../src/problems.ts'
import type { Dimension } from '../../src/search/axis.ts'
import { requireSpace } from '../../src/search/require-space.ts'
import { readYaml } from '../../src/strategy/yaml-source.ts'

const cross = `
name: cross
training_data:
  symbols: { mode: single, symbol: AAPL }
  timeframes: { mode: single, timeframe: 1d }
indicators:
  fast: { type: sma, period: 20 }
  slow: { type: sma, period: 50, source: close }
  range: { type: atr }
  momentum: { type: macd, fast_period: 12, slow_period: 26 }
decisions:
  rules:
    enter_long: fast crosses above slow
    exit_long: fast crosses below slow
`

function faultsOf(
  dimensions: readonly Dimension[],
  constraints: readonly string[] = [],
): readonly { pointer: string; code: string; message: string }[] {
  try {
    requireSpace(readYaml(cross).value, { dimensions, constraints }, '/body/params')
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(error.code).toBe('params-invalid')
    return error.errors.map(({ pointer, code, message }) => ({ pointer, code, message }))
  }
  return []
}

describe('what may be varied', () => {
  test.each<Dimension>([
    { path: 'indicators.fast.period', values: [5, 10, 20] },
    { path: 'indicators.fast.period', min: 5, max: 50, integer: true, scale: 'log' },
    { path: 'indicators.slow.source', values: ['close', 'hl2', 'fast'] },
    { path: 'indicators.range.period', min: 10, max: 20, step: 5 },
    { path: 'indicators.fast.type', values: ['sma', 'ema', 'wma'] },
    { path: 'decisions.rules.max_bars', values: [10, 20] },
    { path: 'decisions.rules.stop_loss.percent', min: 0.5, max: 10 },
    { path: 'decisions.rules.enter_long', values: ['fast > slow', 'fast crosses above slow'] },
    { path: 'training_data.history_required', values: [0, 100] },
  ])('%j', dimension => {
    expect(faultsOf([dimension])).toEqual([])
  })
})

test('a field that does not exist is named with the field that was meant', () => {
  const [fault] = faultsOf([{ path: 'indicators.fsat.period', values: [5, 10] }])
  expect(fault).toMatchObject({ pointer: '/body/params/space/0/path' })
  expect(fault?.message).toContain("did you mean 'indicators.fast.period'?")
  expect(faultsOf([{ path: 'indicators.fast.perod', values: [5, 10] }])[0]).toMatchObject({
    pointer: '/body/params/space/0/path',
    code: 'unknown_parameter',
    message: expect.stringContaining("did you mean 'period'?"),
  })
  expect(faultsOf([{ path: 'decisions.rules.max_bar', values: [5] }])[0]?.message).toContain("'max_bars'")
})

test('every value that the field cannot have is named by its place', () => {
  const faults = faultsOf([
    { path: 'indicators.fast.period', values: [5, 0, 10, 2.5] },
    { path: 'indicators.slow.source', values: ['close', 'closed'] },
    { path: 'decisions.rules.enter_long', values: ['fast > slow', 'fast >> slow'] },
  ])
  expect(faults.map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/body/params/space/0/values/1', 'range'],
    ['/body/params/space/0/values/3', 'type'],
    ['/body/params/space/1/values/1', 'enum'],
    ['/body/params/space/2/values/1', 'syntax'],
  ])
})

test('both ends of a range and what lies between are checked', () => {
  expect(faultsOf([{ path: 'indicators.fast.period', min: 0, max: 100_000, integer: true }])).toMatchObject([
    { pointer: '/body/params/space/0/min', code: 'range' },
    { pointer: '/body/params/space/0/max', code: 'range' },
  ])
  expect(faultsOf([{ path: 'indicators.fast.period', min: 5, max: 50 }])).toMatchObject([
    {
      pointer: '/body/params/space/0/integer',
      code: 'type',
      message: expect.stringContaining('set integer'),
    },
  ])
  expect(faultsOf([{ path: 'indicators.fast.period', min: 5, max: 50, step: 0.5 }])).toMatchObject([
    { pointer: '/body/params/space/0/step', code: 'type' },
  ])
})

test('ranges that make no sense are refused before anything is tried', () => {
  const faults = faultsOf([
    { path: 'indicators.fast.period', min: 50, max: 5 },
    { path: 'indicators.slow.period', min: 0, max: 5, scale: 'log' },
    { path: 'indicators.range.period', min: 5, max: 10, step: 0 },
    { path: 'indicators..period', values: [1, 1] },
    { path: 'indicators.fast.period', values: [] },
  ])
  expect(faults.map(({ pointer, code }) => [pointer.slice('/body/params/space/'.length), code])).toEqual([
    ['0/max', 'range'],
    ['1/min', 'range'],
    ['2/step', 'range'],
    ['3/path', 'path'],
    ['3/values/1', 'duplicate'],
    ['4/values', 'count'],
    ['4/path', 'duplicate'],
  ])
})

test('what chooses the bars and what has no effect cannot be varied', () => {
  for (const path of ['training_data.symbols.symbol', 'name', 'description'])
    expect(faultsOf([{ path, values: ['MSFT', 'GOOG'] }])[0]).toMatchObject({ code: 'unsupported' })
})

test('values that only sometimes go with the others are left to the trials', () => {
  const dimensions: Dimension[] = [
    { path: 'indicators.momentum.fast_period', values: [40, 10] },
    { path: 'indicators.momentum.slow_period', values: [20, 30] },
  ]
  expect(faultsOf(dimensions)).toEqual([])
})

test('a space without a single valid point is refused with the reason', () => {
  const [fault] = faultsOf([{ path: 'indicators.momentum.fast_period', values: [30, 40, 50] }])
  expect(fault).toMatchObject({ pointer: '/body/params/space', code: 'no_trials' })
  expect(fault?.message).toContain('should be longer than fast_period')
})

describe('constraints', () => {
  const dimensions: Dimension[] = [
    { path: 'indicators.fast.period', values: [5, 10] },
    { path: 'indicators.slow.source', values: ['close', 'open'] },
  ]
  const accepts = (constraint: string, period: number) =>
    requireSpace(readYaml(cross).value, { dimensions, constraints: [constraint] }, '').constraints.every(
      ({ accepts }) => accepts({ 'indicators.fast.period': period }),
    )

  test.each([
    ['indicators.fast.period < 10', true, false],
    // The slow period is not varied: it is 50, as written.
    ['indicators.fast.period * 10 <= indicators.slow.period', true, false],
    ['not (indicators.fast.period > 7) or indicators.slow.period == 1', true, false],
    ['indicators.fast.period != 5 and -indicators.fast.period / 2 >= -5 + 0', false, true],
    ['indicators.slow.period - indicators.fast.period > 42', true, false],
  ])('%s', (constraint, with5, with10) => {
    expect([accepts(constraint, 5), accepts(constraint, 10)]).toEqual([with5, with10])
  })

  test.each([
    [
      'indicators.fast.perod < 10',
      "there is no 'indicators.fast.perod': did you mean 'indicators.fast.period'?",
    ],
    ['indicators.fast.period', 'compare it with something'],
    ['indicators.fast.period < ', 'column 26'],
    ['indicators.fast.period crosses above 5', 'there are no bars to cross on'],
    ['indicators.slow.source < 5', "there is no 'indicators.slow.source'"],
  ])('%s is refused', (constraint, message) => {
    const [fault] = faultsOf(dimensions, ['1 < 2', constraint])
    expect(fault?.pointer).toBe('/body/params/constraints/1')
    expect(fault?.message).toContain(message)
  })
})

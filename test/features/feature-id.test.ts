import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type FeatureInput, featureId, listFeatures } from '../../src/features/feature-id.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'

const list = (
  inputs: readonly FeatureInput[],
  timeframes: readonly Timeframe[],
  terms: Readonly<Record<string, readonly string[]>>,
) => listFeatures(inputs, { timeframes, terms }, '/nn_inputs')

const ids = (...args: Parameters<typeof list>) => {
  const { features, faults } = list(...args)
  expect(faults).toEqual([])
  return features.map(feature => feature.id)
}

const raw = (indicator: string) => ({ kind: 'raw', indicator, normalization: 'none' }) as const

// The id of the raw feature is the original system's own example.
test('an id is timeframe, source and term, or timeframe, source and raw', () => {
  expect(featureId('1h', raw('adx_14.adx'))).toBe('1h_adx_14.adx_raw')
  expect(featureId('4h', { kind: 'fuzzy', fuzzy_set: 'rsi_zone', term: 'low' })).toBe('4h_rsi_zone_low')
})

describe('the canonical order', () => {
  test('of one set on one timeframe is the order of its terms', () => {
    const inputs: FeatureInput[] = [{ fuzzy_set: 'rsi_zone', timeframes: 'all' }]
    expect(ids(inputs, ['1h'], { rsi_zone: ['low', 'mid', 'high'] })).toEqual([
      '1h_rsi_zone_low',
      '1h_rsi_zone_mid',
      '1h_rsi_zone_high',
    ])
  })

  test('is input, then timeframe, then term: all means the order of training_data', () => {
    const inputs: FeatureInput[] = [
      { fuzzy_set: 'trend_power', timeframes: ['4h', '1d'] },
      { raw_indicator: 'macd_std.histogram', timeframes: 'all', normalization: 'zscore' },
    ]
    expect(ids(inputs, ['1h', '4h', '1d'], { trend_power: ['weak', 'medium', 'strong'] })).toEqual([
      '4h_trend_power_weak',
      '4h_trend_power_medium',
      '4h_trend_power_strong',
      '1d_trend_power_weak',
      '1d_trend_power_medium',
      '1d_trend_power_strong',
      '1h_macd_std.histogram_raw',
      '4h_macd_std.histogram_raw',
      '1d_macd_std.histogram_raw',
    ])
  })

  test('keeps the order in which an input writes its timeframes', () => {
    const inputs: FeatureInput[] = [{ fuzzy_set: 'm', timeframes: ['1d', '1h'] }]
    expect(ids(inputs, ['1h', '1d'], { m: ['up'] })).toEqual(['1d_m_up', '1h_m_up'])
  })

  test('follows the inputs, not the sets', () => {
    const inputs: FeatureInput[] = [
      { fuzzy_set: 'carry', timeframes: 'all' },
      { fuzzy_set: 'mom', timeframes: 'all' },
    ]
    const terms = { mom: ['down', 'flat', 'up'], carry: ['inverted', 'positive'] }
    expect(ids(inputs, ['1h'], terms)).toEqual([
      '1h_carry_inverted',
      '1h_carry_positive',
      '1h_mom_down',
      '1h_mom_flat',
      '1h_mom_up',
    ])
  })
})

test('a feature knows where it comes from; raw indicators are not normalised unless it is written', () => {
  const inputs: FeatureInput[] = [
    { raw_indicator: 'rsi_14', timeframes: 'all' },
    { raw_indicator: 'roc_5', timeframes: 'all', normalization: 'minmax' },
    { fuzzy_set: 'zone', timeframes: 'all' },
  ]
  expect(list(inputs, ['1h'], { zone: ['low'] }).features).toEqual([
    {
      id: '1h_rsi_14_raw',
      timeframe: '1h',
      source: { kind: 'raw', indicator: 'rsi_14', normalization: 'none' },
    },
    {
      id: '1h_roc_5_raw',
      timeframe: '1h',
      source: { kind: 'raw', indicator: 'roc_5', normalization: 'minmax' },
    },
    { id: '1h_zone_low', timeframe: '1h', source: { kind: 'fuzzy', fuzzy_set: 'zone', term: 'low' } },
  ])
})

describe('faults', () => {
  test('the same feature twice', () => {
    const inputs: FeatureInput[] = [
      { fuzzy_set: 'zone', timeframes: 'all' },
      { fuzzy_set: 'zone', timeframes: ['1h'] },
    ]
    expect(list(inputs, ['1h', '4h'], { zone: ['low'] }).faults).toMatchObject([
      { pointer: '/nn_inputs/1', code: 'duplicate_feature', message: expect.stringContaining('1h_zone_low') },
    ])
  })

  test('a timeframe twice in one input', () => {
    const inputs: FeatureInput[] = [{ raw_indicator: 'rsi', timeframes: ['1h', '1h'] }]
    expect(list(inputs, ['1h'], {}).faults).toMatchObject([
      {
        pointer: '/nn_inputs/0',
        code: 'duplicate_feature',
        message: expect.stringContaining('occurs twice'),
      },
    ])
  })

  test('two sources with one id', () => {
    const inputs: FeatureInput[] = [
      { fuzzy_set: 'rsi', timeframes: 'all' },
      { fuzzy_set: 'rsi_fast', timeframes: 'all' },
    ]
    const { faults } = list(inputs, ['1h'], { rsi: ['fast_low'], rsi_fast: ['low'] })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatchObject({ pointer: '/nn_inputs/1', code: 'duplicate_feature' })
    expect(faults[0]?.message).toContain(
      "1h_rsi_fast_low has two sources, term 'fast_low' of 'rsi' of /nn_inputs/0 and term 'low' of 'rsi_fast'",
    )
  })

  test('a term called raw and a raw indicator of the same name', () => {
    const inputs: FeatureInput[] = [
      { fuzzy_set: 'rsi', timeframes: 'all' },
      { raw_indicator: 'rsi', timeframes: 'all' },
    ]
    expect(list(inputs, ['1h'], { rsi: ['raw'] }).faults).toMatchObject([{ code: 'duplicate_feature' }])
  })

  test('unknown sets and timeframes are guessed, all at once', () => {
    const inputs: FeatureInput[] = [
      { fuzzy_set: 'rsi_zon', timeframes: ['1d', '1h'] },
      { fuzzy_set: 'constructor', timeframes: 'all' },
    ]
    expect(list(inputs, ['1h', '4h'], { rsi_zone: ['low'] }).faults).toMatchObject([
      {
        pointer: '/nn_inputs/0/fuzzy_set',
        code: 'unknown_reference',
        message: expect.stringContaining("'rsi_zone'?"),
      },
      { pointer: '/nn_inputs/0/timeframes/0', code: 'unknown_reference' },
      { pointer: '/nn_inputs/1/fuzzy_set', code: 'unknown_reference' },
    ])
  })

  test('no feature at all', () => {
    expect(list([], ['1h'], {}).faults).toMatchObject([{ pointer: '/nn_inputs', code: 'empty' }])
    expect(list([{ raw_indicator: 'rsi', timeframes: [] }], ['1h'], {}).faults).toMatchObject([
      { code: 'empty' },
    ])
  })
})

test('a list without faults has no id twice', () => {
  const name = fc.constantFrom('a', 'a_b', 'b', 'b_c', 'raw', 'c')
  const timeframes = fc.uniqueArray(fc.constantFrom<Timeframe>('1h', '4h', '1d'), { minLength: 1 })
  const terms = fc.dictionary(name, fc.uniqueArray(name, { minLength: 1 }), {
    maxKeys: 4,
    noNullPrototype: true,
  })
  const input: fc.Arbitrary<FeatureInput> = fc.oneof(
    fc.record({ fuzzy_set: name, timeframes: fc.oneof(fc.constant('all' as const), timeframes) }),
    fc.record({ raw_indicator: name, timeframes: fc.oneof(fc.constant('all' as const), timeframes) }),
  )
  fc.assert(
    fc.property(fc.array(input, { maxLength: 4 }), timeframes, terms, (inputs, all, sets) => {
      const { features, faults } = list(inputs, all, sets)
      const unique = new Set(features.map(feature => feature.id)).size
      if (faults.length === 0) expect(unique).toBe(features.length)
      const collisions = faults.filter(fault => fault.code === 'duplicate_feature').length
      expect(unique + collisions).toBe(features.length)
    }),
  )
})

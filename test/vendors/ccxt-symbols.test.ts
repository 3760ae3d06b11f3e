import { expect, test } from '@jest/globals'
import { describeMarkets, findMarket, isSpotSymbol, nearestSymbols } from '../../src/vendors/ccxt-symbols.ts'

const market = (symbol: string, change: { spot?: boolean; active?: boolean } = {}) => {
  const spot = change.spot ?? !symbol.includes(':')
  return { symbol, spot, active: change.active ?? true, type: spot ? 'spot' : 'swap' }
}
const markets = [
  market('BTC/USDT:USDT'),
  market('OLD/USDT', { active: false }),
  market('ETH/USDT'),
  market('BTC/USDT'),
  market('BTC/USD:BTC-260327'),
]

test('a symbol stands for the market with dashes for slash and colon', () => {
  expect(findMarket(markets, 'BTC-USDT')?.symbol).toBe('BTC/USDT')
  expect(findMarket(markets, 'BTC-USDT-USDT')?.symbol).toBe('BTC/USDT:USDT')
  expect(findMarket(markets, 'BTC-USD-BTC-260327')?.symbol).toBe('BTC/USD:BTC-260327')
  expect(findMarket(markets, 'btc-usdt')).toBeNull()
})

test('where two markets have the same name, the active spot market is meant', () => {
  const twins = [market('A/B', { spot: false }), market('A/B', { active: false }), market('A/B')]
  expect(findMarket(twins, 'A-B')).toBe(twins[2])
})

test('symbols of more than two parts may be contracts', () => {
  expect(['BTC-USDT', 'BTC-USDT-USDT', 'BTCUSDT'].map(isSpotSymbol)).toEqual([true, false, true])
})

test('symbols that look like a wrong one are named, nearest first', () => {
  expect(nearestSymbols(markets, 'BTCUSDT')[0]).toBe('BTC-USDT')
  expect(nearestSymbols(markets, 'btc-usdt')[0]).toBe('BTC-USDT')
  expect(nearestSymbols([], 'BTC-USDT')).toEqual([])
})

test('markets are listed spot first, then active first, then by name', () => {
  expect(describeMarkets(markets)).toEqual([
    { symbol: 'BTC-USDT', description: 'BTC/USDT, spot' },
    { symbol: 'ETH-USDT', description: 'ETH/USDT, spot' },
    { symbol: 'OLD-USDT', description: 'OLD/USDT, spot, not active' },
    { symbol: 'BTC-USD-BTC-260327', description: 'BTC/USD:BTC-260327, swap' },
    { symbol: 'BTC-USDT-USDT', description: 'BTC/USDT:USDT, swap' },
  ])
})

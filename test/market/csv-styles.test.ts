import { expect, test } from '@jest/globals'
import type { Bars } from '../../src/market/bars.ts'
import { CsvBarsReader } from '../../src/market/csv.ts'
import type { Timeframe } from '../../src/market/timeframe.ts'
import { Problem } from '../../src/problems.ts'

function read(text: string, timeframe: Timeframe = '1d'): { bars: Bars; warnings: string[] } {
  const reader = new CsvBarsReader({ timeframe })
  reader.write(text)
  return { bars: reader.end(), warnings: reader.warnings }
}

function refusal(text: string, timeframe: Timeframe = '1d'): Problem {
  try {
    read(text, timeframe)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the text was accepted')
}

const row = ({ bars }: { bars: Bars }, i = 0) => [
  new Date(bars.time[i] ?? Number.NaN).toISOString().slice(0, 16),
  ...[bars.open, bars.high, bars.low, bars.close, bars.volume].map(column => column[i]),
]

// Headers and rows as the named programs and sites write them.
test.each<[string, Timeframe, string, unknown[]]>([
  [
    'Yahoo',
    '1d',
    'Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-02,74.06,75.15,73.79,75.09,73.05,135480400\n',
    ['2020-01-02T00:00', 74.06, 75.15, 73.79, 75.09, 135480400],
  ],
  [
    'Stooq, in Polish',
    '1d',
    'Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n2020-01-02,74.06,75.15,73.79,75.09,135480400\n',
    ['2020-01-02T00:00', 74.06, 75.15, 73.79, 75.09, 135480400],
  ],
  [
    'Binance klines with a header',
    '1m',
    'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n1577836800000,7195.24,7196.25,7183.14,7186.68,51.642812,1577836859999,371233.5,493,19.5,140434.1,0\n',
    ['2020-01-01T00:00', 7195.24, 7196.25, 7183.14, 7186.68, 51.642812],
  ],
  [
    'Binance klines without a header, in microseconds',
    '1m',
    '1735689600000000,93576.00,93610.93,93537.50,93610.93,8.21827,1735689659999999,769040.4,1335,6.45,604221.9,0\n',
    ['2025-01-01T00:00', 93576, 93610.93, 93537.5, 93610.93, 8.21827],
  ],
  [
    'CryptoDataDownload',
    '1h',
    'https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount\n1577840400000,2020-01-01 01:00:00,BTC/USDT,7177,7190,7170,7180,500.5,3590000,8640\n',
    ['2020-01-01T01:00', 7177, 7190, 7170, 7180, 500.5],
  ],
  [
    'MetaTrader 5',
    '1m',
    '<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2020.01.02\t00:05:00\t1.12120\t1.12140\t1.12110\t1.12130\t27\t0\t9\n',
    ['2020-01-02T00:05', 1.1212, 1.1214, 1.1211, 1.1213, 0],
  ],
  [
    'MetaTrader 4, without a header',
    '1m',
    '2020.01.02,00:05,1.12120,1.12140,1.12110,1.12130,27\n',
    ['2020-01-02T00:05', 1.1212, 1.1214, 1.1211, 1.1213, 27],
  ],
  [
    'HistData',
    '1m',
    '20120201 000000;1.306600;1.306700;1.306560;1.306600;0\n',
    ['2012-02-01T00:00', 1.3066, 1.3067, 1.30656, 1.3066, 0],
  ],
  [
    'Investing.com',
    '1d',
    '"Date","Price","Open","High","Low","Vol.","Change %"\n"01/31/2020","3,225.52","3,282.33","3,282.33","3,214.68","12.3M","-1.77%"\n',
    ['2020-01-31T00:00', 3282.33, 3282.33, 3214.68, 3225.52, 12_300_000],
  ],
  [
    'Investing.com in German',
    '1d',
    '"Datum","Zuletzt","Price","Eröffn.","Open","Hoch","Tief","Vol.","+/- %"\n"31.01.2020","1","3.225,52","1","3.282,33","3.282,33","3.214,68","1,2B","-1,77%"\n',
    ['2020-01-31T00:00', 3282.33, 3282.33, 3214.68, 3225.52, 1_200_000_000],
  ],
  [
    'TradingView',
    '1h',
    'time,open,high,low,close,Volume,MA\n1577887200,1,3,0.5,2,10,NaN\n',
    ['2020-01-01T14:00', 1, 3, 0.5, 2, 10],
  ],
  [
    'Alpha Vantage',
    '5m',
    'timestamp,open,high,low,close,volume\n2020-01-02 19:55:00,1,3,0.5,2,10\n',
    ['2020-01-02T19:55', 1, 3, 0.5, 2, 10],
  ],
  [
    'pandas with a numbered index',
    '1d',
    ',date,open,high,low,close,volume\n0,2020-01-02,1,3,0.5,2,10\n',
    ['2020-01-02T00:00', 1, 3, 0.5, 2, 10],
  ],
  [
    'pandas with times as an index without a name',
    '1d',
    ',open,high,low,close,volume\n2020-01-02 00:00:00+00:00,1,3,0.5,2,10.0\n',
    ['2020-01-02T00:00', 1, 3, 0.5, 2, 10],
  ],
  [
    'a European bank',
    '1d',
    'Datum;Erster;Hoch;Tief;Schlusskurs;Stücke;Volumen\n31.12.2019;1.201,5;1.203,25;1.200;1.202,75;12;9.876\n',
    ['2019-12-31T00:00', 1201.5, 1203.25, 1200, 1202.75, 9876],
  ],
  [
    'Nasdaq.com',
    '1d',
    'Date,Close/Last,Volume,Open,High,Low\n01/31/2020,"$309.51",49897100,"$320.93",$322.68,$308.29\n',
    ['2020-01-31T00:00', 320.93, 322.68, 308.29, 309.51, 49_897_100],
  ],
  [
    'Dukascopy',
    '1m',
    'Gmt time,Open,High,Low,Close,Volume\n02.01.2020 00:05:00.000,1.1,1.3,1.05,1.2,10\n',
    ['2020-01-02T00:05', 1.1, 1.3, 1.05, 1.2, 10],
  ],
  [
    'a spreadsheet with a clock of 12 hours',
    '1h',
    'Time,Open,High,Low,Close,Volume\n1/31/2020 3:00:00 PM,1,3,0.5,2,10\n',
    ['2020-01-31T15:00', 1, 3, 0.5, 2, 10],
  ],
  [
    'NSE',
    '1d',
    'Date,Open,High,Low,Close,Volume\n31-Jan-2020,1,3,0.5,2,10\n',
    ['2020-01-31T00:00', 1, 3, 0.5, 2, 10],
  ],
])('a file of %s is read', (_name, timeframe, text, expected) => {
  expect(row(read(text, timeframe))).toEqual(expected)
})

const dated = (dates: readonly string[]) =>
  `date,open,high,low,close\n${dates.map(date => `${date},1,1,1,1\n`).join('')}`
const dates = (text: string) =>
  [...read(text).bars.time].map(time => new Date(time).toISOString().slice(0, 10))

test('a day above 12 anywhere decides how all dates with slashes are read', () => {
  expect(dates(dated(['01/02/2020', '01/03/2020', '01/13/2020']))).toEqual([
    '2020-01-02',
    '2020-01-03',
    '2020-01-13',
  ])
  expect(dates(dated(['01/02/2020', '03/02/2020', '13/02/2020']))).toEqual([
    '2020-02-01',
    '2020-02-03',
    '2020-02-13',
  ])
})

test('without one, the reading that leaves the rows in order decides', () => {
  expect(dates(dated(['10/01/2020', '10/02/2020', '11/01/2020']))).toEqual([
    '2020-10-01',
    '2020-10-02',
    '2020-11-01',
  ])
  expect(dates(dated(['03-04-2020', '02-04-2020', '10-03-2020']))).toEqual([
    '2020-03-10',
    '2020-04-02',
    '2020-04-03',
  ])
})

test('dates that can be read both ways are refused, with what to do', () => {
  const { errors, hint } = refusal(dated(['01/02/2020', '02/03/2020']))
  expect(errors).toEqual([
    expect.objectContaining({ code: 'ambiguous_date', line: 2, pointer: '/lines/2/date' }),
  ])
  expect(hint).toContain('YYYY-MM-DD')
})

test('once the day comes first, a day in the place of the month is a fault of its row', () => {
  const { errors } = refusal(dated(['13/02/2020', '02/14/2020']))
  expect(errors.map(error => `${error.line} ${error.code}`)).toEqual(['3 time'])
})

test('numbers that may be meant with a decimal comma or a thousands separator are refused', () => {
  const text = 'Date,Open,High,Low,Close\n2020-01-02,"1,234","1,300","1,200","1,250"\n'
  expect(refusal(text).errors.map(error => error.code)).toEqual(['ambiguous_number'])
})

test('points before three digits are decimal points as long as no comma is written', () => {
  const text = 'Date;Open;High;Low;Close\n2020-01-02;109.123;109.300;109.100;109.250\n'
  expect(row(read(text)).slice(1, 5)).toEqual([109.123, 109.3, 109.1, 109.25])
})

test('what is skipped or assumed is said', () => {
  expect(read('# made by hand\ndate,open,high,low,close,volume\n2020-01-02,1,1,1,1,\n').warnings).toEqual([
    'What stands above the header in line 2 was skipped.',
    '1 rows have no volume: it is 0 there.',
  ])
  expect(read('2020-01-02,1,1,1,1\n').warnings).toEqual([
    'The file has no header: its columns were read as time, open, high, low, close.',
    'The file has no volume column: volume is 0 in every bar.',
  ])
})

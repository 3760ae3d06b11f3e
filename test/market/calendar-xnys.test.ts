import { expect, test } from '@jest/globals'
import { Calendars } from '../../src/market/calendars.ts'

const xnys = new Calendars().get('XNYS')
const at = (text: string) => Date.parse(text)
const dates = (from: string, to: string) =>
  Array.from({ length: (at(to) - at(from)) / 86_400_000 }, (_, i) => at(from) + i * 86_400_000)
const sessionsOf = (year: number) =>
  dates(`${year}-01-01`, `${year + 1}-01-01`).filter(date => xnys.sessionOn(date) !== null)
const closed = (year: number) =>
  dates(`${year}-01-01`, `${year + 1}-01-01`)
    .filter(date => xnys.closureOn(date)?.reason === 'holiday')
    .map(date => new Date(date).toISOString().slice(5, 10))
const halfDays = (year: number) =>
  sessionsOf(year)
    .filter(date => xnys.sessionOn(date)?.isHalfDay)
    .map(date => new Date(date).toISOString().slice(5, 10))

test('every year has as many sessions as the exchange held', () => {
  // Source: the number of daily closing values of the S&P 500 in each year.
  const perYear: Record<number, readonly number[]> = {
    1970: [254, 253, 251, 252, 253, 253, 253, 252, 252, 253],
    1980: [253, 253, 253, 253, 253, 252, 253, 253, 253, 252],
    1990: [253, 253, 254, 253, 252, 252, 254, 253, 252, 252],
    2000: [252, 248, 252, 252, 252, 252, 251, 251, 253, 252],
    2010: [252, 252, 250, 252, 252, 252, 252, 251, 251, 252],
    2020: [253, 252, 251, 250, 252, 250],
  }
  for (const [decade, counts] of Object.entries(perYear)) {
    const found = counts.map((_, i) => sessionsOf(Number(decade) + i).length)
    expect([decade, ...found]).toEqual([decade, ...counts])
  }
})

test.each([
  // Source: the yearly holiday notices of the NYSE.
  [1998, ['01-01', '01-19', '02-16', '04-10', '05-25', '07-03', '09-07', '11-26', '12-25']],
  [1999, ['01-01', '01-18', '02-15', '04-02', '05-31', '07-05', '09-06', '11-25', '12-24']],
  [2011, ['01-17', '02-21', '04-22', '05-30', '07-04', '09-05', '11-24', '12-26']],
  [2021, ['01-01', '01-18', '02-15', '04-02', '05-31', '07-05', '09-06', '11-25', '12-24']],
  [2022, ['01-17', '02-21', '04-15', '05-30', '06-20', '07-04', '09-05', '11-24', '12-26']],
  [2026, ['01-01', '01-19', '02-16', '04-03', '05-25', '06-19', '07-03', '09-07', '11-26', '12-25']],
  [2027, ['01-01', '01-18', '02-15', '03-26', '05-31', '06-18', '07-05', '09-06', '11-25', '12-24']],
  [2028, ['01-17', '02-21', '04-14', '05-29', '06-19', '07-04', '09-04', '11-23', '12-25']],
])('the holidays of %i are those of the notice', (year, expected) => {
  expect(closed(year)).toEqual(expected)
})

test('single closings are known with their reason', () => {
  const reason = (date: string) => xnys.closureOn(at(date))?.name
  expect(reason('1972-12-28')).toBe('Funeral of Harry S. Truman')
  expect(reason('1973-01-25')).toBe('Funeral of Lyndon B. Johnson')
  expect(reason('1977-07-14')).toBe('Power failure in New York City')
  expect(reason('1985-09-27')).toBe('Hurricane Gloria')
  expect(reason('1994-04-27')).toBe('Funeral of Richard M. Nixon')
  for (const day of [11, 12, 13, 14])
    expect(reason(`2001-09-${day}`)).toBe('Attack on the World Trade Center')
  expect(xnys.sessionOn(at('2001-09-10'))).not.toBeNull()
  expect(xnys.sessionOn(at('2001-09-17'))).not.toBeNull()
  expect(reason('2004-06-11')).toBe('Day of mourning for Ronald W. Reagan')
  expect(reason('2007-01-02')).toBe('Day of mourning for Gerald R. Ford')
  expect([reason('2012-10-29'), reason('2012-10-30')]).toEqual(['Hurricane Sandy', 'Hurricane Sandy'])
  expect(xnys.sessionOn(at('2012-10-31'))).not.toBeNull()
  expect(reason('2018-12-05')).toBe('Day of mourning for George H. W. Bush')
  expect(reason('2025-01-09')).toBe('Day of mourning for Jimmy Carter')
})

test('holidays follow the rules of their time', () => {
  const isOpen = (date: string) => xnys.sessionOn(at(date)) !== null
  // Washington's Birthday on its date until 1970, Memorial Day 1970 on a Saturday that ended the month.
  expect([isOpen('1970-02-23'), isOpen('1970-02-16'), isOpen('1970-05-29'), isOpen('1970-05-25')]).toEqual([
    false,
    true,
    true,
    true,
  ])
  // Election days of 1972, 1976 and 1980, none of 1984.
  expect(['1972-11-07', '1976-11-02', '1980-11-04', '1984-11-06'].map(isOpen)).toEqual([
    false,
    false,
    false,
    true,
  ])
  // Martin Luther King Jr. Day from 1998, Juneteenth from 2022.
  expect(['1997-01-20', '1998-01-19', '2021-06-18', '2022-06-20'].map(isOpen)).toEqual([
    true,
    false,
    true,
    false,
  ])
  // New Year's Day on a Saturday is not kept on the last day of the year.
  expect(['1999-12-31', '2010-12-31', '2021-12-31', '2027-12-31'].map(isOpen)).toEqual([
    true,
    true,
    true,
    true,
  ])
})

test.each([
  // Source: the yearly holiday notices of the NYSE and its list of special closings.
  [1989, []],
  [1993, ['11-26']],
  [1995, ['07-03', '11-24']],
  [1997, ['07-03', '10-27', '11-28', '12-24', '12-26']],
  [2002, ['07-05', '11-29', '12-24']],
  [2003, ['07-03', '11-28', '12-24', '12-26']],
  [2008, ['07-03', '11-28', '12-24']],
  [2012, ['07-03', '11-23', '12-24']],
  [2013, ['07-03', '11-29', '12-24']],
  [2015, ['11-27', '12-24']],
  [2018, ['07-03', '11-23', '12-24']],
  [2019, ['07-03', '11-29', '12-24']],
  [2021, ['11-26']],
  [2024, ['07-03', '11-29', '12-24']],
  [2025, ['07-03', '11-28', '12-24']],
  [2026, ['11-27', '12-24']],
  [2028, ['07-03', '11-24']],
])('the half days of %i are those announced', (year, expected) => {
  expect(halfDays(year)).toEqual(expected)
})

test('half days close at 13:00 New York time since 1993, and at 14:00 before', () => {
  const closeOn = (date: string) => new Date(xnys.sessionOn(at(date))?.closeMs ?? 0).toISOString()
  expect(closeOn('2024-07-03')).toBe('2024-07-03T17:00:00.000Z')
  expect(closeOn('2024-11-29')).toBe('2024-11-29T18:00:00.000Z')
  expect(closeOn('1993-11-26')).toBe('1993-11-26T18:00:00.000Z')
  expect(closeOn('1992-11-27')).toBe('1992-11-27T19:00:00.000Z')
  expect(closeOn('1990-12-24')).toBe('1990-12-24T19:00:00.000Z')
  expect(closeOn('1987-10-23')).toBe('1987-10-23T18:00:00.000Z')
})

test('rules go on to 2050, for every year ten holidays or nine', () => {
  for (let year = 2023; year <= 2050; year++) {
    if (year === 2025) continue
    // Only a New Year's Day on a Saturday is lost.
    const lost = new Date(at(`${year}-01-01`)).getUTCDay() === 6 ? 1 : 0
    expect([year, closed(year).length]).toEqual([year, 10 - lost])
  }
})

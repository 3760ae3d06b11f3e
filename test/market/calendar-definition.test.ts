import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Calendars, parseCalendarDefinitions } from '../../src/market/calendars.ts'

const tokyo = {
  name: 'XTKS',
  title: 'Tokyo Stock Exchange',
  timezone: 'Asia/Tokyo',
  open: '09:00',
  close: '15:30',
  weekdays: [1, 2, 3, 4, 5],
}

const faultsOf = (value: unknown): string => {
  try {
    parseCalendarDefinitions(value)
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('calendars:')) return error.message
    throw error
  }
  return ''
}

test('what may be left out gets its default', () => {
  expect(parseCalendarDefinitions([tokyo])).toEqual([
    { ...tokyo, opens_day_before: false, holidays: {}, early_closes: {} },
  ])
  expect(parseCalendarDefinitions([])).toEqual([])
})

test('the server has the built-in calendars first, then the configured', () => {
  const calendars = new Calendars(parseCalendarDefinitions([tokyo]))
  expect(calendars.names()).toEqual(['XNYS', '24-7', '24-5', 'XTKS'])
  expect(calendars.definitions().map(definition => definition.name)).toEqual(calendars.names())
  expect(calendars.find('XTKS')?.title).toBe('Tokyo Stock Exchange')
  expect(calendars.find('xtks')).toBeNull()
  expect(() => calendars.get('xtks')).toThrow('xtks')
  expect(() => new Calendars([...calendars.configured, ...calendars.configured])).toThrow('XTKS')
})

test.each<[string, Record<string, unknown>, string]>([
  ['an unknown key', { holiday: {} }, '[0].holiday: there is no such key'],
  ['a missing key', { close: undefined }, '[0].close: is missing; expected HH:MM'],
  ['a name with a space', { name: 'X TKS' }, '[0].name: "X TKS" is not valid; expected letters'],
  ['the name of a built-in calendar', { name: 'XNYS' }, '[0].name: the name XNYS is taken'],
  ['a zone that does not exist', { timezone: 'Asia/Edo' }, '[0].timezone: Asia/Edo is not known'],
  ['an offset in place of a zone', { timezone: '+09:00' }, '[0].timezone: "+09:00" is not valid'],
  ['hours that are no time', { open: '9:00' }, '[0].open: "9:00" is not valid; expected HH:MM'],
  ['an open at 24:00', { open: '24:00' }, '[0].open: "24:00" is not valid'],
  ['a close before the open', { close: '08:00' }, '[0].close: 08:00 is not after open 09:00'],
  ['sessions that overlap', { opens_day_before: true }, '[0].open: 09:00 is before close 15:30'],
  ['an eighth day of the week', { weekdays: [1, 8] }, '[0].weekdays: must list days'],
  ['a day of the week twice', { weekdays: [1, 1] }, '[0].weekdays: must list days'],
  ['no day of the week', { weekdays: [] }, '[0].weekdays: must list days'],
  [
    'a date that does not exist',
    { holidays: { '2023-02-29': 'x' } },
    '[0].holidays: "2023-02-29" is not a date',
  ],
  [
    'a holiday without a name',
    { holidays: { '2024-02-29': '' } },
    '[0].holidays.2024-02-29: "" is not valid',
  ],
  ['holidays as a list', { holidays: ['2024-02-29'] }, '[0].holidays: must be an object'],
  [
    'an early close after the close',
    { early_closes: { '2024-01-04': '16:00' } },
    '16:00 is not before close 15:30',
  ],
  [
    'an early close before the open',
    { early_closes: { '2024-01-04': '08:00' } },
    '08:00 is not after open 09:00',
  ],
  ['a flag that is a word', { opens_day_before: 'no' }, '[0].opens_day_before: must be true or false'],
])('%s is refused where it is', (_what, change, expected) => {
  expect(faultsOf([{ ...tokyo, ...change }])).toContain(expected)
})

test('all faults are listed at once, with the calendar they are in', () => {
  const faults = faultsOf([tokyo, { ...tokyo, timezone: 'Mars', open: 'noon' }, 7])
  expect(faults.split('\n')).toHaveLength(5)
  expect(faults).toContain('[1].timezone: Mars')
  expect(faults).toContain('[1].open: "noon"')
  expect(faults).toContain('[1].name: the name XTKS is taken')
  expect(faults).toContain('[2]: must be an object')
  expect(faultsOf({})).toBe('calendars: must be an array of calendar definitions')
})

test('whatever JSON comes in, it is refused with a list or it can be built', () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom('09:00', '24:00', 'UTC', 'XTKS', [1, 2], {}))
  const record = fc.record(
    {
      name: field,
      title: field,
      timezone: field,
      open: field,
      close: field,
      weekdays: field,
      holidays: field,
      early_closes: field,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(record)), value => {
      if (faultsOf(value) !== '') return
      const calendars = new Calendars(parseCalendarDefinitions(value))
      for (const name of calendars.names()) expect(calendars.get(name).name).toBe(name)
    }),
  )
})

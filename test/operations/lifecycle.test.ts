import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  isTerminal,
  next,
  type OperationEventName,
  sourcesOf,
  statuses,
  terminalStatuses,
  transitions,
} from '../../src/operations/lifecycle.ts'

const events = [
  ...new Set(statuses.flatMap(status => Object.keys(transitions[status]))),
] as OperationEventName[]

test('exactly completed, failed and cancelled are terminal', () => {
  expect([...terminalStatuses].sort()).toEqual(['cancelled', 'completed', 'failed'])
})

test('only an explicit resume or retry leaves a terminal status, and completed is never left', () => {
  for (const status of terminalStatuses) {
    const ways = events.filter(event => next(status, event) !== undefined)
    expect(ways.filter(event => event !== 'resume' && event !== 'retry')).toEqual([])
  }
  expect(events.filter(event => next('completed', event) !== undefined)).toEqual([])
})

test('every arrow leads to a status of the table, whatever the sequence of events', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 50 }), sequence => {
      let status: (typeof statuses)[number] = 'pending'
      for (const event of sequence) {
        const target = next(status, event)
        if (target === undefined) continue
        if (isTerminal(status)) expect(['resume', 'retry']).toContain(event)
        status = target
        expect(statuses).toContain(status)
      }
    }),
  )
})

test('a cancel reaches pending and running only, and a running one is cancelling before it is cancelled', () => {
  expect(sourcesOf('cancel')).toEqual(['pending', 'running'])
  expect(next('running', 'cancel')).toBe('cancelling')
  expect(next('pending', 'cancel')).toBe('cancelled')
})

import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, test } from '@jest/globals'
import { startProgram, stopPrograms } from '../support/program.ts'

/** Long enough for a thread to start on a crowded machine. */
const stallMs = 15_000
const frozenMs = stallMs + 1_500
afterAll(stopPrograms)

test('a server that stood still for longer than workers may be silent blames no worker for it', async () => {
  const program = await startProgram({ KTRDR_DATABASE_URL: '' })
  // Native calls: on waking, a worker cannot give a sign of life at once.
  const params = { steps: 12, step_ms: 300, burn: 'native', stall_ms: stallMs }
  const { operation_id: id } = await program.submit('exercise', params)
  await program.until(id, ({ progress }) => progress > 0)
  program.sendSignal('SIGSTOP')
  await pause(frozenMs)
  program.sendSignal('SIGCONT')
  const { status, problem, attempt } = await program.end(id)
  expect({ status, problem, attempt }).toEqual({ status: 'completed', problem: null, attempt: 1 })
})

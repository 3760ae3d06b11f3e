import { afterAll, expect, test } from '@jest/globals'
import { stopPrograms } from '../support/program.ts'
import { startDeclaredProgram } from './declared.ts'

afterAll(stopPrograms)

test('system, workers, health and metrics say what runs', async () => {
  const program = await startDeclaredProgram()
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1 })
  await program.until(id, operation => operation.progress > 0)
  const workers = await program.get<{ items: { status: string; operation_id: string | null }[] }>(
    '/api/v1/workers',
  )
  expect(workers.body.items).toHaveLength(2)
  expect(workers.body.items.map(worker => worker.operation_id)).toContain(id)
  const system = await program.get('/api/v1/system')
  expect(system.body).toMatchObject({ role: 'all', store: 'sqlite', threads: 2, draining: false })
  expect((await program.get('/health/live')).status).toBe(200)
  expect((await program.get('/health/ready')).body).toMatchObject({ status: 'ok' })
  const metrics = (await program.get('/metrics')).text
  expect(metrics).toMatch(/ktrdr_operations_created_total\{type="exercise"\} \d+/)
  expect(metrics).toMatch(/ktrdr_operations\{type="exercise",status="running"\} 1/)
  await program.cancel(id)
})

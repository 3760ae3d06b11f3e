import { afterAll, expect, test } from '@jest/globals'
import { type Program, stopPrograms } from '../support/program.ts'
import { startDeclaredProgram } from './declared.ts'

afterAll(stopPrograms)

type Workers = {
  readonly nodes: readonly { readonly node_id: string }[]
  readonly items: readonly { readonly operation_id: string | null }[]
}
const listWorkers = async (program: Program) => (await program.get<Workers>('/api/v1/workers')).body

test('system, workers, health and metrics say what runs', async () => {
  const program = await startDeclaredProgram()
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1 })
  await program.until(id, operation => operation.progress > 0)
  let workers = await listWorkers(program)
  // A node of a cluster says every two seconds what it runs.
  while (!workers.items.some(worker => worker.operation_id === id)) workers = await listWorkers(program)
  expect(workers.items).toHaveLength(2)
  expect(workers.nodes).toMatchObject([{ role: 'all', status: 'ready', threads: 2, operations: [id] }])
  const system = await program.get('/api/v1/system')
  const store = process.env.KTRDR_TEST_DATABASE ?? 'sqlite'
  expect(system.body).toMatchObject({ role: 'all', store, threads: 2, draining: false })
  expect((await program.get('/health/live')).status).toBe(200)
  expect((await program.get('/health/ready')).body).toMatchObject({ status: 'ok' })
  const metrics = (await program.get('/metrics')).text
  expect(metrics).toMatch(/ktrdr_operations_created_total\{type="exercise"\} \d+/)
  expect(metrics).toMatch(/ktrdr_operations\{type="exercise",status="running"\} 1/)
  await program.cancel(id)
})

test('a drained server saves what it runs, gives it back and takes nothing more', async () => {
  const program = await startDeclaredProgram()
  const { operation_id: id } = await program.submit('exercise', { steps: 1_000_000, step_ms: 1 })
  await program.until(id, operation => operation.progress > 0)
  const [node] = (await listWorkers(program)).nodes
  const drain = (nodeId: string) => program.request('POST', `/api/v1/workers/${nodeId}/drain`)
  for (let twice = 0; twice < 2; twice++) {
    const answer = await drain(node?.node_id ?? '')
    expect([answer.status, answer.body]).toMatchObject([202, { status: 'draining' }])
  }
  expect(await program.until(id, operation => operation.status === 'pending')).toMatchObject({
    attempt: 2,
    checkpoint: { label: expect.stringMatching(/^step \d+$/) },
  })
  expect((await program.get('/api/v1/system')).body).toMatchObject({ draining: true })
  expect((await program.get('/health/ready')).status).toBe(503)
  expect((await drain(`node_${'0'.repeat(26)}`)).status).toBe(404)
  expect((await program.operation(id)).status).toBe('pending')
})

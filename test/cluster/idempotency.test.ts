import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { withPostgres } from '../support/postgres.ts'
import {
  type Cluster,
  newCluster,
  type Operation,
  type Program,
  startNode,
  stopPrograms,
} from '../support/program.ts'
import { ask } from './chaos-audit.ts'

const submits = 1_000
const keys = 100

let cluster: Cluster
let apis: readonly [Program, Program]
afterAll(stopPrograms)

const submit = (nth: number, key: string, params: object) =>
  apis[nth % 2 === 0 ? 0 : 1].request<Operation>('POST', '/api/v1/operations', {
    body: { type: 'exercise', params },
    headers: { 'idempotency-key': key },
  })
const count = async (what: string) =>
  Number((await ask<{ n: string }>(cluster.database, `select count(*) as n from ${what}`))[0]?.n)

withPostgres(describe)('two API nodes that are asked for the same at the same time', () => {
  beforeAll(async () => {
    cluster = await newCluster()
    apis = await Promise.all([
      startNode(cluster, 'api', { KTRDR_NODE: 'first' }),
      startNode(cluster, 'api', { KTRDR_NODE: 'second' }),
    ])
  })

  test('a thousand submits with a hundred keys make a hundred operations, each with one job', async () => {
    const answers = await Promise.all(
      Array.from({ length: submits }, async (_, nth) => {
        const key = nth % keys
        return {
          key,
          answer: await submit(nth + Math.floor(nth / keys), `key ${key}`, { steps: 1, seed: key }),
        }
      }),
    )
    expect(answers.filter(({ answer }) => answer.status !== 202)).toEqual([])
    const idsOf = Map.groupBy(answers, ({ key }) => key)
    for (const same of idsOf.values())
      expect(new Set(same.map(({ answer }) => answer.body.operation_id)).size).toBe(1)
    expect(new Set(answers.map(({ answer }) => answer.body.operation_id)).size).toBe(keys)
    expect(await count('ktrdr.operations')).toBe(keys)
    expect(await count(`ktrdr_jobs.job where name = 'operations'`)).toBe(keys)
    const replayed = answers.filter(({ answer }) => answer.headers.get('idempotency-replayed') === 'true')
    expect(replayed.length).toBe(submits - keys)
  }, 180_000)

  test('a key that was used for something else at the other node is refused', async () => {
    expect((await submit(0, 'key 1', { steps: 2 })).status).toBe(422)
    expect((await submit(1, 'key 1', { steps: 2 })).status).toBe(422)
    expect((await submit(1, 'key 1', { steps: 1, seed: 1 })).status).toBe(202)
  })

  test('a submit whose job cannot be made leaves nothing, and can be sent again with its key', async () => {
    await ask(
      cluster.database,
      `create function ktrdr.refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;
       create trigger refuse before insert on ktrdr_jobs.job for each row execute function ktrdr.refuse()`,
    )
    expect((await submit(0, 'refused', { steps: 3 })).status).toBe(500)
    expect(await count('ktrdr.operations')).toBe(keys)
    expect(await count('ktrdr.idempotency_keys')).toBe(keys)
    await ask(cluster.database, 'drop trigger refuse on ktrdr_jobs.job')
    expect((await submit(1, 'refused', { steps: 3 })).status).toBe(202)
    expect(await count('ktrdr.operations')).toBe(keys + 1)
    expect(await count(`ktrdr_jobs.job where name = 'operations'`)).toBe(keys + 1)
  })
})

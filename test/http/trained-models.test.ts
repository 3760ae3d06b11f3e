import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { components } from '../../src/openapi.gen.ts'
import { type Operation, type Program, stopPrograms } from '../support/program.ts'
import { exampleText } from '../support/trained-model.ts'
import { startDeclaredProgram } from './declared.ts'

type Table = { rows: number; columns: Record<string, (number | string | null)[]> }
type Document = components['schemas']['ModelDocument']

/** The way of a model through the program: trained, stored, read, asked. */
let program: Program
beforeAll(async () => {
  program = await startDeclaredProgram()
  const download = { vendor: 'sample', symbols: ['AAPL'], timeframes: ['1d'] }
  await program.end((await program.submit('data_download', download)).operation_id)
})
afterAll(stopPrograms)

async function train(name: string, params: object = {}): Promise<{ operation: Operation; id: string }> {
  const yaml = exampleText(name).replace(/epochs: \d+/, 'epochs: 2')
  const options = { strategy_yaml: yaml, leakage_check: false, ...params }
  const operation = await program.end((await program.submit('training', options)).operation_id)
  expect([operation.status, operation.problem]).toEqual(['completed', null])
  return { operation, id: String((operation.result as { model_id: string }).model_id) }
}

test.each(['fuzzy_and_raw', 'lstm_trend', 'return_regression', 'quantile_zones'])(
  'a trained %s says of stored bars, bar by bar, what it said when it was measured',
  async name => {
    const { operation, id } = await train(name)
    const path = `/api/v1/operations/${operation.operation_id}/artifacts/predictions`
    const measured = (await program.get<Table>(path)).body
    const body = { symbol: 'AAPL' }
    const answer = await program.request<Table>('POST', `/api/v1/models/${id}/predict`, { body })
    const { close_time: closes = [] } = answer.body.columns
    const rows = measured.columns.close_time?.map(time => closes.indexOf(time)) ?? []
    expect(rows.length).toBeGreaterThan(50)
    for (const [column, as] of [
      ['probability_buy', 'probability_buy'],
      ['probability_sell', 'probability_sell'],
      ['predicted', 'value'],
    ] as const) {
      if (answer.body.columns[as] === undefined) continue
      expect(rows.map(row => answer.body.columns[as]?.[row])).toEqual(measured.columns[column])
    }
    const { content, operation_id } = (await program.get<Document>(`/api/v1/models/${id}`)).body
    expect(operation_id).toBe(operation.operation_id)
    expect(content).toMatchObject({
      strategy: name,
      symbols: ['AAPL'],
      datasets: [{ symbol: 'AAPL', timeframe: '1d', sha256: operation.provenance.dataset_sha256[0] }],
      version: operation.provenance.version,
      metrics: { test: { rows: rows.length } },
    })
  },
)

test('equal training gives one model, another seed another one', async () => {
  const first = await train('fuzzy_and_raw', { seed: 3 })
  const again = await train('fuzzy_and_raw', { seed: 3 })
  const other = await train('fuzzy_and_raw', { seed: 4 })
  expect(again.id).toBe(first.id)
  expect(other.id).not.toBe(first.id)
  const known = await program.get<Document>(`/api/v1/models/${first.id}`)
  expect(known.body.operation_id).toBe(first.operation.operation_id)
})

import { Client, type Event, type Operation } from '../client.ts'
import { median, ms, percentile, spread, whole } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { type BenchServer, withServer } from '../server.ts'
import { stopOne } from './cancel.ts'
import { importWalk } from './feature-build.ts'

const strategy = (epochs: number) => `name: bench_training
training_data:
  symbols: { mode: single, symbol: WALK }
  timeframes: { mode: single, timeframe: 1m }
indicators:
  rsi_14: { type: rsi, period: 14 }
  roc_10: { type: roc, period: 10 }
  atr_14: { type: atr, period: 14 }
  distance_20: { type: distance_from_ma, period: 20 }
nn_inputs:
  - { raw_indicator: rsi_14, timeframes: all, normalization: zscore }
  - { raw_indicator: roc_10, timeframes: all, normalization: zscore }
  - { raw_indicator: atr_14, timeframes: all, normalization: robust }
  - { raw_indicator: distance_20, timeframes: all, normalization: zscore }
model: { type: mlp, architecture: { hidden_layers: [64, 32] } }
decisions: { output_format: classification }
training:
  epochs: ${epochs}
  batch_size: 1024
  labels: { source: triple_barrier, max_holding_period: 60 }
`

/** Longest stop of 99 of 100 trainings. */
const stopTargetMs = 50

/** Training by the server: what comes before the first epoch, and how soon a training stops. */
export const trainingServer: Row = {
  name: 'training-server',
  run: async ({ pick }) => {
    const bars = pick(1_000_000, 20_000)
    const prepared = await prepareTimes(bars, pick(3, 1))
    const stops = await stopTimes(pick(100, 3))
    return report(bars, prepared, stops)
  },
}

async function prepareTimes(bars: number, rounds: number): Promise<number[]> {
  return withServer({ KTRDR_THREADS: '1' }, async server => {
    const client = await clientWithBars(server, bars)
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await prepareOnce(client))
    client.close()
    return times
  })
}

async function clientWithBars(server: BenchServer, bars: number): Promise<Client> {
  await importWalk(server, bars)
  return new Client(server.url)
}

/** From POST to the first progress of the first epoch; then it is stopped. */
async function prepareOnce(client: Client): Promise<number> {
  const startedAt = performance.now()
  const { operation_id: id } = await client.submit('training', {
    strategy_yaml: strategy(1_000),
    leakage_check: false,
  })
  let took = Number.NaN
  return new Promise((resolve, reject) => {
    const hear = ({ name, data, atMs }: Event) => {
      const operation = data as Operation & { readonly phase: string | null }
      if (Number.isNaN(took) && operation.phase?.startsWith('epoch') === true) {
        took = atMs - startedAt
        client.json(`/api/v1/operations/${id}/cancel`, { method: 'DELETE' }).catch(reject)
      }
      if (name !== 'status' || operation.completed_at === null) return
      leave()
      if (operation.status === 'cancelled') resolve(took)
      else reject(new Error(`${id} ended ${operation.status}: ${operation.error}`))
    }
    const leave = client.follow(id, hear, reject)
  })
}

async function stopTimes(rounds: number): Promise<number[]> {
  return withServer({}, async server => {
    const client = await clientWithBars(server, 50_000)
    const times: number[] = []
    for (let round = 0; round < rounds + 3; round++) {
      const { recordedMs } = await stopOne(client, 'training', {
        strategy_yaml: strategy(10_000),
        leakage_check: false,
        seed: round,
      })
      if (round >= 3) times.push(recordedMs)
    }
    client.close()
    return times
  })
}

function report(bars: number, prepared: readonly number[], stops: readonly number[]): Report {
  const took = median(prepared)
  return {
    findings: [
      {
        what: `${whole(bars)} bars made into features and labels, through HTTP`,
        target: '–',
        measured: `${ms(took)}, ${whole((1000 * bars) / took)} bars/s`,
        met: null,
      },
      {
        what: 'cancel of a training, batch 1,024: cancellation.latency_ms',
        target: `p99 ≤ ${stopTargetMs} ms`,
        measured: spread(stops),
        met: percentile(stops, 0.99) <= stopTargetMs,
      },
    ],
    notes: [
      `Features and labels: from POST to the first progress of the first epoch, median of ${prepared.length}: bars read, four indicators, triple-barrier labels, the split, scalers fitted, and at least one batch.`,
      `Cancel: ${stops.length} trainings of an MLP [64, 32] on 50,000 bars, each stopped after its first progress from inside an epoch or before; the stop includes a checkpoint flushed to disk.`,
    ],
  }
}

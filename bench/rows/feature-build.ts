import { Client, type Operation } from '../client.ts'
import { median, ms, whole } from '../numbers.ts'
import type { Report, Row } from '../row.ts'
import { type BenchServer, withServer } from '../server.ts'

/** Twenty indicators of one output each, read as plain numbers. */
const types = [
  ...['sma', 'ema', 'wma', 'dema', 'tema', 'hma', 'kama', 'rsi', 'atr', 'natr'],
  ...[
    'cci',
    'roc',
    'momentum',
    'williams_r',
    'mfi',
    'obv',
    'trix',
    'volume_ratio',
    'ulcer_index',
    'chaikin_oscillator',
  ],
]

const strategy = `name: twenty
training_data:
  symbols: { mode: single, symbol: WALK }
  timeframes: { mode: single, timeframe: 1m }
indicators:
${types.map((type, i) => `  i${i}: { type: ${type} }`).join('\n')}
nn_inputs:
${types.map((_, i) => `  - { raw_indicator: i${i}, timeframes: all }`).join('\n')}
model: { type: mlp, architecture: { hidden_layers: [8] } }
decisions: { output_format: classification }
training:
  labels: { source: zigzag }
`

/** The features of a strategy with twenty indicators over many bars, as a client gets them. */
export const featureBuild: Row = {
  name: 'feature-build',
  run: ({ pick }) => {
    const bars = pick(1_000_000, 20_000)
    return withServer({ KTRDR_THREADS: '1' }, async server => {
      const client = new Client(server.url)
      await importWalk(server, bars)
      const runs: Run[] = []
      for (let round = 0; round < pick(3, 1); round++) runs.push(await build(client))
      client.close()
      return report(bars, runs)
    })
  },
}

type Run = { readonly seconds: number; readonly peakBytes: number; readonly rows: number }

async function build(client: Client): Promise<Run> {
  const startedAt = performance.now()
  const body = { type: 'feature_build', params: { strategy_yaml: strategy } }
  const { operation_id } = JSON.parse(
    (await client.send('/api/v1/operations', { method: 'POST', body })).text,
  ) as Operation
  let peakBytes = 0
  for (;;) {
    const workers = JSON.parse((await client.send('/api/v1/workers')).text) as {
      items: { memory_bytes: number | null }[]
    }
    peakBytes = Math.max(peakBytes, workers.items[0]?.memory_bytes ?? 0)
    const waited = await client.send(`/api/v1/operations/${operation_id}?wait=1`)
    const operation = JSON.parse(waited.text) as Operation
    if (operation.status === 'completed') {
      const { rows } = operation.result as { rows: number }
      return { seconds: (performance.now() - startedAt) / 1000, peakBytes, rows }
    }
    if (operation.status === 'failed') throw new Error(operation.error ?? 'the build failed')
  }
}

/** Minute bars of symbol WALK, always the same. */
export async function importWalk(server: BenchServer, bars: number): Promise<void> {
  const lines = ['time,open,high,low,close,volume']
  let close = 100
  for (let i = 0; i < bars; i++) {
    const open = close
    close = Math.min(1_000, Math.max(10, open * (1 + Math.sin(i * 12.9898) * 0.001)))
    const [high, low] = [Math.max(open, close) * 1.0005, Math.min(open, close) * 0.9995]
    lines.push(`${946_684_800 + i * 60},${open},${high},${low},${close},${1 + (i % 997)}`)
  }
  const response = await fetch(`${server.url}/api/v1/datasets/WALK/1m?calendar=24-7`, {
    method: 'PUT',
    headers: { 'content-type': 'text/csv' },
    body: lines.join('\n'),
  })
  if (!response.ok) throw new Error(await response.text())
}

function report(bars: number, runs: readonly Run[]): Report {
  const seconds = median(runs.map(run => run.seconds))
  const peak = Math.max(...runs.map(run => run.peakBytes)) / 1_048_576
  return {
    findings: [
      {
        what: `features of 20 indicators over ${whole(bars)} bars, through HTTP`,
        target: '–',
        measured: `${ms(seconds * 1000)}, ${whole(bars / seconds)} bars/s, at most ${whole(peak)} MiB of the worker`,
        met: null,
      },
    ],
    notes: [
      `From POST to the completed operation, median of ${runs.length}: bars read, twenty indicators, ${whole(runs[0]?.rows ?? 0)} rows of float32, their hash, and the artifact as Arrow on disk. Memory is heap and buffers as GET /workers tells them, looked at once a second.`,
    ],
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { median, ms, whole } from '../numbers.ts'
import type { Measured } from '../peers/training-tasks.ts'
import type { Finding, Report, Row } from '../row.ts'
import { adopt } from '../server.ts'

type Task = {
  readonly name: 'a' | 'b' | 'c' | 'lstm' | 'gru' | 'inference'
  readonly what: string
  readonly rows: number
  /** How many times faster than PyTorch and TensorFlow.js it shall be. */
  readonly overTorch?: number
  readonly overTensorflow?: number
  readonly limitMs?: number
  /** TensorFlow.js is given this share of the rows and its time multiplied: it would take minutes. */
  readonly tensorflowShare: number
  readonly isLong: boolean
}

const tasks: readonly Task[] = [
  {
    ...{ name: 'a', what: 'epoch of 20 k × 30, [64, 32], batch 64', rows: 20_000 },
    ...{ overTorch: 5, overTensorflow: 20, tensorflowShare: 1, isLong: false },
  },
  {
    ...{ name: 'b', what: 'epoch of 200 k × 30, [128, 64, 32], batch 256', rows: 200_000 },
    ...{ overTorch: 1.5, tensorflowShare: 0.2, isLong: true },
  },
  {
    ...{ name: 'c', what: 'epoch of 20 k × 30, [64, 32], batch 32', rows: 20_000 },
    ...{ overTorch: 5, overTensorflow: 20, tensorflowShare: 1, isLong: false },
  },
  {
    ...{ name: 'lstm', what: 'epoch of an LSTM, 20 k × 20 × 10, 32 units, batch 64', rows: 20_000 },
    ...{ overTorch: 1, tensorflowShare: 0.1, isLong: true },
  },
  {
    ...{ name: 'gru', what: 'epoch of a GRU, 20 k × 20 × 10, 32 units, batch 64', rows: 20_000 },
    ...{ overTorch: 1, tensorflowShare: 0.1, isLong: true },
  },
  {
    ...{ name: 'inference', what: 'probabilities of 500 k rows, 30 → [64, 32] → 3', rows: 500_000 },
    ...{ limitMs: 150, tensorflowShare: 1, isLong: false },
  },
]

type Runs = { readonly ours: Run[]; readonly torch: Run[]; readonly tensorflow: Run[] }
/** Best epoch of a process: what the machine does to others is not measured. */
type Run = { readonly ms: number; readonly peakMb: number; readonly version: string }

const tasksFile = fileURLToPath(new URL('../peers/training-tasks.ts', import.meta.url))
const torchFile = fileURLToPath(new URL('../peers/training.py', import.meta.url))

/** Training of small networks, beside PyTorch on one thread and TensorFlow.js in WebAssembly. */
export const training: Row = {
  name: 'training',
  run: async ({ pick }) => {
    const measured: { task: Task; runs: Runs }[] = []
    for (const task of tasks) {
      const rows = pick(task.rows, 2_000)
      const runs: Runs = { ours: [], torch: [], tensorflow: [] }
      for (let round = 0; round < pick(3, 1); round++) {
        // The first epochs warm up: ours until the kernels are compiled in full.
        const [ownEpochs, peerEpochs] = task.isLong ? [3, 2] : [8, 3]
        runs.ours.push(...(await run(process.execPath, [tasksFile, 'ours', task.name], rows, ownEpochs)))
        // Debian's own Python: the one that has Debian's PyTorch.
        runs.torch.push(...(await run('/usr/bin/python3', [torchFile, task.name], rows, peerEpochs)))
        if (round > 0) continue
        const share = Math.round(rows * task.tensorflowShare)
        const peer = await run(process.execPath, [tasksFile, 'tfjs', task.name], share, 2)
        runs.tensorflow.push(...peer.map(found => ({ ...found, ms: found.ms / task.tensorflowShare })))
      }
      measured.push({ task, runs })
    }
    return report(measured)
  },
}

/** @returns nothing when what it needs is not installed here */
async function run(command: string, args: readonly string[], rows: number, epochs: number): Promise<Run[]> {
  // OpenBLAS knows Haswell's kernels better than those of processors newer than itself.
  const environment = {
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    OPENBLAS_CORETYPE: 'Haswell',
    ...process.env,
  }
  const child = adopt(
    spawn(command, [...args, `${rows}`, `${epochs}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: environment,
    }),
  )
  const failed = once(child, 'error').then(() => '{}')
  const said = await Promise.race([text(child.stdout), failed])
  const {
    ms: elapsed,
    peak_mb: peakMb = 0,
    version = '',
  }: Partial<Measured> = JSON.parse(said.trim() === '' ? '{}' : (said.trim().split('\n').at(-1) ?? '{}'))
  return elapsed === undefined ? [] : [{ ms: Math.min(...elapsed), peakMb, version }]
}

/** The median of the ratios of each round with the peer right after it. */
function ratio(peers: readonly Run[], ours: readonly Run[]): number {
  return median(peers.map((peer, round) => peer.ms / (ours[round]?.ms ?? Number.NaN)))
}

function compare({ task, runs }: { readonly task: Task; readonly runs: Runs }): Finding {
  const { ours, torch, tensorflow } = runs
  const { overTorch, overTensorflow, limitMs } = task
  const ownMs = median(ours.map(found => found.ms))
  const [torchRatio, tensorflowRatio] = [ratio(torch, ours), ratio(tensorflow, ours)]
  const targets = [
    ...(overTorch === undefined ? [] : [`≥ ${overTorch} × PyTorch`]),
    ...(overTensorflow === undefined ? [] : [`≥ ${overTensorflow} × TensorFlow.js`]),
    ...(limitMs === undefined ? [] : [`≤ ${ms(limitMs)}`]),
  ]
  const failed =
    (limitMs !== undefined && ownMs > limitMs) ||
    (overTorch !== undefined && torchRatio < overTorch) ||
    (overTensorflow !== undefined && tensorflowRatio < overTensorflow)
  const isMissing =
    (overTorch !== undefined && torch.length === 0) ||
    (overTensorflow !== undefined && tensorflow.length === 0)
  return {
    what: task.what,
    target: targets.join(', '),
    measured: `${ms(ownMs)}, peak ${whole(median(ours.map(found => found.peakMb)))} MiB`,
    peer: `PyTorch ${describe(torch)}; TensorFlow.js ${describe(tensorflow)}`,
    ratio: `${times(torchRatio)} PyTorch, ${times(tensorflowRatio)} TensorFlow.js`,
    met: failed ? false : isMissing ? null : true,
  }
}

const times = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(1)} ×`)

function describe(runs: readonly Run[]): string {
  if (runs.length === 0) return 'not installed'
  return `${ms(median(runs.map(found => found.ms)))}, peak ${whole(median(runs.map(found => found.peakMb)))} MiB`
}

function report(measured: readonly { readonly task: Task; readonly runs: Runs }[]): Report {
  const [first] = measured
  const torch = first?.runs.torch[0]?.version ?? 'is not installed (Debian: python3-torch)'
  const tensorflow = first?.runs.tensorflow[0]?.version ?? 'is not installed in bench/node_modules'
  return {
    findings: measured.map(compare),
    notes: [
      `Adam, dropout 0.2, three classes, weighted, ReLU; random data. Each run is a process of its own that trains in one thread; the best of its epochs counts. Medians of ${first?.runs.ours.length ?? 0} rounds of ours and PyTorch in turn; TensorFlow.js by \`fit\`, in the first round, of the long tasks a part whose time is multiplied.`,
      `PyTorch ${torch}; TensorFlow.js ${tensorflow}. A PyTorch on libblas.so of Debian's libblas3 has the slow reference BLAS: with libopenblas0-pthread installed it is several times faster on (b).`,
      'Memory is the largest resident size of the process, Node or Python itself and the data included.',
    ],
  }
}

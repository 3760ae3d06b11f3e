import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { document, type Outcome, table } from './results.ts'
import type { Report, Row, Size } from './row.ts'
import { backtest } from './rows/backtest.ts'
import { cancel } from './rows/cancel.ts'
import { cluster } from './rows/cluster.ts'
import { crashRecovery } from './rows/crash-recovery.ts'
import { featureBuild } from './rows/feature-build.ts'
import { getOperation } from './rows/get-operation.ts'
import { importRow } from './rows/import.ts'
import { indicatorKernels } from './rows/indicators.ts'
import { postOperations } from './rows/post-operations.ts'
import { restart } from './rows/restart.ts'
import { sseFollowers } from './rows/sse-followers.ts'
import { statusUnderLoad } from './rows/status-under-load.ts'
import { submitToStart } from './rows/submit-to-start.ts'
import { training } from './rows/training.ts'
import { trainingServer } from './rows/training-server.ts'

const rows: readonly Row[] = [
  getOperation,
  postOperations,
  statusUnderLoad,
  cancel,
  submitToStart,
  sseFollowers,
  restart,
  backtest,
  importRow,
  indicatorKernels,
  featureBuild,
  training,
  trainingServer,
  crashRecovery,
  cluster,
]

const usage = `npm run bench -- [row …] [--quick] [--write]

  rows     ${rows.map(row => row.name).join(', ')} (default: all)
  --quick  a smoke run; its numbers mean nothing
  --write  replace the sections of these rows in bench/RESULTS.md, even if not all rows ran in full
`

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.filter(name => !rows.some(row => row.name === name))
  if (values.help || unknown.length > 0) {
    process.stderr.write(unknown.length > 0 ? `There is no row ${unknown.join(', ')}.\n\n${usage}` : usage)
    process.exit(unknown.length > 0 ? 2 : 0)
  }
  const chosen = positionals.length === 0 ? rows : rows.filter(row => positionals.includes(row.name))
  return { quick: values.quick, write: values.write, chosen }
}

/** A row that fails is a result too: the others still run. */
async function runRow(row: Row, size: Size): Promise<Report> {
  const startedAt = performance.now()
  try {
    return await row.run(size)
  } catch (error) {
    process.exitCode = 1
    const message = error instanceof Error ? error.message : String(error)
    return {
      findings: [{ what: row.name, target: '–', measured: 'could not be measured', met: false }],
      notes: [message],
    }
  } finally {
    console.error(`${row.name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }
}

const { quick, write, chosen } = readArguments()
// Children are killed in 'exit', which a signal alone does not bring about.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const machine = await describeMachine()
console.log(`${machine.join('\n')}\n`)
const outcomes: Outcome[] = []
for (const row of chosen) {
  const report = await runRow(row, { quick, pick: (full, small) => (quick ? small : full) })
  outcomes.push({ name: row.name, report })
  console.log(`\n${table(report.findings)}\n\n${report.notes.map(note => `* ${note}`).join('\n')}\n`)
}
if (chosen.length > 1) console.log(`\n${table(outcomes.flatMap(({ report }) => report.findings))}\n`)
if (write || (!quick && chosen.length === rows.length)) {
  const command = [
    'npm run bench',
    ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : []),
  ].join(' ')
  const file = new URL('./RESULTS.md', import.meta.url)
  const facts = { date: new Date().toISOString().slice(0, 10), machine, command }
  const names = rows.map(row => row.name)
  writeFileSync(file, document(readFileSync(file, 'utf8'), names, outcomes, facts))
  console.log(`Written: ${file.pathname}`)
}

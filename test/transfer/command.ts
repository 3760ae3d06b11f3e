import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { copiedTables } from '../../src/store/tables.ts'
import { compileCache } from '../support/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** How a command ended and what it said. */
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type Environment = Readonly<Record<string, string>>

/** Runs `node src/transfer/main.ts …` to its end. */
export function run(args: readonly string[], environment: Environment = {}): Promise<Ended> {
  return begin(args, environment).ended
}

/** Starts a command. */
export function begin(
  args: readonly string[],
  environment: Environment = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended>; saying(text: string): Promise<void> } {
  const child = spawn(process.execPath, ['src/transfer/main.ts', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: compileCache, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }))
  const saying = async (text: string) => {
    while (!stderr.includes(text)) {
      if (child.exitCode !== null) throw new Error(`it ended before it said "${text}": ${stderr}`)
      await Promise.race([once(child.stderr, 'data'), once(child, 'close')])
    }
  }
  return { child, ended, saying }
}

/** Kills a command as soon as it says something. */
export async function killWhenSaying(
  text: string,
  args: readonly string[],
  environment: Environment = {},
): Promise<void> {
  const { child, ended, saying } = begin(args, environment)
  await saying(text)
  child.kill('SIGKILL')
  const { code, stderr } = await ended
  if (code !== null) throw new Error(`it was over before it was killed: ${stderr}`)
}

type Rows = Readonly<Record<string, readonly Record<string, unknown>[]>>

/** Every row of a SQLite file, table by table, by key, as plain objects. Read by other means than the program's. */
export function everyRow(file: string): Rows {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  const database = new DatabaseSync(file)
  const entries = copiedTables.map(table => {
    const rows = database.prepare(`select * from ${table} order by 1, 2`).all()
    return [table, rows.map(row => ({ ...row }))]
  })
  database.close()
  return Object.fromEntries(entries)
}

/** Where two databases differ: the first rows of each table that are not the same in both, and tables of other lengths. */
export function differences(one: Rows, other: Rows): unknown[] {
  return copiedTables.flatMap(table => {
    const [left, right] = [one[table] ?? [], other[table] ?? []]
    const lengths = left.length === right.length ? [] : [{ table, lengths: [left.length, right.length] }]
    const rows = left
      .map((row, index) => ({ table, row, other: right[index] }))
      .filter(pair => JSON.stringify(pair.row) !== JSON.stringify(pair.other))
    return [...lengths, ...rows.slice(0, 3)]
  })
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../clock.ts'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { backup } from './backup.ts'
import { describePlace, type Place, placeOf } from './places.ts'
import { Progress, sizeOf, withCommas } from './progress.ts'
import { Refusal } from './refusal.ts'
import { restore } from './restore.ts'
import { type Report, transfer } from './transfer.ts'

const help = `Moves and keeps everything a ktrdr server has: operations with their metrics and logs, bars, strategies, models,
artifacts and checkpoints.

  npm run transfer -- --from <place> --to <place> [--archive-from <folder>] [--archive-to <folder>]
      moves all into an empty place; both servers are stopped
  npm run backup -- <folder>
      copies the store and archive that the environment names into a new folder; the server may run
  npm run restore -- <folder>
      fills the empty store and archive that the environment names with a backup; the server is stopped

<place> is a data folder, postgres://user@host/database (its password may be in PGPASSWORD or ~/.pgpass), or the word
"environment": what KTRDR_DATABASE_URL, KTRDR_ARCHIVE_URL and KTRDR_HOME name. The files of a data folder are in it; those of
a database are where --archive-from or --archive-to says, else where the environment says.

Each command can be run again after an interruption. Exit codes: 0 done, 1 refused or failed (standard error says what to
do), 64 wrong arguments, 78 the environment is not valid.
`

/** What the environment says. @throws {Refusal} when the archive is in a bucket, which these commands do not reach */
function environmentWithFolder(): Config {
  const { config } = readConfig(process.env)
  if (config.bucket === null) return config
  throw new Refusal(
    'The archive is in a bucket (KTRDR_ARCHIVE_URL), and these commands work on folders.',
    'To keep it: copy the database with pg_dump first and the bucket after it, with the tools of its server. To move: see deploy/README.md.',
  )
}

/** The arguments are wrong: exit code 64. */
class UsageError extends Error {}

type Command = (progress: Progress) => Promise<{ readonly report: Report; readonly done: string }>

function commandOf(args: readonly string[], environment: () => Config): Command {
  const [name, ...rest] = args
  switch (name) {
    case 'transfer':
      return transferCommand(rest, environment)
    case 'backup': {
      const folder = onlyFolder(name, rest)
      const from = placeOf(environment())
      return async progress => ({
        report: await backup(from, folder, { progress, clock: systemClock, version: version() }),
        done: `Backed up ${describePlace(from)} to ${folder}`,
      })
    }
    case 'restore': {
      const folder = onlyFolder(name, rest)
      const to = placeOf(environment())
      return async progress => ({
        report: await restore(folder, to, progress),
        done: `Restored ${folder} to ${describePlace(to)}`,
      })
    }
    default:
      throw new UsageError(name === undefined ? 'no command given' : `there is no command ${name}`)
  }
}

function transferCommand(args: readonly string[], environment: () => Config): Command {
  const option = { type: 'string' } as const
  const { values } = parsed(args, {
    from: option,
    to: option,
    'archive-from': option,
    'archive-to': option,
  })
  if (values.from === undefined || values.to === undefined)
    throw new UsageError('transfer needs --from and --to')
  const from = toPlace(values.from, values['archive-from'], environment)
  const to = toPlace(values.to, values['archive-to'], environment)
  return async progress => ({
    report: await transfer(from, to, progress),
    done: `Transferred ${describePlace(from)} to ${describePlace(to)}`,
  })
}

function toPlace(text: string, archive: string | undefined, environment: () => Config): Place {
  const archiveOr = (otherwise: () => string) => (archive === undefined ? otherwise() : resolve(archive))
  if (text === 'environment') {
    const place = placeOf(environment())
    return { ...place, archive: archiveOr(() => place.archive) }
  }
  if (/^postgres(ql)?:/.test(text)) {
    const url = URL.parse(text)
    if (url === null || url.host === '' || url.pathname.length < 2)
      throw new UsageError('a database is given as postgres://user@host:5432/database')
    return { kind: 'postgres', url: text, archive: archiveOr(() => environment().archive) }
  }
  if (/^[a-z]{2,}:/i.test(text)) throw new UsageError(`${text} is neither a folder nor a postgres:// address`)
  const home = resolve(text)
  return { kind: 'folder', home, archive: archiveOr(() => home) }
}

function onlyFolder(command: string, args: readonly string[]): string {
  const { positionals } = parsed(args, {})
  const [folder] = positionals
  if (folder === undefined || positionals.length > 1) throw new UsageError(`${command} needs one folder`)
  return resolve(folder)
}

function parsed(args: readonly string[], options: Record<string, { type: 'string' }>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: Object.keys(options).length === 0 })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function version(): string {
  return String(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
}

function summary({ rows, files, warnings }: Report, done: string): string {
  const counts = Object.entries(rows).map(
    ([table, n]) => `  ${table.padEnd(18)}${withCommas(n).padStart(12)}`,
  )
  const kept = files.kept === 0 ? '' : `, ${withCommas(files.kept)} of them were there already`
  return [
    `${done}.`,
    ...counts,
    `  ${'files'.padEnd(18)}${withCommas(files.files.length).padStart(12)}  (${sizeOf(files.bytes)}${kept})`,
    '  verified: every row was read back and compared, every file was hashed',
    ...warnings.map(warning => `  Warning: ${warning}`),
    '',
  ].join('\n')
}

/** @returns the exit code and what to say on standard error */
function explain(error: unknown): { readonly code: number; readonly text: string } {
  if (error instanceof UsageError) return { code: 64, text: `${error.message}\n\n${help}` }
  if (error instanceof ConfigError) return { code: 78, text: `${error.message}\n` }
  if (error instanceof Refusal) return { code: 1, text: `${error.message} ${error.hint}\n` }
  const detail = error instanceof Error ? error.message : String(error)
  return { code: 1, text: `It failed: ${detail}\nNothing half-done is used; the command can be run again.\n` }
}

const args = process.argv.slice(2)
if (args.some(arg => arg === '--help' || arg === '-h')) {
  process.stdout.write(help)
  process.exit(0)
}
try {
  const command = commandOf(args, environmentWithFolder)
  const { report, done } = await command(new Progress(process.stderr, systemClock))
  process.stdout.write(summary(report, done))
} catch (error) {
  const { code, text } = explain(error)
  process.stderr.write(text)
  process.exitCode = code
}

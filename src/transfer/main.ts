import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../clock.ts'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { Problem } from '../problems.ts'
import { backup } from './backup.ts'
import { describePlace, type Place, placeOf } from './places.ts'
import { Progress, sizeOf, withCommas } from './progress.ts'
import { Refusal } from './refusal.ts'
import { restore } from './restore.ts'
import { type Report, transfer } from './transfer.ts'

const help = `Moves and keeps everything a ktrdr server has: operations with their metrics and logs, bars, strategies, models,
artifacts and checkpoints.

  npm run transfer -- --from <place> --to <place> [--archive-from <archive>] [--archive-to <archive>]
      moves all into an empty place; both servers are stopped
  npm run backup -- <folder>
      copies the store and archive that the environment names into a new folder; the server may run
  npm run restore -- <folder>
      fills the empty store and archive that the environment names with a backup; the server is stopped

<place> is a data folder, postgres://user@host/database (its password may be in PGPASSWORD or ~/.pgpass), or the word
"environment": what KTRDR_DATABASE_URL, KTRDR_ARCHIVE_URL and KTRDR_HOME name. The files of a data folder are in it; those of
a database are where --archive-from or --archive-to says, else where the environment says. <archive> is a folder or
s3://bucket/prefix; the endpoint of a bucket and the key to it are in the environment (KTRDR_S3_ENDPOINT, AWS_ACCESS_KEY_ID …).

Each command can be run again after an interruption. Exit codes: 0 done, 1 refused or failed (standard error says what to
do), 2 done, but files of the source are damaged and were left out (standard output names each), 64 wrong arguments, 78 the
environment is not valid.
`

/** What the environment says, with other values for some variables. */
function environment(more: Readonly<Record<string, string>> = {}): Config {
  const files = Object.keys(more).map(name => [`${name}_FILE`, undefined])
  return readConfig({ ...process.env, ...Object.fromEntries(files), ...more }).config
}

/** The arguments are wrong: exit code 64. */
class UsageError extends Error {}

type Command = (progress: Progress) => Promise<{ readonly report: Report; readonly done: string }>

function commandOf(args: readonly string[]): Command {
  const [name, ...rest] = args
  switch (name) {
    case 'transfer':
      return transferCommand(rest)
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

function transferCommand(args: readonly string[]): Command {
  const option = { type: 'string' } as const
  const { values } = parsed(args, {
    from: option,
    to: option,
    'archive-from': option,
    'archive-to': option,
  })
  if (values.from === undefined || values.to === undefined)
    throw new UsageError('transfer needs --from and --to')
  const from = toPlace(values.from, values['archive-from'])
  const to = toPlace(values.to, values['archive-to'])
  return async progress => ({
    report: await transfer(from, to, progress),
    done: `Transferred ${describePlace(from)} to ${describePlace(to)}`,
  })
}

function toPlace(text: string, archive: string | undefined): Place {
  const isBucket = archive?.startsWith('s3://') === true
  const bucket: Record<string, string> = isBucket ? { KTRDR_ARCHIVE_URL: archive } : {}
  const folder =
    archive === undefined || isBucket ? null : ({ kind: 'folder', folder: resolve(archive) } as const)
  if (text === 'environment') {
    const place = placeOf(environment(bucket))
    return folder === null ? place : { ...place, archive: folder }
  }
  if (/^postgres(ql)?:/.test(text)) {
    const url = URL.parse(text)
    if (url === null || url.host === '' || url.pathname.length < 2)
      throw new UsageError('a database is given as postgres://user@host:5432/database')
    if (folder !== null) return { kind: 'postgres', url: text, archive: folder }
    return placeOf(environment({ ...bucket, KTRDR_DATABASE_URL: text }))
  }
  if (/^[a-z]{2,}:/i.test(text)) throw new UsageError(`${text} is neither a folder nor a postgres:// address`)
  if (isBucket)
    throw new UsageError(`the files of ${text} are in a folder: only a database goes with a bucket`)
  const home = resolve(text)
  return { kind: 'folder', home, archive: folder ?? { kind: 'folder', folder: home } }
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
  const said = error instanceof Error ? error.message : String(error)
  const detail = error instanceof Problem && error.hint !== undefined ? `${said} ${error.hint}` : said
  return { code: 1, text: `It failed: ${detail}\nNothing half-done is used; the command can be run again.\n` }
}

const args = process.argv.slice(2)
if (args.some(arg => arg === '--help' || arg === '-h')) {
  process.stdout.write(help)
  process.exit(0)
}
try {
  const command = commandOf(args)
  const { report, done } = await command(new Progress(process.stderr, systemClock))
  process.stdout.write(summary(report, done))
  if (report.files.damaged.length > 0) process.exitCode = 2
} catch (error) {
  const { code, text } = explain(error)
  process.stderr.write(text)
  process.exitCode = code
}

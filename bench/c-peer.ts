import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { adopt } from './server.ts'

/** A program in C, compiled where the bench runs. */
export type CProgram = {
  /** Paths of the C files. */
  readonly sources: readonly string[]
  /** Folders of headers. */
  readonly includes?: readonly string[]
}

/** A version in the npm registry, and what its file must be. */
export type NpmPackage = { readonly name: string; readonly version: string; readonly sha512: string }

/** What was measured, or why nothing could be. */
export type Measured<T> =
  | { readonly kind: 'measured'; readonly value: T }
  | { readonly kind: 'not-measured'; readonly reason: string }

/** How peers are compiled: for the processor at hand. */
export const compilation = 'cc -O3 -march=native'

/** Calls `measure`; a machine without compiler or registry is told of, not failed by. */
export async function measuredOrWhy<T>(measure: () => Promise<T>): Promise<Measured<T>> {
  try {
    return { kind: 'measured', value: await measure() }
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    return { kind: 'not-measured', reason: error.message }
  }
}

/** Something that a machine need not have. */
export class Missing extends Error {}

/**
 * Compiles a program into `folder` and runs it as a process of its own.
 * @returns what it printed, which must be JSON
 * @throws when it does not compile or fails; inside `measuredOrWhy` a machine without `cc` is no failure
 */
export async function runC<T>(program: CProgram, args: readonly string[], folder: string): Promise<T> {
  await run('cc', ['--version'], folder, 'there is no C compiler (cc) here')
  const [command = 'cc', ...flags] = compilation.split(' ')
  const binary = join(folder, 'c-peer')
  const includes = (program.includes ?? []).map(path => `-I${path}`)
  await run(command, [...flags, '-w', ...includes, '-o', binary, ...program.sources, '-lm'], folder)
  return JSON.parse(await run(binary, args, folder))
}

/**
 * Fetches a package from the npm registry and unpacks it into `folder`; nothing of it is installed or run.
 * @returns the folder with its files
 * @throws when the file is not the expected one; inside `measuredOrWhy` a registry out of reach is no failure
 */
export async function fetchPackage({ name, version, sha512 }: NpmPackage, folder: string): Promise<string> {
  const spec = `${name}@${version}`
  const said = await run(
    'npm',
    ['pack', spec, '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder],
    folder,
    `${spec} could not be fetched with npm pack`,
  )
  const [packed]: readonly { readonly filename: string }[] = JSON.parse(said)
  if (packed === undefined) throw new Error(`npm pack ${spec} named no file`)
  const file = join(folder, packed.filename)
  const found = createHash('sha512').update(readFileSync(file)).digest('base64')
  if (found !== sha512) throw new Error(`${spec} has the SHA-512 ${found}, not ${sha512}`)
  await run('tar', ['-xzf', file, '-C', folder], folder)
  return join(folder, 'package')
}

/** @param missing what it means when this fails, where that need not be a failure of the bench */
async function run(
  command: string,
  args: readonly string[],
  folder: string,
  missing?: string,
): Promise<string> {
  const running = promisify(execFile)(command, args, { cwd: folder, maxBuffer: 16 * 2 ** 20 })
  adopt(running.child)
  try {
    return (await running).stdout
  } catch (error) {
    if (missing === undefined) throw error
    const [firstLine] = String(error instanceof Error ? error.message : error).split('\n')
    throw new Missing(`${missing}: ${firstLine}`)
  }
}

import { Problem } from './problems.ts'

type Fault = { readonly message: string; readonly hint: string }

const diskFull: Fault = {
  message: 'the disk of the data folder is full',
  hint: 'Free space on the disk of KTRDR_HOME, then resume or retry.',
}

/** What the operating system calls a disk that takes nothing more. */
const storageFaults: ReadonlyMap<unknown, Fault> = new Map([
  ['ENOSPC', diskFull],
  [
    'EDQUOT',
    {
      message: 'the account that runs the server has used up its share of the disk of the data folder',
      hint: 'Free space on the disk of KTRDR_HOME or raise the quota of the account, then resume or retry.',
    },
  ],
  [
    'EROFS',
    {
      message: 'the disk of the data folder can only be read',
      hint: 'Mount the disk of KTRDR_HOME for writing, then resume or retry. A disk with errors may have been locked: see the system log.',
    },
  ],
])

/** SQLITE_FULL: what SQLite makes of ENOSPC. Source: https://sqlite.org/rescode.html#full */
const sqliteFull = 13

/**
 * The expected failure that a thrown value stands for: a `Problem` itself, or 'storage-full' for an error of a write
 * to a file or to the database that the disk did not take.
 * @returns null when it is a bug, or nothing that this knows
 */
export function asProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  const fault = storageFaultOf(error)
  return fault === null ? null : new Problem('storage-full', fault.message, { hint: fault.hint })
}

function storageFaultOf(error: unknown): Fault | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  if (error.code === 'ERR_SQLITE_ERROR')
    return 'errcode' in error && error.errcode === sqliteFull ? diskFull : null
  return storageFaults.get(error.code) ?? null
}

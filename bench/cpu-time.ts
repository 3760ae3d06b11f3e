import { readdirSync, readFileSync } from 'node:fs'

/** Of the clock /proc counts CPU time in: the same on every Linux that Node runs on. */
const tickMs = 10

/** CPU time of every thread of a process so far, ms. Linux only; empty elsewhere. */
export function readThreads(pid: number): Map<number, number> {
  const folder = `/proc/${pid}/task`
  if (process.platform !== 'linux') return new Map()
  return new Map(
    readdirSync(folder).map(thread => {
      const [user = 0, system = 0] = timesOf(`${folder}/${thread}`)
      return [Number(thread), user + system]
    }),
  )
}

/** CPU time of a process and its children so far, those that ended too, ms. Linux only; NaN elsewhere. */
export function readFamily(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const own = sum(timesOf(`/proc/${pid}`))
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return own + sum(children.map(child => sum(timesOf(`/proc/${child}`))))
}

/** User, system, and both of the children that were waited for, ms; nothing of what is gone. */
function timesOf(folder: string): readonly number[] {
  try {
    const fields = readFileSync(`${folder}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return fields.slice(11, 15).map(ticks => Number(ticks) * tickMs)
  } catch {
    // It ended meanwhile.
    return []
  }
}

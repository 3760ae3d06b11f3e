import type { Checkpoint, LogLine, MetricPoint } from '../operations/operation.ts'
import { limits } from './store.ts'

/** The points that still fit after `last`, the newest sequence number stored. */
export function keptPoints(last: number, points: readonly MetricPoint[]): readonly MetricPoint[] {
  return points.slice(0, Math.max(0, limits.metricPoints - last))
}

/** The lines that still fit after `last`, the newest sequence number stored; the one that fills the log says so. */
export function keptLines(last: number, lines: readonly LogLine[]): readonly LogLine[] {
  const room = Math.max(0, limits.logLines - last)
  const kept = lines.slice(0, room)
  const closing = kept.length === room ? kept.at(-1) : undefined
  return kept.map(line =>
    line === closing
      ? {
          ...line,
          message: `${line.message} (log full at ${limits.logLines} lines; later lines are dropped)`,
        }
      : line,
  )
}

/** The warnings with one more; null when it is there already or there are too many. */
export function withWarning(warnings: readonly string[], warning: string): readonly string[] | null {
  if (warnings.includes(warning) || warnings.length >= limits.warnings) return null
  const isLast = warnings.length === limits.warnings - 1
  return [...warnings, isLast ? 'There are more warnings than are kept; see the logs.' : warning]
}

/** The new checkpoint is the last one; the best of those before is kept beside it, unless it is the best itself. */
export function withCheckpoint(kept: readonly Checkpoint[], saved: Checkpoint): readonly Checkpoint[] {
  return [saved, ...(saved.best ? [] : kept.filter(earlier => earlier.best))]
}

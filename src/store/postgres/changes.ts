import type { OperationRecord, StoredLogLine, StoredMetricPoint } from '../../operations/operation.ts'
import { toLogLine, toMetricPoint, toRecord } from '../rows.ts'
import type { Reader } from './connection.ts'

/** What changed after a number, oldest change first in both lists. */
export type Changes = {
  readonly records: readonly OperationRecord[]
  readonly deleted: readonly { readonly change_seq: number; readonly operation_id: string }[]
  /** Go on from here: nothing that is numbered up to it is missing. */
  readonly seq: number
}

/** How much of the metrics and logs of an operation is known. */
export type SeriesPosition = {
  readonly operation_id: string
  /** The newest point. An attempt that goes on from a checkpoint gives the numbers after it again. */
  readonly metrics: { readonly attempt: number; readonly seq: number }
  readonly logs: number
}

export type SeriesNews = {
  readonly operation_id: string
  readonly metrics: readonly StoredMetricPoint[]
  readonly logs: readonly StoredLogLine[]
  readonly position: SeriesPosition
}

/**
 * What every node wrote after `seq`. One transaction writes at a time, so everything up to the counter is committed.
 * @param limit most changes to give: the next are those after `seq` of the answer
 */
export async function changesAfter(reader: Reader, seq: number, limit: number): Promise<Changes> {
  const [counter] = await reader.rows('select value from change_counter')
  const newest = Number(counter?.value)
  if (newest <= seq) return { records: [], deleted: [], seq }
  const [changedRows, deletedRows] = await Promise.all([
    reader.rows(
      'select * from operations where change_seq > ? and change_seq <= ? order by change_seq limit ?',
      [seq, newest, limit],
    ),
    reader.rows(
      'select change_seq, operation_id from deletions where change_seq > ? and change_seq <= ? order by change_seq limit ?',
      [seq, newest, limit],
    ),
  ])
  const records = changedRows.map(toRecord)
  const deleted = deletedRows.map(row => ({
    change_seq: Number(row.change_seq),
    operation_id: String(row.operation_id),
  }))
  const numbers = [...records, ...deleted].map(change => change.change_seq).sort((a, b) => a - b)
  const last = numbers.length < limit ? newest : (numbers[limit - 1] ?? newest)
  return {
    records: records.filter(record => record.change_seq <= last),
    deleted: deleted.filter(one => one.change_seq <= last),
    seq: last,
  }
}

/** Where the series of an operation stand now. */
export async function seriesPosition(reader: Reader, id: string): Promise<SeriesPosition> {
  const [row] = await reader.rows(
    `select (select coalesce(max(seq), 0) from logs where operation_id = asked.id) as logs, point.attempt, point.seq
     from (select ?::text as id) as asked left join lateral (
       select attempt, seq from metrics where operation_id = asked.id order by seq desc limit 1) as point on true`,
    [id],
  )
  return {
    operation_id: id,
    metrics: { attempt: Number(row?.attempt ?? 0), seq: Number(row?.seq ?? 0) },
    logs: Number(row?.logs ?? 0),
  }
}

/** Metrics and logs that came after what is known. @param limit most of each, per operation */
export async function seriesAfter(
  reader: Reader,
  watched: readonly SeriesPosition[],
  limit: number,
): Promise<SeriesNews[]> {
  if (watched.length === 0) return []
  const ids = watched.map(one => one.operation_id)
  const [points, lines] = await Promise.all([
    reader.rows(
      `select news.* from unnest(?::text[], ?::integer[], ?::bigint[]) as known (id, attempt, seq)
       cross join lateral (select * from metrics
         where operation_id = known.id and seq > least(known.seq, coalesce((select seq from metrics as kept
           where kept.operation_id = known.id and kept.attempt <= known.attempt order by seq desc limit 1), 0))
         order by seq limit ?) as news`,
      [ids, watched.map(one => one.metrics.attempt), watched.map(one => one.metrics.seq), limit],
    ),
    reader.rows(
      `select news.* from unnest(?::text[], ?::bigint[]) as known (id, seq)
       cross join lateral (select * from logs
         where operation_id = known.id and seq > known.seq order by seq limit ?) as news`,
      [ids, watched.map(one => one.logs), limit],
    ),
  ])
  const pointsOf = Map.groupBy(points, row => String(row.operation_id))
  const linesOf = Map.groupBy(lines, row => String(row.operation_id))
  return watched.flatMap(known => {
    const metrics = (pointsOf.get(known.operation_id) ?? []).map(toMetricPoint)
    const logs = (linesOf.get(known.operation_id) ?? []).map(toLogLine)
    if (metrics.length === 0 && logs.length === 0) return []
    return [{ operation_id: known.operation_id, metrics, logs, position: movedOn(known, metrics, logs) }]
  })
}

function movedOn(
  known: SeriesPosition,
  metrics: readonly StoredMetricPoint[],
  logs: readonly StoredLogLine[],
): SeriesPosition {
  const point = metrics.at(-1)
  return {
    operation_id: known.operation_id,
    metrics: point === undefined ? known.metrics : { attempt: point.attempt, seq: point.seq },
    logs: logs.at(-1)?.seq ?? known.logs,
  }
}

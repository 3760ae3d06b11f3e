import type { LogLine, MetricPoint, StoredLogLine, StoredMetricPoint } from '../../operations/operation.ts'
import { keptLines, keptPoints } from '../bounds.ts'
import { countFenced, statements } from './statements.ts'
import type { Transaction } from './transaction.ts'

/** @returns the points as stored; null when the attempt is not the running one */
export async function addPoints(
  transaction: Transaction,
  from: { readonly id: string; readonly attempt: number; readonly name: string },
  points: readonly MetricPoint[],
): Promise<StoredMetricPoint[] | null> {
  const { id, attempt, name } = from
  if (!(await isRunning(transaction, id, attempt))) return null
  const last = await lastSeq(transaction, 'metrics', id)
  const stored = keptPoints(last, points).map((point, index) => ({
    ...point,
    seq: last + 1 + index,
    attempt,
    name,
  }))
  if (stored.length === 0) return []
  await transaction.rows(
    `insert into metrics (operation_id, seq, attempt, name, at, point)
     select ?, seq, ?::integer, ?, at, point from unnest(?::bigint[], ?::bigint[], ?::text[]) as made (seq, at, point)`,
    [
      id,
      attempt,
      name,
      stored.map(point => point.seq),
      stored.map(point => point.at),
      stored.map(point => JSON.stringify(point.values)),
    ],
  )
  transaction.series.add(id)
  return stored
}

/** @returns the lines as stored; null when the attempt is not the running one */
export async function addLines(
  transaction: Transaction,
  id: string,
  attempt: number,
  lines: readonly LogLine[],
): Promise<StoredLogLine[] | null> {
  if (!(await isRunning(transaction, id, attempt))) return null
  const last = await lastSeq(transaction, 'logs', id)
  const stored = keptLines(last, lines).map((line, index) => ({ ...line, seq: last + 1 + index, attempt }))
  if (stored.length === 0) return []
  await transaction.rows(
    `insert into logs (operation_id, seq, attempt, at, level, message)
     select ?, seq, ?::integer, at, level, message
     from unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[]) as made (seq, at, level, message)`,
    [
      id,
      attempt,
      stored.map(line => line.seq),
      stored.map(line => line.at),
      stored.map(line => line.level),
      stored.map(line => line.message),
    ],
  )
  transaction.series.add(id)
  return stored
}

/** Drops the points after `seq`, if the attempt is the running one. */
export async function dropPoints(
  transaction: Transaction,
  id: string,
  attempt: number,
  seq: number,
): Promise<void> {
  if (await isRunning(transaction, id, attempt))
    await transaction.rows('delete from metrics where operation_id = ? and seq > ?', [id, seq])
}

/** The newest sequence number of an operation's metrics or logs; 0 when there are none. */
export async function lastSeq(
  transaction: Transaction,
  table: 'metrics' | 'logs',
  id: string,
): Promise<number> {
  const [row] = await transaction.rows(
    `select coalesce(max(seq), 0) as seq from ${table} where operation_id = ?`,
    [id],
  )
  return Number(row?.seq)
}

async function isRunning(transaction: Transaction, id: string, attempt: number): Promise<boolean> {
  const rows = await transaction.named(statements.running, { id, attempt })
  if (rows.length === 0) await countFenced(transaction, id, attempt)
  return rows.length > 0
}

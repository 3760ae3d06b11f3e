import type { ListFilter } from './store.ts'

type Value = string | number

/** Where databases differ in how they list. Parameters are `?`, in order. */
export type ListDialect = {
  /** Whether a column holds the text of the next parameter, which is in lower case. */
  readonly contains: (column: string) => string
  /** What to say after the table so that the named index is used; may be empty. */
  readonly using: (index: 'operations_newest' | 'operations_newest_in_status') => string
}

/** As many `?` as there are values, comma separated. */
export const marks = (values: readonly unknown[]): string => Array(values.length).fill('?').join(', ')

/**
 * The newest operations that pass the filter. Statuses are asked for one by one, each in the order of an index, and
 * merged: sorting every operation of a status would take longer with every one that ends.
 */
export function listQuery(filter: ListFilter, dialect: ListDialect): { sql: string; values: Value[] } {
  const { conditions, values } = conditionsOf(filter, dialect)
  const newest = 'order by created_at desc, operation_id desc limit ?'
  const select = (index: string, extra: readonly string[]) =>
    `select * from operations ${index} where ${[...extra, ...conditions].join(' and ')} ${newest}`
  if (filter.parent !== null) {
    const inStatus = filter.statuses?.length ? [`status in (${marks(filter.statuses)})`] : []
    return { sql: select('', inStatus), values: [...(filter.statuses ?? []), ...values, filter.limit] }
  }
  if (!filter.statuses?.length)
    return { sql: select(dialect.using('operations_newest'), []), values: [...values, filter.limit] }
  const each = filter.statuses.map(
    (_, n) =>
      `select * from (${select(dialect.using('operations_newest_in_status'), ['status = ?'])}) as part_${n}`,
  )
  return {
    sql: `${each.join(' union all ')} ${newest}`,
    values: [...filter.statuses.flatMap(status => [status, ...values, filter.limit]), filter.limit],
  }
}

function conditionsOf(filter: ListFilter, dialect: ListDialect): { conditions: string[]; values: Value[] } {
  const conditions: string[] = []
  const values: Value[] = []
  const where = (condition: string, ...given: Value[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  if (filter.parent === null) where('parent_operation_id is null')
  else where('parent_operation_id = ?', filter.parent)
  if (filter.types?.length) where(`type in (${marks(filter.types)})`, ...filter.types)
  if (filter.createdAfter !== undefined) where('created_at >= ?', filter.createdAfter)
  if (filter.createdBefore !== undefined) where('created_at < ?', filter.createdBefore)
  if (filter.text !== undefined) {
    const text = filter.text.toLowerCase()
    const columns = ['operation_id', 'type', 'params']
    where(`(${columns.map(dialect.contains).join(' or ')})`, text, text, text)
  }
  if (filter.before !== undefined) {
    where('(created_at, operation_id) < (?, ?)', filter.before.created_at, filter.before.operation_id)
  }
  return { conditions, values }
}

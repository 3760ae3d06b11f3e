import pg from 'pg'

/** One change of a row of `operations`, as committed. */
export type Change = {
  /** Epoch ms, by the clock of this machine. */
  readonly at: number
  readonly operation_id: string
  readonly type: string
  /** null: it was made. */
  readonly before: string | null
  readonly after: string
  readonly attempt: number
  readonly attempt_before: number | null
  /** How much the revision rose. */
  readonly rise: number
  readonly node: string | null
  /** The process that wrote: its node id. */
  readonly origin: string | null
}

/** A metrics point or a log line that was added, and the state of its operation at that moment. */
export type Addition = {
  readonly kind: 'metrics' | 'logs'
  readonly operation_id: string
  readonly seq: number
  readonly attempt: number
  readonly attempt_then: number
  readonly status_then: string
  readonly origin: string | null
}

/** A lease that the queue took away because nobody renewed it. */
export type Lapse = { readonly at: number; readonly operation_id: string }

/** An attempt, from its start to what ended it: an end, a requeue, or the next start. */
export type Attempt = {
  readonly operation_id: string
  readonly type: string
  readonly attempt: number
  readonly node: string
  readonly origin: string
  readonly startedAt: number
  endedAt: number
}

const now = 'extract(epoch from clock_timestamp()) * 1000'
const busy = ['running', 'cancelling']
export const ends = ['completed', 'failed', 'cancelled']

/** Triggers write down who wrote what, in the transactions that did it: what is read here was committed. */
const triggers = `
  create schema audit;
  create table audit.writers (xact xid8 primary key, origin text);
  create table audit.changes (id bigserial, at double precision, xact xid8, operation_id text, type text, before text,
    after text, attempt integer, attempt_before integer, rise integer, node text);
  create table audit.additions (id bigserial, xact xid8, kind text, operation_id text, seq integer, attempt integer,
    attempt_then integer, status_then text);
  create table audit.lapses (at double precision, operation_id text);
  create function audit.note_writer() returns trigger language plpgsql as $$ begin
    insert into audit.writers values (pg_current_xact_id(), new.origin) on conflict do nothing;
    return null;
  end $$;
  create trigger audit after insert or update on ktrdr.writers for each row execute function audit.note_writer();
  create function audit.note_change() returns trigger language plpgsql as $$ begin
    insert into audit.changes (at, xact, operation_id, type, before, after, attempt, attempt_before, rise, node)
      values (${now}, pg_current_xact_id(), new.operation_id, new.type, old.status, new.status, new.attempt,
        old.attempt, new.revision - coalesce(old.revision, 0), new.worker_node);
    return null;
  end $$;
  create trigger audit after insert or update on ktrdr.operations for each row execute function audit.note_change();
  create function audit.note_addition() returns trigger language plpgsql as $$ begin
    insert into audit.additions (xact, kind, operation_id, seq, attempt, attempt_then, status_then)
      select pg_current_xact_id(), tg_table_name, new.operation_id, new.seq, new.attempt, o.attempt, o.status
      from ktrdr.operations as o where o.operation_id = new.operation_id;
    return null;
  end $$;
  create trigger audit after insert on ktrdr.metrics for each row execute function audit.note_addition();
  create trigger audit after insert on ktrdr.logs for each row execute function audit.note_addition();
  create function audit.note_lapse() returns trigger language plpgsql as $$ begin
    insert into audit.lapses values (${now}, new.data->>'operation_id');
    return null;
  end $$;
  create trigger audit after insert or update on ktrdr_jobs.job for each row when (new.state = 'retry')
    execute function audit.note_lapse();`

/** A connection for one question: those that stay open do not survive a restart of Postgres. */
export async function ask<T>(database: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    const { rows } = await client.query(sql)
    return rows
  } finally {
    await client.end()
  }
}

/** Writes down what is done to the operations of a database from now on. A node must have made its tables. */
export async function beginAudit(database: string): Promise<void> {
  await ask(database, triggers)
}

/** In the order in which it was written: one transaction writes at a time. */
export const changesIn = (database: string): Promise<Change[]> =>
  ask<Change>(database, 'select * from audit.changes left join audit.writers using (xact) order by id')

export const additionsIn = (database: string): Promise<Addition[]> =>
  ask<Addition>(database, 'select * from audit.additions left join audit.writers using (xact) order by id')

export const lapsesIn = (database: string): Promise<Lapse[]> =>
  ask<Lapse>(database, 'select * from audit.lapses order by at')

/** How often each operation came to an end, and what happened to it after that. */
export function endingsOf(changes: readonly Change[]): {
  endings: ReadonlyMap<string, number>
  later: readonly Change[]
} {
  const endings = new Map<string, number>()
  for (const { operation_id: id, before, after } of changes)
    if (ends.includes(after) && before !== after) endings.set(id, (endings.get(id) ?? 0) + 1)
  return { endings, later: changes.filter(({ before }) => before !== null && ends.includes(before)) }
}

export function attemptsOf(changes: readonly Change[]): Attempt[] {
  const attempts: Attempt[] = []
  const newest = new Map<string, Attempt>()
  for (const { operation_id, type, before, after, attempt, node, origin, at } of changes) {
    const last = newest.get(operation_id)
    if (last !== undefined && last.endedAt === Number.POSITIVE_INFINITY && !busy.includes(after))
      last.endedAt = at
    if (before !== 'pending' || after !== 'running') continue
    const started = {
      ...{ operation_id, type, attempt, node: node ?? '', origin: origin ?? '' },
      ...{ startedAt: at, endedAt: Number.POSITIVE_INFINITY },
    }
    attempts.push(started)
    newest.set(operation_id, started)
  }
  return attempts
}

/**
 * Writes of an attempt by a process that did not own it then. Not among them: to cancel, which any node may; to take
 * over or to stop what a silent node left; and the leap of all numbers after a restart of Postgres.
 */
export function foreignWrites(
  changes: readonly Change[],
  additions: readonly Addition[],
): (Change | Addition)[] {
  const owner = new Map(
    attemptsOf(changes).map(({ operation_id, attempt, origin }) => [`${operation_id} ${attempt}`, origin]),
  )
  const isForeign = (one: Change | Addition) =>
    one.origin !== owner.get(`${one.operation_id} ${one.attempt}`) || one.origin === null
  const written = changes.filter(
    ({ before, after, attempt, attempt_before, rise }) =>
      before !== null &&
      busy.includes(before) &&
      attempt === attempt_before &&
      rise > 0 &&
      rise < 1_000 &&
      !(before === 'running' && after === 'cancelling') &&
      !(before === 'cancelling' && after === 'cancelled'),
  )
  const late = additions.filter(
    one => one.attempt !== one.attempt_then || !busy.includes(one.status_then) || isForeign(one),
  )
  return [...written.filter(isForeign), ...late]
}

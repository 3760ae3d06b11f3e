import { statuses, terminalStatuses } from '../../operations/lifecycle.ts'
import { textList } from '../statements.ts'
import { archiveMigration } from './archive-tables.ts'

/** Where the tables are; every connection has it as its search path. */
export const schema = 'ktrdr'

/** PostgreSQL 14, in the form of `server_version_num`. */
const oldestServer = 140_000

/** Held while the schema is brought up to date. Any number will do, if all nodes agree. */
const migrationLock = 7_203_811

/** Numbered from 1. A migration that was released never changes; add the next one. */
const migrations: readonly string[] = [
  `
  create table operations (
    operation_id text collate "C" primary key,
    type text not null,
    params text not null,
    priority integer not null,
    status text not null check (status in (${textList(statuses)})),
    attempt integer not null check (attempt >= 1),
    max_attempts integer not null check (max_attempts >= attempt),
    revision bigint not null,
    change_seq bigint not null unique,
    progress double precision not null check (progress between 0 and 100 and (progress < 100 or status = 'completed')),
    phase text,
    steps text,
    rate double precision,
    eta_seconds double precision,
    result text check ((result is not null) = (status = 'completed')),
    problem text check ((problem is not null) = (status = 'failed')),
    warnings text not null,
    cancel_requested_at bigint,
    cancel_reason text,
    cancel_mode text check (cancel_mode in ('cooperative', 'forced')),
    cancel_latency_ms bigint,
    checkpoints text not null,
    artifacts text not null check (artifacts = '[]' or status = 'completed'),
    worker_node text,
    worker_thread integer,
    heartbeat_at bigint,
    parent_operation_id text collate "C" references operations (operation_id) on delete cascade,
    child_index integer,
    timeout_ms bigint,
    request_id text,
    provenance text not null,
    created_at bigint not null,
    updated_at bigint not null,
    started_at bigint check (status != 'pending' or started_at is null),
    completed_at bigint check ((completed_at is not null) = (status in (${textList(terminalStatuses)}))),
    job_id uuid,
    job_retry integer,
    generation integer not null default 1,
    unique (parent_operation_id, child_index),
    check ((parent_operation_id is null) = (child_index is null)),
    check (status != 'cancelling' or cancel_requested_at is not null)
  );
  create index operations_newest on operations (created_at desc, operation_id desc) where parent_operation_id is null;
  create index operations_newest_in_status on operations (status, created_at desc, operation_id desc) where parent_operation_id is null;
  create index operations_status on operations (status, operation_id);
  create index operations_queue on operations (priority desc, operation_id) where status = 'pending';
  create index operations_ended on operations (completed_at) where completed_at is not null;

  create table operation_counts (
    type text not null,
    status text not null,
    is_child integer not null,
    generation integer not null,
    n bigint not null,
    primary key (type, status, is_child, generation)
  );
  create function count_operations() returns trigger language plpgsql set search_path from current as $$
  begin
    if tg_op != 'INSERT' then
      update operation_counts set n = n - 1 where type = old.type and status = old.status
        and is_child = (old.parent_operation_id is not null)::integer and generation = old.generation;
    end if;
    if tg_op != 'DELETE' then
      insert into operation_counts as counted values
        (new.type, new.status, (new.parent_operation_id is not null)::integer, new.generation, 1)
        on conflict (type, status, is_child, generation) do update set n = counted.n + 1;
    end if;
    return null;
  end $$;
  create trigger operation_counted after insert or delete on operations for each row execute function count_operations();
  create trigger operation_recounted after update on operations for each row
    when (old.status is distinct from new.status or old.generation is distinct from new.generation)
    execute function count_operations();

  create table metrics (
    operation_id text collate "C" not null,
    seq bigint not null,
    attempt integer not null,
    name text not null,
    at bigint not null,
    point text not null,
    primary key (operation_id, seq)
  );

  create table logs (
    operation_id text collate "C" not null,
    seq bigint not null,
    attempt integer not null,
    at bigint not null,
    level text not null,
    message text not null,
    primary key (operation_id, seq)
  );

  -- Not by foreign keys: a check of each of many thousand points would cost more than the points.
  create function delete_series() returns trigger language plpgsql set search_path from current as $$
  begin
    delete from metrics where operation_id = old.operation_id;
    delete from logs where operation_id = old.operation_id;
    return null;
  end $$;
  create trigger operation_deleted after delete on operations for each row execute function delete_series();

  create table idempotency_keys (
    key text primary key,
    fingerprint text not null,
    operation_id text collate "C" not null references operations (operation_id) on delete cascade,
    expires_at bigint not null
  );
  create index idempotency_expiry on idempotency_keys (expires_at);
  create index idempotency_operation on idempotency_keys (operation_id);

  create table deletions (
    change_seq bigint primary key,
    operation_id text not null,
    at bigint not null
  );

  create table change_counter (
    only_row boolean primary key default true check (only_row),
    value bigint not null,
    server_started timestamptz not null
  );
  insert into change_counter (value, server_started) values (0, pg_postmaster_start_time());

  create table writers (
    origin text primary key,
    token bigint not null,
    written_at timestamptz not null default now()
  );

  create table nodes (
    node_id text primary key,
    name text not null,
    role text not null,
    version text not null,
    generation integer not null,
    types text not null,
    threads text not null,
    started_at bigint not null,
    heartbeat_at bigint not null,
    draining boolean not null
  );
  `,
  archiveMigration,
]

/** What a migration needs of a connection. */
export type Migrating = {
  query(sql: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/**
 * Brings the schema up to date, each migration once, all or nothing, then lets the queue do the same with its own. One
 * node at a time, however many start at once: the others wait for it and find everything done.
 * @throws {Error} when a newer ktrdr wrote the schema, or the server is older than PostgreSQL 14
 */
export async function migrate(client: Migrating, startQueue: () => Promise<void>): Promise<void> {
  await refuseOldServer(client)
  // A node that is frozen while it holds the lock must not keep the others from starting.
  await client.query(`set idle_session_timeout = '60s'; select pg_advisory_lock(${migrationLock})`)
  try {
    await migrateTables(client)
    await startQueue()
  } finally {
    await client.query(`select pg_advisory_unlock(${migrationLock})`)
  }
}

async function migrateTables(client: Migrating): Promise<void> {
  await client.query(`create schema if not exists ${schema};
    create table if not exists ${schema}.schema_version (
      only_row boolean primary key default true check (only_row), version integer not null);
    insert into ${schema}.schema_version (version) values (0) on conflict do nothing`)
  const { rows } = await client.query(`select version from ${schema}.schema_version`)
  const version = Number(rows[0]?.version)
  if (version > migrations.length) {
    throw new Error(
      `The database has schema ${version}; this ktrdr knows up to ${migrations.length}. Start the newer ktrdr that wrote it.`,
    )
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue
    await client.query(
      `begin; set local search_path = ${schema}; ${sql}; update schema_version set version = ${index + 1}; commit`,
    )
  }
}

async function refuseOldServer(client: Migrating): Promise<void> {
  const { rows } = await client.query(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as version`,
  )
  if (Number(rows[0]?.number) < oldestServer)
    throw new Error(`The database is PostgreSQL ${rows[0]?.version}; ktrdr needs 14 or newer.`)
}

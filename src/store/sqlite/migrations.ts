import type { DatabaseSync } from 'node:sqlite'
import { statuses, terminalStatuses } from '../../operations/lifecycle.ts'

const list = (words: readonly string[]) => words.map(word => `'${word}'`).join(', ')

/** Numbered from 1. A migration that was released never changes; add the next one. */
const migrations: readonly string[] = [
  `
  create table operations (
    operation_id text primary key,
    type text not null,
    params text not null,
    priority integer not null,
    status text not null check (status in (${list(statuses)})),
    attempt integer not null check (attempt >= 1),
    max_attempts integer not null check (max_attempts >= attempt),
    revision integer not null,
    change_seq integer not null unique,
    progress real not null check (progress between 0 and 100 and (progress < 100 or status = 'completed')),
    phase text,
    steps text,
    rate real,
    eta_seconds real,
    result text check ((result is not null) = (status = 'completed')),
    problem text check ((problem is not null) = (status = 'failed')),
    warnings text not null,
    cancel_requested_at integer,
    cancel_reason text,
    cancel_mode text check (cancel_mode in ('cooperative', 'forced')),
    cancel_latency_ms integer,
    checkpoints text not null,
    artifacts text not null check (artifacts = '[]' or status = 'completed'),
    worker_node text,
    worker_thread integer,
    heartbeat_at integer,
    parent_operation_id text references operations (operation_id) on delete cascade,
    child_index integer,
    timeout_ms integer,
    request_id text,
    provenance text not null,
    created_at integer not null,
    updated_at integer not null,
    started_at integer check (status != 'pending' or started_at is null),
    completed_at integer check ((completed_at is not null) = (status in (${list(terminalStatuses)}))),
    unique (parent_operation_id, child_index),
    check ((parent_operation_id is null) = (child_index is null)),
    check (status != 'cancelling' or cancel_requested_at is not null)
  ) strict;
  create index operations_newest on operations (created_at desc, operation_id desc) where parent_operation_id is null;
  create index operations_newest_in_status on operations (status, created_at desc, operation_id desc) where parent_operation_id is null;
  create index operations_status on operations (status, operation_id);
  create index operations_queue on operations (priority desc, operation_id) where status = 'pending';
  create index operations_queue_of_type on operations (type, priority desc, operation_id) where status = 'pending';
  create index operations_ended on operations (completed_at) where completed_at is not null;

  create table operation_counts (
    type text not null,
    status text not null,
    is_child integer not null,
    n integer not null,
    primary key (type, status, is_child)
  ) strict, without rowid;
  create trigger operation_counted after insert on operations begin
    insert into operation_counts values (new.type, new.status, new.parent_operation_id is not null, 1) on conflict do update set n = n + 1;
  end;
  create trigger operation_recounted after update of status on operations when old.status != new.status begin
    update operation_counts set n = n - 1 where type = old.type and status = old.status and is_child = (old.parent_operation_id is not null);
    insert into operation_counts values (new.type, new.status, new.parent_operation_id is not null, 1) on conflict do update set n = n + 1;
  end;
  create trigger operation_uncounted after delete on operations begin
    update operation_counts set n = n - 1 where type = old.type and status = old.status and is_child = (old.parent_operation_id is not null);
  end;

  create table metrics (
    operation_id text not null references operations (operation_id) on delete cascade,
    seq integer not null,
    attempt integer not null,
    name text not null,
    at integer not null,
    point text not null,
    primary key (operation_id, seq)
  ) strict, without rowid;

  create table logs (
    operation_id text not null references operations (operation_id) on delete cascade,
    seq integer not null,
    attempt integer not null,
    at integer not null,
    level text not null,
    message text not null,
    primary key (operation_id, seq)
  ) strict, without rowid;

  create table idempotency_keys (
    key text primary key,
    fingerprint text not null,
    operation_id text not null references operations (operation_id) on delete cascade,
    expires_at integer not null
  ) strict;
  create index idempotency_expiry on idempotency_keys (expires_at);
  create index idempotency_operation on idempotency_keys (operation_id);
  `,
]

/**
 * Brings the schema up to date, each migration once, all or nothing.
 * @throws {Error} when the file was written by a newer ktrdr
 */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare('pragma user_version').get()
  const version = Number(row?.user_version)
  if (version > migrations.length) {
    throw new Error(
      `The database has schema ${version}; this ktrdr knows up to ${migrations.length}. Start the newer ktrdr that wrote it.`,
    )
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue
    database.exec(`begin immediate; ${sql}; pragma user_version = ${index + 1}; commit`)
  }
}

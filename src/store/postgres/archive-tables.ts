/** Held while names of the archive change. Any number will do, if all nodes agree. */
const archiveLock = 7_203_813

const nowMs = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

/** Whether `path` lies in a folder: of all characters, `0` is the one after `/`. */
const isBelow = (folder: string) => `(path >= ${folder} || '/' and path < ${folder} || '0')`

/** The identity of the version, or the segment, that a path of a dataset names. */
const sha256Of = (path: string) => `substring(${path} from '([0-9a-f]{64})[.][a-z]+$')`

/*
 * The names of an archive whose bytes are in a bucket. A file exists when its row does. `object_key` is where its bytes
 * are, under a name that is used once; of small files `content` holds them. Those that are `everywhere` are kept by every
 * node: whoever changes one raises `archive_change`.
 * `archive_garbage` lists the objects that no row names: being uploaded since a time, or, at -1, to be deleted.
 */
export const archiveMigration = `
  create table archive_files (
    path text collate "C" primary key,
    sha256 text not null,
    size_bytes bigint not null,
    object_key text unique,
    content bytea,
    everywhere boolean not null,
    stored_at bigint not null,
    check ((object_key is null) != (content is null))
  );
  create index archive_files_everywhere on archive_files (path) where everywhere;
  create index archive_files_name on archive_files (substring(path from '[^/]*$'));
  create table archive_garbage (object_key text primary key, since bigint not null);
  create table archive_change (only_row boolean primary key default true check (only_row), value bigint not null);
  insert into archive_change (value) values (1);

  create function archive_store(new_files jsonb, needs text[], replaced text, expected text, gone boolean, touched text[])
  returns text language plpgsql set search_path from current as $$
  declare
    present text;
    wanted text;
  begin
    perform pg_advisory_xact_lock(${archiveLock});
    if replaced is not null then
      select sha256 into present from archive_files where path = replaced;
      select f->>'sha256' into wanted from jsonb_array_elements(new_files) f where f->>'path' = replaced;
      -- Also what a statement finds that is repeated because its answer was lost.
      if present is not distinct from wanted then return 'stored'; end if;
      if present is distinct from expected then return 'changed'; end if;
    end if;
    if exists (select from unnest(needs) as need (path)
      where not exists (select from archive_files a where a.path = need.path)) then return 'swept'; end if;
    if exists (select from jsonb_array_elements(new_files) f where f->>'object_key' is not null
      and not exists (select from archive_garbage g where g.object_key = f->>'object_key' and g.since > 0)
      and not exists (select from archive_files a where a.object_key = f->>'object_key')) then return 'swept'; end if;
    insert into archive_garbage (object_key, since)
      select a.object_key, -1 from archive_files a join jsonb_array_elements(new_files) f on f->>'path' = a.path
      where a.object_key is not null and a.object_key is distinct from f->>'object_key' on conflict do nothing;
    delete from archive_garbage where object_key in (select f->>'object_key' from jsonb_array_elements(new_files) f);
    insert into archive_files (path, sha256, size_bytes, object_key, content, everywhere, stored_at)
      select f->>'path', f->>'sha256', (f->>'size_bytes')::bigint, f->>'object_key', decode(f->>'content', 'base64'),
        (f->>'everywhere')::boolean, ${nowMs}
      from jsonb_array_elements(new_files) f
      on conflict (path) do update set sha256 = excluded.sha256, size_bytes = excluded.size_bytes,
        object_key = excluded.object_key, content = excluded.content, stored_at = excluded.stored_at;
    if gone then delete from archive_files where path = replaced; end if;
    update archive_files set stored_at = ${nowMs} where path = any (needs) or path = any (touched);
    update archive_change set value = value + 1
      where gone or exists (select from jsonb_array_elements(new_files) f where (f->>'everywhere')::boolean)
        or exists (select from archive_files where everywhere and (path = any (needs) or path = any (touched)));
    return 'stored';
  end $$;

  create function archive_remove(paths text[], folder text, spared text)
  returns void language plpgsql set search_path from current as $$
  begin
    perform pg_advisory_xact_lock(${archiveLock});
    with removed as (
      delete from archive_files where path = any (paths)
        or (${isBelow('folder')} and (spared is null or not ${isBelow('spared')}))
      returning object_key, everywhere
    ), doomed as (
      insert into archive_garbage (object_key, since)
      select object_key, -1 from removed where object_key is not null on conflict do nothing
    )
    update archive_change set value = value + 1 where exists (select from removed where everywhere);
  end $$;

  create function archive_sweep_bars(in_use text[], age_ms bigint)
  returns bigint language plpgsql set search_path from current as $$
  declare
    n bigint;
    before bigint := ${nowMs} - age_ms;
  begin
    perform pg_advisory_xact_lock(${archiveLock});
    delete from archive_files where path ~ '^bars/.*/versions/' and stored_at < before
      and not (${sha256Of('path')} = any (in_use))
      and not exists (
        select from archive_files present
        where present.path = substring(archive_files.path from '^(bars/.*/)versions/') || 'manifest.json'
          and convert_from(present.content, 'UTF8')::jsonb->>'sha256' = ${sha256Of('archive_files.path')}
      );
    with named as (
      select left(path, -length('manifest.json')) as folder, convert_from(content, 'UTF8')::jsonb->'partitions' as segments
      from archive_files where path ~ '^bars/.*/manifest[.]json$'
      union all
      select substring(path from '^(bars/.*/)versions/'), convert_from(content, 'UTF8')::jsonb->'segments'
      from archive_files where path ~ '^bars/.*/versions/'
    ), removed as (
      delete from archive_files where path ~ '^bars/.*/segments/' and stored_at < before
        and path not in (
          select folder || 'segments/' || (segment->>'sha256') || '.arrow'
          from named, jsonb_array_elements(segments) segment
        )
      returning object_key
    ), doomed as (
      insert into archive_garbage (object_key, since)
      select object_key, -1 from removed where object_key is not null on conflict do nothing
    )
    select count(*) into n from removed;
    return n;
  end $$;

  create function archive_sweep_snapshots(in_use text[], age_ms bigint)
  returns void language plpgsql set search_path from current as $$
  begin
    perform pg_advisory_xact_lock(${archiveLock});
    delete from archive_files where path like 'snapshots/%' and stored_at < ${nowMs} - age_ms
      and not (${sha256Of('path')} = any (in_use));
  end $$;

  create function archive_doom_uploads(age_ms bigint)
  returns void language plpgsql set search_path from current as $$
  begin
    perform pg_advisory_xact_lock(${archiveLock});
    update archive_garbage set since = -1 where since > 0 and since < ${nowMs} - age_ms;
  end $$;
`

/** Milliseconds since 1970 by the clock of the database: the nodes need not agree on theirs. */
export const archiveNowMs = nowMs

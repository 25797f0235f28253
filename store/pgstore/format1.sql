create schema if not exists @;

-- What holds for the whole store: one row, which a commit locks.
create table @.head (
	one       boolean primary key default true check (one),
	format    int not null,
	version   bigint not null,     -- the newest
	at        timestamptz not null, -- its time
	kept      bigint not null,     -- older versions cannot be read
	boundary  bigint not null      -- the log has every version after this one
) with (fillfactor = 10);

insert into @.head (format, version, at, kept, boundary) values (1, 1, clock_timestamp(), 1, 1);

-- A row is the value of a key from a version on; null where it was deleted.
create table @.entries (
	key      bytea not null,
	version  bigint not null,
	value    bytea
);

create unique index entries_key on @.entries (key, version desc);

-- A row is a commit. What it did to a key: 0 set, 1 deleted, 2 created.
create table @.log (
	version  bigint primary key,
	id       uuid not null unique,
	at       timestamptz not null,
	keys     bytea[] not null,
	done     bytea not null
);

-- commit makes a proposal a version and returns it; 0 is a conflict. Commits
-- follow each other, for they lock the head.
create function @.commit(proposal uuid, base bigint, lo bytea[], hi bytea[], keys bytea[], vals bytea[], done bytea)
returns bigint language plpgsql as $$
declare
	h    record;
	v    bigint;
	work bigint;
begin
	select h0.version, h0.boundary, h0.at into strict h from @.head h0 for update;
	select l.version into v from @.log l where l.id = proposal;
	if found then
		return v;
	end if;
	if base < h.boundary or base > h.version then
		return 0;
	end if;
	if h.version > base and cardinality(lo) > 0 then
		select sum(cardinality(l.keys)) * cardinality(lo) into work from @.log l where l.version > base;
		if work > 200000 then
			return 0; -- whoever proposes looks for himself, and proposes again
		end if;
		perform 1 from @.log l, unnest(l.keys) k(key), unnest(lo, hi) r(lo, hi)
			where l.version > base and k.key >= r.lo and (r.hi is null or k.key < r.hi) limit 1;
		if found then
			return 0;
		end if;
	end if;
	v := h.version + 1;
	insert into @.entries (key, version, value) select c.key, v, c.value from unnest(keys, vals) c(key, value);
	h.at := greatest(clock_timestamp(), h.at);
	insert into @.log (version, id, at, keys, done) values (v, proposal, h.at, keys, done);
	update @.head set version = v, at = h.at;
	perform pg_notify('#', v::text);
	return v;
end $$;

-- collect drops what can no longer be read once versions are kept for a time, of
-- at most some commits. It returns how many commits it has dropped. Rows that are
-- dropped were replaced by a version of the log, so the log says where they are.
create function @.collect(keep interval, most int)
returns bigint language plpgsql as $$
declare
	old  bigint;
	new  bigint;
begin
	if not pg_try_advisory_xact_lock(hashtextextended('#.collect', 0)) then
		return 0;
	end if;
	select boundary into strict old from @.head;
	select max(l.version) into new
		from (select version, at from @.log where version > old order by version limit most) l
		where l.at < clock_timestamp() - keep;
	if new is null then
		return 0;
	end if;
	delete from @.entries e
		using (select unnest(l.keys) as key, l.version from @.log l where l.version > old and l.version <= new) d
		where e.key = d.key and e.version < d.version;
	delete from @.entries e
		using (select unnest(l.keys) as key, l.version from @.log l where l.version > old and l.version <= new) d
		where e.key = d.key and e.version = d.version and e.value is null;
	delete from @.log where version <= new;
	update @.head set kept = new, boundary = new; -- last, for it keeps commits waiting
	return new - old;
end $$;

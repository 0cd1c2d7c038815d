-- Tables of events by day.  On plain PostgreSQL they are partitioned by UTC day, made ahead and dropped behind by dt-store (dt.maintain);
-- where timescaledb is preloaded they are hypertables.  Everything after their creation is the same SQL for both.

create table dt.series (
	name    text primary key,
	engine  text not null,
	keep    interval not null
);
comment on table dt.series is 'the tables of events by day, who cuts them into days, and how long rows are kept';

-- Only where the library is preloaded may the extension be created: elsewhere trying ends the session.  dt.engine=plain (a setting of the database) declines it.
-- The Apache edition has hypertables but no retention jobs.
create function dt.engine() returns text language plpgsql as $$
begin
	if current_setting('dt.engine', true) = 'plain' or current_setting('timescaledb.disable_load', true) is null then
		return 'plain';
	end if;
	create extension if not exists timescaledb;
	if current_setting('timescaledb.license', true) = 'apache' then
		return 'timescale-apache';
	end if;
	return 'timescale';
end $$;

create function dt.make_series(p_name text, p_columns text, p_keep interval) returns void language plpgsql as $$
declare
	v_engine text := dt.engine();
begin
	insert into dt.series values (p_name, v_engine, p_keep);
	if v_engine = 'plain' then
		execute format('create table dt.%I (%s) partition by range ("timestamp")', p_name, p_columns);
		execute format('create table dt.%I partition of dt.%I default', p_name || '_default', p_name);
		return;
	end if;
	execute format('create table dt.%I (%s)', p_name, p_columns);
	execute format('select create_hypertable(%L, ''timestamp'', chunk_time_interval => interval ''1 day'', create_default_indexes => false)',
	    format('dt.%I', p_name));
	if v_engine = 'timescale' then
		execute format('select add_retention_policy(%L, %L::interval)', format('dt.%I', p_name), p_keep);
	end if;
end $$;

-- Makes the days that are missing.  Rows that found no day of their own are in the default partition and move.
-- Rows that are past retention when they come (of an old capture, of a clock gone wrong) get no day: they stay in the default partition until
-- dt.maintain takes them.  Otherwise a few odd times would make hundreds of tables.
create function dt.ensure_days(p_name text, p_days date[]) returns void language plpgsql set timezone = 'UTC' as $$
declare
	v_day date;
	v_part text;
	v_stray bigint;
	v_keep interval := (select s.keep from dt.series s where s.name = p_name);
begin
	if (select s.engine from dt.series s where s.name = p_name) <> 'plain' then
		return;
	end if;
	foreach v_day in array p_days loop
		v_part := p_name || to_char(v_day, '"_"YYYYMMDD');
		continue when (v_day + 1)::timestamptz <= now() - v_keep;
		continue when to_regclass(format('dt.%I', v_part)) is not null;
		execute format('create temp table dt_stray as select * from dt.%I where "timestamp" >= %L and "timestamp" < %L',
		    p_name || '_default', v_day::timestamptz, (v_day + 1)::timestamptz);
		get diagnostics v_stray = row_count;
		if v_stray > 0 then
			execute format('delete from dt.%I where "timestamp" >= %L and "timestamp" < %L',
			    p_name || '_default', v_day::timestamptz, (v_day + 1)::timestamptz);
		end if;
		execute format('create table dt.%I partition of dt.%I for values from (%L) to (%L)',
		    v_part, p_name, v_day::timestamptz, (v_day + 1)::timestamptz);
		if v_stray > 0 then
			execute format('insert into dt.%I select * from dt_stray', p_name);
		end if;
		drop table dt_stray;
	end loop;
end $$;

-- The days of a series that exist.
create function dt.days(p_name text) returns setof date language sql stable as $$
	select to_date(right(c.relname, 8), 'YYYYMMDD')
	from pg_inherits i join pg_class c on c.oid = i.inhrelid
	where i.inhparent = to_regclass(format('dt.%I', p_name)) and c.relname ~ '_\d{8}$'
$$;

-- Yesterday to three days ahead are made, what is older than is kept goes.  Safe to call at any time.
create function dt.maintain() returns void language plpgsql set timezone = 'UTC' as $$
declare
	v record;
	v_day date;
begin
	for v in select * from dt.series loop
		if v.engine = 'timescale-apache' then
			execute format('select drop_chunks(%L, %L::interval)', format('dt.%I', v.name), v.keep);
		end if;
		continue when v.engine <> 'plain';
		perform dt.ensure_days(v.name, array(select current_date + n from generate_series(-1, 3) n));
		for v_day in select d from dt.days(v.name) d where (d + 1)::timestamptz <= now() - v.keep loop
			execute format('drop table dt.%I', v.name || to_char(v_day, '"_"YYYYMMDD'));
		end loop;
		execute format('delete from dt.%I where "timestamp" < now() - %L::interval', v.name || '_default', v.keep);
	end loop;
end $$;

-- BRIN knows nothing of the newest pages until somebody summarises them: without this the question "the last ten minutes" reads the whole day.
create function dt.summarize() returns bigint language sql as $$
	select coalesce(sum(brin_summarize_new_values(c.oid::regclass)), 0)::bigint
	from pg_class c join pg_am a on a.oid = c.relam
	where a.amname = 'brin' and c.relkind = 'i'
	and c.relnamespace in (select oid from pg_namespace where nspname in ('dt', '_timescaledb_internal'))
$$;

-- What long ranges are answered from: telemetry per character by minute, ten minutes, hour and six hours, spawns by hour, cell of 0.1 degree and monster.
-- dt-store adds to them in the transaction that stores the rows; ordinary tables on every engine.

-- One table in four parts, so that one statement keeps them all.  tier: the seconds of a bucket.
-- Without _n and _sum: as in the last row of the bucket, which was at last_at.  An average is _sum / _n, of the rows that had the number.
create table dt.telemetry_rollup (
	tier                   int not null,
	character_id           int not null,
	bucket                 timestamptz not null,
	last_at                timestamptz not null,
	n                      int not null,
	session_id             int,
	ew                     real,
	ns                     real,
	z                      real,
	kills                  int,
	kills_max              int,
	deaths                 int,
	total_deaths           int,
	rares_found            int,
	prismatic_taper_count  int,
	kills_per_hour_n       int not null,
	mem_mb_n               int not null,
	cpu_pct_n              int not null,
	mem_handles_n          int not null,
	latency_ms_n           int not null,
	kills_per_hour_sum     float8 not null,
	mem_mb_sum             float8 not null,
	cpu_pct_sum            float8 not null,
	mem_handles_sum        float8 not null,
	latency_ms_sum         float8 not null,
	onlinetime             text,
	char_tag               text,
	vt_state               text,
	primary key (tier, character_id, bucket)
) partition by list (tier);
create index telemetry_rollup_time on dt.telemetry_rollup (bucket);
-- room on each page: a bucket is written many times while it is the newest
create table dt.telemetry_1m partition of dt.telemetry_rollup for values in (60) with (fillfactor = 80);
create table dt.telemetry_10m partition of dt.telemetry_rollup for values in (600) with (fillfactor = 60);
create table dt.telemetry_1h partition of dt.telemetry_rollup for values in (3600) with (fillfactor = 60);
create table dt.telemetry_6h partition of dt.telemetry_rollup for values in (21600) with (fillfactor = 60);

create table dt.spawn_cells_1h (
	hour    timestamptz not null,
	ew10    smallint not null,
	ns10    smallint not null,
	mob_id  int not null,
	n       int not null,
	primary key (hour, ew10, ns10, mob_id)
) with (fillfactor = 80);
comment on table dt.spawn_cells_1h is 'spawns counted; ew10 and ns10 are tenths of a degree, rounded';

-- The start of the bucket of so many seconds that a time is in.
create function dt.bucket(p_tier int, p_at timestamptz) returns timestamptz language sql immutable parallel safe as $$
	select date_bin(make_interval(secs => p_tier), p_at, timestamptz '2000-01-01 00:00:00+00')
$$;

-- Raw rows are counted once because they are stored once.  What is past retention is stored again each time it comes, so it is not counted at all.
create function dt.counts_from(p_series text) returns timestamptz language sql stable as $$
	select now() - s.keep from dt.series s where s.name = p_series
$$;

-- ---- how long each is kept ----

create table dt.kept (
	name         text primary key,
	time_column  text not null,
	keep         interval not null
);
comment on table dt.kept is 'roll-ups that do not stay for ever; dt.series has the keep of the rows themselves';
insert into dt.kept values
	('telemetry_1m', 'bucket', '90 days'),
	('telemetry_10m', 'bucket', '1 year'),
	('spawn_cells_1h', 'hour', '30 days');

create function dt.forget_rollups() returns void language plpgsql as $$
declare
	v record;
begin
	for v in select * from dt.kept loop
		execute format('delete from dt.%I where %I < now() - %L::interval', v.name, v.time_column, v.keep);
	end loop;
end $$;

-- ---- the rows that are there already ----

insert into dt.telemetry_rollup
select 60, f.character_id, f.bucket, l."timestamp", f.n, l.session_id, l.ew, l.ns, l.z, l.kills, f.kills_max, l.deaths, l.total_deaths,
	l.rares_found, l.prismatic_taper_count, f.kills_per_hour_n, f.mem_mb_n, f.cpu_pct_n, f.mem_handles_n, f.latency_ms_n,
	f.kills_per_hour_sum, f.mem_mb_sum, f.cpu_pct_sum, f.mem_handles_sum, f.latency_ms_sum, l.onlinetime, l.char_tag, l.vt_state
from (
	select r.character_id, dt.bucket(60, r."timestamp") as bucket, max(r."timestamp") as last_at, count(*) as n, max(r.kills) as kills_max,
		count(r.kills_per_hour) as kills_per_hour_n, count(r.mem_mb) as mem_mb_n, count(r.cpu_pct) as cpu_pct_n,
		count(r.mem_handles) as mem_handles_n, count(r.latency_ms) as latency_ms_n,
		coalesce(sum(r.kills_per_hour::float8), 0) as kills_per_hour_sum, coalesce(sum(r.mem_mb::float8), 0) as mem_mb_sum,
		coalesce(sum(r.cpu_pct::float8), 0) as cpu_pct_sum, coalesce(sum(r.mem_handles::float8), 0) as mem_handles_sum,
		coalesce(sum(r.latency_ms::float8), 0) as latency_ms_sum
	from dt.telemetry r
	group by 1, 2
) f join dt.telemetry l on l.character_id = f.character_id and l."timestamp" = f.last_at;

insert into dt.telemetry_rollup
select f.tier, f.character_id, f.bucket, l.last_at, f.n, l.session_id, l.ew, l.ns, l.z, l.kills, f.kills_max, l.deaths, l.total_deaths,
	l.rares_found, l.prismatic_taper_count, f.kills_per_hour_n, f.mem_mb_n, f.cpu_pct_n, f.mem_handles_n, f.latency_ms_n,
	f.kills_per_hour_sum, f.mem_mb_sum, f.cpu_pct_sum, f.mem_handles_sum, f.latency_ms_sum, l.onlinetime, l.char_tag, l.vt_state
from (
	select t.tier, m.character_id, dt.bucket(t.tier, m.bucket) as bucket, max(m.bucket) as last_minute, sum(m.n) as n, max(m.kills_max) as kills_max,
		sum(m.kills_per_hour_n) as kills_per_hour_n, sum(m.mem_mb_n) as mem_mb_n, sum(m.cpu_pct_n) as cpu_pct_n,
		sum(m.mem_handles_n) as mem_handles_n, sum(m.latency_ms_n) as latency_ms_n, sum(m.kills_per_hour_sum) as kills_per_hour_sum,
		sum(m.mem_mb_sum) as mem_mb_sum, sum(m.cpu_pct_sum) as cpu_pct_sum, sum(m.mem_handles_sum) as mem_handles_sum,
		sum(m.latency_ms_sum) as latency_ms_sum
	from dt.telemetry_1m m cross join (values (600), (3600), (21600)) as t (tier)
	group by 1, 2, 3
) f join dt.telemetry_1m l on l.character_id = f.character_id and l.bucket = f.last_minute;

insert into dt.spawn_cells_1h
select dt.bucket(3600, "timestamp"), round(ew * 10), round(ns * 10), mob_id, count(*) from dt.spawns group by 1, 2, 3, 4;

-- ---- with names ----

create view telemetry_rollups as
	select make_interval(secs => r.tier) as width, r.bucket, c.name as character_name, r.n, r.last_at, s.session as session_id, r.ew, r.ns, r.z,
		r.kills, r.kills_max, r.deaths, r.total_deaths, r.rares_found, r.prismatic_taper_count,
		r.kills_per_hour_sum / nullif(r.kills_per_hour_n, 0) as kills_per_hour, r.mem_mb_sum / nullif(r.mem_mb_n, 0) as mem_mb,
		r.cpu_pct_sum / nullif(r.cpu_pct_n, 0) as cpu_pct, r.mem_handles_sum / nullif(r.mem_handles_n, 0) as mem_handles,
		r.latency_ms_sum / nullif(r.latency_ms_n, 0) as latency_ms, r.onlinetime, r.char_tag, r.vt_state
	from dt.telemetry_rollup r join dt.characters c on c.id = r.character_id left join dt.sessions s on s.id = r.session_id;

create view spawn_cells as
	select g.hour, g.ew10 / 10.0 as ew, g.ns10 / 10.0 as ns, m.name as mob, g.n
	from dt.spawn_cells_1h g join dt.mobs m on m.id = g.mob_id;

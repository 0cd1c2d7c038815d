-- What dt-store keeps of the stream: tables with ids for names in schema dt, views with the names themselves in public.

create table dt.positions (
	sink     text not null,
	journal  text not null,
	seq      bigint not null,
	at       timestamptz not null default now(),
	primary key (sink, journal)
);
comment on table dt.positions is 'up to which _seq of which journal a sink has stored everything; changes with the rows, in one transaction';

-- Moves the position from where the caller believes it to be.  Anything else means that another store, or a session of ours that was thought
-- lost, has written meanwhile: the transaction fails, the caller reads the position again.
create function dt.advance(p_sink text, p_journal text, p_from bigint, p_to bigint) returns void language plpgsql as $$
begin
	insert into dt.positions as p (sink, journal, seq) values (p_sink, p_journal, p_to)
	on conflict (sink, journal) do update set seq = excluded.seq, at = now() where p.seq = p_from;
	if not found then
		raise exception 'the position of % in % is no longer %', p_sink, p_journal, p_from using errcode = 'DT001';
	end if;
end $$;

create table dt.characters (
	id            int primary key,
	name          text not null unique,
	total_kills   bigint not null default 0,
	total_deaths  bigint not null default 0,
	deaths_at     timestamptz,
	total_rares   bigint not null default 0,
	telemetry_at  timestamptz,
	spawn_at      timestamptz
) with (fillfactor = 50);
comment on column dt.characters.telemetry_at is 'timestamp of the newest telemetry row: what is newer cannot be there twice';

create table dt.sessions (
	id            int primary key,
	character_id  int not null,
	session       text not null,
	first_at      timestamptz not null,
	last_at       timestamptz,
	kills         bigint not null default 0,
	deaths        bigint not null default 0,
	rares         bigint not null default 0,
	unique (character_id, session)
) with (fillfactor = 50);
create index on dt.sessions (character_id, first_at);
comment on column dt.sessions.kills is 'the counter as last seen (at last_at): totals grow by what it grows';

create table dt.mobs (
	id    int primary key,
	name  text not null unique
);

select dt.make_series('telemetry', $$
	"timestamp"             timestamptz not null,
	received_at             timestamptz not null,
	character_id            int not null,
	session_id              int,
	ew                      real,
	ns                      real,
	z                       real,
	kills                   int,
	kills_per_hour          real,
	deaths                  int,
	total_deaths            int,
	rares_found             int,
	prismatic_taper_count   int,
	mem_mb                  real,
	cpu_pct                 real,
	mem_handles             int,
	latency_ms              real,
	onlinetime              text,
	char_tag                text,
	vt_state                text
$$, '30 days');
-- ascending on purpose: descending keys cost half as much again on disk and are read no faster
create unique index telemetry_character_time on dt.telemetry (character_id, "timestamp");
create index telemetry_time on dt.telemetry using brin ("timestamp") with (pages_per_range = 32);

select dt.make_series('spawns', $$
	"timestamp"   timestamptz not null,
	character_id  int not null,
	mob_id        int not null,
	ew            real not null,
	ns            real not null,
	z             real
$$, '7 days');
create index spawns_character_time on dt.spawns (character_id, "timestamp");
create index spawns_time on dt.spawns using brin ("timestamp") with (pages_per_range = 32);

create table dt.rares (
	id            bigint generated always as identity primary key,
	"timestamp"   timestamptz not null,
	character_id  int not null,
	session_id    int,
	second        bigint not null,
	name          text not null,
	tier          text not null,
	ew            real,
	ns            real,
	z             real,
	counted       boolean not null,
	unique (character_id, name, second)
);
create index on dt.rares ("timestamp");
comment on column dt.rares.second is 'the event''s own time: a rare is there once per character, name and second';
comment on column dt.rares.counted is 'is in the totals; those of a replay are not';

create table dt.portals (
	ns10           int not null,
	ew10           int not null,
	portal_name    text not null,
	ns             real not null,
	ew             real not null,
	z              real,
	discovered_at  timestamptz not null,
	character_id   int not null,
	stored_at      timestamptz not null default now(),
	primary key (ns10, ew10)
);

create table dt.dead_letters (
	id           bigint generated always as identity primary key,
	journal      text not null,
	seq          bigint not null,
	received_at  timestamptz not null,
	reason       text not null,
	event        text not null
);

-- Absolute values, as dt-store has them in memory after the rows of this transaction.
create function dt.save_characters(p_id int[], p_kills bigint[], p_deaths bigint[], p_deaths_at timestamptz[], p_telemetry_at timestamptz[],
	p_spawn_at timestamptz[]) returns void language sql as $$
	update dt.characters c set total_kills = v.kills, total_deaths = v.deaths, deaths_at = v.deaths_at, telemetry_at = v.telemetry_at,
		spawn_at = v.spawn_at
	from unnest(p_id, p_kills, p_deaths, p_deaths_at, p_telemetry_at, p_spawn_at) as v (id, kills, deaths, deaths_at, telemetry_at, spawn_at)
	where c.id = v.id
$$;

create function dt.save_sessions(p_id int[], p_first_at timestamptz[], p_last_at timestamptz[], p_kills bigint[], p_deaths bigint[])
	returns void language sql as $$
	update dt.sessions s set first_at = v.first_at, last_at = v.last_at, kills = v.kills, deaths = v.deaths
	from unnest(p_id, p_first_at, p_last_at, p_kills, p_deaths) as v (id, first_at, last_at, kills, deaths)
	where s.id = v.id
$$;

create view telemetry_events as
	select t."timestamp", t.received_at, c.name as character_name, t.char_tag, s.session as session_id, t.ew, t.ns, t.z, t.kills, t.kills_per_hour,
		t.onlinetime, t.deaths, t.total_deaths, t.rares_found, t.prismatic_taper_count, t.vt_state, t.mem_mb, t.cpu_pct, t.mem_handles, t.latency_ms
	from dt.telemetry t join dt.characters c on c.id = t.character_id left join dt.sessions s on s.id = t.session_id;

create view spawn_events as
	select e."timestamp", c.name as character_name, m.name as mob, e.ew, e.ns, e.z
	from dt.spawns e join dt.characters c on c.id = e.character_id join dt.mobs m on m.id = e.mob_id;

create view rare_events as
	select r."timestamp", c.name as character_name, r.name, r.tier, r.ew, r.ns, r.z
	from dt.rares r join dt.characters c on c.id = r.character_id;

create view portals as
	select p.portal_name, p.ns, p.ew, p.z, p.discovered_at, c.name as discovered_by
	from dt.portals p join dt.characters c on c.id = p.character_id;

create view char_stats as
	select name as character_name, total_kills from dt.characters;

create view rare_stats as
	select name as character_name, total_rares from dt.characters where total_rares > 0;

create view rare_stats_sessions as
	select c.name as character_name, s.session as session_id, s.rares as session_rares
	from dt.sessions s join dt.characters c on c.id = s.character_id where s.rares > 0;

create view dead_letters as
	select seq, received_at, reason, event from dt.dead_letters;

-- What is newest of each character, what combat adds up to, and where a total's beginning is, so that it can be added up again from the journal.

alter table dt.positions add column first_seq bigint;
comment on column dt.positions.first_seq is 'the first event that was read of this journal; what was before it is not in the totals, unless it came from elsewhere';
update dt.positions set first_seq = 0;

alter table dt.characters
	add column journal text,
	add column first_seq bigint,
	add column session_id int,
	add column session_at timestamptz,
	add column tapers int,
	add column tapers_at timestamptz;
comment on column dt.characters.first_seq is 'the event of which journal made this row; null when it came from a capture file';
comment on column dt.characters.session_id is 'the session of the newest telemetry that counts, of session_at';

alter table dt.sessions
	add column journal text,
	add column first_seq bigint,
	add column deaths_at timestamptz,
	add column kills_sum bigint not null default 0,
	add column deaths_sum bigint not null default 0;
comment on column dt.sessions.deaths_at is 'when its deaths were as they are, as last_at is for its kills; null: at last_at';
comment on column dt.sessions.kills_sum is 'what this session has added to total_kills; more than its counter when that was reset';

-- Which session a rare fell into follows from the times, whatever came first.
drop view rare_stats_sessions;
alter table dt.sessions drop column rares;
alter table dt.rares drop column session_id;
create view rare_stats_sessions as
	select c.name as character_name, s.session as session_id, count(*) as session_rares
	from dt.rares r join dt.characters c on c.id = r.character_id cross join lateral (
		select n.session from dt.sessions n where n.character_id = r.character_id and n.first_at < to_timestamp(r.second + 1)
		order by n.first_at desc limit 1
	) s
	where r.counted group by 1, 2;

drop function dt.save_characters(int[], bigint[], bigint[], timestamptz[], timestamptz[], timestamptz[]);
create function dt.save_characters(p_id int[], p_kills bigint[], p_deaths bigint[], p_deaths_at timestamptz[], p_telemetry_at timestamptz[],
	p_spawn_at timestamptz[], p_session_id int[], p_session_at timestamptz[], p_tapers int[], p_tapers_at timestamptz[]) returns void language sql as $$
	update dt.characters c set total_kills = v.kills, total_deaths = v.deaths, deaths_at = v.deaths_at, telemetry_at = v.telemetry_at,
		spawn_at = v.spawn_at, session_id = v.session_id, session_at = v.session_at, tapers = v.tapers, tapers_at = v.tapers_at
	from unnest(p_id, p_kills, p_deaths, p_deaths_at, p_telemetry_at, p_spawn_at, p_session_id, p_session_at, p_tapers, p_tapers_at)
		as v (id, kills, deaths, deaths_at, telemetry_at, spawn_at, session_id, session_at, tapers, tapers_at)
	where c.id = v.id
$$;

drop function dt.save_sessions(int[], timestamptz[], timestamptz[], bigint[], bigint[]);
create function dt.save_sessions(p_id int[], p_first_at timestamptz[], p_last_at timestamptz[], p_kills bigint[], p_deaths bigint[],
	p_deaths_at timestamptz[], p_kills_sum bigint[], p_deaths_sum bigint[]) returns void language sql as $$
	update dt.sessions s set first_at = v.first_at, last_at = v.last_at, kills = v.kills, deaths = v.deaths, deaths_at = v.deaths_at,
		kills_sum = v.kills_sum, deaths_sum = v.deaths_sum
	from unnest(p_id, p_first_at, p_last_at, p_kills, p_deaths, p_deaths_at, p_kills_sum, p_deaths_sum)
		as v (id, first_at, last_at, kills, deaths, deaths_at, kills_sum, deaths_sum)
	where s.id = v.id
$$;

-- ---- combat: counters of a character's life, and what its sessions said last ----

create function dt.combat_direction(p_cell smallint) returns text language sql immutable strict as $$
	select (array['given', 'received'])[p_cell / 64 + 1]
$$;
create function dt.combat_attack(p_cell smallint) returns text language sql immutable strict as $$
	select (array['melee_missile', 'magic', 'unknown'])[p_cell / 16 % 4 + 1]
$$;
create function dt.combat_element(p_cell smallint) returns text language sql immutable strict as $$
	select (array['Slash', 'Pierce', 'Bludgeon', 'Fire', 'Cold', 'Acid', 'Electric', 'Nether', 'Typeless', 'None', 'Unknown'])[p_cell % 16 + 1]
$$;

create table dt.combat (
	character_id   int not null,
	mob_id         int not null,
	cell           smallint not null,
	attacks        bigint not null,
	failed         bigint not null,
	crits          bigint not null,
	normal_damage  bigint not null,
	max_normal     bigint not null,
	crit_damage    bigint not null,
	max_crit       bigint not null,
	primary key (character_id, mob_id, cell)
) with (fillfactor = 70);
comment on column dt.combat.cell is 'direction * 64 + attack type * 16 + element, see dt.combat_direction, dt.combat_attack and dt.combat_element';

create table dt.combat_mobs (
	character_id     int not null,
	mob_id           int not null,
	kills            bigint not null,
	aetheria_surges  bigint not null,
	cloak_surges     bigint not null,
	primary key (character_id, mob_id)
) with (fillfactor = 70);

create table dt.combat_characters (
	character_id     int primary key,
	kills            bigint not null,
	damage_given     bigint not null,
	damage_received  bigint not null,
	updated_at       timestamptz not null
) with (fillfactor = 50);

create table dt.combat_sessions (
	session_id           int primary key,
	character_id         int not null,
	at                   timestamptz,
	seq                  bigint,
	received_at          timestamptz not null,
	kills_sum            bigint not null,
	damage_given_sum     bigint not null,
	damage_received_sum  bigint not null,
	snapshot             json not null,
	known                json
);
create index on dt.combat_sessions (character_id, (coalesce(at, received_at)));
comment on column dt.combat_sessions.at is 'the snapshot''s own time, null when it has none that is believed';
comment on column dt.combat_sessions.kills_sum is 'what this session has added to the totals of its character';
comment on column dt.combat_sessions.known is 'all counters that are known, where the last snapshot does not mention them all';

create view combat_stats as
	select c.name as character_name, m.name as monster, dt.combat_direction(x.cell) as direction, dt.combat_attack(x.cell) as attack_type,
		dt.combat_element(x.cell) as element, x.attacks, x.failed, x.crits, x.normal_damage, x.max_normal, x.crit_damage, x.max_crit
	from dt.combat x join dt.characters c on c.id = x.character_id join dt.mobs m on m.id = x.mob_id;

create view combat_stats_monsters as
	select c.name as character_name, m.name as monster, x.kills, x.aetheria_surges, x.cloak_surges
	from dt.combat_mobs x join dt.characters c on c.id = x.character_id join dt.mobs m on m.id = x.mob_id;

create view combat_stats_totals as
	select c.name as character_name, x.kills, x.damage_given, x.damage_received, x.updated_at
	from dt.combat_characters x join dt.characters c on c.id = x.character_id;

create view combat_stats_sessions as
	select c.name as character_name, s.session as session_id, x.at as "timestamp", x.seq, x.received_at, x.snapshot
	from dt.combat_sessions x join dt.characters c on c.id = x.character_id join dt.sessions s on s.id = x.session_id;

-- ---- the newest of each kind ----

create table dt.character_stats (
	character_id  int primary key,
	at            timestamptz not null,
	received_at   timestamptz not null,
	event         jsonb not null
);

-- Uploads are merged: what one does not mention stays, but for the keys that it says are gone.
create function dt.merge_character_stats() returns bigint language plpgsql as $$
declare
	v record;
	v_n bigint := 0;
begin
	for v in select * from stage_character_stats g order by g.seq loop
		insert into dt.character_stats as s (character_id, at, received_at, event) values (v.character_id, v.at, v.received_at, v.event - v.skip)
		on conflict (character_id) do update set at = excluded.at, received_at = excluded.received_at, event = s.event - v.gone || excluded.event
		where excluded.at >= s.at;
		if found then
			v_n := v_n + 1;
		end if;
	end loop;
	return v_n;
end $$;

create table dt.quests (
	character_id  int not null,
	quest_name    text not null,
	at            timestamptz not null,
	received_at   timestamptz not null,
	countdown     text not null,
	seconds       bigint,
	flag          text,
	solves        int,
	max_solves    int,
	completed_on  bigint,
	repeat_s      bigint,
	primary key (character_id, quest_name)
);
comment on column dt.quests.seconds is 'of countdown, at "at"; 0: ready; null: not understood';

create table dt.equipment_cantrips (
	character_id  int primary key,
	at            timestamptz not null,
	received_at   timestamptz not null,
	event         jsonb not null
);

create table dt.dungeon_maps (
	landblock     text primary key,
	at            timestamptz not null,
	received_at   timestamptz not null,
	character_id  int not null,
	event         jsonb not null
);

create table dt.server_status (
	one           boolean primary key default true check (one),
	at            timestamptz not null,
	received_at   timestamptz not null,
	server        text,
	online        boolean,
	latency_ms    real,
	player_count  int,
	uptime_s      bigint,
	last_checked  timestamptz,
	event         json not null
);

create view character_stats as
	select c.name as character_name, x.at as "timestamp", x.received_at, x.event
	from dt.character_stats x join dt.characters c on c.id = x.character_id;

create view quests as
	select c.name as character_name, x.quest_name, x.at as "timestamp", x.received_at, x.countdown, x.seconds,
		x.at + make_interval(secs => x.seconds) as ready_at, x.flag, x.solves, x.max_solves, x.completed_on, x.repeat_s
	from dt.quests x join dt.characters c on c.id = x.character_id;

create view equipment_cantrip_state as
	select c.name as character_name, x.at as "timestamp", x.received_at, x.event
	from dt.equipment_cantrips x join dt.characters c on c.id = x.character_id;

create view dungeon_maps as
	select x.landblock, x.event ->> 'name' as name, x.at as "timestamp", x.received_at, c.name as character_name, x.event
	from dt.dungeon_maps x join dt.characters c on c.id = x.character_id;

create view server_status as
	select server, online, latency_ms, player_count, uptime_s, last_checked, at as "timestamp", received_at from dt.server_status;

-- ---- the board that people share: dt-serve writes it ----

create table issues (
	id          bigint generated always as identity primary key,
	title       text not null,
	body        text not null default '',
	category    text not null default '',
	state       text not null default 'open' check (state in ('open', 'done')),
	author      text not null,
	created_at  timestamptz not null default now(),
	updated_at  timestamptz not null default now()
);

create table issue_comments (
	id          bigint generated always as identity primary key,
	issue_id    bigint not null references issues on delete cascade,
	author      text not null,
	body        text not null,
	created_at  timestamptz not null default now(),
	updated_at  timestamptz not null default now()
);
create index on issue_comments (issue_id, id);

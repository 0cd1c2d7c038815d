-- What every character carries.  One flat row per item (dt.items) with numbers for names, and beside it the item as the plugin sent it (dt.item_raw).
-- The tables in public are views of them with the names themselves.

-- Grows with every change.  There is one writer and it commits in order: who has seen version n has seen all before it.
create sequence dt.version;

create table dt.characters (
	id           int primary key,
	name         text not null unique,
	item_count   int not null default 0,
	snapshot_at  timestamptz,
	updated_at   timestamptz,
	own_at       timestamptz,
	deltas       int not null default 0,
	drift        int not null default 0,
	drift_total  bigint not null default 0,
	version      bigint not null default nextval('dt.version')
) with (fillfactor = 50);
comment on column dt.characters.own_at is 'the newest event''s own time: what a replay or a capture says of an earlier one changes nothing';
comment on column dt.characters.deltas is 'since the snapshot';
comment on column dt.characters.drift is 'items in which the newest snapshot and the deltas since the one before disagreed';

create table dt.items (
	item_id               int primary key,
	character_id          int not null,
	version               bigint not null default nextval('dt.version'),
	hash                  bigint not null,
	updated_at            timestamptz not null,
	name                  text,
	description           text,
	object_class          int,
	icon                  int,
	wcid                  int,
	item_type             bigint,
	container_id          int not null,
	container_sent        int not null,
	position              int,
	equipped_slot         bigint not null,
	valid_slots           bigint,
	coverage              bigint,
	stack_count           int,
	max_stack             int,
	value                 int,
	burden                int,
	material_id           int,
	set_id                int,
	armor_level           int,
	base_armor_level      int,
	workmanship           real,
	tinks                 int,
	imbue                 bigint,
	damage_min            real,
	damage_max            int,
	damage_type           bigint,
	wield_level           int,
	wield_skill           int,
	wield_skill_level     int,
	spells                int[] not null,
	active_spells         int[] not null,
	cantrip_level         smallint,
	r_damage              smallint,
	r_damage_resist       smallint,
	r_crit                smallint,
	r_crit_resist         smallint,
	r_crit_damage         smallint,
	r_crit_damage_resist  smallint,
	r_heal_boost          smallint,
	r_vitality            smallint,
	bonded                boolean,
	attuned               boolean,
	rare                  boolean,
	has_id_data           boolean,
	noted_at              timestamptz,
	noted_stack           int,
	noted_container       int
) with (autovacuum_vacuum_scale_factor = 0.05);
create index on dt.items (character_id);
create index on dt.items (version);
comment on column dt.items.item_id is 'the object id as the game has it, signed';
comment on column dt.items.hash is 'of the item as sent, but for the time of its appraisal';
comment on column dt.items.container_id is '0: on the body or in the main pack';
comment on column dt.items.container_sent is 'what the plugin called its container, be it a pack of this character or not; 0: worn, or not said';
comment on column dt.items.equipped_slot is 'bits of where it is worn; 0: it is not';
comment on column dt.items.cantrip_level is 'rank of its best cantrip';
comment on column dt.items.noted_at is 'when item_moves last told of it, and what: a change is told at most once an hour';

-- Items that are as they were, but in another place: what dt-store has in memory after the events of this transaction.  0 and -1 stand for null.
create function dt.place_items(p_item int[], p_character int[], p_container int[], p_updated bigint[], p_noted bigint[], p_stack int[], p_noted_container int[])
	returns void language sql as $$
	update dt.items i set character_id = v.character_id, container_id = v.container_id, version = nextval('dt.version'),
		updated_at = to_timestamp(v.updated / 1e6), noted_at = to_timestamp(nullif(v.noted, 0) / 1e6), noted_stack = nullif(v.stack, -1),
		noted_container = case when v.noted <> 0 then v.noted_container end
	from unnest(p_item, p_character, p_container, p_updated, p_noted, p_stack, p_noted_container)
		as v (item_id, character_id, container_id, updated, noted, stack, noted_container)
	where i.item_id = v.item_id
$$;

create table dt.item_raw (
	item_id  int primary key,
	raw      json not null
) with (autovacuum_vacuum_scale_factor = 0.05);
comment on column dt.item_raw.raw is 'json, not jsonb: numbers as they were sent';

create table dt.gone (
	version  bigint not null default nextval('dt.version') primary key,
	item_id  int not null unique,
	at       timestamptz not null default now()
);
comment on table dt.gone is 'items that have been nowhere since, of the last hour';
insert into dt.meta values ('gone_through', '0');

create table dt.item_moves (
	id              bigint generated always as identity primary key,
	at              timestamptz not null,
	item_id         int not null,
	name            text,
	kind            text not null,
	from_character  int,
	to_character    int,
	from_container  int,
	to_container    int,
	stack_before    int,
	stack_after     int,
	source          text not null
);
create index on dt.item_moves (item_id, id);
create index on dt.item_moves (at);
comment on column dt.item_moves.kind is 'looted, moved (from another character), changed, lost';
comment on column dt.item_moves.source is 'delta, snapshot, or drift: a snapshot that should have told nothing new';

create table dt.names (
	kind  text not null,
	id    bigint not null,
	name  text not null,
	word  text not null,
	primary key (kind, id)
);
comment on table dt.names is 'the game''s names of ids and bits; dt-store fills it';
create table dt.spells (
	id        int primary key,
	name      text not null,
	category  int not null,
	cantrip   smallint not null,
	buff      smallint not null
);

-- ---- views ----

create function dt.hex(p_id int) returns text language sql immutable parallel safe as $$
	select upper(lpad(to_hex(p_id), 8, '0'))
$$;

create function dt.name_of(p_kind text, p_id bigint) returns text language sql stable parallel safe as $$
	select name from dt.names where kind = p_kind and id = p_id
$$;

-- "Chest, Upper Arms": what the bits of a mask mean.
create function dt.names_of(p_kind text, p_mask bigint) returns text language sql stable parallel safe as $$
	select string_agg(name, ', ' order by id) from dt.names where kind = p_kind and id <> 0 and id & p_mask = id
$$;

create view items as
	select i.item_id, dt.hex(i.item_id) as item_id_hex, c.name as character_name, i.name,
		case when m.name is null or starts_with(lower(i.name), lower(m.name)) then i.name else m.name || ' ' || i.name end as display_name,
		i.object_class as object_class_id, o.name as object_class, i.icon, i.wcid, i.item_type, i.container_id, p.name as container, i.position,
		i.equipped_slot <> 0 as equipped, i.equipped_slot, i.valid_slots, i.coverage, i.stack_count, i.max_stack, i.value, i.burden,
		i.bonded, i.attuned, i.rare, i.has_id_data, i.description, i.updated_at
	from dt.items i join dt.characters c on c.id = i.character_id
	left join dt.names m on m.kind = 'material' and m.id = i.material_id
	left join dt.names o on o.kind = 'object_class' and o.id = i.object_class
	left join dt.items p on p.item_id = i.container_id;

create view item_combat_stats as
	select item_id, armor_level, base_armor_level, damage_min, damage_max, damage_type as damage_type_id, dt.names_of('damage_type', damage_type) as damage_type
	from dt.items;

create view item_requirements as
	select i.item_id, i.wield_level, i.wield_skill as wield_skill_id, s.name as wield_skill, i.wield_skill_level
	from dt.items i left join dt.names s on s.kind = 'skill' and s.id = i.wield_skill;

create view item_enhancements as
	select i.item_id, i.material_id, m.name as material, i.set_id as item_set_id, s.name as item_set, i.workmanship, i.tinks, i.imbue as imbue_bits,
		dt.names_of('imbue', i.imbue) as imbue
	from dt.items i
	left join dt.names m on m.kind = 'material' and m.id = i.material_id
	left join dt.names s on s.kind = 'set' and s.id = i.set_id;

create view item_ratings as
	select item_id, r_damage as damage_rating, r_damage_resist as damage_resist_rating, r_crit as crit_rating, r_crit_resist as crit_resist_rating,
		r_crit_damage as crit_damage_rating, r_crit_damage_resist as crit_damage_resist_rating, r_heal_boost as heal_boost_rating,
		r_vitality as vitality_rating
	from dt.items;

create view item_spells as
	select i.item_id, u.spell_id, s.name as spell, s.category, u.active
	from dt.items i
	cross join lateral (select unnest(i.spells), false union all select unnest(i.active_spells), true) as u (spell_id, active)
	left join dt.spells s on s.id = u.spell_id;

create view item_raw_data as
	select item_id, raw::jsonb as raw from dt.item_raw;

create view containers as
	select c.name as character_name, p.item_id as container_id, dt.hex(p.item_id) as container_id_hex, p.name,
		(select count(*) from dt.items i where i.character_id = p.character_id and i.container_id = p.item_id)::int as item_count
	from dt.items p join dt.characters c on c.id = p.character_id
	where p.object_class in (10, 38);

create view item_moves as
	select m.id, m.at, m.kind, m.item_id, dt.hex(m.item_id) as item_id_hex, m.name, f.name as from_character, t.name as to_character,
		m.from_container, m.to_container, m.stack_before, m.stack_after, m.source
	from dt.item_moves m left join dt.characters f on f.id = m.from_character left join dt.characters t on t.id = m.to_character;

create view inventory_characters as
	select name as character_name, item_count, snapshot_at, updated_at, drift, drift_total from dt.characters;

-- Who took it: moves of item $1, of items whose name contains $2 (case-blind), of or to character $3, of kind $4 (null: of any), from $5 up to $6,
-- older than move $7, at most $8, newest first.
select m.at, m.kind, m.item_id, m.item_id_hex, m.name, m.from_character, m.to_character, m.from_container, m.to_container, m.stack_before, m.stack_after, m.source,
	m.id as cursor
from item_moves m
where ($1::int is null or m.item_id = $1::int) and ($2::text is null or position(lower($2::text) in lower(m.name)) > 0)
	and ($3::text is null or m.from_character = $3::text or m.to_character = $3::text) and ($4::text is null or m.kind = $4::text)
	and ($5::timestamptz is null or m.at >= $5::timestamptz) and ($6::timestamptz is null or m.at < $6::timestamptz)
	and ($7::bigint is null or m.id < $7::bigint)
order by m.id desc
limit $8::bigint;

create temp table if not exists stage_moves (
	n bigint, at timestamptz, item_id int, name text, kind text, from_character int, to_character int, from_container int, to_container int,
	stack_before int, stack_after int, source text
)

create temp table if not exists stage_rares (
	"timestamp" timestamptz, second bigint, character_id int, name text, tier text, ew real, ns real, z real, counted boolean
)

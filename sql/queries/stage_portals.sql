create temp table if not exists stage_portals (
	ns10 int, ew10 int, portal_name text, ns real, ew real, z real, discovered_at timestamptz, character_id int
)

select id, name, deltas, drift, drift_total, (extract(epoch from snapshot_at) * 1000000)::bigint as snapshot_us,
	(extract(epoch from updated_at) * 1000000)::bigint as updated_us, (extract(epoch from own_at) * 1000000)::bigint as own_us
from dt.characters

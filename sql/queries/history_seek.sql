-- GET /history, where a span had no row: the first bucket of tier $3 that begins from $1 up to $2 (null: none).
select min(r.bucket) from dt.telemetry_rollup r where r.tier = $3::int and r.bucket >= $1::timestamptz and r.bucket < $2::timestamptz;

-- What is known of the combat of these sessions ($1).
select session_id, (extract(epoch from at) * 1000000)::bigint as at_us, seq, snapshot, known
from dt.combat_sessions where session_id = any($1::int[])

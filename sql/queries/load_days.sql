select 'telemetry' as series, d - date '1970-01-01' as day from dt.days('telemetry') d
union all select 'spawns', d - date '1970-01-01' from dt.days('spawns') d

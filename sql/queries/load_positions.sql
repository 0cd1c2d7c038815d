-- The journal that was stored from last comes last.
select journal, seq from dt.positions where sink = $1 order by at

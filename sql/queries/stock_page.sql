select item_id, raw::text from dt.item_raw where item_id > $1::bigint order by item_id limit 1000

select item_id, raw::text from dt.item_raw where item_id = any($1::int[])

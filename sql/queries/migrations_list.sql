select name, checksum from dt.migrations order by name

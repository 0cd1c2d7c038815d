select key, value from dt.meta

select dt.maintain()

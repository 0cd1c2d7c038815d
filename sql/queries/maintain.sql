select dt.maintain(), dt.forget_rollups()

select dt.summarize()

select dt.merge_character_stats() as merged_character_stats

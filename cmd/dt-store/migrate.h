/* migrate: the numbered files of sql/<database>, each applied once, in order, in a transaction of its own. */
#ifndef MIGRATE_H
#define MIGRATE_H
#include <stddef.h>

struct migration {
	char *name;                  /* "001_series.sql" */
	char *sql;
	char checksum[17];
	int applied;
};
struct migrations { struct migration *list; size_t n; };

/* Reads the files; dies with 78 when there are none or one is not readable. */
void migrations_read(struct migrations *, const char *directory);
void migrations_fini(struct migrations *);

/* The database says that it has this one.  Dies with 78 when its file has changed since, or is not there: that database is not for this program. */
void migrations_mark(struct migrations *, const char *name, const char *checksum);
/* What applies it and records that; free it. */
char *migration_sql(const struct migration *);

#endif

#include "migrate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buf/buf.h"
#include "log/log.h"
#include "mem/mem.h"

#define FILE_MAX (1u << 20)

static int
is_migration(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return strspn(d->d_name, "0123456789") == 3 && d->d_name[3] == '_' && len > 8 && strcmp(d->d_name + len - 4, ".sql") == 0;
}

static char *
read_file(const char *directory, const char *name)
{
	char *path = xasprintf("%s/%s", directory, name), *text = xmalloc(FILE_MAX + 1);
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		die(EX_CONFIG, "unable to read %s: %s", path, strerror(errno));
	n = fread(text, 1, FILE_MAX, f);
	if (ferror(f) || n == 0 || n == FILE_MAX)
		die(EX_CONFIG, "unable to read %s: %s", path, ferror(f) ? strerror(errno) : n ? "too long" : "empty");
	text[n] = '\0';
	(void)fclose(f);
	free(path);
	return xrealloc(text, n + 1);
}

/* FNV-1a: it guards against editing by mistake, not against malice. */
static void
checksum(const char *text, char out[17])
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	(void)snprintf(out, 17, "%016" PRIx64, h);
}

void
migrations_read(struct migrations *m, const char *directory)
{
	struct dirent **entry;
	int n = scandir(directory, &entry, is_migration, alphasort);

	if (n == -1)
		die(EX_CONFIG, "unable to read %s: %s", directory, strerror(errno));
	if (n == 0)
		die(EX_CONFIG, "no migrations in %s", directory);
	m->list = xcalloc((size_t)n, sizeof *m->list);
	m->n = (size_t)n;
	for (int i = 0; i < n; i++) {
		m->list[i].name = xstrdup(entry[i]->d_name);
		m->list[i].sql = read_file(directory, entry[i]->d_name);
		checksum(m->list[i].sql, m->list[i].checksum);
		free(entry[i]);
	}
	free(entry);
}

void
migrations_fini(struct migrations *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].name);
		free(m->list[i].sql);
	}
	free(m->list);
	*m = (struct migrations){ 0 };
}

void
migrations_mark(struct migrations *m, const char *name, const char *sum)
{
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->list[i].name, name) != 0)
			continue;
		if (strcmp(m->list[i].checksum, sum) != 0)
			die(EX_CONFIG, "migration %s was changed after the database had it; put it back and make a new file of the change", name);
		m->list[i].applied = 1;
		return;
	}
	die(EX_CONFIG, "the database has migration %s, which this version does not know: it belongs to a newer one", name);
}

char *
migration_sql(const struct migration *m)
{
	return xasprintf("set local statement_timeout = 0; %s\n;insert into dt.migrations (name, checksum) values ('%s', '%s')", m->sql, m->name, m->checksum);
}

#include "stat/stat.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"

#define PERIOD_MS 1000
#define LABELS_MAX 64

static const struct stat_info infos[STAT_COUNT + 1] = {
#define STAT(id, program, name, kind, label, help) { program, name, kind, label, help },
#include "stat/stats.def"
#undef STAT
	{ NULL, NULL, STAT_COUNTER, NULL, NULL }
};

struct cell {
	char *label_value;
	int64_t value;
	struct cell *next;
};

static struct {
	int64_t value[STAT_COUNT + 1];
	struct cell *cells[STAT_COUNT + 1];      /* in the order they appeared */
	char *name, *path, *new_path;
	int64_t started_us, next_ms;
	int failing;
} S;

const struct stat_info *
stat_info(enum stat_id id)
{
	return &infos[id];
}

void
stat_add(enum stat_id id, int64_t n)
{
	S.value[id] += n;
}

void
stat_set(enum stat_id id, int64_t value)
{
	S.value[id] = value;
}

int64_t
stat_get(enum stat_id id)
{
	return S.value[id];
}

int64_t *
stat_cell(enum stat_id id, const char *label_value)
{
	struct cell **at = &S.cells[id];
	unsigned n = 0;

	for (; *at != NULL; at = &(*at)->next, n++)
		if (strcmp((*at)->label_value, label_value) == 0)
			return &(*at)->value;
	if (n >= LABELS_MAX && strcmp(label_value, "other") != 0)
		return stat_cell(id, "other");
	*at = xcalloc(1, sizeof **at);
	(*at)->label_value = xstrdup(label_value);
	return &(*at)->value;
}

static void
append_family(struct buf *b, enum stat_id id, const char *comma)
{
	(void)buf_printf(b, "%s\"%s\":", comma, infos[id].name);
	if (infos[id].label == NULL) {
		(void)buf_printf(b, "%lld", (long long)S.value[id]);
		return;
	}
	(void)buf_appends(b, "{");
	for (const struct cell *c = S.cells[id]; c != NULL; c = c->next) {
		if (c != S.cells[id])
			(void)buf_appends(b, ",");
		(void)buf_append_json(b, c->label_value, strlen(c->label_value));
		(void)buf_printf(b, ":%lld", (long long)c->value);
	}
	(void)buf_appends(b, "}");
}

static void
compose(struct buf *b, int stopped)
{
	/* a program's families: "store" is exported by dt-store and by dt-store-inventory */
	const char *program = strncmp(S.name, "dt-", 3) == 0 ? S.name + 3 : S.name, *comma = "";
	char started[CLOCK_ISO_SIZE], at[CLOCK_ISO_SIZE];

	(void)clock_format_iso(S.started_us, started);
	(void)clock_format_iso(clock_wall_us(), at);
	(void)buf_printf(b, "{\"program\":\"%s\",\"pid\":%d,\"version\":\"%s\",\"started\":\"%s\",\"at\":\"%s\",\"stopped\":%s,\"metrics\":{",
	    S.name, (int)getpid(), build_version, started, at, stopped ? "true" : "false");
	for (int id = 0; id < STAT_COUNT; id++) {
		size_t len = strlen(infos[id].program);
		if (strncmp(program, infos[id].program, len) != 0 || (program[len] != '\0' && program[len] != '-'))
			continue;
		append_family(b, (enum stat_id)id, comma);
		comma = ",";
	}
	(void)buf_appends(b, "}}\n");
}

/* A reader sees the old file or the new one, never half of one. */
static int
replace(const struct buf *b)
{
	int fd = open(S.new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), failed;

	if (fd == -1)
		return -1;
	failed = write(fd, b->p + b->off, buf_size(b)) != (ssize_t)buf_size(b);
	return close(fd) == -1 || failed ? -1 : rename(S.new_path, S.path);
}

static void
write_file(int stopped)
{
	struct buf b = BUF_INIT(1u << 20);

	compose(&b, stopped);
	if (replace(&b) == -1) {
		if (!S.failing)
			log_warn("unable to write %s: %s", S.path, strerror(errno));
		S.failing = 1;
	} else
		S.failing = 0;
	buf_fini(&b);
}

void
stat_open(const char *name)
{
	char *dir = xasprintf("%s/status", env_run_dir());

	assert(S.name == NULL);
	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		log_warn("unable to make %s: %s", dir, strerror(errno));
	S.name = xstrdup(name);
	S.path = xasprintf("%s/%s.json", dir, name);
	S.new_path = xasprintf("%s/.%s.json.new", dir, name);
	S.started_us = clock_wall_us();
	free(dir);
	write_file(0);
	S.next_ms = clock_mono_ms() + PERIOD_MS;
}

void
stat_write(int64_t now_ms)
{
	if (S.name == NULL || now_ms < S.next_ms)
		return;
	write_file(0);
	S.next_ms = now_ms + PERIOD_MS;
}

int64_t
stat_deadline(void)
{
	return S.name ? S.next_ms : CLOCK_NEVER;
}

void
stat_close(void)
{
	if (S.name == NULL)
		return;
	write_file(1);
	free(S.name);
	free(S.path);
	free(S.new_path);
	S.name = NULL;
}

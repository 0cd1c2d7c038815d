/* /metrics: the status files of all programs as Prometheus text. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "env/env.h"
#include "event/event.h"
#include "json/json.h"
#include "mem/mem.h"
#include "metrics.h"
#include "params.h"
#include "stat/stat.h"

#define FILES_MAX 64
#define FILE_MAX_BYTES (1u << 20)
#define NAME_BYTES 64

struct status {
	char program[NAME_BYTES];        /* "dt-store-inventory" */
	char version[NAME_BYTES];
	int64_t pid, started_us, at_us;
	int stopped;
	struct event_value metrics;
	char *text;
};

struct statuses {
	struct status status[FILES_MAX];
	size_t n;
};

/* ---- reading ---- */

static char *
read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text;
	ssize_t n;

	if (fd == -1)
		return NULL;
	text = xmalloc(FILE_MAX_BYTES);
	n = read(fd, text, FILE_MAX_BYTES);
	close(fd);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	*len = (size_t)n;
	return xrealloc(text, *len);
}

static int64_t
time_of(struct event_value whole, const char *name)
{
	struct event_value v = event_object_get(whole, name);
	int64_t us = 0;

	if (v.kind == EVENT_STRING)
		(void)clock_parse_iso(v.p, v.len, &us);
	return us;
}

/* 0, or -1 when the file is no status. */
static int
parse(struct status *s, char *text, size_t len)
{
	struct event_value whole = { .p = text, .kind = EVENT_OBJECT };
	const char *error;
	struct json *j = json_parse(text, len, &error);
	int is_object = j != NULL && json_kind(j, "") == 'o';

	json_free(&j);
	if (!is_object)
		return -1;
	while (len > 0 && text[len - 1] != '}')
		len--;
	whole.len = (uint32_t)len;
	*s = (struct status){ .text = text, .started_us = time_of(whole, "started"), .at_us = time_of(whole, "at") };
	s->metrics = event_object_get(whole, "metrics");
	(void)event_string(event_object_get(whole, "version"), s->version, sizeof(s->version));
	(void)event_int(event_object_get(whole, "pid"), &s->pid);
	(void)event_bool(event_object_get(whole, "stopped"), &s->stopped);
	return event_string(event_object_get(whole, "program"), s->program, sizeof(s->program)) > 3 &&
	    strncmp(s->program, "dt-", 3) == 0 && s->metrics.kind == EVENT_OBJECT ? 0 : -1;
}

static void
read_one(struct statuses *all, const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name), *text;
	size_t len;

	text = read_file(path, &len);
	free(path);
	if (text == NULL)
		return;
	if (parse(&all->status[all->n], text, len) == 0)
		all->n++;
	else
		free(text);
}

static int
is_status_name(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".json") == 0;
}

static void
read_all(struct statuses *all)
{
	char *dir = xasprintf("%s/status", env_run_dir());
	struct dirent **names;
	int n = scandir(dir, &names, is_status_name, alphasort), i;

	all->n = 0;
	for (i = 0; i < n; i++) {
		if (all->n < FILES_MAX)
			read_one(all, dir, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	free(dir);
}

/* ---- writing ---- */

static void
put_label(struct buf *b, const char **open, const char *name, const char *value)
{
	(void)buf_printf(b, "%s%s=\"", *open, name);
	for (; *value != '\0'; value++)
		switch (*value) {
		case '\\': (void)buf_appends(b, "\\\\"); break;
		case '"': (void)buf_appends(b, "\\\""); break;
		case '\n': (void)buf_appends(b, "\\n"); break;
		default: (void)buf_append(b, value, 1);
		}
	(void)buf_append(b, "\"", 1);
	*open = ",";
}

static void
put_help(struct buf *b, const char *name, const char *help, const char *type)
{
	(void)buf_printf(b, "# HELP %s ", name);
	for (; *help != '\0'; help++)
		(void)buf_append(b, *help == '\\' ? "\\\\" : *help == '\n' ? "\\n" : help, *help == '\\' || *help == '\n' ? 2 : 1);
	(void)buf_printf(b, "\n# TYPE %s %s\n", name, type);
}

/* The instance of a program that runs several times: "inventory" of dt-store-inventory, "" of dt-store; NULL: another program. */
static const char *
instance_of(const struct status *s, const char *program)
{
	size_t len = strlen(program);
	const char *own = s->program + 3;

	if (strncmp(own, program, len) != 0 || (own[len] != '\0' && own[len] != '-'))
		return NULL;
	return own[len] == '-' ? own + len + 1 : "";
}

static void
put_sample(struct buf *b, const char *name, const char *instance, const char *label, const char *label_value, int64_t value)
{
	const char *open = "{";

	(void)buf_appends(b, name);
	if (instance[0] != '\0')
		put_label(b, &open, "instance", instance);
	if (label != NULL)
		put_label(b, &open, label, label_value);
	(void)buf_printf(b, "%s %" PRId64 "\n", open[0] == ',' ? "}" : "", value);
}

static void
put_values(struct buf *b, const struct status *s, const struct stat_info *info, const char *name, const char *instance)
{
	struct event_value family = event_object_get(s->metrics, info->name), key, value;
	char label_value[256];
	int64_t n;
	size_t at = 0;

	if (info->label == NULL) {
		if (event_int(family, &n) == 0)
			put_sample(b, name, instance, NULL, NULL, n);
		return;
	}
	if (family.kind != EVENT_OBJECT)
		return;
	while (event_next(family, &at, &key, &value))
		if (event_string(key, label_value, sizeof(label_value)) >= 0 && event_int(value, &n) == 0)
			put_sample(b, name, instance, info->label, label_value, n);
}

static void
put_family(struct buf *b, const struct statuses *all, const struct stat_info *info)
{
	struct buf samples = BUF_INIT(1u << 20);
	char name[160];
	size_t i;

	snprintf(name, sizeof(name), "dt_%s_%s", info->program, info->name);
	for (i = 0; i < all->n; i++) {
		const char *instance = instance_of(&all->status[i], info->program);

		if (instance != NULL)
			put_values(&samples, &all->status[i], info, name, instance);
	}
	if (buf_size(&samples) > 0) {
		put_help(b, name, info->help, info->kind == STAT_COUNTER ? "counter" : "gauge");
		(void)buf_append(b, buf_data(&samples), buf_size(&samples));
	}
	buf_fini(&samples);
}

static int
is_up(const struct status *s)
{
	return !s->stopped && s->pid > 0 && (kill((pid_t)s->pid, 0) == 0 || errno == EPERM);
}

static void
put_programs(struct buf *b, const struct statuses *all)
{
	int64_t now_us = clock_wall_us();
	size_t i;

	if (all->n == 0)
		return;
	put_help(b, "dt_up", "Whether the program runs.", "gauge");
	for (i = 0; i < all->n; i++)
		put_sample(b, "dt_up", "", "program", all->status[i].program, is_up(&all->status[i]));
	put_help(b, "dt_start_time_seconds", "When the program started, in seconds since 1970.", "gauge");
	for (i = 0; i < all->n; i++)
		put_sample(b, "dt_start_time_seconds", "", "program", all->status[i].program, all->status[i].started_us / 1000000);
	put_help(b, "dt_status_age_seconds", "How old the program's figures are.", "gauge");
	for (i = 0; i < all->n; i++)
		put_sample(b, "dt_status_age_seconds", "", "program", all->status[i].program, (now_us - all->status[i].at_us) / 1000000);
	put_help(b, "dt_build_info", "The version of the program, as a label.", "gauge");
	for (i = 0; i < all->n; i++) {
		const char *open = "{";

		(void)buf_appends(b, "dt_build_info");
		put_label(b, &open, "program", all->status[i].program);
		put_label(b, &open, "version", all->status[i].version);
		(void)buf_appends(b, "} 1\n");
	}
}

void
metrics_answer(void *priv, struct http_req *req)
{
	struct statuses *all;
	struct buf b = BUF_INIT(16u << 20);
	size_t i;
	int id;

	(void)priv;
	if (params_known(req, NULL) == -1)
		return;
	all = xmalloc(sizeof(*all));
	read_all(all);
	put_programs(&b, all);
	for (id = 0; id < STAT_COUNT; id++)
		put_family(&b, all, stat_info((enum stat_id)id));
	http_reply_header(req, "cache-control", "no-store");
	http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_size(&b) > 0 ? buf_data(&b) : "", buf_size(&b));
	for (i = 0; i < all->n; i++)
		free(all->status[i].text);
	free(all);
	buf_fini(&b);
}

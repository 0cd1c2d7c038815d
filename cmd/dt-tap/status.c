/* What the programs report of themselves in $DT_RUN/status, as a table. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "env/env.h"
#include "json/json.h"
#include "log/log.h"
#include "mem/mem.h"
#include "tap.h"

#define STATUS_MAX (1u << 20)
#define SILENT_S 5                   /* a program writes every second; one that has not for so long hangs */

/* The metric of a program that says how much went through it: the first that it has. */
static const char *const event_metrics[] = { "events_total", "frames_total", "messages_total", "lines_total", NULL };
/* How many events it is behind, by its own word; else by the last _seq that it has done. */
static const char *const lag_metrics[] = { "lag_events", "pending", NULL };
static const char *const place_metrics[] = { "seq", "position", NULL };

static double newest_seq = -1;       /* of the journal; -1 when dt-fanout does not say */

static int
is_status(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".json") == 0;
}

static int
read_file(int dir, const char *name, struct buf *b)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char *to;
	ssize_t n = -1;

	buf_clear(b);
	if (fd == -1)
		return -1;
	while ((to = buf_reserve(b, 4096)) != NULL && (n = read(fd, to, 4096)) > 0)
		buf_added(b, (size_t)n);
	close(fd);
	return n == 0 ? 0 : -1;
}

static const char *
number(char out[32], double n)
{
	char digits[32];
	size_t len, i, o = 0;

	(void)snprintf(digits, sizeof(digits), n == (double)(int64_t)n ? "%.0f" : "%.1f", n);
	len = strcspn(digits, ".");
	for (i = 0; digits[i] != '\0' && o < 30; i++) {
		if (i > 0 && i < len && (len - i) % 3 == 0 && digits[i - 1] != '-')
			out[o++] = ',';
		out[o++] = digits[i];
	}
	out[o] = '\0';
	return out;
}

static char *
metric_path(const char *name, const char *label)
{
	return label ? xasprintf("metrics.%s.%s", name, label) : xasprintf("metrics.%s", name);
}

/* A family's value, or the sum of its labels'; 0 when the program has no such family. */
static int
family(const struct json *j, const char *name, double *sum)
{
	char *path = metric_path(name, NULL), *cell;
	const char *const *labels;
	int kind = json_kind(j, path);

	*sum = json_num(j, path, 0);
	if (kind == 'o' && (labels = json_keys(j, path)) != NULL)
		for (; *labels != NULL; labels++) {
			cell = metric_path(name, *labels);
			*sum += json_num(j, cell, 0);
			free(cell);
		}
	free(path);
	return kind != 0;
}

/* The first family of these that the program has: 1, or 0. */
static int
first_of(const struct json *j, const char *const *names, double *value)
{
	for (; *names != NULL; names++)
		if (family(j, *names, value))
			return 1;
	return 0;
}

static const char *
events_of(const struct json *j, char out[32])
{
	double n;

	return first_of(j, event_metrics, &n) ? number(out, n) : "-";
}

/* Reports are a second old at the most, so a second's events may seem to be missing. */
static const char *
lag_of(const struct json *j, char out[32])
{
	double n;

	if (first_of(j, lag_metrics, &n))
		return number(out, n);
	if (newest_seq < 0 || !first_of(j, place_metrics, &n))
		return "-";
	return number(out, newest_seq > n ? newest_seq - n : 0);
}

static const char *
duration(char out[32], int64_t s)
{
	if (s < 0)
		s = 0;
	if (s < 120)
		(void)snprintf(out, 32, "%jds", (intmax_t)s);
	else if (s < 7200)
		(void)snprintf(out, 32, "%jdm", (intmax_t)(s / 60));
	else if (s < 172800)
		(void)snprintf(out, 32, "%jdh%02jdm", (intmax_t)(s / 3600), (intmax_t)(s / 60 % 60));
	else
		(void)snprintf(out, 32, "%jdd%02jdh", (intmax_t)(s / 86400), (intmax_t)(s / 3600 % 24));
	return out;
}

static int64_t
seconds_since(const char *iso)
{
	int64_t us;

	if (clock_parse_iso(iso, strlen(iso), &us) == -1)
		return -1;
	return (clock_wall_us() - us) / 1000000;
}

static const char *
state(const struct json *j)
{
	int pid = (int)json_int(j, "pid", 0);

	if (json_bool(j, "stopped", 0))
		return "stopped";
	if (pid > 0 && kill(pid, 0) == -1 && errno == ESRCH)
		return "gone";
	return seconds_since(json_str(j, "at", "")) > SILENT_S ? "silent" : "up";
}

static void
print_row(const struct json *j)
{
	char since[32], events[32], rejected[32], lag[32];
	double sum = 0;
	const char *is = state(j);
	int up = strcmp(is, "up") == 0;

	(void)family(j, "rejected_total", &sum);
	(void)printf("%-20s %-8s %8s %15s %12s %12s  %s\n", json_str(j, "program", "?"), is,
	    duration(since, seconds_since(json_str(j, up ? "started" : "at", ""))), events_of(j, events), number(rejected, sum),
	    lag_of(j, lag), json_str(j, "version", ""));
}

static void
print_family(const struct json *j, const char *name)
{
	char *path = metric_path(name, NULL), *cell, text[32];
	const char *const *label;
	double n;

	if (json_kind(j, path) != 'o') {
		if ((n = json_num(j, path, 0)) != 0)
			(void)printf("  %-34s %18s\n", name, number(text, n));
	} else if ((label = json_keys(j, path)) != NULL)
		for (; *label != NULL; label++) {
			cell = metric_path(name, *label);
			if ((n = json_num(j, cell, 0)) != 0)
				(void)printf("  %-18s %-15s %18s\n", name, *label, number(text, n));
			free(cell);
		}
	free(path);
}

static void
print_details(const struct json *j)
{
	const char *const *name = json_keys(j, "metrics");

	(void)printf("\n%s\n", json_str(j, "program", "?"));
	for (; name != NULL && *name != NULL; name++)
		print_family(j, *name);
}

static struct json *
parse(const char *name, const struct buf *b)
{
	const char *error;
	struct json *j = json_parse(b->p + b->off, buf_size(b), &error);

	if (j == NULL)
		log_warn("%s: %s", name, error);
	return j;
}

static void
note_newest(const struct json *j)
{
	if (strcmp(json_str(j, "program", ""), "dt-fanout") == 0)
		newest_seq = json_num(j, "metrics.last_seq", -1);
}

/* Which: the lines as they are, or of each only what others need to know, a row, the details. */
enum form { RAW, NEWEST, ROW, DETAILS };

static void
print_one(int dir, const char *name, enum form form)
{
	struct buf b = BUF_INIT(STATUS_MAX);
	struct json *j;

	if (read_file(dir, name, &b) == -1 || buf_size(&b) == 0)
		log_warn("unable to read %s", name);
	else if (form == RAW)
		(void)fwrite(buf_data(&b), 1, buf_size(&b), stdout);
	else if ((j = parse(name, &b)) != NULL) {
		(form == NEWEST ? note_newest : form == ROW ? print_row : print_details)(j);
		json_free(&j);
	}
	buf_fini(&b);
}

static void
print_all(int dir, struct dirent **list, int n, enum form form)
{
	int i;

	for (i = 0; i < n; i++)
		print_one(dir, list[i]->d_name, form);
}

int
tap_status(int json)
{
	char *path = env_run_path("status");
	struct dirent **list = NULL;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int i, n = dir == -1 ? 0 : scandir(path, &list, is_status, alphasort);

	if (n <= 0) {
		log_err("no program has reported anything in %s: is the tracker up?", path);
		free(path);
		if (dir != -1)
			close(dir);
		return EX_UNAVAILABLE;
	}
	if (json)
		print_all(dir, list, n, RAW);
	else {
		(void)printf("%-20s %-8s %8s %15s %12s %12s  %s\n", "PROGRAM", "STATE", "SINCE", "EVENTS", "REJECTED", "LAG", "VERSION");
		print_all(dir, list, n, NEWEST);
		print_all(dir, list, n, ROW);
		print_all(dir, list, n, DETAILS);
	}
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	free(path);
	close(dir);
	if (fflush(stdout) != 0 || ferror(stdout))
		die(EX_IOERR, "unable to write to standard output: %s", strerror(errno));
	return EX_OK;
}

/* Commands from the stream: each to the newest connection of its character, at most so many, and a status for each. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "stat/stat.h"

#define ID_MAX 400
#define COMMAND_CHARACTERS 500
#define COMMAND_SIZE (4 * COMMAND_CHARACTERS + 1)
#define DELAY_MAX_MS 60000
#define JOBS_MAX 256
#define SENDERS 64

static const struct limit_rate of_character = { .per_s = 5, .burst = 20 }, of_sender = { .per_s = 20, .burst = 60 };

struct job {                             /* a command that is not done at once */
	TAILQ_ENTRY(job) link;
	char *line;
	size_t len;
	int64_t due_ms, delay_ms;
	char **names;                    /* to whom, in order; NULL: nobody here, which is reported when it is due */
	size_t n, at;
};

struct sender {
	uint64_t hash;                   /* 0: free */
	struct limit limit;
};

static struct {
	struct door *door;
	TAILQ_HEAD(, job) jobs;
	size_t n_jobs;
	struct sender sender[SENDERS];
	struct pollable timer;
	int64_t absent_ms;               /* nobody has it here: another door may.  It is heard first, and who has waited less speaks for the others */
} S;

/* ---- statuses ---- */

static void
append_value(struct buf *b, const char *key, struct event_value v)
{
	(void)buf_printf(b, ",\"%s\":", key);
	if (v.kind == EVENT_STRING)
		(void)buf_printf(b, "\"%.*s\"", (int)v.len, v.p);
	else
		(void)buf_append(b, v.p, v.len);
}

static void
report(const struct event *e, const char *name, const char *status)
{
	struct event_value id = event_get(e, "id"), tag = event_get(e, "tag");
	struct buf b = BUF_INIT(16384);
	char now[CLOCK_ISO_SIZE];

	*stat_cell(STAT_INGEST_COMMANDS, status) += 1;
	clock_format_iso(clock_wall_us(), now);
	(void)buf_printf(&b, "{\"type\":\"command_status\",\"timestamp\":\"%s\"", now);
	if ((id.kind == EVENT_STRING || id.kind == EVENT_NUMBER) && id.len <= ID_MAX)
		append_value(&b, "id", id);
	if (name != NULL) {
		(void)buf_appends(&b, ",\"player_name\":");
		(void)buf_append_json(&b, name, strlen(name));
	}
	if (tag.kind == EVENT_STRING)
		append_value(&b, "tag", tag);
	append_value(&b, "command", event_get(e, "command"));
	(void)buf_printf(&b, ",\"status\":\"%s\"}", status);
	if (door_publish(S.door, buf_data(&b), buf_size(&b)) != 0)
		log_warn("no room to report a command as %s", status);
	buf_fini(&b);
}

/* ---- one character ---- */

/* Just these two fields, as they came. */
static int
hand_over(const struct event *e, struct http_ws *ws, const char *name)
{
	struct buf b = BUF_INIT(16384);
	int sent;

	if (ws == NULL)
		return 0;
	(void)buf_appends(&b, "{\"player_name\":");
	(void)buf_append_json(&b, name, strlen(name));
	append_value(&b, "command", event_get(e, "command"));
	(void)buf_appends(&b, "}");
	sent = http_ws_send(ws, buf_data(&b), buf_size(&b)) == 0;
	buf_fini(&b);
	if (!sent) {
		log_warn("%s reads too slowly for commands: closing its connection", name);
		http_ws_close(ws, 1013, "too slow");
	}
	return sent;
}

static void
deliver(const struct event *e, const char *name)
{
	struct roll_name *n = roll_find(S.door->roll, name);

	if (n == NULL)
		report(e, name, "offline");
	else if (limit_try(&n->commands, &of_character, http_now(S.door->http)) != 0)
		report(e, name, "limited");
	else
		report(e, name, hand_over(e, n->owner->ws, name) ? "sent" : "offline");
}

/* ---- jobs ---- */

static void
job_free(struct job *j)
{
	size_t i;

	TAILQ_REMOVE(&S.jobs, j, link);
	S.n_jobs--;
	for (i = 0; i < j->n; i++)
		free(j->names[i]);
	free(j->names);
	free(j->line);
	free(j);
}

static struct job *
job_new(const struct event *e, int64_t due_ms)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->line = xstrndup(e->line, e->len);
	j->len = e->len;
	j->due_ms = due_ms;
	TAILQ_INSERT_TAIL(&S.jobs, j, link);
	S.n_jobs++;
	if (due_ms < S.timer.deadline_ms)
		S.timer.deadline_ms = due_ms;
	return j;
}

static void
report_absent(const struct event *e)
{
	char name[GATE_NAME_SIZE];

	report(e, event_string(event_get(e, "player_name"), name, sizeof(name)) > 0 ? name : NULL, "offline");
}

static void
absent(const struct event *e)
{
	if (S.n_jobs < JOBS_MAX)
		(void)job_new(e, http_now(S.door->http) + S.absent_ms);
	else
		report_absent(e);
}

/* One step of it; 1 when it is done. */
static int
job_step(struct job *j)
{
	static struct event e;

	if (event_scan(j->line, j->len, &e) != EVENT_OK)
		return 1;
	if (j->names == NULL) {
		report_absent(&e);
		return 1;
	}
	do
		deliver(&e, j->names[j->at++]);
	while (j->delay_ms == 0 && j->at < j->n);
	j->due_ms = clock_mono_ms() + j->delay_ms;       /* from now, lest two follow each other after a pause of ours */
	return j->at == j->n;
}

static void
on_timer(struct pollable *p, short revents, int64_t now_ms)
{
	struct job *j, *next;

	(void)revents;
	p->deadline_ms = CLOCK_NEVER;
	for (j = TAILQ_FIRST(&S.jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (j->due_ms <= now_ms && job_step(j))
			job_free(j);
		else if (j->due_ms < p->deadline_ms)
			p->deadline_ms = j->due_ms;
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All who are here, or who have that tag. */
static char **
gather(const char *tag, size_t *n)
{
	struct roll_conn *c;
	struct roll_name *r;
	size_t cap = 0;
	char **names = NULL;

	*n = 0;
	for (c = roll_first(S.door->roll); c != NULL; c = LIST_NEXT(c, link))
		LIST_FOREACH(r, &c->names, by_owner) {
			if (tag != NULL && strcmp(r->tag, tag) != 0)
				continue;
			if (*n == cap)
				names = xreallocarray(names, cap = cap ? 2 * cap : 64, sizeof(*names));
			names[(*n)++] = xstrdup(r->text);
		}
	if (*n > 0)
		qsort(names, *n, sizeof(*names), by_text);
	return names;
}

static void
to_many(const struct event *e, const char *tag, int64_t delay_ms)
{
	size_t n;
	char **names = gather(tag, &n);
	struct job *j;

	if (n == 0) {
		absent(e);
		return;
	}
	j = job_new(e, http_now(S.door->http));
	j->names = names;
	j->n = n;
	j->delay_ms = delay_ms;
	if (job_step(j))
		job_free(j);
	else if (j->due_ms < S.timer.deadline_ms || S.timer.deadline_ms <= http_now(S.door->http))
		S.timer.deadline_ms = j->due_ms;
}

/* ---- what comes ---- */

static uint64_t
hash_of(struct event_value v)
{
	uint64_t h = 14695981039346656037u;
	uint32_t i;

	for (i = 0; i < v.len; i++)
		h = (h ^ (unsigned char)v.p[i]) * 1099511628211u;
	return h | 1;
}

/* More senders than places for them share one. */
static int
sender_may(const struct event *e)
{
	uint64_t hash = hash_of(event_get(e, "by"));
	struct sender *s = &S.sender[hash >> 1 & (SENDERS - 1)];
	int64_t now = http_now(S.door->http);

	if (s->hash == 0) {
		s->hash = hash;
		limit_init(&s->limit, &of_sender, now);
	}
	return limit_try(&s->limit, &of_sender, now) == 0;
}

static int
is_good_text(struct event_value v)
{
	char text[COMMAND_SIZE];
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0;

	if (event_string(v, text, sizeof(text)) <= 0)
		return 0;
	for (; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return 0;
		n += (*p & 0xc0) != 0x80;
	}
	return n <= COMMAND_CHARACTERS;
}

static int
read_delay(const struct event *e, int64_t *ms)
{
	struct event_value v = event_get(e, "delay_ms");

	*ms = 0;
	return v.kind == EVENT_ABSENT || (event_int(v, ms) == 0 && *ms >= 0 && *ms <= DELAY_MAX_MS) ? 0 : -1;
}

static void
refuse(const char *why)
{
	*stat_cell(STAT_INGEST_COMMANDS, "invalid") += 1;
	log_warn("a command %s: ignored", why);
}

void
command_event(const struct event *e, int stale)
{
	char name[GATE_NAME_SIZE], tag[ROLL_WORD_SIZE];
	long n_name = event_string(event_get(e, "player_name"), name, sizeof(name));
	long n_tag = event_string(event_get(e, "tag"), tag, sizeof(tag));
	int64_t delay_ms;
	int all = 0;

	(void)event_bool(event_get(e, "all"), &all);
	if ((n_name > 0) + (n_tag > 0) + (all != 0) != 1)
		refuse("with none or several of player_name, tag and all");
	else if (!is_good_text(event_get(e, "command")))
		refuse("that is not one line of 1 to 500 characters");
	else if (read_delay(e, &delay_ms) != 0)
		refuse("with a delay_ms that is not 0 to 60000");
	else if (stale)
		absent(e);
	else if (n_name > 0 && roll_find(S.door->roll, name) == NULL)
		absent(e);
	else if (!sender_may(e) || S.n_jobs >= JOBS_MAX)
		report(e, n_name > 0 ? name : NULL, "limited");
	else if (n_name > 0)
		deliver(e, name);
	else
		to_many(e, n_tag > 0 ? tag : NULL, delay_ms);
}

void
command_status(const struct event *e)
{
	static struct event of;
	struct event_value id = event_get(e, "id"), mine;
	struct job *j, *next;

	for (j = TAILQ_FIRST(&S.jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (j->names != NULL || event_scan(j->line, j->len, &of) != EVENT_OK)
			continue;
		mine = event_get(&of, "id");
		if (mine.kind != EVENT_ABSENT && mine.len == id.len && memcmp(mine.p, id.p, id.len) == 0)
			job_free(j);
	}
}

void
command_open(struct door *d)
{
	uint16_t spread = 0;

	S.door = d;
	TAILQ_INIT(&S.jobs);
	(void)!getrandom(&spread, sizeof(spread), 0);
	S.absent_ms = d->absent_ms + spread % d->absent_ms;
	S.timer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_timer };
	http_add(d->http, &S.timer);
}

void
command_stop(void)
{
	static struct event e;
	struct job *j;

	while ((j = TAILQ_FIRST(&S.jobs)) != NULL) {
		if (event_scan(j->line, j->len, &e) == EVENT_OK) {
			if (j->names == NULL)
				report_absent(&e);
			for (; j->at < j->n; j->at++)
				report(&e, j->names[j->at], "offline");
		}
		job_free(j);
	}
}

void
command_close(void)
{
	while (!TAILQ_EMPTY(&S.jobs))
		job_free(TAILQ_FIRST(&S.jobs));
	http_del(S.door->http, &S.timer);
}

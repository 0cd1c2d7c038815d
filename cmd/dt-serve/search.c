#include "search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "facets.h"
#include "itemlist.h"
#include "itemq/itemq.h"
#include "mem/mem.h"
#include "params.h"
#include "stat/stat.h"

#define STEP_ROWS 8192
#define STEP_MS 5                        /* then the loop's other work has its turn */
#define LIMIT_MAX 1000
#define PAGE_MAX 1000000
#define OUT_MAX (64u << 20)

struct job {
	struct searches *all;
	struct http_req *req;
	struct itemdb_search *search;
	struct itemdb_order order;
	int64_t page, limit;
	enum itemdb_facet values;        /* ITEMDB_FACETS: a search for items */
	struct job *next;
};

struct searches {
	struct http *http;
	struct items *items;
	struct pollable tick;
	struct job *waiting;
};

/* ---- what is asked ---- */

static int
refuse(struct http_req *req, const char *name, const char *text)
{
	(*stat_cell(STAT_SERVE_REJECTED, "bad_parameter"))++;
	http_reply_error(req, 400, "bad_parameter", "parameter \"%.64s\": %s", name, text);
	return -1;
}

/* The error of a query says where: `position` counts bytes from 0. */
static int
refuse_query(struct http_req *req, const struct itemq_error *e)
{
	struct buf b = BUF_INIT(4096);
	char text[400];

	snprintf(text, sizeof(text), "parameter \"q\", at position %zu: %s", e->at, e->text);
	(*stat_cell(STAT_SERVE_REJECTED, "bad_query"))++;
	(void)buf_appends(&b, "{\"error\":");
	(void)buf_append_json(&b, text, strlen(text));
	(void)buf_printf(&b, ",\"code\":\"bad_query\",\"position\":%zu}\n", e->at);
	http_reply(req, 400, "application/json", buf_data(&b), buf_size(&b));
	buf_fini(&b);
	return -1;
}

static int
is_own(const char *name)
{
	static const char *const own[] = { "sort", "page", "limit", "cursor" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i], name) == 0)
			return 1;
	return 0;
}

static int
refuse_repeated(struct http_req *req, unsigned i)
{
	const char *name = http_req_query_name(req, i);

	if (strcmp(name, "character") == 0 || strcmp(name, "spell") == 0)
		return 0;
	for (unsigned j = 0; j < i; j++)
		if (strcmp(http_req_query_name(req, j), name) == 0)
			return refuse(req, name, "it is given twice");
	return 0;
}

/* min_x must not be over max_x; both are numbers by now. */
static int
refuse_crossed(struct http_req *req, const char *name)
{
	char other[80], text[120];
	const char *most;

	if (strncmp(name, "min_", 4) != 0)
		return 0;
	snprintf(other, sizeof(other), "max_%.70s", name + 4);
	most = http_req_query(req, other);
	if (most == NULL || strtod(http_req_query(req, name), NULL) <= strtod(most, NULL))
		return 0;
	snprintf(text, sizeof(text), "it must not be over \"%s\"", other);
	return refuse(req, name, text);
}

/* What only parameters are strict about: bounds are whole numbers of the game but for workmanship and damage_min, and a cantrip's level is a word. */
static int
refuse_kind(struct http_req *req, const char *name, const char *value)
{
	int bound = strncmp(name, "min_", 4) == 0 || strncmp(name, "max_", 4) == 0;
	size_t sign = *value == '-', digits = strspn(value + sign, "0123456789");
	long long n = strtoll(value, NULL, 10);

	if (bound && strcmp(name + 4, "workmanship") != 0 && strcmp(name + 4, "damage_min") != 0 && *value != '\0' &&
	    (digits == 0 || value[sign + digits] != '\0' || n < INT32_MIN || n > INT32_MAX))
		return refuse(req, name, "it must be a whole number from -2147483648 to 2147483647");
	if (strcmp(name, "cantrip_level") == 0 && digits > 0)
		return refuse(req, name, "it must be minor, moderate, major, epic or legendary");
	return 0;
}

static int
add_filter(struct http_req *req, struct itemq *q, const char *name, const char *value)
{
	struct itemq_error e;

	switch (itemq_add_param(q, name, value, strlen(value), &e)) {
	case 0: return refuse_kind(req, name, value);
	case 1: return refuse(req, name, "there is no filter of this name");
	default: return refuse(req, name, e.text);
	}
}

static int
read_filters(struct http_req *req, struct itemq *q)
{
	struct itemq_error e;
	const char *name, *value;

	for (unsigned i = 0; (name = http_req_query_name(req, i)) != NULL; i++) {
		value = http_req_query_value(req, i);
		if (refuse_repeated(req, i) == -1)
			return -1;
		if (is_own(name))
			continue;
		if (strcmp(name, "q") == 0) {
			if (itemq_parse(q, value, strlen(value), &e) == -1)
				return refuse_query(req, &e);
		} else if (add_filter(req, q, name, value) == -1)
			return -1;
	}
	for (unsigned i = 0; (name = http_req_query_name(req, i)) != NULL; i++)
		if (refuse_crossed(req, name) == -1)
			return -1;
	return 0;
}

static int
read_order(struct http_req *req, struct itemdb_order *order)
{
	const char *text = http_req_query(req, "sort");
	int column;

	*order = (struct itemdb_order){ ITEMDB_NAME, 0 };
	if (text == NULL)
		return 0;
	order->descending = *text == '-';
	if ((column = itemdb_column(text + order->descending)) == -1)
		return refuse(req, "sort", "there is no column of this name to sort by");
	order->column = (enum itemdb_column)column;
	return 0;
}

/* A cursor is the number of the page that it leads to, and the last key before that page. */
static int
read_page(struct http_req *req, struct job *j, struct itemdb_ask *ask)
{
	const char *cursor = http_req_query(req, "cursor");
	char *end;

	if (params_int(req, "limit", 1, LIMIT_MAX, 200, &j->limit) == -1 || params_int(req, "page", 1, PAGE_MAX, 1, &j->page) == -1)
		return -1;
	ask->limit = (size_t)j->limit;
	ask->offset = (size_t)((j->page - 1) * j->limit);
	if (cursor == NULL)
		return 0;
	if (http_req_query(req, "page") != NULL)
		return refuse(req, "cursor", "it cannot be given together with \"page\"");
	j->page = strtoll(cursor, &end, 10);
	if (*cursor < '1' || *cursor > '9' || *end != '.' || j->page > INT32_MAX || itemdb_key_read(end + 1, &j->order, &ask->after) == -1)
		return refuse(req, "cursor", "this is no cursor of an answer with the same \"sort\"");
	ask->has_after = 1;
	return 0;
}

/* ---- the answer ---- */

static void
job_free(struct job *j)
{
	itemdb_search_free(&j->search);
	free(j);
}

static void
answer_items(struct job *j)
{
	struct buf prefix = BUF_INIT(OUT_MAX), suffix = BUF_INIT(OUT_MAX);
	const struct itemdb *db = items_db(j->all->items);
	const int32_t *page;
	size_t n = itemdb_search_page(j->search, &page);
	int32_t *ids = xreallocarray(NULL, n, sizeof(*ids));
	struct itemdb_key last;

	if (n > 0)
		memcpy(ids, page, n * sizeof(*ids));
	(void)buf_appends(&prefix, "{\"items\":[");
	(void)buf_printf(&suffix, "],\"total_count\":%zu,\"page\":%" PRId64 ",\"limit\":%" PRId64 ",\"cursor\":", itemdb_search_total(j->search), j->page, j->limit);
	if (itemdb_search_more(j->search, &last)) {
		(void)buf_printf(&suffix, "\"%" PRId64 ".", j->page + 1);
		itemdb_key_write(&last, &j->order, &suffix);
		(void)buf_append(&suffix, "\"", 1);
	} else
		(void)buf_appends(&suffix, "null");
	(void)buf_appends(&suffix, ",\"facets\":");
	facets_write(j->search, db, &suffix);
	(void)buf_append(&suffix, "}", 1);
	itemlist_send(j->req, db, ids, n, ITEMLIST_JSON, &prefix, &suffix);
}

static void
answer_values(struct job *j)
{
	struct buf b = BUF_INIT(OUT_MAX);

	facets_write_values(j->search, items_db(j->all->items), j->values, &b);
	answer_json(j->req, &b, 0);
}

/* ---- the work ---- */

/* 1 when it is answered. */
static int
work(struct job *j, int64_t until_ms)
{
	while (!itemdb_search_step(j->search, STEP_ROWS))
		if (clock_mono_ms() >= until_ms)
			return 0;
	if (j->values != ITEMDB_FACETS)
		answer_values(j);
	else
		answer_items(j);
	return 1;
}

static void
unlink_job(struct searches *s, struct job *j)
{
	struct job **at;

	for (at = &s->waiting; *at != j; at = &(*at)->next)
		;
	*at = j->next;
}

static void
on_gone(void *priv)
{
	struct job *j = priv;

	unlink_job(j->all, j);
	job_free(j);
}

/* One slice for the one that waits longest, which then waits behind the others. */
static void
on_tick(struct pollable *p, short revents, int64_t now_ms)
{
	struct searches *s = (struct searches *)((char *)p - offsetof(struct searches, tick));
	struct job *j = s->waiting, **at;

	(void)revents;
	if (j != NULL) {
		s->waiting = j->next;
		if (work(j, now_ms + STEP_MS))
			job_free(j);
		else {
			for (at = &s->waiting; *at != NULL; at = &(*at)->next)
				;
			*at = j;
			j->next = NULL;
		}
	}
	p->deadline_ms = s->waiting != NULL ? now_ms : CLOCK_NEVER;
}

static void
start(struct job *j)
{
	struct searches *s = j->all;
	struct job **at;

	stat_add(STAT_SERVE_SEARCHES, 1);
	if (s->waiting == NULL && work(j, clock_mono_ms() + STEP_MS)) {
		job_free(j);
		return;
	}
	for (at = &s->waiting; *at != NULL; at = &(*at)->next)
		;
	*at = j;
	s->tick.deadline_ms = http_now(s->http);
	http_defer(j->req, on_gone, j);
}

void
search_items(struct searches *s, struct http_req *req)
{
	struct job *j = xcalloc(1, sizeof(*j));
	struct itemq *q = itemq_new();
	struct itemdb_ask ask = { .limit = 0 };

	*j = (struct job){ .all = s, .req = req, .values = ITEMDB_FACETS };
	if (read_filters(req, q) == -1 || read_order(req, &j->order) == -1 || read_page(req, j, &ask) == -1 || items_ready(s->items, req) == -1)
		free(j);
	else {
		ask.order = j->order;
		ask.test = itemdb_query(q);
		j->search = itemdb_search_new(items_db(s->items), &ask, FACETS_OF_ITEMS);
		start(j);
	}
	itemq_free(&q);
}

void
search_values(struct searches *s, struct http_req *req, enum itemdb_facet f)
{
	struct job *j;
	struct itemdb_ask ask = { .limit = 0 };

	if (params_known(req, NULL) == -1 || items_ready(s->items, req) == -1)
		return;
	j = xcalloc(1, sizeof(*j));
	*j = (struct job){ .all = s, .req = req, .values = f };
	j->search = itemdb_search_new(items_db(s->items), &ask, 1u << f);
	start(j);
}

struct searches *
searches_new(struct http *http, struct items *items)
{
	struct searches *s = xcalloc(1, sizeof(*s));

	*s = (struct searches){ .http = http, .items = items, .tick = { .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_tick } };
	http_add(http, &s->tick);
	return s;
}

void
searches_stop(struct searches *s)
{
	http_del(s->http, &s->tick);
}

void
searches_free(struct searches **sp)
{
	struct job *j;

	while (*sp != NULL && (j = (*sp)->waiting) != NULL) {
		(*sp)->waiting = j->next;
		job_free(j);
	}
	free(*sp);
	*sp = NULL;
}

#include "items.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock/clock.h"
#include "env/env.h"
#include "itemrow.h"
#include "log/log.h"
#include "mem/mem.h"
#include "pg/pg.h"
#include "sql.h"
#include "stat/stat.h"

#define POLL_MS 500
#define RETRY_MS 2000
#define READ_MS 60000                    /* all items of a very large fleet */
#define QUERY_MS 5000
#define CONNECTIONS 2
#define SETUP "set timezone to 'UTC'; set default_transaction_read_only to on"

enum state { AWAY, EMPTY, READING, READY };      /* EMPTY: the database has no tables yet, or could not be read; tried again */

struct items {
	struct http *http;
	struct itemdb *db;
	struct pg *pg;                   /* the follower's own connection: it never waits behind others' questions */
	struct pool *pool;
	struct pollable tick;
	enum state state;
	int busy;                        /* a question of ours is under way */
	int begun;                       /* the table below is known */
	int64_t items_version, characters_version;       /* up to which we have seen all */
	int64_t table;                   /* which physical table it was */
	int64_t last_value, gone_through, table_now;     /* what the state said just now */
	int64_t started_ms;
	char *complained;                /* the error that was logged last */
};

/* ---- what goes wrong ---- */

static void
later(struct items *it, int64_t ms)
{
	it->busy = 0;
	it->tick.deadline_ms = clock_mono_ms() + ms;
}

static void
on_error(void *priv, const struct pg_error *e)
{
	struct items *it = priv;

	if (!e->lost && !answer_lacks_tables(e->sqlstate) && (it->complained == NULL || strcmp(it->complained, e->message) != 0)) {
		log_warn("unable to read the inventory database, trying again: %s %s", e->sqlstate, e->message);
		free(it->complained);
		it->complained = xstrdup(e->message);
	}
	it->state = e->lost ? AWAY : EMPTY;
	later(it, RETRY_MS);
}

static void
ask(struct items *it, const char *sql, const char *param, int stream, void (*on_row)(void *, const struct pg_row *), void (*on_done)(void *))
{
	struct pg_calls calls = { .on_row = on_row, .on_done = on_done, .on_error = on_error, .priv = it, .stream = stream };

	it->busy = 1;
	if (pg_query(it->pg, sql, param != NULL, &param, &calls) == 0)
		later(it, RETRY_MS);
}

/* ---- rows ---- */

static void
on_item(void *priv, const struct pg_row *row)
{
	struct items *it = priv;
	struct itemrow r;

	if (itemrow_read(row, &r) == -1)
		return;
	if (r.gone)
		(void)itemdb_remove(it->db, r.item.id);
	else
		itemdb_put(it->db, &r.item, itemdb_character(it->db, r.character_id, r.character_name), r.updated_us);
	if (r.version > it->items_version)
		it->items_version = r.version;
}

static void
on_character(void *priv, const struct pg_row *row)
{
	struct items *it = priv;
	int64_t version = pg_int(row, 0, 0);

	itemdb_character_set(it->db, itemdb_character(it->db, (int32_t)pg_int(row, 1, 0), pg_text(row, 2, NULL)), pg_int(row, 3, 0), pg_int(row, 4, 0), pg_int(row, 5, 0));
	if (version > it->characters_version)
		it->characters_version = version;
}

static void
ask_characters(struct items *it, void (*done)(void *priv))
{
	char since[24];

	snprintf(since, sizeof(since), "%" PRId64, it->characters_version);
	ask(it, sql_items_characters, since, 0, on_character, done);
}

/* ---- all of them ---- */

static void
read_done(void *priv)
{
	struct items *it = priv;

	log_info("inventory: %zu items of the database read in %" PRId64 " ms", itemdb_items(it->db), clock_mono_ms() - it->started_ms);
	free(it->complained);
	it->complained = NULL;
	it->state = READY;
	later(it, POLL_MS);
}

static void
all_items_done(void *priv)
{
	struct items *it = priv;

	itemdb_sweep(it->db);
	itemdb_unlist(it->db);
	ask_characters(it, read_done);
}

static void
read_all(struct items *it)
{
	it->state = READING;
	it->begun = 1;
	it->table = it->table_now;
	it->items_version = it->gone_through;    /* what is gone up to there cannot be missed: it will not be read */
	it->characters_version = -1;
	it->started_ms = clock_mono_ms();
	stat_add(STAT_SERVE_ITEM_READS, 1);
	itemdb_mark(it->db);
	ask(it, sql_items_all, NULL, 1, on_item, all_items_done);
}

/* ---- what has changed ---- */

static void
changes_done(void *priv)
{
	later(priv, POLL_MS);
}

static void
changed_items_done(void *priv)
{
	ask_characters(priv, changes_done);
}

static void
on_state(void *priv, const struct pg_row *row)
{
	struct items *it = priv;

	it->last_value = pg_int(row, 0, 0);
	it->gone_through = pg_int(row, 1, 0);
	it->table_now = pg_int(row, 2, 0);
}

static void
state_done(void *priv)
{
	struct items *it = priv;
	int64_t seen = it->items_version > it->characters_version ? it->items_version : it->characters_version;
	char since[24];

	if (!it->begun || it->state != READY || it->table_now != it->table || it->last_value < seen || it->gone_through > it->items_version)
		read_all(it);
	else if (it->last_value > seen) {
		snprintf(since, sizeof(since), "%" PRId64, it->items_version);
		ask(it, sql_items_changed, since, 1, on_item, changed_items_done);
	} else
		later(it, POLL_MS);
}

static void
look(struct items *it)
{
	ask(it, sql_items_state, NULL, 0, on_state, state_done);
}

static void
on_tick(struct pollable *p, short revents, int64_t now_ms)
{
	struct items *it = (struct items *)((char *)p - offsetof(struct items, tick));

	(void)revents;
	p->deadline_ms = now_ms + POLL_MS;
	stat_set(STAT_SERVE_ITEMS, (int64_t)itemdb_items(it->db));
	stat_set(STAT_SERVE_INVENTORY_UP, it->state == READY);
	if (!it->busy && pg_up(it->pg))
		look(it);
}

/* ---- the connection ---- */

static void
on_up(void *priv)
{
	struct items *it = priv;

	it->state = EMPTY;
	it->begun = it->busy = 0;
	look(it);
}

static void
on_down(void *priv, const char *why)
{
	struct items *it = priv;

	(void)why;
	it->state = AWAY;
	it->busy = 0;
}

struct items *
items_new(struct http *http)
{
	struct items *it = xcalloc(1, sizeof(*it));
	char *url = pg_inventory_url();
	struct pg_config pg = {
		.url = url, .password = env_get("INVENTORY_DB_PASSWORD"), .name = "dt-serve", .what = "inventory database", .setup = SETUP, .timeout_ms = READ_MS,
		.on_up = on_up, .on_down = on_down, .priv = it
	};
	struct pool_config pool = {
		.pg = { .url = url, .password = pg.password, .name = "dt-serve", .what = "inventory database", .setup = SETUP, .timeout_ms = QUERY_MS, .quiet = 1 },
		.connections = CONNECTIONS
	};
	struct pollable *p;

	it->http = http;
	it->db = itemdb_new();
	it->tick = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_tick };
	it->pg = pg_new(&pg);
	it->pool = pool_new(&pool);
	http_add(http, &it->tick);
	http_add(http, pg_pollable(it->pg));
	for (int i = 0; (p = pool_pollable(it->pool, i)) != NULL; i++)
		http_add(http, p);
	free(url);
	return it;
}

void
items_stop(struct items *it)
{
	struct pollable *p;

	http_del(it->http, &it->tick);
	http_del(it->http, pg_pollable(it->pg));
	for (int i = 0; (p = pool_pollable(it->pool, i)) != NULL; i++)
		http_del(it->http, p);
}

void
items_free(struct items **itp)
{
	struct items *it = *itp;

	if (it == NULL)
		return;
	pg_free(&it->pg);
	pool_free(&it->pool);
	itemdb_free(&it->db);
	free(it->complained);
	free(it);
	*itp = NULL;
}

struct itemdb *
items_db(struct items *it)
{
	return it->db;
}

struct pool *
items_pool(struct items *it)
{
	return it->pool;
}

int
items_ready(struct items *it, struct http_req *req)
{
	static const struct { const char *code, *text, *retry_s; } why[] = {
		[AWAY] = { "database_away", "the inventory database is away; what is live goes on without it", "5" },
		[EMPTY] = { "database_not_ready", "the inventory database cannot be read yet: dt-store makes its tables", "5" },
		[READING] = { "not_ready", "the inventories are being read from the database; try again in a moment", "1" },
	};

	if (it->state == READY)
		return 0;
	(*stat_cell(STAT_SERVE_REJECTED, why[it->state].code))++;
	http_reply_header(req, "retry-after", why[it->state].retry_s);
	http_reply_error(req, 503, why[it->state].code, "%s", why[it->state].text);
	return -1;
}

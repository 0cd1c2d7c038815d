/* What the inventory sink does before the first event: the game's names go to the database when they are others there, and when this program reads more of an
 * item than the one before it, all items are read again, a page a transaction. */
#include "inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "game/game.h"
#include "log/log.h"
#include "mem/mem.h"
#include "sql.h"

#define NAMES_MAX (4u << 20)
#define PAGE_MAX (64u << 20)
#define XSTR(x) #x
#define STR(x) XSTR(x)

static const char *const kind_names[GAME_KINDS] = {
	[GAME_MATERIAL] = "material", [GAME_SET] = "set", [GAME_OBJECT_CLASS] = "object_class", [GAME_SKILL] = "skill", [GAME_SLOT] = "slot",
	[GAME_COVERAGE] = "coverage", [GAME_IMBUE] = "imbue", [GAME_DAMAGE_TYPE] = "damage_type", [GAME_ITEM_TYPE] = "item_type", [GAME_RATING] = "rating",
	[GAME_WIELD] = "wield", [GAME_CREATURE] = "creature", [GAME_CANTRIP_LEVEL] = "cantrip_level",
};

struct renewal {
	struct buf names, spells, rows, ids, sql;
	struct pg_piece piece[2];
	int64_t after;               /* the last item that is done */
	int64_t n, total;
};

void
start_forget(struct inventory *v)
{
	struct renewal *r = v->renewal;

	if (r == NULL)
		return;
	buf_fini(&r->names);
	buf_fini(&r->spells);
	buf_fini(&r->rows);
	buf_fini(&r->ids);
	buf_fini(&r->sql);
	free(r);
	v->renewal = NULL;
}

static void
failed(void *priv, const struct pg_error *e)
{
	struct inventory *v = priv;

	v->db->failed(v->db->priv, e);
}

static void
run(struct inventory *v, int n_pieces, void (*done)(void *))
{
	struct pg_calls calls = { .on_done = done, .on_error = failed, .priv = v };
	struct renewal *r = v->renewal;

	(void)buf_append(&r->sql, "", 1);
	(void)pg_exec(v->db->pg, buf_data(&r->sql), n_pieces, r->piece, &calls);
	buf_clear(&r->sql);
}

static void
set_meta(struct buf *sql, const char *key, const char *value)
{
	(void)buf_printf(sql, "insert into dt.meta values ('%s', '%s') on conflict (key) do update set value = excluded.value;", key, value);
}

/* ---- facts ---- */

static void next_page(struct inventory *);

static void
on_finished(void *priv)
{
	struct inventory *v = priv;

	if (v->renewal->total > 0)
		log_info("read %" PRId64 " items again", v->renewal->total);
	start_forget(v);
	v->db->done(v->db->priv);
}

static void
finish(struct inventory *v)
{
	set_meta(&v->renewal->sql, "facts", STR(ITEM_FACTS_VERSION));
	(void)buf_appends(&v->renewal->sql, "delete from dt.meta where key = 'facts_through'");
	run(v, 0, on_finished);
}

static void
on_page_row(void *priv, const struct pg_row *row)
{
	struct inventory *v = priv;
	struct renewal *r = v->renewal;
	struct event_value raw = { .kind = EVENT_OBJECT };
	struct holding *h;
	const char *why;
	size_t len;

	r->after = pg_int(row, 0, 0);
	r->n++;
	raw.p = pg_text(row, 1, &len);
	raw.len = (uint32_t)len;
	h = stock_find(&v->stock, (int32_t)r->after);
	if (h == NULL || item_read(&v->facts, raw, &why) == -1)
		return;
	stock_set(h, &v->facts, item_hash(raw));
	h->container = stock_container(&v->stock, h);
	char *p = buf_reserve(&r->rows, goods_item_max(&v->facts));
	if (p == NULL)
		return;
	buf_added(&r->rows, (size_t)(goods_put_item(p, h, &v->facts) - p));
	(void)buf_printf(&r->ids, "%s%" PRId32, buf_size(&r->ids) > 0 ? "," : "", h->id);
}

static void
on_page_written(void *priv)
{
	next_page(priv);
}

static void
on_page(void *priv)
{
	struct inventory *v = priv;
	struct renewal *r = v->renewal;
	char after[24];

	if (r->n == 0) {
		finish(v);
		return;
	}
	r->total += r->n;
	(void)buf_append(&r->ids, "", 1);
	(void)snprintf(after, sizeof after, "%" PRId64, r->after);
	(void)buf_printf(&r->sql, "delete from dt.items where item_id = any('{%s}');", buf_data(&r->ids));
	(void)buf_appends(&r->sql, "copy dt.items (" INVENTORY_COLUMNS ") from stdin;");
	set_meta(&r->sql, "facts_through", after);
	r->piece[0] = (struct pg_piece){ buf_data(&r->rows), buf_size(&r->rows) };
	run(v, 1, on_page_written);
}

static void
next_page(struct inventory *v)
{
	struct pg_calls calls = { .on_row = on_page_row, .on_done = on_page, .on_error = failed, .priv = v };
	struct renewal *r = v->renewal;
	char after[24];
	const char *param = after;

	r->n = 0;
	buf_clear(&r->rows);
	buf_clear(&r->ids);
	(void)snprintf(after, sizeof after, "%" PRId64, r->after);
	(void)pg_query(v->db->pg, sql_stock_page, 1, &param, &calls);
}

static void
renew_facts(struct inventory *v)
{
	if (atoi(v->facts_version) >= ITEM_FACTS_VERSION) {
		start_forget(v);
		v->db->done(v->db->priv);
		return;
	}
	if (v->stock.n == 0) {
		finish(v);
		return;
	}
	log_info("items are read again, in pages: this program knows more of them");
	v->renewal->after = v->facts_through[0] != '\0' ? strtoll(v->facts_through, NULL, 10) : INT64_MIN / 2;
	next_page(v);
}

/* ---- names ---- */

static void
put_names(struct buf *b)
{
	const char *name;
	uint32_t id;

	for (int kind = 0; kind < GAME_KINDS; kind++)
		for (unsigned i = 0; (name = game_at((enum game_kind)kind, i, &id)) != NULL; i++)
			(void)buf_printf(b, "%s\t%" PRIu32 "\t%s\t%s\n", kind_names[kind], id, name, game_word((enum game_kind)kind, id));
}

static void
put_spells(struct buf *b)
{
	for (unsigned i = 0; i < game_spell_count(); i++) {
		const struct game_spell *s = game_spell_at(i);
		(void)buf_printf(b, "%u\t%s\t%u\t%u\t%u\n", s->id, game_spell_name(s), s->category, s->cantrip, s->buff);
	}
}

static uint64_t
hash_of(const struct buf *b, uint64_t h)
{
	for (size_t i = b->off; i < b->len; i++)
		h = (h ^ (unsigned char)b->p[i]) * 0x100000001b3u;
	return h;
}

static void
on_named(void *priv)
{
	renew_facts(priv);
}

static void
renew_names(struct inventory *v)
{
	struct renewal *r = v->renewal;
	char version[24];

	put_names(&r->names);
	put_spells(&r->spells);
	(void)snprintf(version, sizeof version, "%016" PRIx64, hash_of(&r->spells, hash_of(&r->names, 0xcbf29ce484222325u)));
	if (strcmp(version, v->names_version) == 0) {
		renew_facts(v);
		return;
	}
	(void)buf_appends(&r->sql, "delete from dt.names; delete from dt.spells; copy dt.names from stdin; copy dt.spells from stdin;");
	set_meta(&r->sql, "names", version);
	r->piece[0] = (struct pg_piece){ buf_data(&r->names), buf_size(&r->names) };
	r->piece[1] = (struct pg_piece){ buf_data(&r->spells), buf_size(&r->spells) };
	run(v, 2, on_named);
}

void
start_prepare(void *state, const struct sink_db *db)
{
	struct inventory *v = state;

	start_forget(v);
	v->db = db;
	v->renewal = xcalloc(1, sizeof *v->renewal);
	buf_init(&v->renewal->names, NAMES_MAX);
	buf_init(&v->renewal->spells, NAMES_MAX);
	buf_init(&v->renewal->rows, PAGE_MAX);
	buf_init(&v->renewal->ids, NAMES_MAX);
	buf_init(&v->renewal->sql, PAGE_MAX);
	renew_names(v);
}

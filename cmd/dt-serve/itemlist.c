#include "itemlist.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "event/event.h"
#include "mem/mem.h"
#include "rowtext.h"

#define WHOLE 300                        /* items; they take 2 ms */
#define CHUNK 65536u
#define OUT_MAX (64u << 20)
#define FIELD_MAX 65536                  /* bytes of one text in CSV */

struct itemlist {
	const struct itemdb *db;
	int32_t *ids;
	size_t n, at, written;
	enum itemlist_form form;
	struct buf prefix, suffix, out;
};

static void
list_free(void *priv)
{
	struct itemlist *l = priv;

	free(l->ids);
	buf_fini(&l->prefix);
	buf_fini(&l->suffix);
	buf_fini(&l->out);
	free(l);
}

/* ---- an item as a line of CSV: the members of its JSON object, made flat ---- */

static void
put_comma(struct buf *out)
{
	if (buf_size(out) > 0 && buf_data(out)[buf_size(out) - 1] != '\n')
		(void)buf_append(out, ",", 1);
}

static void
put_plain(struct buf *out, struct event_value v)
{
	static char text[FIELD_MAX];
	long len = v.kind == EVENT_STRING ? event_string(v, text, sizeof(text)) : -1;

	if (v.kind == EVENT_STRING && len >= 0)
		(void)buf_append(out, text, (size_t)len);
	else if (v.kind != EVENT_NULL)
		(void)buf_append(out, v.p, v.len);
}

/* Labels, or the names of spells, with "; " between. */
static void
put_array(struct buf *out, struct event_value array)
{
	struct event_value v;
	size_t at = 0;

	for (int i = 0; event_next(array, &at, NULL, &v); i++) {
		(void)buf_append(out, "; ", i > 0 ? 2 : 0);
		put_plain(out, v.kind == EVENT_OBJECT ? event_object_get(v, "name") : v);
	}
}

static void
put_field(struct buf *out, struct event_value v)
{
	struct buf text = BUF_INIT(OUT_MAX);

	put_comma(out);
	if (v.kind != EVENT_ARRAY && v.kind != EVENT_STRING) {
		put_plain(out, v);
		return;
	}
	if (v.kind == EVENT_ARRAY)
		put_array(&text, v);
	else
		put_plain(&text, v);
	if (buf_size(&text) > 0)
		rowtext_put_csv(out, buf_data(&text), buf_size(&text));
	buf_fini(&text);
}

static void
put_csv(struct buf *out, const struct buf *json, int names)
{
	struct event_value object = { .p = buf_data((struct buf *)(uintptr_t)json), .len = (uint32_t)buf_size(json), .kind = EVENT_OBJECT }, key, v, inner;
	size_t at = 0, in;

	while (event_next(object, &at, &key, &v)) {
		if (v.kind != EVENT_OBJECT && names) {
			put_comma(out);
			(void)buf_append(out, key.p, key.len);
		} else if (v.kind != EVENT_OBJECT)
			put_field(out, v);
		else
			for (in = 0; event_next(v, &in, &key, &inner);) {
				if (!names) {
					put_field(out, inner);
					continue;
				}
				put_comma(out);
				(void)buf_printf(out, "%.*s_rating", (int)key.len, key.p);
			}
	}
	(void)buf_append(out, "\r\n", 2);
}

static void
put_csv_names(struct buf *out)
{
	struct buf json = BUF_INIT(CHUNK);
	struct item none = { 0 };

	item_clear(&none);
	(void)item_write_json(&none, "", 0, 0, &json);
	put_csv(out, &json, 1);
	buf_fini(&json);
}

/* ---- items ---- */

static void
put_item(struct itemlist *l, int32_t id)
{
	struct buf json = BUF_INIT(OUT_MAX);
	struct item it;
	unsigned place;
	int64_t updated_us;
	const char *name;

	if (!itemdb_get(l->db, id, &it, &place, &updated_us))
		return;
	name = itemdb_character_at(l->db, place)->name;
	if (l->form == ITEMLIST_CSV) {
		(void)item_write_json(&it, name, strlen(name), updated_us, &json);
		put_csv(&l->out, &json, 0);
		buf_fini(&json);
	} else {
		if (l->form == ITEMLIST_JSON && l->written > 0)
			(void)buf_append(&l->out, ",", 1);
		(void)item_write_json(&it, name, strlen(name), updated_us, &l->out);
		if (l->form == ITEMLIST_NDJSON)
			(void)buf_append(&l->out, "\n", 1);
	}
	l->written++;
}

static void
begin(struct itemlist *l)
{
	if (l->form == ITEMLIST_CSV)
		put_csv_names(&l->out);
	else if (buf_size(&l->prefix) > 0)
		(void)buf_append(&l->out, buf_data(&l->prefix), buf_size(&l->prefix));
}

static void
end(struct itemlist *l)
{
	if (buf_size(&l->suffix) > 0)
		(void)buf_append(&l->out, buf_data(&l->suffix), buf_size(&l->suffix));
}

static void
on_more(void *priv, struct http_req *req)
{
	struct itemlist *l = priv;

	if (l->at == 0)
		begin(l);
	while (l->at < l->n && buf_size(&l->out) < CHUNK)
		put_item(l, l->ids[l->at++]);
	if (l->at == l->n)
		end(l);
	http_stream_write(req, buf_data(&l->out), buf_size(&l->out));
	buf_clear(&l->out);
	if (l->at == l->n)
		http_stream_end(req);
}

static void
take(struct buf *to, struct buf *from)
{
	if (from == NULL)
		return;
	*to = *from;
	*from = (struct buf)BUF_INIT(from->max);
}

void
itemlist_send(struct http_req *req, const struct itemdb *db, int32_t *ids, size_t n, enum itemlist_form form, struct buf *prefix, struct buf *suffix)
{
	static const char *const types[] = { "application/json", "application/x-ndjson", "text/csv; charset=utf-8" };
	struct itemlist *l = xcalloc(1, sizeof(*l));

	*l = (struct itemlist){ .db = db, .ids = ids, .n = n, .form = form };
	buf_init(&l->out, OUT_MAX);
	take(&l->prefix, prefix);
	take(&l->suffix, suffix);
	if (form != ITEMLIST_JSON || n > WHOLE) {
		http_reply_header(req, "cache-control", "no-store");
		http_stream(req, 200, types[form], on_more, list_free, l);
		return;
	}
	for (begin(l); l->at < n; l->at++)
		put_item(l, ids[l->at]);
	end(l);
	answer_json(req, &l->out, 0);
	list_free(l);
}

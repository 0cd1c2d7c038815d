/* How long an inventory of 1,500 items (1 MB) takes: reading its facts, hashing, the canonical form, printing it for the API, and a query over it. */
#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "itemq/itemq.h"
#include "mem/mem.h"

#define ITEMS 1500
#define ROUNDS 10

static unsigned
rnd(unsigned n)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static void
put_item(struct buf *b, unsigned i)
{
	(void)buf_printf(b, "%s{\"Id\":%d,\"Name\":\"Silver Helmet %u\",\"ObjectClass\":2,\"HasIdData\":true,\"LastIdTime\":1745254711,\"IntValues\":{", i ? "," : "", -1900000000 + (int)i, i);
	(void)buf_printf(b, "\"5\":%u,\"19\":%u,\"28\":%u,\"105\":%u,\"106\":370,\"107\":%u,\"108\":2000,\"109\":300,\"115\":273,\"131\":%u,\"158\":7,\"159\":1,\"160\":180,\"171\":10,\"176\":7,\"179\":4096,",
	    rnd(900), rnd(30000), rnd(700), 1 + rnd(10), rnd(2000), 57 + rnd(8));
	(void)buf_printf(b, "\"265\":%u,\"374\":%u,\"218103808\":75,\"218103809\":6120,\"218103810\":1342391396,\"218103821\":16384,\"218103822\":1,\"218103834\":2,\"218103838\":4,\"231735296\":%u},",
	    13 + rnd(17), rnd(4), i % 102);
	(void)buf_appends(b, "\"DoubleValues\":{\"5\":-0.06666667014360428,\"165\":1.0,\"167772160\":1.2999999523162842,\"167772161\":1.0,\"167772162\":3.0},\"StringValues\":{\"1\":\"Helmet\",");
	(void)buf_printf(b, "\"16\":\"Helmet of Invulnerability\"},\"BoolValues\":{\"22\":true,\"91\":true},\"ActiveSpells\":[4397,4407],\"Spells\":[2108,%u,%u]}", 6040 + rnd(60), 4660 + rnd(60));
}

static void
say(const char *what, int64_t best_us)
{
	printf("%-28s %8.2f ms\n", what, (double)best_us / 1000);
}

/* Each a walk over all items. */
static struct item it;
static struct buf out = BUF_INIT(64u << 20);
static struct itemq *query;
static uint64_t sum;

static void do_read(struct event_value v) { const char *why; sum += (uint64_t)item_read(&it, v, &why); }
static void do_hash(struct event_value v) { sum += item_hash(v); }
static void do_merge(struct event_value v) { (void)item_merge((struct event_value){ .p = "" }, v, &out); }
static void do_write(struct event_value v) { do_read(v); (void)item_write_json(&it, "Larsson", 7, 1, &out); }
static void do_match(struct event_value v) { do_read(v); sum += (uint64_t)itemq_match(query, &it, "Larsson", 7); }

static void
run(const char *what, struct event_value items, void (*f)(struct event_value))
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t start = clock_wall_us(), took;
		struct event_value v;
		size_t at = 0;
		buf_clear(&out);
		while (event_next(items, &at, NULL, &v))
			f(v);
		took = clock_wall_us() - start;
		best = took < best ? took : best;
	}
	say(what, best);
}

int
main(void)
{
	static struct event e;
	struct buf b = BUF_INIT(8u << 20);
	struct event_value items;
	struct itemq_error error;

	(void)buf_appends(&b, "{\"type\":\"full_inventory\",\"character_name\":\"Larsson\",\"items\":[");
	for (unsigned i = 0; i < ITEMS; i++)
		put_item(&b, i);
	(void)buf_appends(&b, "]}");
	if (event_scan(buf_data(&b), buf_size(&b), &e) != EVENT_OK)
		return 1;
	items = event_get(&e, "items");
	query = itemq_new();
	if (itemq_parse(query, "set:soldier al>=400 spell:\"legendary storm\" -equipped helmet", 60, &error) != 0)
		return 1;
	printf("%d items, %.2f MB, best of %d\n", ITEMS, (double)buf_size(&b) / 1e6, ROUNDS);
	run("read", items, do_read);
	run("hash", items, do_hash);
	run("canonical form", items, do_merge);
	run("read and print for the API", items, do_write);
	run("read and match a query", items, do_match);
	itemq_free(&query);
	item_fini(&it);
	buf_fini(&out);
	buf_fini(&b);
	return sum == 42;
}

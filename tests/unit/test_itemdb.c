/* itemdb: random items under random changes; random searches compared with a plain list that is filtered, sorted and cut. */
#include "itemdb/itemdb.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"
#include "game/game.h"
#include "itemdb/map.h"
#include "itemdb/strings.h"
#include "itemq/itemq.h"
#include "suite.h"

#define THINGS 3000
#define OWNERS 12

static uint64_t seed;

static unsigned
dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* ---- a plain list ---- */

struct thing {
	int used, owner;
	int32_t id, spells[6];
	char name[40], about[40];
	int n_spells, n_active;
	struct item it;
};

static struct thing things[THINGS];

static struct event_value
plain(const char *s)
{
	return (struct event_value){ .p = s, .len = (uint32_t)strlen(s), .kind = EVENT_STRING };
}

static const char *const words[] = { "Helm", "Ring", "Gold", "silver", "Tusk", "of", "Larsson's", "100%", "a_b", "\"x\"", "<b>", "\xc3\x89p\xc3\xa9""e", "\xc3\xa9p", "'; drop" };
#define WORDS (sizeof(words) / sizeof(*words))

static void
phrase(char *out, unsigned most)
{
	unsigned n = 1 + dice(most);

	for (out[0] = '\0'; n-- > 0; strcat(out, n > 0 ? " " : ""))
		strcat(out, words[dice(WORDS)]);
}

static int32_t
maybe(unsigned n)
{
	return dice(3) == 0 ? ITEM_NONE : (int32_t)dice(n);
}

static void
make_thing(struct thing *t, int32_t id)
{
	*t = (struct thing){ .used = 1, .id = id, .owner = (int)dice(OWNERS), .n_spells = (int)dice(4), .n_active = (int)dice(3) };
	phrase(t->name, 3);
	phrase(t->about, 3);
	for (int i = 0; i < 6; i++)
		t->spells[i] = dice(20) == 0 ? -5 : (int32_t)(1 + dice(30));
	t->it = (struct item){
		.id = id, .object_class = (int32_t)dice(40), .icon = (int32_t)dice(9000), .wcid = maybe(900), .container_id = dice(2) ? 0 : -(int32_t)dice(5), .position = maybe(102),
		.equipped_slot = dice(4) == 0 ? UINT32_C(1) << dice(31) : 0, .valid_slots = dice(2) ? 0 : UINT32_C(0x7e00) & dice(65536), .stack_count = maybe(100), .value = maybe(2000000000),
		.burden = maybe(5000), .material_id = dice(2) ? ITEM_NONE : (int32_t)(1 + dice(60)), .set_id = dice(2) ? ITEM_NONE : (int32_t)(13 + dice(17)), .armor_level = maybe(600),
		.base_armor_level = (int32_t)dice(600) - 100, .workmanship = dice(2) ? NAN : (float)dice(100) / 10, .tinks = maybe(11), .damage_min = dice(2) ? NAN : (float)dice(1000) / 8,
		.damage_max = maybe(100), .damage_type = dice(2) ? 0 : dice(16), .wield_level = maybe(276), .cantrip_level = (int8_t)dice(9), .bonded = (int8_t)((int)dice(3) - 1),
		.rare = (int8_t)dice(2), .imbue = dice(3) ? 0 : UINT32_C(1) << dice(31)
	};
	for (int i = 0; i < ITEM_RATINGS; i++)
		t->it.rating[i] = dice(2) ? ITEM_NO_RATING : (int16_t)((int)dice(10) - 2);
}

static void
put(struct itemdb *db, struct thing *t)
{
	char owner[16];

	t->it.name = plain(t->name);
	t->it.description = dice(2) ? plain(t->about) : (t->about[0] = '\0', (struct event_value){ .kind = EVENT_ABSENT });
	t->it.spells = t->spells;
	t->it.n_spells = (uint16_t)t->n_spells;
	t->it.active_spells = t->spells + t->n_spells;
	t->it.n_active_spells = (uint16_t)t->n_active;
	snprintf(owner, sizeof(owner), "Owner %d", t->owner);
	itemdb_put(db, &t->it, itemdb_character(db, 100 + t->owner, owner), t->id);
}

static int32_t
id_of(int i)
{
	return (int32_t)(0x80000000u + (unsigned)i * 7919u);
}

static size_t
fill(struct itemdb *db, int changes)
{
	size_t used = 0;

	memset(things, 0, sizeof(things));
	for (int n = 0; n < changes; n++) {
		int i = (int)dice(THINGS);

		if (things[i].used && dice(3) == 0) {
			ck_assert_int_eq(itemdb_remove(db, things[i].id), 1);
			ck_assert_int_eq(itemdb_remove(db, things[i].id), 0);
			things[i].used = 0;
		} else {
			make_thing(&things[i], id_of(i));
			put(db, &things[i]);
		}
	}
	for (int i = 0; i < THINGS; i++)
		used += (size_t)things[i].used;
	return used;
}

/* ---- random conditions, in both forms ---- */

struct condition { int kind, a, b, negated; const char *word; };

static double
fact(const struct thing *t, int which)
{
	switch (which) {
	case 0: return t->it.armor_level == ITEM_NONE ? (double)NAN : t->it.armor_level;
	case 1: return t->it.value == ITEM_NONE ? (double)NAN : t->it.value;
	case 2: return t->it.workmanship;
	case 3: return t->it.rating[ITEM_CRIT] == ITEM_NO_RATING ? (double)NAN : t->it.rating[ITEM_CRIT];
	case 4: return t->it.cantrip_level == 0 ? (double)NAN : t->it.cantrip_level;
	case 5: return t->id;
	case 6: return t->it.damage_min;
	default: return t->it.wield_level == ITEM_NONE ? (double)NAN : t->it.wield_level;
	}
}
static const enum itemdb_column fact_column[] = { ITEMDB_ARMOR_LEVEL, ITEMDB_VALUE, ITEMDB_WORKMANSHIP, ITEMDB_CRIT_RATING, ITEMDB_CANTRIP_LEVEL, ITEMDB_ITEM_ID, ITEMDB_DAMAGE_MIN, ITEMDB_WIELD_LEVEL };

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (unsigned char)s[0] == 0xc3 && (unsigned char)s[1] == 0x89 ? (s[1] = (char)0xa9, *s) : (char)tolower((unsigned char)*s);
}

static int
has_word(const char *text, const char *word)
{
	char a[64], b[64];

	snprintf(a, sizeof(a), "%s", text);
	snprintf(b, sizeof(b), "%s", word);
	lower(a);
	lower(b);
	return strstr(a, b) != NULL;
}

static int
holds(const struct condition *c, const struct thing *t)
{
	int found = 0;
	double n;

	switch (c->kind) {
	case 0: n = fact(t, c->a % 8); return n >= c->b - 50 && n <= c->b + 200;
	case 1: return has_word(t->name, c->word) || (t->about[0] != '\0' && has_word(t->about, c->word));
	case 2: return t->it.set_id == 13 + c->a || t->it.set_id == 14 + c->b % 10;
	case 3: return (t->it.valid_slots & (0x200u << c->a % 6)) != 0;
	case 4: return t->owner == c->a || t->owner == 3;
	case 5:
		for (int i = 0; i < t->n_spells; i++)
			found |= t->spells[i] == c->a || t->spells[i] == -5;
		return found;
	case 6:
		for (int i = t->n_spells; i < t->n_spells + t->n_active; i++)
			found |= t->spells[i] == c->a;
		return found;
	case 7: return t->it.equipped_slot != 0;
	case 8: return t->it.bonded == c->a % 2;
	case 9: return !isnan(fact(t, c->a % 8));
	default: return t->it.damage_type == 0;
	}
}

static struct itemdb_test *
test_of(const struct condition *c)
{
	uint32_t two[2] = { (uint32_t)(13 + c->a), (uint32_t)(14 + c->b % 10) }, spells[2] = { (uint32_t)c->a, (uint32_t)-5 };
	char owner[16];

	snprintf(owner, sizeof(owner), "Owner %d", c->a);
	switch (c->kind) {
	case 0: return itemdb_between(fact_column[c->a % 8], c->b - 50, c->b + 200);
	case 1: return itemdb_contains(ITEMDB_IN_NAME | ITEMDB_IN_DESCRIPTION, c->word, strlen(c->word));
	case 2: return itemdb_one_of(ITEMDB_SET_ID, two, 2);
	case 3: return itemdb_any_bit(ITEMDB_VALID_SLOTS, 0x200u << c->a % 6);
	case 4: return itemdb_or(itemdb_equals(ITEMDB_IN_CHARACTER, owner, strlen(owner)), itemdb_contains(ITEMDB_IN_CHARACTER, "oWNER 3", 7));
	case 5: return itemdb_casts(spells, 2, 0);
	case 6: return itemdb_casts(spells, 1, 1);
	case 7: return itemdb_between(ITEMDB_EQUIPPED, 1, 1);
	case 8: return itemdb_between(ITEMDB_BONDED, c->a % 2, c->a % 2);
	case 9: return itemdb_present(fact_column[c->a % 8]);
	default: return itemdb_any_bit(ITEMDB_DAMAGE_TYPE, 0);
	}
}

/* ---- order ---- */

static struct itemdb_order order;
static int order_fact;                   /* which fact, of the columns that are numbers */

static int
text_of(const struct thing *t, char *out)
{
	char id[12], bits[80];
	const char *name;

	switch (order.column) {
	case ITEMDB_CHARACTER_NAME: snprintf(id, sizeof(id), "owner %d", t->owner); name = id; break;
	case ITEMDB_SET: name = t->it.set_id == ITEM_NONE ? NULL : game_set((uint32_t)t->it.set_id); break;
	case ITEMDB_DAMAGE_TYPE: name = t->it.damage_type == 0 ? NULL : (game_bits_text(GAME_DAMAGE_TYPE, t->it.damage_type, ", ", bits, sizeof(bits)), bits); break;
	default: name = t->name;
	}
	if (name == NULL)
		return 0;
	strcpy(out, name);
	lower(out);
	return 1;
}

static int
in_order(const void *a, const void *b)
{
	const struct thing *x = *(struct thing *const *)a, *y = *(struct thing *const *)b;
	char tx[80], ty[80];
	int hx, hy, c = 0;

	if (itemdb_column_is_text(order.column)) {
		hx = text_of(x, tx);
		hy = text_of(y, ty);
		if (hx && hy)
			c = strcmp(tx, ty);
	} else {
		double nx = fact(x, order_fact), ny = fact(y, order_fact);
		hx = !isnan(nx);
		hy = !isnan(ny);
		if (hx && hy)
			c = nx < ny ? -1 : nx > ny;
	}
	if (hx != hy)
		return hx ? -1 : 1;
	if (c != 0)
		return order.descending ? -c : c;
	return x->id < y->id ? -1 : 1;
}

/* ---- the comparison ---- */

struct page { int32_t ids[THINGS]; size_t n; };

static void
run_search(struct itemdb *db, const struct itemdb_ask *ask, struct itemdb_search **s)
{
	*s = itemdb_search_new(db, ask, (1u << ITEMDB_FACETS) - 1);
	while (!itemdb_search_step(*s, 1 + dice(4000)))
		;
}

static struct itemdb_test *
tests_of(const struct condition *c, int n)
{
	struct itemdb_test *all = NULL;

	for (int i = 0; i < n; i++) {
		struct itemdb_test *t = test_of(&c[i]);
		all = itemdb_and(all, c[i].negated ? itemdb_not(t) : t);
	}
	return all;
}

static uint32_t
counted(struct itemdb_search *s, enum itemdb_facet f, int32_t id)
{
	const struct itemdb_count *c;
	size_t n = itemdb_search_facet(s, f, &c);

	for (size_t i = 1; i < n; i++)
		ck_assert(c[i - 1].count > c[i].count || (c[i - 1].count == c[i].count && c[i - 1].id < c[i].id));
	for (size_t i = 0; i < n; i++)
		if (c[i].id == id)
			return c[i].count;
	return 0;
}

static void
compare_facets(struct itemdb *db, struct itemdb_search *s, struct thing **want, size_t n)
{
	uint32_t set = 0, slot = 0, owner = 0, spell = 0, material = 0, class = 0;
	int32_t which_set = 13 + (int)dice(17), which_spell = 1 + (int)dice(30);

	for (size_t i = 0; i < n; i++) {
		set += want[i]->it.set_id == which_set;
		slot += (want[i]->it.valid_slots & 0x400) != 0;
		owner += want[i]->owner == 5;
		material += want[i]->it.material_id == 7;
		class += want[i]->it.object_class == 2;
		for (int j = 0, once = 0; j < want[i]->n_spells && !once; j++)
			spell += (uint32_t)(once = want[i]->spells[j] == which_spell);
	}
	ck_assert_uint_eq(counted(s, ITEMDB_F_SET, which_set), set);
	ck_assert_uint_eq(counted(s, ITEMDB_F_SLOT, 0x400), slot);
	ck_assert_uint_eq(counted(s, ITEMDB_F_MATERIAL, 7), material);
	ck_assert_uint_eq(counted(s, ITEMDB_F_OBJECT_CLASS, 2), class);
	ck_assert_uint_eq(counted(s, ITEMDB_F_SPELL, which_spell), spell);
	ck_assert_uint_eq(counted(s, ITEMDB_F_CHARACTER, itemdb_character_find(db, "Owner 5")), owner);
}

/* Page after page by cursor gives the whole list; a page by number gives its part. */
static void
compare_pages(struct itemdb *db, const struct condition *c, int n_conditions, const struct itemdb_order *by, struct thing **want, size_t n)
{
	struct itemdb_ask ask = { .order = *by, .limit = 1 + dice(400) };
	struct itemdb_search *s;
	struct itemdb_key key;
	const int32_t *ids;
	size_t got, seen = 0;
	int more;

	do {
		struct buf text = BUF_INIT(4096);

		ask.test = tests_of(c, n_conditions);
		run_search(db, &ask, &s);
		ck_assert_uint_eq(itemdb_search_total(s), n);
		got = itemdb_search_page(s, &ids);
		ck_assert_uint_le(seen + got, n);
		for (size_t i = 0; i < got; i++)
			ck_assert_int_eq(ids[i], want[seen + i]->id);
		seen += got;
		if (seen == got)
			compare_facets(db, s, want, n);
		more = itemdb_search_more(s, &key);
		ck_assert_int_eq(more, seen < n);
		itemdb_key_write(&key, by, &text);
		(void)buf_append(&text, "", 1);
		if (more)
			ck_assert_int_eq(itemdb_key_read(buf_data(&text), by, &ask.after), 0);
		ask.has_after = 1;
		buf_fini(&text);
		itemdb_search_free(&s);
	} while (more);
	ck_assert_uint_eq(seen, n);
	ask.has_after = 0;
	ask.offset = dice((unsigned)n + 2);
	ask.test = tests_of(c, n_conditions);
	run_search(db, &ask, &s);
	got = itemdb_search_page(s, &ids);
	for (size_t i = 0; i < got; i++)
		ck_assert_int_eq(ids[i], want[ask.offset + i]->id);
	ck_assert_uint_eq(got, ask.offset >= n ? 0 : n - ask.offset < ask.limit ? n - ask.offset : ask.limit);
	itemdb_search_free(&s);
}

static void
one_search(struct itemdb *db)
{
	static const enum itemdb_column texts[] = { ITEMDB_NAME, ITEMDB_CHARACTER_NAME, ITEMDB_SET, ITEMDB_DAMAGE_TYPE };
	static struct thing *want[THINGS];
	struct condition c[3];
	int n_conditions = (int)dice(4), which = (int)dice(12), down = (int)dice(2);
	struct itemdb_order by = { which < 8 ? fact_column[which] : texts[which - 8], down };
	size_t n = 0;

	for (int i = 0; i < n_conditions; i++)
		c[i] = (struct condition){ .kind = (int)dice(11), .a = (int)dice(12), .b = (int)dice(400), .negated = dice(3) == 0, .word = words[dice(WORDS)] };
	for (int i = 0; i < THINGS; i++) {
		int in = things[i].used;
		for (int j = 0; j < n_conditions && in; j++)
			in = holds(&c[j], &things[i]) != c[j].negated;
		if (in)
			want[n++] = &things[i];
	}
	order = by;
	order_fact = which;
	qsort(want, n, sizeof(*want), in_order);
	compare_pages(db, c, n_conditions, &by, want, n);
}

START_TEST(searches)
{
	struct itemdb *db = itemdb_new();

	size_t n_used;

	seed = (uint64_t)_i + 1;
	n_used = fill(db, 9000);
	ck_assert_uint_eq(itemdb_items(db), n_used);
	for (int n = 0; n < 60; n++)
		one_search(db);
	itemdb_free(&db);
	ck_assert_ptr_null(db);
}
END_TEST

/* ---- what itemq asks, prepared for a scan, and asked of item by item ---- */

static void
some_query(char *out)
{
	static const char *const fields[] = { "al", "damage", "damage_min", "work", "tinks", "value", "burden", "level", "skill_level", "stack", "position", "wcid", "icon", "d", "cr", "v", "base_al" };
	static const char *const ops[] = { ":", "=", ">=", "<=", ">", "<" };
	static const char *const others[] = { "material:gold", "material:none", "-material:any", "set:heroic", "set:14", "set:any", "-set:none", "class:armor", "class=2", "slot:chest", "slot:none",
		"slot:any", "slot:512", "imbue:any", "element:fire", "element:none", "spell:7", "spell:strength", "active:3", "cantrip:epic", "cantrip=minor", "cantrip:none", "-cantrip:any", "cantrip<major",
		"equipped", "-equipped", "bonded:true", "bonded:false", "-attuned", "rare", "rare:no", "char:\"owner 3\"", "char:\"OWNER 5\"", "-char:\"owner 3\"", "name:helm", "-desc:of", "tusk",
		"\"100%\"", "name=\"helm\"", "\xc3\x89p\xc3\xa9""e", "container:0", "id:-2147483648", "skill:none", "equipped_slot:any" };
	int n = 1 + (int)dice(3);

	for (out[0] = '\0'; n-- > 0;) {
		if (dice(2) == 0)
			sprintf(out + strlen(out), "%s%s%s%u ", dice(3) ? "" : "-", fields[dice(sizeof(fields) / sizeof(*fields))], ops[dice(6)], dice(3) ? dice(20) : dice(400));
		else
			sprintf(out + strlen(out), "%s ", others[dice(sizeof(others) / sizeof(*others))]);
	}
}

START_TEST(queries)
{
	struct itemdb *db = itemdb_new();
	static struct thing *want[THINGS];
	char text[400], owner[16];

	seed = 21;
	fill(db, 7000);
	order = (struct itemdb_order){ ITEMDB_ITEM_ID, 0 };
	order_fact = 5;
	for (int run = 0; run < 400; run++) {
		struct itemdb_ask ask = { .order = order, .limit = THINGS };
		struct itemq *q = itemq_new();
		struct itemq_error e;
		struct itemdb_search *s;
		const int32_t *ids;
		size_t n = 0;

		some_query(text);
		ck_assert_msg(itemq_parse(q, text, strlen(text), &e) == 0, "%s: %s", text, e.text);
		for (int i = 0; i < THINGS; i++) {
			snprintf(owner, sizeof(owner), "Owner %d", things[i].owner);
			if (things[i].used && itemq_match(q, &things[i].it, owner, strlen(owner)))
				want[n++] = &things[i];
		}
		qsort(want, n, sizeof(*want), in_order);
		ask.test = itemdb_query(q);
		run_search(db, &ask, &s);
		ck_assert_msg(itemdb_search_total(s) == n, "%s: %zu, not %zu", text, itemdb_search_total(s), n);
		(void)itemdb_search_page(s, &ids);
		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq(ids[i], want[i]->id);
		itemdb_search_free(&s);
		itemq_free(&q);
	}
	itemdb_free(&db);
}
END_TEST

START_TEST(comes_back_as_it_was)
{
	struct itemdb *db = itemdb_new();
	struct item it;
	unsigned owner;
	int64_t at;

	seed = 77;
	fill(db, 5000);
	for (int i = 0; i < THINGS; i++) {
		struct thing *t = &things[i];

		ck_assert_int_eq(itemdb_get(db, id_of(i), &it, &owner, &at), t->used);
		if (!t->used)
			continue;
		ck_assert_int_eq(it.id, t->id);
		ck_assert_int_eq(it.armor_level, t->it.armor_level);
		ck_assert_int_eq(it.container_id, t->it.container_id);
		ck_assert(event_value_is(it.name, t->name));
		ck_assert_int_eq(it.description.kind == EVENT_STRING, t->about[0] != '\0');
		ck_assert_mem_eq(it.rating, t->it.rating, sizeof(it.rating));
		ck_assert_int_eq(it.n_spells, t->n_spells);
		ck_assert_int_eq(it.n_active_spells, t->n_active);
		ck_assert_mem_eq(it.spells, t->spells, (size_t)t->n_spells * 4);
		ck_assert_mem_eq(it.active_spells, t->spells + t->n_spells, (size_t)t->n_active * 4);
		ck_assert_int_eq(itemdb_character_at(db, owner)->id, 100 + t->owner);
		ck_assert_int_eq(at, t->id);
	}
	itemdb_free(&db);
}
END_TEST

START_TEST(characters)
{
	struct itemdb *db = itemdb_new();
	size_t n, sum = 0;
	int32_t *ids;

	seed = 5;
	fill(db, 4000);
	ck_assert_int_eq(itemdb_character_find(db, "owner 1"), -1);
	for (unsigned place = 0; itemdb_character_at(db, place) != NULL; place++) {
		const struct itemdb_character *c = itemdb_character_at(db, place);
		struct item it, before = { .container_id = 0, .position = ITEM_NONE };
		unsigned owner;
		int64_t at;

		ids = itemdb_character_items(db, place, &n);
		ck_assert_uint_eq(n, c->items);
		for (size_t i = 0; i < n; i++, before = it) {
			ck_assert_int_eq(itemdb_get(db, ids[i], &it, &owner, &at), 1);
			ck_assert_uint_eq(owner, place);
			ck_assert((uint32_t)it.container_id > (uint32_t)before.container_id || (it.container_id == before.container_id && it.position >= before.position));
		}
		sum += n;
		free(ids);
	}
	ck_assert_uint_eq(sum, itemdb_items(db));
	itemdb_character_set(db, 0, 1, 2, 3);
	ck_assert_int_eq(itemdb_character_at(db, 0)->listed, 1);
	ck_assert_int_eq(itemdb_character_at(db, 0)->drift, 3);
	itemdb_unlist(db);
	ck_assert_int_eq(itemdb_character_at(db, 0)->listed, 0);
	ck_assert_uint_eq(itemdb_character(db, itemdb_character_at(db, 0)->id, "Renamed"), 0);
	ck_assert_int_eq(itemdb_character_find(db, "Renamed"), 0);
	itemdb_free(&db);
}
END_TEST

START_TEST(reload)
{
	struct itemdb *db = itemdb_new();
	size_t kept = 0;

	seed = 9;
	fill(db, 5000);
	itemdb_mark(db);
	for (int i = 0; i < THINGS; i++)
		if (things[i].used && (things[i].used = dice(2)) == 1) {
			put(db, &things[i]);
			kept++;
		}
	itemdb_sweep(db);
	ck_assert_uint_eq(itemdb_items(db), kept);
	for (int n = 0; n < 20; n++)
		one_search(db);
	itemdb_free(&db);
}
END_TEST

START_TEST(changes_during_a_search)
{
	struct itemdb *db = itemdb_new();
	struct itemdb_ask ask = { .order = { ITEMDB_NAME, 0 }, .limit = 1000 };
	struct itemdb_search *s;
	const int32_t *ids;
	int steps = 0, i;

	seed = 11;
	fill(db, 8000);
	s = itemdb_search_new(db, &ask, 0);
	for (i = 0; !itemdb_search_step(s, 100); steps++) {
		while (!things[i].used)
			i++;
		ck_assert_int_eq(itemdb_remove(db, things[i].id), 1);
		things[i].used = 0;
	}
	ck_assert_int_eq(steps, 4);
	ck_assert_uint_eq(itemdb_search_total(s), itemdb_items(db));
	for (size_t n = itemdb_search_page(s, &ids); n-- > 0;)
		for (int j = 0; j < i; j++)
			ck_assert(things[j].used || ids[n] != things[j].id);
	itemdb_search_free(&s);
	itemdb_free(&db);
}
END_TEST

START_TEST(keys)
{
	static const char *const wrong[] = { "", "name", "name.a.", "name.a.0.1", "name.a.0.1.2.", "name.a.2.1.2", "name.d.0.1.2", "value.a.0.1.2", "name.a.0.11112222333344445.2", "name.a.0.1.111122223",
		"name.a.0.1.2.6", "name.a.0.1.2.6g", "name.a.0.1.2.61.62", "name.a.0.-1.2", " name.a.0.1.2" };
	struct itemdb_order o = { ITEMDB_NAME, 0 };
	struct itemdb_key k;
	char lengthy[300] = "name.a.0.1.2.";

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(itemdb_key_read(wrong[i], &o, &k) == -1, "%s", wrong[i]);
	ck_assert_int_eq(itemdb_key_read("name.a.0.1f.ffffffff.6162", &o, &k), 0);
	ck_assert_int_eq(k.item_id, -1);
	ck_assert_uint_eq(k.number, 0x1f);
	ck_assert_uint_eq(k.text_len, 2);
	memset(lengthy + 13, '6', 2 * ITEMDB_KEY_MAX);
	ck_assert_int_eq(itemdb_key_read(lengthy, &o, &k), 0);
	memset(lengthy + 13, '6', 2 * ITEMDB_KEY_MAX + 2);
	ck_assert_int_eq(itemdb_key_read(lengthy, &o, &k), -1);
}
END_TEST

START_TEST(edges)
{
	struct itemdb *db = itemdb_new();
	struct itemdb_ask ask = { .order = { ITEMDB_VALUE, 1 }, .limit = 10 };
	struct itemdb_search *s = itemdb_search_new(db, &ask, (1u << ITEMDB_FACETS) - 1);
	const struct itemdb_count *c;
	const int32_t *ids;
	struct item it = { .id = INT32_MIN, .value = INT32_MAX, .object_class = ITEM_NONE, .name = plain(""), .spells = (int32_t[]){ INT32_MIN }, .n_spells = 1 };

	ck_assert_int_eq(itemdb_search_step(s, 1), 1);
	ck_assert_uint_eq(itemdb_search_page(s, &ids), 0);
	for (int f = 0; f < ITEMDB_FACETS; f++)
		ck_assert_uint_eq(itemdb_search_facet(s, f, &c), 0);
	itemdb_search_free(&s);
	itemdb_put(db, &it, itemdb_character(db, INT32_MIN, ""), INT64_MAX);
	it.id = INT32_MAX;
	it.value = INT32_MIN + 1;
	itemdb_put(db, &it, 0, INT64_MIN);
	ask.test = itemdb_and(itemdb_between(ITEMDB_VALUE, -INFINITY, INFINITY), itemdb_casts((uint32_t[]){ 0x80000000u }, 1, 0));
	s = itemdb_search_new(db, &ask, 0);
	ck_assert_int_eq(itemdb_search_step(s, SIZE_MAX), 1);
	ck_assert_uint_eq(itemdb_search_page(s, &ids), 2);
	ck_assert_int_eq(ids[0], INT32_MIN);
	itemdb_search_free(&s);
	itemdb_free(&db);
}
END_TEST

START_TEST(parts)
{
	struct strings *s = strings_new();
	struct map m = { 0 };
	char folded[16];
	uint32_t a, b;

	fold_text(folded, "A\xc3\x96\xce\xa3\xd0\xaf\xc5\xbd\xc3\x97Z\xe2\x82\xac\xc3", 16);
	ck_assert_mem_eq(folded, "a\xc3\xb6\xcf\x83\xd1\x8f\xc5\xbe\xc3\x97z\xe2\x82\xac\xc3", 16);
	a = strings_take(s, "Helm", 4);
	ck_assert_uint_eq(strings_take(s, "Helm", 4), a);
	b = strings_take(s, "helm", 4);
	ck_assert_uint_ne(a, b);
	ck_assert_str_eq(strings_folded(s, a, NULL), "helm");
	ck_assert_str_eq(strings_text(s, a, NULL), "Helm");
	strings_release(s, a);
	ck_assert_str_eq(strings_text(s, a, NULL), "Helm");
	strings_release(s, a);
	ck_assert_uint_eq(strings_take(s, "other", 5), a);       /* its number is used again */
	for (int i = 0; i < 5000; i++)
		(void)strings_take(s, (char *)&i, sizeof(i));
	ck_assert_str_eq(strings_text(s, b, NULL), "helm");
	strings_free(&s);

	ck_assert_uint_eq(map_get(&m, 1), MAP_NONE);
	for (int32_t i = 0; i < 10000; i++)
		*map_at(&m, i * 65536, 0) = (uint32_t)i;
	for (int32_t i = 0; i < 10000; i += 3)
		map_remove(&m, i * 65536);
	for (int32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(map_get(&m, i * 65536), i % 3 == 0 ? MAP_NONE : (uint32_t)i);
	map_fini(&m);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("itemdb");

	tcase_add_loop_test(t, searches, 0, 4);
	tcase_add_test(t, queries);
	tcase_add_test(t, comes_back_as_it_was);
	tcase_add_test(t, characters);
	tcase_add_test(t, reload);
	tcase_add_test(t, changes_during_a_search);
	tcase_add_test(t, keys);
	tcase_add_test(t, edges);
	tcase_add_test(t, parts);
	return suite_run(t, "itemdb");
}

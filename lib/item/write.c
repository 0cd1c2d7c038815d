/* The normalised item of the HTTP API. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock/clock.h"
#include "game/game.h"
#include "item/item.h"

/* Everything but texts and spells fits this. */
#define SCALARS_MAX 4096

static char *
put(char *p, const char *s)
{
	size_t len = strlen(s);

	memcpy(p, s, len);
	return p + len;
}

static char *
put_uint(char *p, uint64_t v)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static char *
put_int(char *p, int64_t v)
{
	if (v < 0)
		*p++ = '-';
	return put_uint(p, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* `,"name":` before a value. */
static char *
put_key(char *p, const char *name)
{
	p = put(p, ",\"");
	p = put(p, name);
	return put(p, "\":");
}

static char *
put_number(char *p, const char *name, int32_t v)
{
	p = put_key(p, name);
	return v == ITEM_NONE ? put(p, "null") : put_int(p, v);
}

static char *
put_bits(char *p, const char *name, uint32_t v)
{
	p = put_key(p, name);
	return v == 0 ? put(p, "null") : put_uint(p, v);
}

static char *
put_real(char *p, const char *name, float v)
{
	p = put_key(p, name);
	return isfinite(v) ? p + snprintf(p, 32, "%.6g", (double)v) : put(p, "null");
}

static char *
put_flag(char *p, const char *name, int8_t v)
{
	p = put_key(p, name);
	return put(p, v < 0 ? "null" : v ? "true" : "false");
}

/* Names of the tables hold neither quotes nor backslashes (a test looks). */
static char *
put_named(char *p, const char *name, enum game_kind kind, int32_t id)
{
	const char *text = id == ITEM_NONE ? NULL : game_name(kind, (uint32_t)id);

	p = put_key(p, name);
	if (id == ITEM_NONE)
		return put(p, "null");
	if (text == NULL)
		return p + sprintf(p, "\"#%d\"", id);
	*p++ = '"';
	p = put(p, text);
	return put(p, "\"");
}

static char *
put_bits_text(char *p, const char *name, enum game_kind kind, uint32_t mask)
{
	p = put_key(p, name);
	if (mask == 0)
		return put(p, "null");
	*p++ = '"';
	p += game_bits_text(kind, mask, ", ", p, 1024);
	return put(p, "\"");
}

static char *
put_slots(char *p, uint32_t mask)
{
	p = put_key(p, "slots");
	if (mask == 0)
		return put(p, "[]");
	p = put(p, "[\"");
	p += game_bits_text(GAME_SLOT, mask, "\",\"", p, 1024);
	return put(p, "\"]");
}

static char *
put_ratings(char *p, const struct item *it)
{
	p = put_key(p, "ratings");
	for (unsigned i = 0; i < ITEM_RATINGS; i++) {
		*p++ = i == 0 ? '{' : ',';
		*p++ = '"';
		p = put(p, item_rating_names[i]);
		p = put(p, "\":");
		p = it->rating[i] == ITEM_NO_RATING ? put(p, "null") : put_int(p, it->rating[i]);
	}
	return put(p, "}");
}

static char *
put_scalars(char *p, const struct item *it)
{
	p = put_named(p, "object_class", GAME_OBJECT_CLASS, it->object_class);
	p = put_number(p, "object_class_id", it->object_class);
	p = put_number(p, "icon", it->icon);
	p = put_number(p, "wcid", it->wcid);
	p = put_key(p, "container_id");
	p = put_int(p, it->container_id);
	p = put_number(p, "position", it->position);
	p = put_flag(p, "equipped", it->equipped_slot != 0);
	p = put_key(p, "equipped_slot");
	p = put_uint(p, it->equipped_slot);
	p = put_slots(p, it->valid_slots);
	p = put_bits(p, "valid_slots", it->valid_slots);
	p = put_bits(p, "coverage", it->coverage);
	p = put_number(p, "stack_count", it->stack_count);
	p = put_number(p, "max_stack", it->max_stack);
	p = put_number(p, "value", it->value);
	p = put_number(p, "burden", it->burden);
	p = put_named(p, "material", GAME_MATERIAL, it->material_id);
	p = put_number(p, "material_id", it->material_id);
	p = put_named(p, "set", GAME_SET, it->set_id);
	p = put_number(p, "set_id", it->set_id);
	p = put_number(p, "armor_level", it->armor_level);
	p = put_number(p, "base_armor_level", it->base_armor_level);
	p = put_real(p, "workmanship", it->workmanship);
	return put_number(p, "tinks", it->tinks);
}

static char *
put_scalars2(char *p, const struct item *it)
{
	p = put_bits_text(p, "imbue", GAME_IMBUE, it->imbue);
	p = put_bits(p, "imbue_id", it->imbue);
	p = put_real(p, "damage_min", it->damage_min);
	p = put_number(p, "damage_max", it->damage_max);
	p = put_bits_text(p, "damage_type", GAME_DAMAGE_TYPE, it->damage_type);
	p = put_bits(p, "damage_type_id", it->damage_type);
	p = put_number(p, "wield_level", it->wield_level);
	p = put_named(p, "wield_skill", GAME_SKILL, it->wield_skill);
	p = put_number(p, "wield_skill_id", it->wield_skill);
	p = put_number(p, "wield_skill_level", it->wield_skill_level);
	p = put_named(p, "cantrip_level", GAME_CANTRIP_LEVEL, it->cantrip_level == 0 ? ITEM_NONE : it->cantrip_level);
	p = put_ratings(p, it);
	p = put_flag(p, "bonded", it->bonded);
	p = put_flag(p, "attuned", it->attuned);
	p = put_flag(p, "rare", it->rare);
	return put_flag(p, "has_id_data", it->has_id_data);
}

/* ---- texts and spells, of any length ---- */

static int
append_text(struct buf *b, struct event_value v)
{
	if (v.kind != EVENT_STRING)
		return buf_append(b, "null", 4);
	if (!v.escaped)
		return buf_append_json(b, v.p, v.len);
	return buf_append(b, "\"", 1) != 0 || buf_append(b, v.p, v.len) != 0 || buf_append(b, "\"", 1) != 0 ? -1 : 0;
}

static int
begins_with(struct event_value name, const char *word)
{
	size_t len = strlen(word);

	return name.len >= len && strncasecmp(name.p, word, len) == 0;
}

/* "Silver Helmet": the material's name and the name, unless the name begins with it; as a JSON string. */
static int
write_display_name(const struct item *it, struct buf *b)
{
	const char *material = it->material_id == ITEM_NONE ? NULL : game_material((uint32_t)it->material_id);
	size_t at;

	if (material == NULL || it->name.kind != EVENT_STRING || begins_with(it->name, material))
		return append_text(b, it->name);
	if (buf_append(b, "\"", 1) != 0 || buf_appends(b, material) != 0)
		return -1;
	at = buf_size(b);
	if (append_text(b, it->name) != 0)
		return -1;
	buf_data(b)[at] = ' ';                   /* the name's opening quote */
	return 0;
}

static int
append_spells(struct buf *b, const char *key, const int32_t *ids, unsigned n)
{
	if (buf_appends(b, key) != 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		const struct game_spell *sp = game_spell((uint32_t)ids[i]);
		char *p = buf_reserve(b, 256), *start = p;
		if (p == NULL)
			return -1;
		p = put(p, i > 0 ? ",{\"id\":" : "{\"id\":");
		p = put_int(p, ids[i]);
		p = put_key(p, "name");
		*p++ = '"';
		p = sp != NULL ? put(p, game_spell_name(sp)) : p + sprintf(p, "#%d", ids[i]);
		*p++ = '"';
		p = put_named(p, "cantrip_level", GAME_CANTRIP_LEVEL, sp != NULL && sp->cantrip > 0 ? sp->cantrip : ITEM_NONE);
		p = put(p, "}");
		buf_added(b, (size_t)(p - start));
	}
	return buf_append(b, "]", 1);
}

static int
append_scalars(struct buf *b, const struct item *it)
{
	char *p = buf_reserve(b, SCALARS_MAX), *start = p;

	if (p == NULL)
		return -1;
	p = put_scalars(p, it);
	p = put_scalars2(p, it);
	buf_added(b, (size_t)(p - start));
	return 0;
}

static int
append_head(struct buf *b, const struct item *it, const char *character, size_t character_len)
{
	if (buf_printf(b, "{\"item_id\":%d,\"item_id_hex\":\"%08X\",\"name\":", it->id, (unsigned)it->id) != 0 || append_text(b, it->name) != 0)
		return -1;
	if (buf_appends(b, ",\"display_name\":") != 0 || write_display_name(it, b) != 0)
		return -1;
	if (buf_appends(b, ",\"description\":") != 0 || append_text(b, it->description) != 0)
		return -1;
	return buf_appends(b, ",\"character_name\":") != 0 || buf_append_json(b, character, character_len) != 0 ? -1 : 0;
}

static int
append_tail(struct buf *b, const struct item *it, int64_t updated_us)
{
	char iso[CLOCK_ISO_SIZE];

	if (append_spells(b, ",\"spells\":[", it->spells, it->n_spells) != 0 || append_spells(b, ",\"active_spells\":[", it->active_spells, it->n_active_spells) != 0)
		return -1;
	if (updated_us == 0)
		return buf_appends(b, ",\"updated_at\":null}");
	(void)clock_format_iso(updated_us, iso);
	return buf_printf(b, ",\"updated_at\":\"%s\"}", iso);
}

int
item_write_json(const struct item *it, const char *character, size_t character_len, int64_t updated_us, struct buf *b)
{
	size_t size = buf_size(b);

	if (append_head(b, it, character, character_len) == 0 && append_scalars(b, it) == 0 && append_tail(b, it, updated_us) == 0)
		return 0;
	b->len = b->off + size;
	return -1;
}

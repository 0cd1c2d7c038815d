#include "itemdb/strings.h"

#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"
#include "mem/mem.h"

#define NONE UINT32_MAX

struct str {
	char *p;                         /* text, NUL; where folding changes something: folded text, NUL */
	uint64_t prefix;
	uint32_t len, folded_at;
	uint32_t refs, hash, next;       /* next in its bucket, or in the list of free numbers */
};

struct strings {
	struct str *all;
	uint32_t n, cap, live, free;
	uint32_t *bucket, mask;
};

struct strings *
strings_new(void)
{
	struct strings *s = xcalloc(1, sizeof(*s));

	s->free = NONE;
	s->mask = 1023;
	s->bucket = xmalloc(1024 * sizeof(*s->bucket));
	memset(s->bucket, 0xff, 1024 * sizeof(*s->bucket));
	return s;
}

void
strings_free(struct strings **sp)
{
	struct strings *s = *sp;

	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		free(s->all[i].p);
	free(s->all);
	free(s->bucket);
	free(s);
	*sp = NULL;
}

static uint32_t
hash_of(const char *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

static void
grow_buckets(struct strings *s)
{
	uint32_t size = (s->mask + 1) * 2;

	s->bucket = xreallocarray(s->bucket, size, sizeof(*s->bucket));
	memset(s->bucket, 0xff, size * sizeof(*s->bucket));
	s->mask = size - 1;
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->all[i].refs == 0)
			continue;
		s->all[i].next = s->bucket[s->all[i].hash & s->mask];
		s->bucket[s->all[i].hash & s->mask] = i;
	}
}

static uint64_t
prefix_of(const char *p, size_t len)
{
	uint64_t key = 0;

	for (size_t i = 0; i < 8; i++)
		key = key << 8 | (i < len ? (unsigned char)p[i] : 0);
	return key;
}

static uint32_t
new_number(struct strings *s)
{
	uint32_t id = s->free;

	if (id != NONE) {
		s->free = s->all[id].next;
		return id;
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap + s->cap / 2 : 256;
		s->all = xreallocarray(s->all, s->cap, sizeof(*s->all));
	}
	return s->n++;
}

static void
fill(struct str *e, const char *text, size_t len)
{
	char *p = xmalloc(2 * (len + 1));

	memcpy(p, text, len);
	p[len] = '\0';
	fold_text(p + len + 1, text, len);
	p[2 * len + 1] = '\0';
	e->prefix = prefix_of(p + len + 1, len);
	e->folded_at = (uint32_t)len + 1;
	if (memcmp(p, p + len + 1, len) == 0) {
		e->folded_at = 0;
		p = xrealloc(p, len + 1);
	}
	e->p = p;
	e->len = (uint32_t)len;
}

uint32_t
strings_take(struct strings *s, const char *text, size_t len)
{
	uint32_t h = hash_of(text, len), id;

	for (id = s->bucket[h & s->mask]; id != NONE; id = s->all[id].next)
		if (s->all[id].hash == h && s->all[id].len == len && memcmp(s->all[id].p, text, len) == 0) {
			s->all[id].refs++;
			return id;
		}
	if (s->live > s->mask)
		grow_buckets(s);
	id = new_number(s);
	fill(&s->all[id], text, len);
	s->all[id].refs = 1;
	s->all[id].hash = h;
	s->all[id].next = s->bucket[h & s->mask];
	s->bucket[h & s->mask] = id;
	s->live++;
	return id;
}

void
strings_release(struct strings *s, uint32_t id)
{
	struct str *e = &s->all[id];
	uint32_t *at;

	if (--e->refs > 0)
		return;
	for (at = &s->bucket[e->hash & s->mask]; *at != id; at = &s->all[*at].next)
		;
	*at = e->next;
	free(e->p);
	e->p = NULL;
	e->next = s->free;
	s->free = id;
	s->live--;
}

const char *
strings_text(const struct strings *s, uint32_t id, size_t *len)
{
	if (len != NULL)
		*len = s->all[id].len;
	return s->all[id].p;
}

const char *
strings_folded(const struct strings *s, uint32_t id, size_t *len)
{
	if (len != NULL)
		*len = s->all[id].len;
	return s->all[id].p + s->all[id].folded_at;
}

uint64_t
strings_prefix(const struct strings *s, uint32_t id)
{
	return s->all[id].prefix;
}

uint32_t
strings_top(const struct strings *s)
{
	return s->n;
}

#include "subscription.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "mem/mem.h"

#define TYPES_MAX 64
#define TYPE_MAX 64
#define CHARACTERS_MAX 1000
#define CHARACTER_MAX 128
#define JQ_MAX 4096

static const char *const members[] = {
	"type", "message_types", "characters", "batch_ms", "snapshot", "max_rate", "from", "jq", NULL
};

uint64_t
subscription_name_hash(const char *name, size_t len)
{
	uint64_t h = 14695981039346656037u;

	for (; len > 0; len--)
		h = (h ^ (unsigned char)*name++) * 1099511628211u;
	return h != 0 ? h : 1;
}

struct subscription *
subscription_all(void)
{
	return xcalloc(1, sizeof(struct subscription));
}

static void
words_free(char **words)
{
	char **w;

	for (w = words; w != NULL && *w != NULL; w++)
		free(*w);
	free(words);
}

void
subscription_free(struct subscription **sp)
{
	struct subscription *s = *sp;
	size_t i;

	if (s == NULL)
		return;
	words_free(s->types);
	words_free(s->characters);
	free(s->name_hash);
	free(s->jq);
	for (i = 0; i < s->n_rates; i++)
		free(s->rates[i].type);
	free(s->rates);
	free(s);
	*sp = NULL;
}

/* ---- from a message ---- */

static int
check_members(const struct json *j, char *error, size_t size)
{
	const char *const *key, *const *known;

	for (key = json_keys(j, ""); key != NULL && *key != NULL; key++) {
		for (known = members; *known != NULL && strcmp(*known, *key) != 0; known++)
			;
		if (*known == NULL) {
			snprintf(error, size, "subscribe has no option \"%.40s\"", *key);
			return -1;
		}
	}
	return 0;
}

static int
take_words(const struct json *j, const char *name, size_t most, size_t longest, char ***out, char *error, size_t size)
{
	const char *const *words;
	size_t n = json_len(j, name), i;

	if (!json_has(j, name))
		return 0;
	words = json_kind(j, name) == 'a' ? json_strings(j, name) : NULL;
	if (words == NULL || n > most) {
		snprintf(error, size, "%s must be an array of at most %zu strings", name, most);
		return -1;
	}
	*out = xcalloc(n + 1, sizeof(**out));
	for (i = 0; i < n; i++) {
		if (words[i][0] == '\0' || strlen(words[i]) > longest) {
			snprintf(error, size, "%s holds a word that is empty or over %zu bytes", name, longest);
			return -1;
		}
		(*out)[i] = xstrdup(words[i]);
	}
	return 0;
}

static int
take_number(const struct json *j, const char *name, double low, double high, double *out, char *error, size_t size)
{
	double value = json_num(j, name, NAN);

	if (!json_has(j, name))
		return 0;
	if (json_kind(j, name) != 'n' || !(value >= low && value <= high) || value != floor(value)) {
		snprintf(error, size, "%s must be a whole number from %.0f to %.0f", name, low, high);
		return -1;
	}
	*out = value;
	return 1;
}

static int
take_rates(const struct json *j, struct subscription *s, char *error, size_t size)
{
	const char *const *type;
	char path[TYPE_MAX + 16];

	if (!json_has(j, "max_rate"))
		return 0;
	if (json_kind(j, "max_rate") != 'o' || json_len(j, "max_rate") > 64) {
		snprintf(error, size, "max_rate must be an object of at most 64 event types with their rates");
		return -1;
	}
	s->rates = xcalloc(json_len(j, "max_rate") + 1, sizeof(*s->rates));
	for (type = json_keys(j, "max_rate"); type != NULL && *type != NULL; type++) {
		struct subscription_rate *r = &s->rates[s->n_rates];

		snprintf(path, sizeof(path), "max_rate.%.*s", TYPE_MAX, *type);
		r->per_s = json_num(j, path, 0);
		if (json_kind(j, path) != 'n' || !(r->per_s >= 0.01 && r->per_s <= 1000)) {
			snprintf(error, size, "max_rate of \"%.40s\" must be a number from 0.01 to 1000", *type);
			return -1;
		}
		r->type = xstrdup(*type);
		s->n_rates++;
	}
	return 0;
}

static int
take_snapshot(const struct json *j, struct subscription *s, char *error, size_t size)
{
	if (json_has(j, "snapshot") && json_kind(j, "snapshot") != 'b') {
		snprintf(error, size, "snapshot must be true or false");
		return -1;
	}
	s->snapshot = json_bool(j, "snapshot", 0);
	return 0;
}

static int
take_jq(const struct json *j, struct subscription *s, char *error, size_t size)
{
	const char *jq = json_str(j, "jq", "");

	if (!json_has(j, "jq"))
		return 0;
	if (json_kind(j, "jq") != 's' || jq[0] == '\0' || strlen(jq) > JQ_MAX) {
		snprintf(error, size, "jq must be a string of 1 to %d bytes, a condition as in select(...)", JQ_MAX);
		return -1;
	}
	s->jq = xstrdup(jq);
	return 0;
}

static void
hash_names(struct subscription *s)
{
	size_t i;

	for (i = 0; s->characters != NULL && s->characters[i] != NULL; i++)
		;
	s->n_characters = i;
	s->name_hash = xcalloc(i + 1, sizeof(*s->name_hash));
	for (i = 0; i < s->n_characters; i++)
		s->name_hash[i] = subscription_name_hash(s->characters[i], strlen(s->characters[i]));
}

static char **
dup_words(char *const *words)
{
	char **copy;
	size_t n = 0;

	if (words == NULL)
		return NULL;
	while (words[n] != NULL)
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	while (n-- > 0)
		copy[n] = xstrdup(words[n]);
	return copy;
}

struct subscription *
subscription_dup_words(const struct subscription *s)
{
	struct subscription *copy = subscription_all();

	copy->types = dup_words(s->types);
	copy->characters = dup_words(s->characters);
	hash_names(copy);
	return copy;
}

struct subscription *
subscription_parse(const struct json *j, char *error, size_t size)
{
	struct subscription *s = subscription_all();
	double batch_ms = 0, from = 0;

	if (check_members(j, error, size) == -1 ||
	    take_words(j, "message_types", TYPES_MAX, TYPE_MAX, &s->types, error, size) == -1 ||
	    take_words(j, "characters", CHARACTERS_MAX, CHARACTER_MAX, &s->characters, error, size) == -1 || take_jq(j, s, error, size) == -1 ||
	    take_number(j, "batch_ms", 0, SUBSCRIPTION_BATCH_MAX_MS, &batch_ms, error, size) == -1 ||
	    (s->has_from = take_number(j, "from", 0, 9007199254740991, &from, error, size)) == -1 ||
	    take_snapshot(j, s, error, size) == -1 || take_rates(j, s, error, size) == -1) {
		subscription_free(&s);
		return NULL;
	}
	s->batch_ms = (int)batch_ms;
	s->from = (uint64_t)from;
	hash_names(s);
	return s;
}

/* ---- matching ---- */

void
subscription_message(const struct event *ev, uint64_t seq, struct ring_msg *m)
{
	char name[512];
	long n = event_string(ev->character_name, name, sizeof(name));

	*m = (struct ring_msg){
		.seq = seq, .name_hash = n > 0 ? subscription_name_hash(name, (size_t)n) : 0,
		.type_at = (uint32_t)(ev->type.p - ev->line), .type_len = (uint16_t)ev->type.len, .type_id = (int16_t)event_type_id(ev->type)
	};
}

static int
wants_type(struct subscription *s, const struct ring_msg *m)
{
	const char *type = ring_payload(m) + m->type_at;
	int remember = m->type_id >= 0 && m->type_id < SUBSCRIPTION_KNOWN_MAX, wanted = 0;
	char **word;

	if (s->types == NULL)
		return 1;
	if (remember && s->known[m->type_id] != 0)
		return s->known[m->type_id] > 0;
	for (word = s->types; *word != NULL && !wanted; word++)
		wanted = event_type_match(*word, type, m->type_len);
	if (remember)
		s->known[m->type_id] = wanted ? 1 : -1;
	return wanted;
}

int
subscription_wants(struct subscription *s, const struct ring_msg *m)
{
	size_t i;

	if (!wants_type(s, m))
		return 0;
	if (s->characters == NULL)
		return 1;
	for (i = 0; i < s->n_characters; i++)
		if (s->name_hash[i] == m->name_hash)
			return 1;
	return 0;
}

double
subscription_rate(const struct subscription *s, const struct ring_msg *m)
{
	const char *type = ring_payload(m) + m->type_at;
	size_t i;

	for (i = 0; i < s->n_rates; i++)
		if (event_type_match(s->rates[i].type, type, m->type_len))
			return s->rates[i].per_s;
	return 0;
}

/* ---- the answer ---- */

static void
write_words(struct buf *out, const char *name, char **words)
{
	size_t i;

	if (words == NULL)
		return;
	(void)buf_printf(out, ",\"%s\":[", name);
	for (i = 0; words[i] != NULL; i++) {
		(void)buf_appends(out, i > 0 ? "," : "");
		(void)buf_append_json(out, words[i], strlen(words[i]));
	}
	(void)buf_appends(out, "]");
}

void
subscription_write_words(const struct subscription *s, struct buf *out)
{
	write_words(out, "message_types", s->types);
	write_words(out, "characters", s->characters);
	if (s->jq == NULL)
		return;
	(void)buf_appends(out, ",\"jq\":");
	(void)buf_append_json(out, s->jq, strlen(s->jq));
}

char *
subscription_key(const struct subscription *s)
{
	struct buf b = BUF_INIT(1u << 20);
	char *key;

	subscription_write_words(s, &b);
	key = xstrndup(buf_size(&b) > 0 ? buf_data(&b) : "", buf_size(&b));
	buf_fini(&b);
	return key;
}

void
subscription_write(const struct subscription *s, uint64_t seq, struct buf *out)
{
	(void)buf_appends(out, "{\"type\":\"subscribed\"");
	subscription_write_words(s, out);
	if (s->batch_ms > 0)
		(void)buf_printf(out, ",\"batch_ms\":%d", s->batch_ms);
	if (s->has_from)
		(void)buf_printf(out, ",\"from\":%ju", (uintmax_t)s->from);
	(void)buf_printf(out, ",\"seq\":%ju}", (uintmax_t)seq);
}

#include "json/json.h"

#include <jv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "mem/mem.h"

#define EXACT_MAX 9007199254740992.0     /* 2^53: beyond it a double may be a neighbour of what was written */

struct list {                            /* what json_strings and json_keys gave out */
	struct list *next;
	const char *s[];
};

struct json {
	jv root;
	struct list **lists;             /* apart, so that a getter of a const document can add to it */
};

struct json *
json_parse(const char *text, size_t len, const char **error)
{
	enum event_error e;
	struct json *j;
	size_t at;
	jv root;

	e = event_check_json(text, len, &at);
	if (e != EVENT_OK) {
		*error = event_error_text(e);
		return NULL;
	}
	root = jv_parse_sized(text, (int)len);
	if (!jv_is_valid(root)) {
		jv_free(root);
		*error = event_error_text(EVENT_NOT_JSON);
		return NULL;
	}
	j = xcalloc(1, sizeof *j);
	j->root = root;
	j->lists = xcalloc(1, sizeof *j->lists);
	return j;
}

void
json_free(struct json **j)
{
	struct list *l, *next;

	if (*j == NULL)
		return;
	for (l = *(*j)->lists; l != NULL; l = next) {
		next = l->next;
		free(l);
	}
	free((*j)->lists);
	jv_free((*j)->root);
	free(*j);
	*j = NULL;
}

static jv
array_step(jv v, const char *name, size_t len)
{
	char *end;
	long i;

	i = strtol(name, &end, 10);
	if (*name < '0' || *name > '9' || end != name + len || i >= jv_array_length(jv_copy(v))) {
		jv_free(v);
		return jv_invalid();
	}
	return jv_array_get(v, (int)i);
}

/* The value at path; the caller frees it.  What it holds also lives in the document. */
static jv
find(const struct json *j, const char *path)
{
	jv v = jv_copy(j->root);
	size_t len;

	for (; *path != '\0'; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		switch (jv_get_kind(v)) {
		case JV_KIND_OBJECT:
			v = jv_object_get(v, jv_string_sized(path, (int)len));
			break;
		case JV_KIND_ARRAY:
			v = array_step(v, path, len);
			break;
		default:
			jv_free(v);
			return jv_invalid();
		}
	}
	return v;
}

const char *
json_str(const struct json *j, const char *path, const char *fallback)
{
	jv v = find(j, path);
	const char *s = jv_get_kind(v) == JV_KIND_STRING ? jv_string_value(v) : fallback;

	jv_free(v);
	return s;
}

double
json_num(const struct json *j, const char *path, double fallback)
{
	jv v = find(j, path);
	double d = jv_get_kind(v) == JV_KIND_NUMBER ? jv_number_value(v) : fallback;

	jv_free(v);
	return d;
}

int64_t
json_int(const struct json *j, const char *path, int64_t fallback)
{
	double d = json_num(j, path, NAN);

	return isnan(d) || d != floor(d) || fabs(d) > EXACT_MAX ? fallback : (int64_t)d;
}

int
json_bool(const struct json *j, const char *path, int fallback)
{
	jv v = find(j, path);
	jv_kind kind = jv_get_kind(v);

	jv_free(v);
	return kind == JV_KIND_TRUE ? 1 : kind == JV_KIND_FALSE ? 0 : fallback;
}

int
json_has(const struct json *j, const char *path)
{
	return json_kind(j, path) != 0;
}

int
json_kind(const struct json *j, const char *path)
{
	static const char kinds[] = {
		[JV_KIND_INVALID] = 0, [JV_KIND_NULL] = '0', [JV_KIND_FALSE] = 'b', [JV_KIND_TRUE] = 'b', [JV_KIND_NUMBER] = 'n', [JV_KIND_STRING] = 's',
		[JV_KIND_ARRAY] = 'a', [JV_KIND_OBJECT] = 'o',
	};
	jv v = find(j, path);
	int kind = kinds[jv_get_kind(v)];

	jv_free(v);
	return kind;
}

size_t
json_len(const struct json *j, const char *path)
{
	jv v = find(j, path);

	switch (jv_get_kind(v)) {
	case JV_KIND_ARRAY:
		return (size_t)jv_array_length(v);
	case JV_KIND_OBJECT:
		return (size_t)jv_object_length(v);
	default:
		jv_free(v);
		return 0;
	}
}

static const char **
new_list(const struct json *j, size_t n)
{
	struct list *l = xmalloc(sizeof *l + (n + 1) * sizeof l->s[0]);

	l->next = *j->lists;
	*j->lists = l;
	l->s[n] = NULL;
	return l->s;
}

/* The strings stay alive in the document when v and item are freed. */
const char *const *
json_strings(const struct json *j, const char *path)
{
	jv v = find(j, path), item;
	const char **out;
	int i, n, strings = 1;

	if (jv_get_kind(v) != JV_KIND_ARRAY) {
		jv_free(v);
		return NULL;
	}
	n = jv_array_length(jv_copy(v));
	out = new_list(j, (size_t)n);
	for (i = 0; i < n; i++) {
		item = jv_array_get(jv_copy(v), i);
		if (jv_get_kind(item) == JV_KIND_STRING)
			out[i] = jv_string_value(item);
		else
			strings = 0;
		jv_free(item);
	}
	jv_free(v);
	return strings ? out : NULL;
}

const char *const *
json_keys(const struct json *j, const char *path)
{
	jv v = find(j, path), key;
	const char **out;
	int it, n = 0;

	if (jv_get_kind(v) != JV_KIND_OBJECT) {
		jv_free(v);
		return NULL;
	}
	out = new_list(j, (size_t)jv_object_length(jv_copy(v)));
	for (it = jv_object_iter(v); jv_object_iter_valid(v, it); it = jv_object_iter_next(v, it)) {
		key = jv_object_iter_key(v, it);
		out[n++] = jv_string_value(key);
		jv_free(key);
	}
	jv_free(v);
	return out;
}

/* json: documents as trees, for what is off the hot path: requests, subscriptions, settings.  The only user of jv.h besides lib/filter.
 * Text must have passed a gate first: json_parse runs event_scan's checks itself (any JSON value is allowed, not only objects) since libjq's parser
 * accepts what RFC 8259 does not and leaks on it.  Of equal names the last counts.  Numbers are doubles: json_int gives the fallback for a fraction
 * and beyond 2^53; ids and counters above that come from event_int instead. */
#ifndef JSON_H
#define JSON_H
#include <stddef.h>
#include <stdint.h>

struct json;                                               /* a document; owns all that is read from it */

struct json *json_parse(const char *text, size_t len, const char **error);   /* NULL: not JSON, *error says why (static text) */
void json_free(struct json **);

/* Paths are member names joined by '.', array indices as numbers: "subscribe.types.0".  What is missing or of another kind gives the fallback.
 * Strings are borrowed from the document, NUL-terminated. */
const char *json_str(const struct json *, const char *path, const char *fallback);
double json_num(const struct json *, const char *path, double fallback);
int64_t json_int(const struct json *, const char *path, int64_t fallback);
int json_bool(const struct json *, const char *path, int fallback);
int json_has(const struct json *, const char *path);
/* 'o' object, 'a' array, 's' string, 'n' number, 'b' true or false, '0' null, 0 missing. */
int json_kind(const struct json *, const char *path);
size_t json_len(const struct json *, const char *path);    /* elements or members; 0 when neither */
/* NULL-terminated array of an array's strings, owned by the document; NULL when it is missing, no array, or has another kind of element. */
const char *const *json_strings(const struct json *, const char *path);
/* Member names of an object in any order, NULL-terminated, owned by the document; NULL when it is no object. */
const char *const *json_keys(const struct json *, const char *path);

#endif

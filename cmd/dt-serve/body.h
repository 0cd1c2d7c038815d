/* body: what a request that changes something carries, read strictly. */
#ifndef BODY_H
#define BODY_H
#include "http/http.h"
#include "json/json.h"

int body_is_json(const struct http_req *);           /* by its Content-Type */
int body_is_form(const struct http_req *);
/* The body as a JSON object with no other members than these (NULL-terminated), sent by a page of ours, to a path without parameters.
 * NULL when it is answered: 403, 400 or 415. */
struct json *body_json(struct http_req *, int any_host, const char *const *members);
/* A field of a form's body (application/x-www-form-urlencoded), decoded, into out; its length, or -1: it is not there or longer than size - 1. */
long body_field(const struct http_req *, const char *name, char *out, size_t size);

#endif

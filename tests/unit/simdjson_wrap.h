/* simdjson behind C: a second opinion for the tests. */
#ifndef SIMDJSON_WRAP_H
#define SIMDJSON_WRAP_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct simdjson_verdict {
	int valid;
	int object;
	int types, names, times;     /* how often the top level has type, character_name, timestamp */
	int has_type;                /* the first type is a string that is not empty */
	int fields, reserved;        /* top-level names, and those that begin with '_' */
};
void simdjson_judge(const char *text, size_t len, struct simdjson_verdict *);

#ifdef __cplusplus
}
#endif
#endif

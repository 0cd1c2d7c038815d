/* A document is there exactly when the gate passes its text, and every getter answers for every path, there or not. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "fuzz.h"
#include "json/json.h"
#include "mem/mem.h"

static void
ask(const struct json *j, const char *path)
{
	const char *const *l;
	int kind = json_kind(j, path);
	size_t i;

	assert(json_has(j, path) == (kind != 0));
	assert((json_str(j, path, NULL) != NULL) == (kind == 's'));
	assert((json_bool(j, path, 2) != 2) == (kind == 'b'));
	assert((json_num(j, path, -1e307) != -1e307) == (kind == 'n'));
	(void)json_int(j, path, 0);
	l = json_strings(j, path);
	assert(l == NULL || kind == 'a');
	for (i = 0; l != NULL && l[i] != NULL; i++)
		assert(strlen(l[i]) < EVENT_LINE_MAX);
	assert(l == NULL || i == json_len(j, path));
	l = json_keys(j, path);
	assert((l != NULL) == (kind == 'o'));
	for (i = 0; l != NULL && l[i] != NULL; i++)
		;
	assert(l == NULL || i == json_len(j, path));
}

/* The first line is a path, the rest the text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = size ? memchr(data, '\n', size < 64 ? size : 64) : NULL;
	const char *text = (const char *)data, *error = NULL;
	size_t at, len = size;
	char path[64] = "a.b.0";
	struct json *j;

	if (line_end != NULL) {
		memcpy(path, data, (size_t)(line_end - data));
		path[line_end - data] = '\0';
		text = (const char *)line_end + 1;
		len = size - (size_t)(text - (const char *)data);
	}
	j = json_parse(text, len, &error);
	assert((j != NULL) == (event_check_json(text, len, &at) == EVENT_OK));
	if (j == NULL) {
		assert(error != NULL);
		return 0;
	}
	for (at = 0; path[at] != '\0'; at++)     /* paths are ours, and UTF-8 */
		path[at] &= 0x7f;
	ask(j, path);
	ask(j, "");
	ask(j, "a");
	ask(j, "type");
	ask(j, "0.0");
	json_free(&j);
	return 0;
}

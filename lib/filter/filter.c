#include "filter/filter.h"

#include <jq.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define ERROR_MAX 1000           /* bytes of a message that are kept */

struct filter {
	jq_state *jq;
	jq_util_input_state *no_input;
	char error[ERROR_MAX + 1];
	int messages;            /* the compiler has spoken */
};

/* One line, cut between characters. */
static void
set_error(struct filter *f, const char *text)
{
	size_t i, len = strlen(text);

	if (len > ERROR_MAX)
		for (len = ERROR_MAX; ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	memcpy(f->error, text, len);
	f->error[len] = '\0';
	for (i = 0; i < len; i++)
		if ((unsigned char)f->error[i] < ' ')
			f->error[i] = ' ';
	while (len > 0 && f->error[len - 1] == ' ')
		f->error[--len] = '\0';
}

/* The first message says it; those after it only count. */
static void
on_message(void *priv, jv msg)
{
	struct filter *f = priv;
	const char *text, *prefix = "jq: error: ";

	if (jv_get_kind(msg) != JV_KIND_STRING)
		msg = jv_dump_string(msg, 0);
	text = jv_string_value(msg);
	if (strncmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	if (f->messages++ == 0)
		set_error(f, text);
	jv_free(msg);
}

struct filter *
filter_new(const char *program, char **error)
{
	struct filter *f = xcalloc(1, sizeof *f);

	f->jq = jq_init();
	if (f->jq == NULL) {
		*error = xstrdup("unable to start jq");
		free(f);
		return NULL;
	}
	jq_set_error_cb(f->jq, on_message, f);
	/* jq asserts that this attribute is there when a program has `include`, and that the input callback is its own when one asks for input_filename. */
	jq_set_attr(f->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
	f->no_input = jq_util_input_init(NULL, NULL);
	jq_set_input_cb(f->jq, jq_util_input_next_input_cb, f->no_input);
	if (!jq_compile(f->jq, program)) {
		*error = xstrdup(f->error[0] ? f->error : "not a jq program");
		filter_free(&f);
		return NULL;
	}
	return f;
}

void
filter_free(struct filter **fp)
{
	struct filter *f = *fp;

	if (f == NULL)
		return;
	jq_teardown(&f->jq);
	jq_util_input_free(&f->no_input);
	free(f);
	*fp = NULL;
}

const char *
filter_error(const struct filter *f)
{
	return f->error;
}

/* An invalid value ends the outputs: plainly, by an error, or by halt.  Consumes it; 0 or -1. */
static int
end_of_outputs(struct filter *f, jv end)
{
	jv msg;

	if (jq_halted(f->jq)) {
		jv_free(end);
		msg = jq_get_error_message(f->jq);
	} else if (jv_invalid_has_msg(jv_copy(end))) {
		msg = jv_invalid_get_msg(end);
	} else {
		jv_free(end);
		return 0;
	}
	if (!jv_is_valid(msg)) {
		jv_free(msg);
		return 0;
	}
	if (jv_get_kind(msg) != JV_KIND_STRING)
		msg = jv_dump_string(msg, 0);
	set_error(f, jv_string_value(msg));
	jv_free(msg);
	return -1;
}

static int
is_true(jv v)
{
	return jv_get_kind(v) != JV_KIND_FALSE && jv_get_kind(v) != JV_KIND_NULL;
}

/* Equal numbers may have been written in ways that jq forgets, so what came out as it went in goes on as it was sent. */
static void
hand_over(jv out, jv input, const char *line, size_t len, filter_output_f *f, void *priv)
{
	jv text;

	if (jv_identical(jv_copy(out), jv_copy(input)) || jv_equal(jv_copy(out), jv_copy(input))) {
		f(priv, line, len);
		return;
	}
	text = jv_dump_string(jv_copy(out), 0);
	f(priv, jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)));
	jv_free(text);
}

struct sink {
	const char *line;
	size_t len;
	int drop_false;
	filter_output_f *f;      /* NULL: only whether it passes is asked */
	void *priv;
	int passed;
};

static int
run(struct filter *f, jv input, struct sink *s)
{
	unsigned n = 0;
	jv out;

	jq_start(f->jq, jv_copy(input), 0);
	while (jv_is_valid(out = jq_next(f->jq))) {
		if (++n > FILTER_OUTPUTS_MAX) {
			jv_free(out);
			set_error(f, "more outputs than one event may have");
			return -1;
		}
		s->passed |= is_true(out);
		if (s->f != NULL && (!s->drop_false || is_true(out)))
			hand_over(out, input, s->line, s->len, s->f, s->priv);
		jv_free(out);
		if (s->f == NULL && s->passed)
			return 0;
	}
	return end_of_outputs(f, out);
}

static int
parse_and_run(struct filter *f, struct sink *s)
{
	jv input = jv_parse_sized(s->line, (int)s->len);
	int r;

	f->error[0] = '\0';
	if (!jv_is_valid(input)) {
		jv_free(input);
		set_error(f, "not JSON");
		return -1;
	}
	r = run(f, input, s);
	jv_free(input);
	return r;
}

int
filter_run(struct filter *f, const char *line, size_t len, int drop_false, filter_output_f *out, void *priv)
{
	struct sink s = { line, len, drop_false, out, priv, 0 };

	return parse_and_run(f, &s);
}

int
filter_match(struct filter *f, const char *line, size_t len)
{
	struct sink s = { line, len, 0, NULL, NULL, 0 };

	if (parse_and_run(f, &s) != 0)
		return -1;
	return s.passed;
}

void
filter_on_no_memory(void (*f)(void *priv), void *priv)
{
	jv_nomem_handler(f, priv);
}

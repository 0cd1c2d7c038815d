/* The text of a rule: its keys and values lie within it, it is taken, or refused with a place within it.  Every 64th goes through jq too, which takes its time;
 * then what is taken judges events.  (What expressions may take is tested by e2e/alertd_faults.t.) */
#include <assert.h>
#include <string.h>

#include "event/event.h"
#include "fuzz.h"
#include "mem/mem.h"
#include "rule/rule.h"
#include "rule/rule_int.h"

#define RX INT64_C(1795352520000000)

struct told {
	unsigned n, lines;
};

static const char *
setting(void *priv, const char *name)
{
	(void)priv;
	return strncmp(name, "DT_", 3) == 0 ? "idle" : strcmp(name, "MONITOR_CHARACTER") == 0 ? "Ear" : NULL;
}

static void
on_error(void *priv, const char *path, unsigned line, unsigned column, const char *text)
{
	struct told *t = priv;

	t->n++;
	assert(path[0] == 'f' && line >= 1 && line <= t->lines && column >= 1 && text[0] != '\0' && strlen(text) < 1200);
}

static void
on_message(void *priv, const struct rule_message *m)
{
	(*(unsigned *)priv)++;
	assert(m->rule != NULL && m->key[0] != '\0' && m->title != NULL && m->text != NULL && strlen(m->text) <= 6 * 1500 + 3);
}

static void
judge(struct rule *r)
{
	static const char line[] = "{\"type\":\"telemetry\",\"character_name\":\"A\",\"vt_state\":\"idle\",\"vitae\":5,\"text\":\"x\",\"online\":false}";
	static struct event ev;
	unsigned n = 0;
	struct rules_config config = { .on_message = on_message, .priv = &n };
	struct rules *rs = rules_new(&config);
	struct buf b = BUF_INIT(1u << 20), again = BUF_INIT(1u << 20);

	rules_add(rs, r);
	assert(event_scan(line, sizeof(line) - 1, &ev) == EVENT_OK);
	for (int i = 0; i < 3; i++)
		rules_event(rs, &ev, RX + i * 20000000);
	rules_advance(rs, RX + 80000000);
	rules_save(rs, &b);
	rules_why(rs, "A", &again);
	rules_free(&rs);
	buf_fini(&b);
	buf_fini(&again);
}

/* Whether it is one that jq may run: what loops or grows needs one of these. */
static int
is_harmless(const char *p, size_t size)
{
	static const char *const words[] = { "def", "range", "repeat", "until", "while", "recurse", "limit", "reduce", "foreach", "input", "combinations", "*", "..", "tojson", "ltrim", "env", "halt" };

	for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
		if (memmem(p, size, words[w], strlen(words[w])) != NULL)
			return 0;
	return 1;
}

static void
check_piece(const struct rule *r, size_t size, const struct piece *v, unsigned lines)
{
	if (v->p != NULL)
		assert(v->p >= r->text && v->len > 0 && v->p + v->len <= r->text + size && v->line >= 1 && v->line <= lines && v->column >= 1);
}

static void
parse_only(const struct rule_env *env, const char *text, size_t size, struct told *told)
{
	struct rule *r = xcalloc(1, sizeof(*r));

	r->env = *env;
	r->name = xstrdup("fuzz");
	r->path = xstrdup("fuzz.rule");
	r->text = xstrndup(text, size);
	if (strlen(r->text) == size) {
		assert((rule_parse(r) == 0) == (told->n == 0));
		for (size_t i = 0; i < r->n_when; i++)
			check_piece(r, size, &r->when[i], told->lines);
		for (const struct piece *v = &r->per; v <= &r->target_place; v++)
			check_piece(r, size, v, told->lines);
	}
	rule_free(&r);
}

static unsigned
hash(const uint8_t *data, size_t size)
{
	unsigned h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h ^ h >> 16;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct told told = { 0, 1 };
	struct rule_env env = { setting, on_error, &told };
	struct rule *r;

	for (size_t i = 0; i < size; i++)
		told.lines += data[i] == '\n';
	parse_only(&env, text, size, &told);
	if (hash(data, size) % 64 != 0)
		return 0;
	told.n = 0;
	r = rule_new(&env, "fuzz", "fuzz.rule", text, size, 0);
	assert((r == NULL) == (told.n > 0));
	if (r != NULL && rule_enabled(r) && is_harmless(text, size))
		judge(r);                        /* takes it over */
	else
		rule_free(&r);
	return 0;
}

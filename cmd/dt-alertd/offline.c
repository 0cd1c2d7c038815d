/* What needs no bus: the check of rules, the backtest, the question why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "alertd.h"
#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "pick/pick.h"
#include "source/source.h"

/* Why it is not applied, a text to free; NULL: it is on. */
static char *
why_off(const struct rule *r)
{
	struct target t = { .argv = NULL };
	char *why = NULL, *text = NULL;

	if (!rule_enabled(r))
		return xstrdup("off (enabled: no)");
	if (guard_is_off(r))
		return xstrdup("off, its expressions took too much time or memory on an event; change its file");
	if (target_resolve(r, &t, &why) != 0)
		text = xasprintf("off, %s cannot be used: %s", rule_target_text(r), why);
	target_free(&t);
	free(why);
	return text;
}

static void
say_rule(const struct rule *r)
{
	char *why = why_off(r);

	if (why != NULL)
		printf("%s: %s\n", rule_name(r), why);
	else
		printf("%s: on, to %s\n", rule_name(r), rule_target_text(r));
	free(why);
}

/* A target that is wrong, not only unset. */
static unsigned
check_target(const struct rule *r)
{
	unsigned line, column, wrong;
	struct target t;
	char *why;

	wrong = target_resolve(r, &t, &why) != 0 && !target_is_unset(r);
	if (wrong) {
		rule_target_place(r, &line, &column);
		log_err("%s:%u:%u: %s", rule_path(r), line, column, why);
	}
	target_free(&t);
	free(why);
	return wrong;
}

int
offline_check(const char *own, char **paths, int n)
{
	struct loaded l;
	unsigned wrong;

	if (n > 0)
		load_files(&l, paths, n);
	else
		load_rules(&l, own, 1);
	wrong = l.wrong;
	for (size_t i = 0; i < l.n; i++) {
		wrong += check_target(l.rule[i]) + (rule_enabled(l.rule[i]) && guard_is_off(l.rule[i]));
		say_rule(l.rule[i]);
	}
	load_free(&l);
	return wrong > 0 ? EX_DATAERR : 0;
}

/* ---- backtest ---- */

static void
on_message(void *priv, const struct rule_message *m)
{
	(void)priv;
	print_message(m);
}

static void
on_trouble(void *priv, const struct rule *r, const char *text)
{
	(void)priv;
	log_warn("rule %s: an expression fails on an event, which then says nothing: %s", rule_name(r), text);
}

static struct rules *
all_rules(struct loaded *l, const struct rules_config *config)
{
	struct rules *rules = rules_new(config);

	for (size_t i = 0; i < l->n; i++)
		if (rule_enabled(l->rule[i])) {
			rules_add(rules, l->rule[i]);
			l->rule[i] = NULL;
		}
	return rules;
}

static int
read_failed(const char *path)
{
	log_err("unable to read %s: %s", path, errno == EBADMSG ? "damaged" : strerror(errno));
	return errno == ENOENT || errno == ENOTDIR ? EX_NOINPUT : errno == EACCES ? EX_NOPERM : errno == EBADMSG ? EX_DATAERR : EX_IOERR;
}

int
offline_backtest(const char *own, const char *path)
{
	static struct event ev;
	struct rules_config config = { .on_message = on_message, .on_trouble = on_trouble, .running = guard_start(0) };
	struct pick pick = { .from = { .kind = PICK_NONE } };
	struct source *source;
	struct rules *rules;
	struct loaded l;
	int64_t us;
	int got, code = 0;

	load_rules(&l, own, 0);
	if (l.wrong > 0)
		code = EX_DATAERR;
	rules = all_rules(&l, &config);
	source = source_new(&pick, &path, 1);
	while ((got = source_next(source, &ev)) == 1)
		if (pick_time(&ev, &us) == 0)
			rules_event(rules, &ev, us);
	if (got == -1)
		code = read_failed(path);
	source_report(source);
	source_free(&source);
	rules_free(&rules);
	load_free(&l);
	pick_free(&pick);
	if (fflush(stdout) != 0)
		die(EX_IOERR, "unable to write to standard output: %s", strerror(errno));
	return code;
}

/* ---- why ---- */

/* Those that are applied, into rules; of the others why not. */
static struct rules *
those_on(struct loaded *l, const struct rules_config *config, struct buf *off)
{
	struct rules *rules = rules_new(config);
	char *why;

	for (size_t i = 0; i < l->n; i++) {
		why = why_off(l->rule[i]);
		if (why != NULL) {
			(void)buf_printf(off, "%s: %s\n", rule_name(l->rule[i]), why);
			free(why);
			continue;
		}
		rules_add(rules, l->rule[i]);
		l->rule[i] = NULL;
	}
	return rules;
}

int
offline_why(const char *own, const char *who)
{
	struct rules_config config = { .on_message = on_message };
	struct buf b = BUF_INIT(16u << 20), off = BUF_INIT(1u << 20);
	struct rules *rules;
	struct loaded l;
	struct kept k;
	int code = 0;

	load_rules(&l, own, 0);
	rules = those_on(&l, &config, &off);
	if (keep_read(&k, rules, 0) != 1) {
		log_err("dt-alertd has left no state in the data directory yet: it has to run for a second");
		code = EX_NOINPUT;
	} else {
		rules_why(rules, who, &b);
		(void)fwrite(buf_data(&b), 1, buf_size(&b), stdout);
		if (buf_size(&off) > 0)
			(void)fwrite(buf_data(&off), 1, buf_size(&off), stdout);
	}
	buf_fini(&b);
	buf_fini(&off);
	rules_free(&rules);
	load_free(&l);
	return code;
}

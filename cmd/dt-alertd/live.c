/* The daemon: the stream into the rules, what they raise into the outbox, the state into its file. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "alertd.h"
#include "bus/bus.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "stat/stat.h"

#define TICK_MS 250
#define SAVE_MS 1000
#define QUIET_MS 700                 /* without a line for so long there are none that wait */
#define BEHIND_US 1000000            /* what the clock says counts for the rules only after this, so that events come first */
#define DRAIN_MS 5000

static struct {
	struct pollable tick;            /* first: on_tick is given it */
	const struct live_options *o;
	struct loop *loop;
	struct outbox *outbox;           /* NULL: dry run */
	struct rules *rules;
	struct rule_running *running;
	struct bus_sub *sub;
	struct kept kept;
	uint64_t saved_seq, saved_changes;
	int64_t last_line_ms, save_ms, drain_ms;
	int subscribed, posted, ready, reload;
} S;

/* ---- what the rules raise ---- */

static void
on_message(void *priv, const struct rule_message *m)
{
	(void)priv;
	if (S.outbox == NULL) {
		print_message(m);
		return;
	}
	S.posted = 1;
	outbox_message(S.outbox, m);
}

static void
on_raised(void *priv, const struct rule *r, size_t n)
{
	(void)priv;
	(void)r;
	outbox_raised(n);
}

static void
on_suppressed(void *priv, const struct rule *r, size_t n, const char *why)
{
	(void)priv;
	log_debug("%zu of the rule %s not told: %s", n, rule_name(r), why);
	outbox_suppressed(r, n);
}

static void
on_trouble(void *priv, const struct rule *r, const char *text)
{
	(void)priv;
	log_warn("rule %s: an expression fails on an event, which then says nothing: %s", rule_name(r), text);
	*stat_cell(STAT_ALERTD_TROUBLED, rule_name(r)) = 1;
}

/* ---- the rules ---- */

static void
add_word(struct buf *b, const char *word)
{
	(void)buf_appends(b, buf_size(b) ? ", " : "");
	(void)buf_appends(b, word);
}

static void
say_off(struct buf *rules, struct buf *reasons)
{
	if (buf_size(rules) > 0)
		log_info("off, since not configured (%.*s): %.*s", (int)buf_size(reasons), buf_data(reasons), (int)buf_size(rules), buf_data(rules));
	buf_fini(rules);
	buf_fini(reasons);
}

static int
names(struct buf *b, const char *why)
{
	size_t n = strlen(why);

	for (size_t i = 0; i + n <= buf_size(b); i++)
		if (memcmp(buf_data(b) + i, why, n) == 0)
			return 1;
	return 0;
}

/* The rules that are on and can post; says of the others why not. */
static struct rules *
make_rules(unsigned *wrong)
{
	struct rules_config config = { .on_message = on_message, .on_raised = on_raised, .on_suppressed = on_suppressed, .on_trouble = on_trouble, .running = S.running };
	struct rules *rules = rules_new(&config);
	struct buf off = BUF_INIT(1u << 16), reasons = BUF_INIT(1u << 16);
	struct loaded l;
	char *why;

	load_rules(&l, S.o->own, 0);
	for (size_t i = 0; i < l.n; i++) {
		why = NULL;
		if (!rule_enabled(l.rule[i])) {
			log_debug("the rule %s is not enabled", rule_name(l.rule[i]));
		} else if (guard_is_off(l.rule[i])) {
			log_warn("the rule %s is off: its expressions took too much time or memory on an event; change its file", rule_name(l.rule[i]));
			*stat_cell(STAT_ALERTD_TROUBLED, rule_name(l.rule[i])) = 1;
		} else if (S.outbox == NULL || outbox_rule(S.outbox, l.rule[i], &why) == 0) {
			rules_add(rules, l.rule[i]);
			l.rule[i] = NULL;
		} else if (target_is_unset(l.rule[i])) {
			add_word(&off, rule_name(l.rule[i]));
			if (!names(&reasons, why))
				add_word(&reasons, why);
		} else {
			log_warn("the rule %s is off, its target cannot be used: %s", rule_name(l.rule[i]), why);
		}
		free(why);
	}
	say_off(&off, &reasons);
	*wrong = l.wrong;
	if (l.wrong > 0)
		log_warn("%u rules are left out; dt-alertd --check says more", l.wrong);
	load_free(&l);
	stat_set(STAT_ALERTD_RULES, (int64_t)rules_count(rules));
	return rules;
}

/* ---- the state ---- */

static void
save(int sync)
{
	if (S.outbox == NULL || !outbox_settled(S.outbox))
		return;                          /* what is only in memory is raised again if we are killed now */
	if (!sync && S.saved_seq == S.kept.seq && S.saved_changes == rules_changes(S.rules))
		return;
	if (keep_write(&S.kept, S.rules, sync) == 0) {
		S.posted = 0;
		S.saved_seq = S.kept.seq;
		S.saved_changes = rules_changes(S.rules);
	}
	S.save_ms = clock_mono_ms() + SAVE_MS;
}

/* ---- the stream ---- */

static void
on_line(void *priv, uint64_t seq, const char *line, size_t len)
{
	static struct event ev;
	int64_t rx;

	(void)priv;
	S.last_line_ms = clock_mono_ms();
	if (event_scan(line, len, &ev) == EVENT_OK && event_rx(&ev, &rx) == 0) {
		rules_event(S.rules, &ev, rx);
		stat_add(STAT_ALERTD_EVENTS, 1);
		stat_set(STAT_ALERTD_LAG, (clock_wall_us() - rx) / 1000000);
	}
	S.kept.seq = seq;
	stat_set(STAT_ALERTD_POSITION, (int64_t)seq);
	if (S.posted)
		save(1);
}

static void
on_subscribed(void *priv, uint64_t from, const char *journal)
{
	(void)priv;
	S.subscribed = 1;
	S.last_line_ms = clock_mono_ms();
	if (S.kept.journal[0] == '\0' || strcmp(S.kept.journal, journal) == 0) {
		if (S.kept.seq == 0 && from > 0)
			S.kept.seq = from - 1;
		(void)snprintf(S.kept.journal, sizeof(S.kept.journal), "%s", journal);
	} else {
		log_info("the journal is another one than before: it is read from its earliest event");
		(void)snprintf(S.kept.journal, sizeof(S.kept.journal), "%s", journal);
		S.kept.seq = 0;
		bus_sub_seek(S.sub, "earliest");
	}
	if (!S.ready) {
		S.ready = 1;
		save(1);
		opt_ready(S.o->ready_fd);
	}
}

static void
on_gap(void *priv, uint64_t from, uint64_t to, uint64_t count)
{
	(void)priv;
	stat_add(STAT_ALERTD_MISSED, (int64_t)count);
	log_warn("events %" PRIu64 " to %" PRIu64 " are no longer in the journal: %" PRIu64 " are missed", from, to, count);
}

static void
subscribe(void)
{
	char from[24];
	struct bus_sub_config config = {
		.path = S.o->out_path, .name = "dt-alertd", .types = rules_types(S.rules), .from = S.kept.seq > 0 ? from : NULL,
		.on_line = on_line, .on_subscribed = on_subscribed, .on_gap = on_gap
	};

	(void)snprintf(from, sizeof(from), "%" PRIu64, S.kept.seq + 1);
	S.subscribed = 0;
	S.sub = bus_sub_new(&config);
	loop_add(S.loop, bus_sub_pollable(S.sub));
}

static void
unsubscribe(void)
{
	loop_del(S.loop, bus_sub_pollable(S.sub));
	bus_sub_free(&S.sub);
}

/* ---- reading the rules again ---- */

static void
on_hup(void *priv, int signo)
{
	(void)priv;
	(void)signo;
	S.reload = 1;
}

static void
reload(void)
{
	struct buf b = BUF_INIT(256u << 20);
	struct rules *rules;
	unsigned wrong;

	S.reload = 0;
	rules = make_rules(&wrong);
	if (wrong > 0) {
		log_warn("the rules stay as they were until all of them can be used");
		rules_free(&rules);
		return;
	}
	unsubscribe();
	rules_save(S.rules, &b);
	(void)rules_load(rules, buf_data(&b), buf_size(&b));
	rules_free(&S.rules);
	S.rules = rules;
	buf_fini(&b);
	subscribe();
	save(1);
	log_info("the rules are read again: %zu are applied", rules_count(rules));
}

/* ---- time ---- */

static void
on_tick(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	p->deadline_ms = now_ms + TICK_MS;
	if (S.reload && S.sub != NULL)
		reload();
	if (S.subscribed && bus_sub_connected(S.sub) && now_ms - S.last_line_ms > QUIET_MS)
		rules_advance(S.rules, clock_wall_us() - BEHIND_US);
	if (S.posted)
		save(1);
	else if (now_ms >= S.save_ms)
		save(0);
	if (S.outbox != NULL)
		outbox_gauge(S.outbox, rules_pending(S.rules));
	else
		(void)fflush(stdout);
	stat_set(STAT_ALERTD_BUS_UP, S.sub != NULL && bus_sub_connected(S.sub));
	if (S.outbox != NULL)
		stat_write(now_ms);
	if (S.drain_ms != 0 && (now_ms >= S.drain_ms || outbox_idle(S.outbox)))
		loop_stop(S.loop);
}

static void
make_directory(void)
{
	char *path = xasprintf("%s/alertd", env_data_dir());

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		die(EX_CANTCREAT, "unable to make %s: %s", path, strerror(errno));
	free(path);
}

static void
open_all(void)
{
	unsigned wrong;

	if (!S.o->dry_run) {
		make_directory();
		stat_open("dt-alertd");
		S.outbox = outbox_new(S.loop, S.o->in_path);
	}
	S.running = guard_start(!S.o->dry_run);
	S.rules = make_rules(&wrong);
	if (!S.o->dry_run) {
		(void)keep_read(&S.kept, S.rules, 1);
		outbox_raised(rules_pending(S.rules));
	}
	loop_on_signal(S.loop, SIGHUP, on_hup, NULL);
	S.tick = (struct pollable){ .fd = -1, .handle = on_tick };
	loop_add(S.loop, &S.tick);
	subscribe();
}

static void
drain(void)
{
	unsubscribe();
	if (S.outbox == NULL)
		return;
	outbox_stop(S.outbox);
	S.subscribed = 0;
	S.drain_ms = clock_mono_ms() + DRAIN_MS;
	(void)loop_run(S.loop);
	save(1);
}

int
live_run(const struct live_options *o)
{
	S.o = o;
	S.loop = loop_new();
	open_all();
	(void)loop_run(S.loop);
	drain();
	rules_free(&S.rules);
	if (S.outbox != NULL) {
		outbox_free(&S.outbox);
		stat_close();
	}
	loop_free(&S.loop);
	if (fflush(stdout) != 0)
		die(EX_IOERR, "unable to write to standard output: %s", strerror(errno));
	return 0;
}

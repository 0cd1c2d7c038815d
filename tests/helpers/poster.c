/* poster: lib/post as a program, for tests.
 *
 *   poster -f FILE [NAME=VALUE]...     NAMEs: base, ca, proxy, and connect, total, min, max, age, window (all ms), invalid; the bot's token is $DISCORD_RARE_BOT_TOKEN
 *
 * The spool is $DT_DATA/alertd/spool.  Follows FILE, a line each:
 *   target NAME channel|discord|webhook WHERE    target NAME command WORD...    gone NAME
 *   text TARGET KEY TEXT (%N: that many x)       raw TARGET KEY BODY            embed TARGET KEY TITLE|DESCRIPTION
 *   status    stop    end (when nothing waits)
 * and prints "queued KEY" or "known KEY" or "refused KEY WHY", "sent TARGET KEY TRIES", "dead TARGET KEY REASON WORDS", and target lines of status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "ndjson/ndjson.h"
#include "post/post.h"
#include "stat/stat.h"

static struct {
	struct loop *loop;
	struct post *post;
	struct post_config config;
	struct ndjson *lines;
	struct pollable follow;
	const char *file;
	int fd, end;
} S;

static void
on_sent(void *priv, const struct post_message *m)
{
	(void)priv;
	printf("sent %s %s %u\n", m->target, m->key, m->tries);
}

static void
on_dead(void *priv, const struct post_message *m)
{
	(void)priv;
	printf("dead %s %s %s %s\n", m->target, m->key, m->reason, m->words);
}

static void
set_target(const char *name, char *rest)
{
	static const char *const kinds[] = { "channel", "discord", "webhook", "command" };
	const char *argv[17] = { NULL }, *why, *kind = strsep(&rest, " ");
	struct post_target t = { .kind = POST_COMMAND, .where = rest, .argv = argv };

	for (int i = 0; i < 4; i++)
		if (strcmp(kind, kinds[i]) == 0)
			t.kind = (enum post_kind)i;
	for (int i = 0; t.kind == POST_COMMAND && rest != NULL && i < 16; i++)
		argv[i] = strsep(&rest, " ");
	if (post_target_set(S.post, name, &t, &why) == -1)
		printf("refused %s %s\n", name, why);
}

static void
make_body(struct buf *b, const char *how, char *text)
{
	static char many[200001];
	long n = text[0] == '%' ? atol(text + 1) : 0;

	if (n > 0 && n < (long)sizeof many) {
		memset(many, 'x', (size_t)n);
		text = many;
	}
	if (strcmp(how, "text") == 0)
		(void)post_text(b, text, strlen(text));
	else if (strcmp(how, "raw") == 0)
		(void)buf_appends(b, text);
	else {
		const char *title = strsep(&text, "|");
		struct post_embed e = { .title = POST_STR(title), .description = POST_STR(text ? text : ""), .color = 0xff8800, .at_us = clock_wall_us() };
		(void)post_embed(b, (struct post_str){ 0 }, &e);
	}
}

static void
send_message(const char *how, char *rest)
{
	const char *target = strsep(&rest, " "), *key = strsep(&rest, " ");
	struct buf b = BUF_INIT(1u << 20);
	int got;

	make_body(&b, how, rest ? rest : (char[]){ "" });
	got = post_send(S.post, target, key, b.p ? buf_data(&b) : "", buf_size(&b), key, strlen(key));
	if (got == -1)
		printf("refused %s %s\n", key, strerror(errno));
	else
		printf("%s %s\n", got ? "known" : "queued", key);
	buf_fini(&b);
}

static void
print_status(void)
{
	struct buf b = BUF_INIT(1u << 16);

	post_status(S.post, &b);
	printf("%.*s", (int)buf_size(&b), buf_size(&b) ? buf_data(&b) : "");
	buf_fini(&b);
}

static int
on_line(void *priv, const char *line, size_t len)
{
	char *copy = strndup(line, len), *rest = copy, *what = strsep(&rest, " ");

	(void)priv;
	if (strcmp(what, "target") == 0 && rest != NULL) {
		const char *name = strsep(&rest, " ");
		set_target(name, rest);
	} else if (strcmp(what, "gone") == 0)
		post_target_del(S.post, rest);
	else if (strcmp(what, "status") == 0)
		print_status();
	else if (strcmp(what, "stop") == 0)
		post_stop(S.post);
	else if (strcmp(what, "end") == 0)
		S.end = 1;
	else if (rest != NULL)
		send_message(what, rest);
	free(copy);
	return 0;
}

static void
on_follow(struct pollable *p, short revents, int64_t now_ms)
{
	char text[65536];
	ssize_t n;

	(void)revents;
	while ((n = read(S.fd, text, sizeof text)) > 0)
		(void)ndjson_feed(S.lines, text, (size_t)n, on_line, NULL);
	if (S.end && post_pending(S.post) == 0)
		loop_stop(S.loop);
	stat_write(now_ms);
	p->deadline_ms = now_ms + 20;
}

static void
set_option(char *option)
{
	static const struct { const char *name; int64_t *ms; } times[] = {
		{ "connect", &S.config.connect_ms }, { "total", &S.config.total_ms }, { "min", &S.config.retry_min_ms }, { "max", &S.config.retry_max_ms },
		{ "age", &S.config.max_age_ms }, { "window", &S.config.invalid_window_ms },
	};
	const char *name = strsep(&option, "=");

	if (option == NULL)
		exit(64);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (strcmp(name, times[i].name) == 0)
			*times[i].ms = atoll(option);
	if (strcmp(name, "invalid") == 0)
		S.config.invalid_max = (unsigned)atoi(option);
	if (strcmp(name, "base") == 0)
		S.config.discord_base = option;
	if (strcmp(name, "ca") == 0)
		S.config.ca_file = option;
	if (strcmp(name, "proxy") == 0)
		S.config.proxy = option;
}

int
main(int argc, char **argv)
{
	char spool[4096];

	log_open("dt-alertd");
	env_load();
	if (argc < 3 || strcmp(argv[1], "-f") != 0 || (S.fd = open(argv[2], O_RDONLY | O_CLOEXEC)) == -1)
		return 64;
	S.config.discord_base = "https://discord.com/api/v10";
	for (int i = 3; i < argc; i++)
		set_option(argv[i]);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)snprintf(spool, sizeof spool, "%s/alertd/spool", env_data_dir());
	stat_open("dt-alertd");
	S.loop = S.config.loop = loop_new();
	S.config.spool = spool;
	S.config.bot_token = getenv("DISCORD_RARE_BOT_TOKEN");
	S.config.on_sent = on_sent;
	S.config.on_dead = on_dead;
	S.post = post_new(&S.config);
	S.lines = ndjson_new(1u << 20);
	S.follow = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = on_follow };
	loop_add(S.loop, &S.follow);
	(void)loop_run(S.loop);
	post_free(&S.post);
	stat_close();
	ndjson_free(&S.lines);
	loop_free(&S.loop);
	return 0;
}

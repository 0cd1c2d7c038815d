/* A command that is handed a message on its standard input: no shell, no secret in its environment, a limited time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "post/internal.h"

#define SAID_MAX 300
#define ASK_MS 20                /* how often to look where there are no process descriptors */

struct post_command {
	struct pollable end, said;       /* the process; what it prints */
	struct loop *loop;
	pid_t pid;
	int64_t limit_ms;                /* monotonic */
	struct buf words;
	post_result_f *f;
	void *priv;
};

/* Standard input as a file: nothing to write while it runs, and nothing blocks when it does not read. */
static int
as_file(const char *body, size_t len)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	for (; len > 0; body += n, len -= (size_t)n)
		if ((n = write(fd, body, len)) == -1) {
			(void)close(fd);
			return -1;
		}
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Only what any program needs: a token or a secret among our settings is not the command's business. */
static void
make_environment(char **env, size_t max, const char *key)
{
	static const char *const names[] = { "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names && n < max - 2; i++)
		if (getenv(names[i]) != NULL)
			env[n++] = xasprintf("%s=%s", names[i], getenv(names[i]));
	env[n++] = xasprintf("DT_MESSAGE_KEY=%s", key);
	env[n] = NULL;
}

static void __attribute__((noreturn))
run(const char *const *argv, char *const *env, int in, int out)
{
	sigset_t none;

	(void)setpgid(0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(out, 2) == -1)
		_exit(EX_OSERR);
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	(void)execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
	_exit(errno == ENOENT ? 127 : 126);
}

static void
stop_watching(struct post_command *c)
{
	loop_del(c->loop, &c->end);
	loop_del(c->loop, &c->said);
	if (c->end.fd != -1)
		(void)close(c->end.fd);
	if (c->said.fd != -1)
		(void)close(c->said.fd);
	buf_fini(&c->words);
	free(c);
}

static void
read_words(struct post_command *c)
{
	char text[4096];
	ssize_t n;

	for (int i = 0; i < 16 && c->said.fd != -1 && (n = read(c->said.fd, text, sizeof text)) != -1; i++) {
		size_t room = SAID_MAX - buf_size(&c->words);
		if (n == 0) {
			c->said.events = 0;
			return;
		}
		(void)buf_append(&c->words, text, (size_t)n < room ? (size_t)n : room);
	}
}

static void
on_words(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents;
	(void)now_ms;
	read_words((struct post_command *)((char *)p - offsetof(struct post_command, said)));
}

static void
judge(struct post_result *r, int status)
{
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	r->cause = WIFEXITED(status) ? "status" : "signal";
	r->outcome = !WIFEXITED(status) ? POST_AGAIN : r->status == 0 ? POST_DONE : r->status == EX_DATAERR ? POST_REFUSED :
	    r->status == EX_USAGE || r->status == EX_NOPERM || r->status == EX_CONFIG || r->status == 126 || r->status == 127 ? POST_SHUT : POST_AGAIN;
}

static void
on_end(struct pollable *p, short revents, int64_t now_ms)
{
	struct post_command *c = (struct post_command *)((char *)p - offsetof(struct post_command, end));
	struct post_result r = { .cause = "timeout", .outcome = POST_AGAIN };
	int status, late = now_ms >= c->limit_ms;
	pid_t got = waitpid(c->pid, &status, WNOHANG);
	post_result_f *f = c->f;
	void *priv = c->priv;

	(void)revents;
	if (got == 0 && !late) {
		p->deadline_ms = p->fd == -1 && now_ms + ASK_MS < c->limit_ms ? now_ms + ASK_MS : c->limit_ms;
		return;
	}
	(void)kill(-c->pid, SIGKILL);            /* what it left behind, too */
	read_words(c);
	post_limits_init(&r.limits);
	post_words(c->words.p ? c->words.p + c->words.off : "", buf_size(&c->words), NULL, r.words);
	if (got == c->pid)
		judge(&r, status);
	else
		(void)waitpid(c->pid, &status, 0);
	stop_watching(c);
	f(priv, &r);
}

static int
watch(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

struct post_command *
post_command_start(struct loop *loop, const char *const *argv, const char *key, const char *body, size_t len, int64_t limit_ms, post_result_f *f, void *priv)
{
	struct post_command *c;
	char *env[16];
	int out[2], in = as_file(body, len);
	int64_t now = clock_mono_ms();
	pid_t pid;

	if (in == -1)
		return NULL;
	if (pipe2(out, O_CLOEXEC) == -1) {
		(void)close(in);
		return NULL;
	}
	make_environment(env, sizeof env / sizeof *env, key);
	if ((pid = fork()) == 0)
		run(argv, env, in, out[1]);
	for (char **e = env; *e != NULL; e++)
		free(*e);
	(void)close(in);
	(void)close(out[1]);
	if (pid == -1) {
		(void)close(out[0]);
		return NULL;
	}
	(void)setpgid(pid, pid);                 /* whoever of us comes first */
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	c = xcalloc(1, sizeof *c);
	*c = (struct post_command){ .loop = loop, .pid = pid, .limit_ms = now + limit_ms, .words = BUF_INIT(SAID_MAX), .f = f, .priv = priv };
	c->end = (struct pollable){ .fd = watch(pid), .events = POLLIN, .handle = on_end };
	c->end.deadline_ms = c->end.fd == -1 ? now + ASK_MS : c->limit_ms;
	c->said = (struct pollable){ .fd = out[0], .events = POLLIN, .deadline_ms = CLOCK_NEVER, .handle = on_words };
	loop_add(loop, &c->end);
	loop_add(loop, &c->said);
	return c;
}

void
post_command_kill(struct post_command **cp)
{
	struct post_command *c = *cp;
	int status;

	if (c == NULL)
		return;
	(void)kill(-c->pid, SIGKILL);
	(void)waitpid(c->pid, &status, 0);
	stop_watching(c);
	*cp = NULL;
}

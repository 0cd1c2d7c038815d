/* What jq expressions may take.  jq cannot be interrupted and frees nothing when it is left, so a rule that asks for too much ends the process: the rule is
 * written down, the supervisor starts us again, and we go on without it from where the state file says.  Nothing but that rule is lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "alertd.h"
#include "env/env.h"
#include "filter/filter.h"
#include "log/log.h"
#include "mem/mem.h"

#define TICK_MS 250              /* of processor time */
#define TICKS_MAX 4              /* a second for one expression on one event */
#define DATA_MAX (512u << 20)
#define STACK_BYTES 65536

static struct {
	struct rule_running running;
	unsigned long number;            /* at the last tick */
	unsigned ticks;
	int dir;                         /* of the rules that are off; -1: not written down */
} G = { .dir = -1 };

/* ---- the end; also on signals, so nothing here allocates or formats ---- */

static size_t
add(char *to, size_t n, size_t max, const char *text)
{
	while (*text != '\0' && n < max)
		to[n++] = *text++;
	return n;
}

static size_t
name_of(const struct rule *r, char *to, size_t max)
{
	uint64_t hash = rule_text_hash(r);
	size_t n = add(to, add(to, 0, max - 17, rule_name(r)), max - 17, ".");

	for (int shift = 60; shift >= 0; shift -= 4)
		to[n++] = "0123456789abcdef"[hash >> shift & 15];
	to[n] = '\0';
	return n;
}

static void __attribute__((noreturn))
end(const char *why)
{
	char name[128], text[512];
	size_t n;
	int fd = -1;

	(void)name_of(G.running.rule, name, sizeof(name) - 1);
	if (G.dir != -1 && (fd = openat(G.dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) != -1)
		(void)fsync(fd);
	n = add(text, 0, sizeof(text), "dt-alertd: error: rule ");
	n = add(text, n, sizeof(text), rule_name(G.running.rule));
	n = add(text, n, sizeof(text), ": its expressions need too much on an event (");
	n = add(text, n, sizeof(text), why);
	n = add(text, n, sizeof(text), fd != -1 ? "); it is off until its file is changed, and the others go on\n" : ")\n");
	(void)!write(STDERR_FILENO, text, n);
	_exit(fd != -1 ? EX_TEMPFAIL : EX_DATAERR);
}

static void
on_no_memory(void *priv)
{
	(void)priv;
	if (G.running.rule != NULL)
		end("memory");
	_exit(EX_OSERR);
}

static void
at_exit(void)
{
	if (G.running.rule != NULL)
		end("memory");
}

static void
on_tick(int signo)
{
	(void)signo;
	if (G.running.rule == NULL || G.running.number != G.number) {
		G.number = G.running.number;
		G.ticks = 0;
	} else if (++G.ticks >= TICKS_MAX)
		end("a second of processor time");
}

#ifndef __SANITIZE_ADDRESS__
static void
on_crash(int signo)
{
	if (G.running.rule != NULL)
		end(signo == SIGSEGV ? "its stack" : "jq gave up");
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}
#endif

/* ---- rules that are off ---- */

static char *
off_dir(void)
{
	return xasprintf("%s/alertd/off", env_data_dir());
}

/* What was written down about another text of the same rule is no longer so. */
int
guard_is_off(const struct rule *r)
{
	char *path = off_dir(), name[128];
	size_t stem = strlen(rule_name(r));
	DIR *d = opendir(path);
	struct dirent *e;
	int off = 0;

	free(path);
	(void)name_of(r, name, sizeof(name) - 1);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, name) == 0)
			off = 1;
		else if (G.dir != -1 && strncmp(e->d_name, name, stem + 1) == 0)
			(void)unlinkat(G.dir, e->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	return off;
}

/* ---- the start ---- */

static void
catch(int signo, void (*f)(int), int flags)
{
	struct sigaction a = { .sa_handler = f, .sa_flags = flags };

	(void)sigemptyset(&a.sa_mask);
	(void)sigaction(signo, &a, NULL);
}

/* A sanitizer needs memory and signals for itself. */
static void
limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	static char stack[STACK_BYTES];
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct rlimit limit = { DATA_MAX, DATA_MAX };

	(void)sigaltstack(&s, NULL);
	catch(SIGSEGV, on_crash, SA_ONSTACK);
	catch(SIGABRT, on_crash, SA_ONSTACK);
	(void)setrlimit(RLIMIT_DATA, &limit);
#endif
}

struct rule_running *
guard_start(int written)
{
	struct itimerval every = { { 0, TICK_MS * 1000 }, { 0, TICK_MS * 1000 } };
	char *path = off_dir();

	if (written) {
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			die(EX_CANTCREAT, "unable to make %s: %s", path, strerror(errno));
		G.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	free(path);
	limit_memory();
	filter_on_no_memory(on_no_memory, NULL);
	(void)atexit(at_exit);
	catch(SIGPROF, on_tick, SA_RESTART);
	(void)setitimer(ITIMER_PROF, &every, NULL);
	return &G.running;
}

/* dt-user: accounts, roles and tokens from the shell. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "account/account.h"
#include "account/hash.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"

static const struct opt opts[] = {
	{ 'f', "file", "path", "the file of accounts (default $DT_DATA/accounts.db)" },
	OPT_END
};

static const struct opt_program program = {
	"dt-user",
	"[options] add name [role]\n"
	"       dt-user [options] passwd name\n"
	"       dt-user [options] role name role\n"
	"       dt-user [options] del name\n"
	"       dt-user [options] list\n"
	"       dt-user [options] token add name [role] | token del number | token list\n"
	"       dt-user [options] link\n"
	"       dt-user [options] copy file",
	"Say who may use the tracker, and as what: viewer, operator or admin",
	"  dt-user add larsson operator\n"
	"  dt-user token add grafana viewer\n",
	opts
};

static struct accounts *accounts;

/* ---- passwords ---- */

static void
read_line(char *out, size_t size)
{
	if (fgets(out, (int)size, stdin) == NULL)
		die(EX_NOINPUT, "no password came: type it, or give it as a line on standard input");
	if (strchr(out, '\n') == NULL && strlen(out) == size - 1)
		die(EX_DATAERR, "%s", account_bad_password(out, ACCOUNT_PASSWORD_MAX + 1));
	out[strcspn(out, "\n")] = '\0';
}

static void
ask(const char *prompt, char *out, size_t size)
{
	struct termios old, quiet;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old) == -1) {
		read_line(out, size);
		return;
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)fputs(prompt, stderr);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	read_line(out, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	(void)fputc('\n', stderr);
}

/* From the terminal twice, without echo; from a pipe its first line. */
static void
read_hash(char hash[ACCOUNT_HASH_SIZE])
{
	char password[ACCOUNT_PASSWORD_MAX + 2], again[ACCOUNT_PASSWORD_MAX + 2];
	const char *bad;

	ask("password: ", password, sizeof password);
	if ((bad = account_bad_password(password, strlen(password))) != NULL)
		die(EX_DATAERR, "%s", bad);
	if (isatty(STDIN_FILENO)) {
		ask("again: ", again, sizeof again);
		if (strcmp(password, again) != 0)
			die(EX_DATAERR, "the two are not the same; nothing was changed");
	}
	if (hash_make(password, strlen(password), hash) == -1)
		die(EX_OSERR, "not enough memory to hash the password");
	explicit_bzero(password, sizeof password);
	explicit_bzero(again, sizeof again);
}

/* ---- what is told ---- */

static void
check(enum account_error e, const char *name)
{
	if (e != ACCOUNT_OK)
		die(e == ACCOUNT_UNKNOWN ? EX_NOUSER : EX_DATAERR, "%s: %s%s", name, account_error_text(e), e == ACCOUNT_UNKNOWN ? "; dt-user list shows all" : "");
}

static enum account_role
parse_role(const char *text)
{
	enum account_role role = account_role_parse(text);

	if (role == ACCOUNT_NOBODY)
		opt_usage("'%s' is no role; there are viewer, operator and admin", text);
	return role;
}

static const char *
when(int64_t us, char out[CLOCK_ISO_SIZE])
{
	if (us == 0)
		return "never";
	(void)clock_format_iso(us, out);
	return out;
}

static void
print_account(void *priv, const struct account *a)
{
	char made[CLOCK_ISO_SIZE], login[CLOCK_ISO_SIZE];

	(void)priv;
	(void)printf("%s\t%s\t%s\t%s\n", a->name, account_role_name(a->role), when(a->created_us, made), when(a->login_us, login));
}

static void
print_token(void *priv, const struct account_token *t)
{
	char made[CLOCK_ISO_SIZE], used[CLOCK_ISO_SIZE];

	(void)priv;
	(void)printf("%" PRId64 "\t%s\t%s\t%s\t%s\n", t->id, t->name, account_role_name(t->role), when(t->created_us, made), when(t->used_us, used));
}

/* ---- the commands: each gets the words behind its own ---- */

static void
do_add(int n, char **words)
{
	enum account_role role = n > 1 ? parse_role(words[1]) : ACCOUNT_VIEWER;
	char hash[ACCOUNT_HASH_SIZE];
	struct account other;

	if (!account_good_name(words[0]))
		check(ACCOUNT_BAD_NAME, words[0]);
	if (accounts_get(accounts, words[0], &other) == ACCOUNT_OK)
		check(ACCOUNT_EXISTS, words[0]);
	read_hash(hash);
	check(accounts_add(accounts, words[0], hash, role, clock_wall_us()), words[0]);
	log_info("%s may log in now, as %s", words[0], account_role_name(role));
}

static void
do_passwd(int n, char **words)
{
	char hash[ACCOUNT_HASH_SIZE];
	struct account one;

	(void)n;
	check(accounts_get(accounts, words[0], &one), words[0]);
	read_hash(hash);
	check(accounts_set_hash(accounts, words[0], hash), words[0]);
	log_info("%s has a new password; sessions with the old one are over", words[0]);
}

static void
do_role(int n, char **words)
{
	(void)n;
	check(accounts_set_role(accounts, words[0], parse_role(words[1])), words[0]);
}

static void
do_del(int n, char **words)
{
	(void)n;
	check(accounts_delete(accounts, words[0]), words[0]);
}

static void
do_list(int n, char **words)
{
	(void)n;
	(void)words;
	accounts_each(accounts, print_account, NULL);
}

static void
do_token_add(int n, char **words)
{
	enum account_role role = n > 1 ? parse_role(words[1]) : ACCOUNT_VIEWER;
	char key[ACCOUNT_KEY_SIZE];
	int64_t id;

	check(accounts_token_add(accounts, words[0], role, clock_wall_us(), key, &id), words[0]);
	(void)printf("%s\n", key);
	log_info("token %" PRId64 " of %s; it is shown this once", id, words[0]);
}

static void
do_token_del(int n, char **words)
{
	(void)n;
	if (accounts_token_delete(accounts, opt_int("token del", words[0], 1, INT64_MAX)) != ACCOUNT_OK)
		die(EX_NOUSER, "there is no token of number %s; dt-user token list shows all", words[0]);
}

static void
do_token_list(int n, char **words)
{
	(void)n;
	(void)words;
	accounts_token_each(accounts, print_token, NULL);
}

static void
do_link(int n, char **words)
{
	char key[ACCOUNT_KEY_SIZE];

	(void)n;
	(void)words;
	if (accounts_any(accounts))
		die(EX_DATAERR, "there are accounts already; dt-user passwd sets a forgotten password");
	accounts_link_new(accounts, clock_wall_us(), key);
	(void)printf("/login?link=%s\n", key);
}

static void
do_copy(int n, char **words)
{
	(void)n;
	if (accounts_copy(accounts, words[0]) == -1)
		die(EX_CANTCREAT, "unable to write %s: %s", words[0], strerror(errno));
}

static const struct command {
	const char *word, *second, *takes;
	int min, max;
	void (*run)(int n, char **words);
} commands[] = {
	{ "add", NULL, "a name, and a role if it is not to be viewer", 1, 2, do_add },
	{ "passwd", NULL, "a name", 1, 1, do_passwd },
	{ "role", NULL, "a name and a role", 2, 2, do_role },
	{ "del", NULL, "a name", 1, 1, do_del },
	{ "list", NULL, "nothing", 0, 0, do_list },
	{ "token", "add", "a name, and a role if it is not to be viewer", 1, 2, do_token_add },
	{ "token", "del", "a token's number", 1, 1, do_token_del },
	{ "token", "list", "nothing", 0, 0, do_token_list },
	{ "link", NULL, "nothing", 0, 0, do_link },
	{ "copy", NULL, "the name of a file that is not there yet", 1, 1, do_copy },
};

static const struct command *
find_command(int *n, char ***words)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *c = &commands[i];
		int own = c->second != NULL ? 2 : 1;
		if (*n < own || strcmp((*words)[0], c->word) != 0 || (own == 2 && strcmp((*words)[1], c->second) != 0))
			continue;
		*n -= own;
		*words += own;
		if (*n < c->min || *n > c->max)
			opt_usage("'%s%s%s' takes %s", c->word, c->second ? " " : "", c->second ? c->second : "", c->takes);
		return c;
	}
	if (*n == 0)
		opt_usage("say what to do: add, passwd, role, del, list, token, link or copy");
	if (strcmp((*words)[0], "token") == 0)
		opt_usage("'token' takes add, del or list");
	opt_usage("there is no command '%s%s%s'", (*words)[0], *n > 1 ? " " : "", *n > 1 ? (*words)[1] : "");
}

int
main(int argc, char **argv)
{
	const char *arg, *file = NULL;
	const struct command *command;
	struct accounts_config config = { .idle_us = INT64_C(1) << 60, .max_us = INT64_C(1) << 60 };
	char *path;
	int letter, first, n;

	while ((letter = opt_next(&program, argc, argv, &arg, &first)) != -1)
		if (letter == 'f')
			file = arg;
	n = argc - first;
	argv += first;
	command = find_command(&n, &argv);
	env_load();
	path = file != NULL ? xstrdup(file) : xasprintf("%s/accounts.db", env_data_dir());
	config.path = path;
	accounts = accounts_open(&config);
	command->run(n, argv);
	accounts_free(&accounts);
	free(path);
	if (fflush(stdout) != 0)
		die(EX_IOERR, "unable to write: %s", strerror(errno));
	return 0;
}

#include "opt/opt.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "env/env.h"
#include "log/log.h"

#define OPTS_MAX 48
#define HELP_COLUMN 27

static const struct opt common[] = {
	{ 'v', "verbose", NULL, "say more (LOG_LEVEL=debug)" },
	{ 'h', "help", NULL, "show this help and exit" },
	{ 'V', "version", NULL, "show the version and exit" },
	OPT_END
};

/* getopt_long's two forms of the tables. */
static struct {
	char letters[4 + 2 * OPTS_MAX];
	struct option longs[OPTS_MAX + 1];
	int built;
} G;

static void
add(const struct opt *o)
{
	size_t n = strlen(G.letters), i = 0;

	while (G.longs[i].name != NULL)
		i++;
	if (i == OPTS_MAX)
		die(EX_SOFTWARE, "option table too long");
	G.longs[i] = (struct option){ o->name, o->arg ? required_argument : no_argument, NULL, o->letter };
	if (o->letter < OPT_LONG_ONLY) {
		G.letters[n++] = (char)o->letter;
		if (o->arg)
			G.letters[n] = ':';
	}
}

static void
build(const struct opt_program *p)
{
	G.letters[0] = ':';                      /* a missing argument is told apart from an unknown option */
	for (const struct opt *o = p->opts; o->name != NULL; o++)
		add(o);
	for (const struct opt *o = common; o->name != NULL; o++)
		add(o);
	G.built = 1;
}

static void
print_opt(const struct opt *o)
{
	char head[80];
	int n = o->letter < OPT_LONG_ONLY
	    ? snprintf(head, sizeof head, "  -%c, --%s", o->letter, o->name)
	    : snprintf(head, sizeof head, "      --%s", o->name);
	int column;

	if (o->arg)
		n += snprintf(head + n, sizeof head - (size_t)n, " %s", o->arg);
	column = printf("%s", head);
	if (n >= HELP_COLUMN - 1)
		(void)putchar('\n'), column = 0;
	for (const char *word = o->help; *word != '\0';) {       /* fold at 80 columns */
		size_t len = strcspn(word, " ");
		int first = column <= HELP_COLUMN;
		if (column < HELP_COLUMN)
			column += printf("%*s", HELP_COLUMN - column, "");
		if (!first && column + 1 + (int)len > 80) {
			column = printf("\n%*s", HELP_COLUMN, "") - 1;
			first = 1;
		}
		column += printf("%s%.*s", first ? "" : " ", (int)len, word);
		word += len;
		word += strspn(word, " ");
	}
	(void)putchar('\n');
}

static void
help(const struct opt_program *p)
{
	(void)printf("usage: %s %s\n%s.\n\n", p->name, p->usage, p->summary);
	for (const struct opt *o = p->opts; o->name != NULL; o++)
		print_opt(o);
	for (const struct opt *o = common; o->name != NULL; o++)
		print_opt(o);
	if (p->examples)
		(void)printf("\nexamples:\n%s", p->examples);
	exit(fflush(stdout) == 0 ? 0 : EX_IOERR);
}

void
opt_usage(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_err("%s; try '%s --help'", text, log_program());
	exit(EX_USAGE);
}

/* The wrong word as it was typed: a long option or a letter within a cluster. */
static void
refuse(const char *what, char **argv)
{
	const char *word = argv[optind - 1];

	if (strncmp(word, "--", 2) == 0)
		opt_usage("%s '%s'", what, word);
	opt_usage("%s '-%c'", what, optopt);
}

/* A standard descriptor that is closed would be taken by the next file or socket, and data meant for one go to the other.  Opened the wrong way
 * round, its use fails as it should. */
static void
fill_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int
opt_next(const struct opt_program *p, int argc, char **argv, const char **arg, int *first)
{
	int c;

	if (!G.built) {
		fill_descriptors();
		log_open(p->name);
		build(p);
		opterr = 0;
	}
	while ((c = getopt_long(argc, argv, G.letters, G.longs, NULL)) != -1) {
		*arg = optarg;
		switch (c) {
		case 'h':
			help(p);
			break;
		case 'V':
			(void)printf("%s %s\n", p->name, build_version);
			exit(fflush(stdout) == 0 ? 0 : EX_IOERR);
		case 'v':
			log_level_set(LOG_LEVEL_DEBUG);
			break;
		case ':':
			refuse("an argument is missing after", argv);
			break;
		case '?':
			refuse(optopt >= OPT_LONG_ONLY ? "no argument belongs to" : "unknown option", argv);
			break;
		default:
			return c;
		}
	}
	*first = optind;
	return -1;
}

int64_t
opt_int(const char *option, const char *arg, int64_t min, int64_t max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(arg, &end, 10);
	if (errno != 0 || end == arg || *end != '\0' || strchr("+-0123456789", arg[0]) == NULL)
		opt_usage("%s: '%s' is not a whole number", option, arg);
	if (n < min || n > max)
		opt_usage("%s: %s is not between %lld and %lld", option, arg, (long long)min, (long long)max);
	return n;
}

double
opt_double(const char *option, const char *arg, double min, double max)
{
	char *end;
	double n;

	errno = 0;
	n = strtod(arg, &end);
	if (errno != 0 || end == arg || *end != '\0' || !isfinite(n) || strchr("+-.0123456789", arg[0]) == NULL)
		opt_usage("%s: '%s' is not a number", option, arg);
	if (n < min || n > max)
		opt_usage("%s: %s is not between %g and %g", option, arg, min, max);
	return n;
}

int64_t
opt_bytes(const char *option, const char *arg)
{
	int64_t n = env_parse_bytes(arg);

	if (n < 0)
		opt_usage("%s: '%s' is not a size such as 512, 64k, 16M or 4G", option, arg);
	return n;
}

void
opt_ready(int fd)
{
	if (fd == -1)
		return;
	if (write(fd, "\n", 1) == -1)
		log_warn("unable to announce readiness on descriptor %d: %s", fd, strerror(errno));
	(void)close(fd);
}

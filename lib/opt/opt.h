/* opt: one table per program from which getopt_long's strings, -h and the checks of the manuals are made.
 * Every program has -h --help (stdout, exit 0), -V --version, -v --verbose (LOG_LEVEL debug) and knows "--".
 * A wrong option ends the program with one line on stderr and exit code 64. */
#ifndef OPT_H
#define OPT_H
#include <stdint.h>

struct opt {
	int letter;              /* a character, or a number from OPT_LONG_ONLY up */
	const char *name;        /* long name, without dashes */
	const char *arg;         /* what the argument is called in the help; NULL: takes none */
	const char *help;
};

#define OPT_LONG_ONLY 256
#define OPT_END { 0, 0, 0, 0 }
#define OPT_READY { 'R', "ready-fd", "fd", "write a newline to this descriptor when ready, then close it" }

struct opt_program {
	const char *name;        /* "dt-tap" */
	const char *usage;       /* what follows the name: "[options] [file ...]" */
	const char *summary;     /* one sentence, no stop */
	const char *examples;    /* lines, each indented by two blanks; may be NULL */
	const struct opt *opts;  /* ends with OPT_END; the common three are added */
};

extern const char build_version[];   /* CalVer-hash of this build */

/* Like getopt_long: the next option's letter with *arg set, or -1 at the end; then *first is the index of the first operand.
 * Also opens the log under the program's name on the first call. */
int opt_next(const struct opt_program *, int argc, char **argv, const char **arg, int *first);

/* Strict readings of an argument; what is wrong is said with the option's name, exit 64. */
int64_t opt_int(const char *option, const char *arg, int64_t min, int64_t max);
double opt_double(const char *option, const char *arg, double min, double max);
int64_t opt_bytes(const char *option, const char *arg);          /* 512, 64k, 16M, 4G */

void opt_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));   /* one line, "try --help", exit 64 */

void opt_ready(int fd);   /* announce readiness on the descriptor of -R; nothing when fd is -1 */

#endif

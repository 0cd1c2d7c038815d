/* env: settings by name.  A setting comes from the environment, else from the file that NAME_FILE names, else from `.env`,
 * else from the generated $DT_DATA/secrets, else from the default in settings.def.  Only names of settings.def are known.
 * `.env`: the checkout's when the program runs from a checkout's build directory, else /etc/dt/dt.env; $DT_ENV_FILE overrides.
 * Its lines: KEY=VALUE, optional "export ", '#' comments, 'literal' or "with \n \" \\ escapes"; no expansion of $. */
#ifndef ENV_H
#define ENV_H
#include <stddef.h>
#include <stdint.h>


void env_load(void);                       /* reads the files; dies with 78 on one that is malformed.  Call once, after log_open.  No core is dumped from then on */

/* Borrowed; "" when unset (an empty value counts as unset).  Asking for a name that settings.def lacks is our bug (assert). */
const char *env_get(const char *name);
int64_t env_int(const char *name, int64_t min, int64_t max);    /* dies with 78 and the name when it is not such a number */
int64_t env_bytes(const char *name);                            /* with k, M, G */
int64_t env_parse_bytes(const char *text);                      /* "64k" → 65536; -1: not a size */
int env_is_placeholder(const char *value);                      /* "", "changeme", "secret", "<…>" and their like: not usable as a secret */

/* Directories and files: absolute paths, borrowed for the process's life. */
const char *env_root(void);                /* the checkout, or "" when installed */
const char *env_data_dir(void);            /* DT_DATA */
const char *env_run_dir(void);             /* DT_RUN */
char *env_share_dir(const char *sub);/* read-only files: <root>/sub in a checkout, $PREFIX/share/dt/sub when installed; free it */
char *env_run_path(const char *name);      /* "<DT_RUN>/<name>"; free it.  Dies with 78 when too long for a UNIX socket */

/* For doctor, the tests and .env.example: calls f once per setting, in the table's order. */
struct env_setting { const char *name, *fallback, *help; int secret; };
void env_each(void (*f)(void *priv, const struct env_setting *), void *priv);

#endif

/* stat: named counters and gauges, listed once in stats.def, written once a second to $DT_RUN/status/<program>.json.
 * dt-serve makes /metrics of those files, dt-tap -S and scripts/tracker status print them: nobody has to be asked and nobody has to answer. */
#ifndef STAT_H
#define STAT_H
#include <stdint.h>

enum stat_kind { STAT_COUNTER, STAT_GAUGE };
enum stat_id {
#define STAT(id, program, name, kind, label, help) STAT_##id,
#include "stat/stats.def"
#undef STAT
	STAT_COUNT
};

struct stat_info {
	const char *program;     /* "fanout"; the exported name is dt_<program>_<name> */
	const char *name;        /* "events_total" */
	enum stat_kind kind;
	const char *label;       /* label name, or NULL for a single value */
	const char *help;
};
const struct stat_info *stat_info(enum stat_id);

/* The one value of an unlabelled family. */
void stat_add(enum stat_id, int64_t n);
void stat_set(enum stat_id, int64_t value);
int64_t stat_get(enum stat_id);

/* The value under one label value, which is copied; at most 64 a family, what is over goes to "other".
 * The cell stays valid for the process's life: keep it where it is hot. */
int64_t *stat_cell(enum stat_id, const char *label_value);

/* Status file.  The program's name is log_program(), or with instance "dt-store-inventory"-like names, given here. */
void stat_open(const char *name);       /* makes the directory; writes the first file */
void stat_write(int64_t now_ms);        /* writes when a second has passed since the last; cheap otherwise */
int64_t stat_deadline(void);            /* monotonic ms of the next write, for loops that sleep */
void stat_close(void);                  /* last write, with "stopped" set */

#endif

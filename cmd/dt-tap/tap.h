/* tap: the parts of dt-tap. */
#ifndef TAP_H
#define TAP_H
#include <stddef.h>
#include <stdint.h>

#include "pick/pick.h"

struct tap {
	struct pick pick;
	const char *filter;          /* jq program run here, or NULL */
	const char *condition;       /* jq condition, run by the bus where there is one */
	const char *socket;          /* events.out */
	uint64_t count;              /* stop after so many events; 0: never */
	int once;                    /* stop at what is in the journal when we start */
};

/* Each prints until its end and returns the exit code. */
int tap_bus(const struct tap *);
int tap_read(struct tap *, const char *path);
int tap_status(int json);

/* Printing, shared: the filter and the count apply here.  tap_print returns 1 when enough has been printed. */
void tap_print_open(const struct tap *);
int tap_print(const char *line, size_t len);
uint64_t tap_printed(void);                          /* events */
void tap_print_close(void);

#endif

/* send: the two halves of dt-send. */
#ifndef SEND_H
#define SEND_H
#include <stdint.h>

struct send_options {
	const char *in_path, *out_path;
	int quiet, strip;
	double wait_s;               /* for the bus, or for a command's status */
	const char *character, *tag; /* of a command: one of the two, or all */
	int all;
	int64_t delay_ms;            /* between characters */
	unsigned count;              /* of statuses to wait for; 0: until no more come */
};

/* Each publishes, waits, and returns the exit code. */
int send_lines(const struct send_options *);
int send_command(const struct send_options *, const char *command);

/* Why the bus refuses: a word of event_errors.def becomes its sentence, others stay. */
const char *send_reason(const char *word);

#endif

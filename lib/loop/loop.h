/* loop: poll(2), timers and signals for programs that do not run under libwebsockets.
 *
 * Modules do not own the loop.  A module that waits for something offers a struct pollable: a descriptor, the events wanted,
 * a deadline and a handle call.  Both this loop and http's (lib/http) drive pollables, so that the same bus client or database connection runs
 * under either.  The loop reads fd, events and deadline_ms afresh before every wait; a module changes them whenever it likes. */
#ifndef LOOP_H
#define LOOP_H
#include <stdint.h>

struct pollable {
	int fd;                  /* -1: nothing to wait for but the deadline */
	short events;            /* POLLIN | POLLOUT; 0: the descriptor is not looked at, a hang-up included */
	int64_t deadline_ms;     /* monotonic clock; CLOCK_NEVER: none */
	/* Called with what poll said, or with 0 when the deadline has passed. */
	void (*handle)(struct pollable *, short revents, int64_t now_ms);
};

struct loop;

struct loop *loop_new(void);                 /* SIGTERM and SIGINT end loop_run; SIGPIPE is ignored */
void loop_free(struct loop **);
void loop_add(struct loop *, struct pollable *);   /* borrowed until removed */
void loop_del(struct loop *, struct pollable *);   /* also from within a handle call, its own included */

/* A signal that the program wants as an event (SIGHUP, SIGUSR1, SIGCHLD). */
void loop_on_signal(struct loop *, int signo, void (*f)(void *priv, int signo), void *priv);

/* After the handlers of each turn, before the next wait: the moment to do once what many handlers asked for. */
void loop_each_turn(struct loop *, void (*f)(void *priv, int64_t now_ms), void *priv);

/* Runs until loop_stop or a terminating signal.  Returns the signal, or 0.  A second terminating signal, when the program
 * runs the loop again to drain, exits at once. */
int loop_run(struct loop *);
void loop_stop(struct loop *);

#endif

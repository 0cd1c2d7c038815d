/* plug: the fleet as plugin connections, one WebSocket per character. */
#ifndef SIM_PLUG_H
#define SIM_PLUG_H
#include <stdio.h>

#include "pace.h"
#include "sim.h"

struct plug_config {
	const char *url;
	int allow_remote, ready_fd;
	struct sim_config *sim;      /* event, session and priv are set here */
	struct pace *pace;
	FILE *ledger;                /* or NULL */
};

/* Until the end or a signal; leaves the simulation in *sim for its counts.  Returns the exit code. */
int plug_run(const struct plug_config *, struct sim **sim);

#endif

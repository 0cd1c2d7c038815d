/* throttle: who guesses passwords has to wait.  By account: after five failures a second, doubling with each further one up to five minutes, whether the
 * account exists or not.  By address: twenty tries a minute; the /64 of an IPv6 address counts as one.  Bounded memory: what was quiet longest is forgotten. */
#ifndef THROTTLE_H
#define THROTTLE_H
#include <stdint.h>

struct throttle;
struct throttle *throttle_new(void);
void throttle_free(struct throttle **);
/* Milliseconds until this account and this address may try again; 0: now, and the try is counted for the address. */
int64_t throttle_wait(struct throttle *, const char *account, const char *address, int64_t now_ms);
void throttle_failed(struct throttle *, const char *account, int64_t now_ms);    /* or begun: what is not known to be right counts as wrong */
void throttle_succeeded(struct throttle *, const char *account);

#endif

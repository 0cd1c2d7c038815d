/* packet: the login request that server lists send to ask a game server whether it is there, and what answers it. */
#ifndef PACKET_H
#define PACKET_H
#include <stddef.h>
#include <stdint.h>

#define PACKET_LOGIN_BYTES 84

/* An account that every game server knows, without a password: it answers the first step of a login and forgets us.  Nobody is logged in. */
extern const uint8_t packet_login[PACKET_LOGIN_BYTES];

/* Is this a packet of the game's protocol, by its header? */
int packet_is_reply(const uint8_t *data, size_t len);

#endif

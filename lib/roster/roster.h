/* roster: the live state of the fleet, made of the events it is fed: each character's last telemetry and vitals, where it went (trails),
 * and the portals that were seen.  Pure: no descriptor, no clock.  Times are microseconds of wall time; "seen" always goes by receive time.
 * Everything is copied and has a maximum: when the roster is full, the character that was silent longest makes room. */
#ifndef ROSTER_H
#define ROSTER_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"

struct roster;
struct roster_config {
	size_t max_characters;
	size_t max_portals;
	unsigned trail_points;     /* a character; a trail that would have more within trail_us loses detail instead */
	int64_t trail_us;          /* how far back trails reach */
	int64_t portal_us;         /* how long a portal is remembered */
	int64_t offline_us;        /* silent for so long: offline */
};

struct roster *roster_new(const struct roster_config *);
void roster_free(struct roster **);

/* Takes in telemetry, vitals, portal and player_offline events (whose silence has been told already); other types change nothing.  The event must have passed event_scan. */
void roster_feed(struct roster *, const struct event *, int64_t rx_us);

/* Calls f (may be NULL) once for each character that has gone silent since the last call, and forgets portals of before. */
typedef void roster_offline_f(void *priv, const char *name, int64_t last_seen_us);
void roster_expire(struct roster *, int64_t now_us, roster_offline_f *, void *priv);

size_t roster_characters(const struct roster *);            /* known */
size_t roster_online(const struct roster *, int64_t now_us);

/* Append JSON; 0, or -1 when out is full.  Members without braces: `"players":[…],"count":N` and so on, so that the caller may add some. */
int roster_write_players(const struct roster *, int64_t now_us, int64_t within_us, struct buf *out);   /* seen in the last within_us, by name */
int roster_write_portals(const struct roster *, int64_t now_us, struct buf *out);                       /* newest first */
/* Points with from_us <= time < to_us, oldest first, separated by commas, without brackets; of one character, or of all (NULL). */
int roster_write_trails(const struct roster *, int64_t from_us, int64_t to_us, const char *character, struct buf *out);

/* The time that an event's row and trail point have: its own, or the receive time when that is missing or beyond belief (more than
 * a day before or five minutes after); events of a replay keep their own. */
int64_t roster_event_time(const struct event *, int64_t rx_us);

#endif

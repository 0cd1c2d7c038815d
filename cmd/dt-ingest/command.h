/* command: commands of the stream, to one character, to those of a tag or to all, with a pause between them; a status for each.
 * Who is over its rate (of a character, of a sender) gets "limited".  Whom nobody here has may come by another door of the same bus:
 * "offline" is only said when no other door has reported by then. */
#ifndef COMMAND_H
#define COMMAND_H
#include "door.h"
#include "event/event.h"

void command_open(struct door *);
void command_stop(void);                             /* what is not done yet is reported as offline */
void command_close(void);
void command_event(const struct event *, int stale); /* a command event; stale: too late to be carried out */
void command_status(const struct event *);           /* a command_status event, of this or another door */

#endif

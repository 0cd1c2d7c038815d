/* commands: what browsers tell characters to do: one of them, those with a tag, or all.  A command is published on the bus like any event, with the name
 * of who sent it; what the door reports of each character goes to who asked. */
#ifndef COMMANDS_H
#define COMMANDS_H
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "client.h"
#include "event/event.h"
#include "json/json.h"

struct commands;
struct commands *commands_new(struct bus_pub *);         /* borrowed */
void commands_free(struct commands **);
void commands_ask(struct commands *, struct client *, const struct json *, int64_t now_ms);
void commands_status(struct commands *, const struct event *, int64_t now_ms);   /* a command_status event of the bus */
void commands_expire(struct commands *, int64_t now_ms);
void commands_forget(struct commands *, const struct client *);          /* it has gone */

#endif

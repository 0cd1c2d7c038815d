/* health: what the newest server_status event says of the game server. */
#ifndef HEALTH_H
#define HEALTH_H
#include "event/event.h"
#include "http/http.h"
#include "pg/pool.h"

struct health;
struct health *health_new(void);
void health_free(struct health **);
void health_event(struct health *, const struct event *, int64_t rx_us);     /* of any type */
/* GET /server-health: from memory, else what the database has, else "unknown". */
void health_answer(struct health *, struct pool *, struct http_req *);

#endif

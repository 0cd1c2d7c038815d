/* door: what the parts of dt-ingest share. */
#ifndef DOOR_H
#define DOOR_H
#include "buf/buf.h"
#include "bus/bus.h"
#include "http/http.h"
#include "limit.h"
#include "roll.h"

#define SHARE_QUEUE_MAX (1u << 20)       /* waiting for one plugin: over it shared vitals are dropped, */
#define QUEUE_MAX (2u << 20)             /* over it the plugin is disconnected */

struct secret;

struct door {
	struct http *http;
	struct bus_pub *pub;
	struct bus_sub *sub;
	struct roll *roll;
	struct secret *secret;
	size_t buffer;                   /* bytes for what the bus has not acknowledged */
	struct limit_rate messages, bytes;
	int64_t absent_ms;               /* another door may speak so long for who is not here */
	int held, stopping;
	struct pollable resume;          /* its deadline: when the next connection over its rate is read again */
	struct buf scratch;
};

/* plugin.c: the connections and their frames */
void plugin_open(struct door *);
void plugin_close(struct door *);
void plugin_turn(struct door *, int64_t now_ms);         /* after each turn of the loop */
void plugin_stop(struct door *);                         /* read no more, say goodbye for those who shared */
int door_publish(struct door *, const char *line, size_t len);   /* 0, or -1: no room */

/* back.c: from the stream to the plugins */
void back_open(struct door *);
void back_close(struct door *);

#endif

/* metrics: what all programs of the tracker count, as Prometheus text. */
#ifndef METRICS_H
#define METRICS_H
#include "http/http.h"

http_handler_f metrics_answer;           /* GET /metrics; priv is not used */

#endif

#include <stdio.h>
#include <string.h>

#include "alertd.h"
#include "clock/clock.h"

void
print_message(const struct rule_message *m)
{
	struct buf b = BUF_INIT(8u << 20);
	char iso[CLOCK_ISO_SIZE];

	clock_format_iso(m->at_us, iso);
	(void)buf_printf(&b, "{\"at\":\"%s\",\"rule\":\"%s\",\"target\":", iso, rule_name(m->rule));
	(void)buf_append_json(&b, rule_target_text(m->rule), strlen(rule_target_text(m->rule)));
	(void)buf_printf(&b, ",\"key\":\"%s\",\"cleared\":%s,\"characters\":[", m->key, m->cleared ? "true" : "false");
	for (size_t i = 0; i < m->n; i++) {
		(void)buf_appends(&b, i ? "," : "");
		(void)buf_append_json(&b, m->alert[i].who, strlen(m->alert[i].who));
	}
	(void)buf_appends(&b, "],\"title\":");
	(void)buf_append_json(&b, m->title, strlen(m->title));
	(void)buf_appends(&b, ",\"text\":");
	(void)buf_append_json(&b, m->text, strlen(m->text));
	(void)buf_appends(&b, "}\n");
	(void)fwrite(buf_data(&b), 1, buf_size(&b), stdout);
	buf_fini(&b);
}

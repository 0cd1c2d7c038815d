#include "simdjson_wrap.h"

#include <simdjson.h>

extern "C" void
simdjson_judge(const char *text, size_t len, struct simdjson_verdict *v)
{
	static simdjson::dom::parser parser;
	simdjson::dom::element doc;
	simdjson::dom::object object;

	*v = {};
	if (parser.parse(text, len).get(doc) != simdjson::SUCCESS)
		return;
	v->valid = 1;
	if (doc.get(object) != simdjson::SUCCESS)
		return;
	v->object = 1;
	for (auto field : object) {
		v->fields++;
		v->reserved += !field.key.empty() && field.key[0] == '_';
		v->names += field.key == "character_name";
		v->times += field.key == "timestamp";
		if (field.key != "type" || v->types++ > 0)
			continue;
		v->has_type = field.value.is_string() && !field.value.get_string().value_unsafe().empty();
	}
}

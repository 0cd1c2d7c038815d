#!/usr/bin/env node
// static/contract/events/*.schema.json and lib/event/event_types.def → static/contract/EVENT_FORMATS.json, on standard output:
// every type of event with its fields as a flat list, for readers who have no library for JSON Schema.
//   scripts/event-formats.mjs > static/contract/EVENT_FORMATS.json      (make contract)
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (name) => JSON.parse(fs.readFileSync(`${root}static/contract/${name}`, 'utf8'));
const common = read('common.schema.json').$defs;
const kinds = {};

/** A form of common.schema.json that holds members is told member by member, others are a kind of value with a name. */
const isKind = (schema) => !schema.properties && !schema.items && !schema.additionalProperties && !(schema.$ref && isObject(schema));
const isObject = (schema) => schema.type === 'object';

function resolve(schema, local) {
	const [, file, name] = /^(.*)#\/\$defs\/(.+)$/.exec(schema.$ref ?? '') ?? [];
	if (name === undefined) return { schema, local };
	const defs = file === '' ? local : common;
	const target = defs[name], { $ref, ...own } = schema;
	if (defs === common && isKind(target)) {
		kinds[name] = target.description;
		return { schema: { ...own, type: undefined, kind: name }, local };
	}
	const deeper = resolve(target, defs);
	return { schema: { ...deeper.schema, ...own, required: own.required ?? deeper.schema.required }, local: deeper.local };
}

function kindOf(schema) {
	if (schema.kind) return schema.kind;
	if ('const' in schema) return JSON.stringify(schema.const);
	if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(' or ');
	return [schema.type].flat().join(' or ');
}

function addField(fields, path, isRequired, given, local) {
	const { schema, local: defs } = resolve(given, local);
	const choices = (schema.anyOf ?? []).map((s) => resolve(s, defs));
	const kind = choices.length > 0 ? choices.map((c) => kindOf(c.schema)).join(' or ') : kindOf(schema);
	fields[path] = { kind, required: isRequired };
	for (const limit of ['minimum', 'maximum', 'minLength', 'maxLength', 'maxItems'])
		if (limit in schema) fields[path][limit] = schema[limit];
	if (schema.description) fields[path].description = schema.description;
	for (const inner of [{ schema, local: defs }, ...choices]) addMembers(fields, path, inner.schema, inner.local);
}

function addMembers(fields, path, schema, local) {
	for (const [name, member] of Object.entries(schema.properties ?? {}))
		addField(fields, path ? `${path}.${name}` : name, (schema.required ?? []).includes(name), member, local);
	if (schema.additionalProperties instanceof Object) addField(fields, `${path}.*`, false, schema.additionalProperties, local);
	if (schema.items) addField(fields, `${path}[]`, false, schema.items, local);
}

function format(type, origin) {
	const schema = read(`events/${type}.schema.json`), fields = {};
	addMembers(fields, '', schema, schema.$defs ?? {});
	return { origin: origin.toLowerCase(), description: schema.description, fields, examples: schema.examples };
}

const rows = fs.readFileSync(`${root}lib/event/event_types.def`, 'utf8').matchAll(/^EVENT_TYPE\("([a-z_]+)", ([A-Z]+),/gm);
const events = Object.fromEntries([...rows].map(([, type, origin]) => [type, format(type, origin)]));

/** A line a field and an example: that is how it is read. */
function print(value, depth) {
	const isLeaf = value === null || typeof value !== 'object' || depth === 4 || (Array.isArray(value) && depth > 4);
	if (isLeaf) return JSON.stringify(value);
	const pad = '\t'.repeat(depth + 1), isArray = Array.isArray(value);
	const parts = Object.entries(value).map(([k, v]) => `${pad}${isArray ? '' : `${JSON.stringify(k)}: `}${print(v, depth + 1)}`);
	return `${isArray ? '[' : '{'}\n${parts.join(',\n')}\n${'\t'.repeat(depth)}${isArray ? ']' : '}'}`;
}

console.log(print({
	about: 'The events of the stream. A field that is not required may be missing, and fields that are not listed pass untouched. [] are the elements of an array, * any name. The same as JSON Schema: events/<type>.schema.json',
	kinds, events,
}, 0));

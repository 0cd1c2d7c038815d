// validate: are the documents of static/contract sound, and do they say the same as each other and as the list of event types?  TAP.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { done, is, ok } from '../browser/tap.mjs';
import { base, dir, eventFiles, eventTypes, explain, pointer, read, root, validators } from './documents.mjs';
import { redoclyFindings, spectralFindings } from './lint.mjs';

for (const name of ['openapi.json', 'asyncapi.json']) {
	is(`redocly is content with ${name}`, await redoclyFindings(name), []);
	is(`spectral is content with ${name}`, await spectralFindings(name), []);
}

// ---- every schema compiles; strict mode throws on what means nothing ----

const ajv = validators();
const types = eventTypes();
const openapi = read('openapi.json'), asyncapi = read('asyncapi.json');

function compiles(ref) {
	try {
		return ajv.getSchema(ref) !== undefined;
	} catch (e) {
		console.log(`# ${ref}: ${e.message}`);
		return false;
	}
}

function* schemasOf(value, path = []) {
	if (value === null || typeof value !== 'object') return;
	for (const [key, inner] of Object.entries(value)) {
		const isSchema = key === 'schema' || (path.length === 2 && path[1] === 'schemas');
		if (isSchema) yield [...path, key];
		else yield* schemasOf(inner, [...path, key]);
	}
}

is('a schema for each type of event, and no other', eventFiles(), types.map((e) => `events/${e.type}.schema.json`).sort());
is('all of them compile', eventFiles().filter((f) => !compiles(base + f)), []);
is('so does what they share', Object.keys(read('common.schema.json').$defs).filter((name) => !compiles(`${base}common.schema.json#/$defs/${name}`)), []);
const ofHttp = [...schemasOf(openapi)];
ok('the schemas of openapi.json are found', ofHttp.length > 40, ofHttp.length);
is('they compile', ofHttp.filter((path) => !compiles(pointer('openapi.json', path))), []);
is('so do those of asyncapi.json that are its own', Object.entries(asyncapi.components.messages).filter(([, m]) => !m.payload.$ref && !m.payload.schema)
	.filter(([name]) => !compiles(pointer('asyncapi.json', ['components', 'messages', name, 'payload']))).map(([name]) => name), []);

// ---- examples are valid, and stop being so when something is wrong with them ----

const wrong = [];
for (const file of eventFiles()) {
	const valid = ajv.getSchema(base + file), schema = read(file);
	if (!(schema.examples?.length > 0)) wrong.push(`${file} has no example`);
	for (const example of schema.examples) {
		if (!valid(example)) wrong.push(`${file}: ${explain(valid.errors)}`);
		for (const name of schema.required) if (valid({ ...example, [name]: undefined })) wrong.push(`${file} does without ${name}`);
		for (const [name, member] of Object.entries(schema.properties))
			if (name in example && member.$ref && valid({ ...example, [name]: [{}] })) wrong.push(`${file} takes anything as ${name}`);
	}
}
is('examples are valid and show what is needed', wrong, []);

// ---- numbers come as strings ----

const takes = (name, values) => values.filter((v) => ajv.getSchema(`${base}common.schema.json#/$defs/${name}`)(v));
const good = [7, -3, 0, '7.0', ' 12 ', '-3', '1,234', '-1,234,567.0', '191226310247', '1234567'];
const bad = ['', 'N/A', 'NaN', '∞', null, 'x', '1,23', '1,2345', '12,34,567', '7 8', '1.5.2', true, [], {}];
is('integers', [takes('integer', good), takes('integer', [...bad, 7.5, '7.5', '1e3'])], [good, []]);
is('numbers', [takes('number', [...good, 7.5, '7.5', '.5', '6.02e23', '-1,234.5']).length, takes('number', bad)], [good.length + 5, []]);
is('counts', [takes('count', [0, 5, '5', '1,234']).length, takes('count', [-1, '-1', 1.5, ...bad])], [4, []]);
is('what means no value', takes('optional_number', ['', 'N/A', 'NaN', '∞', null, '1.5', 'x', true]), ['', 'N/A', 'NaN', '∞', null, '1.5']);
is('object ids, signed and unsigned', takes('object_id', [-1925474135, 2369493161, '-1925474135', -2147483649, 4294967296, 0.5]), [-1925474135, 2369493161, '-1925474135']);
is('times', takes('time', ['2026-04-21T17:03:11.1234567Z', '2026-04-21 17:03:11', '2026-04-21T17:03:11+02:00', 'yesterday', '', '2026-04-21', '17:03']),
	['2026-04-21T17:03:11.1234567Z', '2026-04-21 17:03:11', '2026-04-21T17:03:11+02:00']);

// ---- the documents agree ----

const messages = (channel) => Object.keys(asyncapi.channels[channel].messages);
const of = (origin) => types.filter((e) => e.origin === origin).map((e) => e.type);
is('asyncapi.json has every type', types.map((e) => e.type).filter((t) => asyncapi.components.messages[t]?.payload.schema.$ref !== `events/${t}.schema.json`), []);
is('all that plugins send reaches the door and the browsers', of('PLUGIN').filter((t) => !messages('position').includes(t) || !messages('live').includes(t)), []);
is('all that the tracker says reaches the browsers', of('SERVER').filter((t) => !messages('live').includes(t)), []);
is('EVENT_FORMATS.json is current (make contract)', fs.readFileSync(`${dir}EVENT_FORMATS.json`, 'utf8') === execFileSync('node', [`${root}scripts/event-formats.mjs`], { encoding: 'utf8' }), true);

// ---- item search: filters are those of fields.def, columns those of columns.def ----

const rows = (file, macro) => [...fs.readFileSync(root + file, 'utf8').matchAll(new RegExp(`^${macro}\\(\\w+, "(\\w+)"(?:, "[^"]*", (\\w+))?`, 'gm'))].map(([, name, kind]) => ({ name, kind }));
const filters = rows('lib/itemq/fields.def', 'FIELD').flatMap(({ name, kind }) => ['NUMBER', 'REAL', 'RATING'].includes(kind) ? [`min_${name}`, `max_${name}`] : [name]);
const search = Object.fromEntries(openapi.paths['/search/items'].get.parameters.map((p) => [p.name, p.schema]));
const columns = search.sort.pattern.replace(/^\^-\?\(|\)\$$/g, '').split('|');
is('filters of item search', Object.keys(search).filter((n) => !['q', 'sort', 'page', 'limit', 'cursor'].includes(n)).sort(), filters.sort());
is('columns to sort by', columns.sort(), rows('lib/itemdb/columns.def', '(?:[A-Z]+_)?COLUMN').map((r) => r.name).sort());

// ---- dt-events(5) says the same: fields in ".It Va name , Va name Pq kind, optional", some in prose ----

/** type → field → 'needed', 'optional' or 'told' */
function fieldsOfManual() {
	const fields = new Map();
	let current = [];
	for (const line of fs.readFileSync(`${root}man/dt-events.5`, 'utf8').split('\n')) {
		if (/^\.S[hs] /.test(line)) {
			current = line.slice(4).split(/ and |, /);
			for (const type of current) fields.set(type, new Map());
		}
		const kind = /^\.It .*Pq (.*)/.exec(line)?.[1];
		for (const [, name] of line.matchAll(/\bVa ([a-z]\w*)/g))
			for (const type of current) if (kind || !fields.get(type).has(name)) fields.get(type).set(name, kind ? (kind.includes('optional') ? 'optional' : 'needed') : 'told');
	}
	return fields;
}

const manual = fieldsOfManual(), envelope = ['type', 'character_name', 'timestamp'], differences = [];
for (const { type } of types.filter((e) => e.origin === 'PLUGIN' && !e.type.startsWith('share_'))) {
	const schema = read(`events/${type}.schema.json`), told = manual.get(type === 'full_inventory' ? 'inventory' : type);
	const sometimes = (schema.oneOf ?? []).flatMap((s) => [s, ...(s.anyOf ?? [])]).flatMap((s) => s.required ?? []);
	for (const name of Object.keys(schema.properties).filter((n) => !envelope.includes(n) && !(type === 'dungeon_map' && n === 'found'))) {
		const expected = sometimes.includes(name) ? undefined : schema.required.includes(name) ? 'needed' : 'optional';
		if (!told.has(name)) differences.push(`${type}.${name} is not in the manual`);
		else if (expected && told.get(name) !== 'told' && told.get(name) !== expected) differences.push(`${type}.${name} is ${told.get(name)} in the manual, ${expected} in the schema`);
	}
	for (const [name, how] of told) if (how !== 'told' && !(name in schema.properties) && !(name in read('common.schema.json').$defs.item_facts.properties)) differences.push(`${type}.${name} is not in the schema`);
}
is('dt-events(5) names the same fields', differences, []);
done();

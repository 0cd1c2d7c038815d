// documents: what lies under static/contract, and validators for it.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const dir = `${root}static/contract/`;
/** Where the documents would be served from: relative references resolve against it. */
export const base = 'http://contract/';

export const read = (name) => JSON.parse(fs.readFileSync(dir + name, 'utf8'));

/** Rows of lib/event/event_types.def: { type, origin }. */
export function eventTypes() {
	const rows = fs.readFileSync(`${root}lib/event/event_types.def`, 'utf8').matchAll(/^EVENT_TYPE\("([a-z_]+)", ([A-Z]+),/gm);
	return [...rows].map(([, type, origin]) => ({ type, origin }));
}

export const eventFiles = () => fs.readdirSync(`${dir}events`).sort().map((f) => `events/${f}`);

/** What may be added may not be added in silence: our own answers hold nothing that the contract does not name.
 *  So where a schema says nothing about further members, there are none. */
function close(schema, isBranch = false) {
	if (schema === null || typeof schema !== 'object') return schema;
	if (Array.isArray(schema)) return schema.map((s) => close(s, isBranch));
	const isObject = schema.type === 'object' && schema.properties !== undefined;
	const closed = {};
	for (const [key, value] of Object.entries(schema))
		closed[key] = ['examples', 'const', 'enum'].includes(key) ? value : close(value, isObject && /Of$/.test(key));
	if (isObject && !isBranch && !('additionalProperties' in schema) && !('unevaluatedProperties' in schema)) closed.unevaluatedProperties = false;
	return closed;
}

/** An ajv that knows all documents by their address; those that isClosed(name) chooses allow no further members. */
export function validators(isClosed = () => false) {
	const ajv = new Ajv2020({ strict: true, strictTypes: true, strictTuples: true, strictRequired: false, allowUnionTypes: true, allErrors: false, validateFormats: true });
	addFormats(ajv);
	// these two are no schemas, but hold some
	ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'components', 'asyncapi', 'defaultContentType', 'channels', 'operations']);
	for (const name of ['common.schema.json', 'openapi.json', 'asyncapi.json', ...eventFiles()]) {
		const document = read(name);
		ajv.addSchema(isClosed(name) ? close(document) : document, base + name);
	}
	return ajv;
}

/** One sentence of ajv's errors. */
export function explain(errors) {
	const e = errors[errors.length - 1];
	const member = e.params?.missingProperty ?? e.params?.unevaluatedProperty ?? e.params?.additionalProperty;
	return `${e.instancePath || 'it'} ${e.message}${member && !e.message.includes(member) ? ` (${member})` : ''}`;
}

/** A part of a document as a validator: pointer('openapi.json', ['paths', '/live', 'get']). */
export function pointer(name, path) {
	return `${base}${name}#/${path.map((p) => encodeURIComponent(String(p).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
}

// ask: asks a server every operation of openapi.json that reads: with each parameter at its bounds, beyond them, twice, unknown, of the wrong kind.  TAP.
//   node ask.mjs URL DIRECTORY name=value...      values of the parameters in paths; answers are kept in DIRECTORY for answers.mjs
// ASK_TOKEN is the token of an admin, so that every route answers.  Pages (text/html) are left out: they are for people.
import fs from 'node:fs';
import { done, is, ok } from '../browser/tap.mjs';
import { explain, pointer, read, validators } from './documents.mjs';

const [url, directory, ...pairs] = process.argv.slice(2);
const inPaths = Object.fromEntries(pairs.map((p) => p.split('=')));
const openapi = read('openapi.json');
const ajv = validators();
let n = 0;

async function ask(target, method = 'GET', headers = {}) {
	const answer = await fetch(url + target, { method, headers: { Authorization: `Bearer ${process.env.ASK_TOKEN}`, ...headers }, redirect: 'manual' });
	const body = Buffer.from(await answer.arrayBuffer()), at = `${directory}/ask${++n}`;
	const head = [...answer.headers].filter(([k]) => k !== 'content-encoding').map(([k, v]) => `${k}: ${v}\r\n`).join('');
	fs.writeFileSync(`${at}.head`, `HTTP/1.1 ${answer.status} x\r\n${head}\r\n`);
	fs.writeFileSync(`${at}.body`, body);
	fs.writeFileSync(`${at}.asked`, `0 ${answer.status} ${method} ${target}\n`);
	const isJson = answer.headers.get('content-type') === 'application/json';
	return { status: answer.status, headers: answer.headers, error: answer.status >= 400 && isJson && body.length > 0 ? JSON.parse(body).error : '' };
}

const resolve = (value) => value.$ref ? value.$ref.slice(2).split('/').reduce((v, k) => v[k], openapi) : value;

// ---- values ----

const sql = ["' or 1=1 --", "x'; drop table dt.characters; --", '%', '\\', '"', '$1', '<b>é</b>', '1e400'];

/** Values that the schema takes, as a query has them. */
function goodValues(schema) {
	if (schema.type === 'array') return goodValues(resolve(schema.items));
	if (schema.enum) return schema.enum;
	if (schema.type === 'boolean') return ['true', 'false'];
	if (schema.examples) return schema.examples;
	if ('minimum' in schema) return [schema.minimum, schema.maximum];
	if (schema.type === 'number') return ['0', '-1', '1.5', '400'];
	if (schema.pattern) return [];
	return ['a', 'x'.repeat(schema.maxLength ?? 100)];
}

function badValues(schema) {
	if (schema.type === 'array') return badValues(resolve(schema.items));
	if (schema.enum || schema.type === 'boolean' || schema.pattern) return ['', 'nonsense', sql[0], sql[1]];
	if ('minimum' in schema) return [schema.minimum - 1, schema.maximum + 1, '', 'x', '1.5', '1e9', '9223372036854775808', sql[0]];
	if (schema.type === 'number') return ['', 'x', '1,5', 'NaN', sql[0]];
	return [...(schema.minLength ? [''] : []), ...(schema.maxLength ? ['x'.repeat(schema.maxLength + 1)] : [])];
}

// ---- one operation ----

const wrong = [];
const expect = (target, got, statuses, word) => {
	if (!statuses.includes(got.status)) wrong.push(`${target.slice(0, 100)}: ${got.status} ${got.error}, expected ${statuses.join(' or ')}`);
	else if (word && !got.error.includes(`"${word}"`)) wrong.push(`${target.slice(0, 100)}: the error does not name "${word}": ${got.error}`);
};

async function askParameter(path, p, isPaged) {
	const schema = resolve(p.schema), name = encodeURIComponent(p.name), few = isPaged && p.name !== 'limit' ? 'limit=3&' : '';
	const at = (value) => `${path}?${few}${name}=${encodeURIComponent(value)}`;
	for (const value of goodValues(schema)) expect(at(value), await ask(at(value)), [200]);
	for (const value of badValues(schema)) expect(at(value), await ask(at(value)), [400], p.name);
	if (schema.type === 'string' && !schema.pattern && !schema.enum) for (const value of sql) expect(at(value), await ask(at(value)), [200, 400]);
	const [value] = goodValues(schema);
	if (value !== undefined && schema.type !== 'array') expect(`${at(value)} twice`, await ask(`${at(value)}&${name}=${encodeURIComponent(value)}`), [400], p.name);
}

async function askPath(template, path) {
	const operation = openapi.paths[template].get, missing = operation.responses['404'] ? [404] : [];
	const inPath = [...(openapi.paths[template].parameters ?? []), ...(operation.parameters ?? [])].map(resolve).find((p) => p.in === 'path');
	if (!inPath) return;
	for (const text of [...sql.slice(0, 7), 'nobody'].filter((t) => template.includes('{type}') === false || t === 'nobody')) {
		const other = template.replace(`{${inPath.name}}`, encodeURIComponent(text));
		expect(other, await ask(other), [...missing, 400, ...(missing.length > 0 ? [] : [200])]);
	}
	const long = template.replace(`{${inPath.name}}`, 'x'.repeat(200));
	expect(long, await ask(long), [400, ...missing]);
	expect(path, await ask(path), [200]);
}

async function askOperation(template) {
	const operation = openapi.paths[template].get;
	const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(inPaths[name] ?? 'unset'));
	const first = await ask(path), parameters = (operation.parameters ?? []).map(resolve).filter((p) => p.in === 'query');
	wrong.length = 0;
	expect(path, first, [200]);
	expect(`/api${path}`, await ask(`/api${path}`), [200]);
	expect(`HEAD ${path}`, await ask(path, 'HEAD'), [200]);
	for (const method of ['PUT', 'TRACE'].filter((m) => m !== 'TRACE')) expect(`${method} ${path}`, await ask(path, method), [405]);
	if (operation.responses['304'] && first.headers.get('etag')) expect(`${path} again`, await ask(path, 'GET', { 'If-None-Match': first.headers.get('etag') }), [200, 304]);
	if (operation.responses['400']) expect(`${path}?nonsense=1`, await ask(`${path}?nonsense=1`), [400], 'nonsense');
	if (operation.responses['200'].content?.['text/csv']) await ask(path, 'GET', { Accept: 'text/csv' });
	await askPath(template, path);
	for (const p of parameters) await askParameter(path, p, parameters.some((other) => other.name === 'limit'));
	is(`GET ${template}`, wrong.slice(0, 12), []);
}

const isPage = (operation) => Object.keys(operation.responses['200'].content ?? {}).includes('text/html');
for (const template of Object.keys(openapi.paths).filter((t) => openapi.paths[t].get && !isPage(openapi.paths[t].get))) await askOperation(template);

// what the contract gives as an example of a parameter is one
const odd = [];
for (const [template, item] of Object.entries(openapi.paths)) for (const [method, operation] of Object.entries(item)) for (const [i, p] of (operation.parameters ?? []).entries()) {
	if (p.$ref) continue;
	const valid = ajv.getSchema(pointer('openapi.json', ['paths', template, method, 'parameters', i, 'schema']));
	for (const value of p.schema.examples ?? []) if (!valid(value)) odd.push(`${template} ${p.name}=${value}: ${explain(valid.errors)}`);
}
is('examples of parameters', odd, []);
ok('much was asked', n > 300, n);
done();

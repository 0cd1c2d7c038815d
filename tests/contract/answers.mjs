// answers: holds what a test recorded (tests/serve.sh) against the contract: every HTTP answer, every message of a socket.
//   node answers.mjs DIRECTORY...     prints what breaks the contract, and last how much was looked at; exit status 1 when something does
import crypto from 'node:crypto';
import fs from 'node:fs';
import zlib from 'node:zlib';
import { validators, explain, pointer, read, eventTypes } from './documents.mjs';
import { checkMessage } from './messages.mjs';

const MOST = 256 << 20;          // of a body; a string can hold no more
const SOCKET_MOST = 16 << 20;    // of what one browser was sent
let record;                      // the directory in hand
const openapi = read('openapi.json'), asyncapi = read('asyncapi.json');
const ownEvents = new Set(eventTypes().filter((e) => e.origin !== 'PLUGIN').map((e) => `events/${e.type}.schema.json`));
const ajv = validators((name) => name === 'openapi.json' || name === 'asyncapi.json' || ownEvents.has(name));

const problems = new Map();      // sentence → how often
const problem = (where, text) => problems.set(`${where}: ${text}`, (problems.get(`${where}: ${text}`) ?? 0) + 1);

// ---- which operation ----

const sockets = Object.values(asyncapi.channels).map((c) => c.address);
const isPage = (path) => path === '/' || path === '/classic' || path.startsWith('/classic/') || path.startsWith('/login/');
const templates = Object.keys(openapi.paths).map((template) => ({
	template,
	names: [...template.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]),
	match: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '([^/]+)')}$`),
})).sort((a, b) => a.names.length - b.names.length);

function decode(text) {
	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}

function find(path) {
	for (const t of templates) {
		const m = t.match.exec(path);
		if (m) return { item: openapi.paths[t.template], template: t.template, inPath: Object.fromEntries(t.names.map((n, i) => [n, decode(m[i + 1])])) };
	}
	return undefined;
}

/** A reference within the document, followed: what it is, and the path to it. */
function follow(path) {
	let value = path.reduce((v, key) => v?.[key], openapi);
	while (value?.$ref?.startsWith('#/')) {
		path = value.$ref.slice(2).split('/').map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~'));
		value = path.reduce((v, key) => v?.[key], openapi);
	}
	return { value, path };
}

// ---- what was asked ----

function typed(text, schema) {
	if (schema.type === 'integer' && /^-?[0-9]{1,15}$/.test(text)) return Number(text);
	if (schema.type === 'number' && /^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
	if (schema.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
	return text;
}

/** What is not as the contract wants it in a request that was answered all the same. */
function* oddParameters(found, method, query) {
	const places = [['paths', found.template], ['paths', found.template, method]];
	const declared = places.flatMap((at) => (follow(at).value.parameters ?? []).map((_, i) => follow([...at, 'parameters', i])));
	const known = new Map(declared.map((p) => [`${p.value.in} ${p.value.name}`, p]));
	const given = [...Object.entries(found.inPath).map(([name, text]) => ['path', name, text]), ...query.map(([name, text]) => ['query', name, text])];
	for (const [where, name, text] of given) {
		const p = known.get(`${where} ${name}`);
		if (!p) {
			yield `it took the parameter "${name}", which is not declared`;
			continue;
		}
		const schema = follow([...p.path, 'schema']);
		const isList = schema.value.type === 'array';
		const one = isList ? follow([...schema.path, 'items']) : schema;
		const valid = ajv.getSchema(pointer('openapi.json', one.path));
		if (!valid(typed(text, one.value))) yield `it took ${name}=${text.slice(0, 40)}, but that ${explain(valid.errors)}`;
		if (!isList && given.filter(([w, other]) => w === where && other === name).length > 1) yield `it took "${name}" twice`;
	}
	for (const { value } of known.values())
		if (value.required && value.in === 'query' && !query.some(([name]) => name === value.name)) yield `it did without the parameter "${value.name}"`;
}

function oddBody(found, method, sent) {
	const schema = follow(['paths', found.template, method, 'requestBody', 'content', 'application/json', 'schema']);
	if (schema.value === undefined || sent === '' || sent.startsWith('@')) return undefined;
	if (!/^\s*[[{]/.test(sent)) return undefined;      // a form
	const valid = ajv.getSchema(pointer('openapi.json', schema.path));
	return valid(JSON.parse(sent)) ? undefined : `it took the body ${sent.slice(0, 60)}, but there ${explain(valid.errors)}`;
}

// ---- what was answered ----

function checkSchema(where, path, value) {
	const valid = ajv.getSchema(pointer('openapi.json', path));
	if (!valid(value)) problem(where, explain(valid.errors));
}

function parseJson(text) {
	try {
		return JSON.parse(text);
	} catch (e) {
		throw new Error(`no JSON: ${e.message}`);
	}
}

/** As many fields in each row as there are names (RFC 4180). */
function checkRows(text) {
	const rows = [...text.matchAll(/((?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*))*)\r\n/gy)].map((m) => m[1]);
	if (rows.reduce((n, row) => n + row.length + 2, 0) !== text.length) throw new Error(`no CSV behind row ${rows.length}`);
	const widths = new Set(rows.map((row) => row.replace(/"(?:[^"]|"")*"/g, '').split(',').length));
	if (widths.size > 1) throw new Error(`CSV with rows of ${[...widths].join(' and ')} fields`);
}

/** What the schema of the type is about: the whole body, or each line. */
function parse(type, text) {
	if (type === 'application/json') return [parseJson(text)];
	if (type === 'application/x-ndjson') return text.split('\n').filter((line) => line !== '').map(parseJson);
	if (type === 'text/csv') checkRows(text);
	return [text];
}

function checkBody(where, response, a) {
	const declared = Object.keys(response.value.content ?? {});
	if (a.method === 'HEAD' || a.status === 304) return;
	if (declared.length === 0) {
		if (a.body.length > 0) problem(where, 'the answer has a body, none is declared');
		return;
	}
	const type = declared.find((t) => t === a.type);
	if (!type) {
		problem(where, `content type ${a.type || 'none'}, declared is ${declared.join(', ')}`);
		return;
	}
	try {
		const schema = [...response.path, 'content', type, 'schema'];
		for (const value of parse(type, a.body.toString('utf8'))) checkSchema(where, schema, value);
	} catch (e) {
		problem(where, e.message);
	}
}

function checkHeaders(where, response, a) {
	for (const [name, header] of Object.entries(response.value.headers ?? {})) {
		const text = a.headers.get(name.toLowerCase());
		if (text === undefined && header.required) problem(where, `no header ${name}`);
		if (text !== undefined) checkSchema(where, [...response.path, 'headers', name, 'schema'], typed(text, header.schema));
	}
}

function checkError(where, a, ...statuses) {
	if (!statuses.includes(a.status)) problem(where, `status ${a.status}, but the contract does not know this path or method`);
	else checkBody(where, follow(['components', 'responses', 'NotFound']), a);
}

function checkAnswer(a) {
	const [rawPath, rawQuery = ''] = a.target.split(/\?(.*)/s);
	const path = rawPath.replace(/^\/api(?=\/)/, '');
	const where = `${a.method} ${a.target.slice(0, 120)} → ${a.status}`;
	const method = a.method === 'HEAD' ? 'get' : a.method.toLowerCase();
	if (isPage(path) && (a.status < 400 || a.status === 401)) return;
	const found = find(path);
	if (!found && sockets.includes(path)) checkError(where, a, 426, 405, 401, 403, 503);
	else if (!found || !found.item[method]) checkError(where, a, ...(found ? [405] : [404, 400, 405]));
	else {
		const response = follow(['paths', found.template, method, 'responses', String(a.status)]);
		if (response.value === undefined) {
			problem(where, `the status is not declared for ${found.template}`);
			return;
		}
		checkHeaders(where, response, a);
		checkBody(where, response, a);
		const query = rawQuery.split('&').filter((p) => p !== '').map((p) => p.split(/=(.*)/s)).map(([name, text = '']) => [decode(name), decode(text)]);
		if (a.status >= 400) return;
		for (const text of oddParameters(found, method, query)) problem(where, text);
		const odd = oddBody(found, method, a.sent);
		if (odd) problem(where, odd);
	}
}

// ---- the record ----

function readHead(file) {
	const blocks = fs.readFileSync(file, 'latin1').split(/\r?\n\r?\n/).filter((b) => b.startsWith('HTTP/'));
	const lines = (blocks.pop() ?? '').split(/\r?\n/).slice(1);
	return new Map(lines.map((l) => l.split(/:\s*(.*)/s)).map(([k, v]) => [k.toLowerCase(), v ?? '']));
}

function readAnswer(name) {
	const at = `${record}/${name}`;
	const [, exit, status, method, target] = /^(\d+) (\d+) (\S+) (.*)/s.exec(fs.readFileSync(`${at}.asked`, 'utf8').trimEnd()) ?? [];
	if (exit !== '0' || !fs.existsSync(`${at}.head`)) return undefined;        // the connection broke: the test knows why
	const headers = readHead(`${at}.head`);
	const size = fs.existsSync(`${at}.body`) ? fs.statSync(`${at}.body`).size : 0;
	let body = size > 0 && size < MOST ? fs.readFileSync(`${at}.body`) : Buffer.alloc(0);
	if (size >= MOST) return undefined;
	if (headers.get('content-encoding') === 'gzip' && method !== 'HEAD') body = zlib.gunzipSync(body);
	const sent = fs.existsSync(`${at}.sent`) ? fs.readFileSync(`${at}.sent`, 'utf8') : '';
	return { method, sent, target, status: Number(status), headers, type: (headers.get('content-type') ?? '').split(';')[0].trim(), body };
}

function checkAnswers() {
	const seen = new Set();
	let n = 0;
	for (const file of fs.readdirSync(record).filter((f) => f.endsWith('.asked'))) {
		const a = readAnswer(file.slice(0, -'.asked'.length));
		if (!a) continue;
		n++;
		const key = crypto.createHash('sha1').update(`${a.method} ${a.target} ${a.status} ${a.type}\n`).update(a.body).digest('hex');
		if (!seen.has(key)) checkAnswer(a);
		seen.add(key);
	}
	return n;
}

function checkSockets() {
	const list = `${record}/sockets`;
	let n = 0;
	for (const line of fs.existsSync(list) ? new Set(fs.readFileSync(list, 'utf8').trim().split('\n')) : []) {
		const [name, target] = line.split(' ');
		const file = `${record}/../${name}.out`;
		if (!fs.existsSync(file)) continue;
		const fd = fs.openSync(file), text = Buffer.alloc(Math.min(fs.fstatSync(fd).size, SOCKET_MOST));
		fs.readSync(fd, text);
		fs.closeSync(fd);
		const address = target.split('?')[0].replace(/^\/api(?=\/)/, '');
		for (const message of text.toString('utf8').split('\n').slice(0, -1).filter((l) => !l.startsWith('!'))) {
			n++;
			const odd = checkMessage(ajv, address, message);
			if (odd) problem(`${address} → ${name}: ${message.slice(0, 100)}`, odd);
		}
	}
	return n;
}

for (record of process.argv.slice(2)) {
	const answers = checkAnswers(), messages = checkSockets();
	for (const [text, times] of problems) console.log(times > 1 ? `${text} (${times} times)` : text);
	console.log(`${answers} answers, ${messages} messages`);
	if (problems.size > 0) process.exitCode = 1;
	problems.clear();
}

// events: events on standard input, one a line, held against the schema of their type; what is wrong, each kind once, and last the types that were seen.
//   node events.mjs [--closed] [--any-time]      --closed: no fields but those that the schema names, _ours excepted
//                                                --any-time: a timestamp may be missing or unreadable, as it may on the stream
import readline from 'node:readline';
import { base, eventTypes, explain, validators } from './documents.mjs';

const isClosed = process.argv.includes('--closed');
const isAnyTime = process.argv.includes('--any-time');
const ajv = validators((name) => isClosed && name !== 'openapi.json');
const known = new Set(eventTypes().map((e) => e.type));
const problems = new Map(), seen = new Set();
let n = 0, n_bad = 0;

function check(line) {
	const event = JSON.parse(line);
	n++;
	seen.add(known.has(event.type) ? event.type : '(unknown)');
	if (!known.has(event.type)) return;
	if (isClosed) for (const name of Object.keys(event)) if (name.startsWith('_')) delete event[name];
	if (isAnyTime) event.timestamp = '2026-04-21T17:00:00Z';
	const valid = ajv.getSchema(`${base}events/${event.type}.schema.json`);
	if (valid(event)) return;
	n_bad++;
	const text = `${event.type}: ${explain(valid.errors)}`.replace(/\/\d+(?=[/ ])/g, '/N');
	if (!problems.has(text)) problems.set(text, { n: 0, line });
	problems.get(text).n++;
}

for await (const line of readline.createInterface({ input: process.stdin })) if (line.trim() !== '') check(line);
for (const [text, { n: times, line }] of problems) console.log(`${text} (${times} times, as ${line.slice(0, 160)})`);
console.log(`${n} events, ${n_bad} bad, of ${[...seen].sort().join(' ')}`);
process.exitCode = n_bad > 0 ? 1 : 0;

// messages: is what a server said on a socket as asyncapi.json has it?
import { base, eventTypes, explain, pointer, read } from './documents.mjs';

const asyncapi = read('asyncapi.json');
const origins = new Map(eventTypes().map((e) => [e.type, e.origin]));
const names = (refs) => refs.map((m) => m.$ref.split('/').pop());

/** address → names of the messages that it sends */
const sends = new Map(Object.entries(asyncapi.channels).map(([key, channel]) => [channel.address, new Set(Object.values(asyncapi.operations)
	.filter((o) => o.action === 'send' && o.channel.$ref === `#/channels/${key}`).flatMap((o) => names(o.messages)))]));

/** The schema of a message: what the tracker makes itself has its type's; what plugins say passes as it is, in any form. */
function schemaOf(address, message) {
	if (Array.isArray(message)) return 'batch';
	if (message?.type === undefined && address === '/ws/position') return 'plugin_command';
	const isOurs = ['SERVER', 'CONTROL'].includes(origins.get(message?.type)) || message?.found === false;
	return isOurs && !('_seq' in message) ? message.type : 'any_event';
}

function schemaAddress(name) {
	const { payload } = asyncapi.components.messages[name];
	const ref = payload.$ref ?? payload.schema?.$ref;
	return ref ? base + ref : pointer('asyncapi.json', ['components', 'messages', name, 'payload']);
}

/** undefined, or what is wrong with a message that the server sent. */
export function checkMessage(ajv, address, text) {
	let message;
	try {
		message = JSON.parse(text);
	} catch (e) {
		return `no JSON: ${e.message}`;
	}
	const name = schemaOf(address, message), allowed = sends.get(address);
	if (allowed === undefined) return undefined;           // some other socket
	if (!allowed.has(name)) return `no message "${name}" is sent here`;
	if (origins.has(message.type) && !allowed.has(message.type)) return `no message "${message.type}" is sent here`;
	const valid = ajv.getSchema(schemaAddress(name));
	if (!valid(message)) return explain(valid.errors);
	for (const inner of Array.isArray(message) ? message : []) {
		const odd = checkMessage(ajv, address, JSON.stringify(inner));
		if (odd) return odd;
	}
	return undefined;
}

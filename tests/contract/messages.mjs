// messages: is a message of a socket as asyncapi.json says?
import { base, eventTypes, explain } from './documents.mjs';

const origins = new Map(eventTypes().map((e) => [e.type, e.origin]));

/** What dt-serve and dt-ingest make themselves has the form of its schema; what plugins say passes as it is, in any form. */
function checkEvent(ajv, event) {
	const ours = ['SERVER', 'CONTROL'].includes(origins.get(event?.type)) || event?.found === false;
	const valid = ajv.getSchema(ours && !('_seq' in event) ? `${base}events/${event.type}.schema.json` : `${base}common.schema.json#/$defs/event`);
	return valid(event) ? undefined : explain(valid.errors);
}

/** undefined, or what is wrong with a message that the server sent. */
export function checkMessage(ajv, address, text) {
	let message;
	try {
		message = JSON.parse(text);
	} catch (e) {
		return `no JSON: ${e.message}`;
	}
	if (address === '/ws/position') {
		if (message?.type === undefined) return 'player_name' in message && 'command' in message && Object.keys(message).length === 2 ? undefined : 'neither a command nor an event';
		return checkEvent(ajv, message);
	}
	for (const event of Array.isArray(message) ? message : [message]) {
		const odd = checkEvent(ajv, event);
		if (odd) return odd;
	}
	return undefined;
}

// The usual way with node: for each event a send() to each client.  ws.mjs PORT BYTES
import { WebSocketServer } from 'ws';

const [port, bytes] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });
const pad = 'x'.repeat(bytes - 60);

function broadcast() {
	let slow = false;
	for (const client of server.clients)
		slow ||= client.bufferedAmount > 1 << 20;
	if (!slow && server.clients.size > 0) {
		const text = JSON.stringify({ made: `^${String(Date.now() * 1000).padStart(16, '0')}`, pad });
		for (const client of server.clients)
			client.send(text);
	}
	setImmediate(broadcast);
}
broadcast();

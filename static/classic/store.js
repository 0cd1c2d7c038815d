// store: what the page knows of the fleet.  No DOM and no drawing: events in, plain objects out.
import { colour, isIndoors, num } from './util.js';

export const OFFLINE_S = 30;          // the server's rule
export const FORGET_S = 900;          // gone from the list
export const TRAIL_S = 600;
const JUMP = 5;                       // degrees; further than this at once is a portal, not a walk
const POINTS_MAX = 2000;

export class Store {
	constructor(now = () => performance.now() / 1000) {
		this.now = now;                   // seconds on the page's own clock; the server's clock only dates trails
		this.players = new Map();
		this.portals = new Map();
		this.server = null;
		this.version = 0;                 // grows with every change
		this.trailVersion = 0;
		this.clockOffset = null;          // server's unix seconds minus ours
		this.onRare = () => {};
	}

	/** One event of the socket. */
	apply(event) {
		if (event === null || typeof event !== 'object' || typeof event.type !== 'string') return;
		if (typeof event._rx === 'string') this.setClock(event._rx);
		const handler = handlers[event.type];
		if (handler === undefined) return;
		handler(this, event);
		this.version++;
	}

	setClock(iso) {
		const t = Date.parse(iso) / 1000;
		if (Number.isFinite(t)) this.clockOffset = t - this.now();
	}

	age(player) {
		return this.now() - player.seenAt;
	}

	forgetOld() {
		for (const p of this.players.values()) {
			if (this.age(p) > FORGET_S) this.players.delete(p.name);
			trim(p.trail, this.now() - TRAIL_S);
		}
		for (const [key, p] of this.portals) if (this.now() - p.seenAt > 3600) this.portals.delete(key);
		this.version++;
		this.trailVersion++;
	}

	/** Points of GET /trails: what was before this page was opened. */
	loadTrails(points) {
		if (this.clockOffset === null) this.clockOffset = Date.now() / 1000 - this.now();
		const old = new Map();
		for (const q of points) {
			if (isIndoors(q)) continue;
			if (!old.has(q.character_name)) old.set(q.character_name, []);
			old.get(q.character_name).push({ at: Date.parse(q.timestamp) / 1000 - this.clockOffset, ew: num(q.ew), ns: num(q.ns) });
		}
		for (const [name, before] of old) {
			const p = this.players.get(name);
			if (p === undefined) continue;
			const first = p.trail.length ? p.trail[0].at : Infinity;
			p.trail = before.filter((q) => q.at < first - 0.5).concat(p.trail);
			markJumps(p.trail);
		}
		this.version++;
		this.trailVersion++;
	}
}

function player(store, name) {
	let p = store.players.get(name);
	if (p === undefined) {
		p = { name, colour: colour(name), fields: {}, vitals: null, ew: NaN, ns: NaN, from: null, movedAt: 0, heading: NaN, indoors: false, seenAt: -Infinity, trail: [] };
		store.players.set(name, p);
	}
	return p;
}

function trim(trail, before) {
	let n = 0;
	while (n < trail.length && trail[n].at < before) n++;
	if (n > 0) trail.splice(0, n);
}

const isJump = (a, b) => Math.abs(a.ew - b.ew) > JUMP || Math.abs(a.ns - b.ns) > JUMP;

function markJumps(trail) {
	for (let i = 1; i < trail.length; i++) trail[i].jump = isJump(trail[i - 1], trail[i]);
}

function moveTo(store, p, ew, ns, at) {
	const before = { ew: p.ew, ns: p.ns };
	const next = { at, ew, ns, jump: isJump(before, { ew, ns }) };
	const moved = before.ew !== ew || before.ns !== ns;
	p.from = moved && !next.jump && Number.isFinite(before.ew) ? before : null;
	if (p.from !== null) p.heading = Math.atan2(ew - before.ew, ns - before.ns);
	p.step = Math.min(at - p.movedAt, 4);
	p.movedAt = at;
	p.ew = ew;
	p.ns = ns;
	if (p.indoors || !(moved || p.trail.length === 0)) return;
	p.trail.push(next);
	if (p.trail.length > POINTS_MAX) p.trail.splice(0, POINTS_MAX / 4);
	store.trailVersion++;
}

function telemetry(store, event, age = 0) {
	if (typeof event.character_name !== 'string') return;
	const p = player(store, event.character_name);
	const ew = num(event.ew), ns = num(event.ns), at = store.now() - age;
	p.fields = event;
	p.seenAt = at;
	if (!Number.isFinite(ew) || !Number.isFinite(ns)) return;
	p.indoors = isIndoors(event);
	moveTo(store, p, ew, ns, at);
}

function vitals(store, event) {
	if (typeof event.character_name === 'string' && store.players.has(event.character_name)) store.players.get(event.character_name).vitals = event;
}

function portal(store, event, age = 0) {
	const ew = num(event.ew), ns = num(event.ns);
	if (!Number.isFinite(ew) || !Number.isFinite(ns) || typeof event.portal_name !== 'string') return;
	store.portals.set(`${Math.round(ew * 10)},${Math.round(ns * 10)}`, { name: event.portal_name, ew, ns, seenAt: store.now() - age });
}

/** The whole state at once: what it does not name has gone. */
function snapshot(store, event) {
	if (typeof event.at === 'string') store.setClock(event.at);
	const named = new Set();
	for (const q of event.players ?? []) {
		const { vitals: v, age_s: age, last_seen: seen, online, ...fields } = q;
		telemetry(store, fields, num(age) || 0);
		if (v) vitals(store, { character_name: q.character_name, ...v });
		named.add(q.character_name);
	}
	for (const name of store.players.keys()) if (!named.has(name)) store.players.delete(name);
	store.portals.clear();
	for (const q of event.portals ?? []) portal(store, q, Math.max(0, store.now() + store.clockOffset - Date.parse(q.discovered_at) / 1000));
}

const handlers = {
	telemetry,
	vitals,
	portal,
	snapshot,
	player_offline(store, event) {
		const p = store.players.get(event.character_name);
		if (p !== undefined) p.seenAt = Math.min(p.seenAt, store.now() - OFFLINE_S);
	},
	server_status(store, event) {
		store.server = { ...event, at: store.now() };
	},
	rare(store, event) {
		store.onRare(event);
	},
};

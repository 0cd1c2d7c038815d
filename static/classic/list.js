// list: the sidebar's characters, filtered and sorted; rows are kept and only what changed is written.
import { OFFLINE_S } from './store.js';
import { ageText, clamp, coordText, countText, el, num } from './util.js';

const field = (name) => (p) => num(p.fields[name]);
const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** What the list can be sorted by; `down`: the largest first at the start. */
export const SORTS = {
	name: { title: 'Name', column: 'Kills', value: field('kills'), text: (p) => countText(p.fields.kills) },
	kills_per_hour: { title: 'Kills/h', column: 'Kills', down: true, key: field('kills_per_hour'), text: (p) => countText(p.fields.kills) },
	kills: { title: 'Kills', column: 'Kills', down: true, key: field('kills'), text: (p) => countText(p.fields.kills) },
	deaths: { title: 'Deaths', column: 'Deaths', down: true, key: field('deaths'), text: (p) => countText(p.fields.deaths) },
	rares: { title: 'Rares', column: 'Rares', down: true, key: field('rares_found'), text: (p) => countText(p.fields.rares_found) },
	tapers: { title: 'Tapers', column: 'Tapers', key: field('prismatic_taper_count'), text: (p) => countText(p.fields.prismatic_taper_count) },
	latency: { title: 'Latency', column: 'ms', down: true, key: field('latency_ms'), text: (p) => countText(p.fields.latency_ms) },
	seen: { title: 'Last seen', column: 'Seen', key: (p) => -p.seenAt, text: (p, age) => ageText(age) },
};

export class List {
	/** on: { select(name), inView(p) } */
	constructor(root, empty, store, on) {
		Object.assign(this, { root, empty, store, on, query: '', sort: 'name', reversed: false, show: 'all', selected: null, rows: new Map(), shown: [], stop: null, focused: null });
		root.addEventListener('click', (e) => {
			const row = e.target.closest('.row');
			if (row) on.select(row.dataset.name);
		});
		root.addEventListener('keydown', (e) => this.key(e));
		root.addEventListener('focusin', (e) => (this.focused = e.target.dataset.name ?? null));
	}

	key(e) {
		const row = e.target.closest('li');
		const to = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling, Home: this.root.firstElementChild, End: this.root.lastElementChild };
		if (row === null || !Object.hasOwn(to, e.key)) return;
		e.preventDefault();
		to[e.key]?.firstElementChild.focus();
	}

	matches(p, words) {
		const text = `${p.name} ${p.fields.char_tag ?? ''} ${p.fields.vt_state ?? ''}`.toLowerCase();
		if (!words.every((w) => text.includes(w))) return false;
		if (this.show === 'online') return this.store.age(p) < OFFLINE_S;
		return this.show !== 'view' || this.on.inView(p);
	}

	/** Those that are shown, in their order. */
	pick() {
		const words = this.query.toLowerCase().split(/\s+/).filter(Boolean), { key, down } = SORTS[this.sort];
		const sign = (down ? -1 : 1) * (this.reversed ? -1 : 1);
		const found = [...this.store.players.values()].filter((p) => this.matches(p, words));
		return found.sort((a, b) => {
			if (key === undefined) return sign * byName(a, b);
			const x = key(a), y = key(b);
			if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;      // unknown ones always last
			return x === y || Number.isNaN(x) ? byName(a, b) : sign * (x - y);
		});
	}

	/** The name before or after the selected one. */
	neighbour(step) {
		const at = this.shown.indexOf(this.selected), n = this.shown.length;
		if (n === 0) return null;
		return at === -1 ? this.shown[step > 0 ? 0 : n - 1] : this.shown[(at + step + n) % n];
	}

	update() {
		const found = this.pick(), names = found.map((p) => p.name);
		for (const p of found) this.write(p);
		if (names.length !== this.shown.length || names.some((n, i) => n !== this.shown[i])) this.order(names);
		for (const name of this.rows.keys()) if (!this.store.players.has(name)) this.rows.delete(name);
		this.setStop();
		this.empty.hidden = names.length > 0;
		if (names.length === 0) this.empty.textContent = this.store.players.size === 0 ? 'No characters yet. They appear as soon as a plugin connects.' : 'Nobody matches.';
	}

	/** Tab stops at one row of the list, and the next leads on to the map: arrows walk through the others. */
	setStop() {
		const stop = [this.focused, this.selected].find((name) => this.shown.includes(name)) ?? this.shown[0] ?? null;
		if (stop === this.stop && this.rows.get(stop)?.button.tabIndex !== -1) return;
		this.rows.get(this.stop)?.button.setAttribute('tabindex', '-1');
		this.rows.get(stop)?.button.setAttribute('tabindex', '0');
		this.stop = stop;
	}

	/** Moves only the rows that stand at the wrong place, so that focus and scrolling stay. */
	order(names) {
		let at = this.root.firstElementChild;
		for (const name of names) {
			const item = this.rows.get(name).item;
			if (item === at) at = at.nextElementSibling;
			else this.root.insertBefore(item, at);
		}
		while (at !== null) {
			const next = at.nextElementSibling;
			at.remove();
			at = next;
		}
		this.shown = names;
	}

	row(p) {
		const item = el('li'), button = el('button', 'row'), who = el('span', 'who'), bar = el('span', 'bar');
		const r = { item, button, dot: el('i', 'dot'), name: el('span', 'name', p.name), state: el('span', 'state'), health: el('i'), rate: el('span', 'number'), metric: el('span', 'number kills'), last: {} };
		button.type = 'button';
		button.tabIndex = -1;
		button.dataset.name = p.name;
		button.style.setProperty('--dot', p.colour);
		bar.append(r.health);
		who.append(r.dot, r.name, r.state, bar);
		button.append(who, r.rate, r.metric);
		item.append(button);
		this.rows.set(p.name, r);
		return r;
	}

	write(p) {
		const r = this.rows.get(p.name) ?? this.row(p), age = this.store.age(p), state = String(p.fields.vt_state ?? '');
		const where = p.indoors ? 'indoors' : coordText(p.ns, p.ew), offline = age >= OFFLINE_S;
		put(r, 'state', offline ? `silent for ${ageText(age)}` : state === '' ? where : `${where} · ${state}`);
		put(r, 'rate', countText(p.fields.kills_per_hour));
		put(r, 'metric', SORTS[this.sort].text(p, age));
		const health = healthOf(p), width = `${health.toFixed(0)}%`;
		if (r.last.width !== width) r.health.style.width = r.last.width = width;
		const kind = offline ? 'row offline' : /idle/i.test(state) ? 'row idle' : 'row';
		if (r.last.kind !== kind) r.button.className = r.last.kind = kind;
		const pressed = String(p.name === this.selected);
		if (r.last.pressed !== pressed) r.button.setAttribute('aria-pressed', (r.last.pressed = pressed));
	}

	reveal(name) {
		this.rows.get(name)?.item.scrollIntoView({ block: 'nearest' });
	}
}

function put(r, part, text) {
	if (r.last[part] !== text) r[part].textContent = r.last[part] = text;
}

export function healthOf(p) {
	const percent = num(p.vitals?.health_percentage), of = 100 * num(p.vitals?.health_current) / num(p.vitals?.health_max);
	return clamp(Number.isFinite(percent) ? percent : Number.isFinite(of) ? of : 100, 0, 100);
}

// card: what is known of one character, beside the pointer or pinned to the map.
import { OFFLINE_S } from './store.js';
import { ageText, clamp, coordText, countText, el, num } from './util.js';

const GAUGES = [['health', 'Health', '--health'], ['stamina', 'Stamina', '--stamina'], ['mana', 'Mana', '--mana']];
const FACTS = [
	['Kills', 'kills'], ['Kills/h', 'kills_per_hour'], ['Deaths', 'deaths'], ['Rares', 'rares_found'],
	['Tapers', 'prismatic_taper_count'], ['Latency', 'latency_ms', ' ms'], ['CPU', 'cpu_pct', ' %'], ['Memory', 'mem_mb', ' MB'],
];

export class Card {
	/** actions: [title, text, f] for the buttons of a pinned card. */
	constructor(root, actions = []) {
		this.root = root;
		this.head = el('h2');
		this.lamp = el('i');
		this.name = el('span');
		this.tag = el('em');
		this.state = el('p', 'line');
		this.where = el('p', 'line where');
		this.gauges = el('div', 'gauges');
		this.facts = el('dl');
		this.parts = new Map();
		this.head.append(this.lamp, this.name, this.tag);
		for (const [key, title, colour] of GAUGES) this.addGauge(key, title, colour);
		for (const [title, key, unit] of FACTS) this.addFact(title, key, unit ?? '');
		root.append(this.head, this.state, this.where, this.gauges, this.facts);
		if (actions.length) this.addButtons(actions);
	}

	addGauge(key, title, colour) {
		const row = el('div', 'gauge'), track = el('div'), fill = el('i'), value = el('span');
		fill.style.background = `var(${colour})`;
		track.append(fill);
		row.append(el('span', '', title), track, value);
		this.gauges.append(row);
		this.parts.set(key, { fill, value });
	}

	addFact(title, key, unit) {
		const row = el('div'), value = el('dd');
		row.append(el('dt', '', title), value);
		this.facts.append(row);
		this.parts.set(key, { value, unit });
	}

	addButtons(actions) {
		const row = el('div', 'buttons');
		this.buttons = {};
		for (const [key, text, f] of actions) {
			const b = el('button', '', text);
			b.type = 'button';
			b.addEventListener('click', f);
			this.buttons[key] = b;
			row.append(b);
		}
		this.root.append(row);
	}

	show(p, age) {
		this.root.hidden = p === undefined;
		if (p === undefined) return;
		this.lamp.style.background = p.colour;
		this.name.textContent = p.name;
		this.tag.textContent = p.fields.char_tag ?? '';
		this.tag.hidden = !p.fields.char_tag;
		this.state.textContent = age >= OFFLINE_S ? `silent for ${ageText(age)}` : [p.fields.vt_state, onlineText(p.fields.onlinetime)].filter(Boolean).join(' · ');
		this.where.textContent = p.indoors ? 'indoors' : coordText(p.ns, p.ew);
		this.gauges.hidden = p.vitals === null;
		if (p.vitals !== null) for (const [key] of GAUGES) this.gauge(key, p.vitals);
		for (const [, key] of FACTS) {
			const { value, unit } = this.parts.get(key), text = countText(p.fields[key]);
			value.textContent = text === '–' ? text : text + unit;
		}
	}

	gauge(key, v) {
		const { fill, value } = this.parts.get(key), now = num(v[`${key}_current`]), most = num(v[`${key}_max`]);
		const share = Number.isFinite(num(v[`${key}_percentage`])) ? num(v[`${key}_percentage`]) : 100 * now / most;
		fill.style.width = `${clamp(share || 0, 0, 100).toFixed(0)}%`;
		value.textContent = Number.isFinite(now) && Number.isFinite(most) ? `${now}/${most}` : `${countText(share)} %`;
	}

	/** Beside (x, y), but inside the stage. */
	placeAt(x, y, width, height) {
		const w = this.root.offsetWidth, h = this.root.offsetHeight;
		this.root.style.left = `${clamp(x + 18 + w > width - 8 ? x - w - 18 : x + 18, 8, Math.max(8, width - w - 8))}px`;
		this.root.style.top = `${clamp(y - h / 2, 8, Math.max(8, height - h - 8))}px`;
	}
}

/** dd.hh:mm:ss or hh:mm:ss */
function onlineText(text) {
	const m = /^(?:(\d+)\.)?(\d+):(\d+):(\d+)/.exec(String(text ?? '').trim());
	return m ? `on for ${ageText(Number(m[1] ?? 0) * 86400 + Number(m[2]) * 3600 + Number(m[3]) * 60 + Number(m[4]))}` : '';
}

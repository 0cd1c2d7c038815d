// map: draws the world and the fleet on one canvas.  What changes rarely (land, lines, towns, trails) is kept as a picture behind.
import { OFFLINE_S, TRAIL_S } from './store.js';
import { clamp, num } from './util.js';

const SEA = '#0a121d', LAND = '#152537', COAST = '#4a7aa5', GRID = 'rgba(130, 170, 210, 0.09)', GRID_TEXT = '#7f97b0';
const GOLD = '#d9b45b', TEXT = '#e6edf3', HALO = 'rgba(6, 12, 20, 0.85)', ACCENT = '#4cc2ff', PORTAL = '#b58cff';
const FONT = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const GONE_S = 120;                   // silent for so long: off the map
const TRAIL_REDRAW_S = 0.5;

export class MapView {
	constructor(canvas, camera, store, outline, towns) {
		Object.assign(this, { canvas, camera, store, towns, layers: { trails: true, labels: true, portals: true }, selected: null, hovered: null });
		this.ctx = canvas.getContext('2d', { alpha: false });
		this.back = document.createElement('canvas');
		this.backCtx = this.back.getContext('2d', { alpha: false });
		this.backKey = '';
		this.trailsAt = 0;
		this.widths = new Map();
		this.land = new Path2D();
		for (const ring of outline) addRing(this.land, ring.points);
		this.hulls = new Path2D();
		for (const ring of outline) if (ring.kind === 'land') addRing(this.hulls, ring.points);
		this.still = window.matchMedia('(prefers-reduced-motion: reduce)');
	}

	resize(width, height) {
		const ratio = Math.min(window.devicePixelRatio || 1, 3);
		this.ratio = ratio;
		for (const c of [this.canvas, this.back]) {
			c.width = Math.round(width * ratio);
			c.height = Math.round(height * ratio);
		}
		this.backKey = '';
		this.camera.resize(width, height);
	}

	/** Where a dot stands now: on its way from the last position to the newest, so that it walks instead of hopping. */
	place(p) {
		if (p.from === null || this.still.matches) return p;
		const t = clamp((this.store.now() - p.movedAt) / Math.max(0.2, p.step || 2), 0, 1);
		return t === 1 ? p : { ew: p.from.ew + (p.ew - p.from.ew) * t, ns: p.from.ns + (p.ns - p.from.ns) * t };
	}

	/** Is any dot on its way by more than a pixel or so? */
	isMoving() {
		if (this.still.matches) return false;
		const now = this.store.now(), scale = this.camera.scale;
		for (const p of this.store.players.values()) {
			if (p.from !== null && now - p.movedAt < (p.step || 2) && Math.hypot(p.ew - p.from.ew, p.ns - p.from.ns) * scale > 1.5) return true;
		}
		return false;
	}

	visible(p) {
		return !p.indoors && Number.isFinite(p.ew) && this.store.age(p) < GONE_S;
	}

	draw() {
		const { ctx, ratio } = this;
		this.drawBack();
		ctx.setTransform(1, 0, 0, 1, 0, 0);
		ctx.drawImage(this.back, 0, 0);
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		this.boxes = [];
		const dots = this.dots();
		if (this.layers.portals) this.drawPortals();
		for (const d of dots) this.boxes.push([d.x - 6, d.y - 6, d.x + 6, d.y + 6]);
		this.drawTowns();
		for (const d of dots) this.drawDot(d);
		this.drawNames(dots);
	}

	dots() {
		const list = [];
		for (const p of this.store.players.values()) {
			if (!this.visible(p)) continue;
			const at = this.place(p);
			list.push({ p, x: this.camera.screenX(at.ew), y: this.camera.screenY(at.ns), rank: this.rank(p) });
		}
		return list.sort((a, b) => a.rank - b.rank || (a.p.name < b.p.name ? -1 : 1));
	}

	rank(p) {
		return p.name === this.selected ? 2 : p.name === this.hovered ? 1 : 0;
	}

	/** The dot nearest to a point of the screen, if one is within reach. */
	hit(x, y, reach) {
		let best = null, least = reach * reach;
		for (const d of this.dots()) {
			const away = (d.x - x) ** 2 + (d.y - y) ** 2;
			if (away <= least) [best, least] = [d.p, away];
		}
		return best;
	}

	/* ---- behind ---- */

	drawBack() {
		const { camera: c, store } = this, now = store.now();
		const still = [c.x, c.y, c.zoom, this.canvas.width, this.canvas.height, this.layers.trails, this.selected].join();
		if (this.trailVersion !== store.trailVersion && now - this.trailsAt > TRAIL_REDRAW_S) {
			this.trailVersion = store.trailVersion;
			this.trailsAt = now;
			this.backKey = '';
		}
		if (still === this.backKey) return;
		this.backKey = still;
		const ctx = this.backCtx;
		ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
		ctx.fillStyle = SEA;
		ctx.fillRect(0, 0, c.width, c.height);
		this.drawLand(ctx);
		this.drawGrid(ctx);
		if (this.layers.trails) this.drawTrails(ctx, now);
		else if (this.selected !== null) this.drawTrails(ctx, now, this.selected);
	}

	worldTransform(ctx) {
		const s = this.camera.scale * this.ratio;
		ctx.setTransform(s, 0, 0, s, (this.camera.width / 2 - this.camera.x * this.camera.scale) * this.ratio, (this.camera.height / 2 - this.camera.y * this.camera.scale) * this.ratio);
		return this.camera.scale;
	}

	drawLand(ctx) {
		const s = this.worldTransform(ctx), wide = clamp(Math.sqrt(this.camera.zoom), 1, 3);
		ctx.lineJoin = 'round';
		for (const [width, alpha] of [[22, 0.05], [13, 0.06], [6, 0.09]]) {     // shallow water
			ctx.strokeStyle = `rgba(76, 150, 210, ${alpha})`;
			ctx.lineWidth = width * wide / s;
			ctx.stroke(this.land);
		}
		ctx.fillStyle = LAND;
		ctx.fill(this.land, 'evenodd');
		ctx.save();
		ctx.clip(this.land, 'evenodd');                                       // a lighter rim inside the coast
		ctx.strokeStyle = 'rgba(120, 180, 230, 0.06)';
		for (const width of [16, 8]) {
			ctx.lineWidth = width * wide / s;
			ctx.stroke(this.land);
		}
		ctx.restore();
		ctx.strokeStyle = COAST;
		ctx.lineWidth = 1.2 / s;
		ctx.stroke(this.land);
		ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
	}

	drawGrid(ctx) {
		const c = this.camera, step = c.zoom > 14 ? 1 : c.zoom > 4 ? 5 : 10, labelled = c.zoom > 14 ? 2 : c.zoom > 4 ? 5 : 20;
		const west = Math.max(-100, Math.ceil(c.ewAt(0) / step) * step), east = Math.min(100, c.ewAt(c.width));
		const south = Math.max(-100, Math.ceil(c.nsAt(c.height) / step) * step), north = Math.min(100, c.nsAt(0));
		const left = Math.max(0, c.screenX(-102)), right = Math.min(c.width, c.screenX(102));
		const top = Math.max(0, c.screenY(102)), bottom = Math.min(c.height, c.screenY(-102));
		ctx.strokeStyle = GRID;
		ctx.lineWidth = 1;
		ctx.beginPath();
		for (let ew = west; ew <= east; ew += step) line(ctx, Math.round(c.screenX(ew)) + 0.5, top, Math.round(c.screenX(ew)) + 0.5, bottom);
		for (let ns = south; ns <= north; ns += step) line(ctx, left, Math.round(c.screenY(ns)) + 0.5, right, Math.round(c.screenY(ns)) + 0.5);
		ctx.stroke();
		ctx.fillStyle = GRID_TEXT;
		ctx.font = `10px ${FONT}`;
		ctx.textBaseline = 'middle';
		ctx.textAlign = 'center';
		for (let ew = west; ew <= east; ew += step) if (ew % labelled === 0 && c.screenX(ew) > 24) ctx.fillText(degrees(ew, 'E', 'W'), c.screenX(ew), c.height - 9);
		ctx.textAlign = 'left';
		for (let ns = south; ns <= north; ns += step) if (ns % labelled === 0 && c.screenY(ns) < c.height - 24) ctx.fillText(degrees(ns, 'N', 'S'), 8, c.screenY(ns));
	}

	drawTrails(ctx, now, only = null) {
		ctx.lineJoin = 'round';
		ctx.lineCap = 'round';
		for (const p of this.store.players.values()) {
			if (p.trail.length < 2 || (only !== null && p.name !== only)) continue;
			this.drawTrail(ctx, p, now, p.name === this.selected);
		}
		ctx.globalAlpha = 1;
	}

	/** In four pieces, each fainter than the newer one; points closer than a pixel or two are left out. */
	drawTrail(ctx, p, now, strong) {
		const c = this.camera, least = 1.5;
		let piece = -1, x0 = 0, y0 = 0;
		ctx.strokeStyle = p.colour;
		ctx.lineWidth = strong ? 2.5 : 1.5;
		for (let i = 0; i < p.trail.length; i++) {
			const q = p.trail[i], x = c.screenX(q.ew), y = c.screenY(q.ns);
			const age = clamp(Math.floor((now - q.at) / (TRAIL_S / 4)), 0, 3), last = i === p.trail.length - 1;
			if (age !== piece) {
				if (piece !== -1) {
					if (!q.jump) ctx.lineTo(x, y);
					ctx.stroke();
				}
				piece = age;
				ctx.globalAlpha = (strong ? 0.95 : 0.55) * (1 - age * 0.22);
				ctx.beginPath();
				ctx.moveTo(x, y);
			} else if (q.jump) {
				ctx.moveTo(x, y);
			} else if (last || Math.abs(x - x0) + Math.abs(y - y0) >= least) {
				ctx.lineTo(x, y);
			} else {
				continue;
			}
			x0 = x;
			y0 = y;
		}
		ctx.stroke();
	}

	/* ---- in front ---- */

	onScreen(x, y, margin) {
		return x > -margin && y > -margin && x < this.camera.width + margin && y < this.camera.height + margin;
	}

	drawPortals() {
		const { ctx, camera: c } = this, now = this.store.now(), r = clamp(2.5 + c.zoom * 0.25, 3, 6);
		ctx.lineWidth = 1.5;
		for (const q of this.store.portals.values()) {
			const x = c.screenX(q.ew), y = c.screenY(q.ns);
			if (!this.onScreen(x, y, 10)) continue;
			ctx.globalAlpha = clamp(1 - (now - q.seenAt) / 3600, 0.15, 1) * 0.9;
			ctx.strokeStyle = PORTAL;
			ctx.fillStyle = 'rgba(181, 140, 255, 0.22)';
			ctx.beginPath();
			ctx.moveTo(x, y - r * 1.3);
			ctx.lineTo(x + r, y);
			ctx.lineTo(x, y + r * 1.3);
			ctx.lineTo(x - r, y);
			ctx.closePath();
			ctx.fill();
			ctx.stroke();
			ctx.globalAlpha = 1;
			if (this.layers.labels && c.zoom > 8) this.label(q.name, x, y + r * 1.3 + 8, 'center', `10px ${FONT}`, '#cdb4ff');
		}
	}

	drawTowns() {
		const { ctx, camera: c } = this;
		const ranks = c.zoom >= 3.5 ? 2 : 1, size = c.zoom >= 3 ? 12 : 11;
		for (const t of this.towns) {
			if (t.rank > ranks) continue;
			const x = c.screenX(t.ew), y = c.screenY(t.ns);
			if (!this.onScreen(x, y, 60)) continue;
			const r = t.rank === 0 ? 3 : t.rank === 1 ? 2.4 : 1.8;
			ctx.fillStyle = GOLD;
			ctx.strokeStyle = HALO;
			ctx.lineWidth = 1.5;
			ctx.beginPath();
			ctx.arc(x, y, r, 0, 2 * Math.PI);
			ctx.stroke();
			ctx.fill();
			this.boxes.push([x - r, y - r, x + r, y + r]);
		}
		for (const t of this.towns) {
			if (t.rank > ranks) continue;
			const x = c.screenX(t.ew), y = c.screenY(t.ns);
			if (this.onScreen(x, y, 60)) this.label(t.name, x, y - 10, 'center', `${t.rank === 0 ? '600 ' : ''}${size}px ${FONT}`, t.rank === 2 ? '#a8935c' : '#cdb985');
		}
	}

	drawDot({ p, x, y }) {
		if (!this.onScreen(x, y, 20)) return;
		const { ctx } = this, age = this.store.age(p), r = clamp(4.2 + this.camera.zoom * 0.12, 4.5, 7);
		const fade = age < OFFLINE_S ? 1 : clamp(0.55 * (1 - (age - OFFLINE_S) / (GONE_S - OFFLINE_S)), 0.12, 0.55);
		const idle = /idle/i.test(String(p.fields.vt_state ?? '')), dead = num(p.vitals?.health_current) === 0;
		ctx.globalAlpha = fade;
		if (p.name === this.selected || p.name === this.hovered) this.drawRing(x, y, r, p.name === this.selected);
		if (Number.isFinite(p.heading) && age < OFFLINE_S && !idle) this.drawHeading(p, x, y, r);
		ctx.beginPath();
		if (dead) {
			line(ctx, x - r, y - r, x + r, y + r);
			line(ctx, x - r, y + r, x + r, y - r);
			ctx.lineWidth = 3;
			ctx.strokeStyle = '#f85149';
			ctx.stroke();
			ctx.globalAlpha = 1;
			return;
		}
		ctx.arc(x, y, r, 0, 2 * Math.PI);
		ctx.lineWidth = 3;
		ctx.strokeStyle = HALO;
		ctx.stroke();
		ctx.fillStyle = idle || age >= OFFLINE_S ? LAND : p.colour;
		ctx.fill();
		ctx.lineWidth = idle || age >= OFFLINE_S ? 2 : 1;
		ctx.strokeStyle = idle || age >= OFFLINE_S ? p.colour : 'rgba(255, 255, 255, 0.65)';
		ctx.stroke();
		ctx.globalAlpha = 1;
	}

	drawRing(x, y, r, selected) {
		const { ctx } = this;
		ctx.beginPath();
		ctx.arc(x, y, r + 5, 0, 2 * Math.PI);
		ctx.fillStyle = 'rgba(76, 194, 255, 0.16)';
		ctx.fill();
		ctx.lineWidth = selected ? 2 : 1.2;
		ctx.strokeStyle = selected ? ACCENT : 'rgba(230, 237, 243, 0.7)';
		ctx.stroke();
	}

	drawHeading(p, x, y, r) {
		const { ctx } = this, dx = Math.sin(p.heading), dy = -Math.cos(p.heading), tip = r + 5, side = r * 0.62;
		ctx.beginPath();
		ctx.moveTo(x + dx * tip, y + dy * tip);
		ctx.lineTo(x + dx * r * 0.6 - dy * side, y + dy * r * 0.6 + dx * side);
		ctx.lineTo(x + dx * r * 0.6 + dy * side, y + dy * r * 0.6 - dx * side);
		ctx.closePath();
		ctx.fillStyle = p.colour;
		ctx.fill();
	}

	drawNames(dots) {
		for (const d of [...dots].reverse()) {
			const strong = d.rank > 0;
			if (!strong && !this.layers.labels) continue;
			if (!this.onScreen(d.x, d.y, 20)) continue;
			this.label(d.p.name, d.x + 10, d.y, 'left', `${strong ? '600 12' : '11'}px ${FONT}`, strong ? TEXT : '#cfdae6', strong);
		}
	}

	/** Text with a dark rim, left out where something is already. */
	label(text, x, y, align, font, fill, always = false) {
		const { ctx } = this, width = this.width(text, font), left = align === 'center' ? x - width / 2 : x;
		const box = [left - 2, y - 6, left + width + 2, y + 6];
		if (!always && this.boxes.some((b) => b[0] < box[2] && box[0] < b[2] && b[1] < box[3] && box[1] < b[3])) return;
		this.boxes.push(box);
		ctx.font = font;
		ctx.textAlign = 'left';
		ctx.textBaseline = 'middle';
		ctx.lineWidth = 3;
		ctx.lineJoin = 'round';
		ctx.strokeStyle = HALO;
		ctx.strokeText(text, left, y);
		ctx.fillStyle = fill;
		ctx.fillText(text, left, y);
	}

	width(text, font) {
		const key = font + text;
		let w = this.widths.get(key);
		if (w === undefined) {
			if (this.widths.size > 5000) this.widths.clear();
			this.ctx.font = font;
			w = this.ctx.measureText(text).width;
			this.widths.set(key, w);
		}
		return w;
	}
}

function addRing(path, points) {
	points.forEach(([ew, ns], i) => (i === 0 ? path.moveTo(ew, -ns) : path.lineTo(ew, -ns)));
	path.closePath();
}

function line(ctx, x0, y0, x1, y1) {
	ctx.moveTo(x0, y0);
	ctx.lineTo(x1, y1);
}

const degrees = (value, plus, minus) => (value === 0 ? '0' : `${Math.abs(value)}${value > 0 ? plus : minus}`);

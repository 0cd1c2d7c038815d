// camera: which part of the map the canvas shows, and the gestures that move it.  x grows east, y grows south (ns is -y).
import { clamp } from './util.js';

const WORLD = 102.5;                  // degrees from the middle to the edge
const ZOOM_MAX = 90;                  // times the whole-world scale
const TAP_PX = 6, TAP_MS = 400;

export class Camera {
	/** on: { change(byHand), tap(x, y, double), hover(x, y) or hover(null) } */
	constructor(canvas, on) {
		Object.assign(this, { canvas, on, x: 0, y: 0, zoom: 1, width: 1, height: 1, pointers: new Map(), tapped: 0 });
		canvas.addEventListener('pointerdown', (e) => this.down(e));
		canvas.addEventListener('pointermove', (e) => this.move(e));
		canvas.addEventListener('pointerup', (e) => this.up(e));
		canvas.addEventListener('pointercancel', (e) => this.up(e));
		canvas.addEventListener('pointerleave', () => on.hover(null));
		canvas.addEventListener('wheel', (e) => this.wheel(e), { passive: false });
	}

	resize(width, height) {
		this.width = Math.max(1, width);
		this.height = Math.max(1, height);
		this.on.change(false);
	}

	/** Pixels a degree. */
	get scale() {
		return this.zoom * Math.min(this.width, this.height) / (2 * WORLD);
	}

	screenX(ew) {
		return this.width / 2 + (ew - this.x) * this.scale;
	}

	screenY(ns) {
		return this.height / 2 - (ns + this.y) * this.scale;
	}

	ewAt(px) {
		return this.x + (px - this.width / 2) / this.scale;
	}

	nsAt(py) {
		return -this.y - (py - this.height / 2) / this.scale;
	}

	set(x, y, zoom, byHand = false) {
		this.zoom = clamp(zoom, 0.8, ZOOM_MAX);
		this.x = clamp(x, -WORLD, WORLD);
		this.y = clamp(y, -WORLD, WORLD);
		this.on.change(byHand);
	}

	home() {
		this.set(0, 0, 1, true);
	}

	goTo(ew, ns, zoom = this.zoom) {
		this.set(ew, -ns, zoom);
	}

	panBy(dx, dy) {
		this.set(this.x - dx / this.scale, this.y - dy / this.scale, this.zoom, true);
	}

	/** The point of the map under (px, py) stays where it is. */
	zoomAt(px, py, factor, byHand = true) {
		const zoom = clamp(this.zoom * factor, 0.8, ZOOM_MAX), f = 1 / this.scale;
		const dx = px - this.width / 2, dy = py - this.height / 2;
		const after = f * this.zoom / zoom;
		this.set(this.x + dx * (f - after), this.y + dy * (f - after), zoom, byHand);
	}

	point(e) {
		const box = this.canvas.getBoundingClientRect();
		return { x: e.clientX - box.left, y: e.clientY - box.top };
	}

	down(e) {
		const p = this.point(e);
		this.canvas.setPointerCapture(e.pointerId);
		this.pointers.set(e.pointerId, p);
		this.start = this.pointers.size === 1 ? { ...p, at: e.timeStamp, moved: false } : null;
	}

	move(e) {
		const p = this.point(e), old = this.pointers.get(e.pointerId);
		if (old === undefined) {
			if (e.pointerType !== 'touch') this.on.hover(p.x, p.y);
			return;
		}
		if (this.pointers.size === 1) this.drag(old, p);
		else this.pinch(e.pointerId, old, p);
	}

	drag(old, p) {
		if (this.start && !this.start.moved && Math.hypot(p.x - this.start.x, p.y - this.start.y) < TAP_PX) return;
		if (this.start) this.start.moved = true;
		this.pointers.forEach((_, id) => this.pointers.set(id, p));
		this.canvas.classList.add('dragging');
		this.on.hover(null);
		this.panBy(p.x - old.x, p.y - old.y);
	}

	pinch(id, old, p) {
		const other = [...this.pointers].find(([key]) => key !== id)[1];
		const before = Math.hypot(old.x - other.x, old.y - other.y), after = Math.hypot(p.x - other.x, p.y - other.y);
		this.pointers.set(id, p);
		if (before > 0 && after > 0) this.zoomAt((p.x + other.x) / 2, (p.y + other.y) / 2, after / before);
		this.panBy((p.x - old.x) / 2, (p.y - old.y) / 2);
	}

	up(e) {
		if (!this.pointers.delete(e.pointerId)) return;
		this.canvas.classList.remove('dragging');
		if (e.type === 'pointerup' && this.start && !this.start.moved && e.timeStamp - this.start.at < TAP_MS) this.tap(e);
		this.start = null;
	}

	tap(e) {
		const p = this.point(e), double = e.timeStamp - this.tapped < 350;
		this.tapped = double ? 0 : e.timeStamp;
		this.on.tap(p.x, p.y, double, e.pointerType === 'touch');
	}

	wheel(e) {
		const p = this.point(e), pixels = e.deltaMode === 1 ? e.deltaY * 33 : e.deltaY;
		e.preventDefault();
		this.zoomAt(p.x, p.y, Math.exp(-clamp(pixels, -300, 300) * (e.ctrlKey ? 0.01 : 0.0018)));
	}
}

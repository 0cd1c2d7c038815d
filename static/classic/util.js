// util: numbers, coordinates, ages and colours as people read them.

/** A number that may come as text ("7.0", " 12 ", "1,234"); NaN when it is absent or none. */
export function num(value) {
	if (typeof value === 'number') return value;
	if (typeof value !== 'string' || value.trim() === '') return NaN;
	return Number(value.replaceAll(',', ''));
}

export const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/** 42.1N, 33.6E */
export function coordText(ns, ew) {
	if (!Number.isFinite(ns) || !Number.isFinite(ew)) return 'nowhere';
	return `${Math.abs(ns).toFixed(1)}${ns < 0 ? 'S' : 'N'}, ${Math.abs(ew).toFixed(1)}${ew < 0 ? 'W' : 'E'}`;
}

export function ageText(seconds) {
	if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
	if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
	if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
	return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function countText(value) {
	const n = num(value);
	return Number.isFinite(n) ? whole.format(n) : '–';
}

/** A hue for a name: FNV-1a spread by the golden angle, so that names which differ little look different. */
export function hue(name) {
	let h = 2166136261;
	for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 16777619);
	h ^= h >>> 15;
	return ((h >>> 0) * 137.50776405) % 360;
}

/** Lighter where the eye is weaker, so that all hues stand out alike on the dark map. */
export function colour(name) {
	const h = hue(name);
	const blue = Math.max(0, 1 - Math.abs(h - 245) / 50);
	return `hsl(${h.toFixed(0)} ${84 - 4 * blue}% ${62 + 10 * blue}%)`;
}

/** Dungeons lie on no map: their numbers come out west of it, or the landcell says so. */
export function isIndoors(event) {
	if (typeof event.landcell === 'string' && /^[0-9a-f]{8}$/i.test(event.landcell)) return parseInt(event.landcell.slice(4), 16) >= 0x100;
	const ew = num(event.ew), ns = num(event.ns);
	return !(Math.abs(ew) <= 102.05 && Math.abs(ns) <= 102.05) || ew < -98.7;
}

export function el(tag, className, text) {
	const e = document.createElement(tag);
	if (className) e.className = className;
	if (text !== undefined) e.textContent = text;
	return e;
}

// main: puts the page together: socket → store → map, list and cards; keys, address bar and the state of the connection.
import { Camera } from './camera.js';
import { Card } from './card.js';
import { List, SORTS } from './list.js';
import { Live } from './live.js';
import { MapView } from './map.js';
import { OFFLINE_S, Store, TRAIL_S } from './store.js';
import { ageText, countText, coordText, el } from './util.js';

const STALE_S = 10, LIST_MS = 300, FOLLOW_ZOOM = 8;
const PLACE = 'dt-place';              // where one was on the map when the session ended
const $ = (id) => document.getElementById(id);
const getJson = async (path) => {
	const answer = await fetch(path, { headers: { Accept: 'application/json' } });
	if (answer.status === 401) {
		sessionStorage.setItem(PLACE, location.hash);
		location.assign('/login?after=end');
	}
	if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
	return answer.json();
};

const [outline, towns] = await Promise.all([getJson('outline.json'), getJson('towns.json')]);
const store = new Store();
let view, list, live, card, hoverCard, follow = false, dirty = true, pointer = null;

const camera = new Camera($('map'), {
	change(byHand) {
		if (byHand && follow) setFollow(false);
		dirty = true;
		saveSoon();
	},
	tap(x, y, double, touch) {
		const p = view.hit(x, y, touch ? 24 : 14);
		if (double && (p === null || p.name === view.selected)) camera.zoomAt(x, y, 2);
		else select(p === null ? null : p.name, p !== null);
	},
	hover(x, y) {
		pointer = x === null ? null : { x, y };
		dirty = true;
	},
});
view = new MapView($('map'), camera, store, outline, towns);
list = new List($('list'), $('empty'), store, {
	select(name) {
		select(name === view.selected && follow ? null : name, true);
	},
	inView: (p) => view.visible(p) && view.onScreen(camera.screenX(p.ew), camera.screenY(p.ns), 0),
});
hoverCard = new Card($('hover'));
card = new Card($('card'), [['follow', 'Follow', () => setFollow(!follow)], ['zoom', 'Zoom in', zoomToSelected], ['close', 'Close', () => select(null)]]);

/* ---- choosing and following ---- */

/** Selecting follows at once; who only wants to look drags the map away. */
function select(name, andFollow = false) {
	const p = name === null ? undefined : store.players.get(name);
	view.selected = list.selected = name;
	setFollow(andFollow && p !== undefined && !p.indoors && Number.isFinite(p.ew));
	if (name !== null) list.reveal(name);
	refresh();
}

function setFollow(on) {
	follow = on && view.selected !== null;
	if (card?.buttons) card.buttons.follow.setAttribute('aria-pressed', String(follow));
	dirty = true;
	saveSoon();
}

function zoomToSelected() {
	const p = store.players.get(view.selected);
	if (p === undefined || !Number.isFinite(p.ew)) return;
	camera.goTo(p.ew, p.ns, Math.max(FOLLOW_ZOOM, camera.zoom * 1.6));
}

function keepInSight() {
	const p = follow ? store.players.get(view.selected) : undefined;
	if (p === undefined || !view.visible(p)) return;
	const at = view.place(p);
	if (Math.abs(camera.x - at.ew) + Math.abs(camera.y + at.ns) > 0.2 / camera.scale) camera.goTo(at.ew, at.ns);
}

/* ---- the picture ---- */

function frame() {
	requestAnimationFrame(frame);
	keepInSight();
	if (!dirty && !view.isMoving()) return;
	dirty = false;
	const over = pointer === null ? null : view.hit(pointer.x, pointer.y, 14);
	view.hovered = over?.name ?? null;
	view.draw();
	$('map').classList.toggle('pointing', over !== null);
	showHover(over);
	$('where').textContent = pointer === null ? '' : coordText(camera.nsAt(pointer.y), camera.ewAt(pointer.x));
}

function showHover(p) {
	const shown = p !== null && p.name !== view.selected ? p : undefined;
	hoverCard.show(shown, shown ? store.age(shown) : 0);
	if (shown) hoverCard.placeAt(camera.screenX(p.ew), camera.screenY(p.ns), camera.width, camera.height);
}

function refresh() {
	const selected = store.players.get(view.selected);
	let online = 0, indoors = 0;
	for (const p of store.players.values()) {
		if (store.age(p) >= OFFLINE_S) continue;
		online++;
		if (p.indoors) indoors++;
	}
	list.update();
	card.show(selected, selected ? store.age(selected) : 0);
	$('counts').textContent = `${online} of ${store.players.size} online`;
	$('drawer-text').textContent = `${online} of ${store.players.size} characters online`;
	$('indoors').textContent = indoors > 0 ? `${indoors} more indoors, on no map` : '';
	dirty = true;
}

new ResizeObserver(() => {
	view.resize($('stage').clientWidth, $('stage').clientHeight);
	view.draw();
}).observe($('stage'));

/* ---- state of the connection ---- */

function lamp(id, kind) {
	$(id).className = `lamp ${kind}`;
}

function showState() {
	const silent = live.silence(), words = { connecting: 'connecting', waiting: 'disconnected', live: `live · ${countText(live.rate())} events/s` };
	lamp('stream-lamp', live.state === 'live' ? (silent > STALE_S ? 'warn' : 'ok') : live.state === 'waiting' ? 'bad' : 'warn');
	$('stream').textContent = words[live.state];
	showServer();
	showBanner(silent);
}

function showServer() {
	const s = store.server;
	if (s === null) return;
	const age = store.now() - s.at, parts = [s.online ? 'up' : 'down'];
	if (s.online && s.latency_ms !== undefined) parts.push(`${countText(s.latency_ms)} ms`);
	if (s.online && s.player_count !== undefined) parts.push(`${countText(s.player_count)} players`);
	if (age > 180) parts.push(`${ageText(age)} ago`);
	lamp('server-lamp', s.online ? 'ok' : 'bad');
	$('server').textContent = [s.server, ...parts].filter(Boolean).join(' · ');
}

/** The list shows ages anyway; this says it where nobody can miss it. */
function showBanner(silent) {
	const away = live.state !== 'live' && live.lastFrame > 0 && silent > 1.5, never = live.state === 'waiting' && live.lastFrame === 0;
	const quiet = live.state === 'live' && silent > STALE_S;
	$('banner').hidden = !(away || never || quiet);
	$('retry').hidden = quiet;
	if (quiet) $('banner-text').textContent = `No news for ${ageText(silent)}`;
	if (away || never) {
		const next = live.state === 'waiting' ? Math.ceil((live.retryAt - performance.now()) / 1000) : 0;
		$('banner-text').textContent = `${never ? 'No connection' : `Connection lost ${ageText(silent)} ago`}${next > 0 ? `, trying again in ${next} s` : ', trying again'}`;
	}
}

async function showVersion() {
	try {
		const { version } = await getJson('/api/api-version');
		const old = $('version').dataset.version;
		$('version').dataset.version ??= version;
		$('version').textContent = old !== undefined && old !== version ? `${version}, reload the page` : version;
	} catch {
		// The stream's lamp already says that the server is away.
	}
}

/** Who looks; getJson leads to the login page when the session is over. */
async function showAccount() {
	try {
		const { username, role, expires_at } = await getJson('/api/me');
		$('me').textContent = `${username}, ${role}`;
		$('account').hidden = expires_at === null;
	} catch {
		// The server is away.
	}
}

async function loadTrails() {
	try {
		store.loadTrails((await getJson(`/api/trails?seconds=${TRAIL_S}`)).trails);
		dirty = true;
	} catch {
		// Trails then begin with this visit.
	}
}

store.onRare = (event) => {
	const toast = el('div', 'toast');
	toast.append(el('b', '', String(event.name ?? 'a rare').trim()), ` found by ${event.character_name}`);
	$('toasts').append(toast);
	while ($('toasts').children.length > 3) $('toasts').firstElementChild.remove();
	setTimeout(() => toast.remove(), 12000);
};

/* ---- address bar ---- */

let saving = 0;

function saveSoon() {
	clearTimeout(saving);
	saving = setTimeout(save, 400);
}

function save() {
	const h = new URLSearchParams(), off = Object.keys(view.layers).filter((k) => !view.layers[k]);
	if (camera.x !== 0 || camera.y !== 0) {
		h.set('x', camera.x.toFixed(2));
		h.set('y', (-camera.y).toFixed(2));
	}
	if (camera.zoom !== 1) h.set('z', camera.zoom.toFixed(2));
	if (view.selected !== null) h.set('sel', view.selected);
	if (follow) h.set('follow', '1');
	if (off.length) h.set('off', off.join());
	if (list.query) h.set('q', list.query);
	if (list.sort !== 'name') h.set('sort', list.sort);
	if (list.reversed) h.set('rev', '1');
	if (list.show !== 'all') h.set('show', list.show);
	const text = h.toString();
	history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
}

function restore() {
	const h = new URLSearchParams(location.hash.slice(1)), number = (name, or) => (Number.isFinite(parseFloat(h.get(name))) ? parseFloat(h.get(name)) : or);
	for (const layer of (h.get('off') ?? '').split(',')) if (layer in view.layers) setLayer(layer, false);
	if (h.get('sort') in SORTS) list.sort = h.get('sort');
	list.reversed = h.get('rev') === '1';
	setShow(['all', 'online', 'view'].includes(h.get('show')) ? h.get('show') : 'all');
	$('search').value = list.query = h.get('q') ?? '';
	$('sort').value = list.sort;
	$('metric').textContent = SORTS[list.sort].column;
	view.selected = list.selected = h.get('sel');
	camera.set(number('x', 0), -number('y', 0), number('z', 1));
	setFollow(h.get('follow') === '1');
}

/* ---- controls ---- */

function setLayer(name, on) {
	view.layers[name] = on;
	document.querySelector(`[data-layer="${name}"]`).setAttribute('aria-pressed', String(on));
	dirty = true;
	saveSoon();
}

function setShow(show) {
	list.show = show;
	for (const b of document.querySelectorAll('[data-show]')) b.setAttribute('aria-pressed', String(b.dataset.show === show));
	saveSoon();
}

const zoomMiddle = (factor) => camera.zoomAt(camera.width / 2, camera.height / 2, factor, !follow);
const step = (n) => select(list.neighbour(n), true);
const focusSearch = () => {
	$('side').classList.remove('closed');
	$('search').focus();
};
const deselect = () => select(null);
const KEYS = {
	'/': focusSearch, f: () => setFollow(!follow), t: () => setLayer('trails', !view.layers.trails), l: () => setLayer('labels', !view.layers.labels),
	p: () => setLayer('portals', !view.layers.portals), h: () => camera.home(), '?': () => $('help').showModal(), Escape: deselect,
	'+': () => zoomMiddle(1.5), '=': () => zoomMiddle(1.5), '-': () => zoomMiddle(1 / 1.5), '[': () => step(-1), ']': () => step(1),
	ArrowLeft: () => camera.panBy(80, 0), ArrowRight: () => camera.panBy(-80, 0), ArrowUp: () => camera.panBy(0, 80), ArrowDown: () => camera.panBy(0, -80),
};
const ACTIONS = { in: () => zoomMiddle(1.5), out: () => zoomMiddle(1 / 1.5), home: () => camera.home(), help: () => $('help').showModal() };

document.addEventListener('keydown', (e) => {
	const typing = e.target.closest('input, select, textarea, dialog');
	if (e.key === 'Escape' && e.target === $('search')) $('search').blur();
	if (typing || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || !Object.hasOwn(KEYS, e.key)) return;
	if (e.key.startsWith('Arrow') && e.target.closest('#side')) return;
	e.preventDefault();
	KEYS[e.key]();
});
$('controls').addEventListener('click', (e) => {
	const b = e.target.closest('button');
	if (b?.dataset.do) ACTIONS[b.dataset.do]();
	if (b?.dataset.layer) setLayer(b.dataset.layer, !view.layers[b.dataset.layer]);
});
$('search').addEventListener('input', (e) => {
	list.query = e.target.value;
	refresh();
	saveSoon();
});
$('search').addEventListener('keydown', (e) => {
	if (e.key === 'Enter' && list.shown.length) select(list.shown[0], true);
	if (e.key === 'ArrowDown') $('list').querySelector('.row')?.focus();
});
for (const [key, { title }] of Object.entries(SORTS)) $('sort').append(new Option(title, key));
$('sort').addEventListener('change', (e) => {
	list.sort = e.target.value;
	list.reversed = false;
	$('metric').textContent = SORTS[list.sort].column;
	refresh();
	saveSoon();
});
$('direction').addEventListener('click', () => {
	list.reversed = !list.reversed;
	refresh();
	saveSoon();
});
document.querySelector('.chips').addEventListener('click', (e) => {
	if (!e.target.dataset.show) return;
	setShow(e.target.dataset.show);
	refresh();
});
$('drawer').addEventListener('click', () => $('drawer').setAttribute('aria-expanded', String(!$('side').classList.toggle('closed'))));
$('retry').addEventListener('click', () => live.retry());
window.addEventListener('hashchange', restore);

/* ---- go ---- */

view.resize($('stage').clientWidth, $('stage').clientHeight);
if (location.hash === '') history.replaceState(null, '', sessionStorage.getItem(PLACE) || location.pathname + location.search);
sessionStorage.removeItem(PLACE);
restore();
let connectedBefore = '';
live = new Live(
	`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/ws/live`,
	{ type: 'subscribe', message_types: ['telemetry', 'vitals', 'portal', 'rare', 'player_offline', 'server_status'], batch_ms: 100, snapshot: true },
	{
		event: (e) => {
			store.apply(e);
			if (e?.type === 'snapshot') {
				loadTrails();
				refresh();
			}
		},
		batch: () => (dirty = true),
		closed: () => showAccount(),
		state: (s) => {
			if (s === 'live' && connectedBefore !== 'live') {
				showVersion();
				showAccount();
			}
			connectedBefore = s;
			if (live) showState();
		},
	},
);
setInterval(refresh, LIST_MS);
setInterval(() => store.forgetOld(), 10000);
requestAnimationFrame(frame);

/** For tests and the curious: where everybody is, on the map and on the screen. */
window.dt = {
	positions: () => [...store.players.values()].map((p) => ({
		character_name: p.name, ew: p.ew, ns: p.ns, online: store.age(p) < OFFLINE_S, indoors: p.indoors, trail: p.trail.length,
		x: camera.screenX(p.ew), y: camera.screenY(p.ns), shown: view.visible(p),
	})),
	state: () => ({ stream: live.state, rate: live.rate(), selected: view.selected, follow, zoom: camera.zoom, list: [...list.shown], portals: store.portals.size }),
};

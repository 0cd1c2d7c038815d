// map: the page shows the fleet as /live has it, and does what its controls say.  node map.mjs URL DIRECTORY COUNT
// It asks for the end and the return of dt-serve by making files in DIRECTORY (tests/e2e/browser_map.t does it).
import { existsSync, writeFileSync } from 'node:fs';
import { MapPage } from './map_page.mjs';
import { done, is, ok, waitFor } from './tap.mjs';

const [url, directory, countText] = process.argv.slice(2), count = Number(countText);
const ask = async (what) => {
	writeFileSync(`${directory}/${what}`, '');
	return waitFor(() => existsSync(`${directory}/${what}.done`), 240);
};

async function showsTheFleet(map) {
	ok(`${count} characters are on the page`, await map.isLive(count), await map.state());
	const same = await waitFor(async () => {
		const page = new Map((await map.positions()).map((p) => [p.character_name, p])), live = await map.live();
		const equal = live.filter((p) => page.get(p.character_name)?.ew === p.ew && page.get(p.character_name)?.ns === p.ns);
		return page.size === count && live.length === count && equal.length >= count * 0.9;
	});
	ok('at the positions of /live', same);
	const before = new Map((await map.positions()).map((p) => [p.character_name, p]));
	const moved = await waitFor(async () => (await map.positions()).filter((p) => p.ew !== before.get(p.character_name).ew || p.ns !== before.get(p.character_name).ns).length > count / 4);
	ok('and they move', moved);
	ok('with trails behind them', await waitFor(async () => (await map.positions()).filter((p) => p.trail > 1).length > count / 4));
	let shown, bright;
	ok('each as a dot where it belongs', await waitFor(async () => {
		shown = (await map.positions()).filter((p) => p.shown && p.online && p.y > 0);
		bright = (await map.brightness(shown)).filter((b) => b > 150).length;
		return shown.length > count / 3 && bright > shown.length * 0.6;
	}), { shown: shown.length, bright });
	const { list } = await map.state();
	is('the list has them all, by name', list, [...list].sort());
	ok('and as many rows', await waitFor(async () => (await map.rows()).length === count));
	ok('version in the sidebar', /^\d{4}\.\d+\.\d+\.\d+-/.test(await map.text('#version')), await map.text('#version'));
	ok('state of the stream', await waitFor(async () => /^live · [\d,]+ events\/s$/.test(await map.text('#stream'))), await map.text('#stream'));
}

async function listWorks(map) {
	const name = (await map.state()).list[7], word = name.slice(0, 4).toLowerCase();
	await map.key('/');
	await map.page.keyboard.type(word);
	const match = async () => (await map.live()).filter((p) => `${p.character_name} ${p.char_tag} ${p.vt_state}`.toLowerCase().includes(word)).length;
	let matching;
	ok('searching narrows the list', await waitFor(async () => (matching = await match()) < count && Math.abs((await map.rows()).length - matching) <= 1 && (await map.rows()).some((r) => r.name === name)), { word, matching, rows: (await map.rows()).length });
	await map.page.fill('#search', 'zzzz no such');
	ok('nobody matches', await waitFor(async () => (await map.rows()).length === 0 && (await map.visible('#empty'))));
	await map.page.fill('#search', '');
	await map.page.selectOption('#sort', 'kills_per_hour');
	const falling = (list) => list.every((r, i) => i === 0 || list[i - 1].numbers[0] >= r.numbers[0]);
	ok('sorted by kills per hour', await waitFor(async () => falling(await map.rows())), (await map.rows()).slice(0, 5));
	await map.page.click('#direction');
	ok('and the other way round', await waitFor(async () => falling((await map.rows()).reverse())), (await map.rows()).slice(0, 5));
	await map.page.selectOption('#sort', 'name');
}

async function mapWorks(map) {
	const inView = (await map.positions()).filter((p) => p.shown && !p.indoors).map((p) => p.character_name);
	const name = (await map.state()).list.find((n) => inView.includes(n));
	await map.page.click(`#list .row[data-name="${name}"]`);
	const state = await map.state();
	is('a click in the list selects and follows', [state.selected, state.follow], [name, true]);
	ok('with a card', await waitFor(async () => (await map.visible('#card')) && (await map.text('#card h2')).startsWith(name)));
	const middle = await map.stage();
	const dot = await waitFor(async () => {
		const d = await map.dot(name);
		return Math.abs(d.x - middle.x - middle.width / 2) < 30 && Math.abs(d.y - middle.y - middle.height / 2) < 30 && d;
	});
	ok('in the middle of the map', dot);
	await map.page.mouse.move(dot.x, dot.y);
	for (let i = 0; i < 5; i++) await map.page.mouse.wheel(0, -200);
	const after = await waitFor(async () => (await map.state()).zoom > 3 && (await map.dot(name)));
	ok('the wheel zooms about the pointer', after && Math.hypot(after.x - dot.x, after.y - dot.y) < 40, { dot, after });
	// they walk meanwhile: a drag that took long is done again
	let from, dragged;
	for (let tries = 0; tries < 3 && !(dragged && Math.abs(dragged.x - from.x - 100) < 40); tries++) {
		from = await map.dot(name);
		await map.page.mouse.move(dot.x - 200, dot.y - 100);
		await map.page.mouse.down();
		await map.page.mouse.move(dot.x - 100, dot.y - 50, { steps: 4 });
		await map.page.mouse.up();
		dragged = await map.dot(name);
	}
	ok('dragging moves the map', Math.abs(dragged.x - from.x - 100) < 40, { from, dragged });
	is('and lets go of who was followed', [(await map.state()).follow, (await map.state()).selected], [false, name]);
	await map.clickDot(() => name, async () => (await map.state()).selected === name);
	await map.key('f');
	await map.key('t');
	ok('the address says it all', await waitFor(() => /sel=.*off=trails/.test(map.page.url())), map.page.url());
	await map.page.reload();
	ok('and brings it back', (await map.isLive(count)) && (await map.state()).selected === name && (await map.page.getAttribute('[data-layer="trails"]', 'aria-pressed')) === 'false');
	await map.key('t');
	await map.key('Escape');
	await map.key('h');
	await waitFor(async () => (await map.state()).zoom === 1);
	is('Escape and h: nobody, the whole map', await map.state().then((s) => [s.selected, s.zoom]), [null, 1]);
	await map.key('?');
	ok('help', await waitFor(() => map.visible('#help')));
	await map.key('Escape');
	ok('and away', await waitFor(async () => !(await map.visible('#help'))));
	const target = (await map.positions()).filter((p) => p.shown && p.y > 60 && p.x > 60 && p.x < middle.width - 80 && p.y < middle.height - 60)[0].character_name;
	ok('a card at the pointer', await waitFor(async () => {
		const d = await map.dot(target);
		await map.page.mouse.move(d.x + 1, d.y);
		await map.page.mouse.move(d.x, d.y);
		return map.visible('#hover');
	}));
	ok('a click on a dot selects', await map.clickDot(() => target, async () => (await map.state()).selected !== null));
	await map.key('Escape');
	await map.key('h');
}

async function comesBack(map) {
	map.serverAway = true;
	await ask('kill');
	ok('a banner when the server is gone', await waitFor(() => map.visible('#banner')), await map.text('#stream'));
	ok('the last positions stay', (await map.positions()).length === count);
	await ask('start');
	ok('live again by itself', await map.isLive(count), await map.state());
	ok('without the banner', await waitFor(async () => !(await map.visible('#banner'))));
	map.serverAway = false;
}

async function worksOnAPhone() {
	const map = await MapPage.open(url, { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
	ok('phone: live', await map.isLive(count));
	const stage = await map.stage(), side = await map.page.locator('#side').boundingBox();
	ok('phone: the map above the list', stage.y === 0 && stage.width === 390 && Math.abs(side.y + side.height - 780) < 2 && side.y >= stage.height - 20, { stage, side });
	ok('phone: nothing sticks out', await map.page.evaluate(() => document.documentElement.scrollWidth <= 390));
	const small = await map.page.locator('button:visible, input:visible, select:visible').evaluateAll((list) => list.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.id || e.textContent || e.title));
	is('phone: everything to touch is 44 px high', small, []);
	await map.pinch();
	ok('phone: pinching zooms', await waitFor(async () => (await map.state()).zoom > 2), (await map.state()).zoom);
	ok('phone: a tap selects', await waitFor(async () => {
		await map.page.tap('#list li:nth-child(2) .row');
		const { selected, list } = await map.state();
		return selected !== null && selected === list[1];
	}), await map.state());
	await map.page.tap('#drawer');
	ok('phone: the drawer closes', await waitFor(async () => (await map.stage()).height > 700 && !(await map.visible('#list'))));
	is('phone: no errors', map.errors, []);
	if (process.env.SHOTS) await map.page.screenshot({ path: `${process.env.SHOTS}/phone.png` });
	await map.close();
}

const map = await MapPage.open(url, { viewport: { width: 1280, height: 800 } });
try {
	await showsTheFleet(map);
	await listWorks(map);
	await mapWorks(map);
	const unnamed = await map.page.locator('button, input, select, canvas').evaluateAll((list) => list.filter((e) => !(e.getAttribute('aria-label') || e.labels?.[0]?.textContent.trim() || e.textContent.trim())).map((e) => e.outerHTML));
	is('every control has a name', unnamed, []);
	await comesBack(map);
	if (process.env.SHOTS) await map.page.screenshot({ path: `${process.env.SHOTS}/desktop.png` });
	is('no errors in the console', map.errors, []);
	await worksOnAPhone();
} catch (e) {
	ok(`no exception: ${e.message.split('\n')[0]}`, false, e.stack);
}
await map.close();
done();

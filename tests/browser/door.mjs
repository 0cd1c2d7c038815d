// door: the login page as people use it, and markup in whatever a page shows.  node door.mjs URL LINK
// LINK is the path that makes the first account.  dt-user and dt-send are called as they are found.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { MapPage } from './map_page.mjs';
import { done, is, ok, waitFor as waitSeconds } from './tap.mjs';

const [url, link] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const waitFor = (f, seconds = 60) => waitSeconds(f, seconds);
const shots = process.env.SHOTS;
const run = (program, args, input) => execFileSync(program, args, { input, stdio: ['pipe', 'pipe', 'ignore'] });
const publish = (...events) => run('dt-send', ['-q'], events.map((e) => `${JSON.stringify(e)}\n`).join(''));

async function passesAxe(map, what) {
	await map.page.evaluate(axe);
	const { violations } = await map.page.evaluate(() => window.axe.run());
	is(`${what}: axe finds nothing`, violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' '))]), []);
	if (shots) await map.page.screenshot({ path: `${shots}/${what.replaceAll(/\W+/g, '_')}.png` });
}

const focused = (map) => map.page.evaluate(() => document.activeElement.name || document.activeElement.textContent.trim());
const path = (map) => new URL(map.page.url()).pathname + new URL(map.page.url()).search;

async function fill(map, name, password) {
	await map.page.fill('[name=username]', name);
	await map.page.fill('[name=password]', password);
	await Promise.all([map.page.waitForNavigation({ timeout: 120000 }), map.key('Enter')]);
}

/** All of it without a mouse. */
async function firstAccount(map) {
	await map.page.goto(url + link);
	is('the link asks for the first account', await map.text('h2'), 'Make the first account');
	await passesAxe(map, 'first account');
	ok('one may type at once', await waitFor(async () => (await focused(map)) === 'username'));
	await map.page.keyboard.type('anna');
	await map.key('Tab');
	await map.page.keyboard.type('password of anna');
	await map.key('Tab');
	is('Tab leads to the button', await focused(map), 'Make the account');
	await map.key('Enter');
	ok('and then to the map', await waitFor(() => path(map) === '/classic/'), [map.page.url(), await map.page.content()]);
	ok('which says who one is', await waitFor(async () => (await map.text('#me')) === 'anna, admin'));
}

async function loggingInAndOut(map) {
	await map.page.focus('#account button');
	await map.key('Enter');
	ok('logged out', await waitFor(() => path(map) === '/login?after=logout'), map.page.url());
	is('and told so', await map.text('[role=status]'), 'You are logged out.');
	await passesAxe(map, 'logged out');
	await fill(map, 'anna', 'not her password');
	ok('a wrong password is told', await waitFor(async () => (await map.visible('[role=alert]')) && /wrong\.$/.test(await map.text('[role=alert]'))));
	await waitFor(async () => (await focused(map)) === 'password');
	is('the name stays, the password is asked again', [await map.page.inputValue('[name=username]'), await focused(map)], ['anna', 'password']);
	await passesAxe(map, 'wrong password');
	for (let tries = 0; tries < 20 && !/^Too many/.test(await map.text('[role=alert]')); tries++) await fill(map, 'carl', 'not his password');
	ok('who tries too often is told how long to wait', /^Too many tries; wait \d+ seconds?, then try again\.$/.test(await map.text('[role=alert]')), await map.text('[role=alert]'));
	if (shots) await map.page.screenshot({ path: `${shots}/throttled.png` });
	await fill(map, 'anna', 'password of anna');
	ok('logged in again', await waitFor(() => path(map) === '/classic/'), map.page.url());
}

async function endsElsewhere(map) {
	await waitFor(async () => (await map.state()).stream === 'live');
	await map.key('t');
	await waitFor(() => /off=trails/.test(map.page.url()));
	map.serverAway = true;           // the browser itself complains of the 401
	run('dt-user', ['passwd', 'anna'], 'another password of anna\n');
	ok('F42: a session that was ended leads to the login page', await waitFor(() => path(map) === '/login?after=end'), map.page.url());
	is('F42: which says why', await map.text('[role=status]'), 'Your session has ended. Log in again to go on.');
	map.serverAway = false;
	await fill(map, 'anna', 'another password of anna');
	ok('and then back to where one was', await waitFor(() => path(map) === '/classic/' && /off=trails/.test(map.page.url())), map.page.url());
	await waitFor(async () => (await map.state()).stream === 'live');
	await map.key('t');
}

const IMAGE = '<img src=x onerror=hit()>', SCRIPT = '"><script>hit()</script>', STYLE = "'><svg onload=hit()>";

/** Counts what became an element, or ran. */
const watch = () => {
	window.hits = [];
	window.hit = () => window.hits.push('ran');
	document.addEventListener('securitypolicyviolation', (e) => window.hits.push(e.violatedDirective));
};
const harm = (map) => map.page.evaluate(() => [...(window.hits ?? ['no watch']), ...[...document.querySelectorAll('img:not([src$=".svg"]), script:not([src]), svg[onload], iframe, object, base, [onerror], [onload]')].map((e) => e.outerHTML)]);

const hostile = () => publish(
	...[IMAGE, SCRIPT, STYLE].map((text, i) => ({ type: 'telemetry', character_name: text, char_tag: text, vt_state: text, onlinetime: text, kills_per_hour: text, kills: text, deaths: text, landcell: text, timestamp: new Date().toISOString(), session_id: text, ew: i * 9, ns: i * 9 })),
	{ type: 'vitals', character_name: IMAGE, health_current: IMAGE, health_max: SCRIPT, health_percentage: IMAGE },
	{ type: 'portal', character_name: IMAGE, portal_name: SCRIPT, ew: 5, ns: 5 },
	{ type: 'server_status', server: IMAGE, online: true, latency_ms: SCRIPT, player_count: IMAGE },
	{ type: 'rare', character_name: IMAGE, name: SCRIPT },
	{ type: 'chat', character_name: IMAGE, text: SCRIPT },
);

async function markupStaysText(map) {
	await map.page.addInitScript(watch);
	await map.page.goto('about:blank');
	await map.page.goto(`${url}/classic/#sel=${encodeURIComponent(IMAGE)}&q=${encodeURIComponent('onerror')}&sort=${encodeURIComponent(SCRIPT)}&off=${encodeURIComponent(IMAGE)}`);
	await waitFor(async () => (await map.state()).stream === 'live');
	ok('F68: a rare is shown as it is written', await waitFor(async () => {
		hostile();
		return (await map.page.locator('.toast').allInnerTexts()).some((t) => t.includes(SCRIPT) && t.includes(IMAGE));
	}));
	ok('F68: so is a name in the list', await waitFor(async () => (await map.page.locator('.row .name').allInnerTexts()).includes(IMAGE)));
	ok('F68: and its state', await waitFor(async () => (await map.page.locator('.row .state').allInnerTexts()).some((t) => t.includes(IMAGE))));
	ok('F68: the card of one that the address has chosen', await waitFor(async () => (await map.text('#card h2')).includes(IMAGE)));
	ok('F68: the game server', await waitFor(async () => (await map.text('#server')).includes(IMAGE)), await map.text('#server'));
	await map.page.fill('#search', '');
	ok('F68: all three', await waitFor(async () => (await map.rows()).length === 3));
	for (const row of await map.page.locator('#list .row').all()) await row.click();
	is('one row of the list is where Tab stops', await map.page.locator('#list [tabindex="0"]').count(), 1);
	await map.page.focus('#list [tabindex="0"]');
	await map.key('Home');
	await map.key('ArrowDown');
	is('arrows walk through the rows', await map.page.evaluate(() => document.activeElement.dataset.name), (await map.state()).list[1]);
	ok('where one is is where Tab comes back to', await waitFor(async () => (await map.page.getAttribute('#list [tabindex="0"]', 'data-name')) === (await map.state()).list[1]));
	await map.key('Tab');
	await map.key('Tab');
	is('Tab leads out of the list, to the map', await map.page.evaluate(() => document.activeElement.id), 'map');
	const stage = await map.stage(), dot = (await map.positions()).find((p) => p.shown);
	await map.page.mouse.move(stage.x + dot.x, stage.y + dot.y);
	await passesAxe(map, 'map');
	is('F68: nothing of it became an element, or ran, or was stopped only by the policy', await harm(map), []);
	map.serverAway = true;
	for (const place of [`/login?after=${encodeURIComponent(SCRIPT)}`, `/login?link=${encodeURIComponent(SCRIPT)}`, `/stats/${encodeURIComponent(IMAGE)}`, `/${encodeURIComponent(IMAGE)}`, `/live?${encodeURIComponent(IMAGE)}=1`, `/search/items?sort=${encodeURIComponent(SCRIPT)}`]) {
		await map.page.goto(url + place);
		is(`F68: ${place}`, await harm(map), []);
	}
	await map.page.goto(`${url}/login`);
	await map.page.evaluate(() => document.querySelector('form').setAttribute('novalidate', ''));
	await fill(map, SCRIPT, IMAGE);
	ok('F68: a name that is markup comes back as a value', await waitFor(async () => (await map.page.inputValue('[name=username]')) === SCRIPT));
	is('F68: and nothing else', await harm(map), []);
}

async function byThumb() {
	const map = await MapPage.open(`${url}/login`, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
	const small = () => map.page.locator('button:visible, input:visible, select:visible').evaluateAll((list) => list.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.id || e.name || e.textContent));
	is('phone: everything to touch is 44 px high', await small(), []);
	ok('phone: nothing sticks out', await map.page.evaluate(() => document.documentElement.scrollWidth <= 390));
	ok('phone: no letter so small that the page is zoomed to it', await map.page.locator('input:visible').evaluateAll((list) => list.every((e) => parseFloat(getComputedStyle(e).fontSize) >= 16)));
	await passesAxe(map, 'phone');
	await map.page.fill('[name=username]', 'anna');
	await map.page.fill('[name=password]', 'another password of anna');
	await map.page.tap('form button');
	ok('phone: logged in', await waitFor(async () => path(map) === '/classic/' && (await map.visible('#account'))), map.page.url());
	is('phone: everything to touch is 44 px high', await small(), []);
	await passesAxe(map, 'phone map');
	await map.page.tap('#account button');
	ok('phone: and out', await waitFor(() => path(map) === '/login?after=logout'), map.page.url());
	is('phone: no errors', map.errors, []);
	await map.close();
}

const map = await MapPage.open(`${url}/login`, { viewport: { width: 1440, height: 900 } });
try {
	ok('without an account the page says what to do', /dt-user link/.test(await map.text('.hint')));
	await firstAccount(map);
	map.errors = map.errors.filter((e) => !/status of 40[139]|status of 429/.test(e));
	await loggingInAndOut(map);
	await endsElsewhere(map);
	await markupStaysText(map);
	is('no errors in the console', map.errors.filter((e) => !/status of (400|401|403|404|429|503)/.test(e)), []);
	await byThumb();
} catch (e) {
	ok(`no exception: ${e.message.split('\n')[0]}`, false, e.stack);
}
await map.close();
done();

// map_page: the map page as a person uses it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { waitFor } from './tap.mjs';

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export class MapPage {
	static async open(url, options) {
		const self = new MapPage();
		self.profile = mkdtempSync(join(tmpdir(), 'dt-browser-'));
		self.context = await chromium.launchPersistentContext(self.profile, { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, timeout: 180000, args: ARGS, ...options });
		self.context.setDefaultTimeout(120000);
		self.context.setDefaultNavigationTimeout(120000);
		self.page = self.context.pages()[0] ?? (await self.context.newPage());
		self.url = url;
		self.errors = [];
		self.serverAway = false;
		self.page.on('console', (m) => m.type() === 'error' && self.note(m.text()));
		self.page.on('pageerror', (e) => self.note(e.message));
		await self.page.goto(url);
		return self;
	}

	/** While the server is away the browser itself complains of each connection it cannot make. */
	note(text) {
		if (!(this.serverAway && /net::ERR_|WebSocket connection|status of 503/.test(text))) this.errors.push(text);
	}

	async close() {
		await this.context.close();
		rmSync(this.profile, { recursive: true, force: true });
	}

	positions = () => this.page.evaluate(() => window.dt?.positions() ?? []);
	state = () => this.page.evaluate(() => window.dt?.state() ?? { stream: 'none', list: [] });
	text = (selector) => this.page.locator(selector).innerText();
	visible = (selector) => this.page.locator(selector).isVisible();
	key = (key) => this.page.keyboard.press(key);
	live = async () => (await (await fetch(`${this.url}/live`)).json()).players;
	rows = () => this.page.locator('#list .row').evaluateAll((rows) => rows.map((r) => ({ name: r.dataset.name, numbers: [...r.querySelectorAll('.number')].map((n) => Number(n.textContent.replace(/\D/g, '')) || 0) })));
	isLive = (count) => waitFor(async () => (await this.state()).stream === 'live' && (await this.positions()).filter((p) => p.online).length === count, 60);

	/** Brightness of the canvas at each of these points of the stage, 0…255. */
	brightness(points) {
		return this.page.evaluate((list) => {
			const canvas = document.getElementById('map'), ratio = canvas.width / canvas.clientWidth, ctx = canvas.getContext('2d');
			return list.map(({ x, y }) => Math.max(...ctx.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data.slice(0, 3)));
		}, points);
	}

	/** A click on a dot, which moves: until it does what it is to do.  (A machine that stands still between down and up makes no click of it.) */
	clickDot(name, done) {
		return waitFor(async () => {
			const { x, y } = await this.dot(name());
			await this.page.mouse.click(x, y);
			return done();
		});
	}

	async stage() {
		return this.page.locator('#stage').boundingBox();
	}

	/** Where a character's dot is on the page. */
	async dot(name) {
		const p = (await this.positions()).find((q) => q.character_name === name), box = await this.stage();
		return { x: box.x + p.x, y: box.y + p.y };
	}

	/** Two fingers that move apart. */
	async pinch() {
		const cdp = await this.context.newCDPSession(this.page), box = await this.stage(), x = box.x + box.width / 2, y = box.y + box.height / 2;
		const touch = (type, d) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: d ? [{ x: x - d, y, id: 1 }, { x: x + d, y, id: 2 }] : [] });
		await touch('touchStart', 30);
		for (let d = 40; d <= 120; d += 20) await touch('touchMove', d);
		await touch('touchEnd', 0);
	}
}

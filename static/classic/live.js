// live: the one WebSocket.  Reconnects by itself with back-off and jitter; hands over events one by one and tells its state.
const FIRST_WAIT_S = 0.5, LONGEST_WAIT_S = 20, ASK_S = 8, DEAD_S = 14;

export class Live {
	/** on: { event(e), batch(), state(s), closed(code) } */
	constructor(url, subscribe, on) {
		Object.assign(this, { url, subscribe, on, state: 'connecting', tries: 0, retryAt: 0, lastFrame: 0, counted: [], timer: 0, socket: null });
		window.addEventListener('online', () => this.retry());
		document.addEventListener('visibilitychange', () => {
			if (!document.hidden && this.state === 'waiting') this.retry();
		});
		setInterval(() => this.watch(), 1000);
		this.connect();
	}

	setState(state) {
		this.state = state;
		this.on.state(state);
	}

	connect() {
		clearTimeout(this.timer);
		this.setState('connecting');
		const socket = new WebSocket(this.url);
		this.socket = socket;
		socket.onopen = () => {
			this.lastFrame = performance.now();
			socket.send(JSON.stringify(this.subscribe));
		};
		socket.onmessage = (message) => {
			if (socket === this.socket) this.receive(message.data);
		};
		socket.onclose = (event) => {
			if (socket !== this.socket) return;
			this.wait();
			this.on.closed?.(event.code);
		};
	}

	receive(text) {
		let data;
		this.lastFrame = performance.now();
		try {
			data = JSON.parse(text);
		} catch {
			return;
		}
		const events = Array.isArray(data) ? data : [data];
		for (const event of events) {
			if (event?.type === 'subscribed') {
				this.tries = 0;
				this.setState('live');
			}
			this.on.event(event);
		}
		this.count(events.length);
		this.on.batch();
	}

	/** Half of the wait is luck, so that a hundred pages do not come back in one moment. */
	wait() {
		const wait = Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** this.tries++);
		const seconds = wait / 2 + Math.random() * wait / 2;
		this.socket = null;
		this.retryAt = performance.now() + seconds * 1000;
		this.timer = setTimeout(() => this.connect(), seconds * 1000);
		this.setState('waiting');
	}

	retry() {
		if (this.state === 'live') return;
		this.tries = 0;
		this.drop();
		this.connect();
	}

	drop() {
		const socket = this.socket;
		this.socket = null;
		socket?.close();
	}

	/** A socket that says nothing may be dead without knowing it, or the fleet asleep: asking for the same again tells which. */
	watch() {
		if (this.socket?.readyState === WebSocket.OPEN) {
			if (this.silence() > DEAD_S) {
				this.drop();
				this.wait();
			} else if (this.silence() > ASK_S) {
				this.socket.send(JSON.stringify({ ...this.subscribe, snapshot: false }));
			}
		}
		this.on.state(this.state);
	}

	silence() {
		return (performance.now() - this.lastFrame) / 1000;
	}

	count(n) {
		const now = performance.now();
		this.counted.push([now, n]);
		while (this.counted.length && this.counted[0][0] < now - 5000) this.counted.shift();
	}

	/** Events a second, over the last five. */
	rate() {
		const now = performance.now();
		return this.counted.reduce((sum, [at, n]) => sum + (at >= now - 5000 ? n : 0), 0) / 5;
	}
}

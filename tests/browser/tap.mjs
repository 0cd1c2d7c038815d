// tap: the results of a browser test as TAP, and conditions to wait for.
let run = 0, failed = 0;

export function ok(what, passed, detail) {
	run++;
	if (!passed) failed++;
	console.log(`${passed ? 'ok' : 'not ok'} ${run} - ${what}`);
	if (!passed && detail !== undefined) console.log(`# ${JSON.stringify(detail)}`);
	return passed;
}

export const is = (what, got, expected) => ok(what, JSON.stringify(got) === JSON.stringify(expected), { got, expected });

export function done() {
	console.log(`1..${run}`);
	process.exitCode = failed === 0 ? 0 : 1;
}

/** The first true answer of f, or the last one after so many seconds. */
export async function waitFor(f, seconds = 60) {
	const until = Date.now() + seconds * 1000;
	for (;;) {
		const answer = await f();
		if (answer || Date.now() > until) return answer;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

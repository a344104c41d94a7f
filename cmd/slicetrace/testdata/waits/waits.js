// Waits at known places, and says for how long it had no core at each: the name of its function, and nanoseconds.

const { Worker, isMainThread, workerData } = require('node:worker_threads');
const fs = require('node:fs');

function sleepHere(cell) { return Atomics.wait(cell, 1, 0, 2); }
function lockHere(cell) { return Atomics.wait(cell, 0, 0); }
function syncHere(file) { return fs.fsyncSync(file); }

// The time, less that in which this thread had a core.
function withoutCore() {
	const [onCore] = fs.readFileSync('/proc/thread-self/schedstat', 'ascii').split(' ');
	return process.hrtime.bigint() - BigInt(onCore);
}

function took(f, argument) {
	const begin = withoutCore();
	f(argument);
	return withoutCore() - begin;
}

if (!isMainThread) { // sets the cell 3 ms after it was made 0
	for (;;) {
		Atomics.wait(workerData, 0, 1);
		Atomics.wait(workerData, 1, 0, 3);
		Atomics.store(workerData, 0, 1);
		Atomics.notify(workerData, 0);
	}
}
const cell = new Int32Array(new SharedArrayBuffer(8));
const file = fs.openSync('written', 'w');
new Worker(__filename, { workerData: cell });
let [slept, locked, synced] = [0n, 0n, 0n];
Atomics.wait(cell, 0, 0); // until the worker has begun
for (let i = 0; i < 50; i++) {
	slept += took(sleepHere, cell);
	Atomics.store(cell, 0, 0);
	Atomics.notify(cell, 0);
	locked += took(lockHere, cell);
	fs.writeSync(file, 'x', 4096 * i);
	synced += took(syncHere, file);
}
console.log(`sleepHere ${slept}\nlockHere ${locked}\nsyncHere ${synced}`);
process.exit(0);

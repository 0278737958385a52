#!/usr/bin/node
// Node's modules on Mayfly.
const assert = require("assert");
const fs = require("fs");
const os = require("os");
const path = require("path");
const zlib = require("zlib");
const crypto = require("crypto");
const child = require("child_process");
const { Worker } = require("worker_threads");

const points = {
	async "fs writes and reads"() {
		const top = fs.mkdtempSync(path.join(os.tmpdir(), "node-"));
		const file = path.join(top, "file");
		await fs.promises.writeFile(file, "x".repeat(1 << 20));
		assert.strictEqual((await fs.promises.stat(file)).size, 1 << 20);
		fs.symlinkSync("file", path.join(top, "link"));
		assert.deepStrictEqual(fs.readdirSync(top).sort(), ["file", "link"]);
		fs.rmSync(top, { recursive: true });
	},
	async "streams through a pipeline"() {
		const { pipeline } = require("stream/promises");
		const file = path.join(os.tmpdir(), "node-stream");
		fs.writeFileSync(file, crypto.randomBytes(300000));
		await pipeline(fs.createReadStream(file), zlib.createGzip(),
			fs.createWriteStream(file + ".gz"));
		assert(zlib.gunzipSync(fs.readFileSync(file + ".gz")).equals(fs.readFileSync(file)));
	},
	async "worker threads answer"() {
		const code = "const { parentPort, workerData } = require('worker_threads');" +
			"parentPort.postMessage(workerData * 2);";
		const ask = (n) => new Promise((done, failed) => {
			const worker = new Worker(code, { eval: true, workerData: n });
			worker.on("message", done);
			worker.on("error", failed);
		});
		assert.deepStrictEqual(await Promise.all([1, 2, 3].map(ask)), [2, 4, 6]);
	},
	async "child processes print"() {
		const out = child.execFileSync("sh", ["-c", "cat; echo err >&2; exit 0"],
			{ input: "in", stdio: ["pipe", "pipe", "ignore"] });
		assert.strictEqual(out.toString(), "in");
		assert.strictEqual(child.spawnSync("sh", ["-c", "exit 7"]).status, 7);
	},
	async "a forked node talks back"() {
		const file = path.join(os.tmpdir(), "node-child.js");
		fs.writeFileSync(file, "process.on('message', (m) => { process.send(m + 1); process.disconnect(); });");
		const answer = await new Promise((done, failed) => {
			const other = child.fork(file);
			other.on("message", done);
			other.on("error", failed);
			other.send(41);
		});
		assert.strictEqual(answer, 42);
	},
	async "crypto hashes, signs and derives"() {
		assert.strictEqual(crypto.createHash("sha256").update("").digest("hex").slice(0, 8), "e3b0c442");
		const pair = crypto.generateKeyPairSync("ed25519");
		const signature = crypto.sign(null, Buffer.from("text"), pair.privateKey);
		assert(crypto.verify(null, Buffer.from("text"), pair.publicKey, signature));
		const key = await new Promise((done) => crypto.pbkdf2("p", "s", 1000, 32, "sha256", (_, k) => done(k)));
		assert.strictEqual(key.length, 32);
	},
	async "timers keep their order"() {
		const seen = [];
		await Promise.all([600, 10, 300].map((ms) =>
			new Promise((done) => setTimeout(() => { seen.push(ms); done(); }, ms))));
		assert.deepStrictEqual(seen, [10, 300, 600]);
	},
	async "signals arrive"() {
		const seen = new Promise((done) => process.once("SIGUSR2", done));
		process.kill(process.pid, "SIGUSR2");
		const alive = setTimeout(() => {}, 10000);
		await seen;
		clearTimeout(alive);
	},
};

(async () => {
	const names = Object.keys(points);
	for (const [i, name] of names.entries()) {
		try {
			await points[name]();
			console.log(`ok ${i + 1} - ${name}`);
		} catch (error) {
			console.log(`not ok ${i + 1} - ${name}\n# ${error}`);
		}
	}
	console.log(`1..${names.length}`);
})();

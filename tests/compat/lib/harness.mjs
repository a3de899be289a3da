// The harness of every test in Node: the stack's addresses; for each test its own workers, topics and
// PostgreSQL schema; and their removal.

process.env.TZ = 'UTC'; // the reference writes Dates as local time into columns without a time zone

import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Schemas } from './avro.mjs';
import { startPooler } from './pooler.mjs';
import { makeTopics, newKafka, StowageClient } from './stowage-client.mjs';

// Only this folder has node_modules; tests in other folders import packages from here.
export { pg, sleep };
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const BINARY = process.env.STOWAGE_BIN ?? join(ROOT, 'build/release/stowage');
export const CONNECTION = need('STOWAGE_POSTGRES_CONNECTION_STRING');
export const BROKERS = need('STOWAGE_KAFKA_BOOTSTRAP_SERVERS');
// Only bounds a hang, so it is generous: sanitizers make everything several times slower.
export const PATIENCE_MS = Number(process.env.STOWAGE_TEST_PATIENCE_MS ?? 60_000);

function need(name) {
  if (process.env[name]) return process.env[name];
  throw new Error(`${name} is not set: start a stack (compose/stack start DIR) and source DIR/env`);
}

export const newId = () => randomBytes(5).toString('hex');

// This process's folder, removed when the process ends.
export const WORK = mkdtempSync(join(process.env.STOWAGE_TEST_TMP ?? tmpdir(), 'stowage-test-'));
const alive = new Set();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
  if (!process.env.STOWAGE_TEST_KEEP) rmSync(WORK, { recursive: true, force: true });
});

// With STOWAGE_TEST_POOLER all workers and commands reach PostgreSQL through a PgBouncer; the tests' own sessions
// do not. An object in that variable adds settings of PgBouncer.
if (process.env.STOWAGE_TEST_POOLER) {
  const pooler = await startPooler(CONNECTION, { directory: join(WORK, 'pooler'), port: await freePort(),
    options: JSON.parse(process.env.STOWAGE_TEST_POOLER) });
  alive.add(pooler.child);
  process.env.STOWAGE_POSTGRES_CONNECTION_STRING = pooler.url;
}

// Runs the binary and waits for it: {code, signal, stdout, stderr}.
export function stowage(args, { env = {}, input = '', timeoutMs = PATIENCE_MS } = {}) {
  const done = spawnSync(BINARY, args, { input, encoding: 'utf8', timeout: timeoutMs,
    maxBuffer: 512 * 1024 * 1024, env: { ...process.env, ...env } });
  if (done.error) throw done.error;
  return { code: done.status, signal: done.signal, stdout: done.stdout, stderr: done.stderr };
}

// The same without blocking this process, for tests that serve the binary meanwhile.
export function stowageAsync(args, { env = {}, input = '' } = {}) {
  const child = spawn(BINARY, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  alive.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      alive.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

let loaded;

// The schemas that the binary writes for clients.
export function schemas() {
  if (loaded) return loaded;
  // A folder with schemas, to try cases without a binary.
  if (process.env.STOWAGE_TEST_SCHEMAS) return (loaded = new Schemas(process.env.STOWAGE_TEST_SCHEMAS));
  const directory = join(WORK, 'schemas');
  const made = stowage(['schemas', '--output', directory]);
  if (made.code !== 0) throw new Error(`stowage schemas failed (${made.code}): ${made.stderr}`);
  loaded = new Schemas(directory);
  return loaded;
}

// Records that a command ran, and its outcome, for coverage.mjs at the end of the test run.
export function recordCoverage(command, outcome) {
  const directory = process.env.STOWAGE_TEST_COVERAGE;
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  appendFileSync(join(directory, `${process.pid}.txt`), `${command} ${outcome}\n`);
}

// A plain object in libconfig's notation.
export function libconfig(value, depth = 0) {
  if (typeof value === 'string') return `"${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) >= 2 ** 31 ? `${value}L` : String(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) {
    const items = value.map((item) => libconfig(item, depth + 1)).join(', ');
    return value.some((item) => typeof item === 'object') ? `(${items})` : `[${items}]`;
  }
  const pad = '  '.repeat(depth);
  const lines = Object.entries(value).map(([key, entry]) => `${pad}${key} = ${libconfig(entry, depth + 1)};`);
  return depth === 0 ? `${lines.join('\n')}\n` : `{\n${lines.join('\n')}\n${'  '.repeat(depth - 1)}}`;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Merges two levels deep: {kafka: {topics}}.
export function mergeConfig(base, over = {}) {
  const merged = { ...base };
  for (const [group, keys] of Object.entries(over)) merged[group] = { ...merged[group], ...keys };
  return merged;
}

export class Worker {
  constructor({ config, name = 'worker', env = {} }) {
    this.config = config;
    this.name = name;
    this.env = env;
    this.log = '';
  }

  async start({ ready = true } = {}) {
    this.port = await freePort();
    const config = mergeConfig(this.config, { http: { address: `127.0.0.1:${this.port}` } });
    this.file = join(WORK, `${this.name}-${newId()}.conf`);
    writeFileSync(this.file, libconfig(config));
    this.child = spawn(BINARY, ['run', '--config', this.file],
      { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    alive.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { this.log += text; });
    }
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({ error }));
      this.child.on('close', (code, signal) => {
        alive.delete(this.child);
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
    if (ready) await this.waitReady();
    return this;
  }

  get(path) {
    return fetch(`http://127.0.0.1:${this.port}${path}`, { signal: AbortSignal.timeout(10_000) });
  }

  async waitReady() {
    await until(`${this.name} is ready`, async () => {
      if (this.exit) throw new Error(`${this.name} ended (${JSON.stringify(this.exit)}) before it was ready:\n${this.tail()}`);
      return (await this.get('/readyz').catch(() => null))?.status === 200;
    }, { onTimeout: () => this.tail() });
  }

  // A metric's value: the sum over the label sets that contain all of `labels` ('command="..."').
  async metric(name, ...labels) {
    const text = await (await this.get('/metrics')).text();
    let sum;
    for (const line of text.split('\n')) {
      const match = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
      if (match && match[1] === name && labels.every((label) => (match[2] ?? '').includes(label))) {
        sum = (sum ?? 0) + Number(match[3]);
      }
    }
    return sum;
  }

  // Waits for a line of the log: a metric or a reply may be there before it.
  logged(pattern) {
    return until(`the log has ${pattern}`, () => pattern.test(this.log), { onTimeout: () => this.tail() });
  }

  tail(lines = 60) {
    return this.log.split('\n').slice(-lines).join('\n');
  }

  // Stops the worker with SIGTERM. Throws if its exit status is not 0: a sanitizer may have failed it.
  async stop() {
    if (!this.child || this.exit) return this.#expectClean();
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.exited;
    clearTimeout(killer);
    return this.#expectClean();
  }

  #expectClean() {
    if (this.killed || !this.exit) return;
    if (this.exit.code !== 0) throw new Error(`${this.name} ended with ${JSON.stringify(this.exit)}:\n${this.tail()}`);
  }

  async kill() {
    this.killed = true;
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

// Waits until `test` returns a true value, and returns it. The timeout only bounds a hang.
export async function until(what, test, { timeoutMs = PATIENCE_MS, onTimeout = () => '' } = {}) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out after ${timeoutMs} ms: ${what}\n${await onTimeout()}`);
    await sleep(25);
  }
}

let shared;
export function pool() {
  if (!shared) {
    shared = new pg.Pool({ connectionString: CONNECTION, max: 4, options: '-c timezone=UTC' });
    shared.on('error', () => {}); // the fault tests kill servers
  }
  return shared;
}

export async function sql(text, params) {
  return (await pool().query(text, params)).rows;
}

export async function withAdmin(work) {
  const admin = newKafka(BROKERS).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

export function createTopics(names, options) {
  return withAdmin((admin) => makeTopics(admin, names, options));
}

const TOPIC = 2; // of Kafka's resource types

async function changeTopic(admin, topic, entries) {
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries: entries }] });
  const [{ name, value }] = entries.slice(-1);
  await until(`${topic} has ${name} = ${value}`, async () => {
    const { resources: [{ configEntries }] } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name: topic, configNames: [name] }] });
    return configEntries.some((entry) => entry.configName === name && entry.configValue === value);
  });
}

// Sets a topic's property, and returns when the broker obeys it. A broker shows a change a moment before that. It
// takes changes one after the other, so when it shows a second one, the first one is in force.
export function setTopicConfig(topic, name, value) {
  const entry = { name, value: String(value) };
  return withAdmin(async (admin) => {
    await changeTopic(admin, topic, [entry]);
    await changeTopic(admin, topic, [entry, { name: 'file.delete.delay.ms', value: String(60_000 + Math.floor(Math.random() * 1000)) }]);
  });
}

// All messages of a topic, from its beginning to its current end. Transactions leave markers at the ends of
// partitions, which no consumer sees: after a while without messages, up to two offsets may be missing there.
export async function readTopic(topic) {
  const kafka = newKafka(BROKERS);
  const ends = await withAdmin((admin) => admin.fetchTopicOffsets(topic));
  const missing = new Map(ends.filter(({ high, low }) => Number(high) > Number(low))
    .map(({ partition, high, low }) => [partition, Number(high) - Number(low)]));
  const messages = [];
  if (missing.size === 0) return messages;
  const consumer = kafka.consumer({ groupId: `read-${newId()}`, maxWaitTimeInMs: 100, maxBytesPerPartition: 200 * 1024 * 1024 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let lastAt = Infinity;
  const high = new Map(ends.map((end) => [end.partition, Number(end.high)]));
  await consumer.run({ eachMessage: async ({ partition, message }) => {
    if (Number(message.offset) >= high.get(partition)) return;
    messages.push({ ...message, partition });
    missing.set(partition, high.get(partition) - Number(message.offset) - 1);
    lastAt = Date.now();
  } });
  const most = () => Math.max(...missing.values());
  try {
    await until(`all messages of ${topic}`, () => most() === 0 || (most() <= 2 && Date.now() - lastAt > 2000));
  } finally {
    await consumer.disconnect();
  }
  return messages;
}

// All messages of a topic, once there are `count` of them. Kafka tells a producer that its transaction is over a
// moment before readers see it.
export function readMessages(topic, count) {
  return until(`${count} messages of ${topic}`, async () => {
    const messages = await readTopic(topic);
    return messages.length >= count && messages;
  });
}

// Collects the messages of a topic, from its beginning on.
export class Tail {
  constructor(topic) {
    this.topic = topic;
    this.messages = [];
  }

  async open() {
    this.consumer = newKafka(BROKERS).consumer({ groupId: `tail-${newId()}`, maxWaitTimeInMs: 100,
      maxBytesPerPartition: 200 * 1024 * 1024, maxBytes: 200 * 1024 * 1024 });
    await this.consumer.connect();
    await this.consumer.subscribe({ topic: this.topic, fromBeginning: true });
    await this.consumer.run({ eachMessage: async ({ partition, message }) => {
      const headers = Object.fromEntries(Object.entries(message.headers ?? {})
        .map(([name, value]) => [name, Buffer.from([].concat(value)[0] ?? '').toString()]));
      this.messages.push({ ...message, partition, text: headers });
    } });
    return this;
  }

  // Waits for the first message that passes the test.
  find(what, test, options) {
    return until(`${what} in ${this.topic}`, () => this.messages.find(test), options);
  }

  close() {
    return this.consumer?.disconnect();
  }
}

// Creates the tables of a new PostgreSQL schema with `stowage init`.
export function initSchema(schemaName) {
  const done = stowage(['init'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: schemaName } });
  if (done.code !== 0) throw new Error(`stowage init failed (${done.code}): ${done.stderr}`);
}

// Everything a test owns: topics, a schema, workers, clients. close() removes them.
export class World {
  constructor({ partitions = 1, config = {}, name = 'worker' } = {}) {
    this.id = newId();
    this.schema = `t_${this.id}`;
    this.topic = `test.${this.id}.commands`;
    this.dlq = `${this.topic}.dlq`;
    this.partitions = partitions;
    this.name = name;
    this.config = mergeConfig({
      postgres: { schemaName: this.schema, max: 4 },
      kafka: { groupId: `test-${this.id}`, topics: [this.topic] },
    }, config);
    this.workers = [];
    this.clients = [];
  }

  async open({ start = true, init = true } = {}) {
    schemas();
    await createTopics(this.topic, { partitions: this.partitions });
    await createTopics(this.dlq, { partitions: this.partitions });
    if (init) initSchema(this.schema);
    if (start) this.worker = await this.startWorker();
    this.client = await this.connect();
    return this;
  }

  newWorker(over = {}, env = {}) {
    const worker = new Worker({ config: mergeConfig(this.config, over), env,
      name: `${this.name}${this.workers.length || ''}` });
    this.workers.push(worker);
    return worker;
  }

  startWorker(over, env) {
    return this.newWorker(over, env).start();
  }

  async connect(options = {}) {
    const client = new StowageClient({ brokers: BROKERS, schemas: schemas(), topic: this.topic,
      onReply: recordCoverage, ...options,
      onTimeout: () => this.workers.map((worker) => `--- ${worker.name}\n${worker.tail(15)}`).join('\n') });
    this.clients.push(client);
    await client.connect(options);
    return client;
  }

  // Collects the messages of a topic (by default the dead letters) until close().
  async tail(topic = this.dlq) {
    const tail = await new Tail(topic).open();
    this.clients.push(tail);
    return tail;
  }

  // The logs of all workers.
  log() {
    return this.workers.map((worker) => worker.log).join('\n');
  }

  async close() {
    const closed = await Promise.allSettled(this.clients.map((client) => client.close()));
    const stopped = await Promise.allSettled(this.workers.map((worker) => worker.stop()));
    if (!process.env.STOWAGE_TEST_KEEP) {
      await sql(`DROP SCHEMA IF EXISTS "${this.schema}" CASCADE`);
      await withAdmin(async (admin) => {
        const made = [this.topic, this.dlq, ...this.clients.map((client) => client.replyTopic)];
        // For a missing topic, kafkajs would retry for a minute.
        const topics = (await admin.listTopics()).filter((topic) => made.includes(topic));
        if (topics.length) await admin.deleteTopics({ topics });
      });
    }
    const failed = [...closed, ...stopped].find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

// Every test file calls this after its tests, or the process would not end.
export async function closeShared() {
  await shared?.end();
  shared = undefined;
}

// mixed.mjs - all faults at random under a numbered load with poison, for a given time
//
//   node tests/faults/mixed.mjs [--seconds N] [--seed N] [--rate N] [--round N]
//
// Starts a stack of its own with a second broker and a proxy before PostgreSQL. A round has its own topics,
// schema, workers and load, lasts --round seconds and ends with an account; rounds follow until --seconds
// have passed. The seed decides which faults come when; the exact moments are the machine's. Prints each
// fault, what is wrong, and a line of counts. The exit status is 0 only if nothing is wrong. The logs of
// the workers of a round that failed are kept, and it says where.

import { stack } from './stack.mjs';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BROKERS, closeShared, CONNECTION, createTopics, sleep, sql, until, withAdmin, World } from '../compat/lib/harness.mjs';
import { loginAs } from '../compat/lib/rights.mjs';
import { newKafka } from '../compat/lib/stowage-client.mjs';
import { Chance } from './mixed/chance.mjs';
import { Faults } from './mixed/faults.mjs';
import { KAFKA_USER } from './mixed/installation.mjs';
import { MixedLoad } from './mixed/load.mjs';
import { Proxy } from './mixed/proxy.mjs';
import { Report } from './mixed/report.mjs';
import { SecondBroker } from './mixed/second_broker.mjs';

const WORKERS = 3;
const PARTITIONS = 6;
const OFFSETS = '__consumer_offsets';
// A busy machine may be slow: what makes progress is not stuck.
const STUCK_MS = 120_000;
const ANSWER_PATIENCE_MS = 120_000;
// The faults last for seconds, so the worker may not wait longer. main() shortens Kafka's sessions likewise.
const CONFIG = { limits: { shutdownTimeoutMillis: 10_000 } };

const { values: options } = parseArgs({ options: {
  seconds: { type: 'string', default: '120' }, seed: { type: 'string' }, rate: { type: 'string', default: '150' }, round: { type: 'string', default: '150' },
} });
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));

// A World whose workers go through the proxy and know both brokers.
class MixedWorld extends World {
  constructor(environment) {
    super({ name: 'mixed', partitions: PARTITIONS, config: CONFIG });
    this.environment = environment;
    this.running = [];
  }

  // Without waiting until it is ready: a fault may last.
  async startLater() {
    const worker = this.newWorker({}, this.environment);
    return worker.start({ ready: false });
  }
}

// Topics on both brokers, so that one may leave.
async function makeReplicated(names) {
  await withAdmin((admin) => admin.createTopics({ waitForLeaders: false, topics: names.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor: 2 })) }));
  await until('the topics have leaders', () => withAdmin(async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    return topics.every((topic) => topic.partitions.length === PARTITIONS && topic.partitions.every((p) => p.leader >= 0));
  }).catch(() => sleep(200, false)));
}

// The topic of the groups' coordinators too: the first group makes it.
async function replicateCoordinators() {
  const group = newKafka(BROKERS).consumer({ groupId: 'first' });
  await group.connect();
  await until('a group is served', () => withAdmin((admin) => admin.fetchOffsets({ groupId: 'first' })).then(() => true, () => sleep(200, false)));
  await group.disconnect();
  const [{ partitions }] = (await withAdmin((admin) => admin.fetchTopicMetadata({ topics: [OFFSETS] }))).topics;
  const assignment = partitions.map(({ partitionId: partition }) => ({ partition, replicas: partition % 2 ? [1, 2] : [2, 1] }));
  await withAdmin((admin) => admin.alterPartitionReassignments({ topics: [{ topic: OFFSETS, partitionAssignment: assignment }] }));
}

async function openWorld(environment) {
  const world = new MixedWorld(environment);
  await makeReplicated([world.topic, world.dlq]);
  await world.open({ start: false });
  for (let i = 0; i < WORKERS; i++) world.running.push(await world.startLater());
  await Promise.all(world.running.map((worker) => worker.waitReady()));
  return world;
}

function keepLogs(world, report) {
  const directory = mkdtempSync(join(tmpdir(), 'stowage-mixed-'));
  for (const worker of world.workers) writeFileSync(join(directory, `${worker.name}.log`), worker.log);
  report.log(`the workers' logs: ${directory}`);
}

async function waitApplied(world, report) {
  const ends = await withAdmin((admin) => admin.fetchTopicOffsets(world.topic));
  const look = async () => {
    const rows = await sql(`SELECT partition, applied::int AS applied FROM "${world.schema}".stowage_offsets WHERE topic = $1`, [world.topic]);
    return ends.map(({ partition, high }) => ({ partition, left: Number(high) - (rows.find((row) => row.partition === partition)?.applied ?? 0) }));
  };
  let seen = await look();
  let moved = Date.now();
  while (seen.some(({ left }) => left > 0) && Date.now() - moved < STUCK_MS) {
    await sleep(500);
    const now = await look();
    if (JSON.stringify(now) !== JSON.stringify(seen)) moved = Date.now();
    seen = now;
  }
  for (const { partition, left } of seen) if (left > 0) report.note('stuck', `partition ${partition} has ${left} commands left and applies none`);
}

async function round(number, seconds, shared, report) {
  const chance = new Chance(seed + number);
  report.log(`round ${number}: seed ${seed + number}, ${seconds} s`);
  const found = report.failed;
  const world = await openWorld(shared.environment);
  const faults = new Faults(world, chance, shared.proxy, shared.broker, report);
  try {
    const load = new MixedLoad(world, new Chance(seed + number + 1_000_000), { perSecond: Number(options.rate) });
    await load.prepare();
    load.run();
    await faults.run(Date.now() + seconds * 1000);
    await load.stop();
    await waitApplied(world, report);
    await load.account(report, ANSWER_PATIENCE_MS);
  } catch (error) {
    report.note('stuck', `the round ended: ${error.stack}`);
  }
  report.addFaults(faults.counts);
  if (!found && report.failed) keepLogs(world, report);
  await world.close().catch((error) => report.note('stuck', `a worker did not end in order: ${error.message}`));
  report.log(`after round ${number}: ${report.line()}`);
}

async function main() {
  const report = new Report();
  report.log(`seed ${seed}`);
  const broker = await new SecondBroker().prepare();
  await broker.start();
  await replicateCoordinators();
  const proxy = new Proxy(Number(process.env.STACK_POSTGRES_PORT), new Chance(seed + 2_000_000));
  const port = await proxy.listen();
  const connection = new URL(CONNECTION);
  connection.port = port;
  connection.searchParams.set('sslmode', 'disable');
  connection.searchParams.set('gssencmode', 'disable');
  const login = loginAs(KAFKA_USER);
  const environment = {
    STOWAGE_POSTGRES_CONNECTION_STRING: connection.href,
    STOWAGE_KAFKA_BOOTSTRAP_SERVERS: `${login.STOWAGE_KAFKA_BOOTSTRAP_SERVERS},127.0.0.1:${broker.loginPort}`,
    STOWAGE_KAFKA_PROPERTIES: `${login.STOWAGE_KAFKA_PROPERTIES},session.timeout.ms=5000,heartbeat.interval.ms=800`,
  };
  const end = report.start + Number(options.seconds) * 1000;
  for (let number = 0; number === 0 || Date.now() < end - 30_000; number++) {
    const left = Math.max(30, (end - Date.now()) / 1000);
    await round(number, Math.min(Number(options.round), left), { proxy, broker, environment }, report);
  }
  proxy.close();
  await broker.end('SIGKILL');
  await closeShared();
  report.log(`faults: ${JSON.stringify(report.faults)}, COMMITs: ${JSON.stringify(proxy.commits)}`);
  process.stdout.write(`mixed: seed=${seed} ${report.line()}\n`);
  process.exit(report.failed ? 1 : 0);
}

if (!stack || !createTopics) throw new Error('the stack is missing');
await main();

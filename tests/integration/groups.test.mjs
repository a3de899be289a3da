// Ways to be in a consumer group: the new group protocol (KIP-848) and static membership.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, createTopics, sql, stowageAsync, until, withAdmin, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

const EXIT_FENCED = 8;
const NEW = 'group.protocol=consumer';
const saving = (id, options) => ({ command: 'memory.saveThread', args: { thread: thread(id) }, key: id, ...options });
const threads = async (world) => (await sql(`SELECT id FROM "${world.schema}".mastra_threads ORDER BY id`)).map(({ id }) => id);
const lanes = (worker) => worker.metric('stowage_partitions');

describe('group.protocol=consumer', () => {
  test('workers share the partitions, and patterns mean the same as with the classic protocol', async () => {
    const world = new World({ name: 'new-protocol', partitions: 4 });
    const late = `test.${world.id}.late`;
    // Patterns match anywhere in the name, and never a dead-letter topic.
    world.config.kafka.topics = [`^test\\.${world.id}\\.`];
    world.config.kafka.properties = [NEW, 'topic.metadata.refresh.interval.ms=1000'];
    try {
      await world.open();
      await world.client.post([saving('dead')], { topic: world.dlq });
      const second = await world.startWorker();
      await until('each worker has two', async () => await lanes(world.worker) === 2 && await lanes(second) === 2,
        { onTimeout: () => world.log() });
      for (let partition = 0; partition < 4; partition++) await world.client.call('memory.saveThread', { thread: thread(`p${partition}`) }, { partition });
      await createTopics([late, `${late}.dlq`], { partitions: 1 });
      await world.client.call('memory.saveThread', { thread: thread('late') }, { topic: late });
      const env = { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema, STOWAGE_KAFKA_GROUP_ID: world.config.kafka.groupId };
      const set = await stowageAsync(['offsets', 'set', '--topic', world.topic, '--to', 'earliest'], { env });
      assert.equal(set.code, 1, set.stdout);
      assert.match(set.stderr, /has 2 live members/);
      await second.stop();
      await until('the other worker has all', async () => await lanes(world.worker) === 5);
      for (let partition = 0; partition < 4; partition++) await world.client.call('storage.ping', {}, { partition });
      assert.deepEqual(await threads(world), ['late', 'p0', 'p1', 'p2', 'p3']);
    } finally {
      await world.close();
      await withAdmin((admin) => admin.deleteTopics({ topics: [late, `${late}.dlq`] }));
    }
  });

  test('forbids properties that the brokers decide', async () => {
    for (const command of ['check', 'run']) {
      const done = await stowageAsync([command], { env: { STOWAGE_KAFKA_PROPERTIES: `${NEW},session.timeout.ms=7000` } });
      if (command === 'run') assert.equal(done.code, 3, done.stderr);
      assert.match(done.stdout + done.stderr, /kafka\.properties.*session\.timeout\.ms/);
    }
  });
});

describe('group.instance.id', () => {
  for (const [protocol, properties] of [['classic', ['session.timeout.ms=10000', 'heartbeat.interval.ms=500']], ['consumer', [NEW]]]) {
    test(`with the ${protocol} protocol: restarts move no partitions; a second process with the same id ends one of both`, async () => {
      const world = new World({ name: `static-${protocol}`, partitions: 4 });
      const as = (id) => ({ kafka: { properties: [...properties, `group.instance.id=${id}`] } });
      try {
        await world.open({ start: false });
        world.worker = await world.startWorker(as('one'));
        const other = await world.startWorker(as('two'));
        await until('each worker has two', async () => await lanes(world.worker) === 2 && await lanes(other) === 2);
        const rebalances = await other.metric('stowage_rebalances_total');
        await world.worker.stop();
        world.worker = await world.startWorker(as('one'));
        for (let partition = 0; partition < 4; partition++) await world.client.call('storage.ping', {}, { partition });
        assert.equal(await other.metric('stowage_rebalances_total'), rebalances);

        const twin = world.newWorker(as('one'));
        await twin.start({ ready: false });
        const loser = await until('one of both has ended', () => [world.worker, twin].find((worker) => worker.exit),
          { onTimeout: () => world.log() });
        loser.killed = true; // its status is checked here
        assert.equal(loser.exit.code, EXIT_FENCED, loser.tail());
        assert.match(loser.log, /another process .*group\.instance\.id.*help="give each worker a group\.instance\.id of its own/);
        for (let partition = 0; partition < 4; partition++) {
          await world.client.call('memory.saveThread', { thread: thread(`p${partition}`) }, { partition });
        }
        assert.equal((await threads(world)).length, 4);
      } finally {
        await world.close();
      }
    });
  }
});

// Which topics and partitions the worker reads, and where it starts in them.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, createTopics, sql, stowageAsync, until, withAdmin, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

const threads = async (world) => (await sql(`SELECT id FROM "${world.schema}".mastra_threads ORDER BY id`)).map(({ id }) => id);
const saving = (id, options) => ({ command: 'memory.saveThread', args: { thread: thread(id) }, key: id, ...options });

describe('dead-letter topics', () => {
  test('are never read, even if a pattern matches them', async () => {
    const world = new World({ name: 'dead-letters' });
    world.config.kafka.topics = [`^test\\.${world.id}\\.`, `^test\\.${world.id}\\..*dlq`];
    world.config.kafka.properties = ['topic.blacklist=^none$'];
    try {
      await world.open();
      await world.client.post([saving('dead')], { topic: world.dlq });
      await world.client.call('memory.saveThread', { thread: thread('alive') });
      assert.equal(await world.worker.metric('stowage_partitions'), 1);
      assert.deepEqual(await threads(world), ['alive']);
      assert.deepEqual(await sql(`SELECT topic FROM "${world.schema}".stowage_offsets`), [{ topic: world.topic }]);
    } finally {
      await world.close();
    }
  });
});

describe('kafka.offsetReset = "latest"', () => {
  const latest = (over = {}) => new World({ name: 'latest', ...over,
    config: { kafka: { offsetReset: 'latest', properties: ['topic.metadata.refresh.interval.ms=3000'] } } });
  const found = (world, ids) => until(`${ids.length} threads`, async () => {
    const there = await threads(world);
    return ids.every((id) => there.includes(id));
  }, { onTimeout: async () => `${await threads(world)}\n${world.worker?.tail()}` });
  const many = (name, partitions, count) => Array.from({ length: count }, (_, i) =>
    saving(`${name}${String(i).padStart(2, '0')}`, { partition: partitions[i % partitions.length] }));
  const idsOf = (list) => list.map(({ key }) => key);

  test('a new group skips what is there, whichever of several workers claims a partition', async () => {
    const world = latest({ partitions: 4 });
    const other = `${world.topic}2`;
    world.config.kafka.topics = [`^test\\.${world.id}\\.commands2?$`];
    try {
      await world.open({ start: false });
      await createTopics([other], { partitions: 2 });
      await world.client.post(many('old', [0, 1, 2, 3], 20));
      await world.client.post(many('older', [0, 1], 6), { topic: other });
      await Promise.all([1, 2, 3].map(() => world.startWorker()));
      assert.equal((await sql(`SELECT FROM "${world.schema}".stowage_offsets`)).length, 6);
      const list = many('new', [0, 1, 2, 3], 20);
      const second = many('newer', [0, 1], 6);
      await world.client.post(list);
      await world.client.post(second, { topic: other });
      await found(world, [...idsOf(list), ...idsOf(second)]);
      assert.equal((await threads(world)).length, 26);
    } finally {
      await world.close();
      await withAdmin((admin) => admin.deleteTopics({ topics: [other] }));
    }
  });

  test('partitions and topics found later start at their beginning', async () => {
    const world = latest({ partitions: 2 });
    const late = `test.${world.id}.late`;
    const named = `named.${world.id}`;
    world.config.kafka.topics = [`^test\\.${world.id}\\.[a-z]+$`, named];
    try {
      await world.open();
      // The commands are there before the worker notices.
      await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: world.topic, count: 6 }] }));
      const grown = many('grown', [2, 3, 4, 5], 40);
      await until('the producer knows the new partitions', () => world.client.post(grown.splice(0, 1)).then(() => true, () => false));
      await world.client.post(grown);
      await createTopics([late, named], { partitions: 2 });
      const [lately, names] = [many('late', [0, 1], 10), many('named', [0, 1], 10)];
      await world.client.post(lately, { topic: late });
      await world.client.post(names, { topic: named });
      await found(world, [...idsOf(grown), 'grown00', ...idsOf(lately), ...idsOf(names)]);
    } finally {
      await world.close();
      await withAdmin((admin) => admin.deleteTopics({ topics: [late, named] }));
    }
  });

  test('a topic that is made while no worker runs starts at its beginning; one that the configuration adds does not', async () => {
    const world = latest();
    const [made, added] = [`test.${world.id}.made`, `added.${world.id}`];
    world.config.kafka.topics = [`^test\\.${world.id}\\.[a-z]+$`];
    try {
      await world.open();
      await world.worker.stop();
      await createTopics([made, added], { partitions: 1 });
      await world.client.post([saving('made')], { topic: made });
      await world.client.post([saving('before')], { topic: added });
      world.config.kafka.topics = [...world.config.kafka.topics, added];
      world.worker = await world.startWorker();
      await world.client.post([saving('after')], { topic: added });
      await found(world, ['made', 'after']);
      assert.deepEqual(await threads(world), ['after', 'made']);
    } finally {
      await world.close();
      await withAdmin((admin) => admin.deleteTopics({ topics: [made, added] }));
    }
  });
});

describe('a start with 120 partitions', () => {
  test('asks Kafka about all partitions at once', async () => {
    const world = new World({ name: 'many', partitions: 120,
      config: { log: { level: 'debug' }, kafka: { properties: ['debug=protocol'] }, postgres: { max: 10 } } });
    try {
      await world.open();
      await world.worker.waitReady();
      const sent = {};
      for (const [, request] of world.worker.log.matchAll(/Sent (\w+)Request/g)) sent[request] = (sent[request] ?? 0) + 1;
      // Offsets and ids: a few requests in all, not one or two for each partition.
      for (const request of ['ListOffsets', 'Metadata', 'OffsetFetch', 'OffsetForLeaderEpoch']) {
        assert.ok((sent[request] ?? 0) < 60, JSON.stringify(sent));
      }
    } finally {
      await world.close();
    }
  });
});

describe('a topic that is deleted and created again', () => {
  for (const protocol of ['classic', 'consumer']) test(`under a running worker, ${protocol} protocol: its partitions stop, nothing of the new topic is applied or skipped`, async () => {
    const world = new World({ name: 'again' });
    const topics = ['fewer', 'as-many', 'more'].map((name) => `test.${world.id}.${name}`);
    const counts = [5, 20, 60];
    world.config.kafka.topics = topics;
    world.config.kafka.properties = ['topic.metadata.refresh.interval.ms=1000', `group.protocol=${protocol}`];
    const list = (name, topic, count) => Array.from({ length: count }, (_, i) => saving(`${name}-${topic}-${i}`));
    const post = (name, n) => Promise.all(topics.map((topic, i) => world.client.post(list(name, topic, n(i)), { topic })));
    try {
      await world.open({ start: false });
      await createTopics(topics, { partitions: 1 });
      world.worker = await world.startWorker();
      await post('old', () => 20);
      await until('all are applied', async () => (await threads(world)).length === 60);
      await withAdmin(async (admin) => {
        await admin.deleteTopics({ topics });
        await until('the topics are there again', () => admin.createTopics({ waitForLeaders: true,
          topics: topics.map((topic) => ({ topic, numPartitions: 1 })) }).catch(() => false));
      });
      await post('new', (i) => counts[i]);
      await until('all three partitions have stopped', async () => await world.worker.metric('stowage_partitions_stopped') === 3,
        { onTimeout: () => world.worker.tail() });
      for (const topic of topics) {
        await world.worker.logged(new RegExp(`"partition stopped" topic=${topic}.*deleted and created again.*offsets set`));
      }
      await world.client.post(topics.map((topic) => saving(`late-${topic}`)), { topic: topics[2] });
      assert.equal((await threads(world)).length, 60);
      await world.worker.stop();
      const env = { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema, STOWAGE_KAFKA_GROUP_ID: world.config.kafka.groupId };
      for (const topic of topics) {
        const set = await stowageAsync(['offsets', 'set', '--topic', topic, '--to', 'earliest'], { env });
        assert.equal(set.code, 0, set.stderr);
      }
      world.worker = await world.startWorker();
      await until('every command of the new topics is applied', async () => (await threads(world)).length === 60 + 85 + 3);
    } finally {
      await world.close();
      await withAdmin((admin) => admin.deleteTopics({ topics }));
    }
  });
});

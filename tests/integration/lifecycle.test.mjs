// The worker's life cycle: start, health, metrics, handover between workers, shutdown.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, schemas, sleep, sql, until, withAdmin, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

describe('health and metrics', () => {
  const world = new World({ name: 'health' });
  before(() => world.open());
  after(() => world.close());

  test('/livez and /readyz', async () => {
    for (const path of ['/livez', '/readyz']) assert.equal((await world.worker.get(path)).status, 200, path);
    assert.equal((await world.worker.get('/nothing')).status, 404);
    const posted = await fetch(`http://127.0.0.1:${world.worker.port}/metrics`, { method: 'POST', body: 'x' });
    assert.equal(posted.status, 405);
  });

  test('/metrics is the text format of Prometheus', async () => {
    await world.client.call('storage.ping');
    const response = await world.worker.get('/metrics');
    assert.match(response.headers.get('content-type'), /^text\/plain; ?version=0\.0\.4/);
    const types = new Map();
    for (const line of (await response.text()).trimEnd().split('\n')) {
      const head = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line);
      if (head) {
        if (head[1] === 'TYPE') types.set(head[2], head[3]);
        continue;
      }
      const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)+\})? ([-+]?(?:[\d.eE+-]+|Inf|NaN))$/.exec(line);
      assert.ok(sample, line);
      assert.ok(types.has(sample[1]) || types.has(sample[1].replace(/_(bucket|sum|count)$/, '')), `${line} has no TYPE`);
    }
  });

  test('commands are counted by name and outcome', async () => {
    const count = (...labels) => world.worker.metric('stowage_commands_total', ...labels).then((n) => n ?? 0);
    const [good, bad] = [await count('command="memory.getThreadById"', 'outcome="ok"'), await count('command="memory.updateThread"', 'outcome="not_found"')];
    for (let i = 0; i < 5; i++) await world.client.call('memory.getThreadById', { threadId: 'x' });
    for (let i = 0; i < 3; i++) await assert.rejects(world.client.call('memory.updateThread', { id: 'none' }));
    await until('both counts', async () => await count('command="memory.getThreadById"', 'outcome="ok"') === good + 5
      && await count('command="memory.updateThread"', 'outcome="not_found"') === bad + 3);
    assert.ok(await world.worker.metric('stowage_batch_commands_count') > 0);
    assert.ok(await world.worker.metric('stowage_command_age_seconds_count') > 0);
    assert.ok(await world.worker.metric('stowage_resident_memory_bytes') > 1e6);
    assert.equal(await world.worker.metric('stowage_partitions'), 1);
    await until('no lag', async () => await world.worker.metric('stowage_lag') === 0);
    await until('no command waits', async () => await world.worker.metric('stowage_queued_commands') === 0);
  });

  test('log lines are logfmt', () => {
    for (const line of world.worker.log.trim().split('\n')) {
      assert.match(line, /^time=\S+Z level=(error|warn|info|debug) msg=("(?:[^"\\]|\\.)*"|\S+)( [\w.-]+=("(?:[^"\\]|\\.)*"|\S*))*$/);
    }
  });
});

describe('the log as JSON', () => {
  test('each line is an object', async () => {
    const world = new World({ name: 'json-log', config: { log: { format: 'json', level: 'debug' } } });
    try {
      await world.open();
      await world.client.call('memory.saveThread', { thread: thread('quote"\\\n\u0001') });
      await world.client.exchange(Buffer.from([0xff, 0x00, 0x22]), { key: 'k' });
    } finally {
      await world.close();
    }
    for (const line of world.worker.log.trim().split('\n')) {
      const { time, level, msg } = JSON.parse(line);
      assert.ok(!Number.isNaN(Date.parse(time)) && level && msg, line);
    }
  });
});

describe('a log without its first messages', () => {
  test('each of many partitions starts at its stored offset', async () => {
    const partitions = 100;
    const world = new World({ name: 'retention', partitions });
    const ping = (partition) => ({ command: 'storage.ping', partition });
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const applied = async (n) => (await sql(`SELECT count(*)::int AS n FROM "${world.schema}".stowage_offsets WHERE applied = $1`, [n]))[0].n;
    try {
      await world.open();
      await world.client.post(all.map(ping));
      await until('all are applied', async () => await applied(1) === partitions);
      await world.worker.stop();
      await withAdmin(async (admin) => {
        await admin.fetchTopicOffsets(world.topic); // makes kafkajs fetch the topic's metadata
        await admin.deleteTopicRecords({ topic: world.topic, partitions: all.map((partition) => ({ partition, offset: '1' })) });
      });
      for (let start = 1; start <= 3; start++) {
        world.worker = await world.startWorker();
        await world.client.post(all.map(ping));
        await until('all are applied', async () => await applied(1 + start) === partitions);
        assert.equal(await world.worker.metric('stowage_partitions_stopped'), 0);
        await world.worker.stop();
      }
    } finally {
      await world.close();
    }
  });
});

describe('shutdown', () => {
  test('SIGTERM under load: status 0, no command lost, none applied twice', async () => {
    const world = new World({ name: 'sigterm', partitions: 3 });
    try {
      await world.open();
      const id = newId();
      const { stowage: om } = { stowage: await world.client.call('memory.initializeObservationalMemory', { threadId: id, resourceId: id, scope: 'thread', config: {} }) };
      const list = Array.from({ length: 3000 }, () => ({ command: 'memory.updateActiveObservations', key: id,
        args: { id: om.id, observations: 'x', tokenCount: 1, lastObservedAt: at(0) } }));
      const total = async () => Number((await sql(`SELECT "totalTokensObserved" AS n FROM "${world.schema}".mastra_observational_memory`))[0].n);
      for (let i = 0; i < list.length; i += 500) await world.client.post(list.slice(i, i + 500));
      await until('the first commands are applied', async () => await total() > 0);
      await world.worker.stop();
      const [{ count }] = await sql(`SELECT count(*)::int FROM "${world.schema}".stowage_outbox`);
      assert.equal(count, 0, 'the outbox is empty');
      world.worker = await world.startWorker();
      await until('all is done', async () => await total() >= list.length);
      await world.client.call('storage.ping', {}, { key: id });
      assert.equal(await total(), list.length);
    } finally {
      await world.close();
    }
  });

  test('every command before a shutdown gets its reply', async () => {
    const world = new World({ name: 'replies' });
    try {
      await world.open();
      await world.client.call('memory.saveThread', { thread: thread('t') });
      const list = Array.from({ length: 800 }, (_, i) => ({ command: i % 3 ? 'memory.saveMessages' : 'memory.getThreadById', key: 't', correlationId: `${world.id}-${i}`,
        args: i % 3 ? { messages: [message(`m${i}`, 't', i)] } : { threadId: 't' } }));
      const answers = list.map(({ correlationId, command }) => world.client.expect(correlationId, command));
      await world.client.post(list);
      await until('some are answered', () => world.client.replies.length > 20);
      await world.worker.stop();
      world.worker = await world.startWorker();
      const replies = await Promise.all(answers);
      assert.ok(replies.every((reply) => reply.schema.name !== 'mastra.Error'));
    } finally {
      await world.close();
    }
  });

  test('SIGINT does the same', async () => {
    const world = new World({ name: 'sigint' });
    try {
      await world.open();
      world.worker.child.kill('SIGINT');
      assert.deepEqual(await world.worker.exited, { code: 0, signal: null });
    } finally {
      await world.close();
    }
  });

  test('an idle worker leaves no locks in PostgreSQL', async () => {
    const world = new World({ name: 'sessions' });
    try {
      await world.open();
      await world.client.call('storage.ping');
      await world.worker.stop();
      // Counts locks on this test's tables, because other tests have sessions, too.
      await until('no lock is held', async () => {
        const locks = await sql(`SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1`, [world.schema]);
        return locks.length === 0;
      });
    } finally {
      await world.close();
    }
  });
});

describe('several workers', () => {
  test('share the partitions, and take over the partitions of a worker that ends', async () => {
    const world = new World({ name: 'group', partitions: 6, config: { kafka: { properties: ['session.timeout.ms=6000', 'heartbeat.interval.ms=500'] } } });
    world.config.kafka.properties = ['session.timeout.ms=6000', 'heartbeat.interval.ms=500'];
    try {
      await world.open();
      const second = await world.startWorker();
      const lanes = (worker) => worker.metric('stowage_partitions');
      await until('each worker has three', async () => await lanes(world.worker) === 3 && await lanes(second) === 3);
      const ask = async () => {
        for (let partition = 0; partition < 6; partition++) await world.client.call('storage.ping', {}, { partition });
      };
      await ask();
      await world.worker.stop();
      await ask();
      await until('the other worker has all', async () => await lanes(second) === 6);
      await second.kill();
      await world.startWorker();
      await ask();
    } finally {
      await world.close();
    }
  });

  test('a suspended worker that resumes cannot write any more', async () => {
    // A zombie: it was suspended for longer than its session timeout and still believes that it
    // owns the partition. It holds commands for a batch that starts when it resumes: only the fence
    // keeps it from applying them a second time.
    const world = new World({ name: 'zombie', config: { batch: { lingerMillis: 5000 },
      kafka: { properties: ['session.timeout.ms=6000', 'heartbeat.interval.ms=500'] } } });
    try {
      await world.open();
      const id = newId();
      const om = await world.client.call('memory.initializeObservationalMemory', { threadId: id, resourceId: id, scope: 'thread', config: {} });
      const add = (n) => Array.from({ length: n }, () => ({ command: 'memory.updateActiveObservations', key: id,
        args: { id: om.id, observations: 'x', tokenCount: 1, lastObservedAt: at(0) } }));
      const total = async () => Number((await sql(`SELECT "totalTokensObserved" AS n FROM "${world.schema}".mastra_observational_memory`))[0].n);
      await world.client.post(add(300));
      await until('the commands wait for their batch', async () =>
        await world.worker.metric('stowage_queued_commands') >= 300 || await total() > 0);
      const zombie = world.worker;
      zombie.child.kill('SIGSTOP');
      try {
        world.worker = await world.startWorker({ batch: { lingerMillis: 0 } });
        await world.client.post(add(300));
        await until('the new worker has applied all', async () => await total() >= 600);
      } finally {
        zombie.child.kill('SIGCONT');
      }
      await world.client.post(add(200));
      await until('all is done', async () => await total() >= 800);
      await sleep(1000); // gives the zombie time to write; the check below does not depend on it
      assert.equal(await total(), 800);
    } finally {
      await world.close();
    }
  });
});

describe('start positions, tables, topics', () => {
  test('a new group starts at the configured end of the log', async () => {
    const world = new World({ name: 'reset', config: { kafka: { offsetReset: 'latest' } } });
    try {
      await world.open({ start: false });
      await world.client.post([{ command: 'memory.saveThread', args: { thread: thread('before') }, key: 'k' }]);
      world.worker = await world.startWorker();
      await until('the partition is claimed', async () => (await sql(`SELECT 1 FROM "${world.schema}".stowage_offsets`)).length === 1);
      await world.client.call('memory.saveThread', { thread: thread('after') }, { key: 'k' });
      assert.deepEqual(await sql(`SELECT id FROM "${world.schema}".mastra_threads`), [{ id: 'after' }]);
    } finally {
      await world.close();
    }
  });

  test('run creates missing tables', async () => {
    const world = new World({ name: 'makes-tables' });
    try {
      await world.open({ init: false });
      await world.client.call('memory.saveThread', { thread: thread('t') });
    } finally {
      await world.close();
    }
  });

  test('a pattern finds a topic that is created later', async () => {
    const world = new World({ name: 'pattern' });
    const { createTopics, withAdmin } = await import('../compat/lib/harness.mjs');
    const topic = `test.${world.id}.late`;
    world.config.kafka.topics = [`^test\\.${world.id}\\.[a-z]+$`];
    world.config.kafka.properties = ['topic.metadata.refresh.interval.ms=500'];
    try {
      await world.open();
      await createTopics([topic, `${topic}.dlq`]);
      const pong = await world.client.call('storage.ping', {}, { topic });
      assert.equal(pong.schemaName, world.schema);
      assert.ok(schemas());
    } finally {
      await world.close();
      await withAdmin((admin) => admin.deleteTopics({ topics: [topic, `${topic}.dlq`] }).catch(() => {}));
    }
  });
});

// Order within a partition: whatever the worker folds and batches, each command sees the effects of
// the commands before it. A model in JavaScript predicts every reply.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, content } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, sql, until, withAdmin, World } from '../compat/lib/harness.mjs';

const PARTITIONS = 4;
const world = new World({ name: 'order', partitions: PARTITIONS });
before(() => world.open());
after(async () => {
  await world.close();
  await closeShared();
});

// Returns the same numbers for the same seed (mulberry32), so that a failure can be reproduced.
function random(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

// A partition with few threads and messages, so that commands often touch the same rows.
class Model {
  constructor(prefix, seed, { messages = 6, atOnce = 2 } = {}) {
    Object.assign(this, { prefix, messageCount: messages, atOnce });
    this.next = random(seed);
    this.threads = new Map();
    this.messages = new Map();
    this.clock = 0;
  }

  // Returns one random command and a check of its reply: [command, args, check].
  step() {
    this.clock++;
    const t = `${this.prefix}-t${this.next(4)}`;
    const anyMessage = () => `${this.prefix}-m${this.next(this.messageCount)}`;
    const thread = this.threads.get(t);
    switch (this.next(12)) {
      case 0:
      case 1:
      case 2: {
        const made = { id: t, resourceId: this.prefix, title: `n${this.clock}`, createdAt: at(0), updatedAt: at(this.clock), metadata: { n: this.clock } };
        this.threads.set(t, made);
        const given = { ...made }; // a copy, because later steps change `made`
        return ['memory.saveThread', { thread: given }, (result) => assert.equal(result.title, given.title)];
      }
      case 3:
      case 4: {
        if (!thread) return ['memory.updateThread', { id: t, title: 'x' }, 'NOT_FOUND'];
        thread.title = `u${this.clock}`;
        thread.metadata = { ...thread.metadata, [`k${this.next(3)}`]: this.clock };
        const { title, metadata } = thread;
        return ['memory.updateThread', { id: t, title, metadata }, (result) => assert.deepEqual([result.title, result.metadata], [title, metadata])];
      }
      case 5: {
        this.threads.delete(t);
        for (const [id, one] of this.messages) if (one.threadId === t) this.messages.delete(id);
        return ['memory.deleteThread', { threadId: t }, () => {}];
      }
      case 6:
      case 7:
      case 8: {
        const list = Array.from({ length: 1 + this.next(this.atOnce) }, anyMessage).map((id) => ({ id, threadId: t, resourceId: this.prefix,
          role: 'user', type: 'v2', createdAt: at(this.clock), content: content(`c${this.clock}`) }));
        if (!thread) return ['memory.saveMessages', { messages: list }, 'NOT_FOUND'];
        for (const one of list) this.messages.set(one.id, { threadId: t, text: `c${this.clock}` });
        return ['memory.saveMessages', { messages: list }, (result) => assert.equal(result.messages.length, new Set(list.map((one) => one.id)).size)];
      }
      case 9: {
        const ids = [anyMessage(), anyMessage()];
        for (const id of ids) this.messages.delete(id);
        return ['memory.deleteMessages', { messageIds: ids }, () => {}];
      }
      case 10: {
        const expected = thread && [thread.title, { ...thread.metadata }];
        return ['memory.getThreadById', { threadId: t }, (result) => assert.deepEqual(result && [result.title, result.metadata], expected)];
      }
      default: {
        const expected = [...this.messages].filter(([, one]) => one.threadId === t).map(([id, one]) => `${id}=${one.text}`).sort();
        return ['memory.listMessages', { threadId: t, perPage: false },
          (result) => assert.deepEqual(result.messages.map((one) => `${one.id}=${one.content.content}`).sort(), expected)];
      }
    }
  }
}

async function play(models, rounds, { client, chunk = 500 }) {
  const list = [];
  const checks = [];
  for (let i = 0; i < rounds; i++) {
    for (const [partition, model] of models.entries()) {
      const [command, args, check] = model.step();
      const correlationId = `${model.prefix}-${i}`;
      list.push({ command, args, key: model.prefix, partition, correlationId });
      checks.push({ label: `${partition}/${i} ${command}`, check, answer: client.expect(correlationId, command) });
    }
  }
  for (let i = 0; i < list.length; i += chunk) await client.post(list.slice(i, i + chunk));
  const replies = await Promise.all(checks.map(({ answer }) => answer));
  for (const [i, { label, check }] of checks.entries()) {
    const { schema, decoded } = replies[i];
    const failed = schema.name === 'mastra.Error';
    if (typeof check === 'string') assert.equal(decoded.category, check, label);
    else {
      assert.ok(!failed, `${label}: ${JSON.stringify(decoded)}`);
      try {
        check(decoded.result);
      } catch (error) {
        throw new Error(`${label}: ${error.message}`, { cause: error });
      }
    }
  }
}

async function sameRows(models) {
  for (const model of models) {
    const threads = await sql(`SELECT id, title, metadata FROM "${world.schema}".mastra_threads WHERE "resourceId" = $1 ORDER BY id`, [model.prefix]);
    assert.deepEqual(threads, [...model.threads.values()].map(({ id, title, metadata }) => ({ id, title, metadata })).sort((a, b) => (a.id < b.id ? -1 : 1)));
    const messages = await sql(`SELECT id, thread_id AS "threadId", content::json ->> 'content' AS text FROM "${world.schema}".mastra_messages WHERE "resourceId" = $1 ORDER BY id`, [model.prefix]);
    assert.deepEqual(messages, [...model.messages].map(([id, one]) => ({ id, ...one })).sort((a, b) => (a.id < b.id ? -1 : 1)));
  }
}

describe('order', () => {
  for (const seed of [1, 2, 3]) {
    test(`mixed commands in one partition, seed ${seed}`, async () => {
      const models = [new Model(newId(), seed)];
      await play(models, 1500, { client: world.client });
      await sameRows(models);
    });
  }

  test('dozens of messages, some existing and some new', async () => {
    const models = [11, 12].map((seed) => new Model(newId(), seed, { messages: 200, atOnce: 60 }));
    await play(models, 400, { client: world.client });
    await sameRows(models);
    assert.ok(await world.worker.metric('stowage_optimistic_insert_retries_total') > 0, 'an optimistic insert was retried');
  });

  test('mixed commands in four partitions in parallel', async () => {
    const models = Array.from({ length: PARTITIONS }, (_, i) => new Model(newId(), 100 + i));
    await play(models, 700, { client: world.client });
    await sameRows(models);
  });

  test('a long run of one kind loses no update', async () => {
    // The worker folds consecutive updates of one row.
    const id = newId();
    const list = [{ command: 'memory.saveThread', args: { thread: { id, resourceId: id, title: '0', createdAt: at(0), updatedAt: at(0) } }, key: id }];
    for (let i = 1; i <= 500; i++) list.push({ command: 'memory.updateThread', args: { id, metadata: { [`k${i}`]: i } }, key: id });
    await world.client.post(list);
    const { metadata } = await world.client.call('memory.getThreadById', { threadId: id }, { key: id });
    assert.equal(Object.keys(metadata).length, 500);
  });

  test('commands see each other when the client awaits each reply', async () => {
    const model = new Model(newId(), 7);
    for (let i = 0; i < 100; i++) await play([model], 1, { client: world.client }).catch((error) => {
      throw new Error(`step ${i}: ${error.message}`, { cause: error });
    });
    await sameRows([model]);
  });

  test('several batches of one partition do not overtake each other', async () => {
    const small = new World({ name: 'small-batches', config: { batch: { maxCommands: 3 } } });
    try {
      await small.open();
      const id = newId();
      const list = Array.from({ length: 400 }, (_, i) => ({ command: 'memory.saveThread', key: id, args: { thread: { id, resourceId: id, title: `n${i}`, createdAt: at(0), updatedAt: at(i) } } }));
      await small.client.post(list);
      assert.equal((await small.client.call('memory.getThreadById', { threadId: id }, { key: id })).title, 'n399');
    } finally {
      await small.close();
    }
  });

  test('a call may send any number of statements after its first result', async () => {
    // The worker folds upserts into many indexes. The folded call looks up all tables, then writes
    // one after the other.
    const key = newId();
    const names = Array.from({ length: 150 }, (_, i) => `many_${i}`);
    const post = (command, argsOf) => world.client.post(names.map((indexName) => ({ command, key, partition: 0, args: { indexName, ...argsOf(indexName) } })));
    await post('vectors.createIndex', () => ({ dimension: 2, indexConfig: { type: 'flat' }, buildIndex: false }));
    await post('vectors.upsert', (name) => ({ vectors: [[1, 2]], ids: [name] }));
    for (const indexName of [names[0], names.at(-1)]) {
      const found = await world.client.call('vectors.query', { indexName, queryVector: [1, 2], topK: 5 }, { key, partition: 0 });
      assert.deepEqual(found.map(({ id }) => id), [indexName]);
    }
  });

  test('only committed commands of transactions take effect, despite gaps in the offsets', async () => {
    const id = newId();
    const producer = world.client.kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    const command = (name, args) => ({ key: id, partition: 0, value: world.client.schemas.encode(name, args) });
    await producer.connect();
    try {
      for (let i = 0; i < 60; i++) {
        const transaction = await producer.transaction();
        await transaction.send({ topic: world.topic, acks: -1, messages: [
          command('memory.saveThread', { thread: { id: `${id}-${i}`, resourceId: id, title: id, createdAt: at(0), updatedAt: at(0) } }),
          command('memory.updateThread', { id: `${id}-${i}`, metadata: { i } }),
        ] });
        await (i % 3 === 1 ? transaction.abort() : transaction.commit());
      }
    } finally {
      await producer.disconnect();
    }
    const { threads } = await world.client.call('memory.listThreads', { filter: { resourceId: id }, perPage: -1 }, { key: id, partition: 0 });
    assert.deepEqual(threads.map((thread) => thread.metadata.i).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 3 !== 1));
  });

  test('a transaction\'s control record counts as applied, also when retention deletes it', async () => {
    const id = newId();
    const lane = async () => {
      const [{ applied, answered }] = await sql(`SELECT applied::int, answered::int FROM "${world.schema}".stowage_offsets WHERE topic = $1 AND partition = 0`, [world.topic]);
      return [applied, answered];
    };
    const end = async () => Number((await withAdmin((admin) => admin.fetchTopicOffsets(world.topic))).find(({ partition }) => partition === 0).high);
    const producer = world.client.kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: world.topic, acks: -1, messages: [{ partition: 0, value: world.client.schemas.encode('memory.saveThread',
      { thread: { id, resourceId: id, title: id, createdAt: at(0), updatedAt: at(0) } }) }] });
    await transaction.commit();
    await producer.disconnect();
    const high = await end();
    await until('the stored offset is at the end', async () => (await lane()).every((offset) => offset === high));
    await until('there is no lag', async () => await world.worker.metric('stowage_lag') === 0);
    // Retention deletes all messages, and another worker claims the partition.
    await withAdmin(async (admin) => {
      await admin.fetchTopicOffsets(world.topic); // makes kafkajs fetch the topic's metadata
      await admin.deleteTopicRecords({ topic: world.topic, partitions: [{ partition: 0, offset: String(high) }] });
    });
    await world.worker.stop();
    world.worker = await world.startWorker();
    assert.equal((await world.client.call('memory.getThreadById', { threadId: id }, { partition: 0 })).id, id);
    assert.equal(await world.worker.metric('stowage_partitions_stopped'), 0);
  });

  test('the outbox is empty at the end', async () => {
    await until('the outbox is empty', async () => {
      const [{ count }] = await sql(`SELECT count(*)::int FROM "${world.schema}".stowage_outbox`);
      return count === 0;
    });
  });
});

// "Newest first" among rows that many commands made in one millisecond.
describe('rows without a time of their own', () => {
  const COUNT = 200;
  const numbers = Array.from({ length: COUNT }, (_, n) => n);
  const newestFirst = [...numbers].reverse();
  const key = 'one partition';

  // Sends the commands at once, and waits for the answers.
  async function together(command, make) {
    const list = numbers.map((n) => ({ command, args: make(n), key, correlationId: newId() }));
    const answers = list.map(({ correlationId }) => world.client.expect(correlationId, command));
    await world.client.post(list);
    for (const { schema, decoded } of await Promise.all(answers)) assert.notEqual(schema.name, 'mastra.Error', JSON.stringify(decoded));
  }

  test('scores', async () => {
    const runId = newId();
    // Ids that sort by chance, as a client's random ones do.
    const ids = numbers.map(() => newId());
    await together('scores.saveScore', (n) => ({ id: ids[n], scorerId: 's', entityId: 'e', runId, output: 1, score: n, scorer: {}, source: 'LIVE', entity: {} }));
    const { scores } = await world.client.call('scores.listScoresByRunId', { runId, pagination: { page: 0, perPage: COUNT } });
    assert.deepEqual(scores.map((one) => one.score), newestFirst);
  });

  test('workflow runs, up to the last millisecond', async () => {
    const workflowName = newId();
    const ids = numbers.map(() => newId());
    await together('workflows.persistWorkflowSnapshot', (n) => ({ workflowName, runId: ids[n], snapshot: { context: {}, n } }));
    const { runs } = await world.client.call('workflows.listWorkflowRuns', { workflowName });
    assert.deepEqual(runs.map((one) => ids.indexOf(one.runId)), newestFirst);
    const { total } = await world.client.call('workflows.listWorkflowRuns',
      { workflowName, fromDate: runs.at(-1).createdAt, toDate: runs[0].createdAt, page: 0, perPage: 1 });
    assert.equal(total, COUNT);
  });

  test('threads by their last change', async () => {
    const resourceId = newId();
    const ids = numbers.map(() => newId());
    await together('memory.saveThread', (n) => ({ thread: { id: ids[n], resourceId, title: 't', createdAt: at(0), updatedAt: at(0), metadata: {} } }));
    await together('memory.updateThread', (n) => ({ id: ids[n], title: `t${n}`, metadata: {} }));
    const { threads } = await world.client.call('memory.listThreads',
      { filter: { resourceId }, perPage: COUNT, orderBy: { field: 'updatedAt', direction: 'DESC' } });
    assert.deepEqual(threads.map((one) => one.title), newestFirst.map((n) => `t${n}`));
    await together('memory.saveMessages', (n) => ({ messages: [{ id: newId(), threadId: ids[COUNT - 1 - n], resourceId, role: 'user', type: 'v2', createdAt: at(n), content: content('x') }] }));
    const again = await world.client.call('memory.listThreads', { filter: { resourceId }, perPage: COUNT, orderBy: { field: 'updatedAt', direction: 'DESC' } });
    assert.deepEqual(again.threads.map((one) => one.title), numbers.map((n) => `t${n}`));
  });
});

// Reads that index.json does not mark as detached stay in the order of their partition.
describe('reads show exactly the writes before them, sent without waiting', () => {
  const key = 'one partition';

  // Sends commands at once; each read is followed by what it must answer.
  async function sequence(steps) {
    const list = steps.map(([command, args]) => ({ command, args, key, correlationId: newId() }));
    const answers = list.map(({ correlationId, command }) => world.client.expect(correlationId, command));
    await world.client.post(list);
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      const [command, , seen, expected] = steps[i];
      assert.notEqual(answer.schema.name, 'mastra.Error', `${i} ${command}: ${JSON.stringify(answer.decoded)}`);
      if (seen) assert.deepEqual(seen(answer.decoded.result), expected, `${i} ${command}`);
    }
  }

  test('scores of a span', async () => {
    const traceId = newId();
    const save = (n) => ['scores.saveScore', { id: `${traceId}-${n}`, traceId, spanId: 's', scorerId: 's', entityId: 'e', runId: 'r', output: 1, score: n, scorer: {}, source: 'LIVE', entity: {} }];
    const list = (...expected) => ['scores.listScoresBySpan', { traceId, spanId: 's', pagination: { page: 0, perPage: 100 } }, (page) => page.scores.map((one) => one.score), expected];
    await sequence([list(), save(1), list(1), save(2), save(3), list(3, 2, 1), list(3, 2, 1), save(4), list(4, 3, 2, 1)]);
  });

  test('traces', async () => {
    const traceId = newId();
    const create = (spanId) => ['observability.createSpan', { span: { traceId, spanId, name: spanId, spanType: 'generic', isEvent: false, startedAt: at(1) } }];
    const get = (...expected) => ['observability.getTrace', { traceId }, (trace) => (trace?.spans ?? []).map((one) => one.name), expected];
    await sequence([get(), create('z'), get('z'), create('a'), get('z', 'a'), ['observability.updateSpan', { traceId, spanId: 'a', updates: { name: 'b' } }], get('z', 'b'),
      ['observability.batchDeleteTraces', { traceIds: [traceId] }], get(), create('c'), get('c')]);
  });

  test('workflow runs', async () => {
    const runId = newId();
    const persist = (n) => ['workflows.persistWorkflowSnapshot', { workflowName: 'w', runId, snapshot: { context: {}, n } }];
    const load = (expected) => ['workflows.loadWorkflowSnapshot', { workflowName: 'w', runId }, (snapshot) => snapshot?.n, expected];
    await sequence([load(undefined), persist(1), load(1), persist(2), persist(3), load(3), ['workflows.deleteWorkflowRunById', { workflowName: 'w', runId }], load(undefined), persist(4), load(4)]);
  });
});

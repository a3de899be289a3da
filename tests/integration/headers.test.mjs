// Headers: the target and the content of a reply, and the headers that stop a command before it
// runs.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Schema } from '../compat/lib/avro.mjs';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, createTopics, newId, readTopic, schemas, until, withAdmin, WORK, World } from '../compat/lib/harness.mjs';
import { NULL_HEADER } from '../compat/lib/null-header.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';

const time = { type: 'long', logicalType: 'timestamp-millis' };
// A schema as of an earlier release: it lacks fields.
const OLDER = { type: 'record', name: 'GetThreadById', namespace: 'mastra.memory', fields: [{ name: 'threadId', type: 'string' }] };
// A schema as of a later release: it has unknown fields, narrower types and another order.
const NEWER = { type: 'record', name: 'SaveThread', namespace: 'mastra.memory', fields: [
  { name: 'novelty', type: { type: 'array', items: { type: 'map', values: 'double' } } },
  { name: 'thread', type: { type: 'record', name: 'Thread', fields: [
    { name: 'updatedAt', type: time }, { name: 'createdAt', type: 'int' }, { name: 'resourceId', type: 'string' },
    { name: 'extra', type: ['null', 'bytes'], default: null }, { name: 'title', type: 'string' }, { name: 'id', type: 'string' } ] } },
] };

const folder = join(WORK, 'older-schemas');
mkdirSync(folder, { recursive: true });
const world = new World({ name: 'headers', config: { schemas: { directory: folder } } });
let client;
let dead;
before(async () => {
  writeFileSync(join(folder, 'older.avsc'), JSON.stringify(OLDER));
  writeFileSync(join(folder, 'newer.avsc'), JSON.stringify(NEWER));
  await world.open();
  client = await world.connect({ partitions: 3 });
  dead = await world.tail();
  await client.call('memory.saveThread', { thread: thread('t1') });
});
after(async () => {
  await world.close();
  await closeShared();
});

const get = (options = {}) => client.send('memory.getThreadById', { threadId: 't1' }, options);
// Saves a thread. If the thread is missing, the worker did not run the command.
const saving = (id, options) => client.post([{ command: 'memory.saveThread', args: { thread: thread(id) }, key: id, ...options }]);
const present = async (id) => (await client.call('memory.getThreadById', { threadId: id }, { key: id })) !== undefined;

describe('headers beyond a limit', () => {
  const CASES = {
    'too many': Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`h${i}`, 'x'])),
    'too large': { baggage: 'x'.repeat(70_000) },
  };
  for (const [name, given] of Object.entries(CASES)) {
    test(name, async () => {
      const mark = newId();
      const headers = { mark, ...given };
      const error = (await saving(mark, { headers, correlationId: mark }), await client.expect(mark)).decoded;
      assert.equal(error.code, 'HEADERS_BEYOND_LIMIT');
      assert.equal(error.category, 'INVALID');
      const letter = await dead.find(`the dead letter of ${mark}`, (m) => m.text.mark === mark);
      for (const [key, value] of Object.entries(headers)) assert.equal(letter.text[key], value);
      assert.equal(await present(mark), false);
    });
  }

  test('headers within the limits are no matter', async () => {
    const headers = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`h${i}`, 'x'.repeat(500)]));
    assert.equal(headerText((await get({ headers })).headers, 'status'), 'ok');
  });
});

describe('a reply', () => {
  test('has the command\'s key, name and status', async () => {
    const reply = await get({ key: 'the key' });
    assert.equal(reply.key.toString(), 'the key');
    assert.equal(headerText(reply.headers, 'command'), 'memory.getThreadById');
    assert.equal(headerText(reply.headers, 'status'), 'ok');
    const failed = await client.send('memory.updateThread', { id: 'none' });
    assert.equal(headerText(failed.headers, 'status'), 'error');
    assert.equal(headerText(failed.headers, 'command'), 'memory.updateThread');
    assert.equal(failed.decoded.code, 'THREAD_NOT_FOUND');
  });

  test('has no key if the command had none', async () => {
    assert.equal((await get({ key: undefined })).key, null);
    const empty = await get({ key: Buffer.alloc(0) });
    assert.equal(empty.key?.length ?? 0, 0);
  });

  test('has the unchanged correlation id, which may be any bytes', async () => {
    for (const id of [randomBytes(16), Buffer.from([0, 1, 2, 0]), Buffer.alloc(0), Buffer.from('Grüße'), randomBytes(5000)]) {
      const mark = newId();
      await client.producer.send({ topic: world.topic, messages: [{ key: mark, value: schemas().encode('storage.ping'),
        headers: { 'reply-to': client.replyTopic, 'correlation-id': id } }] });
      const reply = await until('the reply', () => client.replies.find((r) => r.key?.toString() === mark));
      assert.deepEqual(Buffer.from(reply.headers['correlation-id']), id);
    }
  });

  test('has the trace context', async () => {
    const context = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'vendor=1,other=x' };
    const reply = await get({ headers: context });
    for (const [name, value] of Object.entries(context)) assert.equal(headerText(reply.headers, name), value);
    const failed = await client.send('memory.updateThread', { id: 'none' }, { headers: context });
    assert.equal(headerText(failed.headers, 'traceparent'), context.traceparent);
  });

  test('goes to the requested partition', async () => {
    for (const partition of [2, 0, 1]) assert.equal((await get({ headers: { 'reply-partition': String(partition) } })).partition, partition);
  });

  test('with a partition that is not a number or does not exist', async () => {
    for (const given of ['x', '-1', '', '1.5', '99', '99999999999999999999']) {
      const id = newId();
      await saving(id, { headers: { 'reply-to': client.replyTopic, 'correlation-id': id, 'reply-partition': given } });
      // The command gets a reply or a dead letter, and the next command works.
      await until('a reply or a dead letter', () => dead.messages.some((m) => m.key?.toString() === id) ||
        client.replies.some((r) => headerText(r.headers, 'correlation-id') === id));
      assert.ok(await present('t1'));
    }
  });

  test('comes as if a header with a null value were absent', async () => {
    for (const name of ['correlation-id', 'reply-partition', 'schema-name', 'deadline', 'traceparent', 'kafka_replyTopic']) {
      const mark = newId();
      await client.producer.send({ topic: world.topic, messages: [{ key: mark, value: schemas().encode('storage.ping'),
        headers: { 'reply-to': client.replyTopic, [name]: NULL_HEADER } }] });
      const reply = await until('the reply', () => client.replies.find((r) => r.key?.toString() === mark));
      assert.equal(headerText(reply.headers, 'status'), 'ok', name);
      assert.ok(!(name in reply.headers), name);
    }
    // A null reply-to hides no other reply topic.
    const mark = newId();
    await client.producer.send({ topic: world.topic, messages: [{ key: mark, value: schemas().encode('storage.ping'),
      headers: { 'reply-to': NULL_HEADER, kafka_replyTopic: client.replyTopic, kafka_correlationId: 'x' } }] });
    await until('the reply', () => client.replies.find((r) => r.key?.toString() === mark));
  });

  test('is not sent if the reply topic is null', async () => {
    const one = newId();
    await client.producer.send({ topic: world.topic, messages: [{ key: one, headers: { 'reply-to': NULL_HEADER, 'correlation-id': 'x' },
      value: schemas().encode('memory.saveThread', { thread: thread(one) }) }] });
    assert.ok(await present(one));
  });

  test('is not sent without a reply topic', async () => {
    const id = newId();
    await saving(id);
    assert.ok(await present(id));
    assert.ok(!client.replies.some((r) => r.key?.toString() === id && headerText(r.headers, 'command') === 'memory.saveThread'));
  });
});

describe('a reply topic', () => {
  for (const [name, topic, make] of [
    ['outside the allow-list', () => `other.${newId()}`, true],
    ['outside the allow-list, a command topic', () => world.topic, false],
    ['that does not exist', () => `mastra.replies.none-${newId()}`, false],
    ['with a name that Kafka rejects', () => 'mastra.replies./../x', false],
    ['with an empty name', () => '', false],
  ]) {
    test(`${name}: the command becomes a dead letter without running`, async () => {
      const target = topic();
      if (make) await createTopics(target);
      const id = newId();
      await saving(id, { headers: { 'reply-to': target, 'correlation-id': id } });
      const letter = await dead.find('the dead letter', (m) => m.key?.toString() === id);
      assert.equal(letter.text['reply-to'], target);
      assert.match(letter.text['__connect.errors.exception.class.name'], /REPLY/);
      assert.equal(await present(id), false);
      if (make) {
        assert.deepEqual(await readTopic(target), []);
        await withAdmin((admin) => admin.deleteTopics({ topics: [target] }));
      }
      await world.worker.logged(/reply/i);
    });
  }
});

describe('other frameworks', () => {
  const ask = async (headers) => {
    const mark = newId();
    await client.producer.send({ topic: world.topic, messages: [{ key: mark, value: schemas().encode('memory.getThreadById', { threadId: 't1' }), headers }] });
    return until('the reply', () => client.replies.find((r) => r.key?.toString() === mark));
  };

  test('Spring: binary correlation id and partition', async () => {
    const id = randomBytes(16);
    const reply = await ask({ kafka_replyTopic: client.replyTopic, kafka_correlationId: id, kafka_replyPartition: Buffer.from([0, 0, 0, 2]) });
    assert.deepEqual(Buffer.from(reply.headers.kafka_correlationId), id);
    assert.equal(reply.partition, 2);
    assert.equal(schemas().decode(reply.value).value.result.id, 't1');
  });

  test('NestJS: text correlation id and partition', async () => {
    const reply = await ask({ kafka_replyTopic: client.replyTopic, kafka_correlationId: 'abc123', kafka_replyPartition: '1' });
    assert.equal(headerText(reply.headers, 'kafka_correlationId'), 'abc123');
    assert.equal(reply.partition, 1);
    assert.ok('kafka_nest-is-disposed' in reply.headers);
    assert.ok(!('kafka_nest-err' in reply.headers));
  });

  test('NestJS: an error has a header, too', async () => {
    const mark = newId();
    await client.producer.send({ topic: world.topic, messages: [{ key: mark, value: schemas().encode('memory.updateThread', { id: 'none' }),
      headers: { kafka_replyTopic: client.replyTopic, kafka_correlationId: 'x', kafka_replyPartition: '0' } }] });
    const reply = await until('the reply', () => client.replies.find((r) => r.key?.toString() === mark));
    assert.match(headerText(reply.headers, 'kafka_nest-err'), /THREAD_NOT_FOUND/);
  });

  test('their reply topic must be allowed, too', async () => {
    const id = newId();
    await saving(id, { headers: { kafka_replyTopic: world.dlq, kafka_correlationId: 'x' } });
    await dead.find('the dead letter', (m) => m.key?.toString() === id);
    assert.equal(await present(id), false);
  });
});

describe('a deadline', () => {
  test('in the past is TIMEOUT, and the command does not run', async () => {
    const id = newId();
    await assert.rejects(client.call('memory.saveThread', { thread: thread(id) }, { headers: { deadline: String(Date.now() - 1) } }), { category: 'TIMEOUT' });
    assert.equal(await present(id), false);
    await saving(id, { headers: { deadline: '1' } });
    await dead.find('the dead letter', (m) => m.key?.toString() === id);
    assert.equal(await present(id), false);
  });
  test('in the future changes nothing', async () => {
    const id = newId();
    await client.call('memory.saveThread', { thread: thread(id) }, { headers: { deadline: String(Date.now() + 3_600_000) } });
    assert.ok(await present(id));
  });
  test('that is not a number is INVALID', async () => {
    for (const deadline of ['tomorrow', '', '-5', '1e9']) {
      await assert.rejects(client.call('storage.ping', {}, { headers: { deadline } }), { category: 'INVALID' });
    }
  });
});

describe('a PostgreSQL schema in the headers', () => {
  test('that is not allowed is INVALID', async () => {
    const id = newId();
    await assert.rejects(client.call('memory.saveThread', { thread: thread(id) }, { headers: { 'schema-name': 'pg_catalog' } }), { category: 'INVALID' });
    assert.equal(await present(id), false);
  });
});

describe('schemas of other releases', () => {
  test('an older one: missing fields get their defaults', async () => {
    const reply = await client.exchange(new Schema(OLDER).encode({ threadId: 't1' }), { key: 'k', command: 'memory.getThreadById' });
    assert.equal(reply.decoded.result.id, 't1');
  });
  test('a newer one: the worker skips unknown fields, widens numbers and ignores the order', async () => {
    const id = newId();
    const value = new Schema(NEWER).encode({ novelty: [{ a: 1.5, b: 2 }, {}], thread: { id, title: 'newer', resourceId: 'r1', createdAt: 1000, updatedAt: new Date(2000), extra: Buffer.from('x') } });
    const reply = await client.exchange(value, { key: id, command: 'memory.saveThread' });
    assert.equal(reply.decoded.result.createdAt.getTime(), 1000);
    assert.deepEqual(await client.call('memory.getThreadById', { threadId: id }, { key: id }),
      { id, title: 'newer', resourceId: 'r1', createdAt: new Date(1000), updatedAt: new Date(2000) });
  });
  test('one added while the worker runs is known after SIGHUP', async () => {
    const late = { ...OLDER, fields: [{ name: 'threadId', type: 'string' }, { name: 'comment', type: 'string' }] };
    const value = new Schema(late).encode({ threadId: 't1', comment: 'late' });
    const before = await client.exchange(value, { key: 'late' });
    assert.equal(before.schema.name, 'mastra.Error');
    writeFileSync(join(folder, 'late.avsc'), JSON.stringify(late));
    world.worker.child.kill('SIGHUP');
    await until('the schema is known', async () => (await client.exchange(value, { key: 'late' })).schema.name !== 'mastra.Error');
  });
});

// Commands in JSON, for people and shell scripts: the header `command` names the command, the value is its request,
// and the reply is JSON too.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, sql, stowage, stowageAsync, until, World } from '../compat/lib/harness.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';

let world;
let client;
before(async () => {
  world = await new World({ name: 'json', partitions: 2, config: { replies: { maxBytes: 20_000 }, limits: { messageBytes: 100_000, stringBytes: 50_000 } } }).open();
  client = world.client;
  await sql('CREATE EXTENSION IF NOT EXISTS vector');
});
after(async () => {
  await world?.close();
  await closeShared();
});

const JSON_HEADERS = { 'content-type': 'application/json' };
const send = (command, request, { headers, ...options } = {}) =>
  client.exchange(typeof request === 'string' || Buffer.isBuffer(request) ? request : JSON.stringify(request), { command, headers: { ...JSON_HEADERS, command, ...headers }, ...options });
const call = async (command, request, options) => {
  const reply = await send(command, request, options);
  assert.equal(headerText(reply.headers, 'status'), 'ok', reply.value.toString());
  return reply.decoded.result;
};
const fails = async (command, request, code, pattern, options) => {
  const { headers, decoded } = await send(command, request, options);
  assert.equal(headerText(headers, 'status'), 'error');
  assert.equal(decoded.code, code, decoded.message);
  assert.match(decoded.message, pattern);
  return decoded;
};
const newThread = (id, over) => ({ thread: { ...thread(id), createdAt: '2026-01-31', updatedAt: 1_767_000_000_000, ...over } });

describe('a command in JSON', () => {
  test('has the effect of the same command in Avro, and is answered in JSON', async () => {
    const id = newId();
    const request = newThread(id, { title: 'Tür ☃', metadata: { deep: [1.50, { a: null }], '"': 'é' } });
    const reply = await send('memory.saveThread', request, { key: id });
    assert.equal(headerText(reply.headers, 'content-type'), 'application/json');
    assert.equal(headerText(reply.headers, 'command'), 'memory.saveThread');
    assert.equal(reply.key.toString(), id);
    assert.equal(reply.decoded.result.createdAt, '2026-01-31T00:00:00.000Z');
    const seen = await client.call('memory.getThreadById', { threadId: id });
    assert.deepEqual(seen.metadata, request.thread.metadata);
    assert.equal(seen.createdAt.getTime(), Date.UTC(2026, 0, 31));
    assert.deepEqual(await call('memory.getThreadById', { threadId: id }), { ...reply.decoded.result });
  });

  test('gives what `stowage send` prints for it', async () => {
    const id = newId();
    await call('memory.saveThread', newThread(id));
    await call('memory.saveMessages', { messages: [{ ...message(`${id}-m`, id), createdAt: '2026-01-31T10:00:00+02:00' }] });
    for (const [command, request] of [['memory.listMessages', { threadId: [id] }], ['memory.getThreadById', { threadId: 'none' }], ['storage.ping', {}]]) {
      const printed = await stowageAsync(['send', command, JSON.stringify(request), '--topic', world.topic, '--reply-topic', client.replyTopic, '--format', 'json'],
        { env: { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema } });
      assert.equal(printed.code, 0, printed.stderr);
      const [own, other] = [await call(command, request), JSON.parse(printed.stdout)];
      if (own?.time) own.time = other.time;
      assert.deepEqual(own, other);
    }
  });

  test('stores bytes, numbers and defaults as Avro does', async () => {
    const hash = newId();
    await call('vectors.createIndex', { indexName: `i_${hash}`, dimension: 2.0, buildIndex: false });
    assert.deepEqual(await call('vectors.upsert', { indexName: `i_${hash}`, vectors: [[1, 0.1], [1e0, -2]], ids: ['a', 'b'] }), ['a', 'b']);
    const [found] = await call('vectors.query', { indexName: `i_${hash}`, queryVector: [1, 0.1], topK: 1, includeVector: true });
    assert.equal(found.id, 'a');
    assert.equal(Math.fround(found.vector[1]), Math.fround(0.1));
  });

  test('is answered when its index is built, still in JSON', async () => {
    const indexName = `b_${newId()}`;
    const reply = await send('vectors.createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } });
    assert.equal(headerText(reply.headers, 'content-type'), 'application/json');
    assert.equal(reply.value.toString(), '{"result":null}');
    await fails('vectors.buildIndex', { indexName: 'nowhere', metric: 'cosine', indexConfig: { type: 'hnsw' } }, 'INDEX_NOT_FOUND', /nowhere/);
  });

  test('needs both headers; without them the value must be Avro', async () => {
    const id = newId();
    for (const headers of [{ 'content-type': 'application/json' }, { command: 'memory.getThreadById' }, { command: 'memory.getThreadById', 'content-type': 'application/jsonp' }]) {
      const reply = await client.exchange('{"threadId":"x"}', { headers });
      assert.equal(reply.decoded.code, 'UNKNOWN_FRAMING');
    }
    const avro = await client.send('memory.getThreadById', { threadId: id }, { headers: { 'content-type': 'application/json' } });
    assert.equal(headerText(avro.headers, 'content-type'), undefined);
    assert.equal((await send('storage.ping', {}, { headers: { 'content-type': 'Application/JSON; charset=utf-8' } })).decoded.result.schemaName, world.schema);
  });

  test('answers in the names of Spring and NestJS', async () => {
    const id = newId();
    const answer = client.expect(id, 'storage.ping');
    await client.producer.send({ topic: world.topic, messages: [{ value: '{}', headers: { ...JSON_HEADERS, command: 'storage.ping',
      kafka_replyTopic: client.replyTopic, kafka_correlationId: id, kafka_replyPartition: '0' } }] });
    const reply = await answer;
    assert.equal(headerText(reply.headers, 'kafka_correlationId'), id);
    assert.equal(headerText(reply.headers, 'kafka_nest-is-disposed'), '1');
  });
});

describe('a mistake in JSON', () => {
  test('names the place and says what to do', async () => {
    await fails('memory.saveThread', '{"thread": {', 'BAD_JSON', /byte 12/);
    await fails('memory.saveThread', '', 'BAD_JSON', /byte 0/);
    await fails('memory.saveThread', '[]', 'REQUEST_MISFIT', /must be an object/);
    await fails('memory.saveThread', Buffer.from([0x22, 0xff, 0x22]), 'BAD_UTF8', /byte 1/);
    await fails('memory.saveThread', { thread: { ...newThread('x').thread, titel: 'x' } }, 'REQUEST_MISFIT', /thread has no property "titel"; did you mean "title"/);
    await fails('memory.saveThread', { thread: { id: 'x' } }, 'REQUEST_MISFIT', /thread\.title is missing|thread\.resourceId is missing/);
    await fails('memory.listThreads', { page: 1.5 }, 'REQUEST_MISFIT', /page is not a whole number/);
    await fails('memory.listThreads', { page: 2 ** 40 }, 'REQUEST_MISFIT', /page is out of range/);
    await fails('memory.deleteMessages', { messageIds: ['a', 7] }, 'REQUEST_MISFIT', /messageIds\[1\] is a number, it must be a text/);
    await fails('memory.saveThread', newThread('x', { createdAt: 'yesterday' }), 'REQUEST_MISFIT', /thread\.createdAt is not a time/);
    await fails('memory.saveThread', {}, 'UNKNOWN_COMMAND', /did you mean memory\.saveThread\?/, { headers: { command: 'memory.saveThreat' } });
  });

  test('also of the command itself is answered in JSON', async () => {
    const error = await fails('memory.updateThread', { id: 'none', title: 't', metadata: {} }, 'THREAD_NOT_FOUND', /none/);
    assert.deepEqual(Object.keys(error), ['code', 'category', 'message', 'retryable', 'details']);
    assert.equal(error.category, 'NOT_FOUND');
    assert.equal(typeof error.details, 'object');
  });

  test('meets the limits of any command', async () => {
    await fails('memory.getThreadById', { threadId: 'x'.repeat(60_000) }, 'LENGTH_BEYOND_LIMIT', /50000|limit/);
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    await fails('memory.saveThread', `{"thread":{"id":"x","resourceId":"r","title":"t","createdAt":1,"updatedAt":1,"metadata":${deep}}}`, 'DEPTH_BEYOND_LIMIT', /deep/);
    await fails('memory.saveMessages', `{"messages":[${'{},'.repeat(20_000)}{}]}`, 'REQUEST_MISFIT', /messages\[0\]\.id is missing/);
    await fails('memory.listThreads', { page: 0 }, 'DEADLINE_PASSED', /./, { headers: { deadline: '1' } });
    await fails('memory.listThreads', {}, 'SCHEMA_NOT_ALLOWED', /other/, { headers: { 'schema-name': 'other' } });
  });

  test('of a write whose reply is too large in JSON leaves nothing', async () => {
    const id = newId();
    // A control character takes one byte in Avro and six in JSON.
    const title = '\u0001'.repeat(5000);
    await fails('memory.saveThread', newThread(id, { title }), 'REPLY_TOO_LARGE', /JSON/);
    assert.equal(await client.call('memory.getThreadById', { threadId: id }), undefined);
    await client.call('memory.saveThread', { thread: thread(id, { title }) });
    await fails('memory.getThreadById', { threadId: id }, 'REPLY_TOO_LARGE', /JSON/);
  });

  test('becomes a dead letter as it came, which can be looked at and replayed', async () => {
    const id = newId();
    const post = (value, command) => client.producer.send({ topic: world.topic, messages: [{ key: id, partition: 0, value, headers: { ...JSON_HEADERS, command } }] });
    const request = JSON.stringify({ id, title: 'late', metadata: { a: 1 } });
    await post(request, 'memory.updateThread');
    await post('{"x": ', 'memory.saveThread');
    const tail = await world.tail();
    const letter = await tail.find('the dead letter', (m) => m.key?.toString() === id && m.text.command === 'memory.updateThread');
    assert.equal(letter.value.toString(), request);
    assert.equal(letter.text['content-type'], 'application/json');
    assert.equal(letter.text['__connect.errors.exception.class.name'], 'THREAD_NOT_FOUND');
    const bad = await tail.find('the other one', (m) => m.key?.toString() === id && m.text.command === 'memory.saveThread');
    assert.equal(bad.text['__connect.errors.exception.class.name'], 'BAD_JSON');
    assert.equal(bad.value.toString(), '{"x": ');

    const env = { STOWAGE_KAFKA_TOPICS: world.topic, STOWAGE_KAFKA_GROUP_ID: world.config.kafka.groupId, STOWAGE_POSTGRES_SCHEMA_NAME: world.schema };
    const listed = stowage(['dlq', 'list', '--topic', world.topic, '--command', 'memory.updateThread'], { env });
    assert.match(listed.stdout, /memory\.updateThread {2}THREAD_NOT_FOUND/, listed.stderr);
    const shown = stowage(['dlq', 'show', '--topic', world.topic, '--partition', String(letter.partition), '--offset', String(letter.offset)], { env });
    assert.match(shown.stdout, /request {4}memory\.updateThread\n\{\n {2}"id"/, shown.stderr);

    await client.call('memory.saveThread', { thread: thread(id) }, { partition: 0 });
    const replayed = stowage(['dlq', 'replay', '--topic', world.topic, '--command', 'memory.updateThread'], { env });
    assert.equal(replayed.code, 0, replayed.stderr);
    await until('the thread is updated', async () => (await client.call('memory.getThreadById', { threadId: id })).title === 'late');
  });
});

describe('JSON and', () => {
  test('idempotency keys: each is answered in its own framing, and Avro and JSON are the same request', async () => {
    const id = newId();
    const headers = { 'idempotency-key': id };
    const first = await call('memory.saveThread', newThread(id), { headers, partition: 0 });
    await client.call('memory.updateThread', { id, title: 'other', metadata: {} }, { partition: 0 });
    assert.deepEqual(await call('memory.saveThread', newThread(id), { headers, partition: 0 }), first);
    const avro = await client.call('memory.saveThread', { thread: { ...thread(id), createdAt: new Date('2026-01-31'), updatedAt: new Date(1_767_000_000_000) } }, { headers, partition: 0 });
    assert.equal(avro.title, first.title);
    await fails('memory.saveThread', newThread(id, { title: 'another' }), 'IDEMPOTENCY_KEY_REUSED', /key/, { headers, partition: 0 });
  });

  test('storage.transaction: its commands and results are JSON', async () => {
    const id = newId();
    const result = await call('storage.transaction', { commands: [
      { command: 'memory.saveThread', request: newThread(id) }, { command: 'memory.getThreadById', request: { threadId: id } }, { command: 'storage.ping' }] });
    assert.equal(result[0].result.id, id);
    assert.deepEqual(result[1].result, result[0].result);
    assert.equal(result[2].result.schemaName, world.schema);
    const error = await fails('storage.transaction', { commands: [{ command: 'memory.updateThread', request: { id: 'none', title: 't', metadata: {} } }] }, 'TRANSACTION_FAILED', /none/);
    assert.deepEqual(error.details, { index: 0, code: 'THREAD_NOT_FOUND' });
    await fails('storage.transaction', { commands: [{ command: 'memory.nothing' }] }, 'REQUEST_MISFIT', /names no command/);
    await fails('storage.transaction', { commands: [{ command: 'memory.getThreadById', request: { id } }] }, 'REQUEST_MISFIT', /has no property "id"/);
  });

  test('commands without a reply take effect', async () => {
    const id = newId();
    await client.producer.send({ topic: world.topic, messages: [{ key: id, value: JSON.stringify(newThread(id)), headers: { ...JSON_HEADERS, command: 'memory.saveThread' } }] });
    await until('the thread is there', () => client.call('memory.getThreadById', { threadId: id }));
  });
});

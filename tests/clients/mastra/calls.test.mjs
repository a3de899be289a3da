// How calls of the packed package begin and end: timeouts, retries, idempotency keys, fire and forget, close, large results.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createSilent } from 'node:net';
import { createServer } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { MastraError } from '@mastra/core/error';
import { KafkaStore, StowageError } from '@stowage/mastra';
import { closeShared, freePort, newId, readMessages, setTopicConfig, sql, until } from '../../compat/lib/harness.mjs';
import { ClientWorld, failure, thread } from './world.mjs';

const SHORT_MS = 300;
let world;
before(async () => { world = await new ClientWorld({ partitions: 1 }).open({ start: false }); });
after(async () => {
  await world?.close();
  await closeShared();
});

const count = async (table) => Number((await sql(`SELECT count(*) FROM "${world.schema}".${table}`))[0].count);
const headersOf = ({ headers }) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

// The library itself gives a request half a minute.
test('a broker that takes connections and stays silent: deliveryTimeout ends what waits for it', { timeout: 20_000 }, async () => {
  const sockets = new Set();
  const silent = createSilent((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const store = new KafkaStore({ brokers: [`127.0.0.1:${silent.address().port}`], deliveryTimeout: SHORT_MS });
  const memory = await store.getStore('memory');
  const error = await failure(memory.with({ fireAndForget: true }).saveThread({ thread: thread() }));
  assert.deepEqual([error.code, error.category, error.retryable], ['KAFKA_UNAVAILABLE', 'UNAVAILABLE', true]);
  for (const socket of sockets) socket.destroy();
  silent.close();
  await store.close();
});

// The tests of this group run in their order: first without a worker, then with one.
describe('without a worker', () => {
  test('a call ends with TIMEOUT, and the command is not begun later', async () => {
    const memory = await world.store({ timeout: SHORT_MS }).getStore('memory');
    const error = await failure(memory.saveThread({ thread: thread({ id: 'late' }) }));
    assert.ok(error instanceof StowageError);
    assert.deepEqual({ code: error.code, category: error.category, retryable: error.retryable }, { code: 'NO_REPLY', category: 'TIMEOUT', retryable: true });
    const [message] = await readMessages(world.topic, 1);
    const { deadline, 'reply-to': replyTo, ...headers } = headersOf(message);
    assert.equal(replyTo, world.replyTopic);
    assert.ok(Number(deadline) > 0 && headers['reply-partition'] && headers['correlation-id']);
    assert.equal(headers['idempotency-key'], undefined);
  });

  test('a write that may go again carries one idempotency key, and takes effect once when a worker comes', async () => {
    const datasets = await world.store({ timeout: 2000, retries: 50 }).getStore('datasets');
    const made = datasets.createDataset({ name: 'once' });
    const messages = await readMessages(world.topic, 3); // the first test's, and this one twice
    const keys = messages.slice(1).map((message) => headersOf(message)['idempotency-key']);
    assert.ok(keys[0]);
    assert.equal(new Set(keys).size, 1);
    world.worker = await world.startWorker({ replies: { maxBytes: 1_000_000 }, storage: { allowClear: true } });
    assert.equal((await made).name, 'once');
    assert.equal(await count('mastra_datasets'), 1);
    const memory = await world.store().getStore('memory');
    assert.equal(await memory.getThreadById({ threadId: 'late' }), null);
  });
});

describe('with a worker', () => {
  let store;
  let memory;
  before(async () => {
    store = world.store();
    memory = await store.getStore('memory');
  });

  test('the same idempotency key makes two calls one', async () => {
    const datasets = (await store.getStore('datasets')).with({ idempotencyKey: newId() });
    const first = await datasets.createDataset({ name: 'keyed' });
    assert.deepEqual(await datasets.createDataset({ name: 'keyed' }), first);
    assert.equal((await failure(datasets.createDataset({ name: 'another' }))).code, 'IDEMPOTENCY_KEY_REUSED');
  });

  test('fire and forget for a call asks for no reply, and a failure becomes a dead letter', async () => {
    const forgetful = memory.with({ fireAndForget: true });
    const saved = thread();
    assert.equal(await forgetful.saveThread({ thread: saved }), undefined);
    assert.deepEqual(await memory.getThreadById({ threadId: saved.id }), saved); // the same key: in order
    await forgetful.updateThread({ id: 'nobody', title: 'x', metadata: {} });
    const [letter] = await readMessages(world.dlq, 1);
    const headers = headersOf(letter);
    assert.equal(headers['reply-to'], undefined);
    assert.equal(headers['__connect.errors.exception.class.name'], 'THREAD_NOT_FOUND');
  });

  test('spans and scores are forgotten by default, reads and deletions are not', async () => {
    const observability = await world.store({ fireAndForget: undefined }).getStore('observability');
    const span = { traceId: newId(), spanId: newId(), name: 'run', spanType: 'agent_run', isEvent: false, startedAt: new Date() };
    assert.equal(await observability.createSpan({ span }), undefined);
    assert.equal((await observability.getSpan({ traceId: span.traceId, spanId: span.spanId })).span.name, 'run');
    await observability.batchDeleteTraces({ traceIds: [span.traceId] });
    assert.equal(await observability.getSpan({ traceId: span.traceId, spanId: span.spanId }), null);
    const messages = await readMessages(world.topic, 1);
    const ours = messages.filter(({ key }) => String(key) === span.traceId).map((message) => 'reply-to' in headersOf(message));
    assert.deepEqual(ours, [false, true, true, true]); // created, read, deleted, read
  });

  test('what the worker lacks by its settings fails as core expects it, and makes no dead letters', async () => {
    const observability = await world.store({ fireAndForget: undefined }).getStore('observability');
    const letters = (await readMessages(world.dlq, 1)).length;
    for (let i = 0; i < 2; i++) {
      const error = await failure(observability.batchCreateMetrics({ metrics: [] }));
      assert.ok(error instanceof MastraError); // core's exporter stops such a signal
      assert.match(error.id, /_NOT_IMPLEMENTED$/);
    }
    assert.equal((await readMessages(world.dlq, 1)).length, letters);
  });

  test('a domain or a command that is not to be forgotten is answered', async () => {
    const scores = await world.store({ fireAndForget: { scores: true, 'scores.saveScore': false } }).getStore('scores');
    const { score } = await scores.saveScore({ runId: 'r', scorerId: 's', entityId: 'e', entityType: 'AGENT', entity: {}, source: 'TEST', score: 1, output: {}, scorer: {} });
    assert.ok(score.id);
  });

  test('a list beyond one reply comes in pages, as if it were one', async () => {
    const resourceId = newId();
    const threads = Array.from({ length: 30 }, (_, i) => thread({ resourceId, createdAt: new Date(i * 1000), metadata: { text: 'x'.repeat(100_000) } }));
    await Promise.all(threads.map((one) => memory.saveThread({ thread: one })));
    const ids = threads.map(({ id }) => id);
    const list = (page, perPage) => memory.listThreads({ filter: { resourceId }, page, perPage, orderBy: { field: 'createdAt', direction: 'ASC' } });
    const all = await list(0, false);
    assert.deepEqual(all.threads.map(({ id }) => id), ids);
    const { threads: _, ...told } = all;
    assert.deepEqual(told, { total: 30, page: 0, perPage: false, hasMore: false });
    const second = await list(1, 14);
    assert.deepEqual(second.threads.map(({ id }) => id), ids.slice(14, 28));
    assert.deepEqual([second.page, second.perPage, second.hasMore, second.total], [1, 14, true, 30]);
    const usual = await list(0, undefined); // the default of perPage is larger than the list
    assert.deepEqual(usual.threads.map(({ id }) => id), ids);
    assert.equal(typeof usual.perPage, 'number');
    assert.equal(usual.hasMore, false);
  });

  test('a row that does not fit into a reply is the error REPLY_TOO_LARGE', async () => {
    const resourceId = newId();
    await memory.with({ fireAndForget: true }).saveThread({ thread: thread({ id: resourceId, resourceId, metadata: { text: 'x'.repeat(900_000) } }) });
    await memory.updateThread({ id: resourceId, title: 'x', metadata: {} });
    await sql(`UPDATE "${world.schema}".mastra_threads SET title = repeat('x', 400000) WHERE "resourceId" = '${resourceId}'`);
    const error = await failure(memory.listThreads({ filter: { resourceId }, page: 0, perPage: false }));
    assert.equal(error.code, 'REPLY_TOO_LARGE');
  });

  test('Kafka refuses a command that is too large for the topic, and its neighbours go', async () => {
    await setTopicConfig(world.topic, 'max.message.bytes', 300_000);
    const calls = [thread(), thread({ metadata: { text: 'x'.repeat(400_000) } }), thread()].map((one) => memory.saveThread({ thread: one }));
    const ended = await Promise.allSettled(calls);
    await setTopicConfig(world.topic, 'max.message.bytes', 104857600);
    assert.deepEqual(ended.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    assert.deepEqual([ended[1].reason.code, ended[1].reason.category, ended[1].reason.command], ['MESSAGE_TOO_LARGE', 'INVALID', 'memory.saveThread']);
  });

  test('what waits for Kafka is bounded', async () => {
    const bounded = (await world.store({ bufferBytes: 5000 }).getStore('memory')).with({ fireAndForget: true });
    const ended = await Promise.allSettled(Array.from({ length: 50 }, () => bounded.saveThread({ thread: thread() })));
    const failed = ended.filter(({ status }) => status === 'rejected');
    assert.ok(failed.length > 0 && failed.length < 50);
    assert.deepEqual([failed[0].reason.category, failed[0].reason.retryable], ['UNAVAILABLE', true]);
  });

  test('values that JavaScript tells apart come back as they were: Map, Set, null and undefined', async () => {
    const blobs = await store.getStore('blobs');
    await blobs.putMany([{ hash: 'a', content: '1', size: 1, createdAt: new Date(0) }]);
    const found = await blobs.getMany(['a', 'missing']);
    assert.ok(found instanceof Map);
    assert.deepEqual([...found.keys()], ['a']);
    const favorites = await store.getStore('favorites');
    assert.deepEqual(await favorites.isFavoritedBatch({ userId: 'u', entityType: 'agent', entityIds: ['x'] }), new Set());
    assert.equal(await memory.getThreadById({ threadId: 'missing' }), null);
  });

  test('close() fails calls that wait and later ones, and two closes are one', async () => {
    const closing = world.store();
    const domain = await closing.getStore('memory');
    await domain.getThreadById({ threadId: 'x' });
    await domain.saveThread({ thread: thread({ id: 'sent-before-close' }) });
    await Promise.all([closing.close(), closing.close()]);
    const error = await failure(domain.getThreadById({ threadId: 'x' }));
    assert.deepEqual([error.category, error.retryable, error.command], ['UNAVAILABLE', false, 'memory.getThreadById']);
  });

  test('close() waits until Kafka has what was forgotten', async () => {
    const closing = world.store();
    const domain = (await closing.getStore('memory')).with({ fireAndForget: true });
    const ids = Array.from({ length: 200 }, () => newId());
    const sent = Promise.all(ids.map((id) => domain.saveThread({ thread: thread({ id, resourceId: 'closing' }) })));
    await closing.close();
    await sent;
    const saved = () => sql(`SELECT count(*) FROM "${world.schema}".mastra_threads WHERE "resourceId" = 'closing'`);
    await until('all threads are saved', async () => Number((await saved())[0].count) === ids.length);
  });
});

describe('Kafka', () => {
  test('SASL is passed on', async () => {
    const sasl = { mechanism: 'PLAIN', username: 'worker', password: 'worker-password' };
    const store = world.store({ brokers: [process.env.STACK_KAFKA_SASL_SERVERS], sasl });
    assert.equal((await store.call('storage.ping')).schemaName, world.schema);
    const wrong = world.store({ brokers: [process.env.STACK_KAFKA_SASL_SERVERS], sasl: { ...sasl, password: 'wrong' }, timeout: 5000 });
    const error = await failure(wrong.call('storage.ping'));
    assert.deepEqual([error.category, error.retryable], ['UNAVAILABLE', false]);
    assert.doesNotMatch(error.message, /wrong-password/);
  });

  test('TLS is passed on: a server without a certificate of the given authority is not trusted', async () => {
    const port = await freePort();
    const server = createServer({}).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const hello = once(server, 'tlsClientError'); // it has no certificate, so that each handshake fails
    const store = world.store({ brokers: [`127.0.0.1:${port}`], tls: true, timeout: 2000 });
    const call = failure(store.call('storage.ping', {}));
    const [error] = await hello;
    assert.match(error.code, /^ERR_SSL_/);
    server.close();
    await store.close();
    await call;
  });

  test('a missing topic is an error that says what makes it', async () => {
    for (const options of [{ topics: 'test.missing' }, { replyTopic: 'mastra.replies.missing' }]) {
      const error = await failure(new KafkaStore(world.options(options)).call('storage.ping'));
      assert.equal(error.code, 'TOPIC_MISSING');
      assert.match(error.message, /stowage topics create/);
    }
  });

  test('an unknown command and a partition that is not there are errors', async () => {
    assert.equal((await failure(world.store().call('memory.unheardOf'))).code, 'UNKNOWN_COMMAND');
    assert.equal((await failure(world.store({ replyPartition: 99 }).call('storage.ping'))).code, 'NO_SUCH_PARTITION');
  });
});

// KafkaStore and KafkaVector of the packed package: calls, errors, what a value becomes on its way.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MastraCompositeStore } from '@mastra/core/storage';
import { PostgresStore } from '@mastra/pg';
import { KafkaVector, StowageError } from '@stowage/mastra';
import { closeShared, CONNECTION, newId, sql } from '../../compat/lib/harness.mjs';
import { ClientWorld, failure, thread } from './world.mjs';

let world;
let store;
let memory;

before(async () => {
  world = await new ClientWorld({ config: { postgres: { schemas: 'tenant_.*' } } }).open();
  store = world.store();
  memory = await store.getStore('memory');
});
after(async () => {
  await world?.close();
  await closeShared();
});

describe('calls', () => {
  test('a thread comes back as it was saved, with Dates and JSON', async () => {
    const saved = thread();
    assert.deepEqual(await memory.saveThread({ thread: saved }), saved);
    assert.deepEqual(await memory.getThreadById({ threadId: saved.id }), saved);
  });

  test('positional parameters are the fields in their order', async () => {
    const blobs = await store.getStore('blobs');
    await blobs.put({ hash: 'h1', content: 'text', size: 4, createdAt: new Date(1000) });
    assert.equal(await blobs.has('h1'), true);
    assert.equal((await blobs.get('h1')).content, 'text');
    assert.equal(await blobs.delete('h1'), true);
    assert.equal(await blobs.has('h1'), false);
  });

  test('properties that the schema does not know are left out', async () => {
    const saved = thread({ unheardOf: 1 });
    await memory.saveThread({ thread: saved, alsoUnheardOf: true });
    assert.equal('unheardOf' in await memory.getThreadById({ threadId: saved.id }), false);
  });

  test('perPage: false lists all and comes back as false', async () => {
    const resourceId = newId();
    for (let i = 0; i < 3; i++) await memory.saveThread({ thread: thread({ resourceId }) });
    const page = await memory.listThreads({ filter: { resourceId }, page: 0, perPage: false });
    assert.equal(page.perPage, false);
    assert.equal(page.threads.length, 3);
  });

  test('updateThreadMetadata, which takes a function, works through core', async () => {
    const saved = thread();
    await memory.saveThread({ thread: saved });
    await memory.updateThreadMetadata({ id: saved.id, update: ({ metadata }) => ({ ...metadata, days: metadata.days + 1 }) });
    assert.equal((await memory.getThreadById({ threadId: saved.id })).metadata.days, 4);
  });
});

describe('domains of several stores', () => {
  let pg;
  before(() => { pg = new PostgresStore({ id: 'pg', connectionString: CONNECTION, schemaName: world.schema, disableInit: true }); });
  after(() => pg.close());

  // Both sides see the same tables, so that only the classes tell who does the work.
  test('one domain of a KafkaStore in a composite of another store', async () => {
    const traces = world.store();
    const composite = new MastraCompositeStore({ id: 'c', default: pg, domains: { observability: traces.stores.observability } });
    await composite.init();
    assert.equal(await composite.getStore('memory'), pg.stores.memory);
    const observability = await composite.getStore('observability');
    const span = { traceId: newId(), spanId: newId(), name: 'run', spanType: 'agent_run', isEvent: false, startedAt: new Date() };
    await observability.createSpan({ span });
    assert.equal((await pg.stores.observability.getSpan(span)).span.name, 'run');
  });

  test('one domain of another store in a KafkaStore, and a domain that is left out', async () => {
    const composed = world.store({ domains: { memory: pg.stores.memory, scores: false } });
    assert.equal(await composed.getStore('memory'), pg.stores.memory);
    assert.equal(await composed.getStore('scores'), undefined);
    const saved = thread();
    await (await composed.getStore('memory')).saveThread({ thread: saved });
    assert.deepEqual(await memory.getThreadById({ threadId: saved.id }), saved);
  });

  test('a vector store shares the connection of a store', async () => {
    const vector = new KafkaVector({ connection: store.connection });
    await vector.createIndex({ indexName: 'shared', dimension: 3 });
    assert.deepEqual(await vector.upsert({ indexName: 'shared', vectors: [[1, 0, 0]], ids: ['a'], metadata: [{ n: 1 }] }), ['a']);
    const [{ id, metadata }] = await vector.query({ indexName: 'shared', queryVector: [1, 0, 0], topK: 1 });
    assert.deepEqual({ id, metadata }, { id: 'a', metadata: { n: 1 } });
  });

  test('an index that was deleted is made again', async () => {
    const vector = new KafkaVector({ connection: store.connection });
    for (let i = 0; i < 3; i++) await vector.createIndex({ indexName: 'again', dimension: 3 });
    await vector.deleteIndex({ indexName: 'again' });
    assert.equal((await vector.listIndexes()).includes('again'), false);
    await vector.with({ timeout: 20_000 }).createIndex({ indexName: 'again', dimension: 3 });
    assert.equal((await vector.listIndexes()).includes('again'), true);
  });
});

describe('tables', () => {
  test('init() makes the tables of a tenant, and disableInit does not', async () => {
    const schemaName = `tenant_${newId()}`;
    const tenant = world.store({ schemaName });
    await world.store({ schemaName, disableInit: true }).init();
    assert.equal((await failure(tenant.call('memory.getThreadById', { threadId: 'x' }))).code, 'SCHEMA_NOT_INITIALIZED');
    await Promise.all([tenant.init(), tenant.stores.memory.init()]);
    const saved = thread();
    await tenant.stores.memory.saveThread({ thread: saved });
    assert.deepEqual((await sql(`SELECT id FROM "${schemaName}".mastra_threads`)).map(({ id }) => id), [saved.id]);
    assert.equal(await memory.getThreadById({ threadId: saved.id }), null);
    await sql(`DROP SCHEMA "${schemaName}" CASCADE`);
  });
});

describe('errors', () => {
  test('an error of the worker has its code, category, retryable, details and command', async () => {
    const error = await failure(memory.updateThread({ id: 'nobody', title: 'x', metadata: {} }));
    assert.ok(error instanceof StowageError);
    const { code, category, retryable, command } = error;
    assert.deepEqual({ code, category, retryable, command }, { code: 'THREAD_NOT_FOUND', category: 'NOT_FOUND', retryable: false, command: 'memory.updateThread' });
    assert.deepEqual(error.details, { id: 'nobody' });
  });

  test('a request that does not fit its schema is not sent, and the error names the field', async () => {
    const error = await failure(memory.saveThread({ thread: thread({ resourceId: undefined }) }));
    assert.equal(error.category, 'INVALID');
    assert.match(error.message, /^memory\.saveThread: thread\.resourceId must be a string, not undefined$/);
  });
});

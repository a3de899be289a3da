// Idempotency keys: a write whose key was applied before is not applied again and gets the first
// reply, across batches, partitions, workers, groups and crashes.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Schema } from '../compat/lib/avro.mjs';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, sql, until, WORK, World } from '../compat/lib/harness.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';

// A schema of memory.saveThread as of a later release: it has an unknown field and another order.
const time = { type: 'long', logicalType: 'timestamp-millis' };
const NEWER = { type: 'record', name: 'SaveThread', namespace: 'mastra.memory', fields: [
  { name: 'comment', type: 'string' },
  { name: 'thread', type: { type: 'record', name: 'Thread', fields: [
    { name: 'updatedAt', type: time }, { name: 'createdAt', type: time }, { name: 'resourceId', type: 'string' },
    { name: 'title', type: 'string' }, { name: 'id', type: 'string' }] } }] };

const folder = join(WORK, 'newer-schemas');
let world;
let dead;
before(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'newer.avsc'), JSON.stringify(NEWER));
  world = await new World({ name: 'idempotency', partitions: 4, config: { schemas: { directory: folder } } }).open();
  await sql('CREATE EXTENSION IF NOT EXISTS vector');
  dead = await world.tail();
});
after(async () => {
  await world.close();
  await closeShared();
});

const KEY = 'idempotency-key';
const score = (runId) => ({ scorerId: 's', entityId: 'e', runId, output: 'o', score: 1, scorer: { name: 's' },
  source: 'TEST', entityType: 'AGENT', entity: { id: 'e' } });
const send = (command, args, headers, options = {}) => world.client.send(command, args, { headers, ...options });
// Every application of this command adds a row with a new id.
const save = (runId, key, options) => send('scores.saveScore', score(runId), { [KEY]: key }, options);
const rows = async (runId) => Number((await sql(`SELECT count(*) FROM "${world.schema}".mastra_scorers WHERE "runId" = $1`, [runId]))[0].count);
const keys = (like = '%') => sql(`SELECT * FROM "${world.schema}".stowage_idempotency WHERE key LIKE $1`, [like]);
const code = (reply) => reply.decoded.code;

describe('a repeated write', () => {
  test('is applied once and gets the first reply, with its own correlation id and partition', async () => {
    const id = newId();
    const first = await save(id, id);
    const again = await save(id, id, { partition: 3, correlationId: 'the second' });
    assert.equal(headerText(again.headers, 'correlation-id'), 'the second');
    assert.equal(headerText(again.headers, 'status'), 'ok');
    assert.equal(headerText(again.headers, 'command'), 'scores.saveScore');
    assert.deepEqual(again.value, first.value);
    assert.equal(await rows(id), 1);
    assert.ok(await world.worker.metric('stowage_repeated_commands_total') >= 1);
  });

  test('of a later state changes nothing', async () => {
    const id = newId();
    await send('memory.saveThread', { thread: thread(id, { title: 'one' }) }, { [KEY]: `${id}/1` });
    await send('memory.saveThread', { thread: thread(id, { title: 'two' }) }, { [KEY]: `${id}/2` });
    const again = await send('memory.saveThread', { thread: thread(id, { title: 'one' }) }, { [KEY]: `${id}/1` });
    assert.equal(again.decoded.result.title, 'one');
    assert.equal((await world.client.call('memory.getThreadById', { threadId: id })).title, 'two');
  });

  test('sent many times at once, to all partitions, among others', async () => {
    const id = newId();
    const replies = await Promise.all(Array.from({ length: 200 }, (_, i) => save(`${id}/${i % 20}`, `${id}/${i % 20}`, { partition: i % 4 })));
    for (let i = 0; i < 200; i++) assert.deepEqual(replies[i].value, replies[i % 20].value);
    for (let i = 0; i < 20; i++) assert.equal(await rows(`${id}/${i}`), 1);
  });

  test('in one request to Kafka, thus in one batch', async () => {
    const id = newId();
    const args = score(id);
    const ids = Array.from({ length: 6 }, newId);
    const answers = ids.map((correlationId) => world.client.expect(correlationId, 'scores.saveScore'));
    await world.client.post(ids.map((correlationId) => ({ command: 'scores.saveScore', args, partition: 0, correlationId, headers: { [KEY]: id } })));
    const replies = await Promise.all(answers);
    for (const reply of replies) assert.deepEqual(reply.value, replies[0].value);
    assert.equal(await rows(id), 1);
  });

  test('among more keys than a batch expects, in one batch, is applied once', async () => {
    const id = newId();
    // Each key comes twice, 400 commands apart and to another partition.
    const names = Array.from({ length: 800 }, (_, i) => `${id}/${i % 400}`);
    const ids = names.map(newId);
    const answers = ids.map((correlationId) => world.client.expect(correlationId, 'scores.saveScore'));
    await world.client.post(names.map((name, i) => ({ command: 'scores.saveScore', args: score(name), partition: (i + Math.floor(i / 400)) % 4,
      correlationId: ids[i], headers: { [KEY]: name } })));
    const replies = await Promise.all(answers);
    for (let i = 0; i < 800; i++) assert.deepEqual(replies[i].value, replies[i % 400].value);
    const [{ count }] = await sql(`SELECT count(*)::int AS count FROM "${world.schema}".mastra_scorers WHERE "runId" LIKE $1`, [`${id}/%`]);
    assert.equal(count, 400);
  });

  test('gets the reply also if the first one asked for none', async () => {
    const id = newId();
    await world.client.post([{ command: 'scores.saveScore', args: score(id), partition: 1, headers: { [KEY]: id } }]);
    const again = await save(id, id, { partition: 1 });
    assert.equal(headerText(again.headers, 'status'), 'ok');
    assert.equal(await rows(id), 1);
    await world.client.post([{ command: 'scores.saveScore', args: score(id), partition: 1, headers: { [KEY]: id } }]);
    await world.client.call('storage.ping', {}, { partition: 1 });
    assert.equal(await rows(id), 1);
  });

  test('from a client with another schema of the command is the same command', async () => {
    const id = newId();
    const given = { id, resourceId: 'r1', title: 'it', createdAt: new Date(1000), updatedAt: new Date(2000) };
    const saved = await send('memory.saveThread', { thread: given }, { [KEY]: id });
    const again = await world.client.exchange(new Schema(NEWER).encode({ comment: 'x', thread: given }),
      { command: 'memory.saveThread', key: id, headers: { [KEY]: id } });
    assert.deepEqual(again.value, saved.value);
  });

  test('of another group of workers is known, too', async () => {
    const id = newId();
    const first = await save(id, id);
    const other = await world.startWorker({ kafka: { groupId: `other-${id}`, offsetReset: 'earliest' } });
    await until('the other group has read all', async () => await other.metric('stowage_lag') === 0 &&
      await other.metric('stowage_repeated_commands_total') > 0);
    assert.equal(await rows(id), 1);
    await other.stop();
    assert.deepEqual((await save(id, id)).value, first.value);
  });
});

describe('a key', () => {
  test('of another command, or of another request, is CONFLICT', async () => {
    const id = newId();
    await save(id, id);
    const other = await send('memory.saveThread', { thread: thread(id) }, { [KEY]: id });
    assert.deepEqual([code(other), other.decoded.category], ['IDEMPOTENCY_KEY_REUSED', 'CONFLICT']);
    assert.match(other.decoded.message, /scores\.saveScore has the idempotency key already/);
    assert.equal(await world.client.call('memory.getThreadById', { threadId: id }), undefined);
    const changed = await send('scores.saveScore', { ...score(id), score: 2 }, { [KEY]: id });
    assert.equal(code(changed), 'IDEMPOTENCY_KEY_REUSED');
    assert.equal(await rows(id), 1);
  });

  test('of another command without a reply goes to the dead letters', async () => {
    const id = newId();
    await save(id, id);
    await world.client.post([{ command: 'memory.saveThread', args: { thread: thread(id) }, key: id, headers: { [KEY]: id } }]);
    const letter = await dead.find('the dead letter', (m) => m.key?.toString() === id);
    assert.equal(letter.text['__connect.errors.exception.class.name'], 'IDEMPOTENCY_KEY_REUSED');
  });

  test('of a failed command is free again', async () => {
    const id = newId();
    const update = () => send('memory.updateThread', { id, title: 'new', metadata: {} }, { [KEY]: id });
    assert.equal(code(await update()), 'THREAD_NOT_FOUND');
    assert.equal((await keys(id)).length, 0);
    await world.client.call('memory.saveThread', { thread: thread(id) });
    assert.equal((await update()).decoded.result.title, 'new');
    await world.client.call('memory.saveThread', { thread: thread(id, { title: 'later' }) });
    assert.equal((await update()).decoded.result.title, 'new', 'the first reply');
    assert.equal((await world.client.call('memory.getThreadById', { threadId: id })).title, 'later');
  });

  test('of a command that PostgreSQL refuses among others is free, theirs are kept', async () => {
    const id = newId();
    await sql(`ALTER TABLE "${world.schema}".mastra_scorers ADD CONSTRAINT not_bad CHECK ("runId" NOT LIKE '%/bad!')`);
    const list = ['a', 'bad!', 'b'];
    await save(`${id}/taken`, `${id}/taken`, { partition: 2 });
    const ids = [...list, 'taken'].map(() => newId());
    const answers = ids.map((correlationId) => world.client.expect(correlationId));
    await world.client.post(list.map((name, i) => ({ command: 'scores.saveScore', args: score(`${id}/${name}`), partition: 2,
      correlationId: ids[i], headers: { [KEY]: `${id}/${name}` } })).concat({ command: 'memory.saveThread', args: { thread: thread(id) },
      partition: 2, correlationId: ids[3], headers: { [KEY]: `${id}/taken` } }));
    const replies = await Promise.all(answers);
    assert.deepEqual(replies.map((reply) => headerText(reply.headers, 'status')), ['ok', 'error', 'ok', 'error']);
    assert.match(replies[3].decoded.message, /^scores\.saveScore has the idempotency key already: send a new key/);
    const kept = await keys(`${id}/%`);
    assert.deepEqual(kept.map((row) => row.key).sort(), [`${id}/a`, `${id}/b`, `${id}/taken`]);
    for (const row of kept) assert.ok(row.reply && !row.taken, 'the row holds the reply');
    await sql(`ALTER TABLE "${world.schema}".mastra_scorers DROP CONSTRAINT not_bad`);
    for (const name of list) await save(`${id}/${name}`, `${id}/${name}`, { partition: 2 });
    for (const name of list) assert.equal(await rows(`${id}/${name}`), 1, name);
  });

  test('is looked up by its key, never by reading all keys', async () => {
    const read = async () => {
      await sql('SELECT pg_stat_force_next_flush()');
      const [row] = await sql(`SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS count FROM pg_stat_user_tables
        WHERE schemaname = $1 AND relname = 'stowage_idempotency'`, [fresh.schema]);
      return row.count;
    };
    const fresh = await new World({ name: 'lookups', config: { postgres: { max: 1 } } }).open();
    try {
      const id = newId();
      const put = (from, count) => {
        const ids = Array.from({ length: count }, newId);
        const answers = ids.map((correlationId) => fresh.client.expect(correlationId, 'scores.saveScore'));
        return fresh.client.post(ids.map((correlationId, i) => ({ command: 'scores.saveScore', args: score(`${id}/${from + i}`),
          partition: 0, correlationId, headers: { [KEY]: `${id}/${from + i}` } }))).then(() => Promise.all(answers));
      };
      // The plan is made while statistics say that the table is small.
      await put(0, 10);
      await sql(`ANALYZE "${fresh.schema}".stowage_idempotency`);
      for (let from = 10; from < 1010; from += 100) await put(from, 100);
      await fresh.worker.stop();
      const count = await read();
      assert.ok(count <= 10 * 1010, `${count} rows were read for 1,010 keys`);
    } finally {
      await fresh.close();
    }
  });

  test('of a read means nothing', async () => {
    const id = newId();
    const get = () => send('memory.getThreadById', { threadId: id }, { [KEY]: id });
    assert.equal((await get()).decoded.result, undefined);
    await send('memory.saveThread', { thread: thread(id) }, { [KEY]: id });
    assert.equal((await get()).decoded.result.id, id);
  });

  test('may be up to 1024 bytes of UTF-8', async () => {
    for (const key of ['x', 'Grüße, 世界', 'k'.repeat(1024), `'; DROP TABLE x; --`]) {
      const id = newId();
      await save(id, `${id}${key}`.slice(-1024));
      await save(id, `${id}${key}`.slice(-1024));
      assert.equal(await rows(id), 1, key);
    }
    for (const key of ['', 'k'.repeat(1025), Buffer.from([0x61, 0xff]), Buffer.from('a\0b')]) {
      const id = newId();
      const reply = await save(id, key);
      assert.deepEqual([code(reply), reply.decoded.category], ['BAD_HEADER', 'INVALID']);
      assert.match(reply.decoded.message, /idempotency-key/);
      assert.equal(await rows(id), 0);
    }
  });
});

describe('CloudEvents', () => {
  const event = (id, source, eventId, more = {}) => send('scores.saveScore', score(id), { ce_source: source, ce_id: eventId, ...more });

  test('ce_source with ce_id are a key', async () => {
    const id = newId();
    const first = await event(id, '/agents/1', id);
    assert.deepEqual((await event(id, '/agents/1', id)).value, first.value);
    assert.equal(await rows(id), 1);
    await event(id, '/agents/2', id);
    assert.equal(await rows(id), 2, 'another source');
    await save(id, id);
    assert.equal(await rows(id), 3, 'the header idempotency-key has keys of its own');
  });

  test('one of them alone, or an empty one, is no key', async () => {
    const id = newId();
    for (const headers of [{ ce_id: id }, { ce_source: id }, { ce_id: id, ce_source: '' }, { ce_id: '', ce_source: id }]) {
      await send('scores.saveScore', score(id), headers);
      await send('scores.saveScore', score(id), headers);
    }
    assert.equal(await rows(id), 8);
  });

  test('idempotency-key comes first', async () => {
    const id = newId();
    await event(id, '/a', `${id}/1`, { [KEY]: id });
    await event(id, '/a', `${id}/2`, { [KEY]: id });
    assert.equal(await rows(id), 1);
  });
});

describe('a command that runs in no transaction', () => {
  test('is answered from its key, too', async () => {
    const id = newId();
    await sql(`DROP TABLE "${world.schema}".mastra_favorites`);
    const init = () => send('storage.init', {}, { [KEY]: id });
    const first = await init();
    assert.ok(first.decoded.result.statements > 0);
    assert.deepEqual((await init()).value, first.value);
    assert.equal((await world.client.call('storage.init')).statements, 0);
    assert.equal((await keys(id)).length, 1);
  });
});

describe('an index build', () => {
  const create = (indexName, key) => send('vectors.createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } }, { [KEY]: key });
  const present = async (indexName) => (await sql('SELECT to_regclass($1) AS oid', [`"${world.schema}".${indexName}`]))[0].oid !== null;

  test('is asked for once; every command waits for its end', async () => {
    const indexName = `idx_${newId()}`;
    const replies = await Promise.all([create(indexName, indexName), create(indexName, indexName), create(indexName, indexName)]);
    for (const reply of replies) assert.equal(headerText(reply.headers, 'status'), 'ok');
    await world.client.call('vectors.deleteIndex', { indexName });
    assert.equal(headerText((await create(indexName, indexName)).headers, 'status'), 'ok');
    assert.equal(await present(indexName), false, 'a repeated command does not create it again');
    await create(indexName, `${indexName}/2`);
    assert.equal(await present(indexName), true);
  });
});

describe('over time', () => {
  test('a key is kept for idempotency.keepMillis, then it is deleted', async () => {
    const short = await new World({ name: 'short', config: { idempotency: { keepMillis: 1000 } } }).open();
    try {
      const id = newId();
      const put = () => short.client.send('scores.saveScore', score(id), { headers: { [KEY]: id } });
      const count = async (table) => Number((await sql(`SELECT count(*) FROM "${short.schema}".${table}`))[0].count);
      await put();
      await put();
      await until('the keys are deleted', async () => await count('stowage_idempotency') === 0);
      await put();
      assert.equal(await count('mastra_scorers'), 2);
      // A key that nobody has deleted yet counts as unknown.
      await sql(`UPDATE "${short.schema}".stowage_idempotency SET created_at = now() - interval '1 hour'`);
      await put();
      assert.ok(await count('mastra_scorers') <= 3);
    } finally {
      await short.close();
    }
  });

  test('a repeated write survives kills of its workers', async () => {
    const world2 = await new World({ name: 'killed', partitions: 2 }).open();
    try {
      const id = newId();
      const sent = [];
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 50; i++) {
          for (const partition of [0, 1]) {
            sent.push(world2.client.send('scores.saveScore', score(`${id}/${round}/${i}`),
              { partition, headers: { [KEY]: `${id}/${round}/${i}` } }));
          }
        }
        await world2.worker.kill();
        world2.worker = await world2.startWorker();
      }
      const replies = await Promise.all(sent);
      for (let i = 0; i < replies.length; i += 2) assert.deepEqual(replies[i].value, replies[i + 1].value);
      const [{ count, distinct }] = await sql(`SELECT count(*)::int AS count, count(DISTINCT "runId")::int AS distinct FROM "${world2.schema}".mastra_scorers`);
      assert.deepEqual([count, distinct], [100, 100]);
    } finally {
      await world2.close();
    }
  });
});

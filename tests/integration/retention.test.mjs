// The commands prune: what bounds them, and what they do to their partition and to other sessions.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { at, content, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, CONNECTION, newId, pg, sql, until, World } from '../compat/lib/harness.mjs';
import { addRow } from '../compat/lib/rows.mjs';

after(() => closeShared());

const DAY = 86_400_000;
const SPANS = 'mastra_ai_spans';

// Adds `count` spans, one a day old, the next two days, and so on.
async function addSpans(world, count, from = 0) {
  for (let i = 0; i < count; i++) await addRow(world.schema, SPANS, from + i, { startedAtZ: new Date(Date.now() - (i + 1) * DAY).toISOString() });
}

const left = async (world, table = SPANS) => Number((await sql(`SELECT count(*) FROM "${world.schema}".${table}`))[0].count);
const prune = (world, args = {}, options = {}) => world.client.call('observability.prune', { policies: { spans: { maxAge: '12h', batchSize: 10 } }, ...args }, options);
const outcome = ([{ deleted, done }]) => [Number(deleted), done];

async function inWorld(name, config, use, options = {}) {
  const world = new World({ name, partitions: 2, config });
  try {
    await world.open(options);
    await use(world);
  } finally {
    await world.close();
  }
}

describe('a prune', () => {
  const world = new World({ name: 'prune', partitions: 2, config: { postgres: { statementTimeoutMillis: 400 }, retention: { commandMillis: 3000 } } });
  before(() => world.open());
  after(() => world.close());
  beforeEach(() => sql(`DELETE FROM "${world.schema}".${SPANS}`));

  // Deleting a span takes that many seconds.
  async function withSlowDeletes(seconds, use) {
    await sql(`CREATE OR REPLACE FUNCTION "${world.schema}".slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${seconds}); RETURN OLD; END $$;
      CREATE TRIGGER slow BEFORE DELETE ON "${world.schema}".${SPANS} FOR EACH ROW EXECUTE FUNCTION "${world.schema}".slow()`);
    try {
      await use();
    } finally {
      await sql(`DROP TRIGGER slow ON "${world.schema}".${SPANS}`);
    }
  }

  test('sees the writes before it, and none of those behind it', async () => {
    const list = [];
    for (const id of ['a', 'b']) {
      list.push(['memory.saveThread', { thread: thread(id) }], ['memory.saveMessages', { messages: [{ id, threadId: id, resourceId: 'r1', role: 'user', type: 'v2',
        createdAt: at(0), content: content('old') }] }], ['memory.prune', { policies: { messages: { maxAge: '1d' } } }]);
    }
    const sent = list.map(([command, args]) => ({ command, args, partition: 0, correlationId: newId() }));
    const replies = sent.map(({ command, correlationId }) => world.client.expect(correlationId, command));
    await world.client.post(sent);
    const results = (await Promise.all(replies)).map(({ decoded }) => decoded.result);
    assert.deepEqual([results[2], results[5]].map(outcome), [[1, true], [1, true]]);
  });

  test('passes over rows that another session holds', async () => {
    await addSpans(world, 5);
    const session = new pg.Client({ connectionString: CONNECTION });
    await session.connect();
    try {
      await session.query(`BEGIN; SELECT FROM "${world.schema}".${SPANS} ORDER BY "startedAtZ" LIMIT 2 FOR UPDATE`);
      assert.deepEqual(outcome(await prune(world)), [3, true]);
    } finally {
      await session.end();
    }
    assert.deepEqual(outcome(await prune(world)), [2, true]);
  });

  test('takes smaller batches if one would exceed postgres.statementTimeoutMillis', async () => {
    await addSpans(world, 24);
    await withSlowDeletes(0.05, async () => {
      let deleted = 0;
      for (let done = false; !done;) {
        const result = outcome(await prune(world, { policies: { spans: { maxAge: '12h' } } }));
        assert.ok(result[0] > 0, 'each prune gets further');
        deleted += result[0];
        [, done] = result;
      }
      assert.equal(deleted, 24);
    });
  });

  test('fails with TIMEOUT if a single row exceeds it', async () => {
    await addSpans(world, 2);
    await withSlowDeletes(600, () => assert.rejects(prune(world), (error) => error.category === 'TIMEOUT'));
    assert.deepEqual(outcome(await prune(world)), [2, true]);
  });

  test('ends at retention.commandMillis, and its partition goes on', async () => {
    await addSpans(world, 3);
    const pruned = prune(world, { policies: { spans: { maxAge: '12h', batchSize: 1 } }, pauseMs: 3_600_000 }, { partition: 0 });
    const next = world.client.call('storage.ping', {}, { partition: 0 });
    assert.deepEqual(outcome(await pruned), [1, false]);
    await next;
  });

  test('ends at its deadline, with what it did', async () => {
    await addSpans(world, 3);
    const deadline = String(Date.now() + 1000);
    const result = await prune(world, { policies: { spans: { maxAge: '12h', batchSize: 1 } }, pauseMs: 3_600_000 }, { headers: { deadline } });
    assert.deepEqual(outcome(result), [1, false]);
  });
});

test('a worker that stops ends its prune', () => inWorld('stops', {}, async (world) => {
  await addSpans(world, 3);
  const pruned = prune(world, { policies: { spans: { maxAge: '12h', batchSize: 1 } }, pauseMs: 3_600_000 });
  await until('the first batch', async () => await left(world) === 2);
  await world.worker.stop();
  assert.deepEqual(outcome(await pruned), [1, false]);
  assert.doesNotMatch(world.worker.log, /did not answer within/);
}));

test('a prune whose worker died is repeated', () => inWorld('dies', {}, async (world) => {
  await addSpans(world, 3);
  const pruned = prune(world, { policies: { spans: { maxAge: '12h', batchSize: 1 } }, pauseMs: 2000 });
  await until('the first batch', async () => await left(world) === 2);
  await world.worker.kill();
  await world.startWorker();
  assert.deepEqual(outcome(await pruned), [2, true]);
  assert.equal(await left(world), 0);
}));

test('with postgres.disableInit no index is created', () => inWorld('no-index', { postgres: { disableInit: true } }, async (world) => {
  await addSpans(world, 3);
  assert.deepEqual(outcome(await prune(world)), [3, true]);
  assert.deepEqual(await sql(`SELECT FROM pg_indexes WHERE schemaname = $1 AND indexname LIKE '%retention_idx'`, [world.schema]), []);
}));

// The commands prune: what bounds them, and what they do to their partition and to other sessions. The schedule:
// which worker runs it, when it waits, and who goes on.

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

async function inSession(use) {
  const session = new pg.Client({ connectionString: CONNECTION });
  await session.connect();
  try {
    await use(session);
  } finally {
    await session.end();
  }
}

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
    await inSession(async (session) => {
      await session.query(`BEGIN; SELECT FROM "${world.schema}".${SPANS} ORDER BY "startedAtZ" LIMIT 2 FOR UPDATE`);
      assert.deepEqual(outcome(await prune(world)), [3, true]);
    });
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

describe('the schedule', () => {
  const AGES = { observability: { spans: '12h' }, experiments: { experiments: '2d' } };
  const scheduled = (over = {}) => ({ retention: { ...AGES, every: '100ms', ...over } });
  const runs = (world) => [...world.log().matchAll(/deleted rows that were too old" .*rows=(\d+) tables="([^"]*)"/g)];
  const row = async (world) => (await sql(`SELECT * FROM "${world.schema}".stowage_retention`))[0];
  // Retention.every is over.
  const makeDue = (world) => sql(`UPDATE "${world.schema}".stowage_retention SET started_at = 'epoch'`);

  test('deletes old rows of all tables with an age, once for two workers', () => inWorld('schedule', scheduled(), async (world) => {
    await addSpans(world, 3);
    await addRow(world.schema, 'mastra_experiments', 1, { completedAt: '2024-01-01T00:00:00Z' });
    await addRow(world.schema, 'mastra_experiment_results', 1, { experimentId: '1' });
    await addRow(world.schema, 'mastra_scorers', 1, { createdAtZ: '2024-01-01T00:00:00Z' });
    await Promise.all([world.startWorker(), world.startWorker()]);
    await until('old rows are deleted', async () => await left(world) === 0 && await left(world, 'mastra_experiments') === 0);
    await addSpans(world, 2);
    await until('old rows are deleted again', async () => await left(world) === 0);
    await until('the runs are logged', () => runs(world).reduce((sum, [, rows]) => sum + Number(rows), 0) === 7);
    assert.ok(runs(world).some(([, , tables]) => /observability\.spans=\d+ experiments\.experiments=\d+/.test(tables)));
    assert.equal(await left(world, 'mastra_scorers'), 1);
    assert.equal(await left(world, 'mastra_experiment_results'), 0);
  }, { start: false }));

  test('keeps its time over a restart', () => inWorld('restart', scheduled({ every: '1h' }), async (world) => {
    await world.startWorker();
    await until('the first run', async () => runs(world).length === 1 && (await row(world)).owner === null);
    await world.workers[0].stop();
    await addSpans(world, 2);
    const worker = await world.startWorker();
    await world.client.call('storage.ping');
    assert.equal(await left(world), 2);
    await worker.stop();
    await makeDue(world);
    await world.startWorker();
    await until('it is time again', async () => await left(world) === 0);
    await until('the run is logged', () => runs(world).length === 2);
  }, { start: false }));

  test('is taken over from a worker that died', () => inWorld('takeover', scheduled(), async (world) => {
    const first = await world.startWorker();
    await until('the first run', () => runs(world).length > 0);
    await inSession(async (session) => {
      await session.query(`BEGIN; LOCK TABLE "${world.schema}".${SPANS} IN EXCLUSIVE MODE`);
      await until('a run waits', async () => (await sql(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'WITH old%"${world.schema}".${SPANS}%'`)).length);
      await first.kill();
    });
    await addSpans(world, 2);
    assert.notEqual((await row(world)).owner, null);
    await world.startWorker({ retention: { ...AGES, every: '1s' } });
    await until('another worker has deleted them', async () => await left(world) === 0);
    await until('the run has ended', async () => (await row(world)).owner === null);
  }, { start: false }));

  test('waits while much waits in the partitions', () => inWorld('behind', { ...scheduled(), limits: { memoryBytes: 1048576 } }, async (world) => {
    await inSession(async (session) => {
      await session.query(`BEGIN; LOCK TABLE "${world.schema}".mastra_workflow_snapshot IN EXCLUSIVE MODE`);
      const args = (runId) => ({ workflowName: 'w', runId, snapshot: { runId, text: 'x'.repeat(100_000) } });
      await world.client.post(Array.from({ length: 8 }, (_, i) => ({ command: 'workflows.persistWorkflowSnapshot', args: args(String(i)), partition: 0 })));
      await until('it waits', () => /old rows wait/.test(world.log()));
      await addSpans(world, 2);
      const before = runs(world).length;
      await world.client.call('storage.ping', {}, { partition: 1 });
      assert.equal(await left(world), 2);
      assert.equal(runs(world).length, before);
    });
    await until('then old rows go', async () => await left(world) === 0);
  }));

  test('does nothing without an age', () => inWorld('none', { retention: { every: '100ms' } }, async (world) => {
    await world.client.call('storage.ping');
    assert.equal(await row(world), undefined);
    assert.deepEqual(await world.client.call('storage.prune'), []);
  }));

  test('its ages count for storage.prune without policies', () => inWorld('ages', scheduled({ every: '1h' }), async (world) => {
    await until('the first run', async () => runs(world).length === 1);
    await addSpans(world, 2);
    const results = await world.client.call('storage.prune');
    assert.deepEqual(results.map(({ table, deleted }) => [table, Number(deleted)]),
      [[SPANS, 2], ['mastra_experiment_results', 0], ['mastra_experiments', 0]]);
  }));
});

// prune: which rows go, in which order, within which bounds, and what goes with them. Every case runs on both
// sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql } from './lib/harness.mjs';
import { Pair, SELF } from './lib/pair.mjs';
import { addRow } from './lib/rows.mjs';

const TABLES = [
  { domain: 'memory', key: 'messages', table: 'mastra_messages', anchor: 'createdAtZ' },
  { domain: 'memory', key: 'resources', table: 'mastra_resources', anchor: 'createdAtZ' },
  { domain: 'memory', key: 'threads', table: 'mastra_threads', anchor: 'createdAtZ' },
  { domain: 'threadState', key: 'threadState', table: 'mastra_thread_state', anchor: 'updatedAtZ' },
  { domain: 'workflows', key: 'workflowSnapshot', table: 'mastra_workflow_snapshot', anchor: 'updatedAtZ' },
  { domain: 'observability', key: 'spans', table: 'mastra_ai_spans', anchor: 'startedAtZ' },
  { domain: 'scores', key: 'scorers', table: 'mastra_scorers', anchor: 'createdAtZ' },
  { domain: 'experiments', key: 'experiments', table: 'mastra_experiments', anchor: 'completedAt' },
  { domain: 'backgroundTasks', key: 'backgroundTasks', table: 'mastra_background_tasks', anchor: 'completedAtZ' },
  { domain: 'notifications', key: 'notifications', table: 'mastra_notifications', anchor: 'createdAtZ' },
  { domain: 'schedules', key: 'triggers', table: 'mastra_schedule_triggers', anchor: 'actual_fire_at', epoch: true },
];
const RESULTS = 'mastra_experiment_results';
const pair = new Pair([...TABLES.map(({ table }) => table), RESULTS]);

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const both = [() => pair.schema, () => pair.reference.schemaName];

// Adds rows of those ages in milliseconds, the first one first; null: without an anchor.
async function fill({ table, anchor, epoch }, ages) {
  const now = Date.now();
  for (const [number, age] of ages.entries()) {
    const at = age === null ? null : epoch ? now - age : new Date(now - age).toISOString();
    for (const schema of both) await addRow(schema(), table, number, { [anchor]: at });
  }
}

const find = (key) => TABLES.find((one) => one.key === key);
const rows = async (table) => Number((await pair.sql(`SELECT count(*) FROM :schema.${table}`)).stowage[0].count);
const prune = (key, policy, bounds) => pair.ok(`${find(key).domain}.prune`, { policies: { [key]: policy }, ...bounds });

describe('prune', () => {
  for (const one of TABLES) {
    test(`${one.domain}: ${one.key}`, async () => {
      await fill(one, [400 * DAY, 31 * DAY, 30 * DAY + MINUTE, 30 * DAY - MINUTE, DAY, 0, -DAY, ...one.epoch ? [] : [null]]);
      const was = await rows(one.table);
      await prune(one.key, { maxAge: '30d' });
      assert.equal(await rows(one.table), was - 3);
      await prune(one.key, { maxAge: '30d' });
      await prune(one.key, { maxAge: '12h', batchSize: 1 });
    });
  }

  test('makes the index of the reference, once', async () => {
    for (const { key } of TABLES) await prune(key, { maxAge: '1d' });
    const found = await pair.sql(`SELECT replace(indexname, nspname, 'schema') AS name, replace(indexdef, nspname, 'schema') AS definition, indisvalid
      FROM pg_indexes JOIN pg_namespace ON nspname = schemaname JOIN pg_class AS c ON relname = indexname AND c.relnamespace = pg_namespace.oid
      JOIN pg_index ON indexrelid = c.oid WHERE indexname LIKE '%retention_idx' AND '"' || schemaname || '"' = ':schema' ORDER BY 1`);
    assert.equal(found.stowage.length, TABLES.length);
    assert.deepEqual(found.stowage, found.reference);
  });

  test('makes an index anew that a crash left unfinished', { skip: SELF }, async () => {
    await prune('messages', { maxAge: '1d' });
    const index = `${pair.schema}_mastra_messages_retention_idx`;
    const state = async () => (await sql(`SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = '${pair.schema}.${index}'::regclass`))[0];
    await fill(find('messages'), [3 * DAY, 2 * DAY]);
    await pair.sql(`UPDATE :schema.mastra_messages SET "createdAtZ" = '2024-01-01'`);
    await sql(`DROP INDEX ${pair.schema}.${index}`);
    await assert.rejects(sql(`CREATE UNIQUE INDEX CONCURRENTLY ${index} ON ${pair.schema}.mastra_messages ("createdAtZ")`), /could not create unique index/);
    assert.deepEqual(await state(), { indisvalid: false, indisunique: true });
    await prune('messages', { maxAge: '1d' });
    assert.deepEqual(await state(), { indisvalid: true, indisunique: false });
  });

  test('of several tables, in their order, each by its own age', async () => {
    for (const key of ['threads', 'messages', 'resources']) await fill(find(key), [10 * DAY, 5 * DAY, DAY]);
    await pair.ok('memory.prune', { policies: { threads: { maxAge: '2d' }, messages: { maxAge: '7d' }, unknown: { maxAge: '1d' } } });
    await pair.ok('memory.prune', { policies: { threads: { maxAge: '0d' }, resources: { maxAge: '0ms' }, messages: { maxAge: '1w' } } });
    await pair.ok('memory.prune', { policies: {} });
    await pair.ok('scores.prune', { policies: { messages: { maxAge: '0d' } } });
  });

  test('units of an age', async () => {
    for (const maxAge of ['100w', '701d', '100.5d', '36h', '90m', '1.5m', '45s', '44500ms', '44.0s', '1ms']) {
      await fill(find('messages'), [700 * DAY, 100 * DAY, 37 * 60 * MINUTE, 100 * MINUTE, 100_000]);
      await prune('messages', { maxAge });
      await pair.reset();
    }
    await pair.differs('Stowage takes milliseconds as digits, the reference as a number', 'memory.prune',
      { policies: { messages: { maxAge: '1000' } } }, { reference: 'fails', stowage: (result) => assert.equal(result[0].done, true) });
  });

  test('within bounds', async () => {
    const bounds = [{ maxBatches: 2 }, { maxRows: 3 }, { maxRows: 4, maxBatches: 1 }, { maxBatches: 0 }, { maxRows: 0 }, { maxRows: -1 }, { maxBatches: -1 },
      { maxRows: 7 }, { maxRows: 8 }, { maxBatches: 4, pauseMs: 1 }, { pauseMs: -1 }];
    for (const bound of bounds) {
      await fill(find('scorers'), [7, 6, 5, 4, 3, 2, 1, 0].map((days) => days * DAY));
      await prune('scorers', { maxAge: '12h', batchSize: 2 }, bound);
      await prune('scorers', { maxAge: '12h', batchSize: 7 }, bound);
      await pair.reset();
    }
  });

  test('takes the results of an experiment along', async () => {
    await fill(find('experiments'), [9 * DAY, 8 * DAY, 7 * DAY, DAY, null]);
    for (const schema of both) {
      for (let number = 0; number < 15; number++) await addRow(schema(), RESULTS, number, { experimentId: String(number % 6) });
    }
    await prune('experiments', { maxAge: '2d', batchSize: 1 }, { maxRows: 2 });
    assert.equal(await rows(RESULTS), 9);
    await prune('experiments', { maxAge: '2d' });
    await pair.ok('experiments.prune', { policies: {} });
  });

  test('takes the vectors of messages along', async () => {
    await makeVectors();
    await fill(find('messages'), [9 * DAY, 8 * DAY, 7 * DAY, DAY]);
    const vectors = () => pair.sql(`SELECT 'a' AS of, id FROM :schema.memory_messages UNION ALL SELECT 'b', id FROM :schema.memory_messages_384 ORDER BY 1, 2`);
    for (const [policy, bounds, left] of [[{ maxAge: '30d' }, { maxRows: 1 }, 16], [{ maxAge: '2d', batchSize: 1 }, { maxBatches: 2 }, 12], [{ maxAge: '2d' }, {}, 6]]) {
      await prune('messages', policy, bounds);
      const found = await vectors();
      assert.deepEqual(found.stowage, found.reference);
      assert.equal(found.stowage.length, left);
    }
    await pair.sql('DROP TABLE :schema.memory_messages, :schema.memory_messages_384, :schema.memory_messages_broken');
  });

  test('refuses what is no policy', async () => {
    await fill(find('spans'), [DAY, 0]);
    for (const maxAge of ['', 'd', '30 d', '-1d', '+1d', '1e3s', '.5d', '1.d', '1y', '1D', 'NaN', '30d ', '1d\0', '9'.repeat(40)]) {
      await pair.fails('observability.prune', { policies: { spans: { maxAge } } }, 'INVALID', 'INVALID_RETENTION');
    }
    for (const batchSize of [0, -1]) {
      await pair.fails('observability.prune', { policies: { spans: { maxAge: '1h', batchSize } } }, 'INVALID', 'INVALID_RETENTION');
    }
  });
});

describe('storage.prune', () => {
  test('prunes all domains that have a policy', async () => {
    for (const one of TABLES) await fill(one, [9 * DAY, DAY]);
    const retention = {};
    for (const { domain, key } of TABLES) retention[domain] = { ...retention[domain], [key]: { maxAge: '2d' } };
    await pair.ok('storage.prune', { retention: { memory: { threads: { maxAge: '5w' } }, scores: { scorers: { maxAge: '2d' } }, unknown: { x: { maxAge: '1d' } } } });
    await pair.ok('storage.prune', { retention, maxRows: 1 });
    await pair.ok('storage.prune', { retention });
    await pair.ok('storage.prune', {});
    await pair.ok('storage.prune', { retention: {} });
  });

  test('leaves a domain out that fails', async () => {
    for (const one of TABLES) await fill(one, [9 * DAY, DAY]);
    const renamed = { memory: 'mastra_resources', workflows: 'mastra_workflow_snapshot' };
    for (const table of Object.values(renamed)) await pair.sql(`ALTER TABLE :schema.${table} RENAME TO away_${table}`);
    const retention = { memory: { messages: { maxAge: '2d' }, resources: { maxAge: '2d' }, threads: { maxAge: '2d' } },
      workflows: { workflowSnapshot: { maxAge: '2d' } }, schedules: { triggers: { maxAge: '2d' } } };
    const outcome = await pair.run('storage.prune', { retention });
    const alone = await pair.run('memory.prune', { policies: retention.memory });
    for (const table of Object.values(renamed)) await pair.sql(`ALTER TABLE :schema.away_${table} RENAME TO ${table}`);
    pair.compare('storage.prune', outcome.stowage.value, outcome.reference.value);
    assert.deepEqual(outcome.stowage.value.map(({ domain }) => domain), ['schedules']);
    assert.ok(alone.stowage.error && alone.reference.error);
    await pair.rows();
  });
});

// Vector tables as the reference's PgVector makes them, with more vectors than messages, and one that is none.
async function makeVectors() {
  for (const table of ['memory_messages', 'memory_messages_384']) {
    await pair.sql(`CREATE TABLE :schema.${table} (id serial PRIMARY KEY, vector_id text UNIQUE NOT NULL, embedding text, metadata jsonb)`);
    await pair.sql(`INSERT INTO :schema.${table} (vector_id, metadata) SELECT 'v' || n, CASE WHEN n < 7 THEN jsonb_build_object('message_id', n::text, 'thread_id', 't')
      WHEN n = 7 THEN '{"message_id": null}' WHEN n = 8 THEN '{"other": 1}' END FROM generate_series(0, 8) AS n`);
  }
  await pair.sql('CREATE TABLE :schema.memory_messages_broken (id serial)');
}

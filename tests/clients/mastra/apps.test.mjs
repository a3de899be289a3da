// Whole applications run on KafkaStore and on PostgresStore: they say the same and leave the same rows.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { closeShared, CONNECTION, newId, PATIENCE_MS, sql, until } from '../../compat/lib/harness.mjs';
import { Normal } from '../../compat/lib/normal.mjs';
import { ClientWorld } from './world.mjs';

const APPS = join(dirname(fileURLToPath(import.meta.url)), 'apps');
const run = promisify(execFile);
const reference = `ref_${newId()}`;
const since = Date.now();
let world;
let sides;

before(async () => {
  world = await new ClientWorld().open();
  sides = {
    kafka: { schema: world.schema, environment: { APP_STORE: 'kafka', APP_OPTIONS: JSON.stringify({ brokers: world.options().brokers, topics: world.topic, replyTopic: world.replyTopic }) } },
    pg: { schema: reference, environment: { APP_STORE: 'pg', APP_OPTIONS: JSON.stringify({ connectionString: CONNECTION, schemaName: reference }) } },
  };
});
after(async () => {
  await world?.close();
  await sql(`DROP SCHEMA IF EXISTS "${reference}" CASCADE`);
  await closeShared();
});

// What the application prints.
async function application(side, name, ...words) {
  const { stdout } = await run(process.execPath, [join(APPS, name), ...words], { timeout: PATIENCE_MS * 2, env: { ...process.env, TZ: 'UTC', ...sides[side].environment } });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const tablesOf = async (schema) => (await sql('SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND table_name NOT LIKE $2 ORDER BY 1', [schema, 'stowage%'])).map((row) => row.table_name);

// Identifiers of traces become such that Normal knows.
const asUuid = (text) => text.replace(/(?<![0-9a-f-])(?:[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f-])/g, (hex) => hex.padEnd(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));

const textOf = (value) => (value === null || typeof value === 'string' ? value : JSON.stringify(value));

// A row's columns as text. The serial number of a vector tells only who came first.
function columnsOf(row) {
  if (row.vector_id !== undefined) delete row.id;
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)]));
}

// All rows of a schema, without the names and times that differ with each run.
async function rowsOf(schema) {
  const normal = new Normal(since);
  const rows = {};
  for (const table of await tablesOf(schema)) {
    const found = await sql(`SELECT to_jsonb(t)::text AS row FROM "${schema}"."${table}" t`);
    rows[table] = normal.rows(found.map(({ row }) => columnsOf(JSON.parse(asUuid(row)))));
  }
  return rows;
}

async function compare() {
  const [kafka, pg] = [await rowsOf(sides.kafka.schema), await rowsOf(sides.pg.schema)];
  assert.deepEqual(Object.keys(kafka), Object.keys(pg));
  for (const table of Object.keys(pg)) assert.deepEqual(kafka[table], pg[table], `${table}: actual is Stowage's, expected is PostgresStore's`);
  return pg;
}

test('a workflow suspends in one process and resumes in another', async () => {
  for (const side of Object.keys(sides)) {
    const suspended = await application(side, 'workflow.mjs', 'start', 'run-1');
    assert.deepEqual(suspended, { status: 'suspended', suspended: [['approve']] });
    const ended = await application(side, 'workflow.mjs', 'resume', 'run-1', 'yes');
    assert.deepEqual(ended, { status: 'success', result: { booked: true, price: 300 } });
  }
  const rows = await compare();
  assert.equal(rows.mastra_workflow_snapshot.length, 1);
});

test('an agent with memory, recall, a stream and traces', async () => {
  const said = {};
  for (const side of Object.keys(sides)) {
    const { took: _, ...rest } = await application(side, 'agent.mjs', '3');
    said[side] = rest;
  }
  assert.deepEqual(said.kafka, said.pg);
  assert.equal(said.kafka.said.length, 4);
  assert.match(said.kafka.working, /Alice/);
  const spans = async (schema) => Number((await sql(`SELECT count(*) FROM "${schema}".mastra_ai_spans`))[0].count);
  // Spans are forgotten: they may come after the process has ended.
  await until('all spans are there', async () => (await spans(sides.kafka.schema)) >= (await spans(sides.pg.schema)));
  const rows = await compare();
  assert.equal(rows.mastra_messages.length, 8);
  assert.ok(rows.mastra_ai_spans.length > 0);
});

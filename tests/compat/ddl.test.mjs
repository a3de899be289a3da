// The tables: `stowage init` and the reference's init() on the same databases, in either order, on
// older schemas, and at the same time; and the functions that fence the lanes.
//
// Needs a PostgreSQL (PGHOST, PGPORT, PGUSER, PGDATABASE) whose user may make databases, pg_dump,
// and the binary (STOWAGE_BIN). It makes its own databases and drops them.

process.env.TZ = 'UTC'; // the reference writes Dates into columns without a zone by local time

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PostgresStore } from '@mastra/pg';
import pg from 'pg';
import { makeOld } from './lib/old-schema.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = process.env.STOWAGE_BIN ?? join(ROOT, 'build/release/stowage');
const { PGHOST = '127.0.0.1', PGPORT = '5432', PGUSER = 'postgres', PGDATABASE = 'postgres' } = process.env;
const url = (database) => `postgresql://${PGUSER}@${PGHOST}:${PGPORT}/${database}`;
const WORK = mkdtempSync(join(tmpdir(), 'stowage-ddl-'));
const databases = [];

after(async () => {
  for (const name of databases) await drop(name);
  rmSync(WORK, { recursive: true, force: true });
});

// An autovacuum worker may be in it: WITH (FORCE) is refused then, and without it is ended by the server.
async function drop(name) {
  for (let tries = 1; ; tries++) {
    try {
      return await sql(PGDATABASE, `DROP DATABASE IF EXISTS "${name}"${tries % 2 ? ' WITH (FORCE)' : ''}`);
    } catch (error) {
      if (tries >= 10) throw error;
    }
  }
}

async function connect(database) {
  const client = new pg.Client({ connectionString: url(database) });
  await client.connect();
  return client;
}

async function sql(database, query, values) {
  const client = await connect(database);
  try {
    return (await client.query(query, values)).rows ?? [];
  } finally {
    await client.end();
  }
}

// Waits until a session of the database is as the condition says.
async function seen(database, condition) {
  for (let tries = 0; tries < 200; tries++) {
    if ((await sql(PGDATABASE, `SELECT FROM pg_stat_activity WHERE datname = $1 AND ${condition}`, [database])).length) return;
    await setTimeout(50);
  }
  assert.fail(`no session with ${condition}`);
}

async function newDatabase() {
  const name = `stowage_ddl_${randomBytes(5).toString('hex')}`;
  // template0 has nothing of its own in it, not even an extension.
  await sql(PGDATABASE, `CREATE DATABASE "${name}" TEMPLATE template0`);
  databases.push(name);
  return name;
}

async function reference(database, schemaName, options = {}) {
  // A process of the reference makes a schema of that name once, in whatever database.
  await sql(database, `CREATE SCHEMA IF NOT EXISTS "${schemaName}"`);
  const store = new PostgresStore({ id: 'ddl', connectionString: url(database), schemaName, max: 2, ...options });
  try {
    await store.init();
    return await options.then?.(store);
  } finally {
    await store.close();
  }
}

// Runs the binary; {code, stdout, stderr}.
function stowage(args, database, schemaName, env = {}) {
  const child = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env,
    STOWAGE_POSTGRES_CONNECTION_STRING: url(database), STOWAGE_POSTGRES_SCHEMA_NAME: schemaName, ...env } });
  const result = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => { result.stdout += data; });
  child.stderr.on('data', (data) => { result.stderr += data; });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...result, code }));
  });
}

// Runs `stowage init`; returns how many statements that took.
async function init(database, schemaName, env) {
  const { code, stdout, stderr } = await stowage(['init'], database, schemaName, env);
  assert.equal(code, 0, stderr);
  return Number(/(\d+) statements/.exec(stdout)?.[1] ?? 0);
}

function pgDump() {
  const homes = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const found = homes.sort((a, b) => b - a).map((home) => `/usr/lib/postgresql/${home}/bin/pg_dump`).find(existsSync);
  return found ?? 'pg_dump';
}

// The schema as pg_dump prints it, object by object; without the worker's own objects unless asked.
function dump(database, { own = false } = {}) {
  const text = execFileSync(pgDump(), ['-s', '-d', url(database)], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return text.split(/^--\n(?=-- Name: )/m).slice(1)
    .filter((object) => own || !/^-- Name: ([^\n;]* )?stowage_/.test(object))
    .map((object) => object.replace(/^SET default_.*$|^\\unrestrict.*$|^-- PostgreSQL database dump complete\n--$|^--$/gm, '').replace(/\n\n+/g, '\n').trim());
}

const SCHEMAS = ['public', 'my_schema', 'MySchema', 'my-tenant', '1st', 'Größe_ß', 'a😀b', 'x'.repeat(45),
  `Mixed_${'Y'.repeat(31)}`];
const MODES = [
  ['default indexes', {}, {}],
  ['no default indexes', { STOWAGE_POSTGRES_SKIP_DEFAULT_INDEXES: 'true' }, { skipDefaultIndexes: true }],
];

describe('init beside the reference', () => {
  for (const schema of SCHEMAS) {
    for (const [mode, env, options] of MODES) {
      test(`schema ${schema}, ${mode}`, async () => {
        const [theirs, ours] = [await newDatabase(), await newDatabase()];
        await reference(theirs, schema, options);
        const made = dump(theirs);
        assert.equal(made.filter((object) => /Type: TABLE;/.test(object)).length, 43);
        await init(theirs, schema, env);
        assert.deepEqual(dump(theirs), made, 'init after the reference');
        assert.equal(await init(theirs, schema, env), 0, 'a second init');

        assert.ok(await init(ours, schema, env) > 60);
        assert.deepEqual(dump(ours), made, 'init on an empty database');
        await reference(ours, schema, options);
        assert.deepEqual(dump(ours), made, 'the reference after init');
        assert.equal(await init(ours, schema, env), 0, 'init after that');
      });
    }
  }

  test('the reference leaves the worker\'s own objects alone', async () => {
    const database = await newDatabase();
    await init(database, 'public');
    const was = dump(database, { own: true });
    await reference(database, 'public');
    assert.deepEqual(dump(database, { own: true }), was);
  });

  test('spans have their key under a name so long that the reference cuts it to another\'s', async () => {
    const database = await newDatabase();
    await init(database, 'z'.repeat(60));
    await reference(database, 'z'.repeat(60), { then: async (store) => {
      const observability = await store.getStore('observability');
      await observability.createSpan({ span: { traceId: 't', spanId: 's', name: 'n', spanType: 'generic', isEvent: false, startedAt: new Date() } });
    } });
  });

  test('many at once, of both', async () => {
    const [alone, database] = [await newDatabase(), await newDatabase()];
    await init(alone, 'public');
    // The reference looks and then alters: it fails if another, also one of its own, was there between.
    const [theirs] = await Promise.all([reference(database, 'public').catch((error) => error), ...Array.from({ length: 6 }, () => init(database, 'public'))]);
    if (theirs) assert.match(theirs.message, /already exists|multiple primary keys|tuple concurrently updated|duplicate key/);
    await reference(database, 'public');
    assert.deepEqual(dump(database, { own: true }), dump(alone, { own: true }));
    assert.equal(await init(database, 'public'), 0);
  });

  // Whoever waits for the lock of a build CONCURRENTLY has a snapshot, for which that build waits.
  test('a build of the application\'s is under way', async () => {
    const database = await newDatabase();
    await init(database, 'public');
    const made = dump(database, { own: true });
    const [old, build] = [await connect(database), await connect(database)];
    const [theirs, ours] = await sql(database, `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'mastra_ai_spans'
      AND indexname ~ '_(name|tags_gin)_idx$' ORDER BY indexname`);
    await sql(database, `DROP INDEX "${theirs.indexname}", "${ours.indexname}"`);
    await old.query('BEGIN; LOCK TABLE mastra_ai_spans IN ROW EXCLUSIVE MODE');
    const built = build.query(theirs.indexdef.replace('INDEX', 'INDEX CONCURRENTLY'));
    await seen(database, `query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'`);
    const done = init(database, 'public');
    await seen(database, `application_name = 'stowage' AND query ~ '^(LOCK TABLE|CREATE INDEX|ROLLBACK)'`);
    await setTimeout(1500); // init would have looked for a deadlock and found none yet: the build is the one to lose
    await old.query('COMMIT');
    await Promise.all([built, done]);
    await Promise.all([old.end(), build.end()]);
    assert.deepEqual(dump(database, { own: true }), made);
  });

  test('--plan is what init runs', async () => {
    const [planned, database] = [await newDatabase(), await newDatabase()];
    const { stdout, code } = await stowage(['init', '--plan'], planned, 'my_schema');
    assert.equal(code, 0);
    assert.deepEqual(dump(planned, { own: true }), []);
    await sql(planned, stdout);
    await init(database, 'my_schema');
    assert.deepEqual(dump(planned, { own: true }), dump(database, { own: true }));
  });

  test('export-schema is what init makes, and runs again', async () => {
    for (const schema of ['my_schema', 'public', 'x'.repeat(45)]) {
      const [exported, database] = [await newDatabase(), await newDatabase()];
      const { stdout, code } = await stowage(['export-schema', schema], database, schema);
      assert.equal(code, 0);
      await sql(exported, stdout);
      await sql(exported, stdout);
      await init(database, schema);
      assert.deepEqual(dump(exported, { own: true }), dump(database, { own: true }));
      assert.equal(await init(exported, schema), 0);
    }
  });
});

describe('older schemas', () => {
  // The reference sees some columns of an older table only in a second run.
  async function migrated(prepare) {
    const [theirs, ours] = [await newDatabase(), await newDatabase()];
    for (const database of [theirs, ours]) {
      await reference(database, 'public');
      const client = await connect(database);
      await prepare(client);
      await client.end();
    }
    await reference(theirs, 'public');
    await reference(theirs, 'public');
    await init(ours, 'public');
    assert.equal(await init(ours, 'public'), 0, 'a second init');
    return [theirs, ours];
  }

  for (const [what, options] of [['all that was added later', {}], ['without the columns in time zones', { keepTimestamps: true }]]) {
    test(`columns, constraints, indexes, triggers: ${what}`, async () => {
      const [theirs, ours] = await migrated((client) => makeOld(client, options));
      // A table created anew and one altered differ in the order of columns; both orders are the reference's.
      assert.deepEqual(dump(ours), dump(theirs));
    });
  }

  test('several at once on tables in use', async () => {
    const [alone, database] = [await newDatabase(), await newDatabase()];
    for (const each of [alone, database]) {
      await reference(each, 'public');
      const client = await connect(each);
      await makeOld(client);
      await client.end();
    }
    await init(alone, 'public');
    await Promise.all(Array.from({ length: 4 }, () => init(database, 'public')));
    // An init that found the last index builds of another under way did not wait for them.
    await init(database, 'public');
    assert.deepEqual(dump(database, { own: true }), dump(alone, { own: true }));
  });

  test('flat agents become agents and versions', async () => {
    const [theirs, ours] = await migrated(async (client) => {
      await client.query(`DROP TABLE mastra_agents; DROP TABLE mastra_agent_versions;
        CREATE TABLE mastra_agents (id text PRIMARY KEY, name text NOT NULL, description text, instructions text NOT NULL,
          model jsonb NOT NULL, tools jsonb, "defaultOptions" jsonb, workflows jsonb, agents jsonb, memory jsonb, scorers jsonb,
          "ownerId" text, metadata jsonb, "createdAt" timestamp NOT NULL, "updatedAt" timestamp NOT NULL);
        INSERT INTO mastra_agents VALUES
          ('a', 'Ä', 'first', 'be kind', '{"provider": "x"}', '["one", "two"]', '{"a": 1}', '["w"]', NULL, '{"m": 1}', NULL,
            'owner', '{"k": "v"}', '2024-01-02 03:04:05.678', '2024-02-03 04:05:06'),
          ('b', 'B', NULL, '["x", {"y": 1}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2024-01-02', '2024-01-02')`);
    });
    assert.deepEqual(dump(ours), dump(theirs));
    const rows = async (database) => [
      await sql(database, `SELECT id, status, "authorId", visibility, metadata, "favoriteCount", "createdAt", "updatedAt" FROM mastra_agents ORDER BY id`),
      await sql(database, `SELECT (to_jsonb(v) - 'id' - 'createdAtZ') || jsonb_build_object('active', a."activeVersionId" = v.id) AS version
        FROM mastra_agent_versions v JOIN mastra_agents a ON a.id = v."agentId" ORDER BY a.id`)];
    assert.deepEqual(await rows(ours), await rows(theirs));
    assert.equal((await rows(ours))[1].length, 2);
  });

  test('versions of one snapshot a row, tools as a list, drafts without a version', async () => {
    const agent = (id, status) => `INSERT INTO mastra_agents (id, status, "createdAt", "updatedAt") VALUES ('${id}', '${status}', now(), now());`;
    const version = (id, tools) => `INSERT INTO mastra_agent_versions (id, "agentId", "versionNumber", name, instructions, model, tools, "createdAt")
      VALUES ('v${id}', '${id}', 1, 'n', 'i', '{}', '${tools}', now());`;
    const [theirs, ours] = await migrated((client) => client.query(agent('a', 'draft') + agent('b', 'draft') + agent('c', 'published') +
      version('a', '["x", "y"]') + version('c', '[]')));
    for (const query of ['SELECT id, status FROM mastra_agents ORDER BY id', 'SELECT id, tools FROM mastra_agent_versions ORDER BY id']) {
      assert.deepEqual(await sql(ours, query), await sql(theirs, query));
    }
    assert.deepEqual(await sql(ours, 'SELECT id, tools FROM mastra_agent_versions ORDER BY id'),
      [{ id: 'va', tools: { x: {}, y: {} } }, { id: 'vc', tools: {} }]);
    const [oldTheirs, oldOurs] = await migrated((client) => client.query(`DROP TABLE mastra_agent_versions;
      CREATE TABLE mastra_agent_versions (id text PRIMARY KEY, "agentId" text, snapshot jsonb)`));
    assert.deepEqual(dump(oldOurs), dump(oldTheirs));
  });

  test('spans that are there twice', async () => {
    const [theirs, ours] = [await newDatabase(), await newDatabase()];
    for (const database of [theirs, ours]) {
      await reference(database, 'public');
      await sql(database, `ALTER TABLE mastra_ai_spans DROP CONSTRAINT public_mastra_ai_spans_traceid_spanid_pk;
        ALTER TABLE mastra_ai_spans DISABLE TRIGGER USER;
        INSERT INTO mastra_ai_spans ("traceId", "spanId", name, "spanType", "isEvent", "startedAt", "endedAt", "updatedAt", "createdAt")
        SELECT 't', 's' || i / 6, 'n' || i, 'x', false, '2024-01-01', ended, updated, created FROM (VALUES
          (0, NULL::timestamp, '2024-05-01'::timestamp, '2024-01-01'::timestamp), (1, '2024-01-01', NULL, '2024-01-01'),
          (2, '2024-01-01', '2024-02-01', '2024-01-01'), (3, '2024-01-01', '2024-02-01', '2024-01-02'), (4, '2024-01-01', '2024-02-01', '2024-01-02'),
          (5, '2024-01-01', '2024-01-31', '2024-09-02'), (6, NULL, NULL, '2024-01-01'), (7, NULL, '2024-01-01', '2024-01-01'),
          (12, NULL, NULL, '2024-01-02'), (13, NULL, NULL, '2024-01-01')) AS v (i, ended, updated, created)`);
    }
    await assert.rejects(reference(theirs, 'public'));
    const store = new PostgresStore({ id: 'ddl', connectionString: url(theirs), schemaName: 'public' });
    await (await store.getStore('observability')).migrateSpans();
    await store.close();
    await reference(theirs, 'public');
    await init(ours, 'public');
    const spans = (database) => sql(database, 'SELECT "spanId", name FROM mastra_ai_spans ORDER BY 1');
    assert.deepEqual(await spans(ours), await spans(theirs));
    assert.equal((await spans(ours)).length, 3);
  });

  test('an interrupted index build is made again, one that cannot be is a failure', async () => {
    const database = await newDatabase();
    await init(database, 'public');
    const was = dump(database);
    await sql(database, `INSERT INTO mastra_mcp_client_versions (id, "mcpClientId", "versionNumber", name, servers, "createdAt")
      VALUES ('1', 'c', 1, 'n', '{}', now()); DROP INDEX idx_mcp_client_versions_client_version`);
    await sql(database, `INSERT INTO mastra_mcp_client_versions SELECT '2', "mcpClientId", "versionNumber", name, NULL, servers, NULL, NULL, now() FROM mastra_mcp_client_versions`);
    await assert.rejects(sql(database, 'CREATE UNIQUE INDEX CONCURRENTLY idx_mcp_client_versions_client_version ON mastra_mcp_client_versions ("mcpClientId", "versionNumber")'));
    const failing = await stowage(['init'], database, 'public');
    assert.equal(failing.code, 4, failing.stderr);
    assert.match(failing.stderr, /idx_mcp_client_versions_client_version/);
    assert.deepEqual(await sql(database, 'SELECT 1 FROM pg_index WHERE NOT indisvalid'), []);
    await sql(database, `DELETE FROM mastra_mcp_client_versions WHERE id = '2'`);
    await init(database, 'public');
    assert.deepEqual(dump(database), was);
  });

  test('another release\'s own objects', async () => {
    const database = await newDatabase();
    await init(database, 'public');
    const was = dump(database, { own: true });
    await sql(database, `DROP FUNCTION stowage_claim; CREATE FUNCTION stowage_claim(int) RETURNS int LANGUAGE sql AS 'SELECT 1'`);
    await sql(database, 'DROP TABLE stowage_outbox');
    await init(database, 'public');
    assert.deepEqual(dump(database, { own: true }), was);
    await sql(database, 'INSERT INTO stowage_schema_version VALUES (999)');
    const refused = await stowage(['init'], database, 'public');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /version 999/);
  });

  test('indexes of the configuration', async () => {
    const [theirs, ours] = [await newDatabase(), await newDatabase()];
    const indexes = [
      { name: 'custom_one', table: 'mastra_messages', columns: ['thread_id', 'createdAt DESC'], where: `role = 'user'` },
      { name: 'custom_two', table: 'mastra_threads', columns: ['metadata'], method: 'gin' },
      { name: 'custom_bad', table: 'mastra_threads', columns: ['nothing'], unique: true },
    ];
    await reference(theirs, 'public', { indexes });
    const file = join(WORK, 'indexes.conf');
    const text = (value) => JSON.stringify(value);
    writeFileSync(file, `postgres: { indexes = (${indexes.map((index) => `{ name = ${text(index.name)}; table = ${text(index.table)}; columns = [${index.columns.map(text)}];` +
      `${index.where ? ` where = ${text(index.where)};` : ''}${index.method ? ` method = ${text(index.method)};` : ''}${index.unique ? ' unique = true;' : ''} }`)}); };\n`);
    const done = await stowage(['init', '--config', file], ours, 'public');
    assert.equal(done.code, 4, 'an index cannot be built');
    assert.match(done.stderr, /custom_bad/);
    assert.deepEqual(dump(ours), dump(theirs));
  });
});

describe('offsets', () => {
  const take = (client, topic, partition, topicId, reset) =>
    client.query('SELECT * FROM my_schema.stowage_claim($1, $2, $3, $4, $5)', ['g', topic, partition, topicId, reset]).then(({ rows }) => rows);
  const fence = (client, ...arrays) => client.query('SELECT my_schema.stowage_fence($1, $2, $3, $4, $5)', ['g', ...arrays]);
  let database;

  test('taking', async () => {
    database = await newDatabase();
    await init(database, 'my_schema');
    const client = await connect(database);
    assert.deepEqual(await take(client, 't', 0, 'id', -1), []);
    assert.deepEqual(await sql(database, 'TABLE my_schema.stowage_offsets'), []);
    const [made] = await take(client, 't', 0, '', 7);
    assert.deepEqual([made.epoch, made.applied, made.answered, made.topic_id, made.crash_count, made.crash_offset], ['1', '7', '7', '', 0, '-1']);
    assert.equal((await take(client, 't', 0, 'id', 99))[0].applied, '7');
    assert.deepEqual((({ epoch, topic_id }) => ({ epoch, topic_id }))((await take(client, 't', 0, 'other', -1))[0]), { epoch: '2', topic_id: 'id' });
    assert.equal((await take(client, 't', 0, 'id', -1))[0].epoch, '3');
    // Several at once: each gets an epoch of its own.
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(database)));
    const taken = await Promise.all(clients.map((each) => take(each, 't', 1, 'id', 0)));
    assert.deepEqual(taken.map(([row]) => Number(row.epoch)).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8]);
    await Promise.all([client, ...clients].map((each) => each.end()));
  });

  test('the fence names every stale lane and holds the others', async () => {
    const [one, two] = [await connect(database), await connect(database)];
    await sql(database, `TRUNCATE my_schema.stowage_offsets; INSERT INTO my_schema.stowage_offsets (group_id, topic, partition, epoch, applied, answered)
      SELECT 'g', 't', i, 5, 100 + i, 100 FROM generate_series(0, 99) i`);
    const all = Array.from({ length: 100 }, (_, i) => 99 - i);
    await one.query('BEGIN');
    await fence(one, all.map(() => 't'), all, all.map(() => 5), all.map((i) => 100 + i));
    await two.query(`SET lock_timeout = '200ms'`);
    await assert.rejects(fence(two, ['t'], [42], [5], [142]), { code: '55P03' });
    const moved = await one.query('SELECT my_schema.stowage_advance($1, $2, $3, $4, $5, $6) AS moved',
      ['g', ['t', 't', 't'], [1, 0, 2], [5, 5, 4], [201, 200, 202], [150, 151, 152]]);
    assert.equal(moved.rows[0].moved, 2);
    await one.query('COMMIT');
    await assert.rejects(fence(two, ['t', 't', 'u', 't', 't'], [3, 0, 0, 4, 1], [5, 5, 5, 4, 5], [103, 100, 100, 104, 201]),
      { code: 'SW001', detail: '1,2,3' });
    await fence(two, ['t'], [1], [5], [201]);
    await fence(two, [], [], [], []);
    assert.deepEqual(await sql(database, 'SELECT applied, answered, crash_count FROM my_schema.stowage_offsets WHERE partition = 0'),
      [{ applied: '200', answered: '151', crash_count: 0 }]);
    await Promise.all([one.end(), two.end()]);
  });

  test('a fence that waited for the lane\'s taker sees its epoch', async () => {
    const [old, taker] = [await connect(database), await connect(database)];
    await taker.query('BEGIN');
    await take(taker, 't', 7, '', -1);
    const waiting = fence(old, ['t', 't'], [8, 7], [5, 5], [108, 107]);
    waiting.catch(() => {});
    await setTimeout(200);
    await taker.query('COMMIT');
    await assert.rejects(waiting, { code: 'SW001', detail: '1' });
    await Promise.all([old.end(), taker.end()]);
  });

  test('fences of the same lanes in another order wait and never deadlock', async () => {
    const [first, second, third] = [await connect(database), await connect(database), await connect(database)];
    await first.query('BEGIN');
    await fence(first, ['t'], [20], [5], [120]);
    await second.query('BEGIN');
    const waiting = fence(second, ['t', 't', 't'], [21, 20, 19], [5, 5, 5], [121, 120, 119]);
    for (;;) {
      const { rows: [{ waits }] } = await third.query('SELECT count(*)::int AS waits FROM pg_locks WHERE NOT granted AND pid = $1', [second.processID]);
      if (waits) break;
      await setTimeout(20);
    }
    const locked = async (partition) => (await third.query('SELECT FROM my_schema.stowage_offsets WHERE topic = \'t\' AND partition = $1 FOR UPDATE SKIP LOCKED', [partition])).rowCount === 0;
    const held = [await locked(19), await locked(20), await locked(21)];
    await first.query('COMMIT');
    await waiting;
    held.push(await locked(21));
    await second.query('COMMIT');
    await Promise.all([first, second, third].map((each) => each.end()));
    // While it waits it holds what comes before the lane that it waits for, and nothing behind it.
    assert.deepEqual(held, [true, true, false, true]);
  });

  test('a batch costs a HOT update a lane, the outbox no compression', async () => {
    const client = await connect(database);
    await client.query('BEGIN');
    for (let i = 0; i < 3; i++) {
      await client.query('SELECT my_schema.stowage_advance($1, $2, $3, $4, $5, $6)', ['g', ['t'], [50], [5], [1000 + i], [1000 + i]]);
    }
    const { rows: [counts] } = await client.query(`SELECT pg_stat_get_xact_tuples_updated(oid) AS updated, pg_stat_get_xact_tuples_hot_updated(oid) AS hot
      FROM pg_class WHERE oid = 'my_schema.stowage_offsets'::regclass`);
    await client.end();
    assert.deepEqual(counts, { updated: '3', hot: '3' });
    assert.deepEqual(await sql(database, `SELECT attstorage FROM pg_attribute WHERE attrelid = 'my_schema.stowage_outbox'::regclass AND attname = 'payload'`),
      [{ attstorage: 'e' }]);
  });

  test('the outbox forgets messages by their key, also after a plan for an empty table', async () => {
    const client = await connect(database);
    const forget = (seqs) => client.query('SELECT my_schema.stowage_outbox_delete($1, $2, $3, $4)', ['g', 't', 0, seqs]);
    await client.query('ALTER TABLE my_schema.stowage_outbox SET (autovacuum_enabled = off)');
    await client.query('VACUUM ANALYZE my_schema.stowage_outbox');
    await forget([1]);
    await client.query(`INSERT INTO my_schema.stowage_outbox (group_id, topic, partition, seq, payload) SELECT 'g', 't', 0, i, 'x' FROM generate_series(1, 3000) i`);
    for (let seq = 1; seq <= 20; seq++) await forget([seq, 5000]);
    await client.query('SELECT pg_stat_force_next_flush()');
    const { rows: [{ read, left }] } = await client.query(`SELECT (seq_tup_read + idx_tup_fetch)::int AS read, (SELECT count(*)::int FROM my_schema.stowage_outbox) AS left
      FROM pg_stat_user_tables WHERE schemaname = 'my_schema' AND relname = 'stowage_outbox'`);
    await client.end();
    assert.equal(left, 2980);
    assert.ok(read <= 100, `${read} rows were read to delete 20`);
  });

  test('a batch reads the rows of its lanes, never all rows of the group', async () => {
    const client = await connect(database);
    const add = (from, to) => client.query(`INSERT INTO my_schema.stowage_offsets (group_id, topic, partition, epoch, applied, answered)
      SELECT 'g', 't' || i / 100, i % 100, 1, 0, 0 FROM generate_series($1::int, $2::int) i`, [from, to]);
    const batch = async (from, to) => {
      const lanes = Array.from({ length: to - from }, (_, i) => from + i);
      const zeros = lanes.map(() => 0);
      const given = [lanes.map((i) => `t${Math.floor(i / 100)}`), lanes.map((i) => i % 100), lanes.map(() => 1)];
      await client.query('BEGIN');
      await fence(client, ...given, zeros);
      const moved = await client.query('SELECT my_schema.stowage_advance($1, $2, $3, $4, $5, $6) AS moved', ['g', ...given, zeros, zeros]);
      await client.query('COMMIT');
      assert.equal(moved.rows[0].moved, lanes.length);
    };
    const read = async () => {
      await client.query('SELECT pg_stat_force_next_flush()');
      const { rows: [row] } = await client.query(`SELECT (seq_tup_read + idx_tup_fetch)::int AS count FROM pg_stat_user_tables
        WHERE schemaname = 'my_schema' AND relname = 'stowage_offsets'`);
      return row.count;
    };
    // The plans are made while statistics say that the group has two rows.
    await client.query('TRUNCATE my_schema.stowage_offsets');
    await client.query('ALTER TABLE my_schema.stowage_offsets SET (autovacuum_enabled = off)');
    await add(0, 1);
    await client.query('VACUUM ANALYZE my_schema.stowage_offsets');
    await batch(0, 2);
    await add(2, 4999);
    const before = await read();
    for (let from = 1000; from < 2000; from += 100) await batch(from, from + 100);
    const count = await read() - before;
    // The fence and the update find each row once.
    assert.ok(count <= 2 * 1000, `${count} rows were read for ten batches of 100 lanes`);
    await client.end();
  });
});

// storage.query: SQL of clients runs under a role of its own, in a transaction that it cannot end, and leaves nothing
// behind in the session.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, schemas, sql, stowageAsync, World } from '../compat/lib/harness.mjs';
import { callTogether } from '../compat/lib/stowage-client.mjs';

const role = `query_${newId()}`;
let world;
let client;
let name; // the schema, quoted
before(async () => {
  world = await new World({ name: 'query', config: { storage: { query: 'write', queryRole: role, queryRows: 500 }, postgres: { max: 2 } } }).open();
  client = world.client;
  name = `"${world.schema}"`;
  await sql(`CREATE ROLE ${role}`);
  await sql(`GRANT ${role} TO CURRENT_USER`);
  await sql(`GRANT USAGE, CREATE ON SCHEMA ${name} TO ${role}`);
  await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.mastra_threads, ${name}.mastra_messages TO ${role}`);
});
after(async () => {
  await world?.close();
  await sql(`DROP OWNED BY ${role} CASCADE`);
  await sql(`DROP ROLE ${role}`);
  await closeShared();
});

const query = (text, params = [], more = {}) => client.call('storage.query', { sql: text, params, ...more });
const write = (text, params, more) => query(text, params, { readOnly: false, ...more });
const rows = async (...args) => (await query(...args)).rows;
const refused = (work, expected) => assert.rejects(work, expected);

describe('results', () => {
  test('values of each type', async () => {
    const result = await query(`SELECT 1::int4 AS i4, 9007199254740993::int8 AS i8, 1.50 AS n, 0.1::float8 AS f8, 'NaN'::float8 AS nan, true AS b,
      'a"b\\c' AS t, NULL::text AS none, '{"a": [1]}'::jsonb AS j, decode('00ff', 'hex') AS by, '2024-01-02 03:04:05.678+00'::timestamptz AS tz,
      '2024-01-02 03:04:05'::timestamp AS ts, 'infinity'::timestamptz AS inf, '2024-01-02'::date AS d, ARRAY[1, NULL] AS a4, ARRAY[1::int8] AS a8, '{}'::text[] AS e,
      ARRAY[ARRAY['a'], ARRAY['b']] AS aa, ARRAY['2024-01-02'::timestamptz] AS at, ARRAY['{}'::jsonb] AS aj, '1.2.3.4'::inet AS ip, int4range(1, 3) AS r, pg_sleep(0) AS v`);
    assert.deepEqual(result.rows, [{ i4: 1, i8: '9007199254740993', n: '1.50', f8: 0.1, nan: 'NaN', b: true, t: 'a"b\\c', none: null, j: { a: [1] }, by: 'AP8=',
      tz: '2024-01-02T03:04:05.678Z', ts: '2024-01-02T03:04:05.000Z', inf: 'infinity', d: '2024-01-02', a4: [1, null], a8: ['1'], e: [], aa: [['a'], ['b']],
      at: ['2024-01-02T00:00:00.000Z'], aj: [{}], ip: '1.2.3.4/32', r: '[1,3)', v: '' }]);
    assert.equal(result.rowCount, 1);
    assert.equal(result.truncated, false);
    assert.deepEqual(result.fields.slice(0, 3), [{ name: 'i4', type: 'int4' }, { name: 'i8', type: 'int8' }, { name: 'n', type: 'numeric' }]);
    assert.equal(result.fields.find((field) => field.name === 'aa').type, 'text[]');
  });

  test('columns of one name, without a name, and none at all', async () => {
    const result = await query('SELECT 1 AS a, 2 AS a, 3');
    assert.deepEqual(result.rows, [{ a: 2, '?column?': 3 }]);
    assert.equal(result.fields.length, 3);
    assert.equal((await query('SELECT')).rowCount, 1);
  });

  test('parameters of each kind', async () => {
    assert.deepEqual(await rows('SELECT $1::int4 + 1 AS a, $2::text AS b, $3->>\'x\' AS c, $4::bool AS d, $5::text AS e', [1, 'é"', { x: 'y' }, true, null]),
      [{ a: 2, b: 'é"', c: 'y', d: true, e: null }]);
    assert.deepEqual(await rows('SELECT $1 AS a, $2 AS b, $3 AS c', [['a', 'b"', null], [1, 2], [1, { a: null }]], { types: ['text[]', 'int8[]', 'jsonb'] }),
      [{ a: ['a', 'b"', null], b: ['1', '2'], c: [1, { a: null }] }]);
    assert.deepEqual(await rows('SELECT $1 AS a, $2 AS b', ['text', null], { types: ['jsonb', 'jsonb'] }), [{ a: 'text', b: null }]);
    await refused(query('SELECT $1', [[1]]), { code: 'PARAMETER_TYPE_MISSING', category: 'INVALID' });
    await refused(query('SELECT $1', [1], { types: ['nonsense'] }), { code: 'UNKNOWN_TYPE' });
    await refused(query('SELECT $1::int4', []), { code: 'INVALID_PARAMETERS' });
    await refused(query('SELECT 1', [1]), { code: 'INVALID_PARAMETERS' });
    await refused(query('SELECT $1::int4', ['secret-9']), { category: 'INVALID' });
  });

  test('the number of rows', async () => {
    const some = 'SELECT generate_series(1, $1::int4) AS n';
    assert.deepEqual((await query(some, [2], { rows: 'none' })).rows, []);
    assert.equal((await query(some, [1], { rows: 'one' })).rows.length, 1);
    assert.equal((await query(some, [0], { rows: 'oneOrNone' })).rows.length, 0);
    await refused(query(some, [0], { rows: 'one' }), { code: 'WRONG_NUMBER_OF_ROWS', category: 'NOT_FOUND' });
    await refused(query(some, [2], { rows: 'one' }), { code: 'WRONG_NUMBER_OF_ROWS', category: 'CONFLICT' });
    await refused(query(some, [2], { rows: 'oneOrNone' }), { code: 'WRONG_NUMBER_OF_ROWS' });
    await refused(query(some, [0], { rows: 'many' }), { code: 'WRONG_NUMBER_OF_ROWS' });
    await refused(query(some, [0], { rows: 'few' }), { category: 'INVALID' });
    const cut = await query(some, [100_000_000], { limit: 3 });
    assert.deepEqual([cut.rows.length, cut.rowCount, cut.truncated], [3, 3, true]);
    assert.equal((await query(some, [501])).rows.length, 500);
    assert.equal((await query(some, [3], { limit: 3 })).truncated, false);
  });

  test('that are too large, or take too long', async () => {
    await refused(query('SELECT repeat(\'x\', 10000) FROM generate_series(1, 400)'), { code: 'REPLY_TOO_LARGE', category: 'INVALID' });
    await refused(query('SELECT pg_sleep(60)', [], { timeoutMs: 200 }), { code: 'STATEMENT_TIMEOUT', category: 'TIMEOUT' });
    await refused(write('SELECT pg_sleep(60)', [], { timeoutMs: 200 }), { code: 'STATEMENT_TIMEOUT', category: 'TIMEOUT' });
  });
});

describe('real use', () => {
  test('a table of the application beside the store\'s', async () => {
    await write('CREATE TABLE IF NOT EXISTS surveys (id int PRIMARY KEY, answers jsonb NOT NULL, at timestamptz DEFAULT now())');
    assert.deepEqual((await write('INSERT INTO surveys VALUES ($1, $2), (2, \'{}\') RETURNING id, answers', [1, { a: 1 }])).rows, [{ id: 1, answers: { a: 1 } }, { id: 2, answers: {} }]);
    assert.equal((await write('UPDATE surveys SET answers = answers || $1', [{ b: 2 }])).rowCount, 2);
    await refused(write('INSERT INTO surveys VALUES (1, \'{}\')'), { category: 'CONFLICT', code: 'DATABASE_ERROR', details: { sqlstate: '23505' } });
    assert.deepEqual((await write('WITH gone AS (DELETE FROM surveys WHERE id = 2 RETURNING id) SELECT id FROM gone')).rows, [{ id: 2 }]);
    await refused(write('DELETE FROM surveys RETURNING id', [], { rows: 'many', limit: 0 }).then(() => write('DELETE FROM surveys RETURNING id', [], { rows: 'one' })), { code: 'WRONG_NUMBER_OF_ROWS' });
    await write('INSERT INTO surveys SELECT n, \'{}\' FROM generate_series(1, 5) AS n');
    await refused(write('DELETE FROM surveys RETURNING id', [], { rows: 'one' }), { category: 'CONFLICT' });
    const cut = await write('UPDATE surveys SET at = now() RETURNING id', [], { limit: 2 });
    assert.deepEqual([cut.rows.length, cut.rowCount, cut.truncated], [2, 5, true]);
  });

  test('what the interface lacks, in order with other commands', async () => {
    const id = newId();
    const [, changed, found] = await callTogether(client, id, [['memory.saveThread', { thread: thread(id) }],
      ['storage.query', { sql: 'UPDATE mastra_threads SET title = $1 WHERE id = $2', params: ['direct', id], readOnly: false }],
      ['memory.getThreadById', { threadId: id }]]);
    assert.equal(changed.rowCount, 1);
    assert.equal(found.title, 'direct');
  });

  test('inside of storage.transaction, which undoes it', async () => {
    const id = newId();
    const run = (list) => client.call('storage.transaction', { commands: list.map(([command, args]) => schemas().encode(command, args)) });
    const read = ['storage.query', { sql: 'SELECT title FROM mastra_threads WHERE id = $1', params: [id] }];
    const change = ['storage.query', { sql: 'UPDATE mastra_threads SET title = \'b\' WHERE id = $1', params: [id], readOnly: false }];
    const replies = await run([['memory.saveThread', { thread: thread(id) }], change, read, read, ['memory.getThreadById', { threadId: id }]]);
    const results = replies.map((value) => schemas().decode(value).value.result);
    assert.deepEqual(results[3].rows, [{ title: 'b' }]);
    assert.equal(results[4].title, 'b');
    const bad = ['storage.query', { sql: 'SELECT nonsense' }];
    await refused(run([['memory.deleteThread', { threadId: id }], change, bad]), { code: 'TRANSACTION_FAILED', details: { index: 2, code: 'DATABASE_ERROR' } });
    assert.equal((await rows(read[1].sql, [id])).length, 1);
  });
});

describe('what is refused', () => {
  const words = ['COMMIT', 'ROLLBACK', 'END', 'ABORT', 'BEGIN', 'SAVEPOINT a', 'RELEASE a', 'PREPARE TRANSACTION \'a\'', 'SET ROLE none', 'RESET ROLE', 'RESET ALL',
    'COPY mastra_threads TO STDOUT', 'LISTEN a', 'NOTIFY a', 'UNLISTEN *', 'DO $$ BEGIN END $$', 'PREPARE a AS SELECT 1', 'EXECUTE a', 'DEALLOCATE ALL', 'CALL a()', 'DISCARD ALL',
    'DECLARE a CURSOR WITH HOLD FOR SELECT 1', 'LOCK mastra_threads', 'VACUUM', 'START TRANSACTION', 'SET SESSION AUTHORIZATION DEFAULT', 'LOAD \'a\'', 'CHECKPOINT', ''];
  for (const readOnly of [true, false]) {
    test(`statements that steer the session, readOnly ${readOnly}`, async () => {
      for (const word of words) {
        for (const text of [word, `/* a /* b */ */ -- c\n ( ${word.toLowerCase()}`, `\t;${word}`]) {
          await refused(query(text, [], { readOnly }), { category: 'INVALID', code: 'STATEMENT_NOT_ALLOWED' });
        }
      }
      for (const text of ['SELECT 1; COMMIT', 'SELECT 1; SELECT 2', '; SELECT 1; COMMIT', 'WITH a AS (SELECT 1) COMMIT', 'EXPLAIN COMMIT', 'SELECT 1 INTO x', 'SELECT \'a']) {
        await refused(query(text, [], { readOnly }), { category: 'INVALID' });
      }
    });
  }

  test('a read that writes', async () => {
    await refused(query('INSERT INTO surveys VALUES (9)'), { code: 'READ_ONLY' });
    await refused(query('WITH a AS (DELETE FROM mastra_threads RETURNING id) SELECT * FROM a'), { code: 'READ_ONLY' });
    await refused(query('EXPLAIN ANALYZE DELETE FROM mastra_threads'), { code: 'READ_ONLY' });
    await refused(query('SELECT set_config(\'transaction_read_only\', \'off\', true)'), { category: 'INVALID' });
  });

  test('the worker\'s tables and its role, however they are reached', async () => {
    for (const readOnly of [true, false]) {
      for (const text of [`SELECT * FROM stowage_outbox`, `SELECT * FROM ${name}.stowage_offsets`, `SELECT query_to_xml('SELECT * FROM stowage_outbox', true, true, '')`,
        `SELECT set_config('role', 'none', true)`, `SELECT set_config('session_authorization', 'default', true)`, `SELECT query_to_xml('SELECT set_' || 'config(''role'', ''none'', true)', true, true, '')`,
        ...(readOnly ? [] : [`SELECT ${name}.stowage_fence('', '{}', '{}', '{}', '{}')`])]) {
        await refused(query(text, [], { readOnly }), { category: 'INVALID', details: { sqlstate: '42501' } });
      }
    }
    for (const change of ['SET ROLE none', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT', 'RESET SESSION AUTHORIZATION']) {
      await write(`CREATE OR REPLACE FUNCTION escape() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE '${change}'; RETURN (SELECT count(*) FROM stowage_outbox); END $$`);
      await refused(write('SELECT escape()'), { category: 'INVALID', details: { sqlstate: '42501' } });
    }
    assert.equal((await write('UPDATE pg_settings SET setting = \'none\' WHERE name = \'role\'')).rowCount, 0);
    assert.equal((await rows('SELECT current_user AS u'))[0].u, role);
  });

  test('a deferred trigger does not run as the worker', async () => {
    await write('CREATE TABLE trap (a text)');
    await write('CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap SELECT current_user::text WHERE NEW.a IS NULL; RETURN NEW; END $$');
    await write('CREATE CONSTRAINT TRIGGER spring AFTER INSERT ON trap DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spring()');
    await write('INSERT INTO trap VALUES (NULL)');
    assert.deepEqual(await rows('SELECT a FROM trap WHERE a IS NOT NULL'), [{ a: role }]);
  });

  test('an error with an SQLSTATE that would steer the worker', async () => {
    await write('CREATE OR REPLACE FUNCTION fail(state text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \'chosen\' USING ERRCODE = state; END $$');
    for (const state of ['25006', '57P01', '08006', '26000', 'SW001', '40001', '53100', '55P03', '25P04', 'XX000', '57014']) {
      for (const readOnly of [true, false]) {
        await refused(query('SELECT fail($1)', [state], { readOnly }), { text: /chosen/ });
      }
    }
  });
});

describe('nothing is left behind', () => {
  test('after writes and after reads', async () => {
    await write(`CREATE OR REPLACE FUNCTION litter() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      PERFORM set_config('search_path', 'nowhere', false), set_config('statement_timeout', '1', false), set_config('lock_timeout', '0', false), set_config('my.setting', 'x', false);
      PERFORM pg_advisory_lock(4711); RETURN 1; END $$`);
    await write(`CREATE OR REPLACE FUNCTION more_litter() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      CREATE TEMP TABLE mastra_threads (id text); CREATE DOMAIN pg_temp.text AS int4; EXECUTE 'LISTEN a'; EXECUTE 'DECLARE held CURSOR WITH HOLD FOR SELECT 1'; RETURN 1; END $$`);
    for (const readOnly of [true, false]) {
      for (let i = 0; i < 4; i++) {
        await query('SELECT litter()', [], { readOnly });
        if (!readOnly) await write('SELECT more_litter()');
      }
    }
    await sql('SELECT pg_advisory_lock(4711)');
    await sql('SELECT pg_advisory_unlock(4711)');
    for (let i = 0; i < 4; i++) {
      assert.deepEqual(await rows(`SELECT coalesce(current_setting('my.setting', true), '') AS s, (SELECT count(*)::int4 FROM pg_cursors WHERE is_holdable) AS c,
        (SELECT count(*)::int4 FROM pg_listening_channels()) AS l, to_regclass('pg_temp.mastra_threads')::text AS t`), [{ s: '', c: 0, l: 0, t: null }]);
      const id = newId();
      await client.call('memory.saveThread', { thread: thread(id) });
      assert.equal((await client.call('memory.getThreadById', { threadId: id })).id, id);
    }
  });

  test('the time limits of other commands hold after a function changed them', async () => {
    await write(`CREATE OR REPLACE FUNCTION unlimited() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      PERFORM set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false); RETURN 1; END $$`);
    const id = newId();
    await client.call('memory.saveThread', { thread: thread(id) });
    await sql(`CREATE TABLE ${name}.seen (run text, lock text);
      CREATE FUNCTION ${name}.see() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO ${name}.seen VALUES (current_setting('statement_timeout'), current_setting('lock_timeout')); RETURN true; END $$;
      CREATE POLICY see ON ${name}.mastra_threads USING (${name}.see());
      ALTER TABLE ${name}.mastra_threads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`);
    for (let i = 0; i < 8; i++) {
      await write('SELECT unlimited()');
      assert.equal((await client.call('memory.getThreadById', { threadId: id })).id, id);
    }
    const seen = await sql(`SELECT DISTINCT run, lock FROM ${name}.seen`);
    await sql(`ALTER TABLE ${name}.mastra_threads DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY see ON ${name}.mastra_threads;
      DROP FUNCTION ${name}.see(); DROP TABLE ${name}.seen`);
    assert.deepEqual(seen, [{ run: '5s', lock: '2500ms' }]);
  });

  test('prepared statements that a function makes or drops', async () => {
    for (const change of ['PREPARE sneaky AS SELECT 1', 'DEALLOCATE ALL', 'DISCARD PLANS']) {
      await write(`CREATE OR REPLACE FUNCTION prepares() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE '${change}'; RETURN 1; END $$`);
      for (let i = 0; i < 3; i++) {
        const done = await write('SELECT prepares()').then(() => 'ok', (error) => error.code);
        assert.ok(['ok', 'STATEMENT_NOT_ALLOWED'].includes(done), done);
        const id = newId();
        await client.call('memory.saveThread', { thread: thread(id) });
      }
    }
  });
});

describe('a worker that must not run it', () => {
  const other = async (storage, work) => {
    const own = await new World({ name: 'query-off', config: { storage } }).open();
    try {
      await work((args) => own.client.call('storage.query', args), own);
    } finally {
      await own.close();
    }
  };
  test('off by default', () => other({}, (ask) => refused(ask({ sql: 'SELECT 1' }), { code: 'QUERY_DISABLED', category: 'UNSUPPORTED' })));
  test('no writes with "read", and no role', () => other({ query: 'read' }, async (ask) => {
    await refused(ask({ sql: 'SELECT 1', readOnly: false }), { code: 'QUERY_DISABLED' });
    await refused(ask({ sql: 'SELECT 1' }), { code: 'QUERY_ROLE_UNSAFE', category: 'UNSUPPORTED' });
  }));
  test('stowage check says so', async () => {
    const check = async (over) => (await stowageAsync(['check'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema, STOWAGE_STORAGE_QUERY: 'read', ...over } })).stdout;
    assert.match(await check({ STOWAGE_STORAGE_QUERY_ROLE: role }), new RegExp(`^ok +query +clients' statements run as ${role}`, 'm'));
    assert.match(await check({}), /^failed +query +storage.query is "read" without storage.queryRole/m);
    assert.match(await check({ STOWAGE_STORAGE_QUERY_ROLE: `${role}x` }), /^failed +query +storage.queryRole ".*" does not exist/m);
    assert.doesNotMatch(await check({ STOWAGE_STORAGE_QUERY: 'off' }), / query /);
  });
  test('a role with a right on stowage_*', () => other({ query: 'read', queryRole: role }, async (ask, own) => {
    assert.equal((await ask({ sql: 'SELECT 1' })).rowCount, 1);
    await sql(`GRANT SELECT (payload) ON "${own.schema}".stowage_outbox TO ${role}`).catch(() => sql(`GRANT SELECT ON "${own.schema}".stowage_outbox TO ${role}`));
    await refused(ask({ sql: 'SELECT 1' }), { code: 'QUERY_ROLE_UNSAFE' });
  }));
});

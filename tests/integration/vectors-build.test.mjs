// Index builds: detached from the partition, by one worker at a time, across crashes, cancelled and
// described.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeShared, CONNECTION, newId, pg, readTopic, sleep, sql, until, World } from '../compat/lib/harness.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';

after(() => closeShared());

let world;
const call = (method, args, options) => world.client.call(`vectors.${method}`, args, options);
const builds = () => sql(`SELECT * FROM "${world.schema}".stowage_vector_builds ORDER BY id`);
const build = async (indexName) => (await builds()).filter((row) => row.index_name === indexName).at(-1);
// Commands that wait for a build of the index, or whose replies Kafka has yet to acknowledge.
const waiters = async (indexName) => (await sql(`SELECT w.* FROM "${world.schema}".stowage_vector_waiters w
  JOIN "${world.schema}".stowage_vector_builds b ON b.id = w.build_id WHERE b.index_name = $1`, [indexName])).length;
const indexOf = async (indexName) => (await sql(`SELECT i.indexrelid::int AS oid, i.indisvalid AS valid FROM pg_index i WHERE i.indexrelid = to_regclass($1)`,
  [`"${world.schema}"."${indexName}_vector_idx"`]))[0];
const table = (indexName) => `"${world.schema}"."${indexName}"`;
const fill = (indexName, rows, dimension = 3) => sql(`INSERT INTO ${table(indexName)} (vector_id, embedding)
  SELECT i, (SELECT array_agg(sin(i * j)) FROM generate_series(1, ${dimension}) j)::vector FROM generate_series(1, ${rows}) i`);

let count = 0;
const HNSW = { metric: 'cosine', indexConfig: { type: 'hnsw' } };

async function newIndex(rows = 10, dimension = 3) {
  const indexName = `idx_${++count}`;
  await call('createIndex', { indexName, dimension, buildIndex: false });
  if (rows) await fill(indexName, rows, dimension);
  return indexName;
}

// Opens a transaction that writes to the table. A concurrent build waits for it.
async function hold(t, indexName) {
  const client = new pg.Client({ connectionString: CONNECTION });
  await client.connect();
  await client.query('BEGIN');
  await client.query(`INSERT INTO ${table(indexName)} (vector_id, embedding) VALUES ('held-${newId()}', '[1,2,3]')`);
  let released;
  const release = () => (released ??= client.query('COMMIT').finally(() => client.end()));
  t.after(release);
  return { release };
}

const isBuilding = (indexName, phase = /./) => until(`${indexName} is being built`, async () => {
  const seen = await call('describeBuild', { indexName });
  return seen?.state === 'building' && phase.test(seen.phase ?? '') && seen;
});

// Backends that run a build statement on the table.
const backends = async (indexName) => sql(`SELECT pid, query FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'
  AND query LIKE '/* stowage build %' AND position($1 IN query) > 0`, [`${world.schema}.${indexName}`]);

// Records whether the promise has settled.
function watch(promise) {
  const state = { done: false, promise };
  promise.then((value) => Object.assign(state, { done: true, value }), (error) => Object.assign(state, { done: true, error }));
  return state;
}

describe('one worker', () => {
  before(async () => {
    world = await new World({ name: 'builds' }).open();
    await sql('CREATE EXTENSION IF NOT EXISTS vector');
  });
  after(() => world.close());

  test('the command is answered when the build ends, later commands of its partition before that', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    const seen = await isBuilding(indexName, /waiting/);
    for (let i = 0; i < 5; i++) await world.client.call('storage.ping', {}, { key: indexName });
    await call('createIndex', { indexName: `${indexName}_other`, dimension: 3, indexConfig: { type: 'flat' } });
    assert.equal(building.done, false);
    assert.equal(seen.attempts, 1);
    assert.ok(seen.startedAt >= seen.createdAt);
    assert.equal(seen.finishedAt, undefined);
    assert.equal(await world.worker.metric('stowage_index_builds_running'), 1);
    await held.release();
    assert.equal(await building.promise, undefined);
    assert.equal((await indexOf(indexName)).valid, true);
    const done = await call('describeBuild', { indexName });
    assert.deepEqual([done.state, done.percent, done.error], ['done', 100, undefined]);
    assert.ok(done.finishedAt >= done.startedAt);
    await until('the reply is recorded as sent', async () => await waiters(indexName) === 0);
    await world.worker.logged(new RegExp(`msg="index build started" index=${indexName} `));
    await world.worker.logged(new RegExp(`msg="index built" index=${indexName} seconds=`));
    assert.ok(await world.worker.metric('stowage_index_builds_total') >= 1);
    assert.equal(await world.worker.metric('stowage_index_builds_running'), 0);
  });

  test('commands after createIndex in its partition see the table', async () => {
    const indexName = `idx_${++count}`;
    const commands = [['createIndex', { dimension: 3, indexConfig: { type: 'hnsw' } }], ['upsert', { vectors: [[1, 0, 0], [0, 1, 0]], ids: ['a', 'b'] }],
      ['query', { queryVector: [1, 0, 0], topK: 1 }], ['describeBuild', {}]].map(([method, args]) =>
      ({ command: `vectors.${method}`, args: { indexName, ...args }, correlationId: newId() }));
    const replies = commands.map(({ command, correlationId }) => world.client.expect(correlationId, command));
    await world.client.post(commands);
    const [made, upserted, found, described] = (await Promise.all(replies)).map(({ decoded }) => decoded);
    assert.deepEqual([made.result, made.code], [undefined, undefined]);
    assert.deepEqual(upserted.result, ['a', 'b']);
    assert.equal(found.result[0].id, 'a');
    assert.ok(described.result.state, 'its build exists');
    assert.equal((await call('describeIndex', { indexName })).type, 'hnsw');
    assert.equal((await indexOf(indexName)).valid, true);
  });

  test('commands for the same build share it, a command for another build waits', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const first = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName);
    const same = watch(call('buildIndex', { indexName, ...HNSW }));
    const create = watch(call('createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } }));
    const any = watch(call('createIndex', { indexName, dimension: 3 }));
    await until('the worker has accepted them', async () => (await world.client.call('storage.ping', {}, { key: indexName })) && true);
    assert.equal((await builds()).filter((row) => row.index_name === indexName).length, 1);
    const other = watch(call('buildIndex', { indexName, metric: 'euclidean', indexConfig: { type: 'hnsw', hnsw: { m: 12 } } }));
    const otherAgain = watch(call('buildIndex', { indexName, metric: 'euclidean', indexConfig: { type: 'hnsw', hnsw: { m: 12 } } }));
    await until('the other build waits', async () => (await builds()).filter((row) => row.index_name === indexName).length === 2);
    await sleep(300);
    assert.ok([first, same, create, any, other, otherAgain].every((command) => !command.done));
    await held.release();
    await Promise.all([first, same, create, any, other, otherAgain].map((command) => command.promise));
    const [{ definition }] = await sql(`SELECT pg_get_indexdef($1::int) AS definition`, [(await indexOf(indexName)).oid]);
    assert.match(definition, /vector_l2_ops\) WITH \(m='?12'?/);
    await until('all are answered', async () => await waiters(indexName) === 0);
  });

  test('a command that joins a build does not keep its owner from renewing the lease', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName);
    // A batch that has joined the build and does not commit for a while.
    const batch = new pg.Client({ connectionString: CONNECTION });
    await batch.connect();
    t.after(() => batch.end());
    const { wanted } = await build(indexName);
    await batch.query('BEGIN');
    await batch.query(`SELECT "${world.schema}".stowage_build_ask($1, $2, $3, '')`, [world.schema, indexName, JSON.stringify(wanted)]);
    const was = (await build(indexName)).lease_until;
    await until('the lease is renewed twice', async () => (await build(indexName)).lease_until - was > 1500);
    assert.equal((await build(indexName)).attempts, 1);
    await batch.query('ROLLBACK');
    await held.release();
    await building.promise;
  });

  test('a waiter that commits after the build has ended is answered', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName);
    const [{ reply }] = await sql(`SELECT reply FROM "${world.schema}".stowage_vector_waiters`);
    const batch = new pg.Client({ connectionString: CONNECTION });
    await batch.connect();
    t.after(() => batch.end());
    await batch.query('BEGIN');
    await batch.query(`SELECT "${world.schema}".stowage_build_ask($1, $2, $3, $4)`,
      [world.schema, indexName, JSON.stringify((await build(indexName)).wanted), reply]);
    await batch.query('SELECT 1'); // ends the portal, whose snapshot the build would wait for
    await held.release();
    await building.promise;
    const replies = world.client.replies.length;
    await batch.query('COMMIT');
    await until('its reply', () => world.client.replies.length > replies);
    await until('it is recorded as sent', async () => await waiters(indexName) === 0);
  });

  test('many commands wait for one build, up to a limit', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName);
    // The address of the first command's reply stands for 995 others.
    await sql(`INSERT INTO "${world.schema}".stowage_vector_waiters (build_id, reply)
      SELECT build_id, reply FROM "${world.schema}".stowage_vector_waiters, generate_series(1, 995)`);
    const commands = Array.from({ length: 10 }, () => ({ command: 'vectors.buildIndex', args: { indexName, ...HNSW }, correlationId: newId() }));
    const replies = commands.map(({ command, correlationId }) => world.client.expect(correlationId, command));
    await world.client.post(commands);
    for (const { decoded } of await Promise.all(replies.slice(4))) {
      assert.deepEqual([decoded.code, decoded.category, decoded.retryable], ['TOO_MANY_WAITERS', 'UNAVAILABLE', true]);
      assert.match(decoded.message, /1000 commands wait/);
    }
    assert.equal(await waiters(indexName), 1000);
    const before = world.client.replies.length;
    await held.release();
    await building.promise;
    for (const { decoded } of await Promise.all(replies.slice(0, 4))) assert.equal(decoded.code, undefined);
    await until('no command waits', async () => await waiters(indexName) === 0);
    await until('all replies', () => world.client.replies.length >= before + 1000);
    await call('buildIndex', { indexName, ...HNSW });
  });

  test('commands that wait for a build of an older release are answered', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName);
    await sql(`UPDATE "${world.schema}".stowage_vector_builds b SET waiters = (SELECT string_agg(reply, '')
      FROM "${world.schema}".stowage_vector_waiters w WHERE w.build_id = b.id) WHERE index_name = $1`, [indexName]);
    await sql(`DELETE FROM "${world.schema}".stowage_vector_waiters`);
    await held.release();
    await building.promise;
    await until('no command waits', async () => await waiters(indexName) === 0 && (await build(indexName)).waiters === null);
  });

  test('the reply has the command\'s headers', async () => {
    const indexName = await newIndex();
    const reply = await world.client.send('vectors.buildIndex', { indexName, ...HNSW }, { headers: { traceparent: '00-a-b-01', tracestate: 'x=y' } });
    const text = (name) => headerText(reply.headers, name);
    assert.deepEqual([text('command'), text('status'), text('traceparent'), text('tracestate')], ['vectors.buildIndex', 'ok', '00-a-b-01', 'x=y']);
    assert.equal(reply.key.toString(), indexName);
    const nest = await world.client.send('vectors.buildIndex', { indexName, metric: 'euclidean', indexConfig: { type: 'hnsw' } }, {
      correlationId: 'nest-1', headers: { 'reply-to': undefined, 'correlation-id': undefined },
      named: { kafka_replyTopic: world.client.replyTopic, kafka_correlationId: 'nest-1' } });
    assert.equal(headerText(nest.headers, 'kafka_correlationId'), 'nest-1');
    assert.equal(headerText(nest.headers, 'kafka_nest-is-disposed'), '1');
    assert.equal(headerText(nest.headers, 'kafka_nest-err'), undefined);
  });

  test('an invalid index is dropped and built again', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const client = new pg.Client({ connectionString: CONNECTION, statement_timeout: 500 });
    await client.connect();
    await assert.rejects(client.query(`CREATE INDEX CONCURRENTLY "${indexName}_vector_idx" ON ${table(indexName)} USING hnsw (embedding vector_cosine_ops)
      WITH (m = 8, ef_construction = 32)`));
    await client.end();
    await held.release();
    const left = await indexOf(indexName);
    assert.equal(left.valid, false);
    await call('buildIndex', { indexName, ...HNSW });
    const made = await indexOf(indexName);
    assert.equal(made.valid, true);
    assert.notEqual(made.oid, left.oid);
  });

  test('deleteIndex cancels a build, and its command gets an error', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName, /waiting/);
    const waiting = watch(call('buildIndex', { indexName, metric: 'euclidean', indexConfig: { type: 'hnsw' } }));
    await until('both builds exist', async () => (await builds()).filter((row) => row.index_name === indexName).length === 2);
    const deleting = watch(call('deleteIndex', { indexName }));
    await until('the build has stopped', async () => (await backends(indexName)).length === 0);
    await held.release();
    assert.equal(await deleting.promise, undefined);
    await Promise.allSettled([building.promise, waiting.promise]);
    assert.equal((await sql('SELECT to_regclass($1) AS there', [table(indexName)]))[0].there, null);
    for (const { error } of [building, waiting]) {
      assert.deepEqual([error?.category, error?.code], ['CONFLICT', 'BUILD_CANCELLED'], String(error));
    }
  });

  test('deleteIndex does not wait for a running build', async () => {
    const indexName = await newIndex(0, 256);
    await fill(indexName, 6000, 256);
    const building = watch(call('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'hnsw', hnsw: { m: 64, efConstruction: 1000 } } }));
    await isBuilding(indexName, /building/);
    await call('deleteIndex', { indexName });
    await Promise.allSettled([building.promise]);
    assert.deepEqual([building.error?.category, building.error?.code], ['CONFLICT', 'BUILD_CANCELLED'], String(building.error));
    assert.match(building.error.text, new RegExp(indexName));
    assert.equal((await call('describeBuild', { indexName })).state, 'cancelled');
    await call('createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } });
    assert.equal((await call('describeBuild', { indexName })).state, 'done');
  });

  test('truncateIndex restarts a build', async () => {
    const indexName = await newIndex(0, 256);
    await fill(indexName, 6000, 256);
    const building = watch(call('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'hnsw', hnsw: { m: 64, efConstruction: 1000 } } }));
    const seen = await isBuilding(indexName, /building/);
    assert.ok(seen.attempts === 1 && !building.done);
    await call('truncateIndex', { indexName });
    assert.equal(await building.promise, undefined);
    assert.equal((await indexOf(indexName)).valid, true);
    assert.deepEqual(await sql(`SELECT FROM ${table(indexName)}`), []);
    assert.equal((await call('describeBuild', { indexName })).attempts, 2);
  });

  test('describeBuild reports progress', async () => {
    const indexName = await newIndex(0, 256);
    await fill(indexName, 6000, 256);
    const building = watch(call('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'hnsw', hnsw: { m: 64, efConstruction: 1000 } } }));
    const seen = await until('done and total', async () => {
      const now = await call('describeBuild', { indexName });
      return now?.state === 'building' && now.done > 0 && now;
    });
    assert.match(seen.phase, /building/);
    assert.ok(seen.total >= seen.done && seen.percent > 0 && seen.percent <= 100, JSON.stringify(seen));
    assert.ok((await build(indexName)).pid > 0);
    await call('deleteIndex', { indexName });
    await Promise.allSettled([building.promise]);
  });

  test('an impossible build is answered with its error and leaves no index', async () => {
    const indexName = `idx_${++count}`;
    await call('createIndex', { indexName, dimension: 1500, vectorType: 'sparsevec', buildIndex: false });
    await sql(`INSERT INTO ${table(indexName)} (vector_id, embedding) SELECT 'a', array_fill(1::float4, ARRAY[1500])::vector::sparsevec`);
    await assert.rejects(call('buildIndex', { indexName, ...HNSW, vectorType: 'sparsevec' }), (error) => error.category === 'INVALID' && /non-zero/.test(error.text));
    const seen = await call('describeBuild', { indexName });
    assert.equal(seen.state, 'failed');
    assert.match(seen.error, /non-zero/);
    assert.equal(await indexOf(indexName), undefined);
    assert.ok(await world.worker.metric('stowage_index_builds_failed_total') >= 1);
  });

  test('a failed build without a reply topic is a dead letter', async () => {
    const indexName = `idx_${++count}`;
    await call('createIndex', { indexName, dimension: 1500, vectorType: 'sparsevec', buildIndex: false });
    await sql(`INSERT INTO ${table(indexName)} (vector_id, embedding) SELECT 'a', array_fill(1::float4, ARRAY[1500])::vector::sparsevec`);
    const dead = await world.tail();
    const args = { indexName, ...HNSW, vectorType: 'sparsevec' };
    await world.client.post([{ command: 'vectors.buildIndex', args, headers: { mark: indexName } }]);
    const letter = await dead.find('the dead letter', (message) => message.text.mark === indexName);
    assert.equal(letter.key.toString(), indexName);
    assert.deepEqual(letter.value, world.client.schemas.encode('vectors.buildIndex', args));
    assert.equal(letter.text['__connect.errors.topic'], world.topic);
    assert.equal(letter.text['__connect.errors.exception.class.name'], 'DATABASE_ERROR');
    assert.match(letter.text['__connect.errors.exception.message'], /non-zero/);
    await until('the dead letter is recorded as sent', async () => await waiters(indexName) === 0);
    // A successful build sends nothing.
    const good = await newIndex();
    await world.client.post([{ command: 'vectors.buildIndex', args: { indexName: good, ...HNSW } }]);
    await until('it is done', async () => (await call('describeBuild', { indexName: good }))?.state === 'done');
    await until('no command waits for it', async () => await waiters(good) === 0);
    assert.equal((await readTopic(world.dlq)).length, dead.messages.length);
  });

  test('a build survives a lost session and a cancelled statement', async (t) => {
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    for (const end of ['pg_cancel_backend', 'pg_terminate_backend', 'pg_cancel_backend']) {
      const [{ pid }] = await until('its statement runs', async () => {
        const found = await backends(indexName);
        return found.length > 0 && found;
      });
      const { attempts } = await build(indexName);
      await sql(`SELECT ${end}($1)`, [pid]);
      await until('another attempt', async () => (await build(indexName)).attempts > attempts);
      assert.equal(building.done, false);
    }
    // The other connection, on which the builder renews its lease. A pooler may run something else on it next.
    await until('its session is seen', async () => (await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND position($1 IN query) > 0`, [`"${world.schema}".stowage_build_`])).length > 0);
    await sleep(2500); // one or two renewals
    assert.equal(building.done, false);
    await held.release();
    assert.equal(await building.promise, undefined);
    assert.equal((await indexOf(indexName)).valid, true);
  });
});

describe('the extension', () => {
  // Runs createIndex with a worker of this user on a new database that `statement` prepares.
  // Returns the error, and the schema of the column's type.
  async function create(connection, statement) {
    const database = `stowage_vectors_${newId()}`;
    const inside = (address) => Object.assign(new URL(address), { pathname: `/${database}` }).href;
    await sql(`CREATE DATABASE "${database}" TEMPLATE template0`);
    const admin = new pg.Client({ connectionString: inside(process.env.STACK_POSTGRES_ADMIN) });
    const other = new World({ name: 'extension' });
    try {
      await admin.connect();
      if (statement) await admin.query(statement);
      await other.open({ init: false, start: false });
      await other.startWorker({}, { STOWAGE_POSTGRES_CONNECTION_STRING: inside(connection) });
      const error = await other.client.call('vectors.createIndex', { indexName: 'a', dimension: 3, indexConfig: { type: 'hnsw' } })
        .then(() => undefined, (failure) => failure);
      await other.client.call('storage.ping');
      const { rows } = await admin.query(`SELECT n.nspname AS home FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_namespace n ON n.oid = t.typnamespace WHERE a.attrelid = to_regclass($1) AND a.attname = 'embedding'`, [`"${other.schema}".a`]);
      return { error, home: rows[0]?.home, schema: other.schema };
    } finally {
      await other.close();
      await admin.end();
      await until('the database is dropped', () => sql(`DROP DATABASE "${database}"`).then(() => true, () => false));
    }
  }

  test('is created if it is missing, in the schema of the data', async () => {
    const { error, home, schema } = await create(process.env.STACK_POSTGRES_ADMIN);
    assert.equal(error, undefined);
    assert.equal(home, schema);
  });

  test('is used in any schema', async () => {
    const { error, home } = await create(CONNECTION, 'CREATE SCHEMA "The Ext"; CREATE EXTENSION vector SCHEMA "The Ext"; GRANT USAGE ON SCHEMA "The Ext" TO PUBLIC');
    assert.equal(error, undefined);
    assert.equal(home, 'The Ext');
  });

  test('missing, and not allowed to be created: an error, and the partition continues', async () => {
    const { error, home } = await create(CONNECTION);
    assert.deepEqual([error?.category, error?.code], ['UNSUPPORTED', 'PGVECTOR_MISSING'], String(error));
    assert.equal(home, undefined);
  });
});

describe('two workers', () => {
  before(async () => {
    world = await new World({ name: 'two-builders' }).open();
    await sql('CREATE EXTENSION IF NOT EXISTS vector');
  });
  after(() => world.close());

  const begins = (worker, indexName) => worker.log.includes(`msg="index build started" index=${indexName} `);

  test('the builder crashes: the other worker builds the index and answers', async (t) => {
    const other = await world.startWorker();
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName, /waiting/);
    const [builder, rest] = begins(world.worker, indexName) ? [world.worker, other] : [other, world.worker];
    assert.ok(!begins(rest, indexName), 'only one worker builds');
    await builder.kill();
    await held.release();
    assert.equal(await building.promise, undefined);
    assert.ok(begins(rest, indexName));
    assert.equal((await indexOf(indexName)).valid, true);
    const { attempts, state } = await build(indexName);
    assert.deepEqual([state, attempts], ['done', 2]);
    world.worker = rest;
  });

  test('the builder shuts down: the other worker continues at once', async (t) => {
    const other = await world.startWorker();
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const building = watch(call('buildIndex', { indexName, ...HNSW }));
    await isBuilding(indexName, /waiting/);
    const [builder, rest] = begins(world.worker, indexName) ? [world.worker, other] : [other, world.worker];
    await builder.stop();
    assert.match(builder.log, /index build left to the next worker/);
    await until('the other worker has begun', () => begins(rest, indexName));
    assert.equal(building.done, false);
    await held.release();
    assert.equal(await building.promise, undefined);
    world.worker = rest;
  });

  test('another worker sends a reply that was not acknowledged', async (t) => {
    // The state after a worker crashed between the end of the build and the reply.
    const indexName = await newIndex();
    const held = await hold(t, indexName);
    const correlationId = newId();
    const answer = world.client.expect(correlationId, 'vectors.buildIndex');
    await world.client.post([{ command: 'vectors.buildIndex', args: { indexName, ...HNSW }, correlationId }]);
    await isBuilding(indexName, /waiting/);
    await world.worker.kill();
    await held.release();
    await sql(`UPDATE "${world.schema}".stowage_vector_builds SET state = 'done', token = token + 1, lease_until = clock_timestamp() + interval '1 second',
      finished_at = clock_timestamp() WHERE index_name = $1`, [indexName]);
    world.worker = await world.startWorker();
    assert.equal((await answer).decoded.result, undefined);
    await until('the reply is recorded as sent', async () => await waiters(indexName) === 0);
  });
});

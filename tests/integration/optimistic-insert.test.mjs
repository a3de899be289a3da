// Optimistic insert: large statements assume that their rows are new. If some already exist, the
// worker retries the batch, and running the commands one by one would give the same result.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { at, content, message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, pool, sql, until, World } from '../compat/lib/harness.mjs';
import { ReferenceVector } from '../compat/lib/vector-pair.mjs';

after(() => closeShared());

// One connection, so that one executor runs all batches and remembers their results.
const inWorld = (name, use) => async () => {
  const world = new World({ name, config: { postgres: { max: 1 } } });
  const metric = (name_) => world.worker.metric(`stowage_${name_}`);
  try {
    await world.open();
    await use(world, {
      run: (text, params) => sql(text.replaceAll(':schema', `"${world.schema}"`), params),
      retried: () => metric('optimistic_insert_retries_total'),
      // Sends all commands while no worker runs, so that one batch gets them. Resolves to 'done' or
      // the error for each.
      together: async (list) => {
        await world.worker.stop();
        const calls = list.map((one, i) => ({ ...one, key: 'one partition', correlationId: `${world.id}-${i}` }));
        const answers = calls.map(({ correlationId, command }) => world.client.expect(correlationId, command));
        await world.client.post(calls);
        world.worker = await world.startWorker({ batch: { lingerMillis: 1000 } });
        const outcomes = (await Promise.all(answers)).map(({ schema, decoded }) => (schema.name === 'mastra.Error' ? decoded : 'done'));
        await until('the batch is counted', () => metric('batches_total'));
        assert.equal(await metric('batches_total'), 1);
        return outcomes;
      },
    });
  } finally {
    await world.close();
  }
};

const numbers = (count, first = 0) => Array.from({ length: count }, (_, i) => first + i);

describe('messages', () => {
  const save = (w, ids, text) => w.client.call('memory.saveMessages',
    { messages: ids.map((i) => message(`m${i}`, 't', i, { content: content(`${text} ${i}`) })) });
  const stored = async (run) => (await run('SELECT id, content FROM :schema.mastra_messages'))
    .map(({ id, content: json }) => `${id}: ${JSON.parse(json).parts[0].text}`).sort();
  const open = (w) => w.client.call('memory.saveThread', { thread: thread('t') });

  test('existing ones are updated, new ones inserted, and the next batches use no optimistic insert', inWorld('some', async (w, { run, retried }) => {
    await open(w);
    await save(w, numbers(100), 'first');
    await save(w, numbers(100, 100), 'first');
    assert.equal(await retried(), 0);
    await save(w, numbers(100, 150), 'second');
    assert.equal(await retried(), 1, 'an optimistic insert failed');
    await save(w, numbers(100, 200), 'third');
    await save(w, numbers(100, 300), 'third');
    assert.equal(await retried(), 1, 'no second one');
    assert.deepEqual(await stored(run), [...numbers(150).map((i) => `m${i}: first ${i}`), ...numbers(50, 150).map((i) => `m${i}: second ${i}`),
      ...numbers(200, 200).map((i) => `m${i}: third ${i}`)].sort());
    const [{ times }] = await run('SELECT count(DISTINCT "createdAt")::int AS times FROM :schema.mastra_messages');
    assert.equal(times, 400, 'existing messages keep their times');
  }));

  test('a few, for which a client may wait, use no optimistic insert', inWorld('few', async (w, { retried }) => {
    await open(w);
    for (let i = 0; i < 3; i++) await save(w, numbers(20), `try ${i}`);
    assert.equal(await retried(), 0);
  }));

  const one = (i, over) => ({ command: 'memory.saveMessages', args: { messages: [message(`m${i}`, 't', i, over)] } });
  const count = async (run) => (await run('SELECT count(*)::int AS n FROM :schema.mastra_messages'))[0].n;

  test('a missing thread among others, in one batch', inWorld('missing', async (w, { run, retried, together }) => {
    await open(w);
    const outcomes = await together(numbers(100).map((i) => one(i, i === 30 ? { threadId: 'none' } : {})));
    assert.deepEqual(outcomes.map((outcome) => outcome.code ?? outcome), numbers(100).map((i) => (i === 30 ? 'THREAD_NOT_FOUND' : 'done')));
    assert.equal(await count(run), 99);
    assert.equal(await retried(), 0);
  }));

  test('an operator\'s unique index fails only the command that violates it', inWorld('unique', async (w, { run, retried, together }) => {
    await open(w);
    await run('CREATE UNIQUE INDEX ON :schema.mastra_messages (content)');
    const outcomes = await together(numbers(100).map((i) => one(i, { content: `text ${i === 70 ? 20 : i}` })));
    assert.deepEqual(outcomes.map((outcome) => outcome.category ?? outcome), numbers(100).map((i) => (i === 70 ? 'CONFLICT' : 'done')));
    assert.equal(await count(run), 99);
    assert.equal(await retried(), 1);
  }));

  test('neighbours of an existing message take effect once, and each gets its reply', inWorld('neighbours', async (w, { run, retried, together }) => {
    await open(w);
    await save(w, [70], 'first');
    const om = await w.client.call('memory.initializeObservationalMemory', { threadId: 't', resourceId: 'r', scope: 'thread', config: {} });
    const add = { command: 'memory.updateActiveObservations', args: { id: om.id, observations: 'x', tokenCount: 1, lastObservedAt: at(0) } };
    const span = (i) => ({ command: 'observability.createSpan',
      args: { span: { traceId: 't', spanId: `s${i}`, name: 'n', spanType: 'generic', isEvent: false, startedAt: at(0) } } });
    const outcomes = await together([...numbers(40).map(() => add), ...numbers(150).map(span), ...numbers(100).map((i) => one(i)),
      { command: 'memory.saveThread', args: { thread: thread('', { id: 'a\0b' }) } }, ...numbers(150, 150).map(span), ...numbers(40).map(() => add)]);
    assert.deepEqual(outcomes.map((outcome) => outcome.category ?? outcome), numbers(481).map((i) => (i === 290 ? 'INVALID' : 'done')));
    assert.equal(await retried(), 1);
    assert.equal(await count(run), 100);
    const [{ tokens, spans }] = await run(`SELECT (SELECT "totalTokensObserved"::int FROM :schema.mastra_observational_memory) AS tokens,
      (SELECT count(*)::int FROM :schema.mastra_ai_spans) AS spans`);
    assert.deepEqual([tokens, spans], [80, 300]);
  }));

  test('without the primary key it is an error, and no row is stored twice', inWorld('key', async (w, { run }) => {
    await open(w);
    await save(w, numbers(100), 'first');
    await run('ALTER TABLE :schema.mastra_messages DROP CONSTRAINT mastra_messages_pkey');
    await assert.rejects(save(w, numbers(100), 'second'), /no unique or exclusion constraint/);
    assert.deepEqual(await stored(run), numbers(100).map((i) => `m${i}: first ${i}`).sort());
  }));
});

describe('vectors', () => {
  const made = async (w, use, indexConfig = { type: 'flat' }, dimension = 2) => {
    const mate = new ReferenceVector(w.schema);
    try {
      await mate.call('vectors.createIndex', { indexName: 'docs', dimension, indexConfig });
      await use(mate);
    } finally {
      await mate.close();
    }
  };
  const upsertOf = (ids, mark, dimension = 2) => ({ indexName: 'docs', ids: ids.map((i) => `v${String(i).padStart(4, '0')}`),
    vectors: ids.map((i) => [i + 1, mark, ...Array(dimension - 2).fill(0.5)]) });
  const upsert = (w, ...given) => w.client.call('vectors.upsert', upsertOf(...given));
  const stored = async (run) => Object.fromEntries((await run('SELECT vector_id, (embedding::real[])[1:2] AS start FROM :schema.docs'))
    .map(({ vector_id: id, start }) => [Number(id.slice(1)), start]));
  const expect = (...lists) => Object.fromEntries(lists.flatMap(([ids, mark]) => ids.map((i) => [i, [i + 1, mark]])));

  test('a vector of the last statement exists', inWorld('last', (w, { run, retried }) => made(w, async () => {
    // A statement holds about 80 vectors of this dimension.
    await upsert(w, [199], 1, 1990);
    assert.equal(await retried(), 0);
    await upsert(w, numbers(100, 1000), 2, 1990);
    assert.equal(await retried(), 0);
    await upsert(w, numbers(120, 80), 3, 1990);
    assert.equal(await retried(), 1);
    await upsert(w, numbers(100, 70), 4, 1990);
    assert.equal(await retried(), 1);
    assert.deepEqual(await stored(run), expect([numbers(100, 1000), 2], [numbers(120, 80), 3], [numbers(100, 70), 4]));
  }, undefined, 1990)));

  test('deleteFilter deletes the same ids first', inWorld('deleted', (w, { run, retried }) => made(w, async () => {
    const metadata = numbers(100).map(() => ({ doc: 'a' }));
    for (const mark of [1, 2, 3])
      await w.client.call('vectors.upsert', { ...upsertOf(numbers(100), mark), metadata, deleteFilter: { doc: 'a' } });
    assert.equal(await retried(), 0);
    assert.deepEqual(await stored(run), expect([numbers(100), 3]));
  })));

  test('a table with a vector index is not used for attempts that are rolled back', inWorld('graph', (w, { run, retried }) => made(w, async () => {
    for (const mark of [1, 2, 3]) await upsert(w, numbers(100, 50 * mark), mark);
    assert.equal(await retried(), 0);
    assert.deepEqual(await stored(run), expect([numbers(100, 50), 1], [numbers(100, 100), 2], [numbers(100, 150), 3]));
  }, { type: 'hnsw' })));

  test('a table without its unique index gets it again, and no row is stored twice', inWorld('index', (w, { run }) => made(w, async () => {
    await upsert(w, numbers(100), 1);
    const [{ unique }] = await run(`SELECT indexrelid::regclass::text AS unique FROM pg_index
      WHERE indrelid = ':schema.docs'::regclass AND indisunique AND NOT indisprimary`);
    await run(`DROP INDEX ${unique}`);
    for (const mark of [2, 3]) await upsert(w, numbers(100), mark);
    assert.equal((await run('SELECT count(*)::int AS n FROM :schema.docs'))[0].n, 100);
    assert.deepEqual(await stored(run), expect([numbers(100), 3]));
  })));

  test('in a partitioned table', inWorld('parts', (w, { run, retried }) => made(w, async () => {
    await run(`DROP TABLE :schema.docs;
      CREATE TABLE :schema.docs (id serial, vector_id text NOT NULL, embedding vector(2), metadata jsonb DEFAULT '{}',
        namespace varchar(255) NOT NULL DEFAULT 'default', UNIQUE (namespace, vector_id)) PARTITION BY HASH (namespace);
      CREATE TABLE :schema.docs_all PARTITION OF :schema.docs FOR VALUES WITH (MODULUS 1, REMAINDER 0)`);
    await upsert(w, numbers(100), 1);
    await upsert(w, numbers(100, 50), 2);
    assert.equal(await retried(), 1);
    assert.deepEqual(await stored(run), expect([numbers(100), 1], [numbers(100, 50), 2]));
  })));

  test('after a write to a vector index: the batch is retried, and the result is the same', inWorld('behind', (w, { run, retried, together }) => made(w, async (mate) => {
    await mate.call('vectors.createIndex', { indexName: 'a_graph', dimension: 2, indexConfig: { type: 'hnsw' } });
    for (const first of numbers(4).map((i) => 20 * i)) await upsert(w, numbers(20, first), 1);
    const both = (mark) => ['docs', 'a_graph'].map((indexName) => ({ command: 'vectors.upsert', args: { ...upsertOf(numbers(100, 50), mark), indexName } }));
    for (const mark of [2, 3]) assert.deepEqual(await together(both(mark)), ['done', 'done']);
    assert.equal(await retried(), 1);
    assert.deepEqual(await stored(run), expect([numbers(50), 1], [numbers(100, 50), 3]));
  })));

  for (const end of ['COMMIT', 'ROLLBACK']) {
    test(`another transaction has inserted one of the rows: ${end}`, inWorld('both', (w, { run, retried }) => made(w, async () => {
      const other = await pool().connect();
      try {
        await other.query(`BEGIN; INSERT INTO "${w.schema}".docs (vector_id, embedding, metadata) VALUES ('v0050', '[0,0]', '{}')`);
        const given = upsert(w, numbers(100), 1);
        given.catch(() => {}); // awaited below
        await until('the worker waits for it', async () =>
          (await run("SELECT FROM pg_stat_activity WHERE wait_event = 'transactionid' AND query LIKE $1", [`%${w.schema}%`])).length);
        await other.query(end);
        await given;
      } finally {
        other.release(true);
      }
      assert.equal(await retried(), end === 'COMMIT' ? 1 : 0);
      assert.deepEqual(await stored(run), expect([numbers(100), 1]));
    })));
  }
});

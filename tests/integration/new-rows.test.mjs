// Large statements expect their rows to be new. Where some are there already, the batch runs again,
// and the outcome is what one by one would leave.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { content, message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, sql, World } from '../compat/lib/harness.mjs';
import { ReferenceVector } from '../compat/lib/vector-pair.mjs';

after(() => closeShared());

// One connection: all batches are one executor's, which remembers.
const inWorld = (name, use) => async () => {
  const world = new World({ name, config: { postgres: { max: 1 } } });
  try {
    await world.open();
    await use(world, {
      run: (text, params) => sql(text.replaceAll(':schema', `"${world.schema}"`), params),
      refused: () => world.worker.metric('stowage_new_rows_refused_total'),
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

  test('some are there: they are updated, the others come in, and the next do not try', inWorld('some', async (w, { run, refused }) => {
    await open(w);
    await save(w, numbers(100), 'first');
    await save(w, numbers(100, 100), 'first');
    assert.equal(await refused(), 0);
    await save(w, numbers(100, 150), 'second');
    assert.equal(await refused(), 1, 'new rows were expected');
    await save(w, numbers(100, 200), 'third');
    await save(w, numbers(100, 300), 'third');
    assert.equal(await refused(), 1, 'not again');
    assert.deepEqual(await stored(run), [...numbers(150).map((i) => `m${i}: first ${i}`), ...numbers(50, 150).map((i) => `m${i}: second ${i}`),
      ...numbers(200, 200).map((i) => `m${i}: third ${i}`)].sort());
    const [{ times }] = await run('SELECT count(DISTINCT "createdAt")::int AS times FROM :schema.mastra_messages');
    assert.equal(times, 400, 'those that were there keep their times');
  }));

  test('a few, which somebody may wait for, are never tried', inWorld('few', async (w, { refused }) => {
    await open(w);
    for (let i = 0; i < 3; i++) await save(w, numbers(20), `try ${i}`);
    assert.equal(await refused(), 0);
  }));

  test('a thread that is not there among others, in one batch', inWorld('missing', async (w, { run, refused }) => {
    await open(w);
    const one = (i) => w.client.call('memory.saveMessages', { messages: [message(`m${i}`, i === 30 ? 'none' : 't', i)] })
      .then(() => 'saved', (error) => error.code);
    const outcomes = await Promise.all(numbers(100).map(one));
    assert.deepEqual(outcomes, numbers(100).map((i) => (i === 30 ? 'THREAD_NOT_FOUND' : 'saved')));
    assert.equal((await run('SELECT count(*)::int AS n FROM :schema.mastra_messages'))[0].n, 99);
    assert.equal(await refused(), 0);
  }));

  test('what an operator made unique fails its command alone', inWorld('unique', async (w, { run }) => {
    await open(w);
    await run('CREATE UNIQUE INDEX ON :schema.mastra_messages (content)');
    const one = (i) => w.client.call('memory.saveMessages', { messages: [message(`m${i}`, 't', i, { content: `text ${i === 70 ? 20 : i}` })] })
      .then(() => 'saved', (error) => error.category);
    const outcomes = await Promise.all(numbers(100).map(one));
    assert.deepEqual(outcomes.filter((outcome) => outcome !== 'saved'), ['CONFLICT']);
    assert.equal((await run('SELECT count(*)::int AS n FROM :schema.mastra_messages'))[0].n, 99);
  }));

  test('without the primary key nothing comes in twice: it is an error', inWorld('key', async (w, { run }) => {
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

  test('one of the last statement\'s is there', inWorld('last', (w, { run, refused }) => made(w, async () => {
    // Some 80 of them are a statement.
    await upsert(w, [199], 1, 1990);
    assert.equal(await refused(), 0);
    await upsert(w, numbers(100, 1000), 2, 1990);
    assert.equal(await refused(), 0);
    await upsert(w, numbers(120, 80), 3, 1990);
    assert.equal(await refused(), 1);
    await upsert(w, numbers(100, 70), 4, 1990);
    assert.equal(await refused(), 1);
    assert.deepEqual(await stored(run), expect([numbers(100, 1000), 2], [numbers(120, 80), 3], [numbers(100, 70), 4]));
  }, undefined, 1990)));

  test('deleteFilter takes the same ids away first', inWorld('deleted', (w, { run, refused }) => made(w, async () => {
    const metadata = numbers(100).map(() => ({ doc: 'a' }));
    for (const mark of [1, 2, 3])
      await w.client.call('vectors.upsert', { ...upsertOf(numbers(100), mark), metadata, deleteFilter: { doc: 'a' } });
    assert.equal(await refused(), 0);
    assert.deepEqual(await stored(run), expect([numbers(100), 3]));
  })));

  test('a vector index is not filled with what is undone', inWorld('graph', (w, { run, refused }) => made(w, async () => {
    for (const mark of [1, 2, 3]) await upsert(w, numbers(100, 50 * mark), mark);
    assert.equal(await refused(), 0);
    assert.deepEqual(await stored(run), expect([numbers(100, 50), 1], [numbers(100, 100), 2], [numbers(100, 150), 3]));
  }, { type: 'hnsw' })));

  test('without its unique index the table gets it again, and nothing twice', inWorld('index', (w, { run }) => made(w, async () => {
    await upsert(w, numbers(100), 1);
    const [{ unique }] = await run(`SELECT indexrelid::regclass::text AS unique FROM pg_index
      WHERE indrelid = ':schema.docs'::regclass AND indisunique AND NOT indisprimary`);
    await run(`DROP INDEX ${unique}`);
    for (const mark of [2, 3]) await upsert(w, numbers(100), mark);
    assert.equal((await run('SELECT count(*)::int AS n FROM :schema.docs'))[0].n, 100);
    assert.deepEqual(await stored(run), expect([numbers(100), 3]));
  })));

  test('in a partitioned table', inWorld('parts', (w, { run, refused }) => made(w, async () => {
    await run(`DROP TABLE :schema.docs;
      CREATE TABLE :schema.docs (id serial, vector_id text NOT NULL, embedding vector(2), metadata jsonb DEFAULT '{}',
        namespace varchar(255) NOT NULL DEFAULT 'default', UNIQUE (namespace, vector_id)) PARTITION BY HASH (namespace);
      CREATE TABLE :schema.docs_all PARTITION OF :schema.docs FOR VALUES WITH (MODULUS 1, REMAINDER 0)`);
    await upsert(w, numbers(100), 1);
    await upsert(w, numbers(100, 50), 2);
    assert.equal(await refused(), 1);
    assert.deepEqual(await stored(run), expect([numbers(100), 1], [numbers(100, 50), 2]));
  })));

  test('PgVector writes the same at the same time', inWorld('both', (w, { run }) => made(w, async (mate) => {
    for (const mark of numbers(8, 1)) {
      const given = upsertOf(numbers(100, 100 * mark), mark);
      await Promise.all([w.client.call('vectors.upsert', given), mate.call('vectors.upsert', given)]);
    }
    assert.equal((await run('SELECT count(*)::int AS n FROM :schema.docs'))[0].n, 800);
    assert.deepEqual(await stored(run), expect(...numbers(8, 1).map((mark) => [numbers(100, 100 * mark), mark])));
  })));
});

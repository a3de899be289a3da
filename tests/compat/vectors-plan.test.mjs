// vectors-plan.test.mjs - how vectors.query uses the database: which index answers, which settings remain,
// and that a filtered query on an approximate index finds all there is. The reference has none of this.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeShared, pool, sql, until, World } from './lib/harness.mjs';
import { ReferenceVector } from './lib/vector-pair.mjs';

let world;
let mate;
const call = (method, args) => world.client.call(`vectors.${method}`, args);
const run = (text, params) => sql(text.replaceAll(':schema', `"${world.schema}"`), params);
const idsOf = (results) => results.map(({ id }) => id);

before(async () => {
  // One connection, so that what one command leaves behind would affect the next.
  world = await new World({ name: 'plan', config: { postgres: { max: 1 } } }).open();
  mate = new ReferenceVector(world.schema);
});

after(async () => {
  await mate?.close();
  try {
    await world?.close();
  } finally {
    await closeShared();
  }
});

// Rows v1, v2, ... of 2 dimensions; `x`, `y` and `metadata` are SQL on i.
const fill = async (indexName, count, { x, y = '0', metadata, ...options }) => {
  await mate.call('vectors.createIndex', { indexName, dimension: 2, metric: 'euclidean', ...options, buildIndex: false });
  await run(`INSERT INTO :schema.${indexName} (vector_id, embedding, metadata)
    SELECT 'v' || i, ARRAY[${x}, ${y}]::float4[]::vector, ${metadata ?? "'{}'::jsonb"} FROM generate_series(1, ${count}) AS i`);
  await mate.call('vectors.buildIndex', { indexName, metric: options.metric ?? 'euclidean', indexConfig: options.indexConfig });
  await run(`ANALYZE :schema.${indexName}`);
};

// How often the indexes of a table, and the table itself, were scanned while `work` ran. A session reports
// its counts once a second, at the end of a transaction.
const scans = async (table, work) => {
  const read = async () => Object.fromEntries((await run(
    `SELECT indexrelname AS name, idx_scan AS n FROM pg_stat_user_indexes WHERE schemaname = $1 AND relname = $2
     UNION ALL SELECT 'rows', seq_scan FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = $2`, [world.schema, table]))
    .map(({ name, n }) => [name, Number(n)]));
  let earlier = await read();
  // Let the session report earlier work first.
  for (let calm = 0; calm < 3; calm++) {
    await new Promise((resolve) => { setTimeout(resolve, 600); });
    await world.client.call('storage.ping');
    const now = await read();
    if (JSON.stringify(now) !== JSON.stringify(earlier)) calm = 0;
    earlier = now;
  }
  await work();
  return until('the session has reported its scans', async () => {
    await world.client.call('storage.ping');
    const now = await read();
    const more = Object.entries(now).filter(([name, n]) => n > earlier[name]).map(([name]) => name);
    return more.length && more;
  });
};

describe('the index that answers', () => {
  test('hnsw, as the reference creates it by default', async () => {
    const indexName = 'wide';
    // The session ends, so it reports the scans of the index builds at once; an idle session reports after 10 s.
    const maker = new ReferenceVector(world.schema);
    await maker.call('vectors.createIndex', { indexName, dimension: 600, indexConfig: { type: 'hnsw' }, metadataIndexes: ['rare'] });
    await maker.close();
    await run(`INSERT INTO :schema.wide (vector_id, embedding, metadata)
      SELECT 'v' || i, (SELECT array_agg(random() - 0.5) FROM generate_series(1, 600 + 0 * i))::vector,
        jsonb_build_object('all', 'x', 'half', i % 2, 'rare', 'r' || i % 300) FROM generate_series(1, 3000) AS i`);
    await run('ANALYZE :schema.wide');
    const [{ indexname: rare }] = await run(`SELECT indexname FROM pg_indexes WHERE schemaname = $1 AND indexdef LIKE '%''rare''%'`, [world.schema]);
    const queryVector = Array.from({ length: 600 }, (_, i) => Math.fround(Math.sin(i * 7919)));
    const used = (args) => scans('wide', async () => {
      const found = await call('query', { indexName, queryVector, ...args });
      assert.equal(found.length, 10);
    });
    for (const time of ['first', 'second', 'third']) // the later queries rely on hints from the first
      assert.ok((await used({})).includes('wide_vector_idx'), `without a filter, the ${time} time`);
    assert.ok((await used({ filter: { all: 'x' } })).includes('wide_vector_idx'), 'with a filter that all rows match');
    assert.ok((await used({ filter: { half: 1 } })).includes('wide_vector_idx'), 'with a filter that half of the rows match');
    const few = await used({ filter: { rare: 'r7' } });
    assert.ok(few.includes(rare) && !few.includes('wide_vector_idx'), `with a filter that few rows match: ${few}`);
    // An invalid index counts as missing; the result is then exact.
    await run(`DROP INDEX :schema.wide_vector_idx`);
    assert.equal((await call('query', { indexName, queryVector })).length, 10);
  });

  test('it finds the same as the same search by hand', async () => {
    await fill('plane', 5000, { x: 'i % 71', y: 'i / 71 + i / 1e6', indexConfig: { type: 'hnsw', hnsw: { m: 16, efConstruction: 64 } } });
    const found = await call('query', { indexName: 'plane', queryVector: [20.1, 30.2], topK: 20 });
    const exact = await run(`SELECT vector_id FROM :schema.plane ORDER BY embedding <-> '[20.1,30.2]', vector_id LIMIT 20`);
    assert.deepEqual(idsOf(found).sort(), exact.map((row) => row.vector_id).sort());
  });
});

describe('a filtered query on an approximate index', () => {
  // Everything that the filter matches is far from the vector.
  const far = (count) => ({ x: 'i', metadata: `jsonb_build_object('far', i > ${count - 700})` });
  const nearest = (first) => Array.from({ length: 10 }, (_, i) => `v${first + i}`);
  const ask = (indexName, over) => call('query', { indexName, queryVector: [0, 0], filter: { far: true }, ...over }).then(idsOf);

  test('hnsw continues until it has found topK', async () => {
    await fill('far', 3000, { ...far(3000), indexConfig: { type: 'hnsw' } });
    assert.deepEqual(await ask('far'), nearest(2301));
    assert.deepEqual(await ask('far', { ef: 1, topK: 10 }), nearest(2301));
    assert.equal((await ask('far', { topK: 690 })).length, 690);
  });

  test('ivfflat continues until it has found topK', async () => {
    await fill('lists', 3000, { ...far(3000), indexConfig: { type: 'ivfflat', ivf: { lists: 20 } } });
    assert.equal((await ask('lists', { probes: 1 })).length, 10);
    assert.deepEqual(await ask('lists', { probes: 20 }), nearest(2301));
  });

  test('beyond the range of an index scan', async () => {
    await fill('farther', 22000, { ...far(22000), indexConfig: { type: 'hnsw' } });
    assert.deepEqual(await ask('farther'), nearest(21301));
    assert.deepEqual(await ask('farther', { filter: { far: 'no' } }), []);
  });

  test('a namespace with few vectors among many', async () => {
    await fill('spaces', 3000, { x: 'i', indexConfig: { type: 'hnsw' } });
    await call('upsert', { indexName: 'spaces', vectors: [[9000, 0], [8000, 0]], ids: ['a', 'b'], namespace: 'small' });
    assert.deepEqual(idsOf(await call('query', { indexName: 'spaces', queryVector: [0, 0], namespace: 'small' })), ['b', 'a']);
  });
});

describe('settings of a query', () => {
  test('probes affect only that query', async () => {
    // Two clusters, and between them a vector of the first cluster; the query vector is nearer to the second.
    await fill('heaps', 1400, { x: 'CASE WHEN i = 1 THEN 4.9 ELSE i % 2 * 10 + sin(i) END', indexConfig: { type: 'ivfflat', ivf: { lists: 2 } } });
    const first = async (over) => idsOf(await call('query', { indexName: 'heaps', queryVector: [5.2, 0], topK: 1, ...over }))[0];
    assert.equal(await first({}), 'v1');
    assert.notEqual(await first({ probes: 1 }), 'v1');
    assert.equal(await first({}), 'v1');
    assert.equal(await first({ probes: 2 }), 'v1');
  });

  test('do not affect the commands that share its batch', async () => {
    await fill('seen', 600, { x: 'i', indexConfig: { type: 'hnsw' } });
    await run(`CREATE TABLE :schema.settings (id text, name text, value text)`);
    await run(`CREATE FUNCTION :schema.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO :schema.settings SELECT NEW.vector_id, name, current_setting(name, true) FROM unnest(ARRAY['enable_sort', 'jit', 'plan_cache_mode',
        'hnsw.ef_search', 'hnsw.iterative_scan', 'ivfflat.probes', 'ivfflat.iterative_scan']) AS name; RETURN NEW; END $$`);
    await run(`CREATE TRIGGER note BEFORE INSERT ON :schema.seen FOR EACH ROW EXECUTE FUNCTION :schema.note()`);
    const upsert = (id) => ({ command: 'vectors.upsert', args: { indexName: 'seen', vectors: [[1, 1]], ids: [id] } });
    const query = { command: 'vectors.query', args: { indexName: 'seen', queryVector: [1, 1], ef: 777 } };
    await world.client.call('vectors.upsert', upsert('before').args);
    // A query without a reply is not detached: it runs between the writes around it.
    await world.client.post([upsert('first'), query, upsert('second'), query, upsert('third')]);
    await world.client.call('vectors.query', query.args);
    await world.client.call('vectors.upsert', upsert('last').args);
    const seen = await run(`SELECT id, string_agg(name || '=' || COALESCE(value, ''), ' ' ORDER BY name) AS settings FROM :schema.settings GROUP BY id`);
    assert.deepEqual(seen.map(({ id }) => id).sort(), ['before', 'first', 'last', 'second', 'third']);
    const [{ settings }] = seen.filter(({ id }) => id === 'before');
    // A session has no settings of pgvector before it loads the extension.
    const named = ({ settings: text }) => text.replace(/(hnsw|ivfflat)\.\w+=(|1|40|off)(?= |$)/g, '');
    for (const row of seen) assert.equal(named(row), named({ settings }), row.id);
    assert.match(settings, /enable_sort=on/);
  });
});

describe('order', () => {
  test('a query sees the writes before it in its partition', async () => {
    await mate.call('vectors.createIndex', { indexName: 'fresh', dimension: 2, indexConfig: { type: 'hnsw' } });
    // In one request: with many requests in flight, kafkajs may send the last ones out of order.
    const posted = [], found = [];
    for (let i = 0; i < 20; i++) {
      const correlationId = `fresh-${i}`;
      posted.push({ command: 'vectors.upsert', args: { indexName: 'fresh', vectors: [[1, i]], ids: [`v${i}`] } },
        { command: 'vectors.query', args: { indexName: 'fresh', queryVector: [1, i], topK: 1 }, correlationId });
      found.push(world.client.expect(correlationId, 'vectors.query').then(({ decoded }) => idsOf(decoded.result)));
    }
    await world.client.post(posted);
    assert.deepEqual(await Promise.all(found), Array.from({ length: 20 }, (_, i) => [`v${i}`]));
  });

  // A hint from one query must not answer the next query after the database has changed.
  const nearestByHand = (indexName, operator, topK = 10) => run(
    `SELECT vector_id FROM :schema.${indexName} ORDER BY embedding ${operator} '[3,40]', vector_id LIMIT ${topK}`)
    .then((rows) => rows.map((row) => row.vector_id));
  const search = (indexName, over) => call('query', { indexName, queryVector: [3, 40], ...over });

  test('an index that is built again with another metric', async () => {
    await fill('metric', 2000, { x: '1 + i % 40', y: '1 + i / 40 + i / 1e6', indexConfig: { type: 'hnsw', hnsw: { m: 16, efConstruction: 64 } } });
    for (let i = 0; i < 3; i++) assert.deepEqual(idsOf(await search('metric')), await nearestByHand('metric', '<->'));
    await run('DROP INDEX :schema.metric_vector_idx');
    await run('CREATE INDEX metric_vector_idx ON :schema.metric USING hnsw (embedding vector_ip_ops) WITH (m = 16)');
    for (let i = 0; i < 3; i++) {
      const found = await search('metric', { topK: 3 });
      assert.deepEqual(idsOf(found), await nearestByHand('metric', '<#>', 3));
      assert.ok(found[0].score > 1, `a score of the new metric: ${found[0].score}`);
    }
  });

  test('rows that are deleted after a query found many', async () => {
    await fill('thinned', 3000, { x: '3', y: '40 + i', indexConfig: { type: 'hnsw', hnsw: { m: 16, efConstruction: 64 } } });
    const ids = (first) => Array.from({ length: 10 }, (_, i) => `v${first + i}`);
    for (let i = 0; i < 3; i++) assert.deepEqual(idsOf(await search('thinned')), ids(1));
    await run(`DELETE FROM :schema.thinned WHERE substr(vector_id, 2)::int <= 1500`);
    for (let i = 0; i < 3; i++) assert.deepEqual(idsOf(await search('thinned')), ids(1501));
    await run(`DELETE FROM :schema.thinned WHERE substr(vector_id, 2)::int <= 2996`);
    for (let i = 0; i < 3; i++) assert.deepEqual(idsOf(await search('thinned')), ids(2997).slice(0, 4));
  });

  test('a crowded namespace and one with few rows', async () => {
    await fill('halls', 3000, { x: '3', y: '40 + i', indexConfig: { type: 'hnsw', hnsw: { m: 16, efConstruction: 64 } } });
    await run(`UPDATE :schema.halls SET namespace = 'few' WHERE substr(vector_id, 2)::int > 2994`);
    for (let i = 0; i < 3; i++) {
      assert.equal((await search('halls')).length, 10);
      assert.deepEqual(idsOf(await search('halls', { namespace: 'few' })), ['v2995', 'v2996', 'v2997', 'v2998', 'v2999', 'v3000']);
    }
  });

  test('a reply does not wait for later queries', async () => {
    await fill('swift', 10, { x: '3', y: '40 + i', indexConfig: { type: 'flat' } });
    await fill('stuck', 10, { x: '3', y: '40 + i', indexConfig: { type: 'flat' } });
    const ask = (indexName, correlationId) => ({ correlationId, command: 'vectors.query', args: { indexName, queryVector: [3, 40] } });
    const lock = await pool().connect();
    try {
      await lock.query(`BEGIN; LOCK TABLE "${world.schema}".stuck IN ACCESS EXCLUSIVE MODE`);
      // The only connection answers the first query, then waits for the lock with the other queries.
      const replies = ['swift', 'stuck-1', 'stuck-2', 'stuck-3'].map((id) => world.client.expect(id, 'vectors.query'));
      await world.client.post([ask('swift', 'swift'), ...['stuck-1', 'stuck-2', 'stuck-3'].map((id) => ask('stuck', id))]);
      assert.equal((await replies[0]).decoded.result.length, 10);
      await lock.query('COMMIT');
      for (const reply of replies) assert.equal((await reply).decoded.result.length, 10);
    } finally {
      lock.release();
    }
  });

  test('a table that is dropped, and a table that does not exist yet', async () => {
    const make = async (count) => {
      await call('createIndex', { indexName: 'gone', dimension: 2, indexConfig: { type: 'flat' } });
      await run(`INSERT INTO :schema.gone (vector_id, embedding) SELECT 'v' || i, ARRAY[3, i]::float4[]::vector FROM generate_series(1, ${count}) AS i`);
    };
    await make(10);
    for (let i = 0; i < 2; i++) assert.equal((await search('gone')).length, 10);
    await run('DROP TABLE :schema.gone');
    await assert.rejects(search('gone'), /does not exist/);
    await make(5);
    assert.equal((await search('gone')).length, 5);
  });

  test('columns that are replaced under the same names', async () => {
    await fill('renamed', 10, { x: '3', y: '40 + i', indexConfig: { type: 'flat' } });
    await run(`ALTER TABLE :schema.renamed ADD COLUMN other_id uuid DEFAULT '00000000-0000-0000-0000-000000000001', ADD COLUMN other int[] DEFAULT '{}'`);
    for (let i = 0; i < 2; i++) assert.equal((await search('renamed')).length, 10);
    await run('ALTER TABLE :schema.renamed RENAME vector_id TO old_id');
    await run('ALTER TABLE :schema.renamed RENAME other_id TO vector_id');
    // The search does not know about the change, and reads the columns as they are.
    assert.deepEqual(idsOf(await search('renamed', { topK: 1 })), ['00000000-0000-0000-0000-000000000001']);
    await run('ALTER TABLE :schema.renamed RENAME vector_id TO other_id');
    await run('ALTER TABLE :schema.renamed RENAME old_id TO vector_id');
    for (let i = 0; i < 2; i++) assert.equal((await search('renamed')).length, 10);
    await run('ALTER TABLE :schema.renamed RENAME metadata TO old');
    await run('ALTER TABLE :schema.renamed RENAME other TO metadata');
    await assert.rejects(search('renamed'), { code: 'INDEX_NOT_FOUND' });
  });

  test('upserts into a table that has changed since the last one', async () => {
    const upsert = (vector, id) => call('upsert', { indexName: 'shifting', vectors: [vector], ids: [id] });
    const make = async (dimension) => {
      await run('DROP TABLE IF EXISTS :schema.shifting');
      await mate.call('vectors.createIndex', { indexName: 'shifting', dimension, indexConfig: { type: 'flat' } });
    };
    const stored = () => run('SELECT vector_id AS id, embedding::text AS vector FROM :schema.shifting ORDER BY 1');
    await make(2);
    for (const id of ['a', 'b', 'b']) await upsert([1, 2], id);
    assert.deepEqual(await stored(), [{ id: 'a', vector: '[1,2]' }, { id: 'b', vector: '[1,2]' }]);
    await make(3);
    await assert.rejects(upsert([1, 2], 'a'), /expects 3 dimensions but got 2/);
    await make(2);
    await assert.rejects(upsert([1, 2, 3], 'a'), /expects 2 dimensions but got 3/);
    await make(3);
    await upsert([1, 2, 3], 'a');
    assert.deepEqual(await stored(), [{ id: 'a', vector: '[1,2,3]' }]);
    await run('DROP TABLE :schema.shifting');
    await assert.rejects(upsert([1, 2, 3], 'a'), /does not exist/);
    await make(2);
    await upsert([1, 2], 'a');
    // The state that an older release of the reference left.
    const [{ unique }] = await run(`SELECT indexrelid::regclass::text AS unique FROM pg_index
      WHERE indrelid = ':schema.shifting'::regclass AND indisunique AND NOT indisprimary`);
    await run(`DROP INDEX ${unique}`);
    for (let i = 0; i < 2; i++) await upsert([3, 4], 'a');
    assert.deepEqual(await stored(), [{ id: 'a', vector: '[3,4]' }]);
  });

  test('a table that is dropped and created again with another type', async () => {
    for (const options of [{ dimension: 2 }, { dimension: 3 }, { dimension: 3, vectorType: 'halfvec' }, { dimension: 3, vectorType: 'bit' },
      { dimension: 3, vectorType: 'sparsevec', indexConfig: { type: 'hnsw' } }]) {
      await run('DROP TABLE IF EXISTS :schema.again');
      const maker = new ReferenceVector(world.schema);
      await maker.call('vectors.createIndex', { indexName: 'again', ...options });
      await maker.close();
      const vector = Array.from({ length: options.dimension }, () => 1);
      await call('upsert', { indexName: 'again', vectors: [vector], ids: ['a'] });
      assert.deepEqual(await call('query', { indexName: 'again', queryVector: vector, includeVector: true }).then((found) => found.map((one) => one.vector)), [vector]);
    }
  });
});

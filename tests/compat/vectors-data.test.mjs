// vectors-data.test.mjs - writes, reads and searches vectors. PgVector creates the tables on both sides, and
// every case runs on both sides (lib/pair.mjs).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RawJson } from './lib/avro.mjs';
import { AWKWARD_JSON, HOSTILE_IDS, REPAIRED_JSON } from './lib/fixtures.mjs';
import { sql } from './lib/harness.mjs';
import { BySide, SELF } from './lib/pair.mjs';
import { VectorPair } from './lib/vector-pair.mjs';

const pair = new VectorPair();

// Reproducible numbers in [-1, 1).
function* numbers(seed) {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    yield state / 0x40000000 - 1;
  }
}

const vectorsOf = (count, dimension, seed = 1, type = 'vector') => {
  const next = numbers(seed);
  const make = { bit: (x) => (x > 0 ? 1 : 0), sparsevec: (x) => (x > 0.3 ? x : 0) }[type] ?? ((x) => x);
  return Array.from({ length: count }, () => {
    const vector = Array.from({ length: dimension }, () => make(next.next().value));
    if (vector.every((x) => x === 0)) vector[0] = 1;
    return vector.map(Math.fround);
  });
};

const TYPES = {
  'vector, cosine, ivfflat': {},
  'vector, cosine, hnsw': { indexConfig: { type: 'hnsw' } },
  'vector, cosine, flat': { indexConfig: { type: 'flat' } },
  'vector, euclidean, hnsw': { metric: 'euclidean', indexConfig: { type: 'hnsw', hnsw: { m: 12, efConstruction: 50 } } },
  'vector, euclidean, ivfflat': { metric: 'euclidean', indexConfig: { type: 'ivfflat', ivf: { lists: 4 } } },
  'vector, dotproduct, hnsw': { metric: 'dotproduct', indexConfig: { type: 'hnsw' } },
  'vector, dotproduct, ivfflat': { metric: 'dotproduct', indexConfig: { type: 'ivfflat', ivf: { lists: 4 } } },
  'vector, dotproduct, flat': { metric: 'dotproduct', indexConfig: { type: 'flat' } },
  'halfvec, cosine, hnsw': { vectorType: 'halfvec', indexConfig: { type: 'hnsw' } },
  'halfvec, euclidean, ivfflat': { vectorType: 'halfvec', metric: 'euclidean', indexConfig: { type: 'ivfflat', ivf: { lists: 3 } } },
  'halfvec, dotproduct, hnsw': { vectorType: 'halfvec', metric: 'dotproduct', indexConfig: { type: 'hnsw' } },
  'halfvec, flat': { vectorType: 'halfvec', indexConfig: { type: 'flat' } },
  'bit, hamming, hnsw': { vectorType: 'bit', metric: 'hamming', indexConfig: { type: 'hnsw' } },
  'bit, hamming, ivfflat': { vectorType: 'bit', indexConfig: { type: 'ivfflat', ivf: { lists: 3 } } },
  'bit, jaccard, hnsw': { vectorType: 'bit', metric: 'jaccard', indexConfig: { type: 'hnsw' } },
  'bit, flat': { vectorType: 'bit', indexConfig: { type: 'flat' } },
  'sparsevec, cosine, hnsw': { vectorType: 'sparsevec', indexConfig: { type: 'hnsw' } },
  'sparsevec, euclidean, hnsw': { vectorType: 'sparsevec', metric: 'euclidean', indexConfig: { type: 'hnsw' } },
  'sparsevec, dotproduct, hnsw': { vectorType: 'sparsevec', metric: 'dotproduct', indexConfig: { type: 'hnsw' } },
  'sparsevec, flat': { vectorType: 'sparsevec', indexConfig: { type: 'flat' } },
};

const NAME = { indexName: 'docs' };
const upsert = (over) => pair.ok('vectors.upsert', { ...NAME, ...over });
const query = (over) => pair.ok('vectors.query', { ...NAME, ...over });
const refused = (command, over, code, category = 'INVALID') =>
  pair.fails(`vectors.${command}`, { ...NAME, ...over }, category, code);
const idsOf = ({ stowage }) => stowage.map(({ id }) => id);

describe('vectors, every type and metric', () => {
  for (const [name, options] of Object.entries(TYPES)) {
    test(name, async () => {
      const type = options.vectorType ?? 'vector';
      await pair.index('docs', 13, options);
      await pair.ok('vectors.describeIndex', NAME);
      const vectors = vectorsOf(40, 13, 7, type);
      const ids = vectors.map((_, i) => `v${i}`);
      await upsert({ vectors, ids, metadata: ids.map((id, i) => ({ id, group: `g${i % 4}` })) });
      const queryVector = vectorsOf(1, 13, 99, type)[0];
      await query({ queryVector });
      await query({ queryVector, topK: 3, includeVector: true });
      await query({ queryVector, topK: 100, minScore: 0.4, includeVector: true });
      await query({ queryVector, topK: 5, filter: { group: 'g2' }, includeVector: true, ef: 100, probes: 2 });
      // The reference can't read bits and sparse vectors back without a queryVector.
      await query({ filter: { group: 'g1' }, topK: 4, includeVector: ['vector', 'halfvec'].includes(type) });
      await pair.ok('vectors.updateVector', { ...NAME, id: 'v3', update: { vector: queryVector } });
      const [nearest] = idsOf(await query({ queryVector, topK: 1 }));
      if (options.metric !== 'dotproduct') assert.equal(nearest, 'v3');
      await pair.ok('vectors.describeIndex', NAME);
      await pair.ok('vectors.listIndexes');
    });
  }
});

describe('vectors.upsert', () => {
  test('missing ids and metadata are generated', async () => {
    await pair.index('docs', 3);
    const { stowage } = await upsert({ vectors: [[1, 0, 0], [0, 1, 0]] });
    assert.equal(new Set(stowage).size, 2);
    await upsert({ vectors: [[1, 0, 0]], metadata: [] });
    await query({ queryVector: [1, 0, 0], includeVector: true });
  });

  test('an id that exists', async () => {
    await pair.index('docs', 3);
    await upsert({ vectors: [[1, 0, 0], [0, 1, 0]], ids: ['a', 'b'], metadata: [{ n: 1 }, { n: 2 }] });
    await upsert({ vectors: [[0, 0, 1]], ids: ['a'] });
    await upsert({ vectors: [[1, 1, 1], [2, 2, 2], [3, 3, 3]], ids: ['b', 'b', 'c'], metadata: [{ n: 3 }, { n: 4 }, { n: 5 }] });
    await query({ queryVector: [1, 0, 0], includeVector: true });
  });

  test('a hundred at once: new ones twice, then more and more that exist, then new ones again', async () => {
    await pair.index('docs', 3);
    for (const [i, first] of [0, 100, 200, 250, 260, 250, 1000, 1100, 1150, 0, 2000].entries()) {
      const numbers = Array.from({ length: 100 }, (_, n) => first + n);
      await upsert({ vectors: numbers.map((n) => [n, i, 1]), ids: numbers.map((n) => `v${n}`), metadata: numbers.map((n) => ({ n, i })) });
    }
  });

  test('namespaces', async () => {
    await pair.index('docs', 3);
    for (const [i, namespace] of [undefined, 'default', 'n1', 'n2', '', 'ü'.repeat(255)].entries()) {
      await upsert({ vectors: [[1, i, 0]], ids: ['same'], namespace });
      await query({ queryVector: [1, 0, 0], namespace, includeVector: true });
    }
    await query({ queryVector: [1, 0, 0], namespace: 'none' });
    await refused('upsert', { vectors: [[1, 2, 3]], namespace: 'n'.repeat(256) }, 'INVALID_NAMESPACE');
  });

  test('deleteFilter', async () => {
    await pair.index('docs', 3);
    await upsert({ vectors: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], ids: ['a', 'b', 'c'], metadata: [{ doc: 'x' }, { doc: 'x' }, { doc: 'y' }] });
    await upsert({ vectors: [[1, 0, 0]], ids: ['a'], metadata: [{ doc: 'x' }], namespace: 'n1' });
    await upsert({ vectors: [[1, 1, 0]], ids: ['d'], metadata: [{ doc: 'x' }], deleteFilter: { doc: 'x' } });
    await upsert({ vectors: [[1, 1, 0]], ids: ['e'], deleteFilter: {} });
    await upsert({ vectors: [[1, 1, 0]], ids: ['f'], deleteFilter: { doc: 'none' } });
    await upsert({ vectors: [[1, 1, 0]], ids: ['f'], deleteFilter: { doc: {} } });
    await query({ queryVector: [1, 0, 0] });
    await refused('upsert', { vectors: [[1, 1, 0]], ids: ['g'], deleteFilter: { doc: { $bad: 1 } } }, 'INVALID_FILTER');
  });

  test('metadata of every kind', async () => {
    await pair.index('docs', 3);
    const metadata = [null, 5, 0, 'x', '', [1], [], {}, true, false, { nested: { a: [1, { b: null }] } }];
    const ids = metadata.map((_, i) => `m${i}`);
    await upsert({ vectors: vectorsOf(ids.length, 3), ids, metadata });
    await query({ queryVector: [1, 0, 0], topK: 20 });
  });

  test('metadata that is 0, whatever follows it in the message', async () => {
    await pair.index('docs', 3);
    // The length of the next field is a byte that may be a digit: 24 to 28 bytes give '0' to '8'.
    const metadata = [24, 25, 26, 27, 28].flatMap((length) => [0, { text: 'x'.repeat(length - '{"text":""}'.length) }]);
    await upsert({ vectors: vectorsOf(metadata.length, 3), ids: metadata.map((_, i) => `m${i}`), metadata });
    await query({ queryVector: [1, 0, 0], topK: 20 });
  });

  test('metadata is stored, and filters are read, as JSON.parse reads them', { skip: SELF }, async () => {
    // JSON that JavaScript never writes, but Python's json.dumps does.
    const texts = ['{"f": 1.0}', '{"f":[1.50, -0.0]}', '{"f":{"g":1E2}}', '{"f":12345678901234567890}', '{"f":0.1000000000000000055511151231257827}',
      '{"f":1e999}', '{"f":"\\u0041\\/\\n"}', '{"f":1,"f":2.0}', '{"f":1e-7}', ' "" ', ' 0.0e5 ', '-0', '\t[1.0]\n'];
    const both = (command, args, over) => pair.ok(`vectors.${command}`,
      new BySide({ ...NAME, ...args, ...over((text) => new RawJson(text)) }, { ...NAME, ...args, ...over(JSON.parse) }));
    const update = (text) => both('updateVector', { id: 't0' }, (json) => ({ update: { metadata: json(text) } }));
    await pair.index('docs', 3);
    const ids = texts.map((_, i) => `t${i}`);
    await both('upsert', { vectors: vectorsOf(ids.length, 3), ids }, (json) => ({ metadata: texts.map(json) }));
    for (const text of [...texts.filter((one) => one.includes('f')), texts[0]]) await update(text);
    const nothing = (json) => ({ ...NAME, id: 't0', update: { metadata: json } });
    await pair.fails('vectors.updateVector', new BySide(nothing(new RawJson(' 0.0e5 ')), nothing(0)), 'INVALID', 'NO_UPDATES');
    const found = (filter) => pair.world.client.call('vectors.query', { ...NAME, filter: new RawJson(filter) }).then((rows) => rows.map(({ id }) => id));
    for (const filter of ['1', '1.0', '{"$in":[1.00]}', '{"$gte":1.0,"$lt":2}', '{"$regex":"^1$"}']) assert.deepEqual(await found(`{"f":${filter}}`), ['t0'], filter);
    for (const filter of ['12345678901234567890', '12345678901234567000', '[12345678901234567891]', '{"$gte":12345678901234567890}']) assert.deepEqual(await found(`{"f":${filter}}`), ['t3'], filter);
    assert.deepEqual(await found('{"f":{"$eq":[1.5, 0]}}'), ['t1']);
    assert.deepEqual(await found('{"f":{"$ne":1.0},"f.g":100.0}'), ['t2']);
    assert.deepEqual(await found('{"f":{"$nin":[1.0,2,1e-7,"x"]}}'), ['t1', 't2', 't3', 't4', 't6']);
  });

  for (const [name, json] of Object.entries(AWKWARD_JSON)) {
    test(`metadata: ${name}`, async () => {
      await pair.index('docs', 3, { indexConfig: { type: 'flat' } });
      await upsert({ vectors: [[1, 0, 0]], ids: ['a'], metadata: [{ json }] });
      await query({ queryVector: [1, 0, 0] });
    });
  }

  for (const [name, json] of Object.entries(REPAIRED_JSON).filter(([key]) => key !== 'escapedBackslash')) {
    test(`repaired metadata: ${name}`, async () => {
      await pair.index('docs', 3, { indexConfig: { type: 'flat' } });
      await pair.differs('the reference does not repair metadata', 'vectors.upsert', { ...NAME, vectors: [[1, 0, 0]], ids: ['a'], metadata: [{ json }] },
        { reference: 'fails', stowage: (ids) => assert.deepEqual(ids, ['a']) });
    });
  }

  test('hostile ids', async () => {
    await pair.index('docs', 3);
    await upsert({ vectors: vectorsOf(HOSTILE_IDS.length, 3), ids: HOSTILE_IDS });
    await upsert({ vectors: [[1, 2, 3]], ids: [''] });
    for (const id of HOSTILE_IDS) await pair.ok('vectors.updateVector', { ...NAME, id, update: { metadata: { id } } });
    await pair.ok('vectors.deleteVectors', { ...NAME, ids: HOSTILE_IDS.slice(0, 6) });
    for (const id of [...HOSTILE_IDS, '']) await pair.ok('vectors.deleteVector', { ...NAME, id });
    await refused('upsert', { vectors: [[1, 2, 3]], ids: ['a\0b'] }, 'TEXT_NOT_STORABLE');
  });

  test('numbers keep their value', async () => {
    await pair.index('docs', 3);
    const vectors = [[0.1, 1e-45, Math.PI], [1e38, -1e-38, -0], [16777217, 1 / 3, -2.5e-7]].map((vector) => vector.map(Math.fround));
    await upsert({ vectors, ids: ['a', 'b', 'c'] });
    await query({ queryVector: [1, 1, 1], includeVector: true });
    await pair.index('halves', 8, { vectorType: 'halfvec' });
    const halves = [[0.1, 1e-8, 3.14159, 65504, -65519, 6.1e-5, 5.96e-8, 2.9e-8], [1 + 1 / 2048, 1 + 3 / 2048, 2049, 2051, 0, -0, 1 / 3, 1e-5],
      [2047.5, 0.99999, 65488, 3.05e-5, 6.0975e-5, 6.1e-5, 8.94e-8, 1.04e-7]];
    await pair.ok('vectors.upsert', { indexName: 'halves', vectors: halves.map((half) => half.map(Math.fround)), ids: ['a', 'b', 'c'] });
    await pair.ok('vectors.query', { indexName: 'halves', queryVector: [1, 1, 1, 1, 1, 1, 1, 1], includeVector: true });
  });

  test('bits: each number that is not zero becomes one', async () => {
    await pair.index('docs', 9, { vectorType: 'bit', indexConfig: { type: 'hnsw' } });
    await upsert({ vectors: [[0, 1, 0.5, -1, 2, 0.4, 0, -0, 1]], ids: ['a'] });
    await query({ queryVector: [0, 1, 0.5, -1, 2, 0.4, 0, 0, 1], includeVector: true });
  });

  test('what is refused', async () => {
    await pair.index('docs', 3);
    await pair.index('halves', 3, { vectorType: 'halfvec' });
    await refused('upsert', { vectors: [] }, 'EMPTY_VECTORS');
    await refused('upsert', { vectors: [[1, 2, 3], [1, 2]] }, 'DIMENSION_MISMATCH');
    await refused('upsert', { vectors: [[1, 2, 3, 4]] }, 'DIMENSION_MISMATCH');
    await refused('upsert', { vectors: [[]] }, 'INVALID_VECTOR');
    for (const number of [NaN, Infinity, -Infinity]) await refused('upsert', { vectors: [[1, number, 3]] }, 'INVALID_VECTOR');
    await refused('upsert', { indexName: 'halves', vectors: [[70000, 0, 0]] }, 'INVALID_VECTOR');
    await refused('upsert', { vectors: [[1, 2, 3]], ids: [] }, 'IDS_LENGTH_MISMATCH');
    await refused('upsert', { vectors: [[1, 2, 3]], ids: ['a', 'b'] }, 'IDS_LENGTH_MISMATCH');
    await refused('upsert', { vectors: [[1, 2, 3]], metadata: [{}, {}] }, 'METADATA_LENGTH_MISMATCH');
    await refused('upsert', { indexName: 'none', vectors: [[1, 2, 3]] }, 'INDEX_NOT_FOUND', 'NOT_FOUND');
    for (const indexName of ['', 'a b', '1a', 'a"b', 'x'.repeat(64), 'ä']) await refused('upsert', { indexName, vectors: [[1, 2, 3]] }, 'INVALID_INDEX_NAME');
  });

  test('bits of another length', async () => {
    await pair.index('docs', 9, { vectorType: 'bit' });
    await pair.differs('the reference pads with zeros or truncates', 'vectors.upsert', { ...NAME, vectors: [[1, 0, 1]], ids: ['a'] },
      { category: 'INVALID', code: 'DIMENSION_MISMATCH' });
  });

  test('a refused command does not affect its neighbours', { skip: SELF }, async () => {
    await pair.index('docs', 3);
    await pair.index('other', 2);
    const { client } = pair.world;
    const send = (args) => client.call('vectors.upsert', { ...NAME, ...args }).then((ids) => ids.join(), (error) => error.code);
    const outcomes = await Promise.all([
      send({ vectors: [[1, 0, 0]], ids: ['a'] }),
      send({ vectors: [[1, 0]], ids: ['b'] }),
      send({ indexName: 'other', vectors: [[1, 0]], ids: ['c'] }),
      send({ indexName: 'none', vectors: [[1, 0]], ids: ['d'] }),
      send({ vectors: [[NaN, 0, 0]], ids: ['e'] }),
      send({ vectors: [[0, 1, 0]], ids: ['a'] }),
      send({ vectors: [[0, 0, 1]], ids: ['f'], deleteFilter: { $bad: 1 } }),
      send({ vectors: [[0, 0, 1]], ids: ['g'] }),
    ]);
    assert.deepEqual(outcomes, ['a', 'DIMENSION_MISMATCH', 'c', 'INDEX_NOT_FOUND', 'INVALID_VECTOR', 'a', 'INVALID_FILTER', 'g']);
    const rows = await sql(`SELECT vector_id, embedding::text FROM "${pair.schema}".docs ORDER BY vector_id`);
    assert.deepEqual(rows, [{ vector_id: 'a', embedding: '[0,1,0]' }, { vector_id: 'g', embedding: '[0,0,1]' }]);
  });

  test('many commands at once, on two indexes, have the same effect as one by one', { skip: SELF }, async () => {
    await pair.index('docs', 3, { indexConfig: { type: 'hnsw' } });
    await pair.index('other', 3, { indexConfig: { type: 'flat' } });
    const calls = [];
    const next = numbers(5);
    for (let i = 0; i < 300; i++) {
      const n = Math.floor((next.next().value + 1) * 20);
      calls.push({ indexName: i % 3 ? 'docs' : 'other', vectors: [[i, n, 1], [n, i, 2]], ids: [`v${n}`, `v${n + 1}`],
        metadata: [{ i }, { doc: `d${n % 5}` }], namespace: i % 7 ? undefined : 'n1', ...(i % 11 ? {} : { deleteFilter: { doc: `d${i % 5}` } }) });
    }
    await Promise.all(calls.map((args) => pair.world.client.call('vectors.upsert', args)));
    for (const args of calls) await pair.reference.call('vectors.upsert', args);
    await pair.rows();
  });
});

describe('vectors.query', () => {
  const fill = async (options) => {
    await pair.index('docs', 3, options);
    await upsert({ vectors: [[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0], [-1, 0, 0], [2, 2, 2]], ids: ['a', 'b', 'c', 'd', 'e'],
      metadata: [{ k: 'x', n: 1 }, { k: 'x', n: 2 }, { k: 'y', n: 3 }, { k: 'y', n: 4 }, { n: 5 }] });
  };

  for (const metric of ['cosine', 'euclidean', 'dotproduct']) {
    test(`${metric}: topK and minScore`, async () => {
      await fill({ metric, indexConfig: { type: 'hnsw' } });
      for (const topK of [undefined, 1, 2, 5, 6, 1000]) {
        for (const minScore of [undefined, -100, -1, 0, 0.5, 0.99, 1, 5, Infinity, -Infinity]) await query({ queryVector: [1, 0.1, 0], topK, minScore });
      }
    });
  }

  test('filters', async () => {
    await fill({ indexConfig: { type: 'hnsw' } });
    for (const filter of [undefined, {}, { k: 'x' }, { k: 'none' }, { n: { $gt: 2 } }]) await query({ queryVector: [1, 0.1, 0], filter });
    await query({ filter: { k: 'y' } });
    await query({ filter: { k: 'y' }, topK: 1, minScore: 0.5, includeVector: true });
    await refused('query', { queryVector: [1, 0, 0], filter: { k: { $bad: 1 } } }, 'INVALID_FILTER');
    await refused('query', {}, 'INVALID_QUERY');
    await refused('query', { filter: {} }, 'INVALID_QUERY');
  });

  test('what is refused', async () => {
    await fill();
    for (const topK of [0, -1]) await refused('query', { queryVector: [1, 0, 0], topK }, 'INVALID_QUERY');
    for (const queryVector of [[1, 0], [1, 0, 0, 0]]) await refused('query', { queryVector }, 'DIMENSION_MISMATCH');
    for (const queryVector of [[], [1, NaN, 0], [1, Infinity, 0]]) await refused('query', { queryVector }, 'INVALID_VECTOR');
    await refused('query', { queryVector: [1, 0, 0], probes: -1 }, 'INVALID_QUERY');
    await refused('query', { queryVector: [1, 0, 0], probes: 40000 }, 'INVALID_QUERY');
    await refused('query', { indexName: 'none', queryVector: [1, 0, 0] }, 'INDEX_NOT_FOUND', 'NOT_FOUND');
    await refused('query', { indexName: 'a b', queryVector: [1, 0, 0] }, 'INVALID_INDEX_NAME');
    await pair.differs('the reference finds nothing', 'vectors.query', { ...NAME, queryVector: [1, 0, 0], minScore: NaN }, { category: 'INVALID', code: 'INVALID_QUERY' });
  });

  test('ef and probes at their limits', async () => {
    await fill({ indexConfig: { type: 'hnsw' } });
    for (const ef of [-5, 0, 1, 40, 1000, 5000]) await query({ queryVector: [1, 0.1, 0], ef });
    await pair.index('lists', 3, { indexConfig: { type: 'ivfflat', ivf: { lists: 2 } } });
    await pair.ok('vectors.upsert', { indexName: 'lists', vectors: [[1, 0, 0], [0, 1, 0]], ids: ['a', 'b'] });
    for (const probes of [0, 1, 2, 100]) await pair.ok('vectors.query', { indexName: 'lists', queryVector: [1, 0.1, 0], probes });
  });

  test('rows without metadata or embedding', async () => {
    await fill({ indexConfig: { type: 'flat' } });
    await pair.sql(`INSERT INTO :schema.docs (vector_id, embedding, metadata) VALUES ('nometa', '[1,1,0]', NULL), ('noembedding', NULL, '{"k": "x"}')`);
    await query({ queryVector: [1, 0, 0], topK: 20, includeVector: true });
    await query({ filter: { k: 'x' }, includeVector: true });
  });

  test('a vector of zeros has NaN as its score by cosine', async () => {
    await pair.index('docs', 3, { indexConfig: { type: 'flat' } });
    await upsert({ vectors: [[1, 0, 0], [0, 0, 0]], ids: ['a', 'zero'] });
    await query({ queryVector: [0, 0, 0] });
    await pair.differs('the reference ranks it first', 'vectors.query', { ...NAME, queryVector: [1, 0, 0] }, {
      reference: (results) => assert.equal(results[0].id, 'zero'),
      stowage: (results) => assert.deepEqual(results.map(({ id }) => id), ['a', 'zero']),
    });
  });

  test('without dimensions, without an index of the reference, and with an index of another metric', async () => {
    const statements = ['CREATE TABLE :schema.m0 (id serial PRIMARY KEY, vector_id text NOT NULL, embedding vector, metadata jsonb, namespace varchar(255) NOT NULL DEFAULT \'default\', UNIQUE (namespace, vector_id))',
      'CREATE TABLE :schema.m1 (LIKE :schema.m0 INCLUDING ALL)', 'ALTER TABLE :schema.m1 ALTER embedding TYPE vector(3)', 'CREATE INDEX m1_vector_idx ON :schema.m1 USING hnsw (embedding vector_l1_ops)',
      'CREATE TABLE :schema.m2 (LIKE :schema.m1 INCLUDING DEFAULTS INCLUDING INDEXES)', 'DROP INDEX :schema.m2_embedding_idx', 'CREATE INDEX m2_vector_idx ON :schema.m2 USING ivfflat (embedding vector_ip_ops)',
      'CREATE TABLE :schema.m3 (LIKE :schema.m0 INCLUDING ALL)', 'ALTER TABLE :schema.m3 ALTER embedding TYPE vector(3)', 'CREATE INDEX m3_other_idx ON :schema.m3 USING hnsw (embedding vector_l2_ops)'];
    for (const statement of statements) await pair.sql(statement);
    for (const indexName of ['m0', 'm1', 'm2', 'm3']) {
      await pair.ok('vectors.upsert', { indexName, vectors: [[1, 2, 3], [-1, 0, 1]], ids: ['a', 'b'] });
      await pair.ok('vectors.describeIndex', { indexName });
      await pair.ok('vectors.query', { indexName, queryVector: [1, 0, 0], includeVector: true });
    }
  });
});

describe('vectors.updateVector', () => {
  const fill = async () => {
    await pair.index('docs', 3, { indexConfig: { type: 'hnsw' } });
    await upsert({ vectors: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], ids: ['a', 'b', 'c'], metadata: [{ k: 'x' }, { k: 'x' }, { k: 'y' }] });
    await upsert({ vectors: [[1, 0, 0]], ids: ['a'], metadata: [{ k: 'x' }], namespace: 'n1' });
  };
  const update = (over) => pair.ok('vectors.updateVector', { ...NAME, ...over });

  test('by id', async () => {
    await fill();
    await update({ id: 'a', update: { vector: [1, 1, 1] } });
    await update({ id: 'a', update: { metadata: { k: 'z', deep: { a: 1 } } } });
    await update({ id: 'b', update: { vector: [2, 2, 2], metadata: {} } });
    await update({ id: 'a', update: { metadata: { n: 1 } }, namespace: 'n1' });
    await update({ id: 'none', update: { metadata: { n: 1 } } });
    await update({ id: 'a', update: { metadata: 0, vector: [3, 3, 3] } });
  });

  test('by filter', async () => {
    await fill();
    await update({ filter: { k: 'x' }, update: { vector: [1, 1, 1] } });
    await update({ filter: { k: 'x' }, update: { metadata: { k: 'w' } } });
    await update({ filter: { k: 'y' }, update: { vector: [7, 8, 9], metadata: { k: 'v' } } });
    await update({ filter: { k: 'x' }, update: { metadata: { k: 'w' } }, namespace: 'n1' });
    await update({ filter: { k: 'none' }, update: { metadata: { k: 'w' } } });
  });

  test('what is refused', async () => {
    await fill();
    await refused('updateVector', { id: 'a', update: {} }, 'NO_UPDATES');
    await refused('updateVector', { id: 'a', update: { metadata: null } }, 'NO_UPDATES');
    await refused('updateVector', { update: { metadata: {} } }, 'NO_TARGET');
    await refused('updateVector', { id: '', update: { metadata: {} } }, 'NO_TARGET');
    await refused('updateVector', { id: 'a', filter: { k: 'x' }, update: { metadata: {} } }, 'MUTUALLY_EXCLUSIVE');
    await refused('updateVector', { id: 'a', filter: {}, update: { metadata: {} } }, 'MUTUALLY_EXCLUSIVE');
    await refused('updateVector', { filter: {}, update: { metadata: {} } }, 'EMPTY_FILTER');
    await refused('updateVector', { filter: { k: {} }, update: { metadata: {} } }, 'EMPTY_FILTER');
    await refused('updateVector', { filter: { k: { $bad: 1 } }, update: { metadata: {} } }, 'INVALID_FILTER');
    await refused('updateVector', { id: 'a', update: { vector: [1, 1] } }, 'DIMENSION_MISMATCH');
    await refused('updateVector', { id: 'a', update: { vector: [] } }, 'INVALID_VECTOR');
    await refused('updateVector', { id: 'a', update: { vector: [1, NaN, 1] } }, 'INVALID_VECTOR');
    await refused('updateVector', { indexName: 'none', id: 'a', update: { metadata: {} } }, 'INDEX_NOT_FOUND', 'NOT_FOUND');
    await refused('updateVector', { indexName: '', id: 'a', update: { metadata: {} } }, 'INVALID_INDEX_NAME');
  });
});

describe('vectors.deleteVector and deleteVectors', () => {
  const fill = async () => {
    await pair.index('docs', 3, { indexConfig: { type: 'hnsw' } });
    for (const namespace of [undefined, 'n1', '']) {
      await upsert({ vectors: [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], ids: ['a', 'b', 'c', 'd'],
        metadata: [{ k: 'x' }, { k: 'x' }, { k: 'y' }, {}], namespace });
    }
  };
  const remove = (over) => pair.ok('vectors.deleteVectors', { ...NAME, ...over });

  test('one by its id', async () => {
    await fill();
    await pair.ok('vectors.deleteVector', { ...NAME, id: 'a' });
    await pair.ok('vectors.deleteVector', { ...NAME, id: 'a', namespace: 'n1' });
    await pair.ok('vectors.deleteVector', { ...NAME, id: 'none' });
    await pair.ok('vectors.deleteVector', { ...NAME, id: '' });
    await refused('deleteVector', { indexName: 'none', id: 'a' }, 'INDEX_NOT_FOUND', 'NOT_FOUND');
    await refused('deleteVector', { indexName: 'a b', id: 'a' }, 'INVALID_INDEX_NAME');
  });

  test('several', async () => {
    await fill();
    await remove({ ids: ['a', 'a', 'none', ''] });
    await remove({ filter: { k: 'x' }, namespace: 'n1' });
    await remove({ ids: ['c'], namespace: 'n1' });
    await remove({ filter: { k: 'none' } });
    await remove({ filter: { k: 'y' } });
    await remove({ namespace: 'none' });
    await remove({ namespace: '' });
    await remove({ namespace: 'n1' });
  });

  test('what is refused', async () => {
    await fill();
    await refused('deleteVectors', {}, 'NO_TARGET');
    await refused('deleteVectors', { ids: [] }, 'EMPTY_IDS');
    await refused('deleteVectors', { ids: [], namespace: 'n1' }, 'EMPTY_IDS');
    await refused('deleteVectors', { filter: {} }, 'EMPTY_FILTER');
    await refused('deleteVectors', { filter: {}, namespace: 'n1' }, 'EMPTY_FILTER');
    await refused('deleteVectors', { filter: { k: {} } }, 'EMPTY_FILTER');
    await refused('deleteVectors', { ids: ['a'], filter: { k: 'x' } }, 'MUTUALLY_EXCLUSIVE');
    await refused('deleteVectors', { ids: ['a'], filter: {} }, 'MUTUALLY_EXCLUSIVE');
    await refused('deleteVectors', { filter: { k: { $bad: 1 } } }, 'INVALID_FILTER');
    await refused('deleteVectors', { indexName: 'none', ids: ['a'] }, 'INDEX_NOT_FOUND', 'NOT_FOUND');
  });
});

describe('vectors, tables of older releases', () => {
  const OLD = 'CREATE TABLE :schema.docs (id serial PRIMARY KEY, vector_id text UNIQUE NOT NULL, embedding vector(3), metadata jsonb DEFAULT \'{}\')';
  const fill = async () => {
    await pair.sql(OLD);
    await pair.sql(`INSERT INTO :schema.docs (vector_id, embedding, metadata) VALUES ('a', '[1,0,0]', '{"k": "x"}'), ('b', '[0,1,0]', '{"k": "y"}')`);
  };
  // The reference migrates them on first use, Stowage when it must write to them.
  const same = async () => {
    const rows = await pair.sql(`SELECT vector_id, embedding::text, metadata FROM :schema.docs ORDER BY vector_id`);
    assert.deepEqual(rows.stowage, rows.reference);
  };

  test('are read and written', async () => {
    await fill();
    await pair.ok('vectors.describeIndex', NAME);
    await query({ queryVector: [1, 0, 0] });
    await query({ queryVector: [1, 0, 0], namespace: 'n1' });
    await query({ filter: { k: 'x' } });
    for (const [command, args] of [['updateVector', { id: 'a', update: { metadata: { k: 'z' } } }], ['updateVector', { id: 'a', update: { metadata: { k: 'z' } }, namespace: 'n1' }],
      ['deleteVectors', { filter: { k: 'z' }, namespace: 'n1' }], ['deleteVectors', { filter: { k: 'z' } }], ['deleteVector', { id: 'b', namespace: 'n1' }], ['deleteVector', { id: 'b' }]]) {
      const { stowage, reference } = await pair.run(`vectors.${command}`, { ...NAME, ...args });
      assert.deepEqual([stowage.error, reference.error], [undefined, undefined]);
      await same();
    }
  });

  test('get their namespace with the first upsert', async () => {
    await fill();
    await upsert({ vectors: [[1, 1, 1]], ids: ['a'], namespace: 'n1' });
    await upsert({ vectors: [[1, 1, 1]], ids: ['a'] });
    await query({ queryVector: [1, 0, 0], namespace: 'n1' });
    const { stowage, reference } = await pair.sql(`SELECT indexdef FROM pg_indexes WHERE tablename = 'docs' AND format('"%s"', schemaname) = ':schema' ORDER BY indexname`);
    const plain = (rows) => rows.map(({ indexdef }) => indexdef.replace(/ON \S+/, ''));
    assert.deepEqual(plain(stowage), plain(reference));
  });

  test('with long names', async () => {
    const indexName = `i${'x'.repeat(56)}`;
    await pair.sql(OLD.replace('docs', indexName));
    await pair.ok('vectors.upsert', { indexName, vectors: [[1, 1, 1]], ids: ['a'], namespace: 'n1' });
    const { stowage, reference } = await pair.sql(`SELECT indexname FROM pg_indexes WHERE tablename = '${indexName}' AND format('"%s"', schemaname) = ':schema' ORDER BY indexname`);
    assert.deepEqual(stowage, reference);
  });
});

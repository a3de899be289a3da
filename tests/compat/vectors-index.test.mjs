// vectors-index.test.mjs - creates, builds, empties and drops indexes. Every case runs through Stowage and
// through the reference's PgVector, each in a schema of its own. The tests compare what both leave in
// PostgreSQL's catalog, and each side reads what the other has created.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PgVector } from '@mastra/pg';
import { closeShared, CONNECTION, newId, sql, World } from './lib/harness.mjs';
import { explain } from './lib/pair.mjs';

let world;
let theirs; // PgVector on the reference's schema
let across; // PgVector on Stowage's schema
const referenceSchema = `ref_${newId()}`;

const silent = { debug() {}, info() {}, warn() {}, error() {}, trackException() {}, getTransports: () => new Map() };
const pgVector = (schemaName) => {
  const made = new PgVector({ id: `vectors-${newId()}`, connectionString: CONNECTION, schemaName, max: 3 });
  made.__setLogger?.(silent);
  return made;
};

before(async () => {
  world = await new World({ name: 'vectors' }).open();
  await sql('CREATE EXTENSION IF NOT EXISTS vector');
  await sql(`CREATE SCHEMA "${referenceSchema}"`);
  theirs = pgVector(referenceSchema);
  across = pgVector(world.schema);
});
after(async () => {
  await theirs?.disconnect();
  await across?.disconnect();
  await sql(`DROP SCHEMA IF EXISTS "${referenceSchema}" CASCADE`);
  await world?.close();
  await closeShared();
});

const call = (method, args) => world.client.call(`vectors.${method}`, args);

// Everything that the catalog holds about a table, without the schema's name.
async function shape(schema, table) {
  const clean = (rows) => rows.map((row) => JSON.parse(JSON.stringify(row).replaceAll(schema, 'SCHEMA')));
  const relation = `"${schema}"."${table}"`;
  return {
    columns: clean(await sql(`SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, a.attstorage,
        pg_get_expr(d.adbin, d.adrelid) AS fallback
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, [relation])),
    indexes: clean(await sql(`SELECT c.relname, pg_get_indexdef(i.indexrelid) AS definition, i.indisvalid, i.indisready, i.indisunique,
        i.indisprimary, am.amname, c.reloptions::text, (SELECT array_agg(o.opcname ORDER BY o.opcname) FROM pg_opclass o WHERE o.oid = ANY (i.indclass))::text AS classes
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
      WHERE i.indrelid = to_regclass($1) ORDER BY 1`, [relation])),
    constraints: clean(await sql(`SELECT conname, contype, pg_get_constraintdef(oid) AS definition FROM pg_constraint
      WHERE conrelid = to_regclass($1) ORDER BY 1`, [relation])),
    sequences: clean(await sql(`SELECT sequencename, data_type::text FROM pg_sequences WHERE schemaname = $1 AND sequencename LIKE $2 ORDER BY 1`,
      [schema, `${table}%`])),
  };
}

async function sameShape(table) {
  const ours = await shape(world.schema, table);
  assert.deepEqual(ours, await shape(referenceSchema, table), `${table} (actual is Stowage's, expected the reference's)`);
  return ours;
}

const settle = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));

// Both succeed and leave the same catalog.
async function same(method, args) {
  await theirs[method](structuredClone(args));
  assert.equal(await call(method, args), undefined);
  return sameShape(args.indexName);
}

// Both fail, Stowage with the given error.
async function bothFail(method, args, category, code) {
  const { error } = await settle(theirs[method](structuredClone(args)));
  assert.ok(error, `the reference does not fail ${JSON.stringify(args)}`);
  const ours = await settle(call(method, args));
  assert.ok(ours.error, `only the reference fails (${explain(error)})`);
  assert.equal(ours.error.category, category, ours.error.message);
  assert.equal(ours.error.code, code, ours.error.message);
  return ours.error;
}

let count = 0;
const fresh = () => `idx_${++count}`;

describe('every type, method and metric', () => {
  const METRICS = { vector: ['cosine', 'euclidean', 'dotproduct'], halfvec: ['cosine', 'euclidean', 'dotproduct'],
    bit: ['hamming', 'jaccard', 'cosine'], sparsevec: ['cosine', 'euclidean', 'dotproduct'] };
  for (const [vectorType, metrics] of Object.entries(METRICS)) {
    for (const metric of metrics) {
      for (const type of ['flat', 'hnsw', 'ivfflat']) {
        const refused = type === 'ivfflat' && (vectorType === 'sparsevec' || metric === 'jaccard');
        test(`${vectorType}, ${type}, ${metric}${refused ? ': refused' : ''}`, async () => {
          const args = { indexName: fresh(), dimension: 8, metric, vectorType, indexConfig: { type } };
          if (refused) {
            await bothFail('createIndex', args, 'INVALID', 'UNSUPPORTED_INDEX_TYPE');
            return;
          }
          const { indexes } = await same('createIndex', args);
          assert.equal(indexes.length, type === 'flat' ? 2 : 3);
          assert.deepEqual(await across.describeIndex({ indexName: args.indexName }), await theirs.describeIndex({ indexName: args.indexName }));
        });
      }
    }
  }

  test('only a name and a dimension', async () => {
    const { indexes } = await same('createIndex', { indexName: fresh(), dimension: 4 });
    assert.match(indexes.at(-1).definition, /USING ivfflat \(embedding \S*vector_cosine_ops\) WITH \(lists='?100'?\)/);
  });

  for (const [name, over] of Object.entries({
    'a sparse vector by default': { vectorType: 'sparsevec' },
    'bits by default': { vectorType: 'bit' },
    'no index': { buildIndex: false },
    'no index, whatever is configured': { buildIndex: false, indexConfig: { type: 'hnsw' } },
    'an empty configuration': { indexConfig: {} },
    'lists': { indexConfig: { type: 'ivfflat', ivf: { lists: 7 } } },
    'lists without a type': { indexConfig: { ivf: { lists: 7 } } },
    'lists of 0': { indexConfig: { type: 'ivfflat', ivf: { lists: 0 } } },
    'hnsw options': { indexConfig: { type: 'hnsw', hnsw: { m: 16, efConstruction: 64 } } },
    'm alone': { indexConfig: { type: 'hnsw', hnsw: { m: 12 } } },
    'efConstruction alone': { indexConfig: { type: 'hnsw', hnsw: { efConstruction: 100 } } },
    'hnsw options without a type': { indexConfig: { hnsw: { m: 16 } } },
    'metadata indexes': { metadataIndexes: ['thread_id', 'resource_id'] },
    'metadata indexes without another': { buildIndex: false, metadataIndexes: ['a'] },
    'metadata indexes of any name': { metadataIndexes: ["it's", '"q"', 'back\\slash', 'Größe', '', 'x'.repeat(200), 'a b', ':"schema"', '%I', 'exactly16bytes!!', 'a:1'] },
    'a metadata index twice': { metadataIndexes: ['a', 'a'] },
    'no metadata indexes': { metadataIndexes: [] },
    'the most dimensions': { dimension: 2000, indexConfig: { type: 'hnsw' } },
    'the most dimensions of halfvec': { dimension: 4000, vectorType: 'halfvec', indexConfig: { type: 'hnsw' } },
    'more dimensions without an index': { dimension: 3072, indexConfig: { type: 'flat' } },
    'one dimension': { dimension: 1, indexConfig: { type: 'hnsw' } },
    'one dimension and lists': { dimension: 1, metric: 'euclidean' },
    'one bit': { dimension: 1, vectorType: 'bit' },
  })) {
    test(name, () => same('createIndex', { indexName: fresh(), dimension: 8, ...over }));
  }

  for (const [name, indexName] of Object.entries({ 'capitals': 'MyIndex_1', 'a keyword': 'select', 'an underscore': '_x',
    '38 characters': 'n'.repeat(38), '39 characters, whose key is hashed': 'n'.repeat(39), '52 characters': `N${'n'.repeat(51)}` })) {
    test(`a name: ${name}`, async () => {
      await same('createIndex', { indexName, dimension: 3, metadataIndexes: ['f'] });
      assert.deepEqual(await across.describeIndex({ indexName }), await theirs.describeIndex({ indexName }));
    });
  }

  test('lists by the number of rows', async () => {
    const indexName = fresh();
    const rows = 3600;
    await same('createIndex', { indexName, dimension: 3, buildIndex: false });
    for (const schema of [world.schema, referenceSchema]) {
      await sql(`INSERT INTO "${schema}"."${indexName}" (vector_id, embedding)
        SELECT i, ARRAY[i % 7, i % 11, 1]::float4[]::vector FROM generate_series(1, ${rows}) i`);
    }
    const { indexes } = await same('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'ivfflat' } });
    assert.match(indexes.at(-1).definition, /lists='?120'?/);
  });
});

describe('an existing index', () => {
  const oid = async (table) => (await sql('SELECT to_regclass($1)::oid::int AS oid', [`"${world.schema}"."${table}_vector_idx"`]))[0].oid;

  test('the same again changes nothing', async () => {
    const args = { indexName: fresh(), dimension: 4, indexConfig: { type: 'hnsw', hnsw: { m: 10 } }, metadataIndexes: ['a'] };
    await same('createIndex', args);
    const was = await oid(args.indexName);
    await same('createIndex', args);
    await same('buildIndex', { indexName: args.indexName, metric: 'cosine', indexConfig: args.indexConfig });
    assert.equal(await oid(args.indexName), was);
  });

  test('another configuration rebuilds it', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 4, indexConfig: { type: 'hnsw' } });
    for (const [metric, indexConfig] of [['cosine', { type: 'hnsw', hnsw: { m: 9 } }], ['cosine', { type: 'hnsw', hnsw: { m: 9, efConstruction: 50 } }],
      ['euclidean', { type: 'hnsw', hnsw: { m: 9, efConstruction: 50 } }], ['euclidean', { type: 'ivfflat' }], ['dotproduct', { type: 'ivfflat', ivf: { lists: 5 } }]]) {
      const was = await oid(indexName);
      // The reference drops the old index by a name without its schema, and finds none.
      await call('buildIndex', { indexName, metric, indexConfig });
      assert.notEqual(await oid(indexName), was);
      await sql(`DROP INDEX "${referenceSchema}"."${indexName}_vector_idx"`);
      await theirs.buildIndex({ indexName, metric, indexConfig });
      await sameShape(indexName);
    }
  });

  test('an ivfflat without lists given keeps its lists', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 4, indexConfig: { type: 'ivfflat', ivf: { lists: 5 } } });
    const was = await oid(indexName);
    await same('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'ivfflat' } });
    assert.equal(await oid(indexName), was);
  });

  test('no configuration keeps any index of that metric', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 4, indexConfig: { type: 'hnsw', hnsw: { m: 9 } } });
    const was = await oid(indexName);
    await same('createIndex', { indexName, dimension: 4 });
    await same('buildIndex', { indexName, metric: 'cosine', indexConfig: {} });
    assert.equal(await oid(indexName), was);
  });

  test('flat drops it', async () => {
    const indexName = fresh();
    await call('createIndex', { indexName, dimension: 4, indexConfig: { type: 'hnsw' } });
    await call('createIndex', { indexName, dimension: 4, indexConfig: { type: 'flat' } });
    await theirs.createIndex({ indexName, dimension: 4, indexConfig: { type: 'flat' } });
    await sameShape(indexName);
  });

  test('another dimension or type: the table stays unchanged, as in the reference', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 4, indexConfig: { type: 'hnsw' } });
    await same('createIndex', { indexName, dimension: 5, indexConfig: { type: 'hnsw' } });
    await same('createIndex', { indexName, dimension: 5, vectorType: 'halfvec', indexConfig: { type: 'hnsw' } });
    const { columns } = await sameShape(indexName);
    assert.match(columns.find((column) => column.attname === 'embedding').type, /\bvector\(4\)$/);
  });

  test('metadata indexes later', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 4 });
    // The reference compares with what this process has created or found before.
    await same('createIndex', { indexName, dimension: 4, metadataIndexes: ['a', 'b'] });
    const { indexes } = await same('createIndex', { indexName, dimension: 4, metadataIndexes: ['b', 'c'] });
    assert.equal(indexes.length, 6);
  });

  test('a table without namespaces is migrated', async () => {
    const indexName = fresh();
    for (const schema of [world.schema, referenceSchema]) {
      await sql(`CREATE TABLE "${schema}".${indexName} (id serial PRIMARY KEY, vector_id text UNIQUE NOT NULL,
        embedding vector(3), metadata jsonb DEFAULT '{}'::jsonb)`);
      await sql(`INSERT INTO "${schema}".${indexName} (vector_id, embedding) VALUES ('a', '[1,2,3]')`);
    }
    const { columns, constraints } = await same('createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } });
    assert.equal(columns.at(-1).attname, 'namespace');
    assert.ok(!constraints.some((constraint) => constraint.contype === 'u'));
    assert.deepEqual(await sql(`SELECT vector_id, namespace FROM "${world.schema}".${indexName}`), [{ vector_id: 'a', namespace: 'default' }]);
  });
});

describe('each side uses what the other has created', () => {
  const vectors = [[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0]];

  test('PgVector on an index of Stowage', async () => {
    const indexName = fresh();
    await call('createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' }, metadataIndexes: ['n'] });
    const made = await shape(world.schema, indexName);
    const other = pgVector(world.schema);
    await other.createIndex({ indexName, dimension: 3, indexConfig: { type: 'hnsw' }, metadataIndexes: ['n'] });
    assert.deepEqual(await shape(world.schema, indexName), made);
    assert.ok((await other.listIndexes()).includes(indexName));
    await other.upsert({ indexName, vectors, ids: ['a', 'b', 'c'], metadata: [{ n: 1 }, { n: 2 }, { n: 3 }] });
    const found = await other.query({ indexName, queryVector: [1, 0, 0], topK: 2 });
    assert.deepEqual(found.map(({ id }) => id), ['a', 'c']);
    await call('truncateIndex', { indexName });
    assert.equal((await other.describeIndex({ indexName })).count, 0);
    await call('deleteIndex', { indexName });
    assert.ok(!(await other.listIndexes()).includes(indexName));
    await other.disconnect();
  });

  test('Stowage on an index of PgVector', async () => {
    const indexName = fresh();
    await across.createIndex({ indexName, dimension: 3, indexConfig: { type: 'hnsw' }, metadataIndexes: ['n'] });
    const made = await shape(world.schema, indexName);
    await call('createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' }, metadataIndexes: ['n'] });
    await call('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'hnsw' } });
    assert.deepEqual(await shape(world.schema, indexName), made);
    assert.equal(await call('describeBuild', { indexName }), undefined, 'there was nothing to build');
    await across.upsert({ indexName, vectors, ids: ['a', 'b', 'c'] });
    await call('truncateIndex', { indexName });
    assert.deepEqual(await sql(`SELECT FROM "${world.schema}".${indexName}`), []);
    assert.deepEqual(await shape(world.schema, indexName), made);
  });
});

describe('deleteIndex and truncateIndex', () => {
  test('truncateIndex keeps the table and its indexes', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 3, metadataIndexes: ['n'] });
    for (const schema of [world.schema, referenceSchema]) {
      await sql(`INSERT INTO "${schema}".${indexName} (vector_id, embedding) VALUES ('a', '[1,2,3]')`);
    }
    const { indexes } = await same('truncateIndex', { indexName });
    assert.equal(indexes.length, 4);
    assert.deepEqual(await sql(`SELECT FROM "${world.schema}".${indexName}`), []);
  });

  test('deleteIndex also drops what depends on the table', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 3 });
    for (const schema of [world.schema, referenceSchema]) {
      await sql(`CREATE VIEW "${schema}".${indexName}_view AS SELECT vector_id FROM "${schema}".${indexName}`);
    }
    const { columns } = await same('deleteIndex', { indexName });
    assert.deepEqual(columns, []);
    await same('deleteIndex', { indexName });
    await same('createIndex', { indexName, dimension: 5 });
  });

  test('a missing index', async () => {
    await same('deleteIndex', { indexName: 'none' });
    await bothFail('truncateIndex', { indexName: 'none' }, 'NOT_FOUND', 'INDEX_NOT_FOUND');
    await bothFail('buildIndex', { indexName: 'none', metric: 'cosine', indexConfig: {} }, 'NOT_FOUND', 'INDEX_NOT_FOUND');
    assert.equal(await call('describeBuild', { indexName: 'none' }), undefined);
  });

  test('a table that is not a vector index is not touched; the reference would drop it', async () => {
    for (const [method, args] of [['deleteIndex', {}], ['truncateIndex', {}], ['createIndex', { dimension: 3 }], ['buildIndex', { metric: 'cosine', indexConfig: {} }]]) {
      for (const indexName of ['mastra_threads', 'stowage_offsets', 'stowage_offsets_pkey', 'stowage_vector_builds_id_seq']) {
        await assert.rejects(call(method, { indexName, ...args }), { category: 'CONFLICT', code: 'NOT_A_VECTOR_INDEX' });
      }
    }
    assert.equal((await sql(`SELECT FROM pg_tables WHERE schemaname = $1 AND tablename IN ('mastra_threads', 'stowage_offsets')`, [world.schema])).length, 2);
  });

  // For every command, a table that listIndexes does not show is not an index, whatever its columns are.
  for (const [name, columns] of Object.entries({
    documents: 'id serial PRIMARY KEY, content text, embedding vector(3)',
    uuids: 'vector_id uuid, embedding vector(3), metadata jsonb, namespace text, UNIQUE (namespace, vector_id)',
    texts: 'vector_id text, embedding vector(3), metadata text, namespace text, UNIQUE (namespace, vector_id)',
    numbers: 'vector_id text, embedding real[], metadata jsonb',
  })) {
    test(`another table with an embedding: ${name}`, async () => {
      await sql(`CREATE TABLE "${world.schema}".${name} (${columns})`);
      const was = await shape(world.schema, name);
      for (const [method, args] of [['upsert', { vectors: [[1, 2, 3]], ids: ['a'] }], ['query', { queryVector: [1, 2, 3] }], ['query', { filter: { a: 1 } }],
        ['updateVector', { id: 'a', update: { metadata: { a: 1 } } }], ['deleteVector', { id: 'a' }], ['deleteVectors', { ids: ['a'] }], ['describeIndex', {}]]) {
        await assert.rejects(call(method, { indexName: name, ...args }), { category: 'NOT_FOUND', code: 'INDEX_NOT_FOUND' }, method);
      }
      for (const [method, args] of [['createIndex', { dimension: 3 }], ['buildIndex', { metric: 'cosine', indexConfig: {} }], ['truncateIndex', {}], ['deleteIndex', {}]]) {
        await assert.rejects(call(method, { indexName: name, ...args }), { category: 'CONFLICT', code: 'NOT_A_VECTOR_INDEX' }, method);
      }
      assert.ok(!(await call('listIndexes')).includes(name));
      assert.deepEqual(await shape(world.schema, name), was);
    });
  }

  test('truncateIndex and deleteIndex in the same batch as earlier commands', async () => {
    const indexName = fresh();
    const commands = [['createIndex', { dimension: 3, indexConfig: { type: 'flat' } }], ['truncateIndex'], ['deleteIndex'],
      ['createIndex', { dimension: 4, indexConfig: { type: 'flat' } }]].map(([method, args]) =>
      ({ command: `vectors.${method}`, args: { indexName, ...args }, correlationId: newId() }));
    const replies = commands.map(({ command, correlationId }) => world.client.expect(correlationId, command));
    await world.client.post(commands);
    for (const { decoded } of await Promise.all(replies)) assert.equal(decoded.code, undefined, decoded.message);
    const { columns } = await shape(world.schema, indexName);
    assert.match(columns.find((column) => column.attname === 'embedding').type, /\bvector\(4\)$/);
  });
});

describe('reserved names', () => {
  for (const indexName of ['mastra_x', 'mastra_scores_v2', 'stowage_x', 'pg_class', 'pg_x', 'mastra_']) {
    test(`${indexName} is refused`, async () => {
      for (const [method, args] of [['createIndex', { dimension: 3 }], ['createIndex', { dimension: 3, buildIndex: false }],
        ['buildIndex', { metric: 'cosine', indexConfig: {} }], ['truncateIndex', {}], ['deleteIndex', {}]]) {
        await assert.rejects(call(method, { indexName, ...args }), { category: 'INVALID', code: 'INVALID_INDEX_NAME' }, method);
      }
      assert.deepEqual((await shape(world.schema, indexName)).columns, []);
    });
  }

  for (const indexName of ['mastra', 'pgvectors', 'my_mastra_x', '_pg_x', 'stowageindex']) {
    test(`${indexName} is not reserved`, () => same('createIndex', { indexName, dimension: 3, indexConfig: { type: 'flat' } }));
  }

  test('a vector table of such a name that exists is used', async () => {
    const indexName = 'mastra_docs';
    await across.createIndex({ indexName, dimension: 3, indexConfig: { type: 'flat' } });
    await call('createIndex', { indexName, dimension: 3, indexConfig: { type: 'flat' } });
    assert.deepEqual(await call('upsert', { indexName, ids: ['a'], vectors: [[1, 0, 0]] }), ['a']);
    assert.deepEqual((await call('query', { indexName, queryVector: [1, 0, 0] })).map((found) => found.id), ['a']);
    await call('truncateIndex', { indexName });
    await call('deleteIndex', { indexName });
    assert.deepEqual((await shape(world.schema, indexName)).columns, []);
  });
});

describe('what is refused', () => {
  const make = (over) => ({ indexName: 'refused', dimension: 3, ...over });
  after(async () => {
    assert.deepEqual((await shape(world.schema, 'refused')).columns, [], 'no table was created');
  });

  for (const indexName of ['', '1a', 'a-b', 'a b', 'a"b', "a'b", 'a.b', 'Größe', 'a;DROP TABLE x', 'n'.repeat(64)]) {
    test(`the name ${JSON.stringify(indexName)}`, async () => {
      await bothFail('createIndex', make({ indexName }), 'INVALID', 'INVALID_INDEX_NAME');
      await bothFail('buildIndex', { indexName, metric: 'cosine', indexConfig: {} }, 'INVALID', 'INVALID_INDEX_NAME');
      await bothFail('deleteIndex', { indexName }, 'INVALID', 'INVALID_INDEX_NAME');
      await bothFail('truncateIndex', { indexName }, 'INVALID', 'INVALID_INDEX_NAME');
      await assert.rejects(call('describeBuild', { indexName }), { category: 'INVALID', code: 'INVALID_INDEX_NAME' });
    });
  }

  for (const [name, over, code] of [
    ['a dimension of 0', { dimension: 0 }, 'INVALID_DIMENSION'],
    ['a negative dimension', { dimension: -1 }, 'INVALID_DIMENSION'],
    ['more dimensions than a column holds', { dimension: 16001, buildIndex: false }, 'INVALID_DIMENSION'],
    ['more bits than an index covers', { dimension: 64001, vectorType: 'bit', indexConfig: { type: 'flat' } }, 'INVALID_DIMENSION'],
    ['an unknown vectorType', { vectorType: 'int8vec' }, 'INVALID_VECTOR_TYPE'],
    ['hamming on vectors', { metric: 'hamming' }, 'INVALID_METRIC'],
    ['jaccard on halfvec', { metric: 'jaccard', vectorType: 'halfvec' }, 'INVALID_METRIC'],
    ['jaccard by default on ivfflat', { metric: 'jaccard', vectorType: 'bit' }, 'UNSUPPORTED_INDEX_TYPE'],
    ['m of 1', { indexConfig: { type: 'hnsw', hnsw: { m: 1 } } }, 'INVALID_INDEX_CONFIG'],
    ['m of 101', { indexConfig: { type: 'hnsw', hnsw: { m: 101, efConstruction: 300 } } }, 'INVALID_INDEX_CONFIG'],
    ['efConstruction of 3', { indexConfig: { type: 'hnsw', hnsw: { m: 2, efConstruction: 3 } } }, 'INVALID_INDEX_CONFIG'],
    ['efConstruction of 1001', { indexConfig: { type: 'hnsw', hnsw: { efConstruction: 1001 } } }, 'INVALID_INDEX_CONFIG'],
    ['efConstruction below twice m', { indexConfig: { type: 'hnsw', hnsw: { m: 20 } } }, 'INVALID_INDEX_CONFIG'],
    ['more lists than there can be', { indexConfig: { type: 'ivfflat', ivf: { lists: 32769 } } }, 'INVALID_INDEX_CONFIG'],
    ['one dimension on ivfflat', { dimension: 1 }, 'UNSUPPORTED_INDEX_TYPE'],
    ['more dimensions than ivfflat covers', { dimension: 2001 }, 'TOO_MANY_DIMENSIONS'],
    ['more dimensions than hnsw covers', { dimension: 2001, indexConfig: { type: 'hnsw' } }, 'TOO_MANY_DIMENSIONS'],
    ['more dimensions than halfvec covers', { dimension: 4001, vectorType: 'halfvec' }, 'TOO_MANY_DIMENSIONS'],
  ]) {
    test(name, () => bothFail('createIndex', make(over), 'INVALID', code).finally(() => sql(`DROP TABLE IF EXISTS "${referenceSchema}".refused`)));
  }

  test('more than 2,000 dimensions: the error suggests halfvec', async () => {
    await assert.rejects(call('createIndex', make({ dimension: 3072 })), (error) => /halfvec/.test(error.text) && /3072/.test(error.text) && /2000/.test(error.text));
    await assert.rejects(call('createIndex', make({ dimension: 5000 })), (error) => /bit/.test(error.text) && !/halfvec/.test(error.text));
  });

  test('unknown words; the reference uses a default', async () => {
    await assert.rejects(call('createIndex', make({ metric: 'manhattan' })), (error) => error.code === 'INVALID_METRIC' && /cosine, euclidean/.test(error.text));
    await assert.rejects(call('createIndex', make({ indexConfig: { type: 'diskann' } })), (error) => error.code === 'INVALID_INDEX_TYPE' && /hnsw/.test(error.text));
  });

  test('a name without room for the name of its index; the reference silently creates no index', async () => {
    const indexName = 'n'.repeat(53);
    await assert.rejects(call('createIndex', { indexName, dimension: 3 }), { category: 'INVALID', code: 'INVALID_INDEX_NAME' });
    await same('createIndex', { indexName, dimension: 3, buildIndex: false });
  });

  test('too many dimensions for an index on an existing table', async () => {
    const indexName = fresh();
    await same('createIndex', { indexName, dimension: 3072, buildIndex: false });
    await bothFail('buildIndex', { indexName, metric: 'cosine', indexConfig: { type: 'hnsw' } }, 'INVALID', 'TOO_MANY_DIMENSIONS');
    await bothFail('createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } }, 'INVALID', 'TOO_MANY_DIMENSIONS');
    await sameShape(indexName);
  });
});

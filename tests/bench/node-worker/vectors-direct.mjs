// PgVector of @mastra/pg without Kafka: creates tables and indexes for the figures, and searches.
//
//   node vectors-direct.mjs create POSTGRES_SCHEMA INDEX DIMENSIONS CONFIG   the table, without CONFIG's index
//   node vectors-direct.mjs build POSTGRES_SCHEMA INDEX CONFIG               the index
//   node vectors-direct.mjs query POSTGRES_SCHEMA INDEX DIMENSIONS QUERIES COUNT TOP_K FOUND
//
// CONFIG is PgVector's indexConfig as JSON. QUERIES is a file of raw float32 vectors. query searches COUNT
// times in total, one at a time, and writes a line with the found ids to FOUND for each search. It prints
// the median as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { PgVector } from '@mastra/pg';

const [action, schemaName, indexName, ...rest] = process.argv.slice(2);
const vector = new PgVector({
  id: 'bench',
  connectionString: process.env.STOWAGE_POSTGRES_CONNECTION_STRING,
  schemaName,
});

// PgVector logs to standard output, which is reserved for results.
vector.__setLogger({ ...console, debug() {}, info() {}, warn() {}, trackException() {}, getTransports: () => new Map() });

function readQueries(path, dimensions) {
  const bytes = readFileSync(path);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / Float32Array.BYTES_PER_ELEMENT);
  return Array.from({ length: floats.length / dimensions }, (_, i) =>
    Array.from(floats.subarray(i * dimensions, (i + 1) * dimensions)));
}

async function query(dimensions, path, count, topK, foundPath) {
  const queries = readQueries(path, Number(dimensions));
  const took = [];
  const found = [];
  await vector.query({ indexName, queryVector: queries[0], topK: Number(topK) }); // PgVector's one-time lookups
  for (let i = 0; i < Number(count); i++) {
    const start = process.hrtime.bigint();
    const results = await vector.query({ indexName, queryVector: queries[i % queries.length], topK: Number(topK) });
    took.push(Number(process.hrtime.bigint() - start) / 1000);
    found.push(results.map(({ id }) => id).join(' '));
  }
  writeFileSync(foundPath, `${found.join('\n')}\n`);
  const sorted = took.toSorted((a, b) => a - b);
  console.log(JSON.stringify({ count: took.length, median_us: sorted[sorted.length >> 1] }));
}

const actions = {
  create: (dimension, config) =>
    vector.createIndex({ indexName, dimension: Number(dimension), indexConfig: JSON.parse(config), buildIndex: false }),
  build: (config) => vector.buildIndex({ indexName, metric: 'cosine', indexConfig: JSON.parse(config) }),
  query,
};

await actions[action](...rest);
await vector.disconnect();

// The Pair of lib/pair.mjs for the domain vectors, whose reference is PgVector instead of a store.

import assert from 'node:assert/strict';
import { PgVector } from '@mastra/pg';
import { BySide, Pair, SELF } from './pair.mjs';
import { CONNECTION, newId, schemas, sql, World } from './harness.mjs';

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, trackException() {}, getTransports: () => new Map() };

export class ReferenceVector {
  constructor(schemaName) {
    this.schemaName = schemaName;
    this.vector = new PgVector({ id: `reference-${schemaName}`, connectionString: CONNECTION, schemaName, max: 3 });
    this.vector.__setLogger?.(SILENT);
  }

  async call(command, args) {
    return this.vector[command.split('.')[1]](args);
  }

  close() {
    return this.vector.disconnect();
  }
}

// The order of results with equal scores is undefined, and so is which of them are cut off at the
// end. Queries by filter alone give all results the score 0 and sort them by id.
const byScore = (results) => {
  const last = results.at(-1)?.score;
  if (results.every(({ score }) => score === 0)) return { results };
  for (const [i, { score }] of results.entries()) {
    assert.ok(i === 0 || !(score > results[i - 1].score), 'results are ordered by score');
  }
  const sorted = [...results].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  return { scores: sorted.map(({ score }) => score), results: sorted.filter(({ score }) => score !== last) };
};

export class VectorPair extends Pair {
  constructor(options = {}) {
    super([], options);
  }

  async open() {
    this.reference = new ReferenceVector(`ref_${newId()}`);
    await sql(`CREATE SCHEMA "${this.reference.schemaName}"`);
    if (SELF) {
      this.twin = new ReferenceVector(`twin_${newId()}`);
      this.schema = this.twin.schemaName;
      await sql(`CREATE SCHEMA "${this.schema}"`);
    } else {
      this.world = await new World({ name: 'compat', config: { replies: { maxBytes: 64 * 1024 * 1024 } }, ...this.options }).open();
      this.schema = this.world.schema;
    }
    // PgVector on Stowage's schema: creates its tables and reads what Stowage wrote.
    this.mate = new ReferenceVector(this.schema);
  }

  async close() {
    await this.mate?.close();
    await super.close();
  }

  // Each test creates its own indexes.
  async reset() {
    await super.reset();
    for (const name of await this.mate.call('vectors.listIndexes')) await sql(`DROP TABLE "${this.schema}"."${name}" CASCADE`);
    for (const name of await this.reference.call('vectors.listIndexes')) {
      await sql(`DROP TABLE "${this.reference.schemaName}"."${name}" CASCADE`);
    }
    // New instances: PgVector caches what it knows of the dropped tables.
    for (const side of ['mate', 'reference', 'twin']) {
      if (!this[side]) continue;
      const { schemaName } = this[side];
      await this[side].close();
      this[side] = new ReferenceVector(schemaName);
    }
  }

  // Creates the same index on both sides, with PgVector.
  async index(indexName, dimension, options = {}) {
    for (const side of [this.mate, this.reference]) await side.call('vectors.createIndex', { indexName, dimension, ...options });
  }

  compare(command, stowage, reference) {
    if (command !== 'vectors.query') {
      super.compare(command, stowage, reference);
      return;
    }
    const schema = schemas().command(command).replySchema;
    const expected = schema.decode(schema.encode({ result: reference })).result;
    assert.deepEqual(byScore(this.normals.stowage.value(stowage)), byScore(this.normals.reference.value(expected)),
      `${command}: results (actual is Stowage's, expected the reference's)`);
  }

  // Compares all rows of all vector tables, but not their serial numbers, whose gaps mean nothing.
  async rows() {
    const lists = await this.both('vectors.listIndexes');
    assert.deepEqual(lists.stowage, lists.reference);
    for (const name of lists.stowage) {
      const text = `SELECT vector_id, embedding::text, metadata::text, namespace FROM :schema."${name}"`;
      const { stowage, reference } = await this.sql(text).catch(() =>
        this.sql(text.replace(', namespace', '')));
      assert.deepEqual(this.normals.stowage.rows(stowage), this.normals.reference.rows(reference),
        `${name}: rows (actual is Stowage's, expected the reference's)`);
    }
  }

  // Calls PgVector on each schema, bypassing Stowage.
  async both(command, args) {
    const [stowage, reference] = [await this.mate.call(command, args), await this.reference.call(command, args)];
    return new BySide(stowage, reference);
  }
}

// Runs the same calls through Stowage and through the reference, @mastra/pg, on two schemas of one
// database. Compares their results, whether they fail, and every row.
//
// STOWAGE_TEST_SELF=1 uses the reference for both sides, which tests the cases themselves: calls that
// should fail do fail, and no case compares values that can't be equal.

import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { PostgresStore } from '@mastra/pg';
import { eachAbsent } from './absent.mjs';
import { closeShared, CONNECTION, newId, pool, recordCoverage, schemas, sql, World } from './harness.mjs';
import { Normal } from './normal.mjs';

export const SELF = process.env.STOWAGE_TEST_SELF === '1';

// Some replies exceed the default limit.
const LARGE = { replies: { maxBytes: 64 * 1024 * 1024 } };

const READS = /\.(get|list|load)/;

// The arguments of the reference's method. In index.json a list of names stands for one object of these properties.
function positional(command, args) {
  const { parameters } = schemas().command(command);
  const one = (name) => (Array.isArray(name) ? Object.fromEntries(name.map((inner) => [inner, args[inner]])) : args[name]);
  return parameters ? parameters.map(one) : [args];
}

// A value that differs by side, such as a record that each side created.
export class BySide {
  constructor(stowage, reference) {
    this.stowage = stowage;
    this.reference = reference;
  }

  // Arguments from each side's own result: made.map((r) => ({ id: r.id })).
  map(make) {
    return new BySide(make(this.stowage), make(this.reference));
  }
}

// A logger that drops what the reference logs about expected errors.
class Silent {
  debug() {} info() {} warn() {} error() {} trackException() {}
  getTransports() { return new Map(); }
}

export class Reference {
  constructor(schemaName) {
    this.schemaName = schemaName;
    this.store = new PostgresStore({ id: `reference-${schemaName}`, connectionString: CONNECTION, schemaName, max: 3 });
    this.store.__setLogger?.(new Silent());
  }

  async init() {
    await this.store.init();
    for (const name of ['memory', 'workflows']) {
      (await this.store.getStore(name)).__setLogger?.(new Silent());
    }
  }

  async call(command, args) {
    const [domain, method] = command.split('.');
    if (command === 'storage.prune') return this.store.prune(args);
    const store = await this.store.getStore(domain);
    return store[method](...positional(command, args));
  }

  close() {
    return this.store.close();
  }
}

// Sends the calls of one test file to both sides. `tables`: the tables that the domain writes.
export class Pair {
  constructor(tables, options = {}) {
    this.tables = tables;
    this.options = options;
    before(() => this.open());
    beforeEach(() => this.reset());
    after(() => this.close());
  }

  async open() {
    this.reference = new Reference(`ref_${newId()}`);
    await this.reference.init();
    if (SELF) {
      this.twin = new Reference(`twin_${newId()}`);
      await this.twin.init();
      this.schema = this.twin.schemaName;
    } else {
      this.world = await new World({ name: 'compat', config: LARGE, ...this.options }).open();
      this.schema = this.world.schema;
    }
  }

  async close() {
    await this.reference?.close();
    await this.twin?.close();
    for (const name of [this.reference?.schemaName, this.twin?.schemaName]) {
      if (name) await sql(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
    }
    try {
      await this.world?.close();
    } finally {
      await closeShared();
    }
  }

  // Each test starts with empty tables, so that one failure does not hide the next.
  async reset() {
    for (const schema of [this.schema, this.reference.schemaName]) {
      for (const table of this.tables) await sql(`DELETE FROM "${schema}".${table}`);
    }
    this.normals = { stowage: new Normal(), reference: new Normal() };
  }

  async #stowage(command, args) {
    if (SELF) return this.#twin(command, args);
    return this.world.client.call(command, args);
  }

  // With STOWAGE_TEST_SCHEMAS, arguments and results pass through the schemas, as in a worker.
  async #twin(command, args) {
    if (!process.env.STOWAGE_TEST_SCHEMAS) return this.twin.call(command, structuredClone(args));
    const { requestSchema, replySchema } = schemas().command(command);
    const given = requestSchema.decode(requestSchema.encode(args ?? {}));
    let result;
    try {
      result = await this.twin.call(command, given);
    } catch (error) {
      throw Object.assign(error, { fromReference: true });
    }
    return replySchema.decode(replySchema.encode({ result })).result;
  }

  async run(command, args) {
    const given = args instanceof BySide ? args : new BySide(args, args);
    const settle = async (call) => {
      try {
        return { value: await call() };
      } catch (error) {
        return { error };
      }
    };
    const stowage = await settle(() => this.#stowage(command, given.stowage));
    const reference = await settle(() => this.reference.call(command, structuredClone(given.reference)));
    if (!reference.error) this.#absent(command, reference.value);
    return { stowage, reference };
  }

  // Where the reference returns no value, the reply's schema must say which one: null or undefined.
  #absent(command, result) {
    eachAbsent(schemas().command(command).replySchema, result, (record, field, kind) => {
      const json = field.type.some((branch) => branch.logicalType === 'json'); // its null may be a stored value
      if (kind === field.absent || (json && kind === 'null') || EITHER.test(`${command} ${field.name}`)) return;
      assert.fail(`${command}: the reference returns ${kind} for ${record.name}.${field.name}, the schema says ${field.absent}`);
    });
  }

  // Expects both sides to succeed with the same result and rows; returns each side's result.
  // `repaired`: Stowage returns the stored text, the reference the given one; they differ where
  // PostgreSQL can't store the given text.
  async ok(command, args = {}, { repaired = false } = {}) {
    const { stowage, reference } = await this.run(command, args);
    if (reference.error) throw new Error(`the reference fails ${command}: ${explain(reference.error)}`);
    if (stowage.error) throw new Error(`only Stowage fails ${command}: ${explain(stowage.error)}`);
    this.compare(command, stowage.value, repaired ? repair(reference.value) : reference.value);
    if (!READS.test(command)) await this.rows();
    return new BySide(stowage.value, reference.value);
  }

  // Expects both sides to fail and to leave the same rows; `category` and `code` are Stowage's.
  async fails(command, args, category, code) {
    const { stowage, reference } = await this.run(command, args);
    assert.ok(reference.error, `the reference does not fail ${command}: ${JSON.stringify(reference.value)}`);
    assert.ok(stowage.error, `only the reference fails ${command} (${explain(reference.error)}); Stowage gives ${JSON.stringify(stowage.value)}`);
    this.#expectFailure(command, stowage.error, category, code);
    await this.rows();
    return stowage.error;
  }

  // Expects a documented difference from the reference; `why` names it.
  async differs(why, command, args, { reference, stowage, category, code }) {
    assert.ok(why);
    const outcome = await this.run(command, args);
    if (reference === 'fails') assert.ok(outcome.reference.error, `the reference does not fail ${command}`);
    else if (outcome.reference.error) throw outcome.reference.error;
    if (reference instanceof Function) reference(outcome.reference.value);
    if (SELF) return outcome;
    if (category) {
      assert.ok(outcome.stowage.error, `Stowage does not fail ${command}: ${JSON.stringify(outcome.stowage.value)}`);
      this.#expectFailure(command, outcome.stowage.error, category, code);
    } else if (outcome.stowage.error) throw outcome.stowage.error;
    stowage?.(outcome.stowage.value);
    return outcome;
  }

  #expectFailure(command, error, category, code) {
    if (SELF) return;
    assert.ok(error.code, `${command} failed without a reply: ${explain(error)}`);
    if (category) assert.equal(error.category, category, `${command}: ${explain(error)}`);
    if (code) assert.equal(error.code, code, `${command}: ${explain(error)}`);
    assert.match(error.code, /^[A-Z][A-Z0-9_]*$/);
    assert.equal(typeof error.details, 'object');
  }

  // Encodes the reference's result by the reply's schema and decodes it, as happened to Stowage's
  // result: fields that the schema lacks, or declares with another type, make a difference.
  compare(command, stowage, reference) {
    let expected = reference;
    if (!SELF || process.env.STOWAGE_TEST_SCHEMAS) {
      const schema = schemas().command(command).replySchema;
      expected = schema.decode(schema.encode({ result: reference })).result;
    }
    let actual = stowage;
    if (SELF) actual = repair(actual);
    if (SELF) expected = repair(expected);
    if (UNORDERED[command]) [actual, expected] = [actual, expected].map(UNORDERED[command]);
    assert.deepEqual(this.normals.stowage.value(actual), this.normals.reference.value(expected),
      `${command}: results (actual is Stowage's, expected the reference's)`);
  }

  // Compares all rows of all tables of the domain, each column as text.
  async rows() {
    for (const table of this.tables) {
      const both = {};
      for (const [side, schema] of [['stowage', this.schema], ['reference', this.reference.schemaName]]) {
        both[side] = this.normals[side].rows(await textRows(schema, table));
      }
      assert.deepEqual(both.stowage, both.reference, `${table}: rows (actual is Stowage's, expected the reference's)`);
    }
  }

  // Runs SQL on both schemas; :schema is replaced by the quoted name.
  async sql(text, params) {
    const run = (schema) => sql(text.replaceAll(':schema', `"${schema}"`), params);
    return new BySide(await run(this.schema), await run(this.reference.schemaName));
  }
}

// Sorts results whose order the reference does not define: rows of a SELECT without ORDER BY, messages
// with equal times.
const UNORDERED = {
  'memory.updateMessages': (list) => [...list].sort((a, b) => (a.id < b.id ? -1 : 1)),
  'memory.listMessagesById': ({ messages }) => ({ messages: byTime(messages) }),
};

function byTime(messages) {
  for (const [i, { createdAt }] of messages.entries()) {
    assert.ok(i === 0 || createdAt >= messages[i - 1].createdAt, 'messages are ordered by time');
  }
  return [...messages].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

// Repairs a value as the reference does before it writes jsonb.
function repair(value) {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '');
  if (Array.isArray(value)) return value.map(repair);
  if (value && Object.getPrototypeOf(value) !== Date.prototype && typeof value === 'object' && !Buffer.isBuffer(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [repair(key), repair(entry)]));
  }
  return value;
}

// Commands whose reference returns either: an entity without a version has no fields of one; an item of a dataset
// that was purged has other ones; a score is returned as it was given.
const EITHER = new RegExp([
  '\\.getByIdResolved ', '^scores\\.saveScore ',
  '^datasets\\.\\w*Item\\w* (expectedTrajectory|groundTruth|requestContext|scorerIds|source|toolMocks|unmockedToolPolicy)$',
].join('|'));

const columns = new Map();

async function textRows(schema, table) {
  const name = `${schema}.${table}`;
  if (!columns.has(name)) {
    const found = await sql(`SELECT column_name FROM information_schema.columns
      WHERE table_schema = $1 AND table_name = $2 ORDER BY column_name`, [schema, table]);
    assert.ok(found.length > 0, `there is no table ${name}`);
    columns.set(name, found.map((row) => row.column_name));
  }
  const list = columns.get(name).map((column) => `"${column}"::text AS "${column}"`).join(', ');
  return (await pool().query(`SELECT ${list} FROM "${schema}".${table}`)).rows;
}

export const explain = (error) => [error.message, error.cause?.message].filter(Boolean).join(' <- ');

if (SELF) recordCoverage('self', 'ok');

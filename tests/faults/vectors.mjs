// vectors.mjs - vectors as a numbered load, in three tables: without an index, with an hnsw index, and with
// an index that is built again and again. Each conversation writes to one table: upserts, updates and
// deletions by id and by filter, most without a reply, and queries that must see the writes before them.
// Every write puts its number, which rises from command to command, into the metadata. A trigger records
// the numbers of all row versions, as in firehose.mjs.

import assert from 'node:assert/strict';
import { readTopic, schemas, sleep, sql, until } from '../compat/lib/harness.mjs';
import { written } from './firehose.mjs';
import { Load } from './load.mjs';

const DIMENSION = 16;
const INDEXES = ['flat', 'ready', 'built'];
const BALLAST = { flat: 100, ready: 1000, built: 6000 }; // vectors that no command writes to; with them a build takes seconds
const PARTS = ['a', 'b', 'c'];
const AGAIN = 3; // steps until a vector is written again
const LATE = 7;  // steps until a vector is updated by a filter
const GONE = 9;  // steps until a vector is deleted by a deleteFilter
const PLACES = 10;

const embedding = (seq) => [seq, ...Array.from({ length: DIMENSION - 1 }, (_, i) => seq * Math.cos(seq * (i + 1)))];
const nameOf = ({ conversation, number, part }) => `${conversation}.${number}.${part}`;
const hnsw = (indexName, m) => ({ indexName, dimension: DIMENSION, indexConfig: { type: 'hnsw', hnsw: { m, efConstruction: 200 } } });

// The commands of one step of a conversation, in order: [command, arguments].
function steps(indexName, conversation, step) {
  const seq = (place) => step * PLACES + place;
  const row = (number, part, place) => ({ conversation, number, part, seq: seq(place) });
  const upsert = (place, metadata, over) => ['vectors.upsert',
    { indexName, ids: metadata.map(nameOf), vectors: metadata.map(() => embedding(seq(place))), metadata, ...over }];
  const gone = step > GONE && step % 3 === 0 ? { deleteFilter: { conversation, number: step - GONE } } : {};
  const list = [
    upsert(0, PARTS.map((part) => row(step, part, 0)), gone),
    ['vectors.updateVector', { indexName, id: nameOf(row(step, 'a')), update: { vector: embedding(seq(1)), metadata: row(step, 'a', 1) } }],
    ['vectors.query', { indexName, queryVector: embedding(seq(1)), topK: 10, includeVector: true, filter: { conversation, number: { $in: [step - 1, step] } } }],
    ['vectors.deleteVector', { indexName, id: nameOf(row(step, 'b')) }],
  ];
  if (step % 2 === 0) list.push(['vectors.deleteVectors', { indexName, filter: { conversation, number: step, part: 'c' } }]);
  if (step > AGAIN) list.push(upsert(5, (step % 2 ? ['a', 'b'] : ['a']).map((part) => row(step - AGAIN, part, 5))));
  if (step > LATE) {
    // Some no longer exist: skipped.
    list.push(['vectors.updateVector', { indexName, filter: { conversation, number: step - LATE, part: 'c' }, update: { metadata: row(step - LATE, 'c', 6) } }]);
  }
  return list;
}

// The expected vectors of a conversation: the rows now, the numbers that each row was written with (for a
// deletion the row's number, negated), and the command since which each state holds.
class Conversation {
  constructor(id, indexName) {
    this.id = id;
    this.indexName = indexName;
    this.rows = new Map();
    this.writes = new Map();
    this.states = new Map();
    this.queries = new Map(); // correlation id: [place of the query, its arguments]
    this.place = 0;
  }

  apply(command, args, correlationId) {
    this.place++;
    if (command === 'vectors.query') {
      if (!this.queries.has(correlationId)) this.queries.set(correlationId, [this.place, args]);
    } else if (command === 'vectors.upsert') {
      if (args.deleteFilter) this.#found({ filter: args.deleteFilter }).forEach((name) => this.#delete(name));
      args.metadata.forEach((metadata, i) => this.#write(args.ids[i], metadata, args.vectors[i][0]));
    } else if (command === 'vectors.updateVector') {
      const { vector, metadata } = args.update;
      this.#found(args).forEach((name) => this.#write(name, metadata, vector?.[0] ?? this.rows.get(name).vector));
    } else {
      this.#found(args).forEach((name) => this.#delete(name));
    }
  }

  #found({ id, filter }) {
    const fits = (row) => Object.entries(filter).every(([field, value]) => row.metadata[field] === value);
    return [...this.rows].filter(([name, row]) => (filter ? fits(row) : name === id)).map(([name]) => name);
  }

  #write(name, metadata, vector) {
    this.rows.set(name, { metadata, vector });
    this.#keep(name, metadata.seq, `${metadata.seq} ${vector}`);
  }

  #delete(name) {
    this.#keep(name, -this.rows.get(name).metadata.seq, 'none');
    this.rows.delete(name);
  }

  #keep(name, mark, state) {
    this.writes.set(name, [...(this.writes.get(name) ?? []), mark]);
    this.states.set(name, [...(this.states.get(name) ?? []), [this.place, state]]);
  }

  // The states in which a query at that place may have seen a vector: the state then, or a later one.
  allowed(name, place) {
    const states = this.states.get(name) ?? [];
    const then = states.filter(([since]) => since < place).at(-1)?.[1] ?? 'none';
    return [then, ...states.filter(([since]) => since > place).map(([, state]) => state)];
  }

  // Checks the reply to a query against the allowed states.
  accountQuery(correlationId, results) {
    const [place, { filter }] = this.queries.get(correlationId);
    const seen = new Map(results.map(({ id, metadata, vector }) => [id, `${metadata.seq} ${vector[0]}`]));
    assert.equal(seen.size, results.length, `${correlationId}: a vector comes twice`);
    for (const number of filter.number.$in) {
      for (const part of PARTS) {
        const name = nameOf({ conversation: this.id, number, part });
        const allowed = this.allowed(name, place);
        const state = seen.get(name) ?? 'none';
        assert.ok(allowed.includes(state), `${correlationId}: saw ${name} as ${state}, expected ${allowed[0]} or later`);
        seen.delete(name);
      }
    }
    assert.deepEqual([...seen], [], `${correlationId}: vectors that the filter does not match`);
  }
}

export class Vectors extends Load {
  constructor(world, { conversations = 12 } = {}) {
    super(world, { conversations });
    this.indexOf = new Map(this.ids.map((id, i) => [id, INDEXES[i % INDEXES.length]]));
    this.builds = 0;
  }

  async prepare() {
    const { client, schema } = this.world;
    await sql('CREATE EXTENSION IF NOT EXISTS vector');
    await sql(`CREATE TABLE "${schema}".versions (place bigserial, name text, mark int)`);
    await sql(`CREATE FUNCTION "${schema}".keep_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO "${schema}".versions (name, mark) SELECT OLD.vector_id, -(OLD.metadata ->> 'seq')::int WHERE TG_OP = 'DELETE';
      INSERT INTO "${schema}".versions (name, mark) SELECT NEW.vector_id, (NEW.metadata ->> 'seq')::int WHERE TG_OP <> 'DELETE';
      RETURN NULL; END $$`);
    for (const indexName of INDEXES) {
      const config = indexName === 'ready' ? hnsw(indexName, 8) : { indexName, dimension: DIMENSION, buildIndex: false };
      await client.call('vectors.createIndex', { ...config, metadataIndexes: ['conversation'] });
      await sql(`INSERT INTO "${schema}"."${indexName}" (vector_id, embedding, metadata)
        SELECT 'ballast ' || i, (SELECT array_agg(sin(i * j)) FROM generate_series(1, ${DIMENSION}) j)::vector, '{}' FROM generate_series(1, ${BALLAST[indexName]}) i`);
      await sql(`CREATE TRIGGER keep_version AFTER INSERT OR UPDATE OR DELETE ON "${schema}"."${indexName}" FOR EACH ROW EXECUTE FUNCTION "${schema}".keep_version()`);
    }
    this.base = INDEXES.length;
  }

  // Queries ask for a reply; in every fourth step an upsert and a deletion do too.
  commands(id, step) {
    const list = steps(this.indexOf.get(id), id, step).map(([command, args], place) => {
      const load = `${id} ${step} ${place}`;
      const asks = command === 'vectors.query' || (step % 4 === 0 && (place === 0 || place === 3));
      return { command, args, key: id, headers: { load }, correlationId: asks ? load : undefined };
    });
    return this.wantsBuild && id === this.ids[0] ? [this.#build(), ...list] : list;
  }

  // Each build asks for another index than the existing one.
  #build() {
    this.wantsBuild = false;
    const m = ++this.builds % 2 ? 16 : 12;
    return { command: 'vectors.createIndex', args: hnsw('built', m), key: this.ids[0], headers: { build: `${m}` }, correlationId: `build ${this.builds}` };
  }

  run(options) {
    this.asking = this.#askForBuilds();
    this.asking.catch(() => {}); // stop() reports the error
    return super.run(options);
  }

  async stop() {
    await super.stop();
    await this.asking;
  }

  // Asks for the next build when the last one has ended.
  async #askForBuilds() {
    let known;
    while (!this.stopped) {
      const last = await this.lastBuild();
      if (last && last.id !== known && last.ended) {
        known = last.id;
        this.wantsBuild = true;
      }
      await sleep(200);
    }
  }

  // The last build of the index `built`; undefined while the database is down.
  async lastBuild() {
    const rows = await sql(`SELECT id::int, finished_at IS NOT NULL AS ended,
      state = 'building' AND started_at > clock_timestamp() - interval '1 second' AS begins FROM "${this.world.schema}".stowage_vector_builds
      WHERE index_name = 'built' ORDER BY id DESC LIMIT 1`).catch(() => []); // the test has killed the database
    return rows[0];
  }

  async account() {
    await this.allApplied();
    const conversations = new Map(this.ids.map((id) => [id, new Conversation(id, this.indexOf.get(id))]));
    const due = new Set();
    const counts = { commands: 0, builds: 0, vectors: 0, versions: 0, queries: 0, replies: 0, twice: 0 };
    let built;
    for (const { headers } of await readTopic(this.world.topic)) {
      const correlationId = headers['correlation-id']?.toString();
      if (headers.build) {
        counts.builds++;
        built = headers.build.toString();
      } else if (headers.load) {
        const [id, step, place] = headers.load.toString().split(' ');
        conversations.get(id).apply(...steps(this.indexOf.get(id), id, Number(step))[Number(place)], correlationId);
        counts.commands++;
      } else {
        continue;
      }
      if (correlationId) due.add(correlationId);
    }
    for (const conversation of conversations.values()) await this.#accountConversation(conversation, counts);
    await this.#accountRows(conversations);
    await this.#accountReplies(conversations, due, counts);
    await this.#accountBuilds(built);
    await this.nothingLeft();
    return counts;
  }

  async #accountConversation({ id, indexName, rows, writes }, counts) {
    const { schema } = this.world;
    const found = await sql(`SELECT vector_id AS name, metadata, (embedding::real[])[1]::int AS vector FROM "${schema}"."${indexName}"
      WHERE metadata ->> 'conversation' = $1`, [id]);
    const names = new Set(found.map(({ name }) => name));
    assert.deepEqual([...rows.keys()].filter((name) => !names.has(name)), [], `${id}: missing vectors`);
    assert.deepEqual([...names].filter((name) => !rows.has(name)), [], `${id}: vectors that were deleted or never written`);
    for (const { name, ...row } of found) assert.deepEqual(row, rows.get(name), `${name}: the last update`);
    const versions = await sql(`SELECT name, array_agg(mark ORDER BY place) AS list FROM "${schema}".versions WHERE name LIKE $1 GROUP BY name`, [`${id}.%`]);
    assert.equal(versions.length, writes.size, `${id}: vectors that were ever there`);
    for (const { name, list } of versions) {
      assert.ok(written(list, writes.get(name) ?? []), `${name}: was written as ${list}, expected ${writes.get(name)}`);
      counts.versions += list.length;
    }
    counts.vectors += found.length;
  }

  // The tables hold the expected vectors and all of the ballast, and nothing else.
  async #accountRows(conversations) {
    for (const indexName of INDEXES) {
      const due = [...conversations.values()].filter((one) => one.indexName === indexName).reduce((sum, { rows }) => sum + rows.size, BALLAST[indexName]);
      const [{ n }] = await sql(`SELECT count(*)::int AS n FROM "${this.world.schema}"."${indexName}"`);
      assert.equal(n, due, `${indexName}: its vectors`);
    }
  }

  async #accountReplies(conversations, due, counts) {
    let got;
    await until('every reply has arrived', async () => {
      got = (await readTopic(this.world.client.replyTopic)).map((reply) => ({ ...reply, id: reply.headers['correlation-id'].toString() }))
        .filter(({ id }) => due.has(id));
      return new Set(got.map(({ id }) => id)).size === due.size || sleep(500, false);
    }, { timeoutMs: 120_000, onTimeout: () => `missing: ${[...due].filter((id) => !got.some((reply) => reply.id === id)).slice(0, 20).join(', ')}` });
    for (const { id, value, headers } of got) {
      const reply = schemas().decode(value).value;
      assert.equal(headers.status.toString(), 'ok', `${id}: ${JSON.stringify(reply)}`);
      const conversation = conversations.get(id.split(' ')[0]);
      if (!conversation?.queries.has(id)) continue;
      conversation.accountQuery(id, reply.result);
      counts.queries++;
    }
    counts.replies = got.length;
    counts.twice = got.length - due.size;
  }

  // Every build succeeded, its replies are acknowledged, and the index of the last build exists.
  async #accountBuilds(m) {
    const { schema } = this.world;
    await until('every build is answered', async () => (await sql(`SELECT FROM "${schema}".stowage_vector_waiters`)).length === 0);
    assert.deepEqual(await sql(`SELECT index_name, state, error FROM "${schema}".stowage_vector_builds WHERE state <> 'done'`), [], 'builds that did not succeed');
    const [index] = await sql(`SELECT indisvalid AND indisready AS valid, pg_get_indexdef(indexrelid) AS definition FROM pg_index
      WHERE indexrelid = to_regclass($1)`, [`"${schema}".built_vector_idx`]);
    assert.equal(index?.valid, true, 'the index that was built is valid');
    assert.match(index.definition, new RegExp(`USING hnsw .*\\(m='${m}', ef_construction='200'\\)`));
    const invalid = await sql(`SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
      WHERE NOT indisvalid AND relnamespace = $1::regnamespace`, [schema]);
    assert.deepEqual(invalid, [], 'invalid indexes');
  }
}

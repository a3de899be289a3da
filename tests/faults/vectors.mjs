// Vectors as a numbered load, in a table without an index, in one with an hnsw index, and in one whose
// index is built again and again meanwhile. Each conversation writes to one of them: upserts, updates
// and deletions by id and by filter, most without reply, and queries that have to see what was written
// before them. Every write puts its number, which rises from command to command, into the metadata,
// and a trigger keeps the numbers of all row versions, as those of the firehose do.

import assert from 'node:assert/strict';
import { readTopic, schemas, sleep, sql, until } from '../compat/lib/harness.mjs';
import { written } from './firehose.mjs';
import { Load } from './load.mjs';

const DIMENSION = 16;
const INDEXES = ['flat', 'ready', 'built'];
const BALLAST = { flat: 100, ready: 1000, built: 6000 }; // vectors that nobody writes to; a build takes seconds
const PARTS = ['a', 'b', 'c'];
const AGAIN = 3; // steps until a vector is written once more
const LATE = 7;  // ... until it is updated by a filter
const GONE = 9;  // ... until it is deleted by a deleteFilter
const PLACES = 10;

const embedding = (seq) => [seq, ...Array.from({ length: DIMENSION - 1 }, (_, i) => seq * Math.cos(seq * (i + 1)))];
const nameOf = ({ conversation, number, part }) => `${conversation}.${number}.${part}`;
const hnsw = (indexName, m) => ({ indexName, dimension: DIMENSION, indexConfig: { type: 'hnsw', hnsw: { m, efConstruction: 200 } } });

// What a conversation gets in a step: [command, arguments], in this order.
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
    // Some are not there any more: passed over.
    list.push(['vectors.updateVector', { indexName, filter: { conversation, number: step - LATE, part: 'c' }, update: { metadata: row(step - LATE, 'c', 6) } }]);
  }
  return list;
}

// The vectors of a conversation as they have to be: what is there now, what each row was written with
// (a deletion: the number that the row had, negated), and since which command it has been so.
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

  // What a query at that place may have seen of a vector: what it was then, or later.
  allowed(name, place) {
    const states = this.states.get(name) ?? [];
    const then = states.filter(([since]) => since < place).at(-1)?.[1] ?? 'none';
    return [then, ...states.filter(([since]) => since > place).map(([, state]) => state)];
  }

  // Holds the reply to a query against what had to be seen.
  accountQuery(correlationId, results) {
    const [place, { filter }] = this.queries.get(correlationId);
    const seen = new Map(results.map(({ id, metadata, vector }) => [id, `${metadata.seq} ${vector[0]}`]));
    assert.equal(seen.size, results.length, `${correlationId}: a vector comes twice`);
    for (const number of filter.number.$in) {
      for (const part of PARTS) {
        const name = nameOf({ conversation: this.id, number, part });
        const allowed = this.allowed(name, place);
        const state = seen.get(name) ?? 'none';
        assert.ok(allowed.includes(state), `${correlationId}: saw ${name} as ${state}, due ${allowed[0]} or later`);
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

  // Queries ask for a reply, and in every fourth step an upsert and a deletion.
  commands(id, step) {
    const list = steps(this.indexOf.get(id), id, step).map(([command, args], place) => {
      const load = `${id} ${step} ${place}`;
      const asks = command === 'vectors.query' || (step % 4 === 0 && (place === 0 || place === 3));
      return { command, args, key: id, headers: { load }, correlationId: asks ? load : undefined };
    });
    return this.wantsBuild && id === this.ids[0] ? [this.#build(), ...list] : list;
  }

  // Each build is of another index than the one that is there.
  #build() {
    this.wantsBuild = false;
    const m = ++this.builds % 2 ? 16 : 12;
    return { command: 'vectors.createIndex', args: hnsw('built', m), key: this.ids[0], headers: { build: `${m}` }, correlationId: `build ${this.builds}` };
  }

  run(options) {
    this.asking = this.#askForBuilds();
    this.asking.catch(() => {}); // told by stop()
    return super.run(options);
  }

  async stop() {
    await super.stop();
    await this.asking;
  }

  // The next build is asked for when the last one has ended.
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

  // The last build of the index that is built; undefined while the database is away.
  async lastBuild() {
    const rows = await sql(`SELECT id::int, finished_at IS NOT NULL AS ended,
      state = 'building' AND started_at > clock_timestamp() - interval '1 second' AS begins FROM "${this.world.schema}".stowage_vector_builds
      WHERE index_name = 'built' ORDER BY id DESC LIMIT 1`).catch(() => []); // killed on purpose
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
    assert.deepEqual([...rows.keys()].filter((name) => !names.has(name)), [], `${id}: vectors that are missing`);
    assert.deepEqual([...names].filter((name) => !rows.has(name)), [], `${id}: vectors that were deleted, or never written`);
    for (const { name, ...row } of found) assert.deepEqual(row, rows.get(name), `${name}: the last update`);
    const versions = await sql(`SELECT name, array_agg(mark ORDER BY place) AS list FROM "${schema}".versions WHERE name LIKE $1 GROUP BY name`, [`${id}.%`]);
    assert.equal(versions.length, writes.size, `${id}: vectors that were ever there`);
    for (const { name, list } of versions) {
      assert.ok(written(list, writes.get(name) ?? []), `${name}: was written as ${list}, due ${writes.get(name)}`);
      counts.versions += list.length;
    }
    counts.vectors += found.length;
  }

  // Nothing else is in the tables, and what nobody wrote to is all there.
  async #accountRows(conversations) {
    for (const indexName of INDEXES) {
      const due = [...conversations.values()].filter((one) => one.indexName === indexName).reduce((sum, { rows }) => sum + rows.size, BALLAST[indexName]);
      const [{ n }] = await sql(`SELECT count(*)::int AS n FROM "${this.world.schema}"."${indexName}"`);
      assert.equal(n, due, `${indexName}: its vectors`);
    }
  }

  async #accountReplies(conversations, due, counts) {
    let got;
    await until('every reply has come', async () => {
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

  // Every build has ended well and its answers are acknowledged; the last one's index is there.
  async #accountBuilds(m) {
    const { schema } = this.world;
    await until('every build is answered', async () => (await sql(`SELECT FROM "${schema}".stowage_vector_builds WHERE waiters IS NOT NULL`)).length === 0);
    assert.deepEqual(await sql(`SELECT index_name, state, error FROM "${schema}".stowage_vector_builds WHERE state <> 'done'`), [], 'builds that are not done');
    const [index] = await sql(`SELECT indisvalid AND indisready AS valid, pg_get_indexdef(indexrelid) AS definition FROM pg_index
      WHERE indexrelid = to_regclass($1)`, [`"${schema}".built_vector_idx`]);
    assert.equal(index?.valid, true, 'the index that was built is valid');
    assert.match(index.definition, new RegExp(`USING hnsw .*\\(m='${m}', ef_construction='200'\\)`));
    const invalid = await sql(`SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
      WHERE NOT indisvalid AND relnamespace = $1::regnamespace`, [schema]);
    assert.deepEqual(invalid, [], 'indexes that are not valid');
  }
}

// firehose.mjs - spans as a numbered load. Each trace gets steps 1, 2, 3, ... of creates and updates,
// single and in batches, most without a reply. Every write puts its number, which rises from command to
// command, into the span's metadata. A trigger records the numbers of all row versions. It reveals a write
// that came twice, too late or not at all, which the rows alone would hide.

import assert from 'node:assert/strict';
import { at } from '../compat/lib/fixtures.mjs';
import { readTopic, schemas, sleep, sql, until } from '../compat/lib/harness.mjs';
import { Load } from './load.mjs';

const ROOT = 'root';
const AGAIN = 3; // steps until a span is created again
const LATE = 7;  // steps until a span is updated again
const PLACES = 10;
const TEXT = 'some text that makes a span as large as spans are, '.repeat(8);

const create = (traceId, spanId, seq, over = {}) => ({ traceId, spanId, name: `created ${seq}`, spanType: 'tool_call', isEvent: false,
  startedAt: at(seq), entityType: 'agent', entityId: 'a1', metadata: { seq }, input: { seq, text: TEXT }, ...over });
const update = (traceId, spanId, seq, over = {}) => ({ traceId, spanId, updates: { metadata: { seq }, ...over } });

// The commands of one step of a trace, in order: [command, arguments].
function steps(trace, step) {
  const seq = (place) => step * PLACES + place;
  const late = step > LATE ? [update(trace, `${step - LATE}`, seq(4))] : [];
  const list = [
    // Does not exist yet: skipped.
    ['observability.updateSpan', update(trace, `${step}.c`, seq(0), { output: { seq: seq(0) } })],
    ['observability.createSpan', { span: create(trace, `${step}`, seq(1), { parentSpanId: ROOT }) }],
    ['observability.updateSpan', update(trace, `${step}`, seq(2), { endedAt: at(seq(2)), output: { seq: seq(2), text: TEXT } })],
    ['observability.batchCreateSpans', { records: ['a', 'b', 'c'].map((part) => create(trace, `${step}.${part}`, seq(3), { endedAt: at(seq(3)) })) }],
    ['observability.batchUpdateSpans', { records: [update(trace, ROOT, seq(4)), update(trace, `${step}.a`, seq(4), { output: { seq: seq(4) } }), ...late] }],
  ];
  // Keeps its output and loses its endedAt.
  if (step > AGAIN) list.push(['observability.createSpan', { span: create(trace, `${step - AGAIN}`, seq(5)) }]);
  return list;
}

// The expected spans of a trace, and the numbers that each was written with.
class Trace {
  constructor(id) {
    this.id = id;
    this.rows = new Map();
    this.writes = new Map();
    this.apply('observability.createSpan', { span: create(id, ROOT, 0) });
  }

  apply(command, args) {
    for (const span of args.span ? [args.span] : args.records ?? [args]) {
      const row = this.rows.get(span.spanId);
      if (span.updates) {
        if (row) this.#write(span.spanId, row, span.updates);
      } else {
        this.#write(span.spanId, { ...row, ended: false }, span);
      }
    }
  }

  #write(spanId, row, { name = row.name, metadata, output, endedAt }) {
    this.rows.set(spanId, { spanId, name, seq: metadata.seq, output: output?.seq ?? row.output ?? null, ended: endedAt ? true : row.ended });
    this.writes.set(spanId, [...(this.writes.get(spanId) ?? []), metadata.seq]);
  }
}

// Writes that share a statement make one row version. So numbers may be missing, but none may come twice
// or out of order, and the last one must be there.
export function written(versions, due) {
  let place = 0;
  for (const seq of versions) {
    place = due.indexOf(seq, place) + 1;
    if (!place) return false;
  }
  return versions.at(-1) === due.at(-1);
}

export class Firehose extends Load {
  constructor(world, { traces = 24 } = {}) {
    super(world, { conversations: traces });
  }

  async prepare() {
    const { client, schema } = this.world;
    await sql(`CREATE TABLE "${schema}".versions (place bigserial, trace text, span text, seq int)`);
    await sql(`CREATE FUNCTION "${schema}".keep_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO "${schema}".versions (trace, span, seq) VALUES (NEW."traceId", NEW."spanId", (NEW.metadata ->> 'seq')::int); RETURN NULL; END $$`);
    await sql(`CREATE TRIGGER keep_version AFTER INSERT OR UPDATE ON "${schema}".mastra_ai_spans FOR EACH ROW EXECUTE FUNCTION "${schema}".keep_version()`);
    for (const id of this.ids) await client.call('observability.createSpan', { span: create(id, ROOT, 0) });
    this.base = this.ids.length;
  }

  // Every fourth step of a trace asks for one reply.
  commands(id, step) {
    return steps(id, step).map(([command, args], place) => {
      const load = `${id} ${step} ${place}`;
      return { command, args, key: id, headers: { load }, correlationId: step % 4 === 0 && place === 2 ? load : undefined };
    });
  }

  async account() {
    await this.allApplied();
    const traces = new Map(this.ids.map((id) => [id, new Trace(id)]));
    const due = new Set();
    const counts = { commands: 0, spans: 0, versions: 0, replies: 0, twice: 0 };
    for (const { headers } of await readTopic(this.world.topic)) {
      if (!headers.load) continue;
      const [id, step, place] = headers.load.toString().split(' ');
      traces.get(id).apply(...steps(id, Number(step))[Number(place)]);
      if (headers['correlation-id']) due.add(headers['correlation-id'].toString());
      counts.commands++;
    }
    for (const trace of traces.values()) await this.#accountTrace(trace, counts);
    const [{ n }] = await sql(`SELECT count(*)::int AS n FROM "${this.world.schema}".mastra_ai_spans`);
    assert.equal(n, counts.spans, 'the spans of all traces');
    await this.#accountReplies(due, counts);
    await this.nothingLeft();
    return counts;
  }

  async #accountTrace({ id, rows, writes }, counts) {
    const { schema } = this.world;
    const due = [...rows.values()].sort((a, b) => (a.spanId < b.spanId ? -1 : 1));
    const found = await sql(`SELECT "spanId", name, (metadata ->> 'seq')::int AS seq, (output ->> 'seq')::int AS output, "endedAt" IS NOT NULL AS ended
      FROM "${schema}".mastra_ai_spans WHERE "traceId" = $1 ORDER BY "spanId" COLLATE "C"`, [id]);
    const missing = due.filter(({ spanId }) => !found.some((row) => row.spanId === spanId)).map(({ spanId }) => spanId);
    assert.deepEqual(missing, [], `${id}: missing spans`);
    assert.deepEqual(found, due, `${id}: the spans`);
    const versions = await sql(`SELECT span, array_agg(seq ORDER BY place) AS list FROM "${schema}".versions WHERE trace = $1 GROUP BY span`, [id]);
    for (const { span, list } of versions) {
      assert.ok(written(list, writes.get(span)), `${id} ${span}: was written as ${list}, expected ${writes.get(span)}`);
      counts.versions += list.length;
    }
    counts.spans += found.length;
  }

  async #accountReplies(due, counts) {
    let got;
    await until('every reply has arrived', async () => {
      got = (await readTopic(this.world.client.replyTopic)).filter(({ headers }) => due.has(headers['correlation-id'].toString()));
      return new Set(got.map(({ headers }) => headers['correlation-id'].toString())).size === due.size || sleep(500, false);
    }, { timeoutMs: 120_000 });
    for (const { value, headers } of got) {
      assert.equal(headers.status.toString(), 'ok', JSON.stringify(schemas().decode(value).value));
    }
    counts.replies = got.length;
    counts.twice = got.length - due.size;
  }
}

// hostile.test.mjs - thousands of messages that no honest client sends, from a seed. Each one ends as a reply,
// a dead letter or an effect; none vanishes, and the worker lives. With the sanitizers' build it also finds
// memory errors.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, schemas, sleep, sql, until, withAdmin, World } from '../compat/lib/harness.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';
import { Chance } from '../faults/mixed/chance.mjs';
import { datum, text, varint } from './bytes.mjs';

const COUNT = Number(process.env.STOWAGE_TEST_HOSTILE ?? 2500);
const SEED = Number(process.env.STOWAGE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const CHUNK = 100;
const LARGE = 40; // one message in 40 has a megabyte

const chance = new Chance(SEED);
const world = new World({ name: 'hostile', partitions: 3, config: { limits: { messageBytes: 2_000_000 } } });
let dead;
before(async () => {
  await world.open();
  dead = await world.tail();
  await world.client.call('vectors.createIndex', { indexName: 'h', dimension: 3, indexConfig: { type: 'flat' } });
});
after(async () => {
  await world.close();
  await closeShared();
});

const oneIn = (n) => chance.below(n) === 0;
const bytes = (size) => Buffer.from(Array.from({ length: size }, () => chance.below(256)));
const letters = (size) => Array.from({ length: size }, () => chance.pick(['a', '0', ' ', '"', '\\', 'ä', '🦜', '\u0001', '$', '.'])).join('');

// JSON text, most of it strange; sometimes none.
function json(depth = 0) {
  const kinds = [
    () => '[1e400,-1e-400,0.1e+1,123456789012345678901234567890,1e131071]',
    () => '"\\u0000 \\ud800 \\udc00\\ud800"',
    () => '['.repeat(chance.pick([3, 60, 200, 5000])) + ']'.repeat(chance.pick([3, 60, 200, 5000])),
    () => { const n = chance.pick([10, 63, 65, 3000]); return '{"a":'.repeat(n) + '1' + '}'.repeat(n); },
    () => `{"${letters(chance.below(20)).replace(/[\\"]/g, '')}":1,"a":2,"a":3}`,
    () => '{"$and":[{"a":{"$gt":1}},{"$or":[]},{"b":{"$regex":"(((("}}]}',
    () => '{"a":{"$elemMatch":{"b":{"$in":[1,null,{"c":[]}]}}},"$nor":[{"x.y.z":{"$exists":true}}]}',
    () => `{"$${chance.pick(['gt', 'not', 'size', 'all', 'contains', 'where', ''])}":${depth < 3 ? json(depth + 1) : 1}}`,
    () => '{"a":1',
    () => 'nonsense',
    () => bytes(chance.below(30)),
  ];
  const made = chance.pick(kinds)();
  return depth > 0 && Buffer.isBuffer(made) ? '1' : made;
}

// A valid command, as bytes.
function honest() {
  const id = `h${chance.below(20)}`;
  return schemas().encode(...chance.pick([
    ['memory.saveThread', { thread: thread(id) }],
    ['memory.saveMessages', { messages: [message(`${id}-${chance.below(1000)}`, id, 1)] }],
    ['memory.updateThread', { id, title: letters(20), metadata: { a: letters(9) } }],
    ['memory.getThreadById', { threadId: id }],
    ['memory.listMessages', { threadId: id, perPage: 3 }],
    ['workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: id, snapshot: { a: 1 } }],
    ['workflows.listWorkflowRuns', { perPage: 2, page: 0 }],
    ['observability.createSpan', { span: { traceId: id, spanId: `${chance.below(99)}`, name: 'n', spanType: 'tool_call', isEvent: false, startedAt: new Date(0) } }],
    ['vectors.upsert', { indexName: 'h', ids: [id], vectors: [[1, 2, 3]], metadata: [{ a: 1 }] }],
    ['vectors.query', { indexName: 'h', queryVector: [1, 2, 3], topK: 2, filter: { a: 1 } }],
    ['storage.ping', {}],
  ]));
}

function damaged() {
  const value = Buffer.from(honest());
  for (let i = chance.below(4); i >= 0; i--) value[10 + chance.below(Math.max(1, value.length - 10))] = chance.below(256);
  return oneIn(3) ? value.subarray(0, chance.below(value.length)) : value;
}

const OTHERS = ['memory.saveThread', 'memory.deleteMessages', 'memory.listThreads', 'observability.batchCreateSpans', 'vectors.query', 'workflows.updateWorkflowState'];

function value() {
  const kinds = [
    () => bytes(chance.below(300)),
    () => Buffer.concat([Buffer.from([0xc3, 0x01]), bytes(chance.below(40))]),
    () => Buffer.concat([Buffer.from([0]), bytes(chance.below(40))]),
    () => null,
    () => Buffer.alloc(0),
    damaged, damaged, damaged,
    honest, honest,
    // A datum of one command under the name of another.
    () => datum(schemas(), chance.pick(OTHERS), honest().subarray(10)),
    () => datum(schemas(), chance.pick(OTHERS), bytes(chance.below(200))),
    () => datum(schemas(), chance.pick(OTHERS), varint(chance.pick([1n << 62n, -(1n << 63n), 3n << 30n, -1n, 2_000_000n])), bytes(chance.below(20))),
    () => datum(schemas(), 'workflows.persistWorkflowSnapshot', text('w'), text('r'), varint(0), text(json()), varint(0), varint(0)),
    () => { const filter = json(); return datum(schemas(), 'memory.updateThread', text('h1'), varint(0), varint(1), text(filter)); },
    () => datum(schemas(), 'memory.getThreadById', text(bytes(chance.below(50))), varint(0)),
  ];
  if (oneIn(LARGE)) return datum(schemas(), 'memory.getThreadById', text('x'.repeat(chance.pick([60_000, 1_000_000, 1_900_000, 2_100_000]))), varint(0));
  return chance.pick(kinds)();
}

// Headers beside `mark`. `asks`: a reply may come.
function headers(correlation) {
  const made = {};
  const asks = oneIn(2);
  if (asks) Object.assign(made, { 'reply-to': world.client.replyTopic, 'correlation-id': correlation });
  const odd = [
    () => { made['reply-to'] = chance.pick(['', 'no.such.topic', 'mastra.replies.missing', 'x'.repeat(300), '../../etc', 'mastra.replies.\u0000', letters(12)]); },
    () => { made['reply-partition'] = chance.pick(['', '-1', '99', '99999999999', 'x', '0x1']); },
    () => { made.kafka_replyPartition = bytes(chance.below(8)); },
    () => { made.kafka_replyTopic = chance.pick([world.client.replyTopic, '', bytes(9)]); made.kafka_correlationId = correlation; },
    () => { made.deadline = chance.pick(['1', '-5', 'soon', '99999999999999999999', String(Date.now() + 3_600_000)]); },
    () => { made['schema-name'] = chance.pick([world.schema, 'public', '', 'pg_catalog', '"; DROP', 'x'.repeat(200)]); },
    () => { made['idempotency-key'] = chance.pick(['', 'k1', 'k2', bytes(20), 'k'.repeat(5000)]); },
    () => { made.ce_source = 'app'; made.ce_id = `${chance.below(5)}`; },
    () => { made.traceparent = bytes(60); made.tracestate = letters(40); },
    () => { made.command = chance.pick(['memory.getThreadById', 'x.y', letters(9)]); made['content-type'] = 'application/json'; },
    () => { for (let i = 0; i < 60; i++) made[`h${i}`] = letters(5); },
    () => { made[letters(6)] = bytes(10); },
  ];
  if (oneIn(3)) for (let i = chance.below(3); i >= 0; i--) chance.pick(odd)();
  return made;
}

const keys = [() => null, () => Buffer.alloc(0), () => bytes(5), () => `h${chance.below(20)}`, () => 'k'.repeat(3000)];

async function sendAll() {
  for (let n = 0; n < COUNT; n += CHUNK) {
    const messages = Array.from({ length: Math.min(CHUNK, COUNT - n) }, (_, i) => ({
      key: chance.pick(keys)(), value: value(), partition: chance.below(3), headers: { mark: `${n + i}`, ...headers(`c${n + i}`) },
    }));
    await world.client.producer.send({ topic: world.topic, messages, acks: -1 });
  }
}

async function allApplied() {
  const ends = await withAdmin((admin) => admin.fetchTopicOffsets(world.topic));
  const total = ends.reduce((sum, { high }) => sum + Number(high), 0);
  await until('everything is applied and the outbox is empty', async () => {
    assert.ok(!world.worker.exit, `seed ${SEED}: the worker ended: ${JSON.stringify(world.worker.exit)}\n${world.worker.tail(80)}`);
    const [{ applied }] = await sql(`SELECT coalesce(sum(applied), 0)::int AS applied FROM "${world.schema}".stowage_offsets WHERE topic = $1`, [world.topic]);
    const [{ rows }] = await sql(`SELECT count(*)::int AS rows FROM "${world.schema}".stowage_outbox`);
    return (applied >= total && rows === 0) || sleep(200, false);
  }, { timeoutMs: 400_000, onTimeout: () => `seed ${SEED}\n${world.worker.tail(40)}` });
}

test(`${COUNT} hostile messages (seed ${SEED}) end as replies, dead letters or effects`, async (t) => {
  const count = async (name, ...labels) => (await world.worker.metric(name, ...labels)) ?? 0;
  const before = { all: await count('stowage_commands_total'), ok: await count('stowage_commands_total', 'outcome="ok"') };
  await sendAll();
  await allApplied();
  const ended = new Set();
  const okReplies = new Set();
  // Replies of reads and of detached reads are not in the outbox: they come a little later.
  const account = () => {
    for (const { headers: found } of world.client.replies) {
      const id = headerText(found, 'correlation-id') ?? headerText(found, 'kafka_correlationId');
      if (!/^c\d+$/.test(id ?? '')) continue;
      ended.add(Number(id.slice(1)));
      if (headerText(found, 'status') === 'ok') okReplies.add(id);
    }
    for (const letter of dead.messages) ended.add(Number(letter.text.mark));
  };
  // What left no reply and no dead letter succeeded silently: the metrics count it.
  let silent, all, ok;
  await until('each message is accounted for', async () => {
    account();
    silent = Array.from({ length: COUNT }, (_, n) => n).filter((n) => !ended.has(n)).length;
    all = await count('stowage_commands_total') - before.all;
    ok = await count('stowage_commands_total', 'outcome="ok"') - before.ok;
    return (all >= COUNT && ok - okReplies.size === silent) || sleep(300, false);
  }, { timeoutMs: 120_000, onTimeout: () => `seed ${SEED}: sent ${COUNT}, counted ${all}; ok ${ok}, ok replies ${okReplies.size}, without reply and dead letter ${silent}\n${world.worker.tail(40)}` });
  t.diagnostic(`seed ${SEED}: ${COUNT} sent, ${okReplies.size} answered ok, ${dead.messages.length} dead letters, ${silent} silent`);
  assert.equal(all, COUNT, 'each message is counted once');
  assert.equal((await world.client.call('storage.ping', {})).schemaName, world.schema);
});

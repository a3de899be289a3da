// Commands that would need more memory than limits.commandBytes: each fails alone, or does with less,
// and the worker's memory stays bounded.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { at, content, message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, sql, until, World } from '../compat/lib/harness.mjs';

const MIB = 1024 * 1024;
const MESSAGES = 50_000;
// What a worker may need: an idle one, one command's budget with its rows, and libpq's copies.
const HIGHEST_KIB = 120 * 1024;
const WITH_SANITIZER = /asan|tsan/.test(process.env.STOWAGE_BIN ?? '');

const world = new World({ name: 'budget' });
const table = (name) => `"${world.schema}".${name}`;
const call = (command, args) => world.client.call(command, args);
const TOO_LARGE = { code: 'REPLY_TOO_LARGE', category: 'INVALID' };

async function fill() {
  await call('memory.saveThread', { thread: thread('long') });
  await sql(`INSERT INTO ${table('mastra_messages')} (id, thread_id, content, role, type, "createdAt", "createdAtZ", "resourceId")
    SELECT 'm' || n, 'long', '{"format":2,"parts":[],"content":"' || repeat('x', 800) || '","metadata":{"number":' || n || '}}',
      'user', 'v2', now() + n * interval '1 ms', now() + n * interval '1 ms', 'r1' FROM generate_series(1, ${MESSAGES}) AS n`);
}

const status = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${world.worker.child.pid}/status`, 'utf8'))[1]);

// Runs the work, and checks how much memory the worker needed for it, and that others are answered.
async function bounded(work, highest = HIGHEST_KIB) {
  // An executor without work gives memory back.
  if (!WITH_SANITIZER) await until('the worker is idle', () => status('VmRSS') < HIGHEST_KIB / 2);
  writeFileSync(`/proc/${world.worker.child.pid}/clear_refs`, '5'); // VmHWM starts again
  const result = await work();
  if (!WITH_SANITIZER) assert.ok(status('VmHWM') < highest, `the worker took ${status('VmHWM')} KiB`);
  assert.ok(await call('storage.ping'));
  return result;
}

describe('memory of one command', () => {
  before(async () => {
    await world.open();
    await fill();
  });
  after(async () => {
    await world.close();
    await closeShared();
  });

  test('a filter on metadata looks at any number of messages', async () => {
    const found = await bounded(() => call('memory.listMessages',
      { threadId: ['long'], perPage: 10, filter: { metadata: { number: MESSAGES - 5 } } }));
    assert.deepEqual(found.messages.map(({ id }) => id), [`m${MESSAGES - 5}`]);
    assert.equal(found.total, 1);
  });

  test('a filter reads rows of several megabytes in parts', async () => {
    await call('memory.saveThread', { thread: thread('wide') });
    await sql(`INSERT INTO ${table('mastra_messages')} (id, thread_id, content, role, type, "createdAt", "createdAtZ", "resourceId")
      SELECT 'w' || n, 'wide', '{"content":"' || repeat('x', CASE n % 3 WHEN 0 THEN 2000000 ELSE 30 END) || '","metadata":{"number":' || CASE n % 3 WHEN 0 THEN 0 ELSE n % 2 END || '}}',
        'user', 'v2', now() + n * interval '1 ms', now() + n * interval '1 ms', 'r1' FROM generate_series(1, 60) AS n`);
    const found = await bounded(() => call('memory.listMessages',
      { threadId: ['wide'], page: 5, perPage: 2, filter: { metadata: { number: 1 } } }));
    assert.equal(found.total, 20);
  });

  test('all messages around one', () => bounded(() => assert.rejects(call('memory.listMessages',
    { threadId: ['long'], perPage: 0, include: [{ id: `m${MESSAGES}`, withPreviousMessages: 2_000_000_000 }] }), TOO_LARGE)));

  test('all messages of a thread', () => bounded(() => assert.rejects(call('memory.listMessages',
    { threadId: ['long'], perPage: -1 }), TOO_LARGE)));

  test('very many ids', () => bounded(() => assert.rejects(call('memory.listMessagesById',
    { messageIds: Array.from({ length: MESSAGES }, (_, i) => `m${i}`) }), TOO_LARGE)));

  test('a copy of a long thread is undone if its reply is too large', async () => {
    await bounded(() => assert.rejects(call('memory.cloneThread', { sourceThreadId: 'long', newThreadId: 'copy' }), TOO_LARGE));
    assert.equal(await call('memory.getThreadById', { threadId: 'copy' }), undefined);
  });

  test('tool invocations that all take their args from one part', async () => {
    const id = { toolCallId: 'c', toolName: 't', state: 'call' };
    const stored = { format: 2, parts: [{ type: 'tool-invocation', toolInvocation: { ...id, args: { text: 'x'.repeat(20_000) } } }],
      toolInvocations: Array.from({ length: 8000 }, () => id) };
    await call('memory.saveThread', { thread: thread('tools') });
    await sql(`INSERT INTO ${table('mastra_messages')} (id, thread_id, content, role, type, "createdAt", "createdAtZ", "resourceId")
      VALUES ('tools', 'tools', $1, 'assistant', 'v2', now(), now(), 'r1')`, [JSON.stringify(stored)]);
    await bounded(() => assert.rejects(call('memory.listMessages', { threadId: ['tools'] }), TOO_LARGE));
    await bounded(() => assert.rejects(call('memory.saveMessages', { messages: [message('again', 'tools', 1, { content: stored })] }),
      { category: 'INVALID' }));
    assert.deepEqual(await sql(`SELECT id FROM ${table('mastra_messages')} WHERE id = 'again'`), []);
  });

  test('neighbours in a folded statement are not affected', async () => {
    const tools = (n) => ({ format: 2, parts: [{ type: 'tool-invocation', toolInvocation: { toolCallId: 'c', toolName: 't', state: 'call',
      args: { text: 'x'.repeat(20_000) } } }], toolInvocations: Array.from({ length: n }, () => ({ toolCallId: 'c', toolName: 't', state: 'call' })) });
    const ids = Array.from({ length: 12 }, (_, i) => i);
    const replies = await bounded(() => Promise.allSettled(ids.map((i) => call('memory.saveMessages',
      { messages: [message(`n${i}`, 'long', i, { content: tools(i === 7 ? 8000 : 2) })] }))));
    assert.deepEqual(replies.map(({ status: outcome }) => outcome), ids.map((i) => (i === 7 ? 'rejected' : 'fulfilled')));
    const stored = await sql(`SELECT id FROM ${table('mastra_messages')} WHERE id LIKE 'n%'`);
    assert.equal(stored.length, 11);
  });

  test('many reads of one large row at once', async () => {
    await call('memory.saveThread', { thread: thread('heavy') });
    await sql(`UPDATE ${table('mastra_threads')} SET metadata = jsonb_build_object('text', repeat('x', 900000)) WHERE id = 'heavy'`);
    // Kafka gets 45 MB of replies, of which a part waits in librdkafka.
    const found = await bounded(() => Promise.all(Array.from({ length: 50 }, () => call('memory.getThreadById', { threadId: 'heavy' }))), 2 * HIGHEST_KIB);
    assert.ok(found.every(({ id }) => id === 'heavy'));
  });

  test('reads of many large rows at once, which share a statement', async () => {
    await sql(`INSERT INTO ${table('mastra_threads')} (id, "resourceId", title, metadata, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
      SELECT 'large' || n, 'large', '', jsonb_build_object('text', repeat('x', 8000000)), now(), now(), now(), now() FROM generate_series(1, 40) AS n`);
    await bounded(async () => {
      const ends = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => call('memory.getThreadById', { threadId: `large${i + 1}` })));
      for (const { reason } of ends) assert.equal(reason.code, 'REPLY_TOO_LARGE');
    });
  });

  test('many blobs of almost a reply each', async () => {
    const hashes = Array.from({ length: 200 }, (_, i) => `h${i}`);
    await sql(`INSERT INTO ${table('mastra_skill_blobs')} (hash, content, size, "createdAt") SELECT 'h' || n, repeat('x', 900000), 900000, now() FROM generate_series(0, 199) AS n`);
    await bounded(() => assert.rejects(call('blobs.getMany', { hashes }), TOO_LARGE));
    assert.equal((await call('blobs.getMany', { hashes: hashes.slice(0, 1) })).h0.size, 900000);
  });

  test('updates of very large messages', async () => {
    const messages = Array.from({ length: 60 }, (_, i) => ({ id: `w${i + 1}`, content: { metadata: { changed: true } } }));
    await bounded(() => assert.rejects(call('memory.updateMessages', { messages }), { category: 'INVALID' }));
    assert.equal((await sql(`SELECT count(*)::int AS n FROM ${table('mastra_messages')} WHERE content LIKE '%"changed"%'`))[0].n, 0);
  });

  test('light lists of heavy spans', async () => {
    await call('observability.batchCreateSpans', { records: Array.from({ length: 12 }, (_, i) => ({ traceId: `t${i}`, spanId: 's', name: 'span',
      spanType: 'agent_run', isEvent: false, startedAt: at(i) })) });
    await sql(`UPDATE ${table('mastra_ai_spans')} SET input = jsonb_build_object('text', repeat('x', 6000000))`);
    const { spans } = await bounded(() => call('observability.listTracesLight', { pagination: { page: 0, perPage: 12 } }));
    assert.deepEqual(spans.map(({ traceId }) => traceId), Array.from({ length: 12 }, (_, i) => `t${11 - i}`));
    assert.ok(spans.every(({ inputPreview }) => inputPreview.startsWith('{"text":"xxx')), spans[0].inputPreview);
  });

  test('searches that return everything', async () => {
    await call('vectors.createIndex', { indexName: 'few', dimension: 3, indexConfig: { type: 'flat' } });
    await sql(`INSERT INTO ${table('few')} (vector_id, embedding, metadata)
      SELECT 'v' || n, '[1,2,3]', jsonb_build_object('text', repeat('x', 2000)) FROM generate_series(1, ${MESSAGES / 4}) AS n`);
    await call('vectors.upsert', { indexName: 'few', vectors: [[-3, 0, 1]], ids: ['other'], metadata: [{ text: 'other' }] });
    assert.deepEqual((await bounded(() => call('vectors.query',
      { indexName: 'few', queryVector: [-3, 0, 1], topK: 1_000_000_000, minScore: 0.9 }))).map(({ id }) => id), ['other']);
    await bounded(() => assert.rejects(call('vectors.query', { indexName: 'few', queryVector: [1, 2, 3], topK: 1_000_000_000, minScore: 0.1 }), TOO_LARGE));
    await bounded(() => assert.rejects(call('vectors.query', { indexName: 'few', queryVector: [1, 2, 3], topK: 1_000_000_000 }), TOO_LARGE));
  });

  test('sparse vectors that are long when they are written out', async () => {
    await call('vectors.createIndex', { indexName: 'sparse', dimension: 1_000_000, vectorType: 'sparsevec', indexConfig: { type: 'flat' } });
    await sql(`INSERT INTO ${table('sparse')} (vector_id, embedding, metadata) SELECT 's' || n, '{1:1}/1000000', '{"kind":"a"}' FROM generate_series(1, 100) AS n`);
    await bounded(() => assert.rejects(call('vectors.query', { indexName: 'sparse', filter: { kind: 'a' }, topK: 100, includeVector: true }), TOO_LARGE));
  });

  test('messages whose bytes are all in headers count against the memory of the queues', async () => {
    await world.worker.stop();
    const value = world.client.schemas.encode('storage.ping', {});
    const messages = Array.from({ length: 100 }, () => ({ value, headers: { h: 'x'.repeat(60_000) } }));
    for (let i = 0; i < 20; i++) await world.client.producer.send({ topic: world.topic, messages });
    world.worker = await world.startWorker();
    assert.ok(await call('storage.ping'));
    if (!WITH_SANITIZER) assert.ok(status('VmHWM') < HIGHEST_KIB, `the worker took ${status('VmHWM')} KiB`);
  });

  test('what comes in can go out', async () => {
    const save = (id, size, text = true) => call('memory.saveMessages', { messages: [message(id, 'sized', 1,
      { content: text ? content('x'.repeat(size), { content: undefined }) : { format: 2, parts: [], data: Array.from({ length: size / 2 }, () => 1) } })] });
    await call('memory.saveThread', { thread: thread('sized') });
    await save('picture', 960_000);
    assert.equal((await call('memory.listMessagesById', { messageIds: ['picture'] })).messages[0].content.parts[0].text.length, 960_000);
    for (const [id, size, text] of [['larger', 1_200_000], ['numbers', 900_000, false]]) {
      await assert.rejects(save(id, size, text), { code: 'LENGTH_BEYOND_LIMIT', category: 'INVALID' });
    }
    // With a text as its content, a message is returned with that text twice.
    await assert.rejects(call('memory.saveMessages', { messages: [message('text', 'sized', 1, { content: 'x'.repeat(600_000) })] }), { category: 'INVALID' });
    await call('memory.saveMessages', { messages: [message('text', 'sized', 1, { content: 'x'.repeat(500_000) })] });
    assert.equal((await call('memory.listMessagesById', { messageIds: ['text'] })).messages[0].content.content.length, 500_000);
  });

  test('numbers that jsonb writes out in full', async () => {
    const metadata = { numbers: 'here' };
    const value = world.client.schemas.encode('memory.saveThread', { thread: thread('huge', { metadata }) });
    const grown = Buffer.from(`{"numbers":[${Array.from({ length: 900 }, () => '1e131071').join()}]}`);
    const text = Buffer.from(JSON.stringify(metadata));
    const index = value.indexOf(text);
    const length = (n) => Buffer.from(n < 64 ? [2 * n] : [(2 * n & 0x7f) | 0x80, 2 * n >> 7]);
    const changed = Buffer.concat([value.subarray(0, index - length(text.length).length), length(grown.length), grown, value.subarray(index + text.length)]);
    const reply = await bounded(() => world.client.exchange(changed, { key: 'huge' }));
    assert.equal(reply.decoded.code, 'LENGTH_BEYOND_LIMIT');
    assert.equal(await call('memory.getThreadById', { threadId: 'huge' }), undefined);
  });
});

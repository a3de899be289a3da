// The command line: send, offsets, dlq.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { message, thread } from '../compat/lib/fixtures.mjs';
import { BINARY, closeShared, createTopics, newId, readTopic, sql, stowageAsync, until, World } from '../compat/lib/harness.mjs';

const world = new World({ name: 'tools', partitions: 2 });
const replies = `mastra.replies.tools-${world.id}`;
let env;
before(async () => {
  await world.open();
  await createTopics(replies);
  env = { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema, STOWAGE_KAFKA_GROUP_ID: world.config.kafka.groupId, STOWAGE_KAFKA_TOPICS: world.topic };
});
after(async () => {
  await world.close();
  await closeShared();
});

const tool = (args, options = {}) => stowageAsync(args, { ...options, env: { ...env, ...options.env } });
const send = (args, options) => tool(['send', ...args, '--topic', world.topic, '--reply-topic', replies], options);
const threadJson = (id, over = {}) => JSON.stringify({ thread: { ...thread(id), createdAt: '2024-01-01T12:00:00.000Z', updatedAt: 1704110401000, ...over } });

describe('stowage send', () => {
  test('sends and prints the reply', async () => {
    const saved = await send(['memory.saveThread', threadJson('s1')]);
    assert.equal(saved.code, 0, saved.stderr);
    assert.equal(JSON.parse(saved.stdout).id ?? JSON.parse(saved.stdout).result?.id, 's1');
    const read = await send(['memory.getThreadById', '{"threadId":"s1"}']);
    const result = JSON.parse(read.stdout);
    assert.deepEqual((result.result ?? result).metadata, { kind: 'test' });
    assert.equal(Date.parse((result.result ?? result).createdAt), Date.UTC(2024, 0, 1, 12));
  });

  test('without JSON, with JSON on standard input', async () => {
    assert.equal((await send(['storage.ping'])).code, 0);
    const done = await send(['memory.getThreadById', '-'], { input: '{"threadId":"none"}' });
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout.trim(), 'null');
  });

  test('an error is status 6 and on standard error', async () => {
    const done = await send(['memory.updateThread', '{"id":"none"}']);
    assert.equal(done.code, 6);
    assert.match(done.stderr, /THREAD_NOT_FOUND/);
  });

  test('many commands as lines: the replies keep the order', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => (i % 2
      ? JSON.stringify({ command: 'memory.getThreadById', key: 'lines', request: { threadId: `l${i - 1}` } })
      : JSON.stringify({ command: 'memory.saveThread', key: 'lines', request: JSON.parse(threadJson(`l${i}`)) })));
    lines.push('memory.updateThread {"id":"none"}');
    const done = await send([], { input: `${lines.join('\n')}\n` });
    const printed = done.stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(printed.length, 301, done.stderr);
    for (let i = 0; i < 300; i++) assert.equal((printed[i].result ?? printed[i]).id, `l${i - (i % 2)}`);
    assert.equal(printed[300].error.code, 'THREAD_NOT_FOUND');
    assert.equal(done.code, 6);
  });

  test('without requesting a reply', async () => {
    const id = newId();
    const done = await send(['memory.saveThread', threadJson(id), '--no-reply']);
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout, '');
    await until('the thread exists', async () => (await sql(`SELECT 1 FROM "${world.schema}".mastra_threads WHERE id = $1`, [id])).length === 1);
  });

  test('with a key and headers', async () => {
    const done = await send(['storage.ping', '--key', 'k', '--header', 'deadline=1']);
    assert.equal(done.code, 6);
    assert.match(done.stderr, /TIMEOUT/);
  });

  test('no reply: status 7', async () => {
    const topic = `silent.${newId()}`;
    await createTopics(topic);
    const done = await tool(['send', 'storage.ping', '--topic', topic, '--reply-topic', replies, '--timeout', '1']);
    assert.equal(done.code, 7, done.stderr);
  });

  test('reports mistakes without sending anything', async () => {
    for (const [args, says] of [
      [['memory.saveThreat', '{}'], /memory\.saveThread/],
      [['memory.getThreadById', '{'], /JSON/],
      [['memory.getThreadById', '{}'], /threadId/],
      [['memory.getThreadById', '{"threadId":5}'], /threadId/],
      [['memory.getThreadById', '{"threadId":"a","threadID":"b"}'], /threadID/],
      [['memory.saveThread', threadJson('x', { createdAt: 'yesterday' })], /createdAt/],
    ]) {
      const done = await send(args);
      assert.notEqual(done.code, 0, args.join(' '));
      assert.match(done.stderr, says);
    }
  });
});

describe('stowage send vectors.query', () => {
  const query = ['vectors.query', '{"indexName":"found","queryVector":[1,0],"includeVector":true}'];
  before(async () => {
    await world.client.call('vectors.createIndex', { indexName: 'found', dimension: 2, indexConfig: { type: 'flat' } });
    await world.client.call('vectors.upsert', { indexName: 'found', vectors: [[1, 0], [0, 1]], ids: ['near', 'f\u001b[31mar'],
      metadata: [{ text: `Größe ${'long '.repeat(30)}` }, {}] });
  });

  // The output on a terminal of this width.
  const onTerminal = (args, columns) => new Promise((resolve, reject) => {
    const quoted = [BINARY, 'send', ...args, '--topic', world.topic, '--reply-topic', replies].map((word) => `'${word}'`).join(' ');
    execFile('script', ['-qec', `stty cols ${columns} rows 24; ${quoted}`, '/dev/null'], { env: { ...process.env, ...env } },
      (error, stdout) => (error ? reject(error) : resolve(stdout.replaceAll('\r\n', '\n'))));
  });

  test('a terminal gets a table of its width', async () => {
    for (const columns of [50, 120]) {
      const [head, first, second, ...rest] = (await onTerminal(query, columns)).split('\n');
      assert.match(head, /^RANK {2}ID +SCORE {2}METADATA$/);
      assert.match(first, /^ {3}1 {2}near +1\.0000 {2}\{"text":"Größe long .*…$/);
      assert.equal([...first].length, columns);
      assert.match(second, /^ {3}2 {2}f\\u001b\[31mar +0\.0000 {2}\{\}$/);
      assert.deepEqual(rest, ['']);
    }
  });

  test('a terminal gets JSON on request, and for all other commands', async () => {
    const results = JSON.parse(await onTerminal([...query, '--format', 'json'], 80));
    assert.deepEqual(results.map(({ id, vector }) => [id, vector]), [['near', [1, 0]], ['f\u001b[31mar', [0, 1]]]);
    assert.deepEqual(JSON.parse(await onTerminal(['vectors.listIndexes'], 80)), ['found']);
  });

  test('any other output is JSON, or a table on request', async () => {
    const plain = await send(query);
    assert.deepEqual(JSON.parse(plain.stdout).map(({ id }) => id), ['near', 'f\u001b[31mar']);
    const table = await send([...query, '--format', 'table'], { env: { COLUMNS: '60' } });
    assert.equal([...table.stdout.split('\n')[1]].length, 60, table.stdout);
    const lines = await send(['--format', 'table'], { input: `${query.join(' ')}\nvectors.listIndexes\n` });
    assert.match(lines.stdout, /^RANK .*\n.*\n.*\n\["found"\]\n$/);
    const wrong = await send([...query, '--format', 'xml']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /json or table/);
  });
});

describe('stowage offsets', () => {
  test('show and set', async () => {
    const topic = `offsets.${newId()}`;
    const own = new World({ name: 'offsets' });
    own.topic = topic;
    own.dlq = `${topic}.dlq`;
    own.config.kafka.topics = [topic];
    const mine = { STOWAGE_POSTGRES_SCHEMA_NAME: own.schema, STOWAGE_KAFKA_GROUP_ID: own.config.kafka.groupId, STOWAGE_KAFKA_TOPICS: topic };
    try {
      await own.open();
      for (let i = 0; i < 5; i++) await own.client.call('memory.saveThread', { thread: thread('t', { title: `n${i}` }) });
      const shown = await tool(['offsets', 'show'], { env: mine });
      assert.equal(shown.code, 0, shown.stderr);
      assert.match(shown.stdout, new RegExp(`${topic.replaceAll('.', '\\.')}[^\\n]*\\b5\\b`));
      await own.worker.stop();
      await sql(`UPDATE "${own.schema}".mastra_threads SET title = 'changed'`);
      const set = await tool(['offsets', 'set', '--topic', topic, '--partition', '0', '--to', '3'], { env: mine });
      assert.equal(set.code, 0, set.stderr);
      const [row] = await sql(`SELECT applied::int FROM "${own.schema}".stowage_offsets WHERE topic = $1`, [topic]);
      assert.equal(row.applied, 3);
      own.worker = await own.startWorker();
      await until('the last two commands have run again', async () => (await sql(`SELECT title FROM "${own.schema}".mastra_threads`))[0].title === 'n4');
    } finally {
      await own.close();
    }
  });
});

describe('stowage dlq', () => {
  test('list, show, replay in order, dry run', async () => {
    const id = newId();
    // Messages of a missing thread become dead letters.
    await world.client.post([1, 2, 3].map((i) => ({ command: 'memory.saveMessages', key: id, headers: { mark: `${i}` },
      args: { messages: [message(`${id}-m`, id, i, { content: `n${i}` })] } })));
    await until('three dead letters', async () => (await readTopic(world.dlq)).filter((m) => m.key?.toString() === id).length === 3);
    const listed = await tool(['dlq', 'list', '--topic', world.topic]);
    assert.equal(listed.code, 0, listed.stderr);
    assert.equal(listed.stdout.split('\n').filter((line) => line.includes('THREAD_NOT_FOUND')).length, 3, listed.stdout);

    const letter = (await readTopic(world.dlq)).find((m) => m.key?.toString() === id);
    const shown = await tool(['dlq', 'show', '--topic', world.topic, '--partition', String(letter.partition), '--offset', letter.offset]);
    assert.equal(shown.code, 0, shown.stderr);
    for (const part of ['memory.saveMessages', 'THREAD_NOT_FOUND', `${id}-m`]) assert.ok(shown.stdout.includes(part), shown.stdout);

    await world.client.call('memory.saveThread', { thread: thread(id) }, { key: id });
    const dry = await tool(['dlq', 'replay', '--topic', world.topic, '--dry-run']);
    assert.equal(dry.code, 0, dry.stderr);
    const count = async () => (await sql(`SELECT content FROM "${world.schema}".mastra_messages WHERE thread_id = $1`, [id])).map((row) => row.content);
    assert.deepEqual(await count(), []);

    const replayed = await tool(['dlq', 'replay', '--topic', world.topic]);
    assert.equal(replayed.code, 0, replayed.stderr);
    await until('they are applied in order', async () => (await count())[0] === 'n3');
    // The replayed command does not have the headers that describe the failure.
    const sent = (await readTopic(world.topic)).filter((m) => m.key?.toString() === id && m.headers.mark);
    const again = sent.slice(-3);
    // With its old timestamp, retention could delete a command before a worker reads it.
    assert.ok(again.every((one, i) => Number(one.timestamp) > Number(sent[i].timestamp)));
    for (const one of again) assert.ok(!Object.keys(one.headers).some((name) => name.startsWith('__connect.errors.')), Object.keys(one.headers).join());
    assert.deepEqual(again.map((one) => one.headers.mark.toString()), ['1', '2', '3']);
  });

  test('an empty topic', async () => {
    const topic = `quiet.${newId()}`;
    await createTopics([topic, `${topic}.dlq`]);
    for (const command of ['list', 'replay']) {
      const done = await tool(['dlq', command, '--topic', topic]);
      assert.equal(done.code, 0, done.stderr);
    }
  });
});

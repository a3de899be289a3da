// `stowage dlq replay`: which dead letters it sends, and that it sends each once.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, beforeEach, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { BINARY, closeShared, createTopics, newId, readMessages, schemas, sleep, stowageAsync, withAdmin, World } from '../compat/lib/harness.mjs';

const EXIT_FAILED = 1;
const EXIT_KAFKA = 5;
const world = new World({ name: 'replay' });
let topic;
const topics = [];
before(() => world.open({ start: false }));
beforeEach(async () => {
  topic = `replay.${newId()}`;
  topics.push(topic, `${topic}.dlq`);
  await createTopics([topic, `${topic}.dlq`], { partitions: 1 });
});
after(async () => {
  await withAdmin((admin) => admin.deleteTopics({ topics }));
  await world.close();
  await closeShared();
});

// Dead letters as the worker makes them.
const letters = (list) => world.client.producer.send({ topic: `${topic}.dlq`, messages: list.map(({ key, to = topic, code = 'THREAD_NOT_FOUND', command = 'storage.ping', args = {}, timestamp }) => ({
  key, timestamp, value: schemas().encode(command, args), headers: { mark: key, '__connect.errors.topic': to, '__connect.errors.partition': '0',
    '__connect.errors.offset': '7', '__connect.errors.exception.class.name': code } })) });
const named = (...keys) => keys.map((key) => ({ key }));
const environment = () => ({ ...process.env, STOWAGE_KAFKA_TOPICS: topic });
const replay = (...options) => stowageAsync(['dlq', 'replay', '--topic', topic, ...options], { env: environment() });
const replayed = async (count, from = topic) => (await readMessages(from, count)).map((message) => message.key.toString());
const ok = (done, says) => {
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, says);
};

describe('stowage dlq replay', () => {
  test('sends each dead letter once, in order, and says what it left out', async () => {
    await letters(named('a', 'b', 'c'));
    ok(await replay(), /^sent 3 dead letters again$/m);
    ok(await replay(), /^sent 0 dead letters again\nleft out 3 that were replayed before/m);
    await letters(named('d'));
    ok(await replay(), /^sent 1 dead letters again\nleft out 3/m);
    const commands = await readMessages(topic, 4);
    assert.deepEqual(commands.map(({ key }) => key.toString()), ['a', 'b', 'c', 'd']);
    const [first] = commands;
    assert.deepEqual(Object.keys(first.headers).sort(), ['mark', 'stowage-replayed-from']);
    assert.equal(first.headers['stowage-replayed-from'].toString(), `${topic}.dlq/0/0`);
    // The marks are no dead letters.
    const listed = await stowageAsync(['dlq', 'list', '--topic', topic]);
    assert.equal(listed.stdout.match(/\(replayed\)$/mg).length, 4, listed.stdout);
    assert.equal(listed.stdout.trim().split('\n').length, 4, listed.stdout);
    ok(await replay('--again'), /^sent 4 dead letters again$/m);
  });

  test('sends only to topics that the worker reads, unless --any-topic is given', async () => {
    const other = `other.${newId()}`;
    topics.push(other);
    await createTopics(other, { partitions: 1 });
    await letters([{ key: 'mine' }, { key: 'other', to: other }]);
    ok(await replay(), /^sent 1 dead letters again\nleft out 1 from topics that the worker does not read; --any-topic/m);
    ok(await replay('--any-topic'), /^sent 1 dead letters again$/m);
    assert.deepEqual(await Promise.all([replayed(1), replayed(1, other)]), [['mine'], ['other']]);
  });

  test('selects by error code, command and time', async () => {
    const hour = 3_600_000;
    const now = Date.now();
    const time = (ms) => new Date(ms).toISOString();
    await letters([{ key: 'old', timestamp: String(now - 2 * hour) }, { key: 'code', code: 'STRING_TOO_LONG' },
      { key: 'command', command: 'memory.saveThread', args: { thread: thread('t') } }, { key: 'rest' }]);
    const count = async (...options) => (await stowageAsync(['dlq', 'list', '--topic', topic, ...options])).stdout.split('\n').length - 1;
    assert.deepEqual([await count(), await count('--code', 'STRING_TOO_LONG'), await count('--command', 'memory.saveThread'),
      await count('--until', time(now - hour)), await count('--since', time(now - hour))], [4, 1, 1, 1, 3]);
    ok(await replay('--code', 'STRING_TOO_LONG'), /^sent 1 /m);
    ok(await replay('--command', 'memory.saveThread'), /^sent 1 /m);
    ok(await replay('--until', time(now - hour)), /^sent 1 /m);
    ok(await replay(), /^sent 1 dead letters again\nleft out 3/m);
    assert.deepEqual(await replayed(4), ['code', 'command', 'old', 'rest']);
    for (const wrong of [['--since', 'yesterday'], ['--command', 'memory.none']]) assert.equal((await replay(...wrong)).code, 2);
  });

  // Dead letters as the worker makes them if the topic refuses them with their values.
  const slim = (list) => world.client.producer.send({ topic: `${topic}.dlq`, messages: list.map(({ key, offset, size, timestamp, partition = 0 }) => ({
    key, value: null, headers: { mark: 'slim', '__connect.errors.topic': topic, '__connect.errors.partition': `${partition}`, '__connect.errors.offset': `${offset}`,
      '__connect.errors.timestamp': `${timestamp}`, '__connect.errors.value.omitted': `${size}` } })) });
  const large = async (...keys) => {
    const messages = keys.map((key, i) => ({ key, timestamp: `${Date.now() - 1000 + i}`, value: schemas().encode('memory.saveThread', { thread: thread(`large ${key}`) }) }));
    await world.client.producer.send({ topic, messages });
    return messages.map(({ key, value, timestamp }, offset) => ({ key, value, offset, size: value.length, timestamp }));
  };
  const left = (offset) => new RegExp(`^left out ${topic}\\.dlq \\[0\\] offset ${offset}: it has no value, and its command's topic no longer has`, 'm');

  test('takes the value of a dead letter that went without it from the command\'s topic', async () => {
    const [a, b, keyless] = await large('a', 'b', null);
    await letters(named('before'));
    await slim([b, a]);
    await letters(named('between'));
    await slim([keyless]);
    ok(await replay('--dry-run'), /^would send 5 /m);
    ok(await replay(), /^sent 5 dead letters again$/m);
    const sent = (await readMessages(topic, 8)).slice(3);
    assert.deepEqual(sent.map(({ key }) => key && key.toString()), ['before', 'b', 'a', 'between', null]);
    assert.deepEqual([sent[1], sent[2], sent[4]].map(({ value }) => value), [b.value, a.value, keyless.value]);
    assert.deepEqual(Object.keys(sent[1].headers).sort(), ['mark', 'stowage-replayed-from']);
    ok(await replay(), /^sent 0 dead letters again\nleft out 5 that were replayed before/m);
  });

  test('leaves out a dead letter whose original message is gone or is another one, and sends the others', async () => {
    const [a, b, c] = await large('a', 'b', 'c');
    await letters(named('before'));
    await slim([{ ...a, offset: 99 }, { ...a, offset: 3 }, { ...a, partition: 7 }, { ...b, key: 'other' }, { ...b, key: null }, { ...b, size: b.size + 1 },
      { ...b, timestamp: Number(b.timestamp) + 1 }, { ...b, offset: 2 }]);
    await slim([c]);
    const dry = await replay('--dry-run');
    assert.equal(dry.code, EXIT_FAILED, dry.stderr);
    assert.match(dry.stdout, /^would send 2 dead letters again\nleft out 8 whose original messages are gone$/m);
    const run = await replay();
    assert.equal(run.code, EXIT_FAILED, run.stderr);
    assert.match(run.stdout, /^sent 2 dead letters again\nleft out 8 whose original messages are gone$/m);
    for (let offset = 1; offset <= 8; offset++) assert.match(run.stderr, left(offset));
    assert.match(run.stderr, /^stowage: 8 dead letters cannot be sent: retention removed the original messages\n.*their clients must send these commands again/m);
    assert.deepEqual((await replayed(5)).slice(3), ['before', 'c']);
    // Those that it left out have no marks.
    assert.match((await replay()).stdout, /^sent 0 dead letters again\nleft out 2 that were replayed before.*\nleft out 8 whose/m);
  });

  test('leaves out what retention has removed from the start of the log', async () => {
    const [a, b, c] = await large('a', 'b', 'c');
    const remove = (offset) => withAdmin(async (admin) => {
      await admin.fetchTopicMetadata({ topics: [topic] }); // deleteTopicRecords needs it
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
    });
    await remove('2');
    await slim([a, b, c]);
    const run = await replay();
    assert.equal(run.code, EXIT_FAILED, run.stderr);
    assert.match(run.stdout, /^sent 1 dead letters again\nleft out 2 whose original messages are gone$/m);
    await remove('-1');
    assert.match((await replay('--again')).stdout, /^sent 0 dead letters again\nleft out 3 whose/m);
  });

  test('says where it stopped, and continues there', async () => {
    const late = `late.${newId()}`;
    await letters([...named('1', '2', '3', '4'), { key: 'late', to: late }, ...named('5')]);
    ok(await replay('--limit', '3'), new RegExp(`^sent 3 dead letters again\\nstopped at ${topic}\\.dlq \\[0\\] offset 3: run it again`, 'm'));
    const failed = await replay('--any-topic');
    assert.equal(failed.code, EXIT_KAFKA);
    assert.match(failed.stderr, new RegExp(`topic ${late} does not exist\\n.*stopped at ${topic}\\.dlq \\[0\\] offset \\d+; run it again`));
    topics.push(late);
    await createTopics(late, { partitions: 1 });
    ok(await replay('--any-topic'), /left out [34] that were replayed before/);
    assert.deepEqual(await Promise.all([replayed(5), replayed(1, late)]), [['1', '2', '3', '4', '5'], ['late']]);
    ok(await replay('--partition', '0', '--from', '4', '--again', '--any-topic', '--dry-run'), /^would send 2 /m);
  });

  test('sends each once, however often it is killed, and if two run at once', async () => {
    const keys = Array.from({ length: 1500 }, (_, i) => `k${i}`);
    await letters(named(...keys));
    for (let i = 0; i < 4; i++) {
      const child = spawn(BINARY, ['dlq', 'replay', '--topic', topic], { env: environment(), stdio: 'ignore' });
      const exited = new Promise((resolve) => { child.on('exit', resolve); });
      await Promise.race([exited, sleep(150 + 150 * i)]);
      child.kill('SIGKILL');
      await exited;
    }
    await Promise.all([replay(), sleep(100).then(() => replay())]);
    ok(await replay(), /dead letters again/);
    assert.deepEqual(await replayed(keys.length), keys);
  });
});

// Kafka does not take replies and dead letters: too large, invalid, forbidden, their topic gone. Each is
// sent in the end, or the log says why not, and no neighbour is lost with it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, createTopics, newId, readMessages, readTopic, schemas, setTopicConfig, sleep, sql, stowage, until, withAdmin, World } from '../compat/lib/harness.mjs';
import { forbid, loginAs } from '../compat/lib/rights.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';

after(() => closeShared());

async function inWorld(name, use, { config, env, ...options } = {}) {
  const world = new World({ name, config, ...options });
  try {
    await world.open({ start: false });
    world.worker = await world.startWorker({}, env);
    await use(world);
  } catch (error) {
    throw new Error(`${world.worker?.tail()}`, { cause: error });
  } finally {
    await world.close();
  }
}

const ids = (count) => Array.from({ length: count }, (_, i) => `${newId()}-${i}`);
const lines = (worker, pattern) => worker.log.split('\n').filter((line) => pattern.test(line));
const READY = async (w) => (await w.worker.get('/readyz')).status === 200;

// Sends a write and a read for each id, and returns promises of their replies.
async function sendPairs(w, list, over = () => ({})) {
  const calls = list.map((id) => [{ command: 'memory.saveThread', args: { thread: thread(id) }, correlationId: `w ${id}`, ...over(id) },
    { command: 'memory.getThreadById', args: { threadId: id }, correlationId: `r ${id}`, ...over(id) }]).flat();
  const replies = calls.map(({ correlationId, command }) => w.client.expect(correlationId, command));
  await w.client.post(calls);
  return replies;
}

async function expectAll(replies) {
  for (const reply of await Promise.all(replies)) assert.equal(headerText(reply.headers, 'status'), 'ok');
}

describe('a request that the broker refuses', () => {
  test('for its size: every reply comes, each once', () => inWorld('small-topic', async (w) => {
    await setTopicConfig(w.client.replyTopic, 'max.message.bytes', 20_000);
    const list = ids(1000);
    await expectAll(await sendPairs(w, list));
    await until('Kafka has acknowledged all replies', async () => await w.worker.metric('stowage_replies_in_flight') === 0);
    // Nobody promises their order: librdkafka may divide a round into several requests, of which the broker takes
    // a later, smaller one and refuses the first.
    const got = (await readTopic(w.client.replyTopic)).map(({ headers }) => headerText(headers, 'correlation-id'));
    assert.deepEqual(got.sort(), list.flatMap((id) => [`r ${id}`, `w ${id}`]).sort());
    assert.doesNotMatch(w.worker.log, /given up/);
  }));

  test('for one message: the others come, and only that one is given up', () => inWorld('compacted', async (w) => {
    await setTopicConfig(w.client.replyTopic, 'cleanup.policy', 'compact');
    const list = ids(200);
    const replies = await sendPairs(w, list);
    // A record without a key is invalid in a compacted topic.
    await w.client.producer.send({ topic: w.topic, messages: Array.from({ length: 3 }, () => ({ value: schemas().encode('storage.ping', {}),
      headers: { 'reply-to': w.client.replyTopic, 'correlation-id': 'keyless' } })) });
    const more = await sendPairs(w, ids(200));
    await expectAll([...replies, ...more]);
    await until('three replies are given up', () => lines(w.worker, /msg="reply given up/).length === 3);
    assert.equal(await w.worker.metric('stowage_replies_refused_total'), 3);
    assert.equal(w.client.replies.length, 800);
    assert.doesNotMatch(w.worker.log, /sends it again/);
  }));
});

describe('a client that causes many refusals', () => {
  test('does not flood the log: lines that are left out are counted', () => inWorld('flood', async (w) => {
    await setTopicConfig(w.client.replyTopic, 'cleanup.policy', 'compact');
    await w.client.producer.send({ topic: w.topic, messages: Array.from({ length: 200 }, () => ({ value: schemas().encode('storage.ping', {}),
      headers: { 'reply-to': w.client.replyTopic, 'correlation-id': 'keyless' } })) });
    await until('all are given up', async () => await w.worker.metric('stowage_replies_refused_total') === 200);
    const leftOut = () => lines(w.worker, /were left out.*reply given up/).reduce((sum, line) => sum + Number(/ count=(\d+)/.exec(line)[1]), 0);
    const written = () => lines(w.worker, /msg="reply given up/).length;
    await until('the log accounts for all', () => written() + leftOut() === 200);
    assert.ok(written() < 100, `${written()} lines`);
  }));
});

describe('a missing right', () => {
  test('to write to the reply topic: replies wait, the log and /readyz say so, and all come', () => inWorld('no-write', async (w) => {
    const grant = await forbid('worker', { topic: w.client.replyTopic }, 'WRITE');
    const replies = [];
    for (let round = 0; round < 5; round++) {
      replies.push(...await sendPairs(w, ids(40)));
      await sleep(500);
    }
    await until('/readyz says so', async () => /right to write/.test(await (await w.worker.get('/readyz')).text()));
    await grant();
    await expectAll(replies);
    await until('it is ready', () => READY(w));
    assert.equal(w.client.replies.length, 400, 'no reply came twice');
    assert.equal(lines(w.worker, /messages to a topic wait/).length, 1);
    assert.equal(lines(w.worker, /messages to a topic no longer wait/).length, 1);
  }, { env: loginAs('worker') }));

  for (const [operation, kind] of [['READ', 'topic'], ['DESCRIBE', 'topic'], ['READ', 'group']])
    test(`${operation} on the ${kind} of commands: they wait, the log and /readyz say so once, and it goes on by itself`, () => inWorld('no-read', async (w) => {
      await expectAll(await sendPairs(w, ids(5)));
      const name = kind === 'topic' ? w.topic : w.config.kafka.groupId;
      const grant = await forbid('worker', { [kind]: name }, operation);
      const replies = [];
      const why = kind === 'topic' ? `the right to ${operation.toLowerCase()} ${name} is missing` : `right to read or describe the group ${name} is missing`;
      await until('/readyz says so', async () => {
        if (replies.length < 40) replies.push(...await sendPairs(w, ids(1)));
        const { status, text } = await w.worker.get('/readyz').then(async (answer) => ({ status: answer.status, text: await answer.text() }));
        return status === 503 && text.includes(why);
      });
      replies.push(...await sendPairs(w, ids(20)));
      await sleep(12_000); // librdkafka commits every 5 s, and a session of the group is over after 10 s
      assert.ok((await (await w.worker.get('/readyz')).text()).includes(why), 'it still says so');
      if (kind === 'topic') await assert.rejects(Promise.race([Promise.all(replies), sleep(1).then(() => { throw new Error('they wait'); })]), /they wait/);
      const errors = lines(w.worker, /level=error/);
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.match(errors[0], /lacks a right.*grant the worker's user the rights Read and Describe/);
      assert.deepEqual(lines(w.worker, /level=warn/).filter((line) => !/SESSTMOUT/.test(line)), []);
      await grant();
      await expectAll(replies);
      await until('it is ready', () => READY(w));
      assert.equal(lines(w.worker, /commands can be read again|the group accepts the worker again/).length, 1);
      assert.equal(w.client.replies.length, replies.length + 10, 'no reply came twice');
    }, { env: loginAs('worker'), partitions: 2 }));

  test('to read or describe the topic or the group of commands, from the start', () => inWorld('never-read', async (w) => {
    await w.worker.stop();
    const missing = [[{ topic: w.topic }, 'READ', `to read ${w.topic}`], [{ topic: w.topic }, 'DESCRIBE', `to describe ${w.topic}`],
      [{ group: w.config.kafka.groupId }, 'READ', 'the group'], [{ group: w.config.kafka.groupId }, 'DESCRIBE', 'the group']];
    for (const [resource, operation, why] of missing) {
      const grant = await forbid('worker', resource, operation);
      w.worker = w.newWorker({}, loginAs('worker'));
      await w.worker.start({ ready: false });
      await until(`/readyz says that ${operation} is missing ${why}`, async () => {
        const answer = await w.worker.get('/readyz').catch(() => null);
        return answer?.status === 503 && (await answer.text()).includes(why);
      });
      const replies = await sendPairs(w, ids(3));
      await grant();
      await expectAll(replies);
      await until('it is ready', () => READY(w));
      assert.equal(lines(w.worker, /level=error/).length, 1, w.worker.log);
      await w.worker.stop();
    }
  }, { env: loginAs('worker') }));

  test('to look the reply topic up: its commands wait, others do not, and none is a dead letter', () => inWorld('no-describe', async (w) => {
    const grant = await forbid('worker', { topic: w.client.replyTopic }, 'DESCRIBE');
    const replies = await sendPairs(w, ids(30), () => ({ partition: 0 }));
    await until('the log says so', () => lines(w.worker, /a reply topic can't be looked up: its commands wait.*DESCRIBE/).length === 1);
    const other = await w.connect();
    await other.call('storage.ping', {}, { partition: 1 });
    await until('/readyz says so', async () => /right to describe/.test(await (await w.worker.get('/readyz')).text()));
    await sleep(3000);
    await grant();
    await expectAll(replies);
    await until('it is ready', () => READY(w));
    assert.equal((await readTopic(w.dlq)).length, 0);
    assert.equal(lines(w.worker, /can't be looked up/).length, 1);
  }, { env: loginAs('worker'), partitions: 2 }));

  test('to write to the dead-letter topic: the partition stops, and goes on by itself', () => inWorld('no-dlq', async (w) => {
    const grant = await forbid('worker', { topic: w.dlq }, 'WRITE');
    await w.client.post([{ value: randomBytes(50), partition: 0 }]);
    await until('the partition is stopped', async () => await w.worker.metric('stowage_partitions_stopped') === 1);
    const replies = await sendPairs(w, ids(20), () => ({ partition: 0 }));
    await w.client.call('storage.ping', {}, { partition: 1 });
    assert.equal(w.client.replies.length, 1, 'the stopped partition runs nothing');
    await grant();
    await expectAll(replies);
    await until('no partition is stopped', async () => await w.worker.metric('stowage_partitions_stopped') === 0);
    assert.equal((await readTopic(w.dlq)).length, 1);
    await w.worker.logged(/partition stopped: its dead letter can't be produced.*grant/);
    await w.worker.logged(/partition goes on/);
  }, { env: loginAs('worker'), partitions: 2 }));

  test('to write to any topic: the producer is tried again, with one line in the log', () => inWorld('no-producer', async (w) => {
    await w.client.call('storage.ping');
    const grants = [await forbid('guest', { topic: '*' }, 'WRITE'), await forbid('guest', { cluster: 'kafka-cluster' }, 'IDEMPOTENT_WRITE')];
    try {
      const replies = await sendPairs(w, ids(20));
      await until('/readyz says so', async () => !await READY(w));
      await sleep(5000);
      assert.ok(lines(w.worker, /level=error/).length <= 2, w.worker.log);
      while (grants.length) await grants.pop()();
      await expectAll(replies);
    } finally {
      while (grants.length) await grants.pop()();
    }
    await until('it is ready', () => READY(w));
  }, { env: loginAs('guest') }));
});

describe('a missing topic', () => {
  test('a reply topic that is deleted and created again: the replies between come', () => inWorld('recreated', async (w) => {
    const client = await w.connect();
    await w.client.call('storage.ping');
    await client.call('storage.ping');
    const { replyTopic } = client;
    await client.close();
    await withAdmin((admin) => admin.deleteTopics({ topics: [replyTopic] }));
    const list = ids(50);
    const over = (id) => ({ headers: { 'reply-to': replyTopic, 'correlation-id': id } });
    await w.client.post(list.map((id) => ({ command: 'memory.saveThread', args: { thread: thread(id) }, ...over(id) })));
    await until('they are applied', async () => (await sql(`SELECT count(*)::int AS n FROM "${w.schema}".mastra_threads`))[0].n === 50);
    await until('the log says so', () => lines(w.worker, /messages to a topic wait/).length === 1);
    await createTopics([replyTopic]);
    await until('all replies', async () => (await readTopic(replyTopic)).length === 50);
    await until('the log says so', () => lines(w.worker, /no longer wait/).length === 1);
  }));

  test('a reply topic that stays missing: the replies are given up in the end', () => inWorld('gone', async (w) => {
    const client = await w.connect();
    await client.call('storage.ping');
    const { replyTopic } = client;
    await client.close();
    await withAdmin((admin) => admin.deleteTopics({ topics: [replyTopic] }));
    await w.client.post(ids(20).map((id) => ({ command: 'memory.saveThread', args: { thread: thread(id) },
      headers: { 'reply-to': replyTopic, 'correlation-id': id } })));
    await until('they are given up', async () => await w.worker.metric('stowage_replies_refused_total') === 20);
    assert.equal(lines(w.worker, /replies given up: their topic stays missing/).length, 1);
    await w.client.call('storage.ping');
    await until('the outbox is empty', async () => (await sql(`SELECT count(*)::int AS n FROM "${w.schema}".stowage_outbox`))[0].n === 0);
  }, { config: { replies: { missingTopicMillis: 1000 } } }));

  test('many reply topics that never existed: they are looked up together, twice, and other partitions go on', () => inWorld('unknown', async (w) => {
    const calls = ids(300).map((id) => ({ command: 'storage.ping', args: {}, partition: 0,
      headers: { 'reply-to': `mastra.replies.${id}`, 'correlation-id': id } }));
    await w.client.post(calls);
    await w.client.call('storage.ping', {}, { partition: 1 });
    await w.client.call('storage.ping', {}, { partition: 0 });
    let letters; // a reply may be there before a dead letter of the same batch
    await until('the dead letters', async () => {
      letters = await readTopic(w.dlq);
      return letters.length >= 300;
    });
    assert.equal(letters.length, 300);
    for (const { headers } of letters) assert.equal(headerText(headers, '__connect.errors.exception.class.name'), 'REPLY_TOPIC_UNKNOWN');
  }, { partitions: 2 }));

  test('a reply topic that is created while its first command waits', () => inWorld('just-created', async (w) => {
    const topic = `mastra.replies.${w.id}`;
    await w.client.post([{ command: 'storage.ping', args: {}, headers: { 'reply-to': topic, 'correlation-id': 'early' } }]);
    await sleep(300);
    await createTopics([topic]);
    await until('the reply', async () => (await readTopic(topic)).length === 1);
    await withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
  }));

  test('a dead-letter topic that is created later', () => inWorld('no-dlq-topic', async (w) => {
    await withAdmin((admin) => admin.deleteTopics({ topics: [w.dlq] }));
    await w.client.post([{ value: randomBytes(50) }]);
    await until('the partition is stopped', async () => await w.worker.metric('stowage_partitions_stopped') === 1);
    await until('the log says so', () => /partition stopped: its dead letter can't be produced.*stowage topics create/.test(w.worker.log));
    await createTopics([w.dlq]);
    await w.client.call('storage.ping');
    assert.equal((await readTopic(w.dlq)).length, 1);
  }));
});

describe('a dead letter that the broker refuses for its size', () => {
  test('goes without its value, and names the message that has it, from which a replay takes it', () => inWorld('large-letter', async (w) => {
    await setTopicConfig(w.dlq, 'max.message.bytes', 2000);
    const values = [randomBytes(100), randomBytes(5000), randomBytes(100)];
    await w.client.post([{ value: values[0] }, { value: values[1], key: 'large' }, { value: values[2] }]);
    const letters = await readMessages(w.dlq, 3);
    const large = letters.find((m) => m.key?.toString() === 'large');
    assert.equal(large.value, null);
    assert.equal(headerText(large.headers, '__connect.errors.offset'), '1');
    assert.equal(headerText(large.headers, '__connect.errors.value.omitted'), '5000');
    const replay = stowage(['dlq', 'replay', '--topic', w.topic], { env: { STOWAGE_KAFKA_TOPICS: w.topic } });
    assert.equal(replay.stdout, 'sent 3 dead letters again\n', replay.stderr);
    assert.deepEqual((await readMessages(w.topic, 6)).map((m) => m.value), [...values, ...letters.map((m) => m.value ?? values[1])]);
    assert.ok(letters.every((m) => m === large || m.value.length === 100));
    await w.worker.logged(/dead letter sent without its value.*max.message.bytes/);
    await w.client.call('storage.ping');
  }));

  test('even so goes without its key and its own headers, and a replay takes all from the message', () => inWorld('large-key', async (w) => {
    await setTopicConfig(w.dlq, 'max.message.bytes', 20_000);
    const headers = { first: 'h'.repeat(30_000), '__connect.errors.stage': 's'.repeat(10_000), last: 'h'.repeat(20_000) };
    const sent = [{ key: 'k'.repeat(50_000) }, { headers }, { key: 'k'.repeat(50_000), headers: { one: '1' } }, { key: 'small' }]
      .map((message) => ({ value: randomBytes(50), ...message }));
    await w.client.post(sent);
    const letters = await until('four dead letters', async () => {
      const all = await readTopic(w.dlq);
      return all.length === 4 && all.sort((a, b) => headerText(a.headers, '__connect.errors.offset') - headerText(b.headers, '__connect.errors.offset'));
    });
    const omitted = (letter) => ['value', 'key', 'headers'].map((what) => headerText(letter.headers, `__connect.errors.${what}.omitted`));
    assert.deepEqual(letters.map(omitted), [['50', '50000', undefined], ['50', undefined, `${60_000 + 5 + 22 + 4}`], ['50', '50000', '4'],
      [undefined, undefined, undefined]]);
    assert.deepEqual(letters.map(({ key }) => key?.toString()), [undefined, undefined, undefined, 'small']);
    for (const [offset, letter] of letters.entries()) {
      assert.equal(headerText(letter.headers, '__connect.errors.topic'), w.topic);
      assert.equal(headerText(letter.headers, '__connect.errors.partition'), '0');
      assert.equal(headerText(letter.headers, '__connect.errors.offset'), `${offset}`);
      assert.equal(headerText(letter.headers, '__connect.errors.exception.class.name'), headerText(letters[3].headers, '__connect.errors.exception.class.name'));
      assert.ok(offset === 3 || Object.keys(letter.headers).every((name) => name.startsWith('__connect.errors.')));
    }
    await w.worker.logged(/dead letter sent without its key and headers.*max.message.bytes/);
    await w.client.call('storage.ping');

    const env = { STOWAGE_KAFKA_TOPICS: w.topic };
    const list = stowage(['dlq', 'list', '--topic', w.topic], { env });
    assert.equal(list.stdout.split('\n').filter((line) => line.startsWith(`${w.dlq} [0] `)).length, 4, list.stderr);
    const show = stowage(['dlq', 'show', '--topic', w.topic, '--partition', '0', '--offset', letters[0].offset], { env });
    assert.match(show.stdout, /^key +\(50000 bytes, only in the command's topic\)$/m);
    assert.match(show.stdout, /^value +\(50 bytes, only in the command's topic\)$/m);
    const replay = stowage(['dlq', 'replay', '--topic', w.topic], { env });
    assert.equal(replay.stdout, 'sent 4 dead letters again\n', replay.stderr);
    const replayed = (await readTopic(w.topic)).filter(({ headers: all }) => headerText(all, 'stowage-replayed-from'));
    assert.equal(replayed.length, 4);
    const again = sent.map(({ value }) => replayed.find((message) => message.value.equals(value)));
    assert.deepEqual(again.map(({ key }) => key?.toString()), sent.map(({ key }) => key));
    assert.equal(headerText(again[1].headers, 'first'), headers.first);
    assert.equal(headerText(again[1].headers, 'last'), headers.last);
    assert.equal(headerText(again[2].headers, 'one'), '1');
  }));

  test('even so stops the partition, until the topic takes it', () => inWorld('small-dlq', async (w) => {
    await setTopicConfig(w.dlq, 'max.message.bytes', 100);
    await w.client.post([{ value: randomBytes(5000) }]);
    await until('the partition is stopped', async () => await w.worker.metric('stowage_partitions_stopped') === 1);
    await setTopicConfig(w.dlq, 'max.message.bytes', 100_000);
    await w.client.call('storage.ping');
    assert.equal((await readTopic(w.dlq)).length, 1);
  }));
});

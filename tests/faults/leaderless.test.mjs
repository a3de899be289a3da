// leaderless.test.mjs - the only broker that has a reply topic dies: other replies do not wait for it

import './stack.mjs';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { BROKERS, closeShared, newId, readTopic, sleep, Tail, until, withAdmin, World } from '../compat/lib/harness.mjs';
import { newKafka } from '../compat/lib/stowage-client.mjs';
import { SecondBroker } from './mixed/second_broker.mjs';

const broker = new SecondBroker();
const lost = `mastra.replies.lost-${newId()}`;
const LARGE = 'x'.repeat(100_000);
const READS = 300;
let w;

// kafkajs refuses to describe a topic without a leader.
async function hasLeader() {
  const admin = newKafka(BROKERS, { retry: { retries: 0 } }).admin();
  await admin.connect();
  try {
    return await admin.fetchTopicMetadata({ topics: [lost] }).then(() => true, (error) => !/no leader/.test(error.message));
  } finally {
    await admin.disconnect();
  }
}
// Seconds of processor time that the worker has used.
const used = () => readFileSync(`/proc/${w.worker.child.pid}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
const toLost = (correlationId, command, args) => ({ command, args, partition: 0, headers: { 'reply-to': lost, 'correlation-id': correlationId } });

before(async () => {
  // The world's own topics, and its group's, are made while the first broker is alone.
  w = await new World({ name: 'leaderless', partitions: 2 }).open();
  await w.client.call('storage.ping');
  await broker.prepare();
  await broker.start();
  await until('the second broker has a topic', () => withAdmin((admin) => admin.createTopics({ waitForLeaders: true,
    topics: [{ topic: lost, replicaAssignment: [{ partition: 0, replicas: [2] }] }] })).catch(() => sleep(200, false)));
});
after(async () => {
  await w.close();
  await broker.end('SIGKILL');
  await closeShared();
});

test('a reply topic without a leader holds up its own commands alone, and they are answered in the end', async () => {
  const id = newId();
  await w.client.call('memory.saveThread', { thread: thread(id, { metadata: { text: LARGE } }) });
  await w.client.post([toLost('first', 'storage.ping', {})]);
  await until('its reply comes', async () => (await readTopic(lost)).length === 1);
  await broker.end('SIGKILL');
  await until('the topic has no leader', async () => !await hasLeader());

  // Thirty megabytes of replies: more than the worker keeps for one partition of a topic.
  for (let i = 0; i < READS; i += 100)
    await w.client.post(Array.from({ length: 100 }, (_, k) => toLost(`read ${i + k}`, 'memory.getThreadById', { threadId: id })));
  await w.client.post(Array.from({ length: 50 }, (_, k) => toLost(`write ${k}`, 'memory.saveThread', { thread: thread(`${id}/${k}`) })));
  const [from, before] = [Date.now(), used()];
  for (let i = 0; i < 30; i++) {
    await w.client.call('memory.saveThread', { thread: thread(`other ${id}/${i}`) }, { partition: 1 });
    assert.equal((await w.client.call('memory.getThreadById', { threadId: `other ${id}/${i}` }, { partition: 1 })).id, `other ${id}/${i}`);
    await sleep(200);
  }
  assert.ok(await w.worker.metric('stowage_queued_bytes') < 64 * 1024 * 1024);
  assert.ok(used() - before < (Date.now() - from) / 1000 / 3, 'the worker does not spin');

  await broker.start();
  const expected = ['first', ...Array.from({ length: READS }, (_, i) => `read ${i}`), ...Array.from({ length: 50 }, (_, k) => `write ${k}`)];
  const tail = await new Tail(lost).open();
  const got = () => new Set(tail.messages.map(({ text }) => text['correlation-id']));
  await until('every reply is there', () => got().size >= expected.length, { timeoutMs: 120_000, onTimeout: () => `${got().size} of ${expected.length}` });
  await tail.close();
  assert.deepEqual([...got()].sort(), [...expected].sort());
  for (const [k, reply] of (await Promise.all(Array.from({ length: 50 }, (_, i) => w.client.call('memory.getThreadById', { threadId: `${id}/${i}` })))).entries())
    assert.equal(reply.id, `${id}/${k}`);
});

// A PgBouncer before 1.21 in transaction mode: each transaction may run in another session of the server.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, CONNECTION, freePort, stowage, WORK, World } from '../compat/lib/harness.mjs';
import { startPooler } from '../compat/lib/pooler.mjs';

after(() => closeShared());

const count = (log, text) => log.split(text).length - 1;
const LOST = 'does not keep prepared statements';

async function pooled(options) {
  const port = await freePort();
  const pooler = await startPooler(CONNECTION, { directory: join(WORK, `pooler-${port}`), port, options });
  return { ...pooler, env: { STOWAGE_POSTGRES_CONNECTION_STRING: pooler.url } };
}

// Threads with messages, in partitions that share few sessions; then each is read.
async function load(w) {
  const ids = Array.from({ length: 60 }, (_, i) => `t${i}`);
  await Promise.all(ids.map(async (id) => {
    await w.client.call('memory.saveThread', { thread: thread(id) }, { key: id });
    await w.client.call('memory.saveMessages', { messages: [message(`m-${id}`, id, 0)] }, { key: id });
    const { messages } = await w.client.call('memory.listMessages', { threadId: id }, { key: id });
    assert.deepEqual(messages.map((one) => one.id), [`m-${id}`]);
    assert.equal((await w.client.call('memory.getThreadById', { threadId: id }, { key: id })).id, id);
  }));
}

describe('PgBouncer', () => {
  const w = new World({ name: 'pooler', partitions: 6 });
  let transactions, sessions;
  before(async () => {
    transactions = await pooled({ default_pool_size: 3 });
    sessions = await pooled({ pool_mode: 'session' });
    await w.open({ start: false });
  });
  after(async () => {
    await w.close();
    for (const pooler of [transactions, sessions]) pooler.child.kill();
  });

  test('in transaction mode, with prepared statements left on', async () => {
    const worker = await w.startWorker({}, transactions.env);
    await load(w);
    assert.equal(count(worker.log, 'a connection pooler answers'), 1, worker.tail());
    assert.ok(count(worker.log, LOST) <= 1, worker.tail());
    assert.equal(count(worker.log, 'database refuses work'), 0, worker.tail());
    assert.equal(await worker.metric('stowage_dead_letters_total'), 0);
    await worker.stop();
  });

  test('in transaction mode, without them', async () => {
    const worker = await w.startWorker({ postgres: { preparedStatements: false } }, transactions.env);
    await load(w);
    assert.equal(count(worker.log, LOST), 0, worker.tail());
    assert.equal(await worker.metric('stowage_batch_retries_total'), 0);
    await worker.stop();
  });

  test('in session mode, sessions keep their statements', async () => {
    const worker = await w.startWorker({}, sessions.env);
    await load(w);
    assert.equal(count(worker.log, LOST), 0, worker.tail());
    await worker.stop();
  });

  test('check says what to set', () => {
    const check = (env) => stowage(['check'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: w.schema, STOWAGE_KAFKA_TOPICS: w.topic, ...env } }).stdout;
    assert.match(check(transactions.env), /note +pooler.*\n?.*preparedStatements to false/);
    assert.match(check(transactions.env), /ok +statements/);
    assert.match(check({ ...transactions.env, STOWAGE_POSTGRES_PREPARED_STATEMENTS: 'false' }), /ok +pooler/);
    assert.doesNotMatch(check({}), /pooler/);
  });
});

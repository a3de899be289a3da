// dangerouslyClearAll: the setting that allows it, its place among other commands, and other sessions' locks.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { content, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, CONNECTION, newId, pg, sql, until, World } from '../compat/lib/harness.mjs';

const ALLOWED = { storage: { allowClear: true } };
const world = new World({ name: 'clearing', partitions: 2, config: { ...ALLOWED, postgres: { lockTimeoutMillis: 300 } } });
before(() => world.open());
after(async () => {
  await world.close();
  await closeShared();
});

const messages = (threadId, count) => Array.from({ length: count }, (_, i) => ({ id: `${threadId}-${i}`, threadId, resourceId: 'r1', role: 'user',
  type: 'v2', createdAt: new Date(), content: content(`text ${i}`) }));
const CLEAR = ['memory.dangerouslyClearAll', {}];

// Sends the commands in one request to Kafka, to one partition, and returns their replies.
async function inOneRequest(list, { partition = 0 } = {}) {
  const sent = list.map(([command, args]) => ({ command, args, partition, correlationId: newId() }));
  const replies = sent.map(({ command, correlationId }) => world.client.expect(correlationId, command));
  await world.client.post(sent);
  return (await Promise.all(replies)).map((reply) => reply.decoded);
}

const stored = async (table) => (await sql(`SELECT id FROM "${world.schema}".${table} ORDER BY id`)).map(({ id }) => id);
const failure = (call) => call.then(() => assert.fail('it succeeded'), (error) => error);

// A session of its own, for locks.
async function inSession(use, url = CONNECTION) {
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  try {
    return await use(session);
  } finally {
    await session.end();
  }
}

describe('a clear', () => {
  test('acts between its neighbours, whether their rows are new or not', async () => {
    for (let round = 0; round < 3; round++) {
      const save = (id) => [['memory.saveThread', { thread: thread(id) }], ['memory.saveMessages', { messages: messages(id, 50) }],
        ['memory.getThreadById', { threadId: id }], ['memory.listMessages', { threadId: id, perPage: -1 }]];
      const replies = await inOneRequest([...save('before'), ...save('both'), CLEAR, ['memory.getThreadById', { threadId: 'before' }],
        ['memory.saveMessages', { messages: messages('before', 1) }], ...save('both'), ...save('after')]);
      assert.deepEqual(replies.slice(0, 8).filter((reply) => reply.code), []);
      assert.equal(replies[7].result.total, 50);
      assert.deepEqual([replies[8].result ?? null, replies[9].result ?? null, replies[10].category], [null, null, 'NOT_FOUND']);
      assert.deepEqual(replies.slice(11).filter((reply) => reply.code), []);
      assert.deepEqual(await stored('mastra_threads'), ['after', 'both']);
      assert.equal((await stored('mastra_messages')).length, 100);
    }
  });

  test('among clears, and before a command that fails', async () => {
    const replies = await inOneRequest([['memory.saveThread', { thread: thread('a') }], CLEAR, CLEAR, ['memory.updateThread', { id: 'a', title: 'x' }],
      ['memory.saveThread', { thread: thread('b') }], CLEAR, ['memory.saveThread', { thread: thread('c') }]]);
    assert.equal(replies[3].category, 'NOT_FOUND');
    assert.deepEqual(await stored('mastra_threads'), ['c']);
  });

  test('waits for another session, while other partitions go on', () => inSession(async (session) => {
    await inOneRequest([CLEAR, ['memory.saveThread', { thread: thread('held') }]]);
    await session.query(`BEGIN; LOCK TABLE "${world.schema}".mastra_resources IN ROW EXCLUSIVE MODE`);
    const cleared = inOneRequest([CLEAR]);
    await until('the clear was tried again', async () => await world.worker.metric('stowage_batch_retries_total') >= 2);
    await world.client.call('workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: 'r', snapshot: { runId: 'r' } }, { partition: 1 });
    assert.deepEqual(await stored('mastra_threads'), ['held']);
    await session.query('COMMIT');
    assert.deepEqual(await cleared, [{}]);
    assert.deepEqual(await stored('mastra_threads'), []);
  }));

  test('lets go of the tables that it has, if another session waits for them', () => inSession(async (session) => {
    await session.query(`BEGIN; LOCK TABLE "${world.schema}".mastra_resources IN ROW EXCLUSIVE MODE`);
    const cleared = inOneRequest([['memory.saveThread', { thread: thread('dead') }], CLEAR]);
    await until('the clear waits', async () => (await sql(`SELECT FROM pg_stat_activity WHERE query LIKE 'TRUNCATE%' AND wait_event_type = 'Lock'`)).length);
    await session.query(`LOCK TABLE "${world.schema}".mastra_messages IN ROW EXCLUSIVE MODE; COMMIT`);
    assert.deepEqual((await cleared)[1], {});
    assert.deepEqual(await stored('mastra_threads'), []);
  }));

  test('by a role that may not is the command\'s own error', async () => {
    await inSession(async (admin) => {
      await admin.query(`ALTER TABLE "${world.schema}".mastra_skill_blobs OWNER TO CURRENT_USER`);
    }, process.env.STACK_POSTGRES_ADMIN);
    const error = await failure(world.client.call('blobs.dangerouslyClearAll'));
    assert.match(error.text, /permission denied/);
    await world.client.call('memory.dangerouslyClearAll');
  });
});

test('is refused unless storage.allowClear is true', async () => {
  const other = new World({ name: 'refused' });
  try {
    await other.open();
    await other.client.call('memory.saveThread', { thread: thread('kept') });
    for (const domain of ['memory', 'favorites', 'agents']) {
      const error = await failure(other.client.call(`${domain}.dangerouslyClearAll`));
      assert.deepEqual([error.category, error.code, error.retryable], ['UNSUPPORTED', 'CLEAR_NOT_ALLOWED', false]);
      assert.match(error.text, /storage\.allowClear/);
    }
    assert.notEqual(await other.client.call('memory.getThreadById', { threadId: 'kept' }), null);
  } finally {
    await other.close();
  }
});

// The broker goes away and comes back while a program calls, on a stack of its own.

import { stack } from '../../faults/stack.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeShared, newId, sql, until } from '../../compat/lib/harness.mjs';
import { ClientWorld, failure, thread } from './world.mjs';

const TRICKLE_MS = 20;
let world;
before(async () => { world = await new ClientWorld().open(); });
after(async () => {
  await world?.close();
  await closeShared();
});

const saved = async (resourceId) => (await sql(`SELECT id FROM "${world.schema}".mastra_threads WHERE "resourceId" = '${resourceId}' ORDER BY id`)).map(({ id }) => id);

// Sends a write every now and then until stop(); resolves to the identifiers of all that succeeded.
function trickle(domain, resourceId) {
  const calls = [];
  const timer = setInterval(() => {
    const id = newId();
    calls.push(domain.saveThread({ thread: thread({ id, resourceId }) }).then(() => id));
  }, TRICKLE_MS);
  return { calls, stop: async () => { clearInterval(timer); return Promise.all(calls); } };
}

for (const end of ['kill-kafka', 'stop-kafka']) {
  test(`${end}, start-kafka: every call ends well, each write is there once`, async () => {
    const memory = await world.store({ timeout: 120_000, deliveryTimeout: 120_000 }).getStore('memory');
    await memory.saveThread({ thread: thread() });
    const answered = trickle(memory, `answered-${end}`);
    const forgotten = trickle(memory.with({ fireAndForget: true }), `forgotten-${end}`);
    await until('calls are under way', () => answered.calls.length > 20);
    await stack(end);
    const sent = answered.calls.length;
    await until('calls were made without a broker', () => answered.calls.length > sent + 20);
    await stack('start-kafka');
    await memory.saveThread({ thread: thread() });
    const [ids, forgottenIds] = await Promise.all([answered.stop(), forgotten.stop()]);
    assert.deepEqual(await saved(`answered-${end}`), ids.sort());
    await until('what was forgotten is there', async () => (await saved(`forgotten-${end}`)).length === forgottenIds.length);
    assert.deepEqual(await saved(`forgotten-${end}`), forgottenIds.sort());
  });
}

test('without a broker a call ends in time, and what waits for an acknowledgement fails as UNAVAILABLE', async () => {
  const store = world.store({ timeout: 1000, deliveryTimeout: 500 });
  const memory = await store.getStore('memory');
  await memory.saveThread({ thread: thread() });
  await stack('stop-kafka');
  const [waiting, forgotten] = await Promise.all([
    failure(memory.with({ timeout: 200 }).getThreadById({ threadId: 'x' })),
    failure(memory.with({ fireAndForget: true }).saveThread({ thread: thread() })),
  ]);
  assert.deepEqual([waiting.category, waiting.retryable], ['TIMEOUT', true]);
  assert.deepEqual([forgotten.category, forgotten.retryable, forgotten.command], ['UNAVAILABLE', true, 'memory.saveThread']);
  await stack('start-kafka');
  await memory.with({ retries: 50 }).saveThread({ thread: thread({ id: 'back' }) });
  assert.equal((await memory.with({ retries: 50 }).getThreadById({ threadId: 'back' })).id, 'back');
});

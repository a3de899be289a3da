// Many partitions with a backlog, together larger than limits.memoryBytes: the worker fetches from
// a few partitions at a time, in rotation.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { at } from '../compat/lib/fixtures.mjs';
import { closeShared, sql, until, World } from '../compat/lib/harness.mjs';

const MIB = 1024 * 1024;
const PARTITIONS = 64;
const BATCH = 16; // commands of a producer's batch, 32 KB each
const BATCHES = 5;
const WITH_SANITIZER = /asan|tsan/.test(process.env.STOWAGE_BIN ?? '');

const world = new World({ name: 'fetch-window', partitions: PARTITIONS,
  config: { limits: { memoryBytes: 8 * MIB, messageBytes: 2 * MIB } } });
const name = (partition, i) => `${String(partition).padStart(2, '0')}-${String(i).padStart(4, '0')}`;

const title = 'x'.repeat(32 * 1024);

async function fill() {
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const messages = Array.from({ length: BATCH }, (_, i) => {
        const id = name(partition, batch * BATCH + i);
        return { partition, value: world.client.schemas.encode('memory.saveThread',
          { thread: { id, resourceId: String(partition), title, createdAt: at(0), updatedAt: at(0) } }) };
      });
      await world.client.producer.send({ topic: world.topic, messages });
    }
  }
}

describe('partitions with a backlog', () => {
  before(async () => {
    await world.open({ start: false });
    await fill();
    await world.startWorker();
  });
  after(async () => {
    await world.close();
    await closeShared();
  });

  const count = async () => (await sql(`SELECT count(*)::int FROM "${world.schema}".mastra_threads`))[0].count;

  test('all commands are applied, in order within each partition', async () => {
    await until('all threads exist', async () => (await count()) === PARTITIONS * BATCHES * BATCH);
    // A partition's batches are consecutive transactions, so their transaction ids rise.
    const rows = await sql(`SELECT id, xmin::text::int AS xid FROM "${world.schema}".mastra_threads ORDER BY id`);
    for (const [i, { id, xid }] of rows.entries()) {
      const before = rows[i - 1];
      if (before?.id.slice(0, 2) === id.slice(0, 2)) assert.ok(before.xid <= xid, `${id} came before ${before.id}`);
    }
  });

  test('partitions take turns: none is finished before others have begun', async () => {
    const rows = await sql(`SELECT min(xmin::text::int) AS first, max(xmin::text::int) AS last
      FROM "${world.schema}".mastra_threads GROUP BY "resourceId"`);
    // Not all have begun: the worker may still be fetching the last ones when it returns to the
    // first.
    const done = Math.min(...rows.map(({ last }) => last));
    const begun = rows.filter(({ first }) => first < done).length;
    assert.ok(begun > PARTITIONS / 2, `${begun} partitions had begun when the first one was done`);
  });

  test('memory stays below the limit', { skip: WITH_SANITIZER && 'a sanitizer needs memory itself' }, () => {
    const highest = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${world.workers[0].child.pid}/status`, 'utf8'))[1]);
    // limits.memoryBytes, and the memory of an idle worker.
    assert.ok(highest < 56 * 1024, `${highest} KiB`);
  });

  test('commands after the backlog are answered without delay', async () => {
    const replies = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) =>
      world.client.call('memory.getThreadById', { threadId: name(partition, 7) }, { partition })));
    assert.deepEqual(replies.map(({ resourceId }) => resourceId), Array.from({ length: PARTITIONS }, (_, i) => String(i)));
  });
});

// Several processes whose replies come on one partition, and processes that call as soon as they start.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { closeShared, PATIENCE_MS } from '../../compat/lib/harness.mjs';
import { ClientWorld } from './world.mjs';

const CALLER = join(dirname(fileURLToPath(import.meta.url)), 'caller.mjs');
const run = promisify(execFile);
let world;

before(async () => { world = await new ClientWorld({ replyPartitions: 1 }).open(); });
after(async () => {
  await world?.close();
  await closeShared();
});

// How many calls a process got the right reply to. It has to end by itself.
async function call(count) {
  const { stdout } = await run(process.execPath, [CALLER, JSON.stringify(world.options()), String(count)], { timeout: PATIENCE_MS });
  return Number(stdout);
}

test('processes that share a partition of replies get each its own', async () => {
  assert.deepEqual(await Promise.all([call(300), call(300), call(300)]), [300, 300, 300]);
});

test('no reply is lost to a process that starts while others call', async () => {
  const busy = call(1000);
  for (let i = 0; i < 5; i++) assert.equal(await call(1), 1);
  assert.equal(await busy, 1000);
});

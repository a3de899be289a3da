// Workers, PostgreSQL and the broker die under the firehose: no span is missing, none is written
// twice, the last update of each is in.

import { stack } from './stack.mjs';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { closeShared, sleep, World } from '../compat/lib/harness.mjs';
import { Firehose } from './firehose.mjs';
import { quickly } from './load.mjs';

after(() => closeShared());

const random = (below) => Math.floor(Math.random() * below);

async function under(name, workers, faults, t) {
  const w = quickly(new World({ name, partitions: 6 }));
  await w.open();
  for (let i = 1; i < workers; i++) await w.startWorker();
  w.running = [...w.workers];
  try {
    const load = new Firehose(w);
    await load.prepare();
    load.run();
    await faults(load, w);
    await load.stop();
    const counts = await load.account();
    t.diagnostic(`accounts: ${JSON.stringify(counts)}`);
    assert.ok(counts.spans > 1000, 'enough spans to tell');
  } finally {
    await w.close();
  }
}

async function replace(w) {
  const victim = random(w.running.length);
  await w.running[victim].kill();
  w.running[victim] = await w.startWorker();
}

describe('spans', { concurrency: false }, () => {
  test('SIGKILL of one of three workers at random moments, 8 times', (t) => under('spans-workers', 3, async (load, w) => {
    for (let kill = 0; kill < 8; kill++) {
      await load.progress(300);
      await sleep(random(500));
      await replace(w);
    }
  }, t));

  test('PostgreSQL is killed and comes back, 3 times', (t) => under('spans-postgres', 2, async (load) => {
    for (let kill = 0; kill < 3; kill++) {
      await load.progress(500);
      await sleep(random(300));
      await stack('kill-postgres');
      await sleep(random(1000));
      await stack('start-postgres');
    }
    await load.progress(500);
  }, t));

  test('the broker is killed, and then all together', (t) => under('spans-all', 2, async (load, w) => {
    await load.progress(500);
    await stack('kill-kafka');
    await sleep(1000);
    await stack('start-kafka');
    await load.progress(500);
    await Promise.all([stack('kill-postgres'), stack('kill-kafka'), ...w.running.map((worker) => worker.kill())]);
    await stack('start-postgres');
    await stack('start-kafka');
    w.running = await Promise.all(w.running.map(() => w.startWorker()));
    await load.progress(500);
  }, t));
});

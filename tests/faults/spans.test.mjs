// spans.test.mjs - workers, PostgreSQL and the broker are killed under a load of spans. No span is
// missing or written twice, and each has its last update.

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
    assert.ok(counts.spans > 1000, 'the load is large enough');
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
  test('SIGKILL of one of three workers at random moments, 5 times', (t) => under('spans-workers', 3, async (load, w) => {
    for (let kill = 0; kill < 5; kill++) {
      await load.progress(300);
      await sleep(random(500));
      await replace(w);
    }
  }, t));

  test('PostgreSQL is killed and restarted, 2 times', (t) => under('spans-postgres', 2, async (load) => {
    for (let kill = 0; kill < 2; kill++) {
      await load.progress(500);
      await sleep(random(300));
      await stack('kill-postgres');
      await sleep(random(1000));
      await stack('start-postgres');
    }
    await load.progress(500);
  }, t));

  test('the broker, PostgreSQL and one of two workers are killed together', (t) => under('spans-all', 2, async (load, w) => {
    await load.progress(500);
    const [victim] = w.running;
    await Promise.all([stack('kill-kafka'), stack('kill-postgres'), victim.kill()]);
    await sleep(random(1000));
    await Promise.all([stack('start-kafka'), stack('start-postgres')]);
    w.running[0] = await w.startWorker();
    await load.progress(500);
    assert.ok(!w.running[1].exit, 'the other worker survived');
  }, t));
});

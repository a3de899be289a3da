// vectors.test.mjs - workers, PostgreSQL and the broker are killed under a load of vectors, also while a
// worker builds an index. No vector is missing or written twice, no deleted vector is back, and each has
// its last update. Every query saw the writes before it, and the index is built in the end.

import { stack } from './stack.mjs';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { closeShared, sleep, until, World } from '../compat/lib/harness.mjs';
import { quickly } from './load.mjs';
import { Vectors } from './vectors.mjs';

after(() => closeShared());

// This many steps exceed the counts that `under` asserts, even if the faults end early.
const ENOUGH_STEPS = 20;

const random = (below) => Math.floor(Math.random() * below);

async function under(name, workers, faults, t) {
  const w = quickly(new World({ name, partitions: 6 }));
  await w.open();
  for (let i = 1; i < workers; i++) await w.startWorker();
  w.running = [...w.workers];
  try {
    const load = new Vectors(w);
    await load.prepare();
    load.run({ minimum: ENOUGH_STEPS });
    await faults(load, w);
    await load.stop();
    const counts = await load.account();
    t.diagnostic(`accounts: ${JSON.stringify(counts)}`);
    assert.ok(counts.vectors > 300 && counts.versions > 1500 && counts.queries > 150 && counts.builds > 0, 'the load is large enough');
  } finally {
    await w.close();
  }
}

async function replace(w, victim) {
  await victim.kill();
  w.running[w.running.indexOf(victim)] = await w.startWorker();
}

// Waits until a worker begins to build the index, and returns the worker.
const builder = (load, w) => until('a worker begins a build', async () => {
  if (!(await load.lastBuild())?.begins) return undefined;
  for (const worker of w.running) {
    if (await worker.metric('stowage_index_builds_running').catch(() => 0) > 0) return worker;
  }
  return undefined;
});

// Waits until an interrupted build begins again.
const begunAgain = (w) => until('another attempt at the build', () => /msg="index build started" index=built .*attempt=[2-9]/.test(w.log()));

describe('vectors', { concurrency: false }, () => {
  test('SIGKILL of one of three workers at random moments, 5 times, once while it builds an index', (t) => under('vectors-workers', 3, async (load, w) => {
    await load.progress(200);
    await replace(w, await builder(load, w));
    for (let kill = 0; kill < 4; kill++) {
      await load.progress(200);
      await sleep(random(500));
      await replace(w, w.running[random(w.running.length)]);
    }
    await begunAgain(w);
  }, t));

  test('PostgreSQL is killed and restarted, 2 times, once during a build, and the broker once', (t) => under('vectors-servers', 2, async (load, w) => {
    await load.progress(200);
    await builder(load, w);
    await stack('kill-postgres');
    await sleep(random(1000));
    await stack('start-postgres');
    await load.progress(300);
    await stack('kill-postgres');
    await sleep(random(300));
    // Queries wait for the database. The worker still ends, with status 0.
    await w.running[0].stop();
    await stack('start-postgres');
    w.running[0] = await w.startWorker();
    await load.progress(300);
    await stack('kill-kafka');
    await sleep(random(1000));
    await stack('start-kafka');
    await load.progress(300);
    await begunAgain(w);
    assert.ok(w.running.every((worker) => !worker.exit), 'the workers survived');
  }, t));

  test('the broker, PostgreSQL and the building one of three workers are killed together', (t) => under('vectors-all', 3, async (load, w) => {
    await load.progress(300);
    const victim = await builder(load, w);
    await Promise.all([stack('kill-kafka'), stack('kill-postgres'), victim.kill()]);
    await sleep(random(1000));
    await Promise.all([stack('start-kafka'), stack('start-postgres')]);
    w.running[w.running.indexOf(victim)] = await w.startWorker();
    await load.progress(300);
    await begunAgain(w);
    assert.equal(w.running.filter((worker) => worker.exit).length, 0, 'the other workers survived');
  }, t));
});

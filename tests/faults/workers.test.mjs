// workers.test.mjs - workers are killed and replaced under a load. No effect is missing or doubled, and
// every reply arrives.

import { stack } from './stack.mjs';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { closeShared, sleep, sql, World } from '../compat/lib/harness.mjs';
import { Load, quickly } from './load.mjs';

after(() => closeShared());
assert.ok(stack);

async function world(name, workers) {
  const made = quickly(new World({ name, partitions: 6 }));
  await made.open();
  for (let i = 1; i < workers; i++) await made.startWorker();
  made.running = [...made.workers];
  return made;
}

const random = (below) => Math.floor(Math.random() * below);

describe('workers', { concurrency: false }, () => {
  test('SIGKILL of one of three at random moments, 20 times', async (t) => {
    const w = await world('killed', 3);
    try {
      const load = new Load(w);
      await load.prepare();
      load.run();
      for (let kill = 0; kill < 20; kill++) {
        await load.progress();
        await sleep(random(700));
        const victim = random(w.running.length);
        await w.running[victim].kill();
        w.running[victim] = await w.startWorker();
      }
      await load.stop();
      t.diagnostic(`accounts: ${JSON.stringify(await load.account())}`);
    } finally {
      await w.close();
    }
  });

  test('all three are killed at once, 3 times', async (t) => {
    const w = await world('all-killed', 3);
    try {
      const load = new Load(w);
      await load.prepare();
      load.run();
      for (let kill = 0; kill < 3; kill++) {
        await load.progress(200);
        await Promise.all(w.running.map((worker) => worker.kill()));
        w.running = await Promise.all([w.startWorker(), w.startWorker(), w.startWorker()]);
      }
      await load.stop();
      t.diagnostic(`accounts: ${JSON.stringify(await load.account())}`);
    } finally {
      await w.close();
    }
  });

  test('rolling restarts, 4 rounds over two workers', async (t) => {
    const w = await world('rolling', 2);
    try {
      const load = new Load(w);
      await load.prepare();
      load.run();
      for (let round = 0; round < 8; round++) {
        await load.progress();
        await w.running[round % 2].stop(); // fails unless it ends with status 0
        w.running[round % 2] = await w.startWorker();
      }
      await load.stop();
      t.diagnostic(`accounts: ${JSON.stringify(await load.account())}`);
    } finally {
      await w.close();
    }
  });

  test('their database sessions are terminated at random moments, 40 times', async (t) => {
    // The connection breaks at any point of a batch, also between COMMIT and its answer.
    const w = await world('sessions', 2);
    try {
      const load = new Load(w);
      await load.prepare();
      load.run();
      for (let kill = 0; kill < 40; kill++) {
        if (kill % 4 === 0) await load.progress();
        await sleep(random(150));
        await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'stowage%' AND pid <> pg_backend_pid()
          AND (state <> 'idle' OR random() < 0.3)`);
      }
      await load.stop();
      t.diagnostic(`accounts: ${JSON.stringify(await load.account())}`);
    } finally {
      await w.close();
    }
  });

  test('workers are suspended for longer than their session and resume, 6 times', async (t) => {
    const w = await world('frozen', 2);
    try {
      const load = new Load(w);
      await load.prepare();
      load.run();
      for (let round = 0; round < 6; round++) {
        await load.progress();
        const { child } = w.running[round % 2];
        child.kill('SIGSTOP');
        try {
          await load.progress(); // the other worker takes over its partitions
          await sleep(2500 + random(1500));
        } finally {
          child.kill('SIGCONT');
        }
      }
      await load.stop();
      t.diagnostic(`accounts: ${JSON.stringify(await load.account())}`);
    } finally {
      await w.close();
    }
  });
});

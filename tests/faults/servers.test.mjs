// servers.test.mjs - PostgreSQL and the broker are killed or restarted under a load.

import { stack } from './stack.mjs';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { closeShared, sleep, until, World } from '../compat/lib/harness.mjs';
import { Load, quickly } from './load.mjs';

after(() => closeShared());

async function under(name, faults, t) {
  const w = quickly(new World({ name, partitions: 6 }));
  await w.open();
  await w.startWorker();
  try {
    const load = new Load(w);
    await load.prepare();
    load.run();
    await faults(load, w);
    await load.stop();
    t.diagnostic(`accounts: ${JSON.stringify(await load.account())}`);
    assert.ok(w.workers.every((worker) => !worker.exit), 'the workers survived');
  } finally {
    await w.close();
  }
}

describe('servers', { concurrency: false }, () => {
  test('PostgreSQL is killed and restarted, 4 times', (t) => under('postgres', async (load, w) => {
    for (let round = 0; round < 4; round++) {
      await load.progress(200);
      await stack('kill-postgres');
      await sleep(300 + round * 700);
      if (round === 0) {
        // The workers are alive but not ready.
        await until('readiness is gone', async () => (await w.worker.get('/readyz')).status === 503);
        assert.equal((await w.worker.get('/livez')).status, 200);
      }
      await stack('start-postgres');
    }
    await load.progress(200);
    assert.ok(await w.worker.metric('stowage_database_outages_total') > 0);
  }, t));

  test('PostgreSQL is shut down and restarted, 2 times', (t) => under('postgres-restart', async (load) => {
    for (let round = 0; round < 2; round++) {
      await load.progress(200);
      await stack('stop-postgres');
      await stack('start-postgres');
    }
    await load.progress(200);
  }, t));

  test('the broker is killed and restarted, 3 times', (t) => under('kafka', async (load) => {
    for (let round = 0; round < 3; round++) {
      await load.progress(200);
      await stack('kill-kafka');
      await sleep(500 + round * 1500);
      await stack('start-kafka');
    }
    await load.progress(200);
  }, t));

  test('the broker is shut down and restarted', (t) => under('kafka-restart', async (load) => {
    await load.progress(200);
    await stack('stop-kafka');
    await stack('start-kafka');
    await load.progress(200);
  }, t));

  test('the broker accepts connections and says nothing: SIGTERM ends the worker in time', async () => {
    const w = new World({ name: 'silent-kafka', partitions: 4, config: { limits: { shutdownTimeoutMillis: 3000 } } });
    await w.open();
    const broker = Number.parseInt(readFileSync(join(process.env.STACK_DIR, 'kafka.pid'), 'utf8'), 10);
    try {
      await w.client.call('storage.ping');
      process.kill(broker, 'SIGSTOP');
      // Without the bound the worker waits for the broker, which is stopped until the worker has ended.
      await w.worker.stop();
    } finally {
      process.kill(broker, 'SIGCONT');
      await w.close();
    }
  });

  test('both servers and a worker are killed', (t) => under('all', async (load, w) => {
    await load.progress(200);
    await Promise.all([stack('kill-postgres'), w.worker.kill()]);
    await stack('kill-kafka');
    await stack('start-postgres');
    await stack('start-kafka');
    w.workers.splice(w.workers.indexOf(w.worker), 1);
    w.worker = await w.startWorker();
    await load.progress(200);
  }, t));
});

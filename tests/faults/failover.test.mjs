// failover.test.mjs - PostgreSQL moves to another server behind the same address, while the sessions with the old
// one live on and reject writes.

import './stack.mjs';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, CONNECTION, freePort, pg, until, World } from '../compat/lib/harness.mjs';
import { Proxy } from '../integration/proxy.mjs';

after(() => closeShared());

// A standby of the stack's PostgreSQL, made by its own tools.
class Standby {
  async start() {
    this.directory = join(process.env.STACK_DIR, 'standby');
    this.port = await freePort();
    this.url = CONNECTION.replace(process.env.STACK_POSTGRES_PORT, String(this.port));
    this.#run('mkdir', '-p', this.directory);
    if (process.getuid() === 0) this.#run('chown', 'postgres:', this.directory);
    this.#owner('pg_basebackup', '--host=127.0.0.1', `--port=${process.env.STACK_POSTGRES_PORT}`, '--username=postgres', '--write-recovery-conf',
      '--checkpoint=fast', '--no-sync', `--pgdata=${this.directory}`);
    this.#owner('chmod', '700', this.directory);
    this.#owner('pg_ctl', 'start', '--wait', `--pgdata=${this.directory}`, `--log=${this.directory}/log`,
      `--options=-p ${this.port} -k ${this.directory}`);
  }

  promote() {
    this.#owner('pg_ctl', 'promote', '--wait', `--pgdata=${this.directory}`);
  }

  stop() {
    this.#owner('pg_ctl', 'stop', '--mode=immediate', `--pgdata=${this.directory}`);
  }

  // PostgreSQL does not run as root.
  #owner(...words) {
    const bin = spawnSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1'], { encoding: 'utf8' }).stdout.trim();
    this.#run('env', `PATH=${bin}:${process.env.PATH}`, ...(process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : []), ...words);
  }

  #run(...words) {
    const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8', cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    assert.equal(done.status, 0, `${words.join(' ')}: ${done.stderr}`);
  }
}

async function ask(url, text) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return (await client.query(text).finally(() => client.end())).rows;
}

describe('a failover', () => {
  const standby = new Standby();
  const superuser = process.env.STACK_POSTGRES_ADMIN;
  const w = new World({ name: 'failover', partitions: 6, config: { postgres: { max: 6 } } });
  let proxy;
  before(async () => {
    await standby.start();
    proxy = await Proxy.to(CONNECTION);
    await w.open({ start: false });
  });
  after(async () => {
    await ask(superuser, 'ALTER SYSTEM RESET default_transaction_read_only');
    await ask(superuser, 'SELECT pg_reload_conf()');
    await w.close();
    proxy.close();
    standby.stop();
  });

  const save = (from) => w.client.post(Array.from({ length: 300 }, (_, i) => `t${from + i}`)
    .map((id) => ({ command: 'memory.saveThread', args: { thread: thread(id) }, key: id })));
  const saved = async (url) => (await ask(url, `SELECT count(*)::int AS n FROM "${w.schema}".mastra_threads`))[0].n;

  test('loses nothing, and waits no longer than it lasts', async () => {
    w.worker = await w.startWorker({}, { STOWAGE_POSTGRES_CONNECTION_STRING: proxy.url() });
    await save(0);
    await until('the first are saved', async () => await saved(CONNECTION) === 300);
    await ask(superuser, 'ALTER SYSTEM SET default_transaction_read_only = on');
    await ask(superuser, 'SELECT pg_reload_conf()');
    await save(300);
    await until('the old server rejects writes', () => w.worker.log.includes('database refuses work'));
    const [{ lsn }] = await ask(superuser, 'SELECT pg_current_wal_lsn() AS lsn');
    await until('the standby has all', async () => (await ask(standby.url, `SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS all`))[0].all);
    standby.promote();
    proxy.target = new URL(standby.url);
    await until('all are saved on the new server', async () => await saved(standby.url) === 600);
    assert.equal(await saved(CONNECTION), 300);
    await w.worker.waitReady();
    assert.equal(w.worker.log.split('database refuses work').length - 1, 1, w.worker.tail());
  });
});

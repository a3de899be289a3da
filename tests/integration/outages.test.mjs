// What is an outage of the database, and what is not: refused connections, read-only sessions, lost ones, silence.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, CONNECTION, newId, pg, sql, until, withAdmin, WORK, World } from '../compat/lib/harness.mjs';
import { Proxy } from './proxy.mjs';

after(() => closeShared());

const count = (log, text) => log.split(text).length - 1;
const BEGINS = 'database refuses work';
const REFUSED = 'refuses further connections';
const save = (w, id) => w.client.call('memory.saveThread', { thread: thread(id) }, { key: id });

async function admin(text) {
  const client = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

// A login role with the rights of the tests' own, and `attributes`.
async function inWorld(name, attributes, work, config = {}) {
  const w = new World({ name, partitions: 8, config });
  const role = `r_${newId()}`;
  await admin(`CREATE ROLE ${role} LOGIN IN ROLE stowage ${attributes}`);
  w.config.postgres.user = role;
  try {
    await w.open({ start: false });
    await work(w, role);
  } finally {
    await w.close();
    await admin(`DROP ROLE ${role}`);
  }
}

// Sessions of this process's PostgreSQL through an address that a test can cut.
async function proxied(name, work, { config = {}, parameters = '' } = {}) {
  const w = new World({ name, config });
  const proxy = await Proxy.to(CONNECTION);
  try {
    await w.open({ start: false });
    await work(w, proxy, { STOWAGE_POSTGRES_CONNECTION_STRING: proxy.url(parameters) });
  } finally {
    proxy.close();
    await w.close();
  }
}

describe('refused connections', () => {
  test('a role with 3 connections and a pool of 10', () => inWorld('limit', 'CONNECTION LIMIT 3', async (w, role) => {
    const worker = w.worker = await w.startWorker({ postgres: { max: 10 } });
    const ids = Array.from({ length: 1000 }, (_, i) => `t${i}`);
    await w.client.post(ids.map((id) => ({ command: 'memory.saveThread', args: { thread: thread(id) }, key: id })));
    await until('all are saved', async () => (await sql(`SELECT count(*)::int AS n FROM "${w.schema}".mastra_threads`))[0].n === ids.length);
    const metric = (name) => worker.metric(`stowage_pool_connections_${name}`);
    await until('the others have stepped back', async () => await metric('refused') > 0);
    assert.equal(await metric('wanted'), 10);
    assert.equal((await worker.get('/readyz')).status, 200);
    await worker.logged(/too many connections for role/);
    assert.equal(count(worker.log, BEGINS), 0, worker.tail());
    assert.equal(count(worker.log, REFUSED), 1, worker.tail());
    assert.match(worker.log, /open=\d wanted=10 error=".*too many connections for role/);
    await admin(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
    await until('all have a session', async () => await metric('refused') === 0);
    await until('the end is logged', () => worker.log.includes('accepts further connections again'));
    assert.equal(count(worker.log, REFUSED), 1);
  }));
});

// Answered when the index is built.
const createIndex = (w, indexName) => w.client.call('vectors.createIndex', { indexName, dimension: 3, indexConfig: { type: 'hnsw' } });

describe('a role with few connections', () => {
  before(() => sql('CREATE EXTENSION IF NOT EXISTS vector'));
  const options = (onTimeout) => ({ onTimeout });

  test('one: saves, storage.init and an index build are done', () => inWorld('single', 'CONNECTION LIMIT 1', async (w) => {
    const worker = w.worker = await w.startWorker({ postgres: { max: 4 } });
    const saves = (name) => Promise.all(Array.from({ length: 20 }, (_, i) => save(w, `${name}${i}`)));
    await saves('a');
    const built = createIndex(w, 'lonely');
    await saves('b');
    await built;
    const describedAs = await w.client.call('vectors.describeIndex', { indexName: 'lonely' });
    assert.equal(describedAs.type, 'hnsw');
    assert.ok((await w.client.call('storage.init', {})).statements >= 0);
    await Promise.all([createIndex(w, 'second'), saves('c')]);
    assert.equal(count(worker.log, BEGINS), 0, worker.tail());
  }));

  test('three workers share three', () => inWorld('shared', 'CONNECTION LIMIT 3', async (w) => {
    w.config.postgres.idleTimeoutMillis = 0;
    await Promise.all([1, 2, 3].map(() => w.newWorker({ postgres: { max: 4 } }).start({ ready: false })));
    const assigned = () => w.workers.map((worker) => count(worker.log, 'msg="partition claimed"'));
    await until('each worker has partitions', () => assigned().every((n) => n > 0), options(() => w.log()));
    const saves = Array.from({ length: 60 }, (_, i) => w.client.call('memory.saveThread', { thread: thread(`t${i}`) }, { partition: i % 3 }));
    assert.equal((await Promise.all(saves)).length, 60);
    await createIndex(w, 'shared');
  }));
});

describe('sessions that are read-only', () => {
  const readOnly = (role, on) => admin(`ALTER ROLE ${role} ${on ? 'SET default_transaction_read_only = on' : 'RESET ALL'}`);

  test('are opened again', () => inWorld('read-only', '', async (w, role) => {
    await readOnly(role, true);
    const env = { STOWAGE_POSTGRES_CONNECTION_STRING: `${CONNECTION}?target_session_attrs=any` };
    const worker = w.worker = await w.newWorker({ postgres: { disableInit: true } }, env).start({ ready: false });
    const saved = save(w, 'a');
    await until('an outage', () => count(worker.log, BEGINS) === 1);
    // Like a new primary at the same address: it is there for new sessions only.
    await readOnly(role, false);
    assert.equal((await saved).id, 'a');
    await worker.waitReady();
    assert.equal(count(worker.log, BEGINS), 1, worker.tail());
  }));

  test('are not accepted, unless the connection string says so', () => inWorld('attributes', '', async (w, role) => {
    await readOnly(role, true);
    const worker = w.worker = await w.newWorker({ postgres: { disableInit: true } }).start({ ready: false });
    await until('the log tells', () => /session is read-only/.test(worker.log));
    const saved = save(w, 'a');
    await readOnly(role, false);
    assert.equal((await saved).id, 'a');
  }));
});

describe('the beginning and the end', () => {
  test('are one line each, whatever the errors', () => proxied('alternating', async (w, proxy, env) => {
    const worker = w.worker = await w.startWorker({}, env);
    await save(w, 'a');
    const saved = save(w, 'b');
    for (let round = 0; round < 8; round++) {
      proxy.mode = ['refuse', 'garbage', 'refuse', 'cut'][round % 4];
      proxy.cut();
      const seen = proxy.accepted;
      await until('the worker has tried', () => proxy.accepted > seen);
    }
    proxy.mode = 'pass';
    await saved;
    await until('the end is logged', () => count(worker.log, 'database is back') === 1, { onTimeout: () => worker.tail() });
    assert.equal(count(worker.log, BEGINS), 1, worker.tail());
    assert.match(worker.log, /msg="database is back" after_ms=\d+ failures=\d+ last_error=/);
  }));

  test('one session that breaks is none', () => proxied('one', async (w, proxy, env) => {
    const worker = w.worker = await w.startWorker({}, env);
    for (let i = 0; i < 3; i++) {
      await save(w, `a${i}`);
      proxy.cut();
    }
    await save(w, 'end');
    assert.equal(count(worker.log, BEGINS), 0, worker.tail());
    assert.equal(await worker.metric('stowage_database_outages_total'), 0);
  }));
});

// Locks a table against all others while `work` runs.
async function locked(w, table, work) {
  const client = new pg.Client({ connectionString: CONNECTION });
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE "${w.schema}".${table}`);
  await work().finally(() => client.end());
}

describe('the expiry of idempotency keys that fails', () => {
  const FAILS = 'expired idempotency keys can\'t be deleted';
  const failsAgain = (worker) => until('it fails again', () => count(worker.log, 'keys still can\'t be deleted') >= 1, { onTimeout: () => worker.tail() });
  before(() => sql('CREATE EXTENSION IF NOT EXISTS vector'));

  test('for a locked table holds up no index build', () => inWorld('expiry-locked', '', async (w) => {
    const worker = w.worker = await w.startWorker({ log: { level: 'debug' }, idempotency: { keepMillis: 1000 } });
    await createIndex(w, 'first');
    await locked(w, 'stowage_idempotency', async () => {
      await failsAgain(worker);
      await createIndex(w, 'second');
      assert.equal(count(worker.log, FAILS), 1, worker.tail());
      assert.equal(count(worker.log, BEGINS), 0, worker.tail());
    });
    await until('it works again', () => worker.log.includes('keys are deleted again'));
  }));

  test('for a missing right holds up no index build', () => inWorld('expiry-right', 'NOINHERIT', async (w, role) => {
    await sql(`GRANT USAGE, CREATE ON SCHEMA "${w.schema}" TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA "${w.schema}" TO ${role};
      GRANT ALL ON ALL SEQUENCES IN SCHEMA "${w.schema}" TO ${role}; REVOKE DELETE ON "${w.schema}".stowage_idempotency FROM ${role}`);
    const worker = w.worker = await w.startWorker({ log: { level: 'debug' }, postgres: { disableInit: true } });
    await createIndex(w, 'first');
    await failsAgain(worker);
    await createIndex(w, 'second');
    assert.equal(count(worker.log, FAILS), 1, worker.tail());
    assert.equal(count(worker.log, BEGINS), 0, worker.tail());
  }));
});

describe('claims', () => {
  test('that a lock holds up are logged', () => inWorld('claims', '', async (w, role) => {
    const worker = w.worker = await w.startWorker();
    await save(w, 'a');
    let saved;
    await locked(w, 'stowage_outbox', async () => {
      await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
      saved = save(w, 'b');
      await until('the log tells', () => /a partition can't be claimed yet.*sqlstate=55P03/.test(worker.log), { onTimeout: () => worker.tail() });
    });
    assert.equal((await saved).id, 'b');
  }));
});

describe('SIGTERM', () => {
  const config = { limits: { shutdownTimeoutMillis: 2000 } };

  test('while PostgreSQL swallows a transaction', () => proxied('silent', async (w, proxy, env) => {
    w.worker = await w.startWorker({}, env);
    await save(w, 'a');
    proxy.mode = 'swallow';
    await w.client.post([{ command: 'memory.saveThread', args: { thread: thread('b') }, key: 'b' }]);
    await until('it is on its way', () => proxy.swallowed > 0);
    await w.worker.stop();
    assert.match(w.worker.log, /did not answer within limits.shutdownTimeoutMillis|stowage stopped/);
    await w.startWorker();
    await until('it is applied', async () => (await sql(`SELECT FROM "${w.schema}".mastra_threads WHERE id = 'b'`)).length === 1);
  }, { config }));

  test('while PostgreSQL accepts connections and says nothing', () => proxied('deaf', async (w, proxy, env) => {
    proxy.mode = 'swallow';
    w.worker = await w.newWorker({}, env).start({ ready: false });
    await until('it connects', () => proxy.swallowed > 0);
    await w.worker.stop();
  }, { config: { ...config, postgres: { connectionTimeoutMillis: 600_000 } } }));
});

describe('secrets in files', () => {
  test('are read again on SIGHUP and on each connect', () => inWorld('rotated', '', async (w, first) => {
    const second = `${first}_b`;
    await admin(`CREATE ROLE ${second} LOGIN IN ROLE stowage`);
    try {
      const file = join(WORK, `${first}.url`);
      const as = (role) => writeFileSync(file, `${CONNECTION.replace('//stowage@', `//${role}@`)}\n`);
      const sessions = async (role) => (await sql(`SELECT FROM pg_stat_activity WHERE usename = '${role}'`)).length;
      const users = async () => (await sql(`SELECT DISTINCT usename AS name FROM pg_stat_activity WHERE usename LIKE '${first}%' AND application_name = 'stowage'`)).map((row) => row.name);
      as(first);
      delete w.config.postgres.user;
      w.config.postgres.idleTimeoutMillis = 0;
      w.config.postgres.connectionStringFile = file;
      const worker = w.worker = await w.startWorker({}, { STOWAGE_POSTGRES_CONNECTION_STRING: undefined });
      await Promise.all(['a', 'b', 'c', 'd'].map((id) => save(w, id)));
      assert.deepEqual(await users(), [first]);
      as(second);
      worker.child.kill('SIGHUP');
      await until('it is reported', () => worker.log.includes('opened anew'));
      await until('the first role has no session', async () => await sessions(first) === 0);
      await save(w, 'b');
      await until('the sessions are the second role\'s', async () => (await save(w, 'c')) && (await users()).includes(second));
      await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${second}'`).catch(() => {});
      writeFileSync(file, '');
      await worker.stop();
    } finally {
      await until('no session is left', async () => (await sql(`SELECT FROM pg_stat_activity WHERE usename LIKE '${first}%'`)).length === 0);
      await admin(`DROP ROLE ${second}`);
    }
  }));
});

describe('files of Kafka\'s properties', () => {
  test('are used after SIGHUP', async () => {
    const file = join(WORK, `${newId()}.properties`);
    const w = new World({ name: 'properties', config: { kafka: { propertiesFile: file } } });
    const clients = () => withAdmin(async (kafka) => {
      const { groups } = await kafka.describeGroups([w.config.kafka.groupId]);
      return groups[0].members.map((member) => member.clientId);
    });
    writeFileSync(file, 'client.id=first\n');
    try {
      await w.open();
      await save(w, 'a');
      assert.deepEqual(await clients(), ['first']);
      writeFileSync(file, 'client.id=second\n');
      w.worker.child.kill('SIGHUP');
      await until('the group has the new client', async () => (await clients()).join() === 'second');
      await save(w, 'b');
      writeFileSync(file, 'no.such.property=1\nclient.id\n');
      w.worker.child.kill('SIGHUP');
      await until('the mistake is reported', () => w.worker.log.includes('the previous one stays in use'));
      await save(w, 'c');
    } finally {
      await w.close();
    }
  });
});

describe('stopped partitions', () => {
  const world = new World({ name: 'stopped', partitions: 2, config: { kafka: { offsetReset: 'error' } } });
  before(() => world.open({ start: false }));
  after(() => world.close());

  test('all of them: not ready, and the reason', async () => {
    const worker = await world.newWorker().start({ ready: false });
    const said = await until('both are stopped', async () => {
      const response = await worker.get('/readyz').catch(() => null);
      const text = await response?.text();
      return text?.includes('stopped') && count(text, 'no stored offset') === 2 && { status: response.status, text };
    }, { onTimeout: () => worker.tail() });
    assert.equal(said.status, 503);
    assert.ok(said.text.includes(`${world.topic} [1]: it has no stored offset`), said.text);
  });
});

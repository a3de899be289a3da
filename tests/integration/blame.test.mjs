// What is not a command's fault never fails a command: a broken installation makes the partition wait, and
// `stowage check` finds it. A command that needs too much fails alone.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, pg, readTopic, sql, stowage, until, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

async function asAdmin(text) {
  const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
  await admin.connect();
  try {
    return await admin.query(text);
  } finally {
    await admin.end();
  }
}

// A role whose sessions have the settings, for this world alone.
async function withRole(settings, use) {
  const role = `role_${newId()}`;
  await asAdmin(`CREATE ROLE ${role} LOGIN SUPERUSER; ${settings.map((setting) => `ALTER ROLE ${role} SET ${setting};`).join(' ')}`);
  try {
    await use(role);
  } finally {
    await asAdmin(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
}

async function inWorld(name, options, use) {
  const world = new World({ name, ...options });
  try {
    await world.open();
    await use(world);
  } finally {
    await world.close();
  }
}

const saveThread = (w, id, more) => w.client.call('memory.saveThread', { thread: thread(id, more) });
const failure = (call) => call.then(() => assert.fail('it succeeded'), (error) => error);
const isReady = async (worker) => (await worker.get('/readyz')).status === 200;

describe('a broken installation', () => {
  const CASES = [
    { name: 'a primary key that was dropped', state: '42P10', help: /primary key or unique index/, check: /no unique or exclusion constraint/,
      broken: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads DROP CONSTRAINT mastra_threads_pkey`),
      repaired: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads ADD PRIMARY KEY (id)`),
      command: ['memory.saveThread', { thread: thread('t') }] },
    { name: 'a publication of a table without a replica identity', state: '55000', help: /REPLICA IDENTITY/, check: /mastra_threads is in the publication/,
      broken: (w) => asAdmin(`ALTER TABLE "${w.schema}".mastra_threads REPLICA IDENTITY NOTHING; CREATE PUBLICATION "${w.schema}" FOR TABLE "${w.schema}".mastra_threads`),
      repaired: (w) => asAdmin(`DROP PUBLICATION "${w.schema}"`),
      command: ['memory.updateThread', { id: 't0', title: 'new' }] },
    { name: 'a partitioned table without a partition', state: '23514', help: /create the missing partition/, check: /mastra_resources is partitioned and has no partition/,
      broken: (w) => sql(`DROP TABLE "${w.schema}".mastra_resources;
        CREATE TABLE "${w.schema}".mastra_resources (id text PRIMARY KEY, "workingMemory" text, metadata jsonb, "createdAt" timestamp, "updatedAt" timestamp,
          "createdAtZ" timestamptz, "updatedAtZ" timestamptz) PARTITION BY LIST (id)`),
      repaired: (w) => sql(`CREATE TABLE "${w.schema}".all_resources PARTITION OF "${w.schema}".mastra_resources DEFAULT`),
      command: ['memory.saveResource', { resource: { id: 'r', workingMemory: 'w', createdAt: new Date(0), updatedAt: new Date(0) } }] },
    { name: 'a column that somebody added without a default', state: '23502', help: /let it be NULL/, check: /column "tenant" of mastra_threads is not Stowage's/,
      broken: (w) => sql(`DELETE FROM "${w.schema}".mastra_threads; ALTER TABLE "${w.schema}".mastra_threads ADD COLUMN tenant text NOT NULL`),
      repaired: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads ALTER COLUMN tenant DROP NOT NULL`),
      command: ['memory.saveThread', { thread: thread('t') }] },
    { name: 'a column that became generated', state: '428C9', help: /ordinary/, check: /column "title" of mastra_threads is generated/,
      broken: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads DROP COLUMN title; ALTER TABLE "${w.schema}".mastra_threads ADD COLUMN title text GENERATED ALWAYS AS (id) STORED`),
      repaired: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads ALTER COLUMN title DROP EXPRESSION`),
      command: ['memory.saveThread', { thread: thread('t') }] },
    { name: 'a column of another type', state: '42804', help: /type back/, check: /column "title" of table mastra_threads has the type/,
      broken: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads ALTER COLUMN title TYPE int4 USING 0`),
      repaired: (w) => sql(`ALTER TABLE "${w.schema}".mastra_threads ALTER COLUMN title TYPE text`),
      command: ['memory.saveThread', { thread: thread('t') }] },
  ];
  for (const { name, state, help, check, broken, repaired, command } of CASES) {
    test(`${name} makes the partition wait until it is repaired`, () => inWorld('setup', {}, async (w) => {
      await saveThread(w, 't0');
      await broken(w);
      if (check) {
        const checked = stowage(['check'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: w.schema } });
        assert.match(checked.stdout + checked.stderr, check);
        assert.notEqual(checked.code, 0);
      }
      const reply = w.client.call(...command);
      await until('the worker reports it', () => new RegExp(`database refuses work.*sqlstate=${state}`).test(w.worker.log), { onTimeout: () => w.worker.tail() });
      assert.match(w.worker.log, help);
      assert.equal(await isReady(w.worker), false);
      await repaired(w);
      await reply;
      assert.deepEqual(await readTopic(w.dlq), []);
    }));
  }
});

describe('a row that row security refuses', () => {
  test('fails alone', () => inWorld('security', {}, async (w) => {
    await sql(`ALTER TABLE "${w.schema}".mastra_threads ENABLE ROW LEVEL SECURITY; ALTER TABLE "${w.schema}".mastra_threads FORCE ROW LEVEL SECURITY;
      CREATE POLICY no_seven ON "${w.schema}".mastra_threads USING (true) WITH CHECK (id <> 't7')`);
    const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => saveThread(w, `t${i}`)));
    assert.deepEqual(ends.map(({ status }) => status), ends.map((_, i) => (i === 7 ? 'rejected' : 'fulfilled')));
    assert.match(ends[7].reason.text, /row-level security/);
  }));
});

describe('a command that needs too much', () => {
  test('of temp_file_limit fails alone', () => withRole(["temp_file_limit = '1MB'", "work_mem = '64kB'"], (user) => inWorld('temp', { config: { postgres: { user } } },
    async (w) => {
      await sql(`CREATE FUNCTION "${w.schema}".sorts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.title = 'large' THEN PERFORM count(*) FROM (SELECT repeat('x', 100) || i AS t FROM generate_series(1, 100000) i ORDER BY 1 OFFSET 1) s; END IF;
        RETURN NEW; END $$;
        CREATE TRIGGER sorts BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW EXECUTE FUNCTION "${w.schema}".sorts()`);
      const calls = Array.from({ length: 20 }, (_, i) => saveThread(w, `t${i}`, { title: i === 7 ? 'large' : 'small' }));
      const ends = await Promise.allSettled(calls);
      assert.deepEqual(ends.map(({ status }) => status), ends.map((_, i) => (i === 7 ? 'rejected' : 'fulfilled')));
      assert.match(ends[7].reason.text, /temp_file_limit|temporary file/);
      assert.equal(ends[7].reason.category, 'INVALID');
    })));
});

const allAnswered = async (w, calls) => {
  const failed = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected');
  assert.deepEqual(failed.map(({ reason }) => reason.message), []);
  assert.deepEqual(await readTopic(w.dlq), []);
};

describe('statements that others end', () => {
  test('a locked table, and a role with a short statement_timeout', () => withRole(["statement_timeout = '300ms'"], (user) => inWorld('locked', { partitions: 3,
    config: { postgres: { user, lockTimeoutMillis: 400 } } }, async (w) => {
    const holder = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
    await holder.connect();
    await holder.query(`BEGIN; LOCK TABLE "${w.schema}".mastra_threads`);
    const calls = Array.from({ length: 60 }, (_, i) => (i % 3 === 2 ? w.client.call('memory.getThreadById', { threadId: `t${i}` }, { partition: i % 3 })
      : w.client.call('memory.saveThread', { thread: thread(`t${i}`) }, { partition: i % 3 })));
    await until('statements wait for the lock, again and again', async () => await w.worker.metric('stowage_batch_retries_total') >= 8);
    await holder.end();
    await allAnswered(w, calls);
  })));

  test('an operator who cancels every statement', () => withRole([], (user) => inWorld('cancelled', { partitions: 3, config: { postgres: { user } } }, async (w) => {
    await sql(`CREATE FUNCTION "${w.schema}".wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW EXECUTE FUNCTION "${w.schema}".wait()`);
    const calls = Array.from({ length: 60 }, (_, i) => w.client.call('memory.saveThread', { thread: thread(`t${i}`) }, { partition: i % 3 }));
    await until('many statements were cancelled', async () => {
      await asAdmin(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = '${user}' AND state = 'active'`);
      return await w.worker.metric('stowage_batch_retries_total') >= 15;
    });
    await allAnswered(w, calls);
  })));
});

describe('slow commands', () => {
  // A thread with the title "slow" is saved only when nothing holds it.
  const hold = (w) => sql(`CREATE TABLE "${w.schema}".hold (); INSERT INTO "${w.schema}".hold DEFAULT VALUES;
    CREATE FUNCTION "${w.schema}".wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      WHILE EXISTS (SELECT FROM "${w.schema}".hold) LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END $$;
    CREATE TRIGGER wait BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW WHEN (NEW.title = 'slow') EXECUTE FUNCTION "${w.schema}".wait()`);
  const release = (w) => sql(`DELETE FROM "${w.schema}".hold`);
  const save = (w, id, title, options) => w.client.call('memory.saveThread', { thread: thread(id, { title }) }, options);

  test('beyond postgres.statementTimeoutMillis, or beyond the deadline, fail with TIMEOUT, and their neighbours succeed', () => inWorld('timeout',
    { config: { postgres: { statementTimeoutMillis: 1500 } } }, async (w) => {
      await hold(w);
      const titles = Array.from({ length: 20 }, (_, i) => (i === 5 || i === 12 ? 'slow' : 'quick'));
      const ends = await Promise.allSettled(titles.map((title, i) => save(w, `t${i}`, title, i === 12 ? { headers: { deadline: String(Date.now() + 300) } } : {})));
      assert.deepEqual(ends.map(({ reason }) => reason?.code), titles.map((_, i) => ({ 5: 'STATEMENT_TIMEOUT', 12: 'DEADLINE_PASSED' })[i]));
      assert.ok([ends[5], ends[12]].every(({ reason }) => reason.category === 'TIMEOUT'));
      // Alone in its partition, too; and a read.
      assert.equal((await failure(save(w, 't5', 'slow', { headers: { deadline: String(Date.now() + 300) } }))).code, 'DEADLINE_PASSED');
      await w.client.call('memory.saveMessages', { messages: [message('m1', 't1', 1)] });
      for (const table of ['mastra_threads', 'mastra_messages']) {
        await sql(`ALTER TABLE "${w.schema}".${table} ENABLE ROW LEVEL SECURITY; ALTER TABLE "${w.schema}".${table} FORCE ROW LEVEL SECURITY;
          CREATE POLICY slow ON "${w.schema}".${table} USING (pg_sleep(60) IS NOT NULL)`);
      }
      // Prepared statements and composed ones.
      for (const [command, args] of [['memory.getThreadById', { threadId: 't1' }], ['memory.listThreads', {}], ['memory.listMessages', { threadId: 't1' }],
        ['memory.listMessagesByResourceId', { resourceId: 'r1' }]]) {
        assert.equal((await failure(w.client.call(command, args))).code, 'STATEMENT_TIMEOUT', command);
        assert.equal((await failure(w.client.call(command, args, { headers: { deadline: String(Date.now() + 300) } }))).code, 'DEADLINE_PASSED', command);
      }
    }));

  test('leave a connection for quick ones', () => inWorld('slow', { partitions: 4, config: { postgres: { max: 3 } } }, async (w) => {
    await hold(w);
    let answered = 0;
    const slow = Array.from({ length: 3 }, (_, partition) => save(w, `s${partition}`, 'slow', { partition }).then(() => { answered++; }));
    await until('a slow command has a connection', async () => (await sql(`SELECT FROM pg_stat_activity WHERE query ~ '${w.schema}' AND wait_event = 'PgSleep'`)).length > 0);
    for (let i = 0; i < 3; i++) await save(w, `q${i}`, 'quick', { partition: 3 });
    assert.equal(answered, 0);
    await until('the log tells of slow commands', () => /command runs long.*command=memory\.saveThread/.test(w.worker.log));
    await until('the gauge shows it', async () => await w.worker.metric('stowage_oldest_work_seconds') >= 10);
    assert.ok(await isReady(w.worker));
    await save(w, 'q3', 'quick', { partition: 3 });
    assert.equal(answered, 0);
    await release(w);
    await allAnswered(w, slow);
  }));
});

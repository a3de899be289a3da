// What is not a command's fault never fails a command: a broken installation makes the partition wait, and
// `stowage check` finds it. A command that needs too much fails alone.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
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
    { name: 'a partitioned table without a partition', state: '23514', help: /create the missing partition/,
      broken: (w) => sql(`DROP TABLE "${w.schema}".mastra_resources;
        CREATE TABLE "${w.schema}".mastra_resources (id text PRIMARY KEY, "workingMemory" text, metadata jsonb, "createdAt" timestamp, "updatedAt" timestamp,
          "createdAtZ" timestamptz, "updatedAtZ" timestamptz) PARTITION BY LIST (id)`),
      repaired: (w) => sql(`CREATE TABLE "${w.schema}".all_resources PARTITION OF "${w.schema}".mastra_resources DEFAULT`),
      command: ['memory.saveResource', { resource: { id: 'r', workingMemory: 'w', createdAt: new Date(0), updatedAt: new Date(0) } }] },
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

describe('a command that needs too much', () => {
  test('of temp_file_limit fails alone', () => inWorld('temp', {}, async (w) => {
    // Only this role's sessions get the limit: other suites use the server too.
    const role = `temp_${newId()}`;
    await asAdmin(`CREATE ROLE ${role} LOGIN SUPERUSER; ALTER ROLE ${role} SET temp_file_limit = '1MB'; ALTER ROLE ${role} SET work_mem = '64kB'`);
    try {
      await sql(`CREATE FUNCTION "${w.schema}".sorts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.title = 'large' THEN PERFORM count(*) FROM (SELECT repeat('x', 100) || i AS t FROM generate_series(1, 100000) i ORDER BY 1 OFFSET 1) s; END IF;
        RETURN NEW; END $$;
        CREATE TRIGGER sorts BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW EXECUTE FUNCTION "${w.schema}".sorts()`);
      await w.worker.stop();
      await w.startWorker({ postgres: { user: role } });
      const calls = Array.from({ length: 20 }, (_, i) => saveThread(w, `t${i}`, { title: i === 7 ? 'large' : 'small' }));
      const ends = await Promise.allSettled(calls);
      assert.deepEqual(ends.map(({ status }) => status), ends.map((_, i) => (i === 7 ? 'rejected' : 'fulfilled')));
      assert.match(ends[7].reason.text, /temp_file_limit|temporary file/);
      assert.equal(ends[7].reason.category, 'INVALID');
    } finally {
      await asAdmin(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  }));
});

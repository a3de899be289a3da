// breaking.test.mjs - commands that end their database session, or their worker, each time they run. The
// commands before and after them take effect once. They get an error reply and become dead letters.

import { stack } from './stack.mjs';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, pg, readTopic, sleep, sql, until, World } from '../compat/lib/harness.mjs';
import { Load, quickly } from './load.mjs';
import { Proxy } from './mixed/proxy.mjs';

after(() => closeShared());
assert.ok(stack);

const BROKEN = 'COMMAND_BREAKS_WORKER';
const RESTARTS_MAX = 12;

async function asAdmin(text) {
  const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
  await admin.connect();
  try {
    await admin.query(text);
  } finally {
    await admin.end();
  }
}

async function world(name) {
  const made = quickly(new World({ name }));
  await made.open();
  await made.client.call('memory.saveThread', { thread: thread('t') });
  await made.client.call('workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: 'r', snapshot: { runId: 'r' } });
  // crash() kills its own backend: PostgreSQL then ends all sessions and restarts.
  await asAdmin(`CREATE FUNCTION "${made.schema}".crash() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    EXECUTE format('COPY (SELECT) TO PROGRAM %L', 'kill -KILL ' || pg_backend_pid()); PERFORM pg_sleep(60); RETURN true; END $$`);
  return made;
}

// Makes every reader of the table call `call`.
const guard = ({ schema }, call) => sql(`ALTER TABLE "${schema}".mastra_workflow_snapshot ENABLE ROW LEVEL SECURITY;
  ALTER TABLE "${schema}".mastra_workflow_snapshot FORCE ROW LEVEL SECURITY;
  CREATE POLICY guard ON "${schema}".mastra_workflow_snapshot USING (${call})`);

const save = (number) => ['memory.saveMessages', { messages: [message(`m${number}`, 't', number)] }];
const LIST_RUNS = ['workflows.listWorkflowRuns', {}];

// Sends the commands and returns the promises of their replies.
async function send(w, list) {
  const commands = list.map(([command, args]) => ({ command, args, key: 't', correlationId: newId() }));
  const replies = commands.map(({ command, correlationId }) => w.client.expect(correlationId, command, 240_000));
  await w.client.post(commands);
  return replies;
}

async function account(w, replies, { bad, messages }) {
  const got = await Promise.all(replies);
  got.forEach(({ decoded }, i) => assert.equal(decoded.code, i === bad ? BROKEN : undefined, JSON.stringify(decoded)));
  const rows = await sql(`SELECT count(*)::int AS n FROM "${w.schema}".mastra_messages`);
  assert.equal(rows[0].n, messages);
  const letters = await readTopic(w.dlq);
  assert.equal(letters.length, 1);
  assert.equal(letters[0].headers['__connect.errors.exception.class.name'].toString(), BROKEN);
  // The partition works as before.
  assert.equal((await w.client.call('memory.getThreadById', { threadId: 't' })).id, 't');
}

describe('commands that do not break', { concurrency: false }, () => {
  test('lose their COMMITs and their sessions to the network, and none is blamed', async (t) => {
    const proxy = new Proxy(Number(process.env.STACK_POSTGRES_PORT), { next: Math.random });
    const url = new URL(process.env.STOWAGE_POSTGRES_CONNECTION_STRING);
    url.port = await proxy.listen();
    url.search = 'sslmode=disable&gssencmode=disable';
    const w = quickly(new World({ name: 'lost-commits', partitions: 8 }));
    try {
      await w.open({ start: false });
      w.worker = await w.startWorker({}, { STOWAGE_POSTGRES_CONNECTION_STRING: url.href });
      const load = new Load(w, { conversations: 8 });
      await load.prepare();
      load.run({ minimum: 20 });
      await load.progress(50);
      Object.assign(proxy, { loseBefore: 0.4, loseAfter: 0.3 });
      await until('many COMMITs are lost', () => proxy.commits.before + proxy.commits.after > 20, { timeoutMs: 180_000 });
      proxy.heal();
      for (let i = 0; i < 20; i++) {
        const links = [...proxy.links];
        links[i % links.length]?.close();
        await sleep(50);
      }
      await load.stop();
      t.diagnostic(`${JSON.stringify(proxy.commits)} ${JSON.stringify(await load.account())}`);
      assert.doesNotMatch(w.worker.log, /dead-lettered/);
    } finally {
      proxy.close();
      await w.close();
    }
  });

  test('wait in a partition whose workers are killed while it is idle', async () => {
    const w = await world('idle');
    try {
      for (let restart = 0; restart < 4; restart++) {
        await w.worker.kill();
        w.worker = await w.startWorker();
        await until('the partition is claimed', () => /partition claimed/.test(w.worker.log));
      }
      assert.equal((await w.client.call('memory.getThreadById', { threadId: 't' })).id, 't');
      assert.doesNotMatch(w.log(), /may crash its worker/);
    } finally {
      await w.close();
    }
  });
});

describe('commands that break', { concurrency: false }, () => {
  test('a write that ends its session, among others and after a read that is not answered yet', async () => {
    const w = await world('breaking-write');
    try {
      await sql(`CREATE FUNCTION "${w.schema}".guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id = 'breaks' THEN PERFORM "${w.schema}".crash(); END IF; RETURN NEW; END $$;
        CREATE TRIGGER guard BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW EXECUTE FUNCTION "${w.schema}".guard()`);
      const list = Array.from({ length: 40 }, (_, i) => (i % 3 === 2 ? ['memory.getThreadById', { threadId: 't' }] : save(i)));
      list.splice(25, 0, ['memory.saveThread', { thread: thread('breaks') }]);
      await account(w, await send(w, list), { bad: 25, messages: list.filter(([command]) => command === 'memory.saveMessages').length });
      assert.ok(!w.worker.exit, 'the worker survived');
    } finally {
      await w.close();
    }
  });

  test('a detached read that ends its session', async () => {
    const w = await world('breaking-read');
    try {
      await guard(w, `"${w.schema}".crash()`);
      await account(w, await send(w, [save(0), LIST_RUNS, save(1), save(2)]), { bad: 1, messages: 3 });
      assert.ok(!w.worker.exit, 'the worker survived');
    } finally {
      await w.close();
    }
  });

  test('a detached read that takes its worker down each time, while writes go on', async () => {
    const w = await world('breaking-worker');
    try {
      await guard(w, `pg_sleep(600) IS NOT NULL`);
      const replies = await send(w, [save(0), LIST_RUNS]);
      let answered = false;
      replies[1].then(() => { answered = true; }, () => {});
      const begun = async () => answered
        || (await sql(`SELECT FROM pg_stat_activity WHERE query LIKE '%mastra_workflow_snapshot%' AND wait_event = 'PgSleep'`)).length > 0;
      let messages = 1;
      for (let restart = 0; !answered; restart++) {
        assert.ok(restart < RESTARTS_MAX, `the read still runs after ${restart} restarts`);
        await until('the read runs', begun);
        if (answered) break;
        // Unless the lane is suspect, the writes succeed while the read runs.
        replies.push(...await send(w, [save(messages++)]));
        await Promise.race([replies.at(-1), until('the worker runs commands one at a time', async () => /one command at a time/.test(w.worker.log))]);
        await w.worker.kill();
        await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
        w.worker = await w.startWorker();
      }
      await account(w, replies, { bad: 1, messages });
    } finally {
      await w.close();
    }
  });
});

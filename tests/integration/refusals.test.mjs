// PostgreSQL or Kafka rejects a command or a partition: the others continue, and the worker still
// stops on SIGTERM.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, pg, readTopic, setTopicConfig, sql, until, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

async function inWorld(name, use, options) {
  const world = new World({ name, ...options });
  try {
    await world.open({ start: false });
    await use(world);
  } finally {
    await world.close();
  }
}

const saveThread = (w, id) => w.client.call('memory.saveThread', { thread: thread(id) });
const failure = (call) => call.then(() => assert.fail('it succeeded'), (error) => error);

describe('PostgreSQL', () => {
  test('a detached read that always exceeds postgres.statementTimeoutMillis is TIMEOUT', () => inWorld('timeout', async (w) => {
    w.worker = await w.startWorker({ postgres: { statementTimeoutMillis: 500 } });
    await w.client.call('workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: 'r', snapshot: { runId: 'r' } });
    await sql(`ALTER TABLE "${w.schema}".mastra_workflow_snapshot ENABLE ROW LEVEL SECURITY;
      ALTER TABLE "${w.schema}".mastra_workflow_snapshot FORCE ROW LEVEL SECURITY;
      CREATE POLICY slow ON "${w.schema}".mastra_workflow_snapshot USING (pg_sleep(600) IS NOT NULL)`);
    const error = await failure(w.client.call('workflows.listWorkflowRuns', {}));
    assert.equal(error.category, 'TIMEOUT', error.text);
    await saveThread(w, 'after it');
    assert.equal((await w.worker.get('/readyz')).status, 200, 'the database is not away');
  }));

  test('a missing privilege on a table that the client names is an error of the command', () => inWorld('rights', async (w) => {
    w.worker = await w.startWorker();
    await sql('CREATE EXTENSION IF NOT EXISTS vector');
    const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
    await admin.connect();
    await admin.query(`CREATE TABLE "${w.schema}".theirs (id serial, vector_id text UNIQUE, embedding vector(3), metadata jsonb)`);
    await admin.end();
    const indexName = 'theirs';
    for (const [method, args] of [['upsert', { vectors: [[1, 2, 3]], ids: ['a'] }], ['query', { queryVector: [1, 2, 3] }], ['deleteVector', { id: 'a' }],
      ['truncateIndex', {}]]) {
      const error = await failure(w.client.call(`vectors.${method}`, { indexName, ...args }));
      assert.match(error.text, /permission denied|must be owner/, method);
    }
    await saveThread(w, 'after them');
    assert.equal((await w.worker.get('/readyz')).status, 200, 'the database is not away');
  }));

  test('shutdown cancels a statement that does not end, and the next worker runs it', () => inWorld('end', async (w) => {
    const worker = await w.startWorker({ limits: { shutdownTimeoutMillis: 500 } });
    await sql(`CREATE FUNCTION "${w.schema}".wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW EXECUTE FUNCTION "${w.schema}".wait()`);
    const saved = saveThread(w, 'waits');
    const asleep = () => sql(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%${w.schema}%'`);
    await until('the statement runs', async () => (await asleep()).length > 0);
    await worker.stop();
    await until('the session is gone', async () => (await asleep()).length === 0);
    await sql(`DROP TRIGGER wait ON "${w.schema}".mastra_threads`);
    await w.startWorker();
    assert.equal((await saved).id, 'waits');
    assert.doesNotMatch(worker.log, /database refuses work/);
  }));
});

const MANY = 300;
const MIB = 1024;
const WITH_SANITIZER = /asan|tsan/.test(process.env.STOWAGE_BIN ?? '');
// The peak memory since the last reset by clear_refs (proc(5)).
const highest = (worker) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${worker.child.pid}/status`, 'utf8'))[1]);

describe('a result far larger than a reply', () => {
  const world = new World({ name: 'too-large' });
  before(async () => {
    await world.open();
    await world.client.call('vectors.createIndex', { indexName: 'many', dimension: 2000, indexConfig: { type: 'flat' } });
    // Rows with texts of one megabyte that compress well, or many vectors.
    await sql(`INSERT INTO "${world.schema}".mastra_workflow_snapshot (workflow_name, run_id, snapshot, "createdAt", "updatedAt")
      SELECT 'w', i, jsonb_build_object('text', repeat('x', 1000000)), now(), now() FROM generate_series(1, ${MANY}) i`);
    await sql(`INSERT INTO "${world.schema}".mastra_threads (id, "resourceId", title, "createdAt", "updatedAt")
      SELECT i, 'r', repeat('x', 1000000), now(), now() FROM generate_series(1, ${MANY}) i`);
    await sql(`INSERT INTO "${world.schema}".mastra_messages (id, thread_id, "resourceId", content, role, type, "createdAt")
      SELECT i, 't', 'r', repeat('x', 1000000), 'user', 'v2', now() FROM generate_series(1, ${MANY}) i`);
    await sql(`INSERT INTO "${world.schema}".mastra_ai_spans ("traceId", "spanId", name, "spanType", "isEvent", "startedAt", "createdAt", input)
      SELECT 't', i, 'n', 'tool_call', false, now(), now(), jsonb_build_object('text', repeat('x', 1000000)) FROM generate_series(1, ${MANY}) i`);
    await sql(`INSERT INTO "${world.schema}".many (vector_id, embedding, metadata)
      SELECT i, array_fill(1::float4, ARRAY[2000])::vector, '{}' FROM generate_series(1, ${50 * MANY}) i`);
  });
  after(() => world.close());

  const READS = [['workflows.listWorkflowRuns', {}], ['memory.listThreads', { perPage: -1 }], ['memory.listMessages', { threadId: 't', perPage: -1 }],
    ['observability.getTrace', { traceId: 't' }], ['vectors.query', { indexName: 'many', queryVector: Array(2000).fill(1), topK: 50 * MANY, includeVector: true }]];
  for (const [command, args] of READS) {
    test(`of ${command} is REPLY_TOO_LARGE, and never complete in memory`, async () => {
      writeFileSync(`/proc/${world.worker.child.pid}/clear_refs`, '5');
      const before = highest(world.worker);
      assert.equal((await failure(world.client.call(command, args))).code, 'REPLY_TOO_LARGE');
      if (!WITH_SANITIZER) assert.ok(highest(world.worker) < before + 60 * MIB, `${before} KiB, then ${highest(world.worker)}`);
      // The same statements answer a result that fits.
      assert.equal((await world.client.call('vectors.query', { indexName: 'many', queryVector: Array(2000).fill(1), topK: 101, includeVector: true })).length, 101);
    });
  }
});

describe('a batch whose replies are large', () => {
  const READS = 500;
  const world = new World({ name: 'large-replies', partitions: 3 });
  before(() => world.open());
  after(() => world.close());

  test('ends early: every command is answered, and the replies are never in memory together', async () => {
    for (let partition = 0; partition < 3; partition++) {
      await world.client.call('memory.saveThread', { thread: { ...thread(`t${partition}`), title: 'x'.repeat(900_000) } }, { partition });
    }
    writeFileSync(`/proc/${world.worker.child.pid}/clear_refs`, '5');
    const before = highest(world.worker);
    // Each read must see the write before it.
    const commands = Array.from({ length: READS }, (_, i) => [
      { command: 'memory.updateThread', args: { id: `t${i % 3}`, metadata: { i } }, partition: i % 3 },
      { command: 'memory.getThreadById', args: { threadId: `t${i % 3}` }, partition: i % 3, correlationId: `${world.id} ${i}` }]).flat();
    const replies = commands.filter(({ correlationId }) => correlationId).map(({ correlationId, command }) => world.client.expect(correlationId, command));
    await world.client.post(commands);
    const got = await Promise.all(replies);
    got.forEach(({ decoded }, i) => assert.equal(decoded.result.metadata.i, i));
    if (!WITH_SANITIZER) assert.ok(highest(world.worker) < before + 180 * MIB, `${before} KiB, then ${highest(world.worker)}`);
  });
});

describe('Kafka', () => {
  const setLimit = (topic, bytes) => setTopicConfig(topic, 'max.message.bytes', bytes);

  test('a dead letter that Kafka rejects stops the partition until it is taken, and no command is skipped', () => inWorld('stopped', async (w) => {
    // Too small for the dead letter's headers alone.
    await setLimit(w.dlq, 100);
    w.worker = await w.startWorker({ batch: { maxCommands: 50 } });
    const commands = Array.from({ length: 2000 }, (_, i) => ({ command: 'memory.saveThread', args: { thread: thread(`t${i}`) }, partition: 0 }));
    commands.splice(300, 0, { value: randomBytes(5000), partition: 0 });
    await w.client.post(commands);
    await until('the partition is stopped', async () => await w.worker.metric('stowage_partitions_stopped') === 1);
    await w.worker.logged(/partition stopped: its dead letter can't be produced.*max.message.bytes/);
    // The other partition continues.
    await w.client.call('storage.ping', {}, { partition: 1 });
    await setLimit(w.dlq, 100_000);
    await until('all is applied', async () => (await sql(`SELECT count(*)::int AS n FROM "${w.schema}".mastra_threads`))[0].n === 2000);
    await until('the dead letter exists', async () => (await readTopic(w.dlq)).length === 1);
  }, { partitions: 2 }));
});

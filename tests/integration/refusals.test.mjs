// What PostgreSQL or Kafka refuses one command, or one partition: the others go on, and the worker
// ends when it is told to.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, pg, readTopic, sql, until, withAdmin, World } from '../compat/lib/harness.mjs';

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
  test('a read beside its lane that statement_timeout ends each time is answered so', () => inWorld('timeout', async (w) => {
    w.worker = await w.startWorker({}, { PGOPTIONS: '-c statement_timeout=500' });
    await w.client.call('workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: 'r', snapshot: { runId: 'r' } });
    await sql(`ALTER TABLE "${w.schema}".mastra_workflow_snapshot ENABLE ROW LEVEL SECURITY;
      ALTER TABLE "${w.schema}".mastra_workflow_snapshot FORCE ROW LEVEL SECURITY;
      CREATE POLICY slow ON "${w.schema}".mastra_workflow_snapshot USING (pg_sleep(600) IS NOT NULL)`);
    const error = await failure(w.client.call('workflows.listWorkflowRuns', {}));
    assert.equal(error.category, 'TIMEOUT', error.text);
    await saveThread(w, 'behind it');
    assert.equal((await w.worker.get('/readyz')).status, 200, 'the database is not away');
  }));

  test('a table that a client names and the worker has no right to is the command\'s own error', () => inWorld('rights', async (w) => {
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
    await saveThread(w, 'behind them');
    assert.equal((await w.worker.get('/readyz')).status, 200, 'the database is not away');
  }));

  test('a statement that does not end is cancelled when the worker is to end, and run by the next one', () => inWorld('end', async (w) => {
    const worker = await w.startWorker({ limits: { shutdownTimeoutMillis: 500 } });
    await sql(`CREATE FUNCTION "${w.schema}".wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON "${w.schema}".mastra_threads FOR EACH ROW EXECUTE FUNCTION "${w.schema}".wait()`);
    const saved = saveThread(w, 'waits');
    const asleep = () => sql(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%${w.schema}%'`);
    await until('it runs', async () => (await asleep()).length > 0);
    await worker.stop();
    await until('the session is gone', async () => (await asleep()).length === 0);
    await sql(`DROP TRIGGER wait ON "${w.schema}".mastra_threads`);
    await w.startWorker();
    assert.equal((await saved).id, 'waits');
    assert.doesNotMatch(worker.log, /database refuses work/);
  }));
});

describe('Kafka', () => {
  const setLimit = (topic, bytes) => withAdmin((admin) => admin.alterConfigs({ validateOnly: false,
    resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: String(bytes) }] }] }));

  test('a dead letter it refuses stops the partition, nothing is skipped', () => inWorld('stopped', async (w) => {
    await setLimit(w.dlq, 2000);
    w.worker = await w.startWorker({ batch: { maxCommands: 50 } });
    const commands = Array.from({ length: 2000 }, (_, i) => ({ command: 'memory.saveThread', args: { thread: thread(`t${i}`) }, partition: 0 }));
    commands.splice(300, 0, { value: randomBytes(5000), partition: 0 });
    await w.client.post(commands);
    await until('the lane is stopped', async () => await w.worker.metric('stowage_lanes_stopped') === 1);
    assert.match(w.worker.log, /lane stopped: its dead letter can't be produced.*stowage topics create/);
    // The other partition goes on.
    await w.client.call('storage.ping', {}, { partition: 1 });
    await w.worker.stop();

    await setLimit(w.dlq, 100_000);
    w.worker = await w.startWorker();
    await until('all is applied', async () => (await sql(`SELECT count(*)::int AS n FROM "${w.schema}".mastra_threads`))[0].n === 2000);
    await until('the dead letter is there', async () => (await readTopic(w.dlq)).length === 1);
  }, { partitions: 2 }));
});

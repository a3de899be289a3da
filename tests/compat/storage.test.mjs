// storage: its commands, the tables and indexes that init creates, and data that both programs share.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exportSchemas, PostgresStore } from '@mastra/pg';
import { catalog } from './lib/catalog.mjs';
import { at, content, message, resource, thread } from './lib/fixtures.mjs';
import { closeShared, CONNECTION, initSchema, newId, sql, stowage, World } from './lib/harness.mjs';
import { Reference } from './lib/pair.mjs';

const made = [];
// All names have one length, so both sides truncate long index names at the same place.
const schemaName = (prefix) => {
  const name = `${prefix}${newId()}`;
  made.push(name);
  return name;
};

async function referenceInit(name, options = {}) {
  const store = new PostgresStore({ id: name, connectionString: CONNECTION, schemaName: name, max: 2, ...options });
  await store.init();
  await store.close();
}

let world;
before(async () => {
  world = await new World({ name: 'storage' }).open();
});
after(async () => {
  await world?.close();
  for (const name of made) await sql(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
  await closeShared();
});

describe('storage commands', () => {
  test('ping', async () => {
    const pong = await world.client.call('storage.ping');
    assert.equal(pong.schemaName, world.schema);
    assert.match(pong.version, /^\d+\.\d+\.\d+/);
    assert.ok(Math.abs(pong.time - Date.now()) < 3_600_000, String(pong.time));
    const { stdout } = stowage(['version']);
    assert.ok(stdout.includes(pong.version), stdout);
  });

  test('init on existing tables changes nothing', async () => {
    const was = await catalog(world.schema, { own: true });
    const done = await world.client.call('storage.init');
    assert.equal(typeof done.statements, 'number');
    assert.deepEqual(await catalog(world.schema, { own: true }), was);
  });

  test('init creates missing tables again', async () => {
    const was = await catalog(world.schema);
    await sql(`DROP TABLE "${world.schema}".mastra_resources`);
    await world.client.call('storage.init');
    assert.deepEqual(await catalog(world.schema), was);
  });

  test('exportSchemas creates what init creates, and at least what the reference\'s export does', async () => {
    const ours = schemaName('ea_');
    const inited = schemaName('eb_');
    const theirs = schemaName('ec_');
    await sql(await world.client.call('storage.exportSchemas', { schemaNames: [ours] }));
    initSchema(inited);
    const exported = await catalog(ours);
    assert.deepEqual(exported, await catalog(inited));
    // The reference's export lacks the objects that only its init creates.
    await sql(exportSchemas(theirs));
    const reference = await catalog(theirs);
    for (const kind of ['tables', 'columns']) {
      for (const [name, text] of Object.entries(reference[kind])) assert.equal(exported[kind][name], text);
    }
  });

  test('exportSchemas of several schemas and of none', async () => {
    const names = [schemaName('ec_'), schemaName('ed_')];
    const ddl = await world.client.call('storage.exportSchemas', { schemaNames: names });
    for (const name of names) assert.ok(ddl.includes(name));
    assert.equal(typeof await world.client.call('storage.exportSchemas', { schemaNames: [] }), 'string');
  });

  test('exportSchemas rejects names that are not valid, and quotes the others', async () => {
    const exported = (name) => world.client.call('storage.exportSchemas', { schemaNames: [name] });
    for (const name of ['', 'x'.repeat(64), 'a\0b']) await assert.rejects(exported(name), { category: 'INVALID' }, JSON.stringify(name));
    const hostile = `${schemaName('ef_')}"; DROP SCHEMA ${world.schema}; --`;
    await sql(await exported(hostile));
    assert.deepEqual(await sql('SELECT nspname FROM pg_namespace WHERE nspname = $1', [hostile]), [{ nspname: hostile }]);
    await sql(`DROP SCHEMA "${hostile.replaceAll('"', '""')}" CASCADE`);
  });

  test('stowage export-schema prints the same', async () => {
    const ours = schemaName('ee_');
    const printed = stowage(['export-schema', ours]);
    assert.equal(printed.code, 0, printed.stderr);
    assert.equal(printed.stdout.trim(), (await world.client.call('storage.exportSchemas', { schemaNames: [ours] })).trim());
  });
});

describe('stowage init', () => {
  for (const [name, env, options] of [
    ['by default', {}, {}],
    ['without default indexes', { STOWAGE_POSTGRES_SKIP_DEFAULT_INDEXES: 'true' }, { skipDefaultIndexes: true }],
  ]) {
    test(`creates the objects that the reference's init creates, ${name}`, async () => {
      const ours = schemaName('sa_');
      const theirs = schemaName('sb_');
      const done = stowage(['init'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: ours, ...env } });
      assert.equal(done.code, 0, done.stderr);
      await referenceInit(theirs, options);
      const [mine, reference] = [await catalog(ours), await catalog(theirs)];
      for (const kind of Object.keys(mine)) assert.deepEqual(mine[kind], reference[kind], kind);
      assert.equal(Object.keys(reference.tables).filter((table) => table.startsWith('mastra_')).length, 43);
    });
  }

  test('after the reference\'s init changes none of its objects', async () => {
    const name = schemaName('sc_');
    await referenceInit(name);
    const was = await catalog(name);
    initSchema(name);
    assert.deepEqual(await catalog(name), was);
  });

  test('before the reference\'s init: that changes none of Stowage\'s objects', async () => {
    const name = schemaName('sd_');
    initSchema(name);
    const was = await catalog(name, { own: true });
    await referenceInit(name);
    assert.deepEqual(await catalog(name, { own: true }), was);
  });

  test('twice is the same as once', async () => {
    const name = schemaName('se_');
    initSchema(name);
    const was = await catalog(name, { own: true });
    initSchema(name);
    assert.deepEqual(await catalog(name, { own: true }), was);
  });

  test('--plan prints the SQL and changes nothing', async () => {
    const name = schemaName('sf_');
    const plan = stowage(['init', '--plan'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: name } });
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /CREATE TABLE/);
    assert.deepEqual(await sql('SELECT 1 FROM pg_namespace WHERE nspname = $1', [name]), []);
    await sql(plan.stdout);
    const again = schemaName('sg_');
    initSchema(again);
    assert.deepEqual(await catalog(name, { own: true }), await catalog(again, { own: true }));
  });

  test('a schema name that needs quotes', async () => {
    const name = schemaName('Weird Näme-');
    const done = stowage(['init'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: name } });
    // The reference accepts only SQL identifiers. Both must reject the same names.
    const reference = await referenceInit(schemaName('Weird Näme-')).then(() => true, () => false);
    assert.equal(done.code === 0, reference, done.stderr);
  });
});

describe('one schema, two programs', () => {
  // The worker uses the schema that the reference created, and the reference the one of Stowage.
  for (const maker of ['stowage', 'reference']) {
    test(`each reads what the other wrote: tables of ${maker}`, async () => {
      const own = new World({ name: 'cross' });
      own.schema = schemaName('x_');
      own.config.postgres.schemaName = own.schema;
      if (maker === 'reference') await referenceInit(own.schema);
      await own.open();
      const reference = new Reference(own.schema);
      try {
        if (maker === 'stowage') await reference.init();
        await write((command, args) => own.client.call(command, args), 'a');
        await write((command, args) => reference.call(command, args), 'b');
        for (const prefix of ['a', 'b']) {
          for (const [command, args] of reads(prefix)) {
            const [ours, theirs] = [await own.client.call(command, args), await reference.call(command, args)];
            const schema = own.client.schemas.command(command).replySchema;
            assert.deepEqual(ours, schema.decode(schema.encode({ result: theirs })).result, `${command} ${prefix}`);
            assert.ok(ours, `${command} ${prefix}`);
          }
        }
        // Each changes rows that the other wrote.
        await own.client.call('memory.updateThread', { id: 'b-t', metadata: { by: 'stowage' } });
        await reference.call('memory.updateThread', { id: 'a-t', metadata: { by: 'reference' } });
        assert.deepEqual((await reference.call('memory.getThreadById', { threadId: 'b-t' })).metadata, { kind: 'test', by: 'stowage' });
        assert.deepEqual((await own.client.call('memory.getThreadById', { threadId: 'a-t' })).metadata, { kind: 'test', by: 'reference' });
        await own.client.call('workflows.updateWorkflowResults', { workflowName: 'w', runId: 'b-run', stepId: 's2', result: { status: 'success', output: 1 }, requestContext: {} });
        assert.equal((await reference.call('workflows.loadWorkflowSnapshot', { workflowName: 'w', runId: 'b-run' })).context.s2.output, 1);
      } finally {
        await reference.close();
        await own.close();
      }
    });
  }

  async function write(call, prefix) {
    const id = (name) => `${prefix}-${name}`;
    await call('memory.saveThread', { thread: thread(id('t'), { resourceId: id('r') }) });
    await call('memory.saveMessages', { messages: [1, 2, 3].map((i) => message(id(`m${i}`), id('t'), i, { resourceId: id('r'), content: content(`Grüße ${i}`, { metadata: { i } }) })) });
    await call('memory.saveResource', { resource: resource(id('r')) });
    const om = await call('memory.initializeObservationalMemory', { threadId: id('t'), resourceId: id('r'), scope: 'thread', config: { a: 1 } });
    await call('memory.updateBufferedObservations', { id: om.id, lastBufferedAtTime: at(9), chunk: { cycleId: 'c', observations: 'seen', tokenCount: 5, messageIds: [id('m1')], messageTokens: 50, lastObservedAt: at(3), extractedValues: { k: 1 } } });
    await call('memory.updateActiveObservations', { id: om.id, observations: 'o', tokenCount: 3, lastObservedAt: at(4), observedMessageIds: [id('m1')] });
    await call('memory.updateBufferedReflection', { id: om.id, reflection: 'r', tokenCount: 1, inputTokenCount: 2, reflectedObservationLineCount: 1 });
    await call('workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: id('run'), resourceId: id('r'), createdAt: at(1), updatedAt: at(2), snapshot: { runId: id('run'), status: 'running', context: { input: {} }, requestContext: {} } });
  }

  function reads(prefix) {
    const id = (name) => `${prefix}-${name}`;
    return [
      ['memory.getThreadById', { threadId: id('t') }],
      ['memory.listThreads', { filter: { resourceId: id('r') } }],
      ['memory.listMessages', { threadId: id('t'), filter: { metadata: { i: 2 } } }],
      ['memory.listMessagesByResourceId', { resourceId: id('r') }],
      ['memory.listMessagesById', { messageIds: [id('m3'), id('m1')] }],
      ['memory.getResourceById', { resourceId: id('r') }],
      ['memory.getObservationalMemory', { threadId: id('t'), resourceId: id('r') }],
      ['workflows.loadWorkflowSnapshot', { workflowName: 'w', runId: id('run') }],
      ['workflows.getWorkflowRunById', { runId: id('run') }],
      ['workflows.listWorkflowRuns', { resourceId: id('r') }],
    ];
  }
});

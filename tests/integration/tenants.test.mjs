// Tenants: commands with the header schema-name act on a PostgreSQL schema of their own, one worker serves many of
// them, and what is wrong with one of them stays its own.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, content, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, pg, sql, stowageAsync, until, World } from '../compat/lib/harness.mjs';
import { Reference } from '../compat/lib/pair.mjs';

const P = `tn_${newId()}`;
const ODD = `te"nant'1 \\x ${P}`; // quotes and a backslash
const ROLE = `query_${newId()}`;
const quoted = pg.escapeIdentifier;
const world = new World({ name: 'tenants', partitions: 2, config: { storage: { query: 'read', queryRole: ROLE }, postgres: { schemas: `${P}.*|Tenant .*|te"nant.*|pg_tenant|.*[$].*` } } });
const made = new Set();

before(async () => {
  await sql(`CREATE ROLE ${ROLE}; GRANT ${ROLE} TO CURRENT_USER`);
  await world.open();
});
after(async () => {
  await world.close();
  await sql(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  for (const schema of made) await sql(`DROP SCHEMA IF EXISTS ${quoted(schema)} CASCADE`);
  await closeShared();
});

const HEADER = 'schema-name';
const options = (schema, more = {}) => ({ partition: 0, ...more, headers: { ...more.headers, ...(schema === undefined ? {} : { [HEADER]: schema }) } });
const call = (schema, command, args = {}, more) => world.client.call(command, args, options(schema, more));
const failure = (promise) => promise.then((result) => assert.fail(`it succeeded: ${JSON.stringify(result)}`), (error) => error);
const fails = async (schema, command, args, code, text) => {
  const error = await failure(call(schema, command, args));
  assert.equal(error.code, code, error.message);
  assert.match(error.text, text);
  return error;
};
const saveThread = (schema, id, title) => call(schema, 'memory.saveThread', { thread: thread(id, { title }) });
const title = (schema, threadId) => call(schema, 'memory.getThreadById', { threadId }).then((found) => found?.title ?? null);

async function tenant(name = `${P}_${newId()}`) {
  made.add(name);
  await call(name, 'storage.init');
  const [{ tables }] = await sql("SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 'mastra%'", [name]);
  assert.ok(tables > 40, `${tables} tables`);
  return name;
}

// Sends commands as neighbours of one partition: [schema, command, args]. An error becomes its code.
async function together(list, more = {}) {
  const sent = list.map(([schema, command, args]) => ({ command, args, key: 'k', correlationId: newId(), ...options(schema, more) }));
  const replies = sent.map(({ command, correlationId }) => world.client.expect(correlationId, command));
  await world.client.post(sent);
  return (await Promise.all(replies)).map(({ schema, decoded }) => (schema === world.client.schemas.error ? decoded.code : decoded.result));
}

describe('two tenants in one batch', () => {
  test('have the same ids, and the own schema as well', async () => {
    const [a, b] = [await tenant(), await tenant()];
    const all = [a, b, undefined, world.schema, a, undefined, b];
    const id = newId();
    const results = await together([
      ...all.map((schema) => [schema, 'storage.ping', {}]),
      ...all.map((schema, i) => [schema, 'memory.saveThread', { thread: thread(id, { title: `${schema ?? 'own'} ${i}` }) }]),
      ...all.map((schema) => [schema, 'memory.getThreadById', { threadId: id }]),
    ]);
    assert.deepEqual(results.slice(0, 7).map(({ schemaName }) => schemaName), all.map((schema) => schema ?? world.schema));
    assert.deepEqual(results.slice(14).map((found) => found.title), [`${a} 4`, `${b} 6`, 'own 5', 'own 5', `${a} 4`, 'own 5', `${b} 6`]);
  });

  test('fold among themselves only', async () => {
    const [a, b] = [await tenant(), await tenant()];
    const span = (i) => ({ traceId: 't', spanId: `s${i}`, name: 'n', spanType: 'generic', isEvent: false, startedAt: at(i) });
    const of = [a, a, a, b, b, a, undefined, undefined, b];
    await together(of.map((schema, i) => [schema, 'observability.createSpan', { span: span(i) }]));
    for (const schema of [a, b, world.schema]) {
      const rows = await sql(`SELECT "spanId" FROM "${schema}".mastra_ai_spans ORDER BY 1`);
      assert.deepEqual(rows.map(({ spanId }) => spanId), of.flatMap((other, i) => ((other ?? world.schema) === schema ? [`s${i}`] : [])));
    }
  });

  test('write spans that exist and spans that are new, in turns', async () => {
    const [a, b] = [await tenant(), await tenant()];
    const span = (i, name) => ({ traceId: 't', spanId: `s${i}`, name, spanType: 'generic', isEvent: false, startedAt: at(i) });
    const write = (name, ids, more = []) => together([...ids.flatMap((i) => [a, b, undefined].map((schema) =>
      [schema, 'observability.createSpan', { span: span(i, `${schema ?? 'own'} ${name}`) }])), ...more]);
    await write('first', [0, 1, 2]);
    const results = await write('second', [3, 2, 4, 0], [a, b, undefined].map((schema) => [schema, 'observability.getSpan', { traceId: 't', spanId: 's2' }]));
    assert.deepEqual(results.slice(-3).map(({ span: found }) => found.name), [`${a} second`, `${b} second`, 'own second']);
    for (const schema of [a, b, undefined]) {
      const rows = await sql(`SELECT "spanId" AS id, name FROM "${schema ?? world.schema}".mastra_ai_spans WHERE "traceId" = 't' AND name LIKE '% first' OR name LIKE '% second' ORDER BY 1`);
      const of = schema ?? 'own';
      assert.deepEqual(rows.map(({ id, name }) => [id, name]), [['s0', `${of} second`], ['s1', `${of} first`], ['s2', `${of} second`], ['s3', `${of} second`], ['s4', `${of} second`]]);
    }
  });

  test('read what the reference wrote with this schemaName, and it reads what they wrote', async () => {
    const references = [new Reference(`${P}_${newId()}`), new Reference(`${P}_${newId()}`)];
    try {
      for (const [i, reference] of references.entries()) {
        made.add(reference.schemaName);
        await reference.init();
        await reference.call('memory.saveThread', { thread: thread('theirs', { title: `theirs ${i}` }) });
      }
      await together(references.map(({ schemaName }, i) => [schemaName, 'memory.saveThread', { thread: thread('ours', { title: `ours ${i}` }) }]));
      for (const [i, reference] of references.entries()) {
        assert.equal(await title(reference.schemaName, 'theirs'), `theirs ${i}`);
        const args = { threadId: 'ours' };
        assert.deepEqual(await call(reference.schemaName, 'memory.getThreadById', args), await reference.call('memory.getThreadById', args));
        const list = { perPage: 10 };
        assert.deepEqual(await call(reference.schemaName, 'memory.listThreads', list), await reference.call('memory.listThreads', list));
      }
    } finally {
      for (const reference of references) await reference.close();
    }
  });

  test('give the same idempotency key to different commands', async () => {
    const [a, b] = [await tenant(), await tenant()];
    const key = newId();
    const one = (schema, text) => [schema, 'memory.saveThread', { thread: thread('i', { title: text }) }];
    const headers = { 'idempotency-key': key };
    const results = await together([one(a, 'a'), one(b, 'b'), one(undefined, 'own'), one(a, 'a'), one(b, 'another')], { headers });
    assert.deepEqual(results.map((found) => found.title ?? found), ['a', 'b', 'own', 'a', 'IDEMPOTENCY_KEY_REUSED']);
    const kept = await sql(`SELECT schema_name FROM "${world.schema}".stowage_idempotency WHERE key = $1 ORDER BY 1`, [key]);
    assert.deepEqual(kept.map((row) => row.schema_name), [a, b, world.schema].sort());
  });
});

describe('a name', () => {
  const LONG = `${P}_${'é'.repeat(24)}`;
  const long = LONG + 'x'.repeat(63 - Buffer.byteLength(LONG));
  const good = { 'with capitals, blanks and dashes': `Tenant ${P}-A.b`, 'of 63 bytes': long, 'that begins as another one does': `${P}_x`,
    'that is the beginning of another one': P, 'with quotes and a backslash': ODD, 'with a single quote': `${P}'`, 'with control characters': `${P}\n\t\x7f`,
    'with a dot and a double quote': `${P}".x`, 'that ends dollar-quoted text': `${P}$$;$stowage$` };
  for (const [what, name] of Object.entries(good)) {
    test(`${what} is served`, async () => {
      await tenant(name);
      await saveThread(name, 'n', what);
      assert.equal(await title(name, 'n'), what);
      assert.equal((await sql(`SELECT title FROM ${quoted(name)}.mastra_threads`))[0].title, what);
    });
  }

  const bad = { 'does not match the pattern': [`other_${P}`, /does not match.*postgres\.schemas/], 'matches it in part': [`x${P}`, /does not match/],
    'is empty': ['', /no name of a schema/], 'is too long': [`${long}x`, /no name of a schema/], 'has a NUL': [`${P}\0x`, /no name of a schema/],
    'is not UTF-8': [Buffer.from([...Buffer.from(P), 0xff]), /not a valid/], 'is reserved': ['pg_tenant', /reserved/],
    'is information_schema': ['information_schema', /reserved/] };
  for (const [what, [name, text]] of Object.entries(bad)) {
    test(`that ${what} is refused before the command is decoded`, async () => {
      await fails(name, 'memory.getThreadById', { threadId: 't' }, 'SCHEMA_NOT_ALLOWED', text);
      const { requestSchema } = world.client.schemas.command('memory.getThreadById');
      const value = Buffer.concat([world.client.schemas.encode('memory.getThreadById', { threadId: 't' }).subarray(0, 10), Buffer.from([0x7f])]);
      assert.ok(requestSchema);
      const reply = await world.client.exchange(value, options(name));
      assert.equal(reply.decoded.code, 'SCHEMA_NOT_ALLOWED');
    });
  }

  test('other than the own one is refused without a pattern', async () => {
    const other = new World({ name: 'no-tenants' });
    try {
      await other.open();
      const ping = (schema) => other.client.call('storage.ping', {}, { headers: { [HEADER]: schema } });
      assert.equal((await ping(other.schema)).schemaName, other.schema);
      assert.equal((await failure(ping('tenant'))).code, 'SCHEMA_NOT_ALLOWED');
    } finally {
      await other.close();
    }
  });
});

describe('a tenant without tables', () => {
  const name = `${P}_none`;

  test('gets an error that says what to send, and works after it', async () => {
    await fails(name, 'memory.getThreadById', { threadId: 't' }, 'SCHEMA_NOT_INITIALIZED', /no schema .*storage\.init with the header schema-name/);
    await fails(name, 'storage.ping', {}, 'SCHEMA_NOT_INITIALIZED', /no schema/);
    assert.match(await call(name, 'storage.exportSchemas', { schemaNames: [] }), new RegExp(name));
    await tenant(name);
    assert.equal((await call(name, 'storage.init')).statements, 0);
    assert.equal(await title(name, 't'), null);
    const own = await sql('SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND table_name LIKE $2', [name, 'stowage%']);
    assert.deepEqual(own, []);
  });

  test('is no outage, in one batch with others', async () => {
    const good = await tenant();
    const missing = `${P}_missing`;
    const results = await together([[good, 'memory.saveThread', { thread: thread('m') }], [missing, 'memory.saveThread', { thread: thread('m') }],
      [undefined, 'memory.saveThread', { thread: thread('m') }], [missing, 'storage.ping', {}]]);
    assert.deepEqual(results.map((found) => found.id ?? found), ['m', 'SCHEMA_NOT_INITIALIZED', 'm', 'SCHEMA_NOT_INITIALIZED']);
    assert.doesNotMatch(world.log(), /database refuses work/);
  });

  test('sends its dead letter with the header, and the replay finds its schema', async () => {
    const later = `${P}_later`;
    const dead = await world.tail();
    await world.client.post([{ command: 'memory.saveThread', args: { thread: thread('d', { title: later }) }, partition: 0, headers: { [HEADER]: later } }]);
    await dead.find('the dead letter', ({ text }) => text[HEADER] === later);
    await tenant(later);
    const done = await stowageAsync(['dlq', 'replay', '--topic', world.topic], { env: { STOWAGE_KAFKA_TOPICS: world.topic } });
    assert.equal(done.code, 0, done.stderr);
    await until('the command has run', async () => (await title(later, 'd')) === later);
  });
});

describe('a tenant whose schema changes while the worker runs', () => {
  const neighbours = async (bad, command, code) => {
    const good = made.values().next().value;
    const results = await together([[good, 'storage.ping', {}], [bad, ...command], [undefined, 'storage.ping', {}], [bad, ...command], [good, 'memory.saveThread', { thread: thread('g') }]]);
    assert.deepEqual(results.map((found) => found.schemaName ?? found.id ?? found), [good, code, world.schema, code, 'g']);
    assert.doesNotMatch(world.log(), /database refuses work/);
  };
  const command = ['memory.saveThread', { thread: thread('t') }];

  test('is dropped and made again', async () => {
    const name = await tenant();
    await saveThread(name, 't', 'first');
    await sql(`DROP SCHEMA "${name}" CASCADE`);
    await neighbours(name, command, 'SCHEMA_NOT_INITIALIZED');
    await fails(name, 'memory.getThreadById', { threadId: 't' }, 'SCHEMA_NOT_INITIALIZED', /storage\.init/);
    await tenant(name);
    assert.equal(await title(name, 't'), null);
    await saveThread(name, 't', 'second');
    assert.equal(await title(name, 't'), 'second');
  });

  test('has an older version of the tables', async () => {
    const name = await tenant();
    await sql(`ALTER TABLE "${name}".mastra_threads DROP COLUMN "updatedAtZ"`);
    await neighbours(name, command, 'SCHEMA_NOT_INITIALIZED');
    await fails(name, 'scores.getScoreById', { id: 's' }, 'SCHEMA_NOT_INITIALIZED', /lacks mastra_threads\.updatedAtZ/);
    await call(name, 'storage.init');
    await saveThread(name, 't', 'again');
  });

  test('lost a primary key', async () => {
    const name = await tenant();
    await sql(`ALTER TABLE "${name}".mastra_threads DROP CONSTRAINT "${(await sql(`SELECT conname FROM pg_constraint WHERE conrelid = '"${name}".mastra_threads'::regclass AND contype = 'p'`))[0].conname}"`);
    await neighbours(name, command, 'SCHEMA_BROKEN');
    const error = await fails(name, ...command, 'SCHEMA_BROKEN', /primary key/);
    assert.deepEqual([error.category, error.retryable], ['UNAVAILABLE', true]);
    await sql(`ALTER TABLE "${name}".mastra_threads ADD PRIMARY KEY (id)`);
    await saveThread(name, 't', 'again');
  });
});

describe("a role that may use only one tenant's schema", () => {
  test("serves that one, and others get errors of their own", async () => {
    const role = `role_${newId()}`;
    const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
    await admin.connect();
    const [mine, other] = [await tenant(`${ODD} mine`), await tenant()];
    const restricted = new World({ name: 'restricted', config: { postgres: { user: role, schemas: `${P}.*|te"nant.*`, disableInit: true } } });
    try {
      await restricted.open({ start: false });
      await admin.query(`CREATE ROLE ${role} LOGIN`);
      for (const schema of [restricted.schema, mine]) {
        await admin.query(`GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA ${quoted(schema)} TO ${role};
          GRANT ALL ON ALL SEQUENCES IN SCHEMA ${quoted(schema)} TO ${role}`);
      }
      await restricted.startWorker();
      const save = (schema) => restricted.client.call('memory.saveThread', { thread: thread('r') }, { headers: { [HEADER]: schema } });
      assert.equal((await save(mine)).id, 'r');
      assert.match((await failure(save(other))).text, /role has no right to use the schema/);
      await admin.query(`GRANT USAGE ON SCHEMA "${other}" TO ${role}`);
      const error = await failure(save(other));
      assert.deepEqual([error.code, error.category], ['SCHEMA_BROKEN', 'UNAVAILABLE']);
      assert.match(error.text, /permission denied/);
      assert.equal((await save(mine)).id, 'r');
      assert.match((await failure(restricted.client.call('storage.init', {}, { headers: { [HEADER]: `${P}_new` } }))).text, /disableInit/);
      made.add(`${P}_new`);
      const init = await stowageAsync(['init', '--tenant', `${P}_new`], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: restricted.schema } });
      assert.match(init.stdout, new RegExp(`schema ${P}_new: ran \\d+ statements`), init.stderr);
      assert.equal((await call(`${P}_new`, 'storage.init')).statements, 0);
      const own = await sql('SELECT FROM information_schema.tables WHERE table_schema = $1 AND table_name LIKE $2', [`${P}_new`, 'stowage%']);
      assert.equal(own.length, 0);
      assert.doesNotMatch(restricted.log(), /database refuses work/);
    } finally {
      await restricted.close();
      await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await admin.end();
    }
  });
});

describe('vector indexes', () => {
  test('of one name are different indexes in two tenants', async () => {
    await sql('CREATE EXTENSION IF NOT EXISTS vector');
    const [a, b] = [await tenant(), await tenant()];
    const indexName = 'docs';
    await Promise.all([[a, 2], [b, 3]].map(([schema, dimension]) => call(schema, 'vectors.createIndex', { indexName, dimension, indexConfig: { type: 'hnsw' } })));
    for (const schema of [a, b]) {
      const build = await call(schema, 'vectors.describeBuild', { indexName });
      assert.equal(build.state, 'done');
      const found = await sql('SELECT FROM pg_indexes WHERE schemaname = $1 AND tablename = $2 AND indexdef LIKE $3', [schema, indexName, '%hnsw%']);
      assert.equal(found.length, 1);
    }
    assert.equal(await call(undefined, 'vectors.describeBuild', { indexName }), undefined);
    for (let round = 0; round < 3; round++) { // the later rounds use what the connections remember
      await call(a, 'vectors.upsert', { indexName, vectors: [[1, round]], ids: ['v'], metadata: [{ of: 'a' }] });
      await call(b, 'vectors.upsert', { indexName, vectors: [[1, 0, round]], ids: ['v'], metadata: [{ of: 'b' }] });
      const [one] = await call(a, 'vectors.query', { indexName, queryVector: [1, 0], topK: 1 });
      const [two] = await call(b, 'vectors.query', { indexName, queryVector: [1, 0, 0], topK: 1 });
      assert.deepEqual([one.metadata, two.metadata], [{ of: 'a' }, { of: 'b' }]);
    }
    await call(a, 'vectors.deleteIndex', { indexName });
    assert.equal((await failure(call(a, 'vectors.query', { indexName, queryVector: [1, 0], topK: 1 }))).name, 'Error');
    assert.equal((await call(b, 'vectors.query', { indexName, queryVector: [1, 0, 0], topK: 1 })).length, 1);
  });
});

describe('a name with quotes', () => {
  test('is quoted in the commands of each kind', async () => {
    const name = `${ODD} all`;
    await tenant(name);
    await together(['a', 'b'].map((id) => [name, 'observability.createSpan', { span: { traceId: 't', spanId: id, name: id, spanType: 'generic', isEvent: false, startedAt: at(0) } }]));
    assert.equal((await call(name, 'observability.getTrace', { traceId: 't' })).spans.length, 2);
    const index = { indexName: 'docs', dimension: 2, indexConfig: { type: 'hnsw' } };
    await call(name, 'vectors.createIndex', index);
    await call(name, 'vectors.upsert', { indexName: 'docs', vectors: [[1, 0]], ids: ['v'], metadata: [{ of: name }] });
    assert.deepEqual((await call(name, 'vectors.query', { indexName: 'docs', queryVector: [1, 0], topK: 1 }))[0].metadata, { of: name });
    assert.equal((await call(name, 'vectors.describeBuild', { indexName: 'docs' })).state, 'done');
    await sql(`GRANT USAGE ON SCHEMA ${quoted(name)} TO ${ROLE}; GRANT SELECT ON ALL TABLES IN SCHEMA ${quoted(name)} TO ${ROLE}`);
    const found = await call(name, 'storage.query', { sql: 'SELECT count(*)::int AS spans FROM mastra_ai_spans', params: [] });
    assert.deepEqual(found.rows, [{ spans: 2 }]);
    await call(name, 'observability.prune', { policies: { spans: { maxAge: '1d' } } });
    assert.equal(await call(name, 'observability.getTrace', { traceId: 't' }), undefined);
  });

  test('is quoted in the DDL, also where it could end a quoted text', async () => {
    for (const name of [`${ODD} ddl`, `${P}$$;$stowage$ddl`]) {
      made.add(name);
      await sql(await call(name, 'storage.exportSchemas', { schemaNames: [name] }));
      assert.equal((await call(name, 'storage.init')).statements, 0);
      const own = { STOWAGE_POSTGRES_SCHEMA_NAME: `${name}own` };
      made.add(`${name}own`);
      for (const text of [/ran \d+ statements/, /nothing to do/]) assert.match((await stowageAsync(['init'], { env: own })).stdout, text);
      await stowageAsync(['check'], { env: own }).then(({ stdout }) => assert.match(stdout, /ok +statements/i));
    }
  });
});

describe('other commands', () => {
  test("prune deletes the tenant's rows alone", async () => {
    const name = await tenant();
    const old = { id: 'm', threadId: 't', resourceId: 'r1', role: 'user', type: 'v2', createdAt: at(0), content: content('old') };
    for (const schema of [name, undefined]) {
      await saveThread(schema, 't', 'old');
      await call(schema, 'memory.saveMessages', { messages: [old] });
    }
    await call(name, 'storage.prune', {});
    await call(name, 'memory.prune', { policies: { messages: { maxAge: '1d' } } });
    const count = async (schema) => Number((await sql(`SELECT count(*) FROM "${schema}".mastra_messages`))[0].count);
    assert.deepEqual([await count(name), await count(world.schema)], [0, 1]);
  });

  test('in a storage.transaction act on its schema', async () => {
    const name = await tenant();
    const { encode } = world.client.schemas;
    const commands = [['memory.saveThread', { thread: thread('x', { title: name }) }], ['memory.getThreadById', { threadId: 'x' }]]
      .map(([command, args]) => encode.call(world.client.schemas, command, args));
    const [, found] = (await call(name, 'storage.transaction', { commands })).map((reply) => world.client.schemas.decode(reply).value.result);
    assert.deepEqual([found.title, await title(name, 'x'), await title(undefined, 'x')], [name, name, null]);
  });

  test('stowage send names the schema in a header', async () => {
    const name = await tenant();
    const env = { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema };
    const args = ['send', '--topic', world.topic, '--reply-topic', world.client.replyTopic, '--header', `${HEADER}=${name}`, 'storage.ping', '{}'];
    const done = await stowageAsync(args, { env });
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, new RegExp(name));
  });
});

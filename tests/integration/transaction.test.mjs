// storage.transaction: its commands take effect together or not at all, reads see the writes before them, and the
// first failure names its command.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { message, resource, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, schemas, sql, stowage, World } from '../compat/lib/harness.mjs';
import { callTogether, headerText } from '../compat/lib/stowage-client.mjs';

let world;
let client;
before(async () => {
  world = await new World({ name: 'transaction', config: { limits: { transactionCommands: 200 } } }).open();
  client = world.client;
  await sql('CREATE EXTENSION IF NOT EXISTS vector');
});
after(async () => {
  await world?.close();
  await closeShared();
});

const framed = (list) => list.map(([command, args]) => schemas().encode(command, args));
const unframed = (list) => list.map((value) => schemas().decode(value).value.result);
const run = async (list, options) => unframed(await client.call('storage.transaction', { commands: framed(list) }, options));
// `index`: the number, or a list of the number and the code.
const fails = (list, index, category) => assert.rejects(run(list), (error) => {
  const [number, code = error.details.code] = [].concat(index);
  assert.equal(error.code, 'TRANSACTION_FAILED');
  assert.deepEqual(error.details, { index: number, code });
  if (category) assert.equal(error.category, category);
  return true;
});
const save = (id, over) => ['memory.saveThread', { thread: thread(id, over) }];
const get = (threadId) => ['memory.getThreadById', { threadId }];
const count = async (like, table = 'mastra_threads') =>
  Number((await sql(`SELECT count(*) FROM "${world.schema}".${table} WHERE id LIKE $1`, [`${like}%`]))[0].count);
const INVALID = ['memory.listThreads', { page: -1 }];

describe('a transaction that succeeds', () => {
  test('returns the replies in order, and reads see the writes before them', async () => {
    const id = newId();
    const [none, saved, found, messages, updated] = await run([
      get(id), save(id), get(id),
      ['memory.saveMessages', { messages: [message(`${id}m`, id, 1)] }],
      ['memory.updateThread', { id, title: 'new', metadata: { b: 2 } }],
    ]);
    assert.equal(none ?? null, null);
    assert.equal(saved.id, id);
    assert.deepEqual(found, saved);
    assert.equal(messages.messages?.length ?? messages.length, 1);
    assert.equal(updated.title, 'new');
    assert.equal((await client.call(...get(id))).title, 'new');
  });

  test('may be empty, and may hold reads alone', async () => {
    assert.deepEqual(await run([]), []);
    assert.equal((await run([['storage.ping', {}]]))[0].schemaName, world.schema);
  });

  test('many commands, and a detached read among them', async () => {
    const id = newId();
    const list = Array.from({ length: 150 }, (_, i) => save(`${id}${i}`));
    list.splice(100, 0, get(`${id}99`), get(`${id}100`));
    const results = await run(list);
    assert.equal(results[100].id, `${id}99`);
    assert.equal(results[101] ?? null, null);
    assert.equal(await count(id), 150);
  });

  test('through stowage send', async () => {
    const id = newId();
    const commands = framed([save(id), get(id)]).map((bytes) => Buffer.from(bytes).toString('base64'));
    const sent = stowage(['send', 'storage.transaction', '--topic', world.topic, '--reply-topic', client.replyTopic, JSON.stringify({ commands })],
      { env: { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema } });
    assert.equal(sent.code, 0, sent.stderr);
    const replies = JSON.parse(sent.stdout);
    assert.equal(unframed(replies.map((text) => Buffer.from(text, 'base64')))[1].id, id);
  });

  test('through stowage send, written as JSON', async () => {
    const id = newId();
    const send = (commands) => stowage(['send', 'storage.transaction', '--topic', world.topic, '--reply-topic', client.replyTopic, JSON.stringify({ commands })],
      { env: { STOWAGE_POSTGRES_SCHEMA_NAME: world.schema } });
    const sent = send([{ command: 'memory.saveThread', request: { thread: thread(id) } }, { command: 'memory.getThreadById', request: { threadId: id } },
      { command: 'memory.getThreadById', request: { threadId: `${id}x` } }, { command: 'storage.ping' }]);
    assert.equal(sent.code, 0, sent.stderr);
    const [saved, found, none, pong] = JSON.parse(sent.stdout);
    assert.equal(saved.id, id);
    assert.deepEqual(found, saved);
    assert.equal(none, null);
    assert.equal(pong.schemaName, world.schema);
    for (const [mistake, text] of [[{ command: 'memory.nothing' }, /commands\[1\]: .*names no command/], [{ command: 'memory.getThreadById', request: { thread: 1 } }, /commands\[1\]: .*thread/]]) {
      const refused = send([{ command: 'storage.ping' }, mistake]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, text);
    }
  });
});

describe('a transaction that fails', () => {
  test('leaves nothing, for an error of a handler and for one of the database', async () => {
    const id = newId();
    await fails([save(id), ['memory.updateThread', { id: `${id}x`, title: 't', metadata: {} }], save(`${id}b`)],
      [1, 'THREAD_NOT_FOUND'], 'NOT_FOUND');
    await sql(`CREATE FUNCTION "${world.schema}".refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id LIKE '%refused' THEN RAISE unique_violation USING MESSAGE = 'not this one'; END IF; RETURN NEW; END $$`);
    await sql(`CREATE TRIGGER refuse BEFORE INSERT ON "${world.schema}".mastra_resources FOR EACH ROW EXECUTE FUNCTION "${world.schema}".refuse()`);
    await fails([save(id), save(`${id}b`), ['memory.saveResource', { resource: resource(`${id}refused`) }], save(`${id}c`)],
      [2, 'DATABASE_ERROR'], 'CONFLICT');
    assert.equal(await count(id), 0);
  });

  test('names the first failure, whichever way it fails', async () => {
    const id = newId();
    const missing = (name) => ['memory.updateThread', { id: name, title: 't', metadata: {} }];
    await fails([save(id), missing(`${id}1`), missing(`${id}2`), INVALID], 1);
    await fails([save(id), INVALID, missing(`${id}1`)], 1);
    await fails([['memory.saveResource', { resource: resource(`${id}refused`) }], missing(`${id}1`)], 0);
    assert.equal(await count(id), 0);
  });

  test('takes no neighbour with it, and neighbours do not see its writes', async () => {
    const id = newId();
    const bad = (n) => ['storage.transaction', { commands: framed([save(`${id}t${n}`), ['memory.updateThread', { id: `${id}no`, title: 't', metadata: {} }]]) }];
    const worse = ['storage.transaction', { commands: framed([save(`${id}w`), ['memory.saveResource', { resource: resource(`${id}refused`) }]]) }];
    const good = ['storage.transaction', { commands: framed([save(`${id}g`), ['memory.updateThread', { id: `${id}a`, title: 'seen', metadata: {} }]]) }];
    const dependent = ['storage.transaction', { commands: framed([['memory.updateThread', { id: `${id}t1`, title: 't', metadata: {} }]]) }];
    const results = await callTogether(client, id, [save(`${id}a`), bad(1), get(`${id}t1`), dependent, good, worse, get(`${id}w`), bad(2), save(`${id}z`)]);
    assert.equal(results[1], 'TRANSACTION_FAILED');
    assert.equal(results[2] ?? null, null);
    assert.equal(results[3], 'TRANSACTION_FAILED');
    assert.ok(Array.isArray(results[4]));
    assert.equal(results[5], 'TRANSACTION_FAILED');
    assert.equal(results[6] ?? null, null);
    assert.equal(results[7], 'TRANSACTION_FAILED');
    assert.deepEqual((await sql(`SELECT id FROM "${world.schema}".mastra_threads WHERE id LIKE $1 ORDER BY id`, [`${id}%`])).map((row) => row.id),
      [`${id}a`, `${id}g`, `${id}z`]);
  });

  test('the property: any list of commands leaves all of its rows or none', async () => {
    for (let round = 0; round < 12; round++) {
      const id = newId();
      const failing = round % 3 === 0 ? -1 : Math.floor(Math.random() * 9);
      const list = Array.from({ length: 9 }, (_, i) => (i !== failing ? save(`${id}${i}`)
        : round % 3 === 1 ? ['memory.saveResource', { resource: resource(`${id}refused`) }]
          : ['memory.updateThread', { id: `${id}no`, title: 't', metadata: {} }]));
      if (failing < 0) await run(list);
      else await fails(list, failing);
      assert.equal(await count(id), failing < 0 ? 9 : 0);
    }
  });
});

describe('what a transaction refuses before it begins', () => {
  const refused = async (commands, error) => {
    const id = newId();
    await assert.rejects(client.call('storage.transaction', { commands: [...framed([save(id)]), ...commands] }), error);
    assert.equal(await count(id), 0);
  };
  for (const [command, args] of [['storage.transaction', { commands: [] }], ['storage.init', {}], ['storage.prune', {}],
    ['vectors.createIndex', { indexName: 'a', dimension: 3 }], ['vectors.buildIndex', { indexName: 'a', indexConfig: {} }]]) {
    test(command, async () => {
      await refused(framed([[command, args]]), { code: 'TRANSACTION_FAILED', category: 'UNSUPPORTED', details: { index: 1, code: 'NOT_IN_TRANSACTION' } });
    });
  }

  test('bytes that are no command, or are cut off, or go on', async () => {
    const whole = Buffer.from(framed([save('a')])[0]);
    for (const [bytes, code] of [[Buffer.alloc(0), 'UNKNOWN_SCHEMA'], [Buffer.from('hello'), 'UNKNOWN_SCHEMA'],
      [Buffer.concat([Buffer.from([0xc3, 1]), Buffer.alloc(8, 7), whole]), 'UNKNOWN_SCHEMA'],
      [whole.subarray(0, 20), 'TRUNCATED'], [Buffer.concat([whole, Buffer.from([0])]), 'TRAILING_BYTES']]) {
      await refused([bytes], { code: 'TRANSACTION_FAILED', category: 'INVALID', details: { index: 1, code } });
    }
  });

  test('more commands than limits.transactionCommands', async () => {
    await refused(framed(Array.from({ length: 200 }, () => get('a'))), { code: 'LENGTH_BEYOND_LIMIT', category: 'INVALID' });
  });

  test('replies that do not fit into one', async () => {
    const id = newId();
    const large = { format: 2, parts: [{ type: 'text', text: 'x'.repeat(300_000) }] };
    await run([save(id), ['memory.saveMessages', { messages: [message(`${id}m`, id, 1, { content: large })] }]]);
    await assert.rejects(run([save(`${id}b`), ...Array.from({ length: 5 }, () => ['memory.listMessagesById', { messageIds: [`${id}m`] }])]),
      { code: 'REPLY_TOO_LARGE', category: 'INVALID' });
    assert.equal(await count(`${id}b`), 0);
  });
});

describe('an idempotency key', () => {
  test('covers the whole', async () => {
    const id = newId();
    const list = [['scores.saveScore', { scorerId: 's', entityId: 'e', runId: id, output: 'o', score: 1, scorer: { name: 's' },
      source: 'TEST', entityType: 'AGENT', entity: { id: 'e' } }], save(id)];
    const send = () => client.send('storage.transaction', { commands: framed(list) }, { headers: { 'idempotency-key': id } });
    const [first, again] = [await send(), await send()];
    assert.equal(headerText(again.headers, 'status'), 'ok');
    assert.deepEqual(again.value, first.value);
    assert.equal(Number((await sql(`SELECT count(*) FROM "${world.schema}".mastra_scorers WHERE "runId" = $1`, [id]))[0].count), 1);
  });

  test('of a transaction that failed is free again', async () => {
    const id = newId();
    const options = { headers: { 'idempotency-key': id } };
    const list = [save(id), ['memory.updateThread', { id: `${id}later`, title: 't', metadata: {} }]];
    await assert.rejects(run(list, options), { code: 'TRANSACTION_FAILED' });
    await client.call(...save(`${id}later`));
    await run(list, options);
    assert.equal(await count(id), 2);
  });
});

test('a transaction without reply-to takes effect, and a failing one is a dead letter', async () => {
  const id = newId();
  const dead = await world.tail();
  await client.post([{ command: 'storage.transaction', args: { commands: framed([save(id)]) }, key: id },
    { command: 'storage.transaction', args: { commands: framed([save(`${id}b`), INVALID]) }, key: id }]);
  const letter = await dead.find('the dead letter', ({ key }) => key?.toString() === id);
  assert.equal(letter.text['__connect.errors.exception.class.name'], 'TRANSACTION_FAILED');
  assert.equal(await count(id), 1);
});

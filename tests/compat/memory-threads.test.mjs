// memory: threads and resources. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, AWKWARD_JSON, HOSTILE_IDS, message, REPAIRED_JSON, resource, thread } from './lib/fixtures.mjs';
import { pg, sql } from './lib/harness.mjs';
import { Pair, SELF } from './lib/pair.mjs';

const pair = new Pair(['mastra_threads', 'mastra_messages', 'mastra_resources']);

const saveThreads = async (...list) => {
  for (const one of list) await pair.ok('memory.saveThread', { thread: one });
};

describe('memory.saveThread and memory.getThreadById', () => {
  test('a thread comes back as it was saved', async () => {
    await saveThreads(thread('t1'));
    const { stowage } = await pair.ok('memory.getThreadById', { threadId: 't1' });
    assert.equal(stowage.title, 'Title of t1');
  });

  test('a missing thread is null', () => pair.ok('memory.getThreadById', { threadId: 'none' }));
  test('an empty id is a missing thread', () => pair.ok('memory.getThreadById', { threadId: '' }));

  test('saving again replaces all fields', async () => {
    await saveThreads(thread('t1'),
      thread('t1', { title: 'other', resourceId: 'r2', metadata: { b: 2 }, createdAt: at(5), updatedAt: at(6) }));
    await pair.ok('memory.getThreadById', { threadId: 't1' });
  });

  test('absent title and metadata replace given ones', async () => {
    // The title's column is NOT NULL, so the reference fails; metadata becomes NULL.
    await saveThreads(thread('t1'));
    await pair.ok('memory.saveThread', { thread: thread('t1', { metadata: undefined }) });
    await pair.ok('memory.getThreadById', { threadId: 't1' });
    await pair.fails('memory.saveThread', { thread: thread('t1', { title: undefined }) }, 'INVALID');
    await pair.fails('memory.saveThread', { thread: thread('t2', { title: null }) }, 'INVALID');
  });

  test('empty texts', async () => {
    await saveThreads(thread('', { title: '', resourceId: '' }));
    await pair.ok('memory.getThreadById', { threadId: '' });
    await pair.ok('memory.getThreadById', { threadId: '', resourceId: '' });
  });

  test('the resource id is a condition', async () => {
    await saveThreads(thread('t1'));
    await pair.ok('memory.getThreadById', { threadId: 't1', resourceId: 'r1' });
    await pair.ok('memory.getThreadById', { threadId: 't1', resourceId: 'r2' });
    await pair.ok('memory.getThreadById', { threadId: 't1', resourceId: '' });
  });

  test('times far in the past and in the future', async () => {
    for (const [i, ms] of [0, -1, 1, 999, -62135596800000, 253402300799999, 4102444800123].entries()) {
      await saveThreads(thread(`t${i}`, { createdAt: new Date(ms), updatedAt: new Date(ms) }));
      await pair.ok('memory.getThreadById', { threadId: `t${i}` });
    }
  });

  for (const [i, id] of HOSTILE_IDS.entries()) {
    test(`hostile id ${i}: ${JSON.stringify(id.slice(0, 40))}`, async () => {
      await saveThreads(thread(id, { title: id, resourceId: id, metadata: { [id]: id } }), thread('bystander'));
      await pair.ok('memory.getThreadById', { threadId: id });
      await pair.ok('memory.getThreadById', { threadId: id, resourceId: id });
      await pair.ok('memory.listThreads', { filter: { resourceId: id } });
      await pair.ok('memory.deleteThread', { threadId: id });
    });
  }

  test('NUL in a text is rejected', async () => {
    await pair.fails('memory.saveThread', { thread: thread('a\u0000b') }, 'INVALID');
    await pair.fails('memory.saveThread', { thread: thread('t1', { title: 'a\u0000b' }) }, 'INVALID');
    await pair.fails('memory.getThreadById', { threadId: 'a\u0000b' }, 'INVALID');
  });

  for (const [name, metadata] of Object.entries(AWKWARD_JSON)) {
    test(`metadata: ${name}`, async () => {
      await saveThreads(thread('t1', { metadata }));
      await pair.ok('memory.getThreadById', { threadId: 't1' });
    });
  }
  for (const [name, metadata] of Object.entries(REPAIRED_JSON)) {
    test(`metadata that jsonb rejects: ${name}`, async () => {
      await saveThreads(thread('t1', { metadata }));
      await pair.ok('memory.getThreadById', { threadId: 't1' });
    });
  }
  test('keys that the repair makes equal', () =>
    pair.fails('memory.saveThread', { thread: thread('t1', { metadata: { 'a\u0000': 1, a: 2 } }) }, 'INVALID'));

  // The reference parses text when it reads it.
  for (const metadata of [[1, { a: 2 }], [], 5, 1.5, true, false, 0, '', '{"a":{"b":1}}', ' [1] ', '5', 'null', '"x"']) {
    test(`metadata that is not an object: ${JSON.stringify(metadata)}`, async () => {
      await saveThreads(thread('t1', { metadata }));
      await pair.ok('memory.getThreadById', { threadId: 't1' });
      await pair.ok('memory.listThreads', {});
    });
  }
  for (const metadata of ['hello', ' ', '{"a":', "{'a':1}", 'NaN']) {
    test(`metadata that can't be read back: ${JSON.stringify(metadata)}`, async () => {
      const { stowage } = await pair.differs('the reference stores what it can\'t read', 'memory.saveThread',
        { thread: thread('t1', { metadata }) }, { category: 'INVALID', code: 'INVALID_METADATA' });
      if (!SELF) assert.equal(stowage.error.details.path, 'thread.metadata');
      await pair.differs('nothing is stored', 'memory.listThreads', {}, { reference: 'fails', stowage: ({ threads }) => assert.deepEqual(threads, []) });
    });
  }

  test('large metadata', async () => {
    const metadata = { text: 'ü'.repeat(700_000), list: Array.from({ length: 5000 }, (_, i) => ({ i, s: `s${i}` })) };
    await saveThreads(thread('t1', { metadata }));
    await pair.ok('memory.getThreadById', { threadId: 't1' });
  });
});

describe('memory.updateThread and memory.patchThread', () => {
  for (const command of ['memory.updateThread', 'memory.patchThread']) {
    test(`${command}: title and metadata, alone and together`, async () => {
      await saveThreads(thread('t1', { metadata: { keep: 1, change: { deep: 1 } } }));
      await pair.ok(command, { id: 't1', title: 'new' });
      await pair.ok(command, { id: 't1', metadata: { change: { other: 2 }, add: [1] } });
      await pair.ok(command, { id: 't1', title: 'newer', metadata: { keep: null } });
      await pair.ok(command, { id: 't1' });
      await pair.ok(command, { id: 't1', title: '' });
      await pair.ok(command, { id: 't1', metadata: {} });
      await pair.ok('memory.getThreadById', { threadId: 't1' });
    });

    test(`${command}: a thread without metadata`, async () => {
      await saveThreads(thread('t1', { metadata: undefined }));
      await pair.ok(command, { id: 't1', title: 'x' });
      await pair.ok(command, { id: 't1', metadata: { a: 1 } });
    });

    test(`${command}: a missing thread fails`, () =>
      pair.fails(command, { id: 'none', title: 'x', metadata: {} }, 'NOT_FOUND'));

    for (const [name, metadata] of Object.entries(AWKWARD_JSON)) {
      test(`${command}: ${name}`, async () => {
        await saveThreads(thread('t1'));
        await pair.ok(command, { id: 't1', metadata });
        await pair.ok(command, { id: 't1', metadata });
      });
    }

    for (const [name, metadata] of Object.entries(REPAIRED_JSON)) {
      test(`${command}: text that jsonb rejects: ${name}`, async () => {
        await saveThreads(thread('t1'));
        // The reference does not repair this JSON, so PostgreSQL rejects it: a defect, since it repairs
        // the same value in saveThread. Stowage repairs it.
        await pair.differs('repaired as in saveThread', command, { id: 't1', metadata }, {
          reference: name === 'escapedBackslash' ? undefined : 'fails',
          stowage: (value) => assert.ok(!JSON.stringify(value.metadata).match(/(^|[^\\])(\\\\)*\\u(0000|d[89a-f])/)),
        });
      });
    }

    test(`${command}: hostile ids`, async () => {
      for (const id of HOSTILE_IDS) {
        await saveThreads(thread(id), thread('bystander'));
        await pair.ok(command, { id, title: id, metadata: { [id]: 1 } });
      }
    });
  }

  test('the keys of the old metadata come first', async () => {
    await saveThreads(thread('t1', { metadata: { b: 1, a: 2 } }));
    await pair.ok('memory.updateThread', { id: 't1', metadata: { c: 3, a: 4 } });
  });
});

describe('memory.updateThreadResourceId', () => {
  test('moves the thread and all its messages', async () => {
    await saveThreads(thread('t1'), thread('t2'));
    await pair.ok('memory.saveMessages', { messages: [message('m1', 't1', 1), message('m2', 't1', 2, { resourceId: 'rX' }), message('m3', 't2', 3)] });
    const { stowage } = await pair.ok('memory.updateThreadResourceId', { threadId: 't1', resourceId: 'r2' });
    assert.equal(stowage.resourceId, 'r2');
    await pair.ok('memory.listMessages', { threadId: 't1', resourceId: 'r2' });
    await pair.ok('memory.listMessages', { threadId: 't1', resourceId: 'r1' });
  });
  test('to the same resource changes nothing', async () => {
    await saveThreads(thread('t1'));
    await pair.ok('memory.updateThreadResourceId', { threadId: 't1', resourceId: 'r1' });
  });
  test('a thread without metadata', async () => {
    await saveThreads(thread('t1', { metadata: undefined }));
    await pair.ok('memory.updateThreadResourceId', { threadId: 't1', resourceId: '' });
  });
  test('a missing thread fails', () =>
    pair.fails('memory.updateThreadResourceId', { threadId: 'none', resourceId: 'r2' }, 'NOT_FOUND'));
  test('hostile ids', async () => {
    for (const id of HOSTILE_IDS) {
      await saveThreads(thread(id));
      await pair.ok('memory.updateThreadResourceId', { threadId: id, resourceId: id });
    }
  });
});

describe('memory.deleteThread', () => {
  test('deletes its messages and no others', async () => {
    await saveThreads(thread('t1'), thread('t2'));
    await pair.ok('memory.saveMessages', { messages: [message('m1', 't1', 1), message('m2', 't2', 2)] });
    await pair.ok('memory.deleteThread', { threadId: 't1' });
    await pair.ok('memory.getThreadById', { threadId: 't1' });
    await pair.ok('memory.listMessages', { threadId: 't1' });
    await pair.ok('memory.listMessages', { threadId: 't2' });
  });
  test('a missing thread is no error', () => pair.ok('memory.deleteThread', { threadId: 'none' }));
  test('deletes messages whose thread is missing', async () => {
    await saveThreads(thread('t1'));
    await pair.ok('memory.saveMessages', { messages: [message('m1', 't1', 1)] });
    await pair.sql('DELETE FROM :schema.mastra_threads');
    await pair.ok('memory.deleteThread', { threadId: 't1' });
  });

  const vectorTable = (table, metadata) => `CREATE TABLE :schema.${table}
    (id SERIAL PRIMARY KEY, vector_id TEXT UNIQUE NOT NULL, metadata ${metadata} DEFAULT '{}')`;

  test('deletes its rows in the vector tables of memory', async () => {
    const tables = { memory_messages: 'JSONB', memory_messages_384: 'JSONB', memory_messages_384_x: 'JSONB', memory_messages_json: 'JSON',
      memory_messagesx: 'JSONB', other_messages: 'JSONB' };
    for (const [table, metadata] of Object.entries(tables)) {
      await pair.sql(vectorTable(table, metadata));
      await pair.sql(`INSERT INTO :schema.${table} (vector_id, metadata) VALUES
        ('v1', '{"thread_id": "t1"}'), ('v2', '{"thread_id": "t2"}'), ('v3', '{}'), ('v4', NULL), ('v5', '["t1"]')`);
    }
    try {
      await saveThreads(thread('t1'), thread('t2'));
      await pair.ok('memory.deleteThread', { threadId: 't1' });
      for (const table of Object.keys(tables)) {
        const left = await pair.sql(`SELECT vector_id FROM :schema.${table} ORDER BY 1`);
        assert.deepEqual(left.stowage, left.reference, table);
      }
    } finally {
      for (const table of Object.keys(tables)) await pair.sql(`DROP TABLE :schema.${table}`);
    }
  });

  test('other tables with such names are not touched', async () => {
    const tables = { memory_messages_384: 'JSONB', memory_messages_notes: 'TEXT' };
    await pair.sql('CREATE TABLE :schema.memory_messages_backup (id TEXT)');
    for (const [table, metadata] of Object.entries(tables)) {
      await pair.sql(vectorTable(table, metadata));
      await pair.sql(`INSERT INTO :schema.${table} (vector_id, metadata) VALUES ('v1', '{"thread_id": "t1"}')`);
    }
    try {
      await saveThreads(thread('t1'));
      await pair.differs('a table without a JSON column metadata has no embeddings', 'memory.deleteThread', { threadId: 't1' }, { reference: 'fails' });
      if (SELF) return;
      assert.deepEqual(await sql(`SELECT id FROM "${pair.schema}".mastra_threads`), []);
      assert.deepEqual(await sql(`SELECT vector_id FROM "${pair.schema}".memory_messages_384`), []);
      assert.equal((await sql(`SELECT vector_id FROM "${pair.schema}".memory_messages_notes`)).length, 1);
    } finally {
      for (const table of ['memory_messages_backup', ...Object.keys(tables)]) await pair.sql(`DROP TABLE :schema.${table}`);
    }
  });

  test('a vector table without the privilege fails the command, and nothing is deleted', { skip: !process.env.STACK_POSTGRES_ADMIN }, async () => {
    const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
    await admin.connect();
    try {
      await saveThreads(thread('t1'));
      await pair.ok('memory.saveMessages', { messages: [message('m1', 't1', 1)] });
      for (const schema of [pair.schema, pair.reference.schemaName]) await admin.query(vectorTable('memory_messages_384', 'JSONB').replace(':schema', `"${schema}"`));
      const error = await pair.fails('memory.deleteThread', { threadId: 't1' }, 'INTERNAL');
      if (!SELF) assert.match(error.message, /memory_messages_384.*may not delete/);
      await pair.ok('memory.getThreadById', { threadId: 't1' });
    } finally {
      await admin.end();
      await pair.sql('DROP TABLE IF EXISTS :schema.memory_messages_384');
    }
  });
});

// Rows that the reference or another program wrote.
describe('memory: stored metadata that is text', () => {
  const stored = (metadata) => pair.sql(`INSERT INTO :schema.mastra_threads (id, "resourceId", title, metadata, "createdAt", "updatedAt")
    VALUES ('t1', 'r1', 'T', to_jsonb($1::text), '2024-01-01', '2024-01-01'), ('t2', 'r1', 'T', '{"a": 1}', '2024-01-01', '2024-01-01')`, [metadata]);
  const storedResource = (metadata) => pair.sql(`INSERT INTO :schema.mastra_resources (id, metadata, "createdAt", "updatedAt")
    VALUES ('r1', to_jsonb($1::text), '2024-01-01', '2024-01-01')`, [metadata]);

  for (const metadata of ['{"z":{"b":1},"a":2}', ' {\n"a" : "\\u00fc"}', '{}']) {
    test(`an object's JSON is read, and merged into: ${JSON.stringify(metadata)}`, async () => {
      await stored(metadata);
      await pair.ok('memory.getThreadById', { threadId: 't1' });
      await pair.ok('memory.listThreads', {});
      await pair.ok('memory.updateThreadResourceId', { threadId: 't1', resourceId: 'r2' });
      await pair.ok('memory.patchThread', { id: 't1', metadata: { a: 3 } });
      await pair.ok('memory.updateThread', { id: 't1', title: 'new' });
    });
  }
  test('an object that jsonb can\'t hold is read', async () => {
    await stored('{"a":"\\u0000"}');
    await pair.ok('memory.getThreadById', { threadId: 't1' });
    await pair.ok('memory.listThreads', {});
  });
  for (const metadata of ['hello', '{name}', '', '[1', '{"a":']) {
    const stays = (thread) => assert.equal(thread.metadata, metadata);
    const fails = { reference: 'fails' };

    test(`text that is not JSON fails no reader: ${JSON.stringify(metadata)}`, async () => {
      await stored(metadata);
      await pair.differs('returned as stored', 'memory.getThreadById', { threadId: 't1' }, { ...fails, stowage: stays });
      await pair.differs('one bad row does not fail the page', 'memory.listThreads', {}, { ...fails,
        stowage: ({ threads }) => assert.deepEqual(threads.map((one) => one.metadata).sort(), [metadata, { a: 1 }].sort()) });
      await pair.differs('moved with its metadata', 'memory.updateThreadResourceId', { threadId: 't1', resourceId: 'r2' }, { ...fails, stowage: stays });
    });
    // The reference reads the text first and fails. Stowage fails only if the text looks like an object.
    if (metadata === '{"a":') {
      test('an incomplete object can\'t be merged into', async () => {
        await stored(metadata);
        for (const command of ['memory.updateThread', 'memory.patchThread']) await pair.fails(command, { id: 't1', metadata: { b: 1 } }, 'INVALID');
      });
      continue;
    }
    for (const command of ['memory.updateThread', 'memory.patchThread']) {
      test(`${command} replaces it by an object: ${JSON.stringify(metadata)}`, async () => {
        await stored(metadata);
        await pair.differs('nothing to merge into', command, { id: 't1', metadata: { b: 1 } }, { ...fails,
          stowage: (thread) => assert.deepEqual(thread.metadata, { b: 1 }) });
      });
    }
    test(`of a resource: ${JSON.stringify(metadata)}`, async () => {
      await storedResource(metadata);
      await pair.differs('returned as stored', 'memory.getResourceById', { resourceId: 'r1' }, { ...fails, stowage: stays });
      await pair.differs('returned as stored', 'memory.updateResource', { resourceId: 'r1', workingMemory: 'w' }, { ...fails, stowage: stays });
      await pair.differs('nothing to merge into', 'memory.updateResource', { resourceId: 'r1', metadata: { b: 1 } }, { ...fails,
        stowage: (resource) => assert.deepEqual(resource.metadata, { b: 1 }) });
    });
  }
});

describe('memory.listThreads', () => {
  const fill = () => saveThreads(
    ...Array.from({ length: 7 }, (_, i) => thread(`t${i}`, { resourceId: i % 2 ? 'odd' : 'even',
      createdAt: at(i % 3), updatedAt: at(-i), metadata: { i, group: i < 4 ? 'low' : 'high', deep: { i }, tags: ['a', i] } })),
    thread('bare', { metadata: undefined, resourceId: 'none' }));

  const VALID = {
    everything: {},
    'the first page': { page: 0, perPage: 3 },
    'the second page': { page: 1, perPage: 3 },
    'the last page, not full': { page: 2, perPage: 3 },
    'a page after the last': { page: 9, perPage: 3 },
    'a full last page': { page: 1, perPage: 4 },
    'page size 0': { perPage: 0 },
    'page size 0, later page': { perPage: 0, page: 4 },
    'page size false': { perPage: false },
    'page size 1': { perPage: 1 },
    'by creation, ascending': { orderBy: { field: 'createdAt', direction: 'ASC' } },
    'by creation, descending': { orderBy: { field: 'createdAt', direction: 'DESC' } },
    'by update, ascending': { orderBy: { field: 'updatedAt', direction: 'ASC' } },
    'by update, descending': { orderBy: { field: 'updatedAt', direction: 'DESC' } },
    'only a field': { orderBy: { field: 'updatedAt' } },
    'only a direction': { orderBy: { direction: 'ASC' } },
    'no order': { orderBy: {} },
    'of a resource': { filter: { resourceId: 'odd' } },
    'of a resource without threads': { filter: { resourceId: 'nobody' } },
    'an empty resource id is no filter': { filter: { resourceId: '' } },
    'an empty filter': { filter: {} },
    'an empty metadata filter': { filter: { metadata: {} } },
    'by metadata': { filter: { metadata: { group: 'low' } } },
    'by metadata, two keys': { filter: { metadata: { group: 'low', i: 2 } } },
    'by metadata, none': { filter: { metadata: { group: 'low', i: 6 } } },
    'by metadata, contained object': { filter: { metadata: { deep: { i: 3 } } } },
    'by metadata, contained array': { filter: { metadata: { tags: [3] } } },
    'by metadata, null': { filter: { metadata: { group: null } } },
    'by metadata, another type': { filter: { metadata: { i: '2' } } },
    'by metadata, repaired': { filter: { metadata: { group: 'lo\u0000w' } } },
    'by metadata and resource, paged': { filter: { metadata: { group: 'low' }, resourceId: 'even' }, perPage: 1, page: 1 },
    'hostile resource id': { filter: { resourceId: HOSTILE_IDS[1] } },
    'a key of an object\'s prototype': { filter: { metadata: { toString: 'x' } } },
  };
  for (const [name, args] of Object.entries(VALID)) {
    test(name, async () => {
      await fill();
      await pair.ok('memory.listThreads', args);
    });
  }
  test('an empty table', async () => {
    await pair.ok('memory.listThreads', {});
    await pair.ok('memory.listThreads', { perPage: false });
    await pair.ok('memory.listThreads', { perPage: 5, page: 3 });
  });

  const INVALID = {
    'page -1': { page: -1 },
    'page size false and a page': { perPage: false, page: 1 },
    'page size -2': { perPage: -2 },
    'a metadata key with a quote': { filter: { metadata: { "a'b": 1 } } },
    'a metadata key with a dot': { filter: { metadata: { 'a.b': 1 } } },
    'an empty metadata key': { filter: { metadata: { '': 1 } } },
    'a metadata key that starts with a digit': { filter: { metadata: { '1a': 1 } } },
    'a forbidden metadata key': { filter: { metadata: { constructor: 1 } } },
    'a metadata key of 129 characters': { filter: { metadata: { ['k'.repeat(129)]: 1 } } },
    'a metadata key of other letters': { filter: { metadata: { 'clé': 1 } } },
  };
  for (const [name, args] of Object.entries(INVALID)) {
    test(`${name} fails`, async () => {
      await fill();
      await pair.fails('memory.listThreads', args, 'INVALID');
    });
  }
  test('unknown order fields and directions', async () => {
    await fill();
    // The reference falls back to its defaults; the protocol allows only the known values.
    for (const orderBy of [{ field: 'title' }, { direction: 'sideways' }, { field: 'createdAt"; DROP TABLE x; --' }, { direction: 'asc' }]) {
      await pair.differs('unknown literals are INVALID', 'memory.listThreads', { orderBy }, { category: 'INVALID' });
    }
  });
  test('a metadata key of 128 characters', () =>
    pair.ok('memory.listThreads', { filter: { metadata: { ['k'.repeat(128)]: 1 } } }));
  test('more than a default page', async () => {
    await pair.sql(`INSERT INTO :schema.mastra_threads (id, "resourceId", title, "createdAt", "updatedAt", "createdAtZ", "updatedAtZ")
      SELECT 't' || i, 'r1', 'T', '2024-01-01'::timestamp + i * interval '1 second', '2024-01-01', '2024-01-01'::timestamptz + i * interval '1 second', '2024-01-01'
      FROM generate_series(1, 120) AS i`);
    await pair.ok('memory.listThreads', {});
    await pair.ok('memory.listThreads', { page: 1 });
    await pair.ok('memory.listThreads', { perPage: false });
  });
  test('rows without the second time columns', async () => {
    await fill();
    await pair.sql(`ALTER TABLE :schema.mastra_threads DISABLE TRIGGER USER`);
    await pair.sql(`UPDATE :schema.mastra_threads SET "createdAtZ" = NULL, "updatedAtZ" = NULL`);
    await pair.sql(`ALTER TABLE :schema.mastra_threads ENABLE TRIGGER USER`);
    await pair.ok('memory.listThreads', {});
    await pair.ok('memory.getThreadById', { threadId: 't1' });
  });
});

describe('memory: resources', () => {
  test('saved and read', async () => {
    await pair.ok('memory.saveResource', { resource: resource('r1') });
    await pair.ok('memory.getResourceById', { resourceId: 'r1' });
    await pair.ok('memory.getResourceById', { resourceId: 'none' });
  });
  test('without memory and metadata', async () => {
    await pair.ok('memory.saveResource', { resource: resource('r1', { workingMemory: undefined, metadata: undefined }) });
    await pair.ok('memory.getResourceById', { resourceId: 'r1' });
  });
  test('empty memory and metadata', async () => {
    await pair.ok('memory.saveResource', { resource: resource('r1', { workingMemory: '', metadata: {} }) });
    await pair.ok('memory.getResourceById', { resourceId: 'r1' });
  });
  test('saved twice fails, as the reference only inserts', async () => {
    await pair.ok('memory.saveResource', { resource: resource('r1') });
    await pair.fails('memory.saveResource', { resource: resource('r1', { workingMemory: 'second' }) }, 'CONFLICT');
  });
  for (const [name, metadata] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`metadata: ${name}`, async () => {
      await pair.ok('memory.saveResource', { resource: resource('r1', { metadata }) });
      // The reference merges before it repairs, so the stored key and the given one collide. Stowage
      // repairs first.
      if (name === 'nulKey') {
        await pair.differs('repaired, then merged', 'memory.updateResource', { resourceId: 'r1', metadata }, { reference: 'fails' });
        return; // the sides differ from here on
      }
      await pair.ok('memory.updateResource', { resourceId: 'r1', metadata });
      await pair.ok('memory.getResourceById', { resourceId: 'r1' });
    });
  }
  test('update: memory and metadata, alone and together', async () => {
    await pair.ok('memory.saveResource', { resource: resource('r1', { metadata: { keep: 1, change: 1 } }) });
    await pair.ok('memory.updateResource', { resourceId: 'r1', workingMemory: 'new' });
    await pair.ok('memory.updateResource', { resourceId: 'r1', metadata: { change: { a: 2 }, add: null } });
    await pair.ok('memory.updateResource', { resourceId: 'r1', workingMemory: '', metadata: {} });
    await pair.ok('memory.updateResource', { resourceId: 'r1' });
    await pair.ok('memory.getResourceById', { resourceId: 'r1' });
  });
  test('update creates a missing resource', async () => {
    await pair.ok('memory.updateResource', { resourceId: 'r1', workingMemory: 'w', metadata: { a: 1 } });
    await pair.ok('memory.updateResource', { resourceId: 'r2', workingMemory: 'w' });
    await pair.ok('memory.updateResource', { resourceId: 'r3' });
    for (const resourceId of ['r1', 'r2', 'r3']) await pair.ok('memory.getResourceById', { resourceId });
  });
  test('update of a resource without metadata', async () => {
    await pair.ok('memory.saveResource', { resource: resource('r1', { metadata: undefined }) });
    await pair.ok('memory.updateResource', { resourceId: 'r1', metadata: { a: 1 } });
    await pair.ok('memory.saveResource', { resource: resource('r2', { metadata: undefined }) });
    await pair.ok('memory.updateResource', { resourceId: 'r2', workingMemory: 'x' });
  });
  test('hostile ids and memory', async () => {
    for (const id of HOSTILE_IDS) {
      await pair.ok('memory.saveResource', { resource: resource(id, { workingMemory: id }) });
      await pair.ok('memory.updateResource', { resourceId: id, workingMemory: `${id}2` });
      await pair.ok('memory.getResourceById', { resourceId: id });
    }
  });
  test('NUL in the memory is rejected', async () => {
    await pair.fails('memory.saveResource', { resource: resource('r1', { workingMemory: 'a\u0000b' }) }, 'INVALID');
    await pair.ok('memory.saveResource', { resource: resource('r1') });
    await pair.fails('memory.updateResource', { resourceId: 'r1', workingMemory: 'a\u0000b' }, 'INVALID');
  });
  test('large working memory', async () => {
    await pair.ok('memory.updateResource', { resourceId: 'r1', workingMemory: '长'.repeat(400_000) });
    await pair.ok('memory.getResourceById', { resourceId: 'r1' });
  });
});

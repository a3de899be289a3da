// memory: writing messages, copying threads. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { at, AWKWARD_JSON, content, HOSTILE_IDS, message, REPAIRED_JSON, thread } from './lib/fixtures.mjs';
import { Pair } from './lib/pair.mjs';

const pair = new Pair(['mastra_threads', 'mastra_messages', 'mastra_resources']);

// A thread with a blank id can be written, but listMessages rejects such an id.
const LISTED_IDS = HOSTILE_IDS.filter((id) => id.trim());

const save = (...messages) => pair.ok('memory.saveMessages', { messages });
const list = (threadId = 't1') => pair.ok('memory.listMessages', { threadId, perPage: false });

beforeEach(async () => {
  for (const id of ['t1', 't2']) await pair.ok('memory.saveThread', { thread: thread(id) });
});

describe('memory.saveMessages', () => {
  test('one message', async () => {
    const { stowage } = await save(message('m1', 't1', 1));
    assert.equal(stowage.messages.length, 1);
    await list();
  });

  test('an empty list', () => pair.ok('memory.saveMessages', { messages: [] }));

  test('many, of several threads and resources, in any order', async () => {
    await save(message('m3', 't1', 30), message('m1', 't2', 10, { resourceId: 'r2', role: 'assistant' }),
      message('m2', 't1', 20, { type: 'text' }), message('m0', 't2', 0, { role: 'signal' }));
    await list('t1');
    await list('t2');
  });

  test('equal times: the given order decides', async () => {
    await save(message('b', 't1', 1), message('a', 't1', 1), message('c', 't1', 1));
    await list();
  });

  test('a message that exists keeps its time and gets all other fields', async () => {
    await save(message('m1', 't1', 1));
    await save(message('m1', 't2', 99, { role: 'assistant', type: 'text', resourceId: 'r9', content: content('other') }));
    await list('t1');
    await list('t2');
  });

  test('the same id twice in one call: the last content, the first time', async () => {
    await save(message('m1', 't1', 5, { content: content('first') }), message('m2', 't1', 6),
      message('m1', 't1', 1, { content: content('second'), role: 'assistant' }));
    await list();
  });

  test('the same id twice with the same content', async () => {
    await save(message('m1', 't1', 5), message('m1', 't1', 5));
    await list();
  });

  test('100 at once: new twice, then more and more that exist, then new again', async () => {
    for (const [i, first] of [0, 100, 200, 250, 260, 250, 1000, 1100, 1150, 0, 2000].entries()) {
      await save(...Array.from({ length: 100 }, (_, n) => message(`m${first + n}`, 't1', first + n + i, { content: content(`call ${i}`) })));
    }
  });

  test('the same id three times over two threads', async () => {
    await save(message('m1', 't1', 5, { content: content('1') }), message('m1', 't2', 4, { content: content('2') }),
      message('m1', 't1', 3, { content: content('3') }));
    await list('t1');
    await list('t2');
  });

  test('system messages are stored but not returned', async () => {
    const { stowage } = await save(message('m1', 't1', 1, { role: 'system' }), message('m2', 't1', 2));
    assert.deepEqual(stowage.messages.map((m) => m.id), ['m2']);
    await list();
    await pair.ok('memory.listMessagesById', { messageIds: ['m1', 'm2'] });
  });

  test('the thread\'s updatedAt changes', async () => {
    await save(message('m1', 't1', 1));
    const rows = await pair.sql('SELECT "updatedAt" > \'2025-01-01\' AS moved FROM :schema.mastra_threads ORDER BY id');
    assert.deepEqual(rows.stowage, [{ moved: true }, { moved: false }]);
  });

  test('a missing thread fails the whole command', async () => {
    await pair.fails('memory.saveMessages', { messages: [message('m1', 'none', 1)] }, 'NOT_FOUND');
    await pair.fails('memory.saveMessages', { messages: [message('m1', 't1', 1), message('m2', 'none', 1)] }, 'NOT_FOUND');
    await pair.fails('memory.saveMessages', { messages: [message('m1', 'none', 1), message('m2', 't1', 1)] }, 'NOT_FOUND');
  });

  test('without a thread id or resource id', async () => {
    for (const over of [{ threadId: undefined }, { threadId: '' }, { resourceId: undefined }, { resourceId: '' }]) {
      await pair.fails('memory.saveMessages', { messages: [message('m1', 't1', 1, over)] }, 'INVALID');
      await pair.fails('memory.saveMessages', { messages: [message('m1', 't1', 1), message('m2', 't1', 1, over)] }, 'INVALID');
    }
  });

  test('without a type', async () => {
    await save(message('m1', 't1', 1, { type: undefined }), message('m2', 't1', 2, { type: '' }), message('m3', 't1', 3, { type: 'tool-call' }));
    await list();
  });

  test('hostile ids and texts', async () => {
    for (const id of LISTED_IDS) {
      await pair.ok('memory.saveThread', { thread: thread(id) });
      await save(message(id, id, 1, { resourceId: id, content: content(id), type: id, role: 'user' }));
      await pair.ok('memory.listMessages', { threadId: id, resourceId: id });
      await pair.ok('memory.listMessagesById', { messageIds: [id] });
      await pair.ok('memory.deleteMessages', { messageIds: [id] });
    }
  });

  test('an empty id', async () => {
    // The reference stores it but returns one that it generates.
    await pair.differs('the stored id is returned', 'memory.saveMessages', { messages: [message('', 't1', 1)] },
      { stowage: ({ messages }) => assert.equal(messages[0].id, '') });
    await pair.rows();
    await pair.ok('memory.deleteMessages', { messageIds: [''] });
  });

  test('NUL in an id is rejected', async () => {
    await pair.fails('memory.saveMessages', { messages: [message('a\u0000', 't1', 1)] }, 'INVALID');
    await pair.fails('memory.saveMessages', { messages: [message('m1', 't1', 1), message('m2', 't1', 1, { type: '\u0000' })] }, 'INVALID');
  });

  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    // The column is text, so it stores the exact bytes of the JSON, escapes included.
    test(`content: ${name}`, async () => {
      await save(message('m1', 't1', 1, { content: content('x', { metadata: json }) }),
        message('m2', 't1', 2, { content: { format: 2, parts: [{ type: 'data-x', data: json }] } }));
      await list();
      await pair.ok('memory.listMessagesById', { messageIds: ['m2', 'm1'] });
    });
  }

  test('content of every kind of part', async () => {
    const parts = [
      { type: 'step-start' },
      { type: 'text', text: 'one', providerMetadata: { openai: { itemId: 'i1' } } },
      { type: 'reasoning', reasoning: 'because', details: [{ type: 'text', text: 'because', signature: 's' }] },
      { type: 'tool-invocation', toolInvocation: { state: 'result', toolCallId: 'c1', toolName: 'tool', args: { a: 1 }, result: { ok: true } } },
      { type: 'tool-invocation', toolInvocation: { state: 'call', toolCallId: 'c2', toolName: 'tool', args: {} } },
      { type: 'file', data: 'aGVsbG8=', mimeType: 'text/plain' },
      { type: 'source', source: { sourceType: 'url', id: 's1', url: 'https://example.com/' } },
      { type: 'text', text: '' },
    ];
    await save(message('m1', 't1', 1, { role: 'assistant', content: { format: 2, parts, content: 'one',
      toolInvocations: [{ state: 'result', toolCallId: 'c1', toolName: 'tool', args: { a: 1 }, result: { ok: true } }],
      reasoning: 'because', annotations: [{ a: 1 }], metadata: { k: 'v' } } }));
    await list();
  });

  test('content without parts\' texts', async () => {
    await save(message('m1', 't1', 1, { content: { format: 2, parts: [] } }), message('m2', 't1', 2, { content: { format: 2, parts: [], content: '' } }));
    await list();
  });

  for (const text of ['plain text', '', 'with "quotes" and \\', 'Grüße 🦜', '  spaces  ']) {
    test(`content that is a string: ${JSON.stringify(text)}`, async () => {
      await save(message('m1', 't1', 1, { content: text }), message('m2', 't1', 2, { role: 'assistant', content: text }));
      await list();
    });
  }

  test('content that is the text of format 2', async () => {
    await save(message('m1', 't1', 1, { content: JSON.stringify(content('inner')) }));
    await list();
  });

  test('sealed parts and later ones', async () => {
    const sealed = { type: 'text', text: 'sealed', metadata: { mastra: { sealedAt: 1700000000000 } } };
    await save(message('m1', 't1', 1, { role: 'assistant', content: { format: 2, parts: [sealed], metadata: { mastra: { sealed: true } } } }),
      message('m2', 't1', 2, { role: 'assistant' }));
    await list();
  });

  test('large content', async () => {
    await save(message('m1', 't1', 1, { content: content('ü"\\\n'.repeat(200_000)) }));
    await list();
  });

  test('1,500 messages in one command', async () => {
    await save(...Array.from({ length: 1500 }, (_, i) => message(`m${i}`, i % 2 ? 't1' : 't2', 1500 - i)));
    await list('t1');
  });

  test('times with milliseconds, before 1970, far ahead', async () => {
    await save(message('m1', 't1', 0, { createdAt: new Date(1) }), message('m2', 't1', 0, { createdAt: new Date(-86400001) }),
      message('m3', 't1', 0, { createdAt: new Date(4102444800999) }));
    await list();
  });
});

describe('memory.updateMessages', () => {
  beforeEach(() => save(message('m1', 't1', 1, { content: content('one', { metadata: { a: 1, b: { c: 1 } } }) }), message('m2', 't1', 2), message('m3', 't2', 3)));
  const update = (...messages) => pair.ok('memory.updateMessages', { messages });

  test('an empty list', () => update());
  test('missing ids', () => update({ id: 'none', role: 'assistant' }));
  test('one that exists and one that is missing', () => update({ id: 'm1', role: 'assistant' }, { id: 'none', role: 'user' }));
  test('only the id', () => update({ id: 'm1' }));
  test('each field', async () => {
    await update({ id: 'm1', role: 'assistant' });
    await update({ id: 'm1', type: 'text' });
    await update({ id: 'm1', resourceId: 'r7' });
    await update({ id: 'm1', threadId: 't2' });
    await list('t2');
  });
  test('content is merged at its top, metadata one level deeper', async () => {
    await update({ id: 'm1', content: { content: 'changed' } });
    await update({ id: 'm1', content: { metadata: { b: { d: 2 }, e: null } } });
    await update({ id: 'm1', content: { metadata: {} } });
    await update({ id: 'm1', content: {} });
    await update({ id: 'm2', content: { metadata: { first: true }, parts: [{ type: 'text', text: 'new' }] } });
    await list();
  });
  test('several at once: their threads\' updatedAt changes', async () => {
    await update({ id: 'm3', role: 'assistant' }, { id: 'm1', content: { content: 'x' } }, { id: 'm2', type: 'y' });
    const rows = await pair.sql('SELECT "updatedAt" > \'2025-01-01\' AS moved FROM :schema.mastra_threads');
    assert.deepEqual(rows.stowage, [{ moved: true }, { moved: true }]);
  });
  test('the same id twice: the first one counts', () =>
    update({ id: 'm1', role: 'assistant' }, { id: 'm1', role: 'user', type: 'other' }));
  test('hostile values', async () => {
    for (const id of HOSTILE_IDS) await update({ id: 'm1', role: 'assistant', type: id, resourceId: id, content: { content: id } });
  });
  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`metadata: ${name}`, async () => {
      await update({ id: 'm1', content: { metadata: json } });
      await update({ id: 'm1', content: { metadata: json } });
      await list();
    });
  }
  test('roles and types that only a newer Mastra knows are stored as given', async () => {
    await update({ id: 'm1', role: 'director', type: 'v9' });
    await list();
    await save(message('newer', 't1', 8, { role: 'producer', type: 'v8' }), message('empty', 't1', 9, { role: '' }));
    await list();
  });
  test('content that is stored as plain text', async () => {
    await save(message('plain', 't1', 9, { content: 'plain' }));
    await update({ id: 'plain', role: 'assistant' });
  });
});

describe('memory.deleteMessages', () => {
  beforeEach(() => save(message('m1', 't1', 1), message('m2', 't1', 2), message('m3', 't2', 3)));
  const remove = (...messageIds) => pair.ok('memory.deleteMessages', { messageIds });

  test('one, several, all', async () => {
    await remove('m1');
    await remove('m2', 'm3');
    await list('t1');
    await list('t2');
  });
  test('an empty list', () => remove());
  test('missing ids', () => remove('none', 'm1', 'none'));
  test('the updatedAt of their threads changes', async () => {
    await remove('m3');
    const rows = await pair.sql('SELECT id, "updatedAt" > \'2025-01-01\' AS moved FROM :schema.mastra_threads ORDER BY id');
    assert.deepEqual(rows.stowage, rows.reference);
  });
  test('hostile ids', () => remove(...HOSTILE_IDS));
  test('2,000 ids', () => remove(...Array.from({ length: 2000 }, (_, i) => `m${i}`)));
});

describe('memory.copyThread and memory.cloneThread', () => {
  beforeEach(async () => {
    await pair.ok('memory.saveThread', { thread: thread('src', { metadata: { own: 1 } }) });
    await save(...[1, 2, 3, 4, 5].map((i) => message(`s${i}`, 'src', i * 10, { content: content(`n${i}`), role: i % 2 ? 'user' : 'assistant' })));
  });

  const CASES = {
    'with all defaults': {},
    'with a given id': { newThreadId: 'copy' },
    'with resource, title and metadata': { newThreadId: 'copy', resourceId: 'r9', title: 'Mine', metadata: { x: { y: 1 } } },
    'with an empty title': { newThreadId: 'copy', title: '' },
    'metadata that names clone': { newThreadId: 'copy', metadata: { clone: 'overwritten', b: 1 } },
    'metadata that jsonb rejects': { newThreadId: 'copy', metadata: { s: 'a\u0000\ud800' } },
    'the last two': { newThreadId: 'copy', options: { messageLimit: 2 } },
    'limit 0 is no limit': { newThreadId: 'copy', options: { messageLimit: 0 } },
    'a limit above the count': { newThreadId: 'copy', options: { messageLimit: 99 } },
    'from a date': { newThreadId: 'copy', options: { messageFilter: { startDate: at(30) } } },
    'to a date': { newThreadId: 'copy', options: { messageFilter: { endDate: at(30) } } },
    'between dates': { newThreadId: 'copy', options: { messageFilter: { startDate: at(20), endDate: at(40) } } },
    'dates and a limit': { newThreadId: 'copy', options: { messageLimit: 1, messageFilter: { startDate: at(20), endDate: at(40) } } },
    'given messages': { newThreadId: 'copy', options: { messageFilter: { messageIds: ['s4', 's2', 'none'] } } },
    'no given messages is no filter': { newThreadId: 'copy', options: { messageFilter: { messageIds: [] } } },
    'no message matches': { newThreadId: 'copy', options: { messageFilter: { messageIds: ['none'] } } },
    'empty options': { newThreadId: 'copy', options: {} },
  };
  for (const command of ['memory.copyThread', 'memory.cloneThread']) {
    for (const [name, args] of Object.entries(CASES)) {
      test(`${command}: ${name}`, async () => {
        const made = await pair.ok(command, { sourceThreadId: 'src', ...args }, { repaired: name.includes('rejects') });
        await pair.ok('memory.getThreadById', made.map(({ thread: { id } }) => ({ threadId: id })));
        await pair.ok('memory.listMessages', made.map(({ thread: { id } }) => ({ threadId: id, perPage: false })));
      });
    }
    test(`${command}: an empty thread, one without title`, async () => {
      await pair.ok(command, { sourceThreadId: 't1', newThreadId: 'c1' });
      await pair.ok('memory.saveThread', { thread: thread('bare', { title: '', metadata: undefined }) });
      await pair.ok(command, { sourceThreadId: 'bare', newThreadId: 'c2' });
    });
    test(`${command}: a copy of a copy`, async () => {
      await pair.ok(command, { sourceThreadId: 'src', newThreadId: 'c1' });
      await pair.ok(command, { sourceThreadId: 'c1', newThreadId: 'c2', title: 'second' });
    });
    test(`${command}: system messages are copied`, async () => {
      await save(message('sys', 'src', 5, { role: 'system' }));
      await pair.ok(command, { sourceThreadId: 'src', newThreadId: 'c1' });
    });
    test(`${command}: a missing source, or a target that exists`, async () => {
      await pair.fails(command, { sourceThreadId: 'none', newThreadId: 'copy' }, 'NOT_FOUND');
      await pair.fails(command, { sourceThreadId: 'src', newThreadId: 't1' }, 'CONFLICT');
      await pair.fails(command, { sourceThreadId: 'src', newThreadId: 'src' }, 'CONFLICT');
    });
    test(`${command}: hostile ids`, async () => {
      for (const id of LISTED_IDS) {
        await pair.ok(command, { sourceThreadId: 'src', newThreadId: id, title: id, resourceId: id });
        await pair.ok('memory.deleteThread', { threadId: id });
      }
    });
  }
});

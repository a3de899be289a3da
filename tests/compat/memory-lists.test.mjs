// memory: reading messages. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { at, content, HOSTILE_IDS, message, thread } from './lib/fixtures.mjs';
import { Pair } from './lib/pair.mjs';

const pair = new Pair(['mastra_threads', 'mastra_messages', 'mastra_resources']);

// 12 messages in t1 (of two resources), 5 in t2, 2 in t3. Two messages share each time, so the id
// decides their order.
beforeEach(async () => {
  for (const id of ['t1', 't2', 't3']) await pair.ok('memory.saveThread', { thread: thread(id) });
  const of = (threadId, i, over) => message(`${threadId}-${String(i).padStart(2, '0')}`, threadId, Math.floor(i / 2) * 10, over);
  await pair.ok('memory.saveMessages', { messages: [
    ...Array.from({ length: 12 }, (_, i) => of('t1', i, { resourceId: i < 9 ? 'r1' : 'r2', role: i % 2 ? 'assistant' : 'user',
      content: content(`n${i}`, { metadata: { i, even: i % 2 === 0, name: `n${i}`, nothing: null, half: i / 2, deep: { i } } }) })),
    ...Array.from({ length: 5 }, (_, i) => of('t2', i)),
    ...Array.from({ length: 2 }, (_, i) => of('t3', i, { resourceId: 'r3' })),
  ] });
});

// Options of both commands.
const OPTIONS = {
  everything: {},
  'the first page': { page: 0, perPage: 5 },
  'the second page': { page: 1, perPage: 5 },
  'the last page': { page: 2, perPage: 5 },
  'a page after the last': { page: 7, perPage: 5 },
  'page size 0': { perPage: 0 },
  'page size 0, second page': { perPage: 0, page: 1 },
  'page size false': { perPage: false },
  'page size false, second page': { perPage: false, page: 1 },
  'page size 1': { perPage: 1 },
  'descending': { orderBy: { field: 'createdAt', direction: 'DESC' }, perPage: 4 },
  'descending, second page': { orderBy: { field: 'createdAt', direction: 'DESC' }, perPage: 4, page: 1 },
  'only a direction': { orderBy: { direction: 'DESC' } },
  'only a field': { orderBy: { field: 'createdAt' } },
  'no order': { orderBy: {} },
  'from a time': { filter: { dateRange: { start: at(30) } } },
  'from after a time': { filter: { dateRange: { start: at(30), startExclusive: true } } },
  'to a time': { filter: { dateRange: { end: at(30) } } },
  'to before a time': { filter: { dateRange: { end: at(30), endExclusive: true } } },
  'between times': { filter: { dateRange: { start: at(10), end: at(30) } } },
  'between times, both ends excluded': { filter: { dateRange: { start: at(10), end: at(30), startExclusive: true, endExclusive: true } } },
  'between times, both ends explicitly included': { filter: { dateRange: { start: at(10), end: at(30), startExclusive: false, endExclusive: false } } },
  'an empty range of times': { filter: { dateRange: { start: at(30), end: at(10) } } },
  'no range': { filter: { dateRange: {} } },
  'no filter': { filter: {} },
  'a range, paged': { filter: { dateRange: { start: at(10) } }, perPage: 3, page: 1 },
  'metadata: number': { filter: { metadata: { i: 3 } } },
  'metadata: fraction': { filter: { metadata: { half: 1.5 } } },
  'metadata: boolean': { filter: { metadata: { even: true } } },
  'metadata: text': { filter: { metadata: { name: 'n4' } } },
  'metadata: null': { filter: { metadata: { nothing: null } } },
  'metadata: absent is not null': { filter: { metadata: { missing: null } } },
  'metadata: another type': { filter: { metadata: { i: '3' } } },
  'metadata: two keys': { filter: { metadata: { even: true, i: 4 } } },
  'metadata: no match': { filter: { metadata: { even: true, i: 3 } } },
  'metadata: empty': { filter: { metadata: {} } },
  'metadata: paged': { filter: { metadata: { even: true } }, perPage: 2, page: 1 },
  'metadata: page size 0': { filter: { metadata: { even: true } }, perPage: 0 },
  'metadata: page size false': { filter: { metadata: { even: true } }, perPage: false },
  'metadata: with a range': { filter: { metadata: { even: true }, dateRange: { start: at(20) } }, orderBy: { direction: 'DESC' } },
  'metadata: without a total': { filter: { metadata: { even: true } }, includeTotal: false, perPage: 2 },
  'metadata: a zero': { filter: { metadata: { i: 0 } } },
  'without a total': { includeTotal: false },
  'without a total, paged': { includeTotal: false, perPage: 5, page: 1 },
  'without a total, last page': { includeTotal: false, perPage: 5, page: 2 },
  'without a total, after the last': { includeTotal: false, perPage: 5, page: 9 },
  'without a total, exactly full': { includeTotal: false, perPage: 12 },
  'without a total, all': { includeTotal: false, perPage: false },
  'without a total, size 0': { includeTotal: false, perPage: 0 },
  'with a total': { includeTotal: true, perPage: 2 },
  'include: empty': { include: [], perPage: 2 },
  'include: one of another thread': { include: [{ id: 't2-02' }], perPage: 2 },
  'include: a window': { include: [{ id: 't1-06', withPreviousMessages: 2, withNextMessages: 1 }], perPage: 2 },
  'include: a window only': { include: [{ id: 't1-06', withPreviousMessages: 2, withNextMessages: 2 }], perPage: 0 },
  'include: only itself': { include: [{ id: 't1-06' }], perPage: 0 },
  'include: a window, descending': { include: [{ id: 't1-06', withPreviousMessages: 2, withNextMessages: 2 }], perPage: 0, orderBy: { direction: 'DESC' } },
  'include: at the first message': { include: [{ id: 't1-00', withPreviousMessages: 5, withNextMessages: 1 }], perPage: 0 },
  'include: at the last message': { include: [{ id: 't1-11', withPreviousMessages: 1, withNextMessages: 5 }], perPage: 0 },
  'include: windows that overlap': { include: [{ id: 't1-04', withNextMessages: 3 }, { id: 't1-06', withPreviousMessages: 3 }], perPage: 0 },
  'include: the same id twice': { include: [{ id: 't1-04' }, { id: 't1-04', withNextMessages: 1 }], perPage: 0 },
  'include: of two threads': { include: [{ id: 't2-02', withPreviousMessages: 1 }, { id: 't1-06', withNextMessages: 1 }], perPage: 1 },
  'include: the thread id is ignored': { include: [{ id: 't2-02', threadId: 't1', withPreviousMessages: 1 }], perPage: 0 },
  'include: missing': { include: [{ id: 'none', withPreviousMessages: 3 }], perPage: 2 },
  'include: missing only': { include: [{ id: 'none' }], perPage: 0 },
  'include: an empty id': { include: [{ id: '' }], perPage: 0 },
  'include: messages that the page has already': { include: [{ id: 't1-01', withPreviousMessages: 1, withNextMessages: 1 }], perPage: 5 },
  'include: with a metadata filter': { include: [{ id: 't1-05', withNextMessages: 1 }], filter: { metadata: { even: true } }, perPage: 2 },
  'include: with a range that excludes it': { include: [{ id: 't1-10' }], filter: { dateRange: { end: at(10) } } },
  'include: all pages': { include: [{ id: 't2-02' }], perPage: false },
  'include: nothing else matches': { include: [{ id: 't1-02', withNextMessages: 1 }], filter: { dateRange: { start: at(9999) } } },
  'include: without a total': { include: [{ id: 't2-02', withPreviousMessages: 1 }], includeTotal: false, perPage: 2 },
  'include: hostile': { include: [{ id: HOSTILE_IDS[1], withNextMessages: 1 }], perPage: 0 },
};

const INVALID = {
  'page -1': { page: -1 },
  'page size -2': { perPage: -2 },
  'metadata key with a quote': { filter: { metadata: { "a'": 1 } } },
  'metadata key __proto__-like': { filter: { metadata: { constructor: 1 } } },
  'metadata value that is an object': { filter: { metadata: { deep: { i: 1 } } } },
  'metadata value that is a list': { filter: { metadata: { deep: [1] } } },
  'metadata key too long': { filter: { metadata: { ['k'.repeat(129)]: 1 } } },
};

for (const [command, target] of [['memory.listMessages', { threadId: 't1' }], ['memory.listMessagesByResourceId', { resourceId: 'r1' }]]) {
  describe(command, () => {
    for (const [name, options] of Object.entries(OPTIONS)) {
      test(name, () => pair.ok(command, { ...target, ...options }));
    }
    for (const [name, options] of Object.entries(INVALID)) {
      test(`${name} fails`, () => pair.fails(command, { ...target, ...options }, 'INVALID'));
    }
    test('unknown order fields and directions', async () => {
      for (const orderBy of [{ field: 'role' }, { direction: 'up' }]) {
        await pair.differs('unknown literals are INVALID', command, { ...target, orderBy }, { category: 'INVALID' });
      }
      // Only threads have this column.
      await pair.fails(command, { ...target, orderBy: { field: 'updatedAt' } }, 'INVALID');
    });
    test('more than a default page', async () => {
      const id = (i) => `x${String(i).padStart(3, '0')}`;
      await pair.ok('memory.saveMessages', { messages: Array.from({ length: 60 }, (_, i) => message(id(i), 't1', 1000 + i)) });
      await pair.ok(command, { ...target });
      await pair.ok(command, { ...target, page: 1 });
      await pair.ok(command, { ...target, perPage: false, includeTotal: false });
    });
  });
}

describe('memory.listMessages only', () => {
  const list = (args) => pair.ok('memory.listMessages', args);

  test('several threads', async () => {
    await list({ threadId: ['t1', 't2'] });
    await list({ threadId: ['t2', 't1', 't2'], perPage: 3, page: 1 });
    await list({ threadId: ['none', 't3'] });
    await list({ threadId: ['t1'], perPage: 3 });
  });
  test('a missing thread', async () => {
    await list({ threadId: 'none' });
    await list({ threadId: 'none', include: [{ id: 't1-03', withPreviousMessages: 1 }] });
    await list({ threadId: 'none', page: 3, perPage: 2 });
  });
  test('of a resource', async () => {
    await list({ threadId: 't1', resourceId: 'r1' });
    await list({ threadId: 't1', resourceId: 'r2', perPage: 2 });
    await list({ threadId: 't1', resourceId: 'none' });
    await list({ threadId: 't1', resourceId: '' });
  });
  test('includes stay within the resource', async () => {
    await list({ threadId: 't1', resourceId: 'r1', include: [{ id: 't3-00' }], perPage: 0 });
    await list({ threadId: 't1', resourceId: 'r1', include: [{ id: 't1-08', withNextMessages: 3 }], perPage: 0 });
    await list({ threadId: 't1', resourceId: 'r2', include: [{ id: 't1-10', withPreviousMessages: 9 }], perPage: 1 });
  });
  test('no thread id fails', async () => {
    for (const threadId of ['', ' ', [], [''], ['t1', ''], ['t1', '  ']]) {
      await pair.fails('memory.listMessages', { threadId }, 'INVALID');
    }
  });
  test('hostile ids', async () => {
    for (const id of HOSTILE_IDS.filter((one) => one.trim())) {
      await list({ threadId: id, resourceId: id, include: [{ id, withNextMessages: 1 }] });
    }
  });
  test('messages without the second time column', async () => {
    await pair.sql(`ALTER TABLE :schema.mastra_messages DISABLE TRIGGER USER`);
    await pair.sql(`UPDATE :schema.mastra_messages SET "createdAtZ" = NULL`);
    await pair.sql(`ALTER TABLE :schema.mastra_messages ENABLE TRIGGER USER`);
    await list({ threadId: 't1' });
    await list({ threadId: 't1', filter: { dateRange: { start: at(10), end: at(30), endExclusive: true } } });
  });
  test('system messages are counted but not returned', async () => {
    await pair.ok('memory.saveMessages', { messages: [message('sys', 't3', 1, { role: 'system', resourceId: 'r3' })] });
    await list({ threadId: 't3' });
    await list({ threadId: 't3', perPage: 2 });
    await list({ threadId: 't3', perPage: 0, include: [{ id: 'sys', withPreviousMessages: 1, withNextMessages: 1 }] });
  });
  test('messages with equal times, in both directions', async () => {
    await list({ threadId: 't2', orderBy: { direction: 'ASC' } });
    await list({ threadId: 't2', orderBy: { direction: 'DESC' } });
    await list({ threadId: 't2', orderBy: { direction: 'DESC' }, perPage: 3, page: 1 });
  });
  test('ids that a locale sorts differently from their bytes', async () => {
    for (const [i, id] of ['b', 'A', 'a', 'B', 'z', 'Z', '_', '1', '10', '2', 'a-b', 'ab', 'a b', 'a_b', '-', 'z1', 'Aa', 'aA'].entries()) {
      await pair.ok('memory.saveMessages', { messages: [message(id, 't3', 500, { resourceId: 'r3', content: content(`n${i}`) })] });
    }
    await list({ threadId: 't3', orderBy: { direction: 'ASC' } });
    await list({ threadId: 't3', orderBy: { direction: 'DESC' } });
    await pair.ok('memory.listMessagesByResourceId', { resourceId: 'r3' });
  });
});

test('ids beyond ASCII: the order of equal times is not the locale\'s', async () => {
  for (const id of ['ä', 'z', 'é', '🦜', 'a']) await pair.ok('memory.saveMessages', { messages: [message(id, 't3', 500, { resourceId: 'r3' })] });
  const ids = ({ messages }) => assert.deepEqual(messages.slice(2).map((m) => m.id).sort(), ['a', 'z', 'ä', 'é', '🦜']);
  await pair.differs('no collation of Unicode', 'memory.listMessages', { threadId: 't3' }, { stowage: ids, reference: ids });
});

describe('memory.listMessagesByResourceId only', () => {
  const list = (args) => pair.ok('memory.listMessagesByResourceId', args);
  test('every resource', async () => {
    for (const resourceId of ['r1', 'r2', 'r3', 'none']) await list({ resourceId });
  });
  test('no resource id fails', async () => {
    for (const resourceId of ['', ' ', '\t\n']) await pair.fails('memory.listMessagesByResourceId', { resourceId }, 'INVALID');
  });
  test('includes stay within the resource', async () => {
    await list({ resourceId: 'r2', include: [{ id: 't1-10', withPreviousMessages: 5 }], perPage: 0 });
    await list({ resourceId: 'r2', include: [{ id: 't2-01' }], perPage: 1 });
  });
  test('hostile ids', async () => {
    for (const id of HOSTILE_IDS.filter((one) => one.trim())) await list({ resourceId: id });
  });
});

describe('memory.listMessagesById', () => {
  const list = (...messageIds) => pair.ok('memory.listMessagesById', { messageIds });
  test('ordered by time', async () => {
    await list('t1-05', 't1-00', 't2-03');
    await list('t1-05');
  });
  test('missing messages are not returned', async () => {
    await list('none');
    await list('none', 't1-01', '');
  });
  test('an empty list', () => list());
  test('the same id twice', () => list('t1-01', 't1-01', 't1-02'));
  test('hostile ids', () => list(...HOSTILE_IDS, 't1-02'));
  test('many ids', () => list(...Array.from({ length: 3000 }, (_, i) => `t1-${String(i).padStart(2, '0')}`)));
  test('system messages are not returned', async () => {
    await pair.ok('memory.saveMessages', { messages: [message('sys', 't3', 900, { role: 'system' })] });
    const { stowage } = await list('sys', 't3-00');
    assert.deepEqual(stowage.messages.map((m) => m.id), ['t3-00']);
  });
});

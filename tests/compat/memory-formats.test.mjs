// memory: content of older formats, which databases that were upgraded hold. The rows are written by SQL; both
// sides must read them alike. See lib/pair.mjs.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { at, thread } from './lib/fixtures.mjs';
import { Pair } from './lib/pair.mjs';

const pair = new Pair(['mastra_threads', 'mastra_messages', 'mastra_resources']);

beforeEach(() => pair.ok('memory.saveThread', { thread: thread('t1') }));

// Stores messages of the column type v1: [role, content, type], a minute apart.
async function store(...messages) {
  for (const [i, [role, content, type = 'v1']] of messages.entries()) {
    await pair.sql(`INSERT INTO :schema.mastra_messages (id, thread_id, content, "createdAt", "createdAtZ", role, type, "resourceId")
      VALUES ($1, 't1', $2, $3::timestamptz AT TIME ZONE 'UTC', $3::timestamptz, $4, $5, 'r1')`,
    [`m${i}`, typeof content === 'string' ? content : JSON.stringify(content), at(i), role, type]);
  }
}

async function read(count) {
  const all = await pair.ok('memory.listMessages', { threadId: 't1', perPage: false });
  await pair.ok('memory.listMessages', { threadId: 't1', perPage: false, orderBy: { field: 'createdAt', direction: 'DESC' } });
  await pair.ok('memory.listMessages', { threadId: 't1', perPage: 1, include: [{ id: 'm0', withNextMessages: 9 }] });
  await pair.ok('memory.listMessagesByResourceId', { resourceId: 'r1', perPage: false });
  await pair.ok('memory.listMessagesById', { messageIds: ['m0', 'm1', 'm2'] });
  const { messages } = all.stowage;
  assert.equal(messages.length, count);
  return messages;
}

const call = (id, args = { q: id }, over = {}) => ({ type: 'tool-call', toolCallId: id, toolName: 'search', args, ...over });
const result = (id, value = { r: id }, over = {}) => ({ type: 'tool-result', toolCallId: id, toolName: 'search', result: value, ...over });
const text = (value, over = {}) => ({ type: 'text', text: value, ...over });
const v2 = (parts, over = {}) => JSON.stringify({ format: 2, parts, ...over });
const invocation = (id, args, state = 'call') => ({ type: 'tool-invocation', toolInvocation: { state, toolCallId: id, toolName: 'search', args } });

// A conversation in one message each, and what every single content becomes.
const CONTENTS = {
  'a text': 'plain', 'an empty text': '', 'a JSON string': '"quoted"', 'a text that looks like an array': '[no JSON', 'an empty array': [],
  'one text part': [text('a')], 'several text parts': [text('a'), text('b'), text('')], 'an empty text part': [text('')], 'empty text parts': [text(''), text('')],
  'a text part without text': [{ type: 'text' }], 'text with options': [text('a', { providerOptions: { openai: { itemId: 'i' } } }), text('b', { providerOptions: null })],
  'a call': [call('c1')], 'a call without args': [{ type: 'tool-call', toolCallId: 'c1', toolName: 'x' }], 'text, call, text': [text('a'), call('c1'), text('b'), text('c')],
  'call, result, text': [call('c1'), result('c1'), text('done')], 'a call with options': [call('c1', {}, { providerOptions: { a: 1 } })],
  'a result': [result('c1')], 'a result without a value': [result('c1', undefined)], 'a null result': [result('c1', null)], 'results of other kinds': [result('a', 0), result('b', false), result('c', ''), result('d', [1])],
  'two calls with one id': [call('c1', { n: 1 }), call('c1', { n: 2 }), result('c1')], 'args that are a list or a text': [call('c1', [1]), call('c2', 'x'), result('c1'), result('c2')],
  'reasoning': [{ type: 'reasoning', text: 'why', signature: 's' }, { type: 'reasoning', text: 'because' }], 'redacted reasoning': [{ type: 'redacted-reasoning', data: 'xyz' }],
  'images': [{ type: 'image', image: 'https://x/y.png', mimeType: 'image/png' }, { type: 'image', image: 'data:image/gif;base64,AAAA' }, { type: 'image', image: { type: 'Buffer', data: [1] } },
    { type: 'image' }, { type: 'image', image: null }],
  'files': [{ type: 'file', data: 'https://x/y.pdf', mimeType: 'application/pdf', filename: 'y.pdf' }, { type: 'file', data: 'data:text/plain;base64,AAAA', mimeType: 'image/png' },
    { type: 'file', data: 'data:,x' }, { type: 'file', data: 'data:' }, { type: 'file', data: 'AAAA' }, { type: 'file', data: 'file-123', mimeType: '' }, { type: 'file', data: 'x', filename: '' },
    { type: 'file', data: { type: 'Buffer', data: [1] }, mimeType: 'a/b' }, { type: 'file', data: 'data:te"xt/plain;x,' }],
  'a file without data': [text('a'), { type: 'file', mimeType: 'a/b' }],
  'parts of unknown types': [{ type: 'source', source: {} }, { type: 'step-start' }, {}, { type: 7 }, [], 'x', 7, text('a')],
  'keys that need escapes': [text('a "b" \\ \n ü \u{1F600}'), call('c "1"', { 'k "x"': '\u2028' }), result('c "1"')],
  'an object without a format': { a: 1 }, 'an object with parts but no format': { parts: [text('a')] },
};

describe('content of older formats', () => {
  for (const [name, content] of Object.entries(CONTENTS)) {
    test(name, async () => {
      await store(['assistant', content], ['user', content, 'v2'], ['tool', content, '']);
      await read(3);
    });
  }

  test('a conversation', async () => {
    await store(['system', 'be kind'], ['user', [text('find')]], ['assistant', [text('I will'), call('c1'), call('c2')]], ['tool', [result('c1'), result('c2')]],
      ['assistant', [text('here')]], ['user', 'thanks', 'text']);
    const messages = await read(5);
    const [, , answer] = messages;
    assert.deepEqual(answer.content.toolInvocations.map(({ args }) => args), [{ q: 'c1' }, { q: 'c2' }]);
  });

  test('the args of a result come from the last message that has some', async () => {
    await store(['assistant', [call('c1', { first: 1 })]], ['assistant', [call('c1', { second: 2 })]], ['assistant', [call('c1', {})]], ['user', [call('c1', { user: 1 })]],
      ['tool', [result('c1')]], ['assistant', [call('c1', { later: 1 })]]);
    const messages = await read(6);
    assert.deepEqual(messages[4].content.toolInvocations[0].args, { second: 2 });
  });

  test('the args of a result come from content of format 2 too', async () => {
    await store(['assistant', v2([invocation('c1', { part: 1 }), invocation('c1', { other: 1 }), invocation('c2', {}), { type: 'text', text: 'x' }],
      { toolInvocations: [{ toolCallId: 'c1', args: { entry: 1 } }, { toolCallId: 'c2', args: { entry: 2 } }, { toolCallId: 'c3', args: 'text' }] }), 'v2'],
    ['assistant', v2([invocation('c1', {}), invocation('c4', 'text')], { toolInvocations: [{ toolCallId: 'c4', args: { entry: 4 } }] }), 'v2'],
    ['tool', ['c1', 'c2', 'c3', 'c4', 'c5'].map((id) => result(id))]);
    await read(3);
  });

  test('more messages than fit without growing', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `c${i}`);
    await store(...ids.map((id) => ['assistant', [text('t'), call(id)]]), ['tool', ids.map((id) => result(id))], ...ids.map((id) => ['assistant', [result(id, 'again')]]));
    await read(61);
  });

  test('an unknown role stays, and items that are no parts are left out', async () => {
    await store(['director', [text('a')]]);
    await pair.differs('the reference throws', 'memory.listMessages', { threadId: 't1' }, { reference: 'fails',
      stowage: ({ messages }) => assert.deepEqual([messages[0].role, messages[0].content.parts], ['director', [text('a')]]) });
    await pair.sql(`UPDATE :schema.mastra_messages SET role = 'user', content = '[null, {"type":"text","text":"a"}]'`);
    await pair.differs('the reference throws', 'memory.listMessages', { threadId: 't1' }, { reference: 'fails',
      stowage: ({ messages }) => assert.deepEqual(messages[0].content.parts, [text('a')]) });
  });

  test('another format is returned as stored', async () => {
    await store(['user', { format: 3, parts: [text('a')] }]);
    await pair.differs('the reference drops the content', 'memory.listMessages', { threadId: 't1' },
      { stowage: ({ messages }) => assert.deepEqual(messages[0].content, { format: 3, parts: [text('a')] }) });
  });

  test('given in a command', async () => {
    const message = (id, role, content) => ({ id, threadId: 't1', resourceId: 'r1', role, type: 'v1', createdAt: at(1), content });
    await pair.ok('memory.saveMessages', { messages: [message('a', 'user', 'text'), message('b', 'assistant', [text('x'), call('c1')]), message('c', 'tool', [result('c1')])] });
    await pair.ok('memory.listMessages', { threadId: 't1', perPage: false });
  });
});

describe('arguments that are refused', () => {
  test('an empty thread id, in the words of the reference', async () => {
    const words = 'threadId must be a non-empty string or array of non-empty strings';
    for (const threadId of ['', ' ', [], ['t1', ''], ['\t']]) {
      const { stowage, reference } = await pair.run('memory.listMessages', { threadId });
      assert.match(String(reference.error.message), new RegExp(words));
      await pair.fails('memory.listMessages', { threadId }, 'INVALID', 'INVALID_THREAD_ID');
      assert.match(stowage.error.text ?? stowage.error.message, new RegExp(words));
    }
  });
});

// Bad input: each message gets its declared error, a dead letter or a reply, a log line and a
// metric, and the next command of the same partition works.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { at, HOSTILE_IDS, message, thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, PATIENCE_MS, schemas, sql, until, World } from '../compat/lib/harness.mjs';
import { headerText } from '../compat/lib/stowage-client.mjs';
import { absent, datum, present, text, varint } from './bytes.mjs';

const world = new World({ name: 'bad-input', config: { limits: { messageBytes: 16 << 20 } } });
let dead;
before(async () => {
  await world.open();
  dead = await world.tail();
});
after(async () => {
  await world.close();
  await closeShared();
});

const commands = (outcome) => world.worker.metric('stowage_commands_total', `outcome="${outcome}"`).then((n) => n ?? 0);

// Checks that a later command of the same partition is answered.
async function stillWorks() {
  const id = newId();
  await world.client.call('memory.saveThread', { thread: thread(id) });
  assert.equal((await world.client.call('memory.getThreadById', { threadId: id })).id, id);
}

// Sends bytes that cannot be decoded. Expects a dead letter, and an error if the headers name a
// reply topic.
async function undecodable(value, { category = 'INVALID', code } = {}) {
  const mark = newId();
  const [invalid, letters] = [await commands('invalid'), await world.worker.metric('stowage_dead_letters_total') ?? 0];
  const reply = await world.client.exchange(value, { key: mark, headers: { mark } });
  assert.equal(reply.schema.name, 'mastra.Error');
  assert.equal(reply.decoded.category, category, reply.decoded.message);
  assert.equal(reply.decoded.retryable, false);
  if (code) assert.equal(reply.decoded.code, code);
  assert.ok(reply.decoded.message.length > 0);

  const letter = await dead.find(`the dead letter of ${mark}`, (m) => m.text.mark === mark);
  expectDeadLetter(letter, { key: mark, value, code: reply.decoded.code });

  // Without a reply topic there is still a dead letter.
  const silent = newId();
  await world.client.producer.send({ topic: world.topic, messages: [{ key: silent, value, headers: { mark: silent } }] });
  await dead.find(`the dead letter of ${silent}`, (m) => m.text.mark === silent);

  await stillWorks();
  assert.ok(await commands('invalid') >= invalid + 2, 'the metric of invalid commands');
  assert.ok(await world.worker.metric('stowage_dead_letters_total') >= letters + 2, 'the metric of dead letters');
  await world.worker.logged(new RegExp(`${reply.decoded.code}.*|offset=${letter.text['__connect.errors.offset']}\\b`));
  return reply.decoded;
}

test('a dead letter has a new timestamp, and the original one in a header', async () => {
  const mark = newId();
  const sent = '1500000000000';
  await world.client.producer.send({ topic: world.topic, messages: [{ value: 'no command', timestamp: sent, headers: { mark } }] });
  const letter = await dead.find('the dead letter', (m) => m.text.mark === mark);
  assert.equal(letter.text['__connect.errors.timestamp'], sent);
  assert.ok(Date.now() - Number(letter.timestamp) < PATIENCE_MS, letter.timestamp);
});

function expectDeadLetter(letter, { key, value, code }) {
  assert.equal(letter.key?.toString(), key);
  assert.deepEqual(letter.value ?? null, value);
  assert.equal(letter.text['__connect.errors.topic'], world.topic);
  assert.equal(letter.text['__connect.errors.partition'], '0');
  assert.match(letter.text['__connect.errors.offset'], /^\d+$/);
  assert.equal(letter.text['__connect.errors.exception.class.name'], code);
  assert.ok(letter.text['__connect.errors.exception.message']);
  assert.ok(letter.text['__connect.errors.stage']);
}

describe('messages that cannot be decoded', () => {
  const make = (command, ...parts) => datum(schemas(), command, ...parts);
  const CASES = {
    'random bytes': () => randomBytes(300),
    'random bytes after the magic': () => Buffer.concat([Buffer.from([0xc3, 0x01]), randomBytes(300)]),
    'random bytes after a fingerprint': () => make('memory.saveThread', Buffer.alloc(200, 0xff)),
    'JSON': () => Buffer.from('{"threadId":"t1"}'),
    'an empty value': () => Buffer.alloc(0),
    'no value': () => null,
    'one byte': () => Buffer.from([0xc3]),
    'only the magic': () => Buffer.from([0xc3, 0x01]),
    'a truncated fingerprint': () => Buffer.from([0xc3, 0x01, 1, 2, 3]),
    'an unknown fingerprint': () => Buffer.concat([Buffer.from([0xc3, 0x01]), Buffer.alloc(8, 0x42), text('t1'), absent]),
    'the framing of a schema registry': () => Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), text('t1'), absent]),
    'only a fingerprint': () => make('memory.getThreadById'),
    'bytes after the datum': () => make('memory.getThreadById', text('t1'), absent, Buffer.from([1, 2, 3])),
    'a length that claims gigabytes': () => make('memory.getThreadById', varint(3n << 30n), Buffer.from('abc')),
    'a length that claims the maximum': () => make('memory.getThreadById', varint((1n << 63n) - 1n), Buffer.from('abc')),
    'a negative length': () => make('memory.getThreadById', varint(-5), Buffer.from('abc')),
    'an endless number': () => make('memory.getThreadById', Buffer.alloc(20, 0xff)),
    'a union\'s branch that does not exist': () => make('memory.getThreadById', text('t1'), varint(2), text('x')),
    'a union\'s branch below zero': () => make('memory.getThreadById', text('t1'), varint(-1), text('x')),
    'a billion items': () => make('memory.deleteMessages', varint(1_000_000_000), Buffer.alloc(64)),
    'a billion items in a block with its size': () => make('memory.deleteMessages', varint(-1_000_000_000), varint(64), Buffer.alloc(64)),
    'the smallest possible count': () => make('memory.deleteMessages', varint(-(1n << 63n)), varint(64), Buffer.alloc(64)),
    'items that exist, but too many': () => make('memory.deleteMessages', varint(3_000_000), Buffer.alloc(3_000_001)),
    'endless blocks': () => make('memory.deleteMessages', Buffer.alloc(2_400_000, Buffer.from([2, 0])), Buffer.from([0])),
    'a text that is not UTF-8': () => make('memory.getThreadById', text(Buffer.from([0x74, 0xff, 0xfe])), absent),
    'a truncated UTF-8 sequence': () => make('memory.getThreadById', text(Buffer.from([0xe4, 0xb8])), absent),
    'an overlong UTF-8 sequence': () => make('memory.getThreadById', text(Buffer.from([0xc0, 0x80])), absent),
    'a surrogate in UTF-8': () => make('memory.getThreadById', text(Buffer.from([0xed, 0xa0, 0x80])), absent),
  };
  for (const [name, value] of Object.entries(CASES)) {
    test(name, () => undecodable(value()));
  }

  test('a datum truncated at every byte', async () => {
    const whole = schemas().encode('memory.saveThread', { thread: thread('cut') });
    const messages = [];
    for (let size = 0; size < whole.length; size++) {
      messages.push({ key: 'cut', value: whole.subarray(0, size), headers: { mark: `cut-${size}` } });
    }
    await world.client.producer.send({ topic: world.topic, messages });
    for (let size = 0; size < whole.length; size++) {
      await dead.find(`the dead letter of size ${size}`, (m) => m.text.mark === `cut-${size}`);
    }
    assert.equal(await world.client.call('memory.getThreadById', { threadId: 'cut' }), undefined);
  });

  test('a datum with one bit flipped', async () => {
    // Some of the messages are still valid. None may crash the worker.
    const whole = schemas().encode('memory.saveThread', { thread: thread('bits') });
    const messages = [];
    for (let bit = 16; bit < whole.length * 8; bit += 3) {
      const value = Buffer.from(whole);
      value[bit >> 3] ^= 1 << (bit & 7);
      messages.push({ key: 'bits', value });
    }
    await world.client.producer.send({ topic: world.topic, messages });
    await stillWorks();
  });
});

describe('times', () => {
  const far = varint(-(1n << 63n));
  const real = Buffer.alloc(8);
  const none = Array.from({ length: 5 }, () => absent);
  const chunk = Buffer.concat([text('c1'), text('observed'), real, varint(0), real, far]);
  const CASES = {
    'of a thread': ['memory.saveThread', text('t1'), present, text('T'), text('r1'), far, varint(0), absent],
    'of a chunk': ['memory.updateBufferedObservations', text('id'), chunk, ...none, absent],
  };
  for (const [name, [command, ...parts]] of Object.entries(CASES)) {
    test(`the smallest possible number as the time ${name}`, async () => {
      const reply = await world.client.exchange(datum(schemas(), command, ...parts), { key: newId() });
      assert.equal(reply.decoded.code, 'INVALID_TIME', JSON.stringify(reply.decoded));
      await stillWorks();
    });
  }
});

describe('JSON fields', () => {
  const save = (metadata) => datum(schemas(), 'memory.saveThread', text('json'), present, text('T'), text('r1'),
    varint(at(0).getTime()), varint(at(0).getTime()), present, text(metadata));
  const CASES = {
    'not JSON': 'not json',
    'an empty text': '',
    'a truncated object': '{"a":',
    'two values': '{} {}',
    'a bare word': 'NaN',
    'an extra comma': '{"a":1,}',
    'single quotes': "{'a':1}",
    'a raw control character': '{"a":"\u0001"}',
    'a raw NUL': '{"a":"\u0000"}',
    'an unknown escape': '{"a":"\\x41"}',
    'half an escape': '{"a":"\\u12"}',
    'a number out of every range': `{"a":1${'0'.repeat(200_000)}}`,
    'endless nesting': '['.repeat(200_000),
    'deep nesting': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    'endless objects': '{"a":'.repeat(100_000),
  };
  for (const [name, metadata] of Object.entries(CASES)) {
    test(`${name} is INVALID`, async () => {
      const mark = newId();
      const reply = await world.client.exchange(save(metadata), { key: mark, headers: { mark } });
      assert.equal(reply.decoded.category, 'INVALID', JSON.stringify(reply.decoded));
      await stillWorks();
    });
  }

  test('NUL and lone surrogates are repaired and counted', async () => {
    const was = await world.worker.metric('stowage_text_repairs_total') ?? 0;
    const metadata = { 'k\u0000': 'a\u0000b', s: '\ud800' };
    const saved = await world.client.call('memory.saveThread', { thread: thread('repaired', { metadata }) });
    assert.deepEqual(saved.metadata, { k: 'ab', s: '\ufffd' });
    await until('the metric counts', async () => await world.worker.metric('stowage_text_repairs_total') > was);
  });
});

describe('commands that fail', () => {
  // With a reply topic, the error is the reply and there is no dead letter. Without one, there is a
  // dead letter.
  async function fails(command, args, category, { code, says } = {}) {
    await assert.rejects(world.client.call(command, args), (error) => {
      assert.equal(error.category, category, error.message);
      if (code) assert.equal(error.code, code);
      if (says) assert.match(error.message, says);
      return true;
    });
    const mark = newId();
    const value = schemas().encode(command, args);
    await world.client.producer.send({ topic: world.topic, messages: [{ key: mark, value, headers: { mark } }] });
    const letter = await dead.find(`the dead letter of ${mark}`, (m) => m.text.mark === mark);
    expectDeadLetter(letter, { key: mark, value, code: letter.text['__connect.errors.exception.class.name'] });
    if (code) assert.equal(letter.text['__connect.errors.exception.class.name'], code);
    assert.equal(dead.messages.filter((m) => m.value?.equals(value)).length, 1, 'only the command without reply topic is a dead letter');
    await stillWorks();
  }

  test('a missing thread', () =>
    fails('memory.saveMessages', { messages: [message(`m-${newId()}`, 'none', 1)] }, 'NOT_FOUND', { code: 'THREAD_NOT_FOUND', says: /none/ }));
  test('page -1', () => fails('memory.listThreads', { page: -1 }, 'INVALID', { says: /page/i }));
  test('an unknown order field', () =>
    fails('memory.listThreads', { orderBy: { field: 'colour' } }, 'INVALID', { says: /createdAt.*updatedAt|updatedAt.*createdAt/ }));
  test('NUL in an id', () => fails('memory.saveThread', { thread: thread(`a\u0000-${newId()}`) }, 'INVALID'));

  test('ids with quotes, % and SQL are ids', async () => {
    for (const id of HOSTILE_IDS) {
      await world.client.call('memory.saveThread', { thread: thread(id) });
      assert.equal((await world.client.call('memory.getThreadById', { threadId: id })).id, id);
    }
    const [{ count }] = await sql(`SELECT count(*)::int FROM "${world.schema}".mastra_threads WHERE id = ANY($1)`, [HOSTILE_IDS]);
    assert.equal(count, HOSTILE_IDS.length);
  });

  test('the same id twice in one batch', async () => {
    const id = newId();
    await world.client.call('memory.saveThread', { thread: thread(id) });
    const list = [];
    for (let i = 0; i < 20; i++) {
      list.push({ command: 'memory.saveThread', args: { thread: thread(`${id}-t`, { title: `T${i}` }) }, key: id });
      list.push({ command: 'memory.saveMessages', key: id,
        args: { messages: [message(`${id}-m`, id, i, { content: `n${i}` }), message(`${id}-m`, id, i, { content: `again ${i}` })] } });
    }
    await world.client.post(list);
    assert.equal((await world.client.call('memory.getThreadById', { threadId: `${id}-t` }, { key: id })).title, 'T19');
    const rows = await sql(`SELECT content, "createdAt"::text FROM "${world.schema}".mastra_messages WHERE thread_id = $1`, [id]);
    assert.deepEqual(rows, [{ content: 'again 19', createdAt: '2024-01-01 12:00:00' }]);
  });

  test('a bad command in the middle of a batch fails alone', async () => {
    const id = newId();
    const list = Array.from({ length: 101 }, (_, i) => (i === 50
      ? { command: 'memory.saveMessages', args: { messages: [message(`${id}-bad`, 'none', 1)] }, key: id }
      : i === 70 ? { value: randomBytes(50), key: id }
        : { command: 'memory.saveThread', args: { thread: thread(`${id}-${i}`) }, key: id }));
    await world.client.post(list);
    await world.client.call('storage.ping', {}, { key: id });
    const [{ count }] = await sql(`SELECT count(*)::int FROM "${world.schema}".mastra_threads WHERE id LIKE $1`, [`${id}-%`]);
    assert.equal(count, 99);
    await dead.find('both bad commands', () => dead.messages.filter((m) => m.key?.toString() === id).length === 2);
  });

  test('a command that only PostgreSQL rejects fails alone', async () => {
    // A constraint fails the batch's statement, which no check before it can predict.
    await sql(`ALTER TABLE "${world.schema}".mastra_threads ADD CONSTRAINT no_evil CHECK (title <> 'evil')`);
    try {
      const id = newId();
      const list = Array.from({ length: 60 }, (_, i) => ({ command: 'memory.saveThread', key: id, correlationId: `${id}-${i}`,
        args: { thread: thread(`${id}-${i}`, { title: i % 20 === 7 ? 'evil' : 'good' }) } }));
      const answers = list.map(({ correlationId }) => world.client.expect(correlationId, 'memory.saveThread'));
      await world.client.post(list);
      for (const [i, reply] of (await Promise.all(answers)).entries()) {
        assert.equal(headerText(reply.headers, 'status'), i % 20 === 7 ? 'error' : 'ok', `command ${i}`);
      }
      const [{ count }] = await sql(`SELECT count(*)::int FROM "${world.schema}".mastra_threads WHERE id LIKE $1`, [`${id}-%`]);
      assert.equal(count, 57);
    } finally {
      await sql(`ALTER TABLE "${world.schema}".mastra_threads DROP CONSTRAINT no_evil`);
    }
  });

  test('a command whose statement always times out fails alone', async () => {
    const id = newId();
    await sql(`CREATE FUNCTION "${world.schema}".too_slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END $$`);
    await sql(`CREATE TRIGGER too_slow BEFORE INSERT ON "${world.schema}".mastra_threads FOR EACH ROW
      WHEN (NEW.title = 'slow') EXECUTE FUNCTION "${world.schema}".too_slow()`);
    try {
      const list = Array.from({ length: 20 }, (_, i) => ({ command: 'memory.saveThread', key: id, correlationId: `${id}-${i}`,
        args: { thread: thread(`${id}-${i}`, { title: i === 7 ? 'slow' : 'good' }) } }));
      const answers = list.map(({ correlationId }) => world.client.expect(correlationId, 'memory.saveThread'));
      await world.client.post(list);
      for (const [i, { headers, decoded }] of (await Promise.all(answers)).entries()) {
        assert.equal(headerText(headers, 'status'), i === 7 ? 'error' : 'ok', `command ${i}`);
        if (i === 7) assert.equal(decoded.category, 'TIMEOUT');
      }
    } finally {
      await sql(`DROP FUNCTION "${world.schema}".too_slow() CASCADE`);
    }
  });
});

describe('the limits', () => {
  const snapshot = (bytes) => ({ workflowName: 'w', runId: newId(), snapshot: { status: 'running', context: { text: 'x'.repeat(bytes) } } });

  test('a 60 MB snapshot is rejected with a clear message', async () => {
    await assert.rejects(world.client.call('workflows.persistWorkflowSnapshot', snapshot(60e6)), (error) => {
      assert.equal(error.category, 'INVALID');
      assert.match(error.message, /limits\.\w+|larger than|too (large|long)|beyond/i);
      return true;
    });
    await stillWorks();
  });

  test('a read whose reply exceeds the limit gets an error', async () => {
    const args = snapshot(1_500_000);
    await world.client.call('workflows.persistWorkflowSnapshot', args);
    await assert.rejects(world.client.call('workflows.loadWorkflowSnapshot', { workflowName: 'w', runId: args.runId }), { code: 'REPLY_TOO_LARGE' });
    await stillWorks();
  });

  test('a write whose reply exceeds the limit is rolled back', async () => {
    const id = newId();
    await assert.rejects(world.client.call('memory.saveThread', { thread: thread(id, { metadata: { text: 'x'.repeat(1_500_000) } }) }), { code: 'REPLY_TOO_LARGE' });
    assert.equal(await world.client.call('memory.getThreadById', { threadId: id }), undefined);
  });
});

describe('with other settings', () => {
  test('a 60 MB snapshot works with higher limits', async () => {
    const own = new World({ name: 'large', config: { limits: { messageBytes: 100 << 20, stringBytes: 100 << 20, memoryBytes: 256 << 20 }, replies: { maxBytes: 80 << 20 } } });
    try {
      await own.open();
      const args = { workflowName: 'w', runId: 'big', snapshot: { status: 'running', context: { text: 'y'.repeat(60e6) } } };
      await own.client.call('workflows.persistWorkflowSnapshot', args);
      const loaded = await own.client.call('workflows.loadWorkflowSnapshot', { workflowName: 'w', runId: 'big' });
      assert.equal(loaded.context.text.length, 60e6);
    } finally {
      await own.close();
    }
  });

  test('text repair can be turned off', async () => {
    const own = new World({ name: 'reject', config: { data: { textRepair: 'reject' } } });
    try {
      await own.open();
      await assert.rejects(own.client.call('memory.saveThread', { thread: thread('t', { metadata: { s: 'a\u0000' } }) }), { category: 'INVALID' });
      await assert.rejects(own.client.call('memory.saveThread', { thread: thread('t', { metadata: { s: '\udc00' } }) }), { category: 'INVALID' });
      assert.equal(await own.client.call('memory.getThreadById', { threadId: 't' }), undefined);
    } finally {
      await own.close();
    }
  });
});

test('key and correlation id count against replies.maxBytes', async () => {
  const small = new World({ name: 'small-replies', config: { replies: { maxBytes: 20_000 } } });
  try {
    await small.open();
    await small.client.call('memory.saveThread', { thread: thread('t', { metadata: { text: 'x'.repeat(12_000) } }) });
    await small.client.call('memory.getThreadById', { threadId: 't' });
    for (const over of [{ key: 'k'.repeat(9_000) }, { correlationId: 'c'.repeat(9_000) }]) {
      await assert.rejects(small.client.call('memory.getThreadById', { threadId: 't' }, over), { code: 'REPLY_TOO_LARGE' });
    }
    // No reply has room beside this key, so the command never begins.
    await small.client.post([{ command: 'storage.ping', args: {}, key: 'k'.repeat(12_000), correlationId: 'large' }]);
    const letters = await small.tail();
    const letter = await letters.find('the dead letter', (m) => m.text['correlation-id'] === 'large');
    assert.equal(letter.text['__connect.errors.exception.class.name'], 'REPLY_TOO_LARGE');
    await small.client.call('memory.getThreadById', { threadId: 't' });
  } finally {
    await small.close();
  }
});

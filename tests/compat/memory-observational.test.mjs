// memory: observational memory. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, AWKWARD_JSON, HOSTILE_IDS, REPAIRED_JSON } from './lib/fixtures.mjs';
import { Pair, SELF } from './lib/pair.mjs';

const pair = new Pair(['mastra_observational_memory']);

const start = (over = {}) => pair.ok('memory.initializeObservationalMemory',
  { threadId: 't1', resourceId: 'r1', scope: 'thread', config: { observation: { messageTokens: 100, model: 'm' }, flag: true }, ...over });
const current = (threadId = 't1', resourceId = 'r1') => pair.ok('memory.getObservationalMemory', { threadId, resourceId });

const record = (id, over = {}) => ({ id, scope: 'thread', threadId: 't1', resourceId: 'r1', createdAt: at(0), updatedAt: at(1),
  lastObservedAt: undefined, originType: 'initial', generationCount: 0, activeObservations: '', totalTokensObserved: 0,
  observationTokenCount: 0, pendingMessageTokens: 0, isReflecting: false, isObserving: false, isBufferingObservation: false,
  isBufferingReflection: false, lastBufferedAtTokens: 0, lastBufferedAtTime: null, config: {}, ...over });
const insert = (id, over) => pair.ok('memory.insertObservationalMemoryRecord', record(id, over));

const chunk = (i, over = {}) => ({ cycleId: `c${i}`, observations: `observed ${i}`, tokenCount: 10 * i, messageIds: [`m${i}`, `n${i}`],
  messageTokens: 1000 * i, lastObservedAt: at(i), ...over });
const buffer = (made, one, over = {}) => pair.ok('memory.updateBufferedObservations', made.map(({ id }) => ({ id, chunk: one, ...over })));

describe('memory.initializeObservationalMemory and getObservationalMemory', () => {
  test('of a thread, of a resource', async () => {
    await start();
    await start({ threadId: null, scope: 'resource' });
    await current();
    await current(null);
    await current('t2');
    await current(null, 'r2');
  });
  test('with a timezone', async () => {
    await start({ observedTimezone: 'Europe/Berlin' });
    await start({ threadId: 't2', observedTimezone: '' });
    await current();
    await current('t2');
  });
  test('an empty thread id means no thread', async () => {
    await start({ threadId: '', scope: 'resource' });
    await current('');
    await current(null);
  });
  test('of two records, the highest generation is current', async () => {
    await insert('a', { generationCount: 2, activeObservations: 'two' });
    await insert('b', { generationCount: 1, activeObservations: 'one' });
    await current();
  });
  for (const [name, config] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`config: ${name}`, async () => {
      const made = await pair.ok('memory.initializeObservationalMemory', { threadId: 't1', resourceId: 'r1', scope: 'thread', config }, { repaired: true });
      await current();
      if (name === 'nulKey') return; // the repaired key would collide with the stored one
      await pair.ok('memory.updateObservationalMemoryConfig', made.map(({ id }) => ({ id, config })));
      await current();
    });
  }
  test('hostile ids', async () => {
    for (const id of HOSTILE_IDS) {
      await start({ threadId: id, resourceId: id });
      await current(id, id);
      await pair.ok('memory.getObservationalMemoryHistory', { threadId: id, resourceId: id });
      await pair.ok('memory.clearObservationalMemory', { threadId: id, resourceId: id });
    }
  });
  test('a scope that only a newer Mastra knows is stored as given', async () => {
    await start({ scope: 'planet' });
    await current();
  });
});

describe('memory.insertObservationalMemoryRecord', () => {
  test('with nothing optional', async () => {
    await insert('a');
    await current();
  });
  test('with everything', async () => {
    await insert('a', { lastObservedAt: at(5), originType: 'reflection', generationCount: 3, activeObservations: 'line 1\nline 2',
      bufferedObservationChunks: [{ id: 'ombuf-1', createdAt: at(3), suggestedContinuation: 'go on', currentTask: 'task',
        threadTitle: 'title', extractedValues: { a: { b: 1 } }, extractionFailures: [{ slug: 's', error: 'e' }], ...chunk(1) }],
      bufferedReflection: 'reflected', bufferedReflectionTokens: 12, bufferedReflectionInputTokens: 34, reflectedObservationLineCount: 1,
      observedMessageIds: ['m1', 'm2'], observedTimezone: 'UTC', totalTokensObserved: 2_000_000_000, observationTokenCount: 20,
      pendingMessageTokens: 30, isReflecting: true, isObserving: true, isBufferingObservation: true, isBufferingReflection: true,
      lastBufferedAtTokens: 40, lastBufferedAtTime: at(7), config: { a: 1 }, metadata: { m: [1] } });
    await insert('b', { threadId: 't2', lastObservedAt: at(5), bufferedReflectionTokens: 0, bufferedReflectionInputTokens: 0,
      reflectedObservationLineCount: 0, observedMessageIds: [], bufferedObservationChunks: [], metadata: {}, observedTimezone: '' });
    await current();
    await current('t2');
  });
  test('legacy fields are not stored', async () => {
    await insert('a', { bufferedObservations: 'old', bufferedObservationTokens: 5, bufferedMessageIds: ['m1'] });
    await current();
  });
  test('an id that exists fails', async () => {
    await insert('a');
    await pair.fails('memory.insertObservationalMemoryRecord', record('a', { threadId: 't2' }), 'CONFLICT');
  });
  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`config and metadata: ${name}`, async () => {
      await insert('a', { config: json, metadata: json });
      await current();
    });
  }
});

describe('memory: observational metadata that is not an object', () => {
  for (const metadata of [[1], 5, true, false, 0, '', '{"a":1}', '"5"', 'null']) {
    test(`read back as the reference does: ${JSON.stringify(metadata)}`, async () => {
      await insert('a', { metadata });
      const now = await current();
      await pair.ok('memory.getObservationalMemoryHistory', { threadId: 't1', resourceId: 'r1' });
      await pair.ok('memory.createReflectionGeneration', now.map((currentRecord) => ({ currentRecord, reflection: 'r', tokenCount: 1 })));
    });
  }
  test('text that can\'t be read back', async () => {
    const metadata = 'hello';
    const refused = { category: 'INVALID', code: 'INVALID_METADATA' };
    await pair.differs('the reference stores it', 'memory.insertObservationalMemoryRecord', record('a', { metadata }), refused);
    await pair.differs('the reference stores it', 'memory.createReflectionGeneration', { currentRecord: record('b', { metadata }), reflection: 'r', tokenCount: 1 }, refused);
    await pair.sql('DELETE FROM :schema.mastra_observational_memory');
    await insert('a');
    await pair.sql(`UPDATE :schema.mastra_observational_memory SET metadata = '"hello"'`);
    await pair.differs('returned as stored', 'memory.getObservationalMemory', { threadId: 't1', resourceId: 'r1' },
      { reference: 'fails', stowage: (one) => assert.equal(one.metadata, metadata) });
  });
});

describe('memory: chunk times that a timestamp can\'t hold', () => {
  // The reference stores such chunks, but then can't activate them.
  const EARLY = new Date(-4000000000000000);
  const refused = { category: 'INVALID', code: 'INVALID_TIME' };
  const stored = (over) => [{ id: 'ombuf-1', createdAt: at(3), ...chunk(1), ...over }];

  test('are rejected in a buffered chunk', async () => {
    const made = await start();
    const { stowage } = await pair.differs('the chunk could not be activated', 'memory.updateBufferedObservations',
      made.map(({ id }) => ({ id, chunk: chunk(1, { lastObservedAt: EARLY }) })), refused);
    if (!SELF) assert.match(stowage.error.message, /chunk\.lastObservedAt/);
  });
  for (const field of ['lastObservedAt', 'createdAt']) {
    test(`are rejected in a record's chunks: ${field}`, async () => {
      const { stowage } = await pair.differs('the chunk could not be activated', 'memory.insertObservationalMemoryRecord',
        record('a', { bufferedObservationChunks: [...stored(), ...stored({ [field]: EARLY })] }), refused);
      if (!SELF) assert.match(stowage.error.message, new RegExp(`bufferedObservationChunks\\[1\\]\\.${field}`));
    });
  }
  for (const time of [EARLY.toISOString(), EARLY.getTime(), -1e300, 1e300, 8640000000000001]) {
    test(`do not stop the activation of a stored chunk: ${JSON.stringify(time)}`, async () => {
      await insert('a', { bufferedObservationChunks: stored() });
      await pair.sql(`UPDATE :schema.mastra_observational_memory SET "bufferedObservationChunks" =
        jsonb_set("bufferedObservationChunks", '{0,lastObservedAt}', $1::jsonb)`, [JSON.stringify(time)]);
      await pair.differs('the activation is the time of observation', 'memory.swapBufferedToActive',
        { id: 'a', activationRatio: 1, messageTokensThreshold: 1, currentPendingTokens: 1 },
        { reference: 'fails', stowage: ({ chunksActivated }) => assert.equal(chunksActivated, 1) });
    });
  }
});

describe('memory.getObservationalMemoryHistory', () => {
  const CASES = {
    everything: {},
    'at most 2': { limit: 2 },
    'at most 0': { limit: 0 },
    'from a date': { options: { from: at(20) } },
    'to a date': { options: { to: at(20) } },
    'between dates': { options: { from: at(10), to: at(30) } },
    'with an offset': { limit: 2, options: { offset: 2 } },
    'with offset 0': { options: { offset: 0 } },
    'with an offset above the count': { options: { offset: 99 } },
    'empty options': { options: {} },
    'all at once': { limit: 2, options: { from: at(10), to: at(90), offset: 1 } },
  };
  for (const [name, args] of Object.entries(CASES)) {
    test(name, async () => {
      for (let i = 0; i < 13; i++) await insert(`g${i}`, { generationCount: i, createdAt: at(i * 10), originType: i ? 'reflection' : 'initial' });
      await pair.ok('memory.getObservationalMemoryHistory', { threadId: 't1', resourceId: 'r1', ...args });
    });
  }
  test('without records', () => pair.ok('memory.getObservationalMemoryHistory', { threadId: null, resourceId: 'none' }));
  test('a negative limit or offset fails', async () => {
    await pair.fails('memory.getObservationalMemoryHistory', { threadId: null, resourceId: 'r', limit: -1 }, 'INVALID');
    await pair.fails('memory.getObservationalMemoryHistory', { threadId: null, resourceId: 'r', options: { offset: -1 } }, 'INVALID');
  });
});

describe('memory: commands that change one record', () => {
  const FLAGS = ['memory.setReflectingFlag', 'memory.setObservingFlag', 'memory.setBufferingObservationFlag', 'memory.setBufferingReflectionFlag'];
  const argument = { 'memory.setReflectingFlag': 'isReflecting', 'memory.setObservingFlag': 'isObserving' };
  for (const command of FLAGS) {
    test(command, async () => {
      const made = await start();
      for (const value of [true, true, false]) {
        await pair.ok(command, made.map(({ id }) => ({ id, [argument[command] ?? 'isBuffering']: value })));
        await current();
      }
      await pair.fails(command, { id: 'none', [argument[command] ?? 'isBuffering']: true }, 'NOT_FOUND');
    });
  }
  test('memory.setBufferingObservationFlag with a count', async () => {
    const made = await start();
    for (const [isBuffering, lastBufferedAtTokens] of [[true, 1234], [true, 0], [false, 12.5], [true, undefined], [true, 12.4999]]) {
      await pair.ok('memory.setBufferingObservationFlag', made.map(({ id }) => ({ id, isBuffering, lastBufferedAtTokens })));
    }
    await current();
  });
  test('memory.setPendingMessageTokens', async () => {
    const made = await start();
    for (const tokenCount of [10, 0, 1.5, 2.5, -1.5, 0.49999999999999994, 2147483647]) {
      await pair.ok('memory.setPendingMessageTokens', made.map(({ id }) => ({ id, tokenCount })));
      await current();
    }
    await pair.fails('memory.setPendingMessageTokens', { id: 'none', tokenCount: 1 }, 'NOT_FOUND');
    await pair.fails('memory.setPendingMessageTokens', made.map(({ id }) => ({ id, tokenCount: 1e12 })), 'INVALID');
  });
  test('memory.updateActiveObservations', async () => {
    const made = await start();
    const update = (over) => pair.ok('memory.updateActiveObservations',
      made.map(({ id }) => ({ id, observations: 'seen', tokenCount: 7, lastObservedAt: at(9), ...over })));
    await update({});
    await update({ observations: 'seen more\nlines', tokenCount: 2.5, observedMessageIds: ['m1', HOSTILE_IDS[0]] });
    await update({ observations: '', tokenCount: 0, observedMessageIds: [] });
    await update({ observedTimezone: 'Asia/Tokyo' });
    await current();
    await pair.fails('memory.updateActiveObservations', { id: 'none', observations: '', tokenCount: 0, lastObservedAt: at(0) }, 'NOT_FOUND');
  });
  test('memory.updateObservationalMemoryConfig merges deeply', async () => {
    const made = await start();
    const update = (config) => pair.ok('memory.updateObservationalMemoryConfig', made.map(({ id }) => ({ id, config })));
    await update({ observation: { model: 'other', deeper: { a: 1 } } });
    await update({ observation: { deeper: { b: [1, 2] } }, list: [1] });
    await update({ observation: { deeper: { b: [3] } }, list: { now: 'object' }, flag: null });
    await update({ observation: 'replaced' });
    await update({});
    await current();
    await pair.fails('memory.updateObservationalMemoryConfig', { id: 'none', config: {} }, 'NOT_FOUND');
  });
  test('memory.clearObservationalMemory', async () => {
    await start();
    await insert('old', { generationCount: 5 });
    await start({ threadId: null });
    await pair.ok('memory.clearObservationalMemory', { threadId: 't1', resourceId: 'other' });
    await pair.ok('memory.clearObservationalMemory', { threadId: null, resourceId: 'none' });
    await pair.ok('memory.clearObservationalMemory', { threadId: null, resourceId: 'r1' });
  });
});

describe('memory: buffered observations', () => {
  test('chunks are appended, each cycle once', async () => {
    const made = await start();
    await buffer(made, chunk(1));
    await buffer(made, chunk(2, { suggestedContinuation: 's', currentTask: 't', threadTitle: 'x', extractedValues: { k: { v: 1 } },
      extractionFailures: [{ slug: 'a', error: 'b' }], tokenCount: 1.5, messageTokens: 2.5 }), { lastBufferedAtTime: at(50) });
    await buffer(made, chunk(1, { observations: 'the same cycle again' }));
    await buffer(made, chunk(3, { messageIds: [], observations: '', extractionFailures: [] }));
    await current();
    await pair.fails('memory.updateBufferedObservations', { id: 'none', chunk: chunk(1) }, 'NOT_FOUND');
  });
  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`extracted values: ${name}`, async () => {
      const made = await start();
      await buffer(made, chunk(1, { extractedValues: json }));
      await current();
    });
  }
  test('texts that jsonb rejects are repaired', async () => {
    const made = await start();
    await buffer(made, chunk(1, { observations: 'a\u0000b', currentTask: 'x\u0000' }));
    await current();
  });

  const swap = (made, over) => pair.ok('memory.swapBufferedToActive', made.map(({ id }) => ({ id, activationRatio: 0.8,
    messageTokensThreshold: 5000, currentPendingTokens: 6000, ...over })));

  // Chunks of 1,000, 2,000, 3,000 and 4,000 message tokens; the arguments decide how many are activated.
  const SWAPS = {
    'a target between boundaries': {},
    'everything': { activationRatio: 1 },
    'nothing to remove': { activationRatio: 0 },
    'far above': { currentPendingTokens: 100_000 },
    'far below': { currentPendingTokens: 10 },
    'a large floor': { messageTokensThreshold: 50_000, currentPendingTokens: 52_000 },
    'a large floor, forced': { messageTokensThreshold: 50_000, currentPendingTokens: 52_000, forceMaxActivation: true },
    'a small floor': { messageTokensThreshold: 100, currentPendingTokens: 6000, activationRatio: 0.5 },
    'forced': { forceMaxActivation: true, currentPendingTokens: 4000 },
    'not forced': { forceMaxActivation: false, currentPendingTokens: 4000 },
    'exactly at a boundary': { messageTokensThreshold: 5000, activationRatio: 0.8, currentPendingTokens: 4000 },
    'with a time': { lastObservedAt: at(77) },
    'fractions': { activationRatio: 1 / 3, messageTokensThreshold: 4567.8, currentPendingTokens: 5432.1 },
    'a ratio above one': { activationRatio: 1.5 },
  };
  for (const [name, args] of Object.entries(SWAPS)) {
    test(`swap: ${name}`, async () => {
      const made = await start();
      for (let i = 1; i <= 4; i++) await buffer(made, chunk(i, { tokenCount: i + 0.25, suggestedContinuation: `s${i}`, currentTask: i % 2 ? `t${i}` : undefined }));
      await swap(made, args);
      await current();
      // Again, with active observations, until the buffer is empty.
      for (let i = 0; i < 4; i++) await swap(made, args);
      await current();
    });
  }
  test('swap: an empty buffer, a missing record', async () => {
    const made = await start();
    await swap(made, {});
    await pair.fails('memory.swapBufferedToActive', { id: 'none', activationRatio: 1, messageTokensThreshold: 1, currentPendingTokens: 1 }, 'NOT_FOUND');
    await insert('a', { threadId: 't2', bufferedObservationChunks: [] });
    await pair.ok('memory.swapBufferedToActive', { id: 'a', activationRatio: 1, messageTokensThreshold: 1, currentPendingTokens: 1 });
  });
  test('swap: one chunk without tokens', async () => {
    const made = await start();
    await buffer(made, chunk(1, { messageTokens: 0, tokenCount: 0, messageIds: [] }));
    await swap(made, {});
    await current();
  });
  test('swap: pending tokens go down, not below zero', async () => {
    const made = await start();
    await pair.ok('memory.setPendingMessageTokens', made.map(({ id }) => ({ id, tokenCount: 1500 })));
    for (const i of [1, 2]) {
      await buffer(made, chunk(i));
      await swap(made, { activationRatio: 1 });
      await current();
    }
  });
  test('swap: chunks in the request are ignored', async () => {
    const made = await start();
    await buffer(made, chunk(1));
    await swap(made, { bufferedChunks: [{ id: 'x', createdAt: at(1), ...chunk(9) }] });
    await current();
  });
});

describe('memory: reflections', () => {
  const reflect = (made, over = {}) => pair.ok('memory.updateBufferedReflection', made.map(({ id }) => ({ id, reflection: 'short',
    tokenCount: 3, inputTokenCount: 30, reflectedObservationLineCount: 2, ...over })));

  test('buffered reflections are appended', async () => {
    const made = await start();
    await reflect(made);
    await reflect(made, { reflection: 'second', tokenCount: 1.5, inputTokenCount: 2.5, reflectedObservationLineCount: 0 });
    await reflect(made, { reflection: '' });
    await current();
    await pair.fails('memory.updateBufferedReflection', { id: 'none', reflection: '', tokenCount: 0, inputTokenCount: 0, reflectedObservationLineCount: 0 }, 'NOT_FOUND');
  });

  test('a new generation', async () => {
    const made = await start({ observedTimezone: 'UTC' });
    const next = await pair.ok('memory.createReflectionGeneration', made.map((currentRecord) => ({ currentRecord, reflection: 'reflected', tokenCount: 12.5 })));
    await current();
    await pair.ok('memory.createReflectionGeneration', next.map((currentRecord) => ({ currentRecord, reflection: '', tokenCount: 0 })));
    await pair.ok('memory.getObservationalMemoryHistory', { threadId: 't1', resourceId: 'r1' });
  });

  test('a new generation of a record with everything', async () => {
    const full = record('full', { lastObservedAt: at(5), generationCount: 3, totalTokensObserved: 999, metadata: { m: 1 }, config: { a: { b: 'x\u0000' } }, observedTimezone: 'Asia/Tokyo' });
    await pair.ok('memory.createReflectionGeneration', { currentRecord: full, reflection: HOSTILE_IDS[0], tokenCount: 5 }, { repaired: true });
    await pair.ok('memory.createReflectionGeneration', { currentRecord: record('r', { threadId: null, scope: 'resource' }), reflection: 'x', tokenCount: 5 });
    await current();
    await current(null);
  });

  test('the buffered reflection becomes active, followed by later lines', async () => {
    for (const [i, lines] of [0, 1, 2, 3, 9].entries()) {
      const made = await start({ threadId: `x${i}` });
      await pair.ok('memory.updateActiveObservations', made.map(({ id }) => ({ id, observations: 'one\ntwo\n  three  \n\n', tokenCount: 9, lastObservedAt: at(1) })));
      await reflect(made, { reflectedObservationLineCount: lines });
      const now = await current(`x${i}`);
      await pair.ok('memory.swapBufferedReflectionToActive', now.map((currentRecord) => ({ currentRecord, tokenCount: 5 })));
      await pair.ok('memory.getObservationalMemoryHistory', { threadId: `x${i}`, resourceId: 'r1' });
    }
  });

  test('spaces that JavaScript\'s trim() removes', async () => {
    const made = await start();
    await pair.ok('memory.updateActiveObservations', made.map(({ id }) => ({ id, observations: 'one\n\u00a0\ufeff\u2028 kept\t\u3000\u0085\r\n', tokenCount: 9, lastObservedAt: at(1) })));
    await reflect(made, { reflectedObservationLineCount: 1 });
    const now = await current();
    await pair.ok('memory.swapBufferedReflectionToActive', now.map((currentRecord) => ({ currentRecord, tokenCount: 5 })));
    await current();
  });

  test('nothing is buffered, or the record is missing', async () => {
    const made = await start();
    await pair.fails('memory.swapBufferedReflectionToActive', made.map((currentRecord) => ({ currentRecord, tokenCount: 5 })));
    await pair.fails('memory.swapBufferedReflectionToActive', { currentRecord: record('none'), tokenCount: 5 }, 'NOT_FOUND');
  });
});

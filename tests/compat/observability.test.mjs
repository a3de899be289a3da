// observability.test.mjs - writes and reads spans. Every case runs on both sides (lib/pair.mjs).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, AWKWARD_JSON, HOSTILE_IDS, REPAIRED_JSON } from './lib/fixtures.mjs';
import { Pair, SELF } from './lib/pair.mjs';

const pair = new Pair(['mastra_ai_spans']);

const span = (spanId, over = {}) => ({ traceId: 't1', spanId, name: `span ${spanId}`, spanType: 'agent_run', isEvent: false,
  startedAt: at(1), ...over });

const FULL = { parentSpanId: 'p1', entityType: 'agent', entityId: 'e1', entityName: 'Entity', parentEntityType: 'workflow_run',
  parentEntityId: 'pe1', parentEntityName: 'Parent', rootEntityType: 'tool', rootEntityId: 're1', rootEntityName: 'Root',
  userId: 'u1', organizationId: 'o1', resourceId: 'r1', runId: 'run1', sessionId: 's1', threadId: 'th1', requestId: 'rq1',
  environment: 'test', serviceName: 'service', scope: { core: '1.0.0' }, entityVersionId: 'v1', parentEntityVersionId: 'v2',
  rootEntityVersionId: 'v3', experimentId: 'x1', source: 'local', metadata: { a: 1, b: ['c'] }, tags: ['one', 'two'],
  attributes: { model: 'm' }, links: [{ traceId: 't9', spanId: 's9' }, null, 'x', 1], input: { messages: [] }, output: 'text',
  error: { message: 'no' }, endedAt: at(9), requestContext: { k: 'v' } };

const OTHER = { ...FULL, parentSpanId: 'p2', entityType: 'tool', entityName: 'Other', userId: 'u2', metadata: { z: 2 }, tags: ['three'],
  links: [], input: 'in', output: [1, 2], error: 'bad', endedAt: at(10), scope: {}, requestContext: {}, attributes: { b: 2 } };

const NULLABLE = Object.keys(FULL);
const NULLS = Object.fromEntries(NULLABLE.map((name) => [name, null]));

const create = (...args) => pair.ok('observability.createSpan', { span: span(...args) });
const update = (spanId, updates, traceId = 't1') => pair.ok('observability.updateSpan', { spanId, traceId, updates });
const getSpan = (spanId, traceId = 't1') => pair.ok('observability.getSpan', { traceId, spanId });

const UNKNOWN = 'no_such_type';

describe('spans of one start', () => {
  const GIVEN = ['z', 'm', 'a', 'q', 'b', 'zz', '10', '9'];
  const records = (startedAt) => GIVEN.map((id, i) => span(id, { startedAt, ...(i ? { parentSpanId: 'z' } : {}) }));
  const listed = async () => {
    const lists = [];
    for (const command of ['getTrace', 'getTraceLight', 'getStructure']) {
      lists.push((await pair.ok(`observability.${command}`, { traceId: 't1' })).stowage.spans.map((one) => one.spanId));
    }
    lists.push((await pair.ok('observability.getBranch', { traceId: 't1', spanId: 'z' })).stowage.spans.map((one) => one.spanId));
    return lists;
  };

  test('come back as they were given', async () => {
    await pair.ok('observability.batchCreateSpans', { records: records(at(1)) });
    for (const list of await listed()) assert.deepEqual(list, GIVEN);
  });

  test('as they were given one by one, at once', async () => {
    if (SELF) return;
    await pair.world.client.post(records(at(1)).map((one) => ({ command: 'observability.createSpan', key: 't1', args: { span: one } })));
    const { spans } = await pair.world.client.call('observability.getTrace', { traceId: 't1' }, { key: 't1' });
    assert.deepEqual(spans.map((one) => one.spanId), GIVEN);
  });

  test('after an update of all', async () => {
    await pair.ok('observability.batchCreateSpans', { records: records(at(1)) });
    await pair.ok('observability.batchUpdateSpans', { records: GIVEN.map((spanId) => ({ traceId: 't1', spanId, updates: { endedAt: at(2) } })) });
    for (const list of await listed()) assert.deepEqual(list, GIVEN);
  });

  test('among spans of other starts', async () => {
    // PostgreSQL sorts few rows stably, more it does not: the reference's order is defined for few.
    const few = records(at(2)).slice(0, 4);
    await pair.ok('observability.batchCreateSpans', { records: [...few, span('last', { startedAt: at(3) }), span('first', { startedAt: at(1) })] });
    assert.deepEqual((await listed())[0], ['first', ...GIVEN.slice(0, 4), 'last']);
  });
});

describe('observability.createSpan', () => {
  test('the fewest and the most fields', async () => {
    await create('a');
    await create('b', FULL);
    assert.equal((await getSpan('a')).stowage.span.name, 'span a');
    await getSpan('b');
    await getSpan('none');
  });

  test('all nulls given', async () => {
    await create('a', NULLS);
    await getSpan('a');
  });

  test('again: fields that are not given keep their value, except the end', async () => {
    await create('a', FULL);
    await create('a', { name: 'again', spanType: 'tool_call', isEvent: true, startedAt: at(2) });
    await getSpan('a');
  });

  test('again with nulls: the nulls are stored', async () => {
    await create('a', FULL);
    await create('a', { ...NULLS, name: 'again' });
    await getSpan('a');
  });

  test('again with other values', async () => {
    await create('a', FULL);
    await create('a', OTHER);
    await getSpan('a');
  });

  for (const name of NULLABLE) {
    test(`again with ${name} null, and without it`, async () => {
      await create('a', FULL);
      await create('a', { [name]: null });
      await create('b', FULL);
      await create('b', {});
      await create('c', { ...FULL, [name]: undefined });
      await create('c', { [name]: OTHER[name] });
      await getSpan('a');
      await getSpan('b');
      await getSpan('c');
    });
  }

  test('the same span id in another trace', async () => {
    await create('a', FULL);
    await create('a', { traceId: 't2' });
    await getSpan('a');
    await getSpan('a', 't2');
  });

  test('hostile ids and texts', async () => {
    for (const id of HOSTILE_IDS) {
      await create(id, { traceId: id, name: id, entityId: id, parentSpanId: id, tags: [id, 'x'], metadata: { [id]: id }, input: id });
      await getSpan(id, id);
      await pair.ok('observability.getTrace', { traceId: id });
    }
  });

  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`json: ${name}`, async () => {
      await create('a', { attributes: { json }, metadata: { json }, scope: { json }, links: [json], input: json, output: [json],
        error: { json }, requestContext: { json } });
      await getSpan('a');
      await update('a', { attributes: { again: json }, input: [json], output: json, links: [json, json] });
      await getSpan('a');
    });
  }

  test('texts that hold JSON', async () => {
    for (const [i, input] of ['1', 'null', 'true', '{"a":1}', '[1]', '"x"', '', ' ', ' {} ', '{', 'NaN', '"{}"'].entries()) {
      await create(`s${i}`, { input, output: input, error: input });
      await getSpan(`s${i}`);
    }
  });

  test('NUL is refused in a text and repaired in tags and JSON', async () => {
    for (const over of [{ name: 'a\0' }, { traceId: '\0' }, { spanId: 'a\0b' }, { parentSpanId: '\0' }, { userId: '\0' }, { source: 'a\0' }]) {
      await pair.fails('observability.createSpan', { span: span('a', over) }, 'INVALID', 'TEXT_NOT_STORABLE');
    }
    await create('a', { metadata: { 'k\0': '\0' }, links: ['\0', { 'a\0': ['\0b'] }], input: 'a\0b' });
    await getSpan('a');
    await create('b', { tags: ['a\0b', '\0', 'c'] });
    await update('b', { tags: ['\0d'] });
    await getSpan('b');
  });

  test('keys that collide after the repair', () =>
    pair.fails('observability.createSpan', { span: span('a', { metadata: { 'a\0': 1, a: 2 } }) }, 'INVALID', 'TEXT_NOT_STORABLE'));

  test('types that only a newer Mastra knows are stored as given', async () => {
    const types = { spanType: UNKNOWN, entityType: UNKNOWN, parentEntityType: 'Ü "x"', rootEntityType: '', source: 'moon' };
    await create('a', types);
    await pair.ok('observability.batchCreateSpans', { records: [span('b', types)] });
    await create('c');
    await update('c', types);
    await pair.ok('observability.batchUpdateSpans', { records: [{ traceId: 't1', spanId: 'a', updates: { ...types, spanType: 'newer' } }] });
    for (const id of ['a', 'b', 'c']) await getSpan(id);
    await pair.fails('observability.createSpan', { span: span('d', { spanType: 'a\0b' }) }, 'INVALID', 'TEXT_NOT_STORABLE');
  });

  test('odd times', async () => {
    await create('a', { startedAt: new Date(0), endedAt: new Date(-1) });
    await create('b', { startedAt: new Date('0001-01-01T00:00:00.001Z'), endedAt: new Date('9999-12-31T23:59:59.999Z') });
    await getSpan('a');
    await getSpan('b');
  });

  test('a large span', async () => {
    const text = 'x'.repeat(100_000);
    await create('a', { input: { text }, output: text, metadata: { text } });
    await getSpan('a');
  });
});

describe('observability.batchCreateSpans', () => {
  const batch = (...records) => pair.ok('observability.batchCreateSpans', { records });

  test('none, one, many', async () => {
    await batch();
    await batch(span('a', { startedAt: at(0) }));
    await batch(span('c', FULL), span('b', { startedAt: at(2) }), span('a', { traceId: 't0' }), span('d', { ...NULLS, startedAt: at(3) }));
    await pair.ok('observability.getTrace', { traceId: 't1' });
  });

  test('with different columns, over existing spans', async () => {
    await batch(span('a', FULL), span('b', FULL), span('c', FULL), span('d', FULL));
    await batch(span('a'), span('b', NULLS), span('c', { metadata: null, tags: ['x'] }), span('d', { tags: null, metadata: {} }), span('e', { input: 1 }));
    await batch(span('a', { userId: null }), span('b', { userId: null, runId: 'x' }), span('c', { runId: null }), span('d', { userId: 'y' }));
  });

  test('the same span more than once', async () => {
    await batch(span('a', FULL), span('a', { name: 'second' }), span('b'), span('a', { metadata: null, tags: [] }));
    await batch(span('b', { endedAt: at(5) }), span('b', { name: 'open again' }));
    await getSpan('a');
    await getSpan('b');
  });

  test('one bad span: none is stored', () =>
    pair.fails('observability.batchCreateSpans', { records: [span('a'), span('b', { name: '\0' }), span('c')] }, 'INVALID'));

  test('a thousand', async () => {
    await batch(...Array.from({ length: 1000 }, (_, i) => span(`s${i % 900}`, { traceId: `t${i % 7}`, ...(i % 3 ? FULL : {}), startedAt: at(i) })));
  });
});

describe('observability.updateSpan', () => {
  test('a missing span: nothing happens, and a later create has only its own values', async () => {
    await update('a', { name: 'early', endedAt: at(3) });
    await create('a');
    await getSpan('a');
  });

  test('everything', async () => {
    await create('a');
    await update('a', { ...FULL, name: 'n', spanType: 'tool_call', isEvent: true, startedAt: at(7) });
    await getSpan('a');
  });

  test('everything to null', async () => {
    await create('a', FULL);
    await update('a', NULLS);
    await getSpan('a');
  });

  for (const name of [...NULLABLE, 'name', 'spanType', 'isEvent', 'startedAt']) {
    test(`${name} alone`, async () => {
      const value = { ...OTHER, name: 'other', spanType: 'generic', isEvent: true, startedAt: at(4) }[name];
      await create('a', FULL);
      await create('b');
      await update('a', { [name]: value });
      await update('b', { [name]: value });
      await getSpan('a');
      if (!NULLABLE.includes(name)) return;
      await update('a', { [name]: null });
      await getSpan('a');
    });
  }

  test('nothing', async () => {
    await create('a', FULL);
    await pair.sql(`ALTER TABLE :schema.mastra_ai_spans DISABLE TRIGGER USER`);
    await pair.sql(`UPDATE :schema.mastra_ai_spans SET "updatedAt" = '2001-01-01', "updatedAtZ" = '2001-01-01Z'`);
    await pair.sql(`ALTER TABLE :schema.mastra_ai_spans ENABLE TRIGGER USER`);
    await update('a', {});
    await getSpan('a');
  });

  test('what must not be null', async () => {
    await create('a', FULL);
    for (const name of ['name', 'spanType', 'isEvent', 'startedAt']) {
      await pair.fails('observability.updateSpan', { traceId: 't1', spanId: 'a', updates: { [name]: null } }, 'INVALID', 'INVALID_CLEAR');
    }
  });

  test('invalid names to clear', async () => {
    await pair.differs('the reference ignores unknown names', 'observability.updateSpan',
      { traceId: 't1', spanId: 'a', updates: { clear: ['noSuchField'] } }, { category: 'INVALID', code: 'INVALID_CLEAR' });
    await pair.differs('a field has either a value or a place in clear', 'observability.updateSpan',
      { traceId: 't1', spanId: 'a', updates: { userId: 'u', clear: ['userId'] } }, { category: 'INVALID', code: 'INVALID_CLEAR' });
  });

  test('NUL', async () => {
    await create('a', FULL);
    await pair.fails('observability.updateSpan', { traceId: 't1', spanId: 'a', updates: { name: '\0' } }, 'INVALID', 'TEXT_NOT_STORABLE');
    await pair.fails('observability.updateSpan', { traceId: '\0', spanId: 'a', updates: { name: 'x' } }, 'INVALID', 'TEXT_NOT_STORABLE');
  });
});

describe('observability.batchUpdateSpans', () => {
  const batch = (...records) => pair.ok('observability.batchUpdateSpans', { records });
  const one = (spanId, updates, traceId = 't1') => ({ traceId, spanId, updates });

  test('none, some, missing spans', async () => {
    await batch();
    await pair.ok('observability.batchCreateSpans', { records: [span('a', FULL), span('b', { ...FULL, startedAt: at(2) }), span('c', { startedAt: at(3) })] });
    await batch(one('c', { endedAt: at(3), output: 'o' }), one('none', { name: 'x' }), one('a', { metadata: null }), one('b', {}),
      one('b', { metadata: { k: 1 }, links: null }));
    await pair.ok('observability.getTrace', { traceId: 't1' });
  });

  test('the same span more than once', async () => {
    await pair.ok('observability.batchCreateSpans', { records: [span('a', FULL), span('b', FULL)] });
    await batch(one('a', { name: '1', tags: null }), one('b', { name: 'b' }), one('a', { name: '2', tags: ['x'] }), one('a', { endedAt: null }));
    await batch(one('b', { endedAt: at(20) }), one('b', { endedAt: null }), one('a', { endedAt: null }), one('a', { endedAt: at(21) }));
    await getSpan('a');
    await getSpan('b');
  });

  test('one bad update: none is applied', async () => {
    await create('a', FULL);
    await pair.fails('observability.batchUpdateSpans', { records: [one('a', { name: 'x' }), one('a', { userId: '\0' })] }, 'INVALID');
  });
});

describe('observability, one span', () => {
  test('getRootSpan', async () => {
    await create('a', { traceId: 't1' });
    await create('b', { parentSpanId: 'a' });
    await pair.ok('observability.getRootSpan', { traceId: 't1' });
    await pair.ok('observability.getRootSpan', { traceId: 'none' });
  });

  test('getRootSpan of a trace with several root spans', async () => {
    await create('a');
    await create('b');
    await pair.fails('observability.getRootSpan', { traceId: 't1' }, 'CONFLICT', 'SEVERAL_ROOT_SPANS');
  });

  test('NUL in an id', async () => {
    for (const command of ['getSpan', 'getRootSpan', 'getTrace', 'getTraceLight', 'getStructure', 'getBranch']) {
      await pair.fails(`observability.${command}`, { traceId: '\0', spanId: command === 'getSpan' || command === 'getBranch' ? 'a' : undefined }, 'INVALID', 'TEXT_NOT_STORABLE');
    }
  });
});

describe('observability, one trace', () => {
  // a - b - d - e
  //   - c
  const tree = () => pair.ok('observability.batchCreateSpans', { records: [
    span('d', { parentSpanId: 'b', startedAt: at(30) }), span('e', { parentSpanId: 'd', startedAt: at(15), ...{ error: { m: 1 } } }),
    span('a', { startedAt: at(20), input: 'hello', endedAt: at(50) }), span('c', { parentSpanId: 'a', startedAt: at(12) }),
    span('b', { parentSpanId: 'a', startedAt: at(25), tags: ['t'], metadata: { k: 1 } }), span('x', { traceId: 't2', parentSpanId: 'a' }) ] });

  for (const command of ['getTrace', 'getTraceLight', 'getStructure']) {
    test(command, async () => {
      await tree();
      const { stowage } = await pair.ok(`observability.${command}`, { traceId: 't1' });
      assert.deepEqual(stowage.spans.map((s) => s.spanId), ['c', 'e', 'a', 'b', 'd']);
      await pair.ok(`observability.${command}`, { traceId: 'none' });
      await pair.ok(`observability.${command}`, { traceId: '' });
    });
  }

  test('getBranch', async () => {
    await tree();
    for (const spanId of ['a', 'b', 'c', 'e', 'none', 'x']) {
      for (const depth of [undefined, 0, 1, 2, 99]) await pair.ok('observability.getBranch', { traceId: 't1', spanId, depth });
    }
    await pair.ok('observability.getBranch', { traceId: 'none', spanId: 'a' });
  });

  test('getBranch with a cycle', async () => {
    await pair.ok('observability.batchCreateSpans', { records: [span('a', { parentSpanId: 'c' }), span('b', { parentSpanId: 'a', startedAt: at(2) }),
      span('c', { parentSpanId: 'b', startedAt: at(3) }), span('d', { parentSpanId: 'd' })] });
    for (const spanId of ['a', 'b', 'c', 'd']) await pair.ok('observability.getBranch', { traceId: 't1', spanId });
  });

  test('getBranch of missing spans', async () => {
    await pair.fails('observability.getBranch', { traceId: '', spanId: 'a' }, 'INVALID', 'ID_REQUIRED');
    await pair.fails('observability.getBranch', { traceId: 't1', spanId: '' }, 'INVALID', 'ID_REQUIRED');
    await pair.fails('observability.getBranch', { traceId: 't1', spanId: 'a', depth: -1 }, 'INVALID', 'INVALID_DEPTH');
  });

  test('batchDeleteTraces', async () => {
    await tree();
    await pair.ok('observability.batchDeleteTraces', { traceIds: ['none'] });
    await pair.ok('observability.batchDeleteTraces', { traceIds: ['t2', 'none', 't2'] });
    await pair.ok('observability.batchDeleteTraces', { traceIds: ['t1'] });
    await pair.fails('observability.batchDeleteTraces', { traceIds: ['t1', '\0'] }, 'INVALID', 'TEXT_NOT_STORABLE');
    await pair.differs('an empty list deletes nothing; the reference sends invalid SQL', 'observability.batchDeleteTraces',
      { traceIds: [] }, { reference: 'fails' });
    await pair.fails('observability.batchDeleteTraces', { traceIds: ['t1'], organizationId: 'o' }, 'UNSUPPORTED', 'SCOPE_NOT_SUPPORTED');
    await pair.fails('observability.batchDeleteTraces', { traceIds: ['t1'], resourceId: '' }, 'UNSUPPORTED', 'SCOPE_NOT_SUPPORTED');
  });
});

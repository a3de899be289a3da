// observability-lists.test.mjs - lists of traces, and the commands that the reference does not support. See
// lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from './lib/fixtures.mjs';
import { Pair } from './lib/pair.mjs';

const pair = new Pair(['mastra_ai_spans']);

const root = (traceId, minute, over = {}) => ({ traceId, spanId: `${traceId}-root`, name: `trace ${traceId}`, spanType: 'agent_run',
  isEvent: false, startedAt: at(minute), ...over });

// Each trace differs from the others in the fields that filters use.
const SCALARS = ['entityId', 'entityName', 'userId', 'organizationId', 'resourceId', 'runId', 'sessionId', 'threadId', 'requestId',
  'environment', 'source', 'serviceName'];
const ids = (n) => Object.fromEntries(SCALARS.map((name) => [name, `${name}-${n}`]));

async function fill() {
  await pair.ok('observability.batchCreateSpans', { records: [
    root('t1', 1, { ...ids(1), endedAt: at(40), entityType: 'agent', metadata: { a: 1, b: { c: [1, 2] } }, tags: ['x', 'y'], scope: { v: '1' } }),
    root('t2', 2, { ...ids(2), endedAt: at(30), entityType: 'tool', spanType: 'tool_call', metadata: { a: 2 }, tags: ['y'], error: { m: 'bad' } }),
    root('t3', 3, { ...ids(1), metadata: { a: '1' }, tags: [], experimentId: 'x1', parentEntityType: 'agent' }),
    root('t4', 4, { endedAt: at(10), input: 'hello', error: 'text' }),
    root('t5', 5, { error: 'null', endedAt: at(20) }),
    { ...root('t1', 6), spanId: 'child', parentSpanId: 't1-root', error: { m: 'child' }, userId: 'child' },
    { ...root('t3', 7), spanId: 'child', parentSpanId: 't3-root' },
  ] });
}

const list = async (args) => {
  await pair.ok('observability.listTracesLight', args);
  return (await pair.ok('observability.listTraces', args)).stowage;
};
const found = async (filters) => (await list({ filters })).spans.map((s) => s.traceId);

describe('observability.listTraces', () => {
  test('no traces', async () => assert.deepEqual((await list({})).spans, []));

  test('all, the newest first', async () => {
    await fill();
    assert.deepEqual(await found(undefined), ['t5', 't4', 't3', 't2', 't1']);
    assert.deepEqual(await found({}), ['t5', 't4', 't3', 't2', 't1']);
  });

  for (const name of SCALARS) {
    test(`filter ${name}`, async () => {
      await fill();
      assert.deepEqual(await found({ [name]: `${name}-1` }), ['t3', 't1']);
      assert.deepEqual(await found({ [name]: 'none' }), []);
      assert.deepEqual(await found({ [name]: '' }), []);
      assert.deepEqual(await found({ [name]: null }), []);
    });
  }

  test('filter spanType, entityType', async () => {
    await fill();
    assert.deepEqual(await found({ spanType: 'tool_call' }), ['t2']);
    assert.deepEqual(await found({ spanType: 'generic' }), []);
    assert.deepEqual(await found({ entityType: 'agent' }), ['t1']);
    assert.deepEqual(await found({ entityType: null }), []);
  });

  test('filters that the reference ignores', async () => {
    await fill();
    for (const filters of [{ traceId: 't1' }, { experimentId: 'x1' }, { parentEntityType: 'agent' }, { rootEntityId: 'r' }, { entityVersionId: 'v' },
      { experimentId: null, parentEntityName: null, rootEntityVersionId: null }]) assert.equal((await found(filters)).length, 5);
  });

  test('time ranges', async () => {
    await fill();
    assert.deepEqual(await found({ startedAt: { start: at(2), end: at(4) } }), ['t4', 't3', 't2']);
    assert.deepEqual(await found({ startedAt: { start: at(4) } }), ['t5', 't4']);
    assert.deepEqual(await found({ startedAt: { end: at(2) } }), ['t2', 't1']);
    assert.deepEqual(await found({ endedAt: { start: at(20), end: at(30) } }), ['t5', 't2']);
    assert.deepEqual(await found({ startedAt: {} }), ['t5', 't4', 't3', 't2', 't1']);
    await found({ startedAt: { start: at(2), end: at(4), startExclusive: true, endExclusive: true } });
  });

  test('metadata, scope and tags', async () => {
    await fill();
    assert.deepEqual(await found({ metadata: { a: 1 } }), ['t1']);
    assert.deepEqual(await found({ metadata: { b: { c: [2] } } }), ['t1']);
    assert.deepEqual(await found({ metadata: {} }), ['t3', 't2', 't1']);
    assert.deepEqual(await found({ metadata: { a: '1' } }), ['t3']);
    assert.deepEqual(await found({ scope: { v: '1' } }), ['t1']);
    assert.deepEqual(await found({ tags: ['y'] }), ['t2', 't1']);
    assert.deepEqual(await found({ tags: ['y', 'x'] }), ['t1']);
    assert.deepEqual(await found({ tags: [] }), ['t5', 't4', 't3', 't2', 't1']);
    assert.equal((await found({ metadata: null, tags: null, scope: null })).length, 5);
    assert.deepEqual(await found({ metadata: { 'a\0': 1 } }), ['t1']);
    assert.deepEqual(await found({ tags: ['x\0'] }), ['t1']);
  });

  test('status and errors', async () => {
    await fill();
    assert.deepEqual(await found({ status: 'error' }), ['t5', 't4', 't2']);
    assert.deepEqual(await found({ status: 'running' }), ['t3']);
    assert.deepEqual(await found({ status: 'success' }), ['t1']);
    assert.deepEqual(await found({ hasChildError: true }), ['t5', 't4', 't2', 't1']);
    assert.deepEqual(await found({ hasChildError: false }), ['t3']);
  });

  test('several at once', async () => {
    await fill();
    assert.deepEqual(await found({ userId: 'userId-1', status: 'running', startedAt: { start: at(1) }, tags: [] }), ['t3']);
  });

  test('order', async () => {
    await fill();
    for (const field of [undefined, 'startedAt', 'endedAt']) {
      for (const direction of [undefined, 'ASC', 'DESC']) await list({ orderBy: { field, direction } });
    }
    assert.deepEqual((await list({ orderBy: { field: 'endedAt', direction: 'DESC' } })).spans.map((s) => s.traceId), ['t3', 't1', 't2', 't5', 't4']);
    assert.deepEqual((await list({ orderBy: { field: 'endedAt', direction: 'ASC' } })).spans.map((s) => s.traceId), ['t4', 't5', 't2', 't1', 't3']);
  });

  test('pages', async () => {
    await fill();
    for (const pagination of [{}, { page: 0, perPage: 2 }, { page: 1, perPage: 2 }, { page: 2, perPage: 2 }, { page: 3, perPage: 2 }, { page: 1 },
      { perPage: 1 }, { perPage: 100 }, { page: 1, perPage: 5 }, { page: 0, perPage: 5 }]) await list({ pagination });
    await list({ pagination: { perPage: 1, page: 1 }, filters: { status: 'error' } });
  });

  test('delta mode is a first page', async () => {
    await fill();
    await list({ mode: 'page' });
    await list({ mode: 'delta' });
    await list({ mode: 'delta', after: 'cursor', limit: 2, filters: { status: 'error' } });
  });

  for (const [name, args, code] of [
    ['pages before the first', { pagination: { page: -1 } }, 'INVALID_PAGE'],
    ['empty pages', { pagination: { perPage: 0 } }, 'INVALID_PAGE'],
    ['pages that are too large', { pagination: { perPage: 101 } }, 'INVALID_PAGE'],
    ['all in one page', { pagination: { perPage: false } }, 'INVALID_PAGE'],
    ['an unknown mode', { mode: 'other' }, 'INVALID_MODE'],
    ['a cursor of a page', { after: 'x' }, 'INVALID_MODE'],
    ['a limit of a page', { limit: 1 }, 'INVALID_MODE'],
    ['a page of a delta', { mode: 'delta', pagination: {} }, 'INVALID_MODE'],
    ['an order of a delta', { mode: 'delta', orderBy: {} }, 'INVALID_MODE'],
    ['an empty cursor', { mode: 'delta', after: '' }, 'INVALID_MODE'],
    ['a limit of none', { mode: 'delta', limit: 0 }, 'INVALID_MODE'],
    ['a limit that is too large', { mode: 'delta', limit: 101 }, 'INVALID_MODE'],
    ['an order by another field', { orderBy: { field: 'name' } }, 'INVALID_ORDER'],
    ['an order in lower case', { orderBy: { direction: 'asc' } }, 'INVALID_ORDER'],
    ['an unknown status', { filters: { status: 'other' } }, 'INVALID_STATUS'],
    ['a null where there is none', { filters: { spanType: null } }, 'INVALID_IS_NULL'],
    ['a null status', { filters: { status: null } }, 'INVALID_IS_NULL'],
    ['metadata that is no object', { filters: { metadata: [1] } }, 'INVALID_FILTER'],
    ['scope that is no object', { filters: { scope: 'x' } }, 'INVALID_FILTER'],
    ['NUL', { filters: { userId: '\0' } }, 'TEXT_NOT_STORABLE'],
  ]) {
    test(`refuses ${name}`, async () => {
      for (const command of ['listTraces', 'listTracesLight']) await pair.fails(`observability.${command}`, args, 'INVALID', code);
    });
  }

  test('types that only a newer Mastra knows can be found', async () => {
    await fill();
    await pair.ok('observability.createSpan', { span: root('t9', 9, { spanType: 'newer', entityType: 'newest' }) });
    for (const [filters, count] of [[{ spanType: 'newer' }, 1], [{ entityType: 'newest' }, 1], [{ spanType: 'other' }, 0], [{ parentEntityType: 'other' }, 6]]) {
      await pair.differs('the reference refuses to search for them', 'observability.listTraces', { filters },
        { reference: 'fails', stowage: ({ pagination }) => assert.equal(pagination.total, count) });
    }
  });

  test('previews of inputs', async () => {
    const user = (content) => ({ role: 'user', content });
    const long = 'abcdefghi '.repeat(12);
    const inputs = [null, undefined, '', '  ', 'plain', 0, false, true, 12.5, {}, [], { a: [1, { b: null }] }, 'null', '"quoted"', '{"a":1}', '{bad',
      '[bad', '"bad', ' {"messages":[{"role":"user","content":"x"}]} ', [user('one'), { role: 'assistant', content: 'no' }, user('two')],
      { messages: [user([{ type: 'text', text: 'a' }, 'b', { type: 'image', text: 'c' }, { type: 'text' }, null, { type: 'text', text: '' }]), null, 'x', user(''), user(7), user('z')] },
      { messages: 'none' }, [1, 2], [[user('nested')]], long, 'x'.repeat(100), 'x'.repeat(101), '\u{1F600}'.repeat(50), '\u{1F600}'.repeat(51), `${'x'.repeat(98)}é\u{1F600}`,
      { text: long }, [user(long), user(long)], 'ümläut\u00a0', '\ufeff{"a":1}', JSON.stringify(JSON.stringify({ messages: [user('deep')] })), JSON.stringify(JSON.stringify('twice')), 'a\0b'];
    await pair.ok('observability.batchCreateSpans', { records: inputs.map((input, i) => root(`t${i}`, i, { input })) });
    await pair.ok('observability.listTracesLight', { pagination: { perPage: 100 } });
    await list({ pagination: { perPage: 100 } });
  });

  test('a preview whose limit splits a character', async () => {
    await pair.ok('observability.createSpan', { span: root('t1', 1, { input: `${'x'.repeat(99)}\u{1F600}` }) });
    await list({});
  });
});

describe('observability, commands that the reference does not support', () => {
  const record = { timestamp: at(1) };
  const kinds = { Metric: { name: ['m'] }, Score: { scorerId: 's' }, Feedback: { feedbackType: 'f' } };
  const analyses = { Aggregate: { aggregation: 'sum' }, Breakdown: { aggregation: 'sum', groupBy: ['g'] }, TimeSeries: { aggregation: 'sum', interval: '1h' },
    Percentiles: { percentiles: [0.5], interval: '1h' } };
  const CASES = {
    getSpans: { traceId: 't', spanIds: ['s'] }, listBranches: {}, queryTraces: { plan: {} }, getTraceQueryObservedFields: { plan: {} },
    getTraceQueryValues: { plan: {} }, queryThreads: { plan: {} },
    batchCreateLogs: { logs: [{ ...record, level: 'info', message: 'm' }] }, listLogs: {},
    batchCreateMetrics: { metrics: [{ ...record, name: 'm', value: 1 }] }, listMetrics: {},
    getMetricNames: {}, getMetricLabelKeys: { metricName: 'm' }, getMetricLabelValues: { metricName: 'm', labelKey: 'k' },
    getEntityTypes: {}, getEntityNames: {}, getServiceNames: {}, getEnvironments: {}, getTags: {},
    createScore: { score: { ...record, scorerId: 's', score: 1 } }, batchCreateScores: { scores: [{ ...record, scorerId: 's', score: 1 }] },
    listScores: {}, getScoreById: { scoreId: 's' },
    deleteScores: { scoreIds: ['s'] },
    createFeedback: { feedback: { ...record, feedbackSource: 'user', feedbackType: 't', value: 1 } },
    batchCreateFeedback: { feedbacks: [{ ...record, feedbackSource: 'user', feedbackType: 't', value: 'v' }] }, listFeedback: {},
    updateFeedbackReviewStatus: { feedbackId: 'f', reviewStatus: 'resolved' },
    deleteFeedback: { feedbackIds: ['f'] },
  };
  for (const [kind, of] of Object.entries(kinds)) {
    for (const [analysis, how] of Object.entries(analyses)) {
      const name = kind === 'Metric' && analysis === 'Percentiles' ? { name: 'm' } : of;
      CASES[`get${kind}${analysis}`] = { ...name, ...how };
    }
  }
  for (const [method, args] of Object.entries(CASES)) {
    test(method, () => pair.fails(`observability.${method}`, args, 'UNSUPPORTED', 'NOT_IMPLEMENTED_BY_REFERENCE'));
  }
});

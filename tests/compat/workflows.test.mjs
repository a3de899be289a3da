// workflows: every method. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { at, AWKWARD_JSON, HOSTILE_IDS, REPAIRED_JSON } from './lib/fixtures.mjs';
import { Pair } from './lib/pair.mjs';

const pair = new Pair(['mastra_workflow_snapshot']);

const snapshot = (runId, over = {}) => ({ runId, status: 'running', value: {}, activePaths: [], activeStepsPath: {},
  suspendedPaths: {}, waitingPaths: {}, resumeLabels: {}, serializedStepGraph: [{ type: 'step', step: { id: 's1' } }],
  context: { input: { a: 1 }, s1: { status: 'success', output: { ok: true }, startedAt: 1600000000000 } },
  requestContext: { tenant: 'x' }, timestamp: 1600000000000, ...over });

const persist = (workflowName, runId, over = {}) => pair.ok('workflows.persistWorkflowSnapshot',
  { workflowName, runId, snapshot: snapshot(runId), ...over });
const load = (workflowName, runId) => pair.ok('workflows.loadWorkflowSnapshot', { workflowName, runId });

describe('workflows.persistWorkflowSnapshot and loadWorkflowSnapshot', () => {
  test('a snapshot is read back as saved', async () => {
    await persist('w', 'r1');
    const { stowage } = await load('w', 'r1');
    assert.equal(stowage.status, 'running');
  });
  test('a missing run is null', () => load('w', 'none'));
  test('with all fields', async () => {
    await persist('w', 'r1', { resourceId: 'res', createdAt: at(1), updatedAt: at(2) });
    await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
  });
  test('again: createdAt stays, and a resource that is not given', async () => {
    await persist('w', 'r1', { resourceId: 'res', createdAt: at(1), updatedAt: at(2) });
    await persist('w', 'r1', { createdAt: at(5), updatedAt: at(6), snapshot: snapshot('r1', { status: 'success' }) });
    await persist('w', 'r1', { resourceId: 'other' });
    await persist('w', 'r1', { resourceId: '' });
    await load('w', 'r1');
  });
  test('one run id in two workflows', async () => {
    await persist('w', 'r1', { createdAt: at(1) });
    await persist('v', 'r1', { createdAt: at(2), snapshot: snapshot('r1', { status: 'failed' }) });
    await load('w', 'r1');
    await load('v', 'r1');
    await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
  });
  test('empty names', async () => {
    await persist('', '');
    await load('', '');
  });
  test('hostile names', async () => {
    for (const id of HOSTILE_IDS) {
      await persist(id, id, { resourceId: id, createdAt: at(1) });
      await load(id, id);
      await pair.ok('workflows.getWorkflowRunById', { runId: id, workflowName: id });
      await pair.ok('workflows.listWorkflowRuns', { workflowName: id, resourceId: id });
      await pair.ok('workflows.deleteWorkflowRunById', { runId: id, workflowName: id });
    }
  });
  for (const text of ['{"status":"running","a":1}', '[1]', 'null', '"x"']) {
    test(`a snapshot that is text: ${JSON.stringify(text)}`, async () => {
      await persist('w', 'r1', { snapshot: text });
      await load('w', 'r1');
      await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
      await pair.ok('workflows.listWorkflowRuns', {});
    });
  }
  test('a snapshot that is not JSON', async () => {
    await persist('w', 'r1', { snapshot: 'no JSON' });
    await pair.differs('returned as stored', 'workflows.loadWorkflowSnapshot', { workflowName: 'w', runId: 'r1' },
      { reference: 'fails', stowage: (text) => assert.equal(text, 'no JSON') });
    await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
    await pair.ok('workflows.listWorkflowRuns', {});
  });
  test('a snapshot that is null', async () => {
    await persist('w', 'r1', { snapshot: null });
    await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
    await pair.ok('workflows.listWorkflowRuns', {});
  });
  test('NUL in a name is rejected', async () => {
    await pair.fails('workflows.persistWorkflowSnapshot', { workflowName: 'a\u0000', runId: 'r', snapshot: snapshot('r') }, 'INVALID');
  });
  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`snapshot with: ${name}`, async () => {
      await persist('w', 'r1', { snapshot: snapshot('r1', { context: { s1: { status: 'success', output: json } } }) });
      await load('w', 'r1');
      await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
    });
  }
  for (const [name, json] of Object.entries({ null: null, text: 'text', number: 5, list: [1, 2], false: false, 'text that looks like JSON': '{"status":"x"}' })) {
    test(`a snapshot that is ${name}`, async () => {
      await pair.run('workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: 'r1', snapshot: json });
      await pair.rows();
      // The reference parses a text again when it reads it, and may fail.
      if (typeof json === 'string') return;
      await load('w', 'r1');
      await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
    });
  }
  test('a large snapshot', async () => {
    const big = { list: Array.from({ length: 20_000 }, (_, i) => ({ i, text: `Zeile ${i} ü` })), text: 'x'.repeat(2_000_000) };
    await persist('w', 'r1', { snapshot: snapshot('r1', { context: { big } }) });
    await load('w', 'r1');
  });
});

describe('workflows.updateWorkflowResults', () => {
  const update = (result, over = {}) => pair.ok('workflows.updateWorkflowResults',
    { workflowName: 'w', runId: 'r1', stepId: 's1', result, requestContext: {}, ...over }, { repaired: true });

  test('creates a missing run', async () => {
    await update({ status: 'success', output: { a: 1 } }, { requestContext: { k: 'v' } });
    await load('w', 'r1');
  });
  test('adds and replaces a step', async () => {
    await persist('w', 'r1', { createdAt: at(1), updatedAt: at(2) });
    await update({ status: 'success', output: 'new' });
    await update({ status: 'failed', error: { message: 'no' } }, { stepId: 's2' });
    await update({ status: 'running' }, { stepId: 's1', requestContext: { tenant: 'y', more: { a: [1] } } });
    await load('w', 'r1');
  });
  test('outputs that are lists are merged by position', async () => {
    await persist('w', 'r1', { snapshot: snapshot('r1', { context: { s1: { status: 'running', output: [1, 2, null, 4], extra: 'kept' } } }) });
    await update({ status: 'running', output: [null, 'b'] });
    await update({ status: 'running', output: ['a', null, 'c', null, null, 'f'] });
    await update({ status: 'success', output: [] });
    await update({ status: 'success', output: 'no list' });
    await update({ status: 'success', output: [1] });
    await load('w', 'r1');
  });
  test('pending markers reset positions', async () => {
    const pending = { __mastra_pending__: true };
    for (const marker of [pending, { status: 'pending' }, { __pending: true }]) {
      await persist('w', 'r1', { snapshot: snapshot('r1', { context: { s1: { status: 'suspended', suspendedAt: 5, output: [{ status: 'suspended' }, 'done', null] } } }) });
      await update({ status: 'running', startedAt: 9, output: [marker, marker, 'x', marker] });
      await update({ status: 'running', output: [null, marker] });
      await load('w', 'r1');
    }
  });
  test('step ids that are names of object members', async () => {
    for (const stepId of ['toString', 'constructor', '', 'a.b', '$', ...HOSTILE_IDS]) await update({ status: 'success', output: [1] }, { stepId });
  });
  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`result with: ${name}`, async () => {
      await persist('w', 'r1');
      await update({ status: 'success', output: json }, { requestContext: json });
      await update({ status: 'success', output: [json] });
      await load('w', 'r1');
    });
  }
  test('a snapshot without a context fails', async () => {
    await persist('w', 'r1', { snapshot: { status: 'running' } });
    await pair.fails('workflows.updateWorkflowResults', { workflowName: 'w', runId: 'r1', stepId: 's', result: {}, requestContext: {} }, 'NOT_FOUND');
  });
});

describe('workflows.updateWorkflowState', () => {
  const update = (opts) => pair.ok('workflows.updateWorkflowState', { workflowName: 'w', runId: 'r1', opts });
  test('returns nothing for a missing run', () => update({ status: 'success' }));
  test('every option', async () => {
    await persist('w', 'r1', { createdAt: at(1) });
    await update({ status: 'success' });
    await update({ status: 'suspended', result: { status: 'success', output: { a: 1 } } });
    await update({ status: 'failed', error: { name: 'Error', message: 'no', stack: 'x' } });
    await update({ status: 'suspended', suspendedPaths: { s1: [0, 1] }, waitingPaths: { s2: [2] } });
    await update({ status: 'running', resumeLabels: { l: { stepId: 's1', foreachIndex: 2 } }, activePaths: [1, 2], activeStepsPath: { s1: [0] } });
    await update({ status: 'running', tracingContext: { traceId: 't', spanId: 's', parentSpanId: 'p' } });
    await load('w', 'r1');
  });
  test('only if the status is as expected', async () => {
    await persist('w', 'r1');
    await update({ status: 'success', expectedStatus: 'suspended' });
    await update({ status: 'suspended', expectedStatus: 'running' });
    await update({ status: 'failed', expectedStatus: ['running', 'success'] });
    await update({ status: 'failed', expectedStatus: ['running', 'suspended'] });
    await update({ status: 'success', expectedStatus: [] });
    await load('w', 'r1');
  });
  test('a status that only a newer Mastra knows is stored as given, as in persistWorkflowSnapshot', async () => {
    await persist('w', 'r1', { snapshot: { context: {}, status: 'newer' } });
    await update({ status: 'newest' });
    await load('w', 'r1');
    await pair.ok('workflows.listWorkflowRuns', { status: 'newest' });
    await pair.ok('workflows.listWorkflowRuns', { status: 'newer' });
    await pair.differs('a status that decides must be known', 'workflows.updateWorkflowState',
      { workflowName: 'w', runId: 'r1', opts: { status: 'success', expectedStatus: ['running', 'newest'] } }, { category: 'INVALID', code: 'INVALID_STATUS' });
  });
  test('a snapshot without a status', async () => {
    await persist('w', 'r1', { snapshot: { context: { a: 1 } } });
    await update({ status: 'running', expectedStatus: 'running' });
    await update({ status: 'running' });
  });
  test('a snapshot without a context fails', async () => {
    await persist('w', 'r1', { snapshot: { status: 'running' } });
    await pair.fails('workflows.updateWorkflowState', { workflowName: 'w', runId: 'r1', opts: { status: 'success' } }, 'NOT_FOUND');
  });
  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`result with: ${name}`, async () => {
      await persist('w', 'r1');
      await pair.ok('workflows.updateWorkflowState', { workflowName: 'w', runId: 'r1',
        opts: { status: 'success', result: { status: 'success', output: json } } }, { repaired: true });
      await load('w', 'r1');
    });
  }
});

describe('workflows.getWorkflowRunById and deleteWorkflowRunById', () => {
  beforeEach(async () => {
    await persist('w', 'r1', { createdAt: at(1), updatedAt: at(2), resourceId: 'res' });
    await persist('v', 'r1', { createdAt: at(3), updatedAt: at(4) });
    await persist('w', 'r2', { createdAt: at(2), updatedAt: at(5) });
  });
  test('by run, by run and name', async () => {
    for (const args of [{ runId: 'r1' }, { runId: 'r1', workflowName: 'w' }, { runId: 'r2' }, { runId: 'none' },
      { runId: 'r2', workflowName: 'v' }, { runId: 'r1', workflowName: '' }, { runId: '' }, { runId: '', workflowName: 'w' }]) {
      await pair.ok('workflows.getWorkflowRunById', args);
    }
  });
  test('deletes one', async () => {
    await pair.ok('workflows.deleteWorkflowRunById', { runId: 'r1', workflowName: 'w' });
    await pair.ok('workflows.deleteWorkflowRunById', { runId: 'r1', workflowName: 'none' });
    await pair.ok('workflows.deleteWorkflowRunById', { runId: '', workflowName: '' });
    await pair.ok('workflows.getWorkflowRunById', { runId: 'r1' });
  });
});

describe('workflows.listWorkflowRuns', () => {
  const memory = (threadId) => ({ messageList: { memoryInfo: { threadId } } });
  beforeEach(async () => {
    const status = ['running', 'success', 'suspended', 'failed', 'running', 'canceled'];
    for (let i = 0; i < 6; i++) {
      const context = i === 2 ? { input: {}, step: { status: 'suspended', suspendPayload: { __streamState: memory('t1') } } }
        : i === 4 ? { input: { messageListState: { memoryInfo: { threadId: 't1' } } } }
          : i === 3 ? { step: { status: 'success', suspendPayload: { __streamState: memory('t1') } } } : { input: { i } };
      await persist(i % 2 ? 'w' : 'v', `r${i}`, { createdAt: at(i * 10), updatedAt: at(100 - i),
        resourceId: i < 3 ? 'res' : undefined, snapshot: snapshot(`r${i}`, { status: status[i], context }) });
    }
  });
  const CASES = {
    everything: {},
    'of a workflow': { workflowName: 'w' },
    'of a workflow without runs': { workflowName: 'none' },
    'an empty name is no filter': { workflowName: '' },
    'of a resource': { resourceId: 'res' },
    'of a status': { status: 'running' },
    'of a status without runs': { status: 'paused' },
    'of a thread': { threadId: 't1' },
    'of a thread without runs': { threadId: 't2' },
    'from a date': { fromDate: at(20) },
    'to a date': { toDate: at(20) },
    'between dates': { fromDate: at(10), toDate: at(30) },
    'an empty range': { fromDate: at(30), toDate: at(10) },
    'the first page': { page: 0, perPage: 2 },
    'the second page': { page: 1, perPage: 2 },
    'after the last page': { page: 9, perPage: 2 },
    'only a size': { perPage: 2 },
    'only a page': { page: 1 },
    'size 0': { page: 0, perPage: 0 },
    'size false': { page: 0, perPage: false },
    'size false, second page': { page: 1, perPage: false },
    'all at once': { workflowName: 'v', resourceId: 'res', status: 'running', fromDate: at(0), toDate: at(50), page: 0, perPage: 5 },
    'paged with a filter': { workflowName: 'w', page: 1, perPage: 1 },
    hostile: { workflowName: HOSTILE_IDS[1], resourceId: HOSTILE_IDS[0], threadId: HOSTILE_IDS[1] },
  };
  for (const [name, args] of Object.entries(CASES)) {
    test(name, () => pair.ok('workflows.listWorkflowRuns', args));
  }
  test('page -1 and size -2 fail', async () => {
    await pair.fails('workflows.listWorkflowRuns', { page: -1, perPage: 2 }, 'INVALID');
    await pair.fails('workflows.listWorkflowRuns', { page: 0, perPage: -2 }, 'INVALID');
  });
});

// scores: saving and listing the results of scorers. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AWKWARD_JSON, HOSTILE_IDS, REPAIRED_JSON } from './lib/fixtures.mjs';
import { Pair } from './lib/pair.mjs';

const pair = new Pair(['mastra_scorers']);

const score = (over = {}) => ({ scorerId: 'sc1', entityId: 'e1', runId: 'run1', output: { text: 'out' }, score: 0.5,
  scorer: { id: 'sc1', name: 'Scorer' }, source: 'LIVE', entity: { id: 'e1' }, ...over });

const FULL = { id: 'full', input: [{ role: 'user', content: 'in' }], additionalContext: { a: 1 }, requestContext: { r: 1 },
  extractStepResult: { x: [1] }, extractPrompt: 'extract', analyzeStepResult: { score: 1 }, analyzePrompt: 'analyze', reason: 'because',
  reasonPrompt: 'reason', metadata: { m: { n: null } }, entityType: 'AGENT', structuredOutput: true, traceId: 't1', spanId: 's1',
  resourceId: 'r1', threadId: 'th1', organizationId: 'o1', projectId: 'p1', batchId: 'b1', datasetId: 'd1', datasetItemId: 'i1',
  preprocessStepResult: { p: true }, preprocessPrompt: 'preprocess', generateScorePrompt: 'gs', generateReasonPrompt: 'gr' };

const save = (over) => pair.ok('scores.saveScore', score(over));
const get = (id) => pair.ok('scores.getScoreById', { id });
const PAGE = { page: 0, perPage: 10 };

// Lists are ordered by the time of saving, stored in milliseconds.
const saveInOrder = async (...scores) => {
  for (const over of scores) {
    await save(over);
    await sleep(3);
  }
};

describe('scores.saveScore', () => {
  test('only required fields, and all fields', async () => {
    await save({});
    await save(FULL);
    await get('full');
    await get('none');
    const { stowage } = await pair.ok('scores.listScoresByRunId', { runId: 'run1', pagination: PAGE });
    assert.equal(stowage.scores.length, 2);
  });

  test('an id that exists: all fields are replaced', async () => {
    await save(FULL);
    await save({ id: 'full', score: 1 });
    await get('full');
    await save({ ...FULL, reason: 'other' });
    await get('full');
  });

  for (const name of Object.keys(FULL).filter((key) => key !== 'id')) {
    test(`without ${name}, and with it alone`, async () => {
      await save({ ...FULL, [name]: undefined });
      await save({ id: 'alone', [name]: FULL[name] });
      await get('full');
      await get('alone');
    });
  }

  test('nulls of nullable fields', async () => {
    await save({ id: 'a', organizationId: null, projectId: null, batchId: null, datasetId: null, datasetItemId: null });
    await get('a');
    for (const name of ['metadata', 'traceId', 'reason', 'structuredOutput', 'scorer', 'source']) {
      await pair.fails('scores.saveScore', score({ [name]: null }), 'INVALID');
    }
    await pair.differs('the reference ignores it', 'scores.saveScore', score({ id: 'a', clear: ['noSuchField'] }), { category: 'INVALID', code: 'INVALID_CLEAR' });
  });

  test('inputs and outputs of every kind', async () => {
    for (const [i, value] of ['text', '', '1', 'null', '{"a":1}', '"x"', 0, 12.5, false, true, [], {}, [1, null], null].entries()) {
      await save({ id: `s${i}`, input: value, output: value });
      await get(`s${i}`);
    }
  });

  test('numbers', async () => {
    for (const [i, value] of [0, -0, 1, -1, 0.1, 1e300, 5e-324, Number.MAX_SAFE_INTEGER].entries()) {
      await save({ id: `s${i}`, score: value });
      await get(`s${i}`);
    }
    for (const value of [NaN, Infinity, -Infinity]) await pair.fails('scores.saveScore', score({ score: value }), 'INVALID', 'INVALID_SCORE');
  });

  for (const [name, json] of [...Object.entries(AWKWARD_JSON), ...Object.entries(REPAIRED_JSON)]) {
    test(`json: ${name}`, async () => {
      await save({ id: 'a', input: json, output: [json], scorer: { json }, entity: { json }, metadata: { json }, additionalContext: { json },
        requestContext: { json }, extractStepResult: { json }, analyzeStepResult: { json }, preprocessStepResult: { json } });
      await get('a');
    });
  }

  test('hostile ids and texts', async () => {
    for (const id of HOSTILE_IDS) {
      await save({ id, scorerId: id, entityId: id, runId: id, traceId: id.slice(0, 500), spanId: id.slice(0, 500), reason: id });
      await get(id);
      await pair.ok('scores.listScoresByRunId', { runId: id, pagination: PAGE });
    }
  });

  test('values that are not objects', async () => {
    for (const name of ['scorer', 'entity', 'metadata', 'additionalContext', 'requestContext', 'extractStepResult', 'analyzeStepResult', 'preprocessStepResult']) {
      for (const value of [[], 'text', 1]) await pair.fails('scores.saveScore', score({ [name]: value }), 'INVALID', 'INVALID_SCORE');
    }
  });

  test('sources and types that only a newer Mastra knows are stored as given', async () => {
    const newer = { id: 'newer', source: 'live', entityType: 'agent' };
    await pair.differs('the reference refuses them', 'scores.saveScore', score(newer), { reference: 'fails',
      stowage: ({ score: saved }) => assert.deepEqual([saved.source, saved.entityType], ['live', 'agent']) });
    const row = (await pair.sql(`SELECT source, "entityType" FROM :schema.mastra_scorers WHERE id = 'newer'`)).stowage[0];
    assert.deepEqual([row.source, row.entityType], ['live', 'agent']);
  });

  test('entity types of spans', async () => {
    for (const entityType of ['WORKFLOW', 'TRAJECTORY', 'STEP', 'EXTERNAL', 'agent_run', 'agent_signal']) await save({ id: entityType, entityType });
  });

  test('NUL', async () => {
    await pair.fails('scores.saveScore', score({ id: 'a\0' }), 'INVALID', 'TEXT_NOT_STORABLE');
    await pair.fails('scores.saveScore', score({ reason: '\0' }), 'INVALID', 'TEXT_NOT_STORABLE');
  });

  test('keys that the repair makes equal', () =>
    pair.fails('scores.saveScore', score({ metadata: { 'a\0': 1, a: 2 } }), 'INVALID', 'TEXT_NOT_STORABLE'));

  test('an empty id', async () => {
    await save({ id: '' });
    await get('');
  });
});

describe('scores: the lists', () => {
  const fill = () => saveInOrder(
    { id: 's1', traceId: 't1', spanId: 'p1', entityType: 'AGENT', organizationId: 'o1', projectId: 'p1' },
    { id: 's2', traceId: 't1', spanId: 'p1', entityType: 'AGENT', source: 'TEST', organizationId: 'o1', projectId: 'p2' },
    { id: 's3', traceId: 't1', spanId: 'p2', entityType: 'WORKFLOW', organizationId: 'o2', projectId: 'p1' },
    { id: 's4', traceId: 't2', spanId: 'p1', entityId: 'e2', entityType: 'AGENT' },
    { id: 's5', scorerId: 'sc2', runId: 'run2', traceId: 't1', spanId: 'p1', entityType: 'AGENT' });

  const LISTS = { listScoresByScorerId: { scorerId: 'sc1' }, listScoresByRunId: { runId: 'run1' },
    listScoresByEntityId: { entityId: 'e1', entityType: 'AGENT' }, listScoresBySpan: { traceId: 't1', spanId: 'p1' } };
  const ids = ({ stowage }) => stowage.scores.map((row) => row.id);

  for (const [method, args] of Object.entries(LISTS)) {
    const list = (over) => pair.ok(`scores.${method}`, { ...args, pagination: PAGE, ...over });

    test(`${method}: none`, async () => assert.deepEqual(ids(await list({})), []));

    test(`${method}: pages`, async () => {
      await fill();
      for (const pagination of [PAGE, { page: 0, perPage: 2 }, { page: 1, perPage: 2 }, { page: 2, perPage: 2 }, { page: 9, perPage: 2 }, { page: 0, perPage: 0 },
        { page: 3, perPage: 0 }, { page: 0, perPage: false }, { page: 2, perPage: false }, { page: 0, perPage: 1000 }, { page: 0, perPage: 3 }]) await list({ pagination });
    });

    test(`${method}: invalid pages`, async () => {
      await fill();
      await pair.fails(`scores.${method}`, { ...args, pagination: { page: -1, perPage: 1 } }, 'INVALID', 'INVALID_PAGE');
      await pair.fails(`scores.${method}`, { ...args, pagination: { page: 0, perPage: -2 } }, 'INVALID', 'INVALID_PAGE');
    });

    test(`${method}: tenants`, async () => {
      await fill();
      for (const filters of [{}, { organizationId: 'o1' }, { projectId: 'p1' }, { organizationId: 'o1', projectId: 'p1' }, { organizationId: 'none' },
        { organizationId: '' }, { organizationId: null }, { projectId: null, organizationId: 'o1' }]) await list({ filters });
    });

    test(`${method}: other ids`, async () => {
      await fill();
      for (const name of Object.keys(args)) {
        assert.deepEqual(ids(await list({ [name]: 'none' })), []);
        await list({ [name]: '' });
        await pair.fails(`scores.${method}`, { ...args, pagination: PAGE, [name]: '\0' }, 'INVALID', 'TEXT_NOT_STORABLE');
      }
    });
  }

  test('the lists return the right scores', async () => {
    await fill();
    const list = (method, args) => pair.ok(`scores.${method}`, { pagination: PAGE, ...args }).then(ids);
    assert.deepEqual(await list('listScoresByScorerId', { scorerId: 'sc1' }), ['s4', 's3', 's2', 's1']);
    assert.deepEqual(await list('listScoresByScorerId', { scorerId: 'sc1', entityId: 'e1', entityType: 'AGENT', source: 'TEST' }), ['s2']);
    assert.deepEqual(await list('listScoresByScorerId', { scorerId: 'sc1', entityId: '', entityType: '' }), ['s4', 's3', 's2', 's1']);
    assert.deepEqual(await list('listScoresByScorerId', { scorerId: 'sc1', entityType: 'unknown' }), []);
    assert.deepEqual(await list('listScoresByRunId', { runId: 'run2' }), ['s5']);
    assert.deepEqual(await list('listScoresByEntityId', { entityId: 'e1', entityType: 'WORKFLOW' }), ['s3']);
    assert.deepEqual(await list('listScoresBySpan', { traceId: 't1', spanId: 'p1', filters: { organizationId: 'o1' } }), ['s2', 's1']);
  });

  test('an unknown source', async () => {
    await save({ id: 'a' });
    await pair.ok('scores.listScoresByScorerId', { scorerId: 'sc1', source: 'other', pagination: PAGE });
    await pair.sql(`UPDATE :schema.mastra_scorers SET source = 'other'`);
    assert.deepEqual(ids(await pair.ok('scores.listScoresByScorerId', { scorerId: 'sc1', source: 'other', pagination: PAGE })), ['a']);
  });

  test('rows that another program wrote', async () => {
    await save(FULL);
    await pair.sql(`UPDATE :schema.mastra_scorers SET "createdAtZ" = NULL, "updatedAtZ" = NULL, "createdAt" = '2024-01-01', "updatedAt" = '2024-01-02',
      input = '{"plain": 1}', output = 'null', scorer = '"text"', metadata = '[1]', entity = NULL`);
    await get('full');
  });
});

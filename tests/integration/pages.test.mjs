// Pages of lists: together they hold each row once, also where all rows have the same time.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeShared, sql, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

const ROWS = 500;
const AT = '2026-01-02 03:04:05';
const range = { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-01-03T00:00:00Z') };

// Rows whose order is neither the order of their keys nor its reverse.
const RUNS = 's.i::text || \'-\' || md5(s.i::text)';
const FILL = {
  mastra_threads: ['id, "resourceId", title, "createdAt", "updatedAt", "createdAtZ", "updatedAtZ"',
    `${RUNS}, 'r', 't', '${AT}', '${AT}', '${AT}Z', '${AT}Z'`],
  mastra_messages: ['id, thread_id, "resourceId", content, role, type, "createdAt", "createdAtZ"',
    `${RUNS}, 'th', 'r', '{"format":2,"parts":[{"type":"text","text":"' || s.i || '"}]}', 'user', 'v2', '${AT}', '${AT}Z'`],
  mastra_workflow_snapshot: ['workflow_name, run_id, "resourceId", snapshot, "createdAt", "updatedAt", "createdAtZ", "updatedAtZ"',
    `'w' || s.i % 3, ${RUNS}, 'r', '{"status":"running"}', '${AT}', '${AT}', '${AT}Z', '${AT}Z'`],
  mastra_scorers: ['id, "scorerId", "traceId", "spanId", "runId", scorer, score, input, output, "entityType", "entityId", source, '
    + '"createdAt", "updatedAt", "createdAtZ", "updatedAtZ"',
  `${RUNS}, 'sc', 't', 's', 'run', '{}', 1, '""', '""', 'AGENT', 'e', 'LIVE', '${AT}', '${AT}', '${AT}Z', '${AT}Z'`],
  mastra_prompt_blocks: ['id, status, "createdAt", "updatedAt", "createdAtZ", "updatedAtZ"',
    `${RUNS}, 'published', '${AT}', '${AT}', '${AT}Z', '${AT}Z'`],
  mastra_prompt_block_versions: ['id, "blockId", "versionNumber", name, content, "createdAt", "createdAtZ"',
    `${RUNS}, 'block', s.i, 'n', 'c', '${AT}', '${AT}Z'`],
  mastra_ai_spans: ['"traceId", "spanId", name, "spanType", "isEvent", "startedAt", "endedAt", "startedAtZ", "endedAtZ", '
    + '"createdAt", "createdAtZ"',
  `${RUNS}, 'root', 'n', 'agent_run', false, '${AT}', '${AT}', '${AT}Z', '${AT}Z', '${AT}', '${AT}Z'`],
};

// The field of the reply that holds the page's rows, a row's identity, and a request for one page.
const scores = (command, args) => [command, 'scores', (score) => score.id,
  (page, perPage) => ({ ...args, pagination: { page, perPage } })];
const traces = (command, field, direction) => [command, 'spans', (span) => span.traceId,
  (page, perPage) => ({ pagination: { page, perPage }, orderBy: { field, direction } })];
const flat = (command, field, args = {}) => [command, field, (row) => row.id, (page, perPage) => ({ ...args, page, perPage })];

const ORDERED = ['ASC', 'DESC'].flatMap((direction) => [
  ...['createdAt', 'updatedAt'].map((field) => flat('memory.listThreads', 'threads', { orderBy: { field, direction } })),
  flat('memory.listMessages', 'messages', { threadId: ['th'], orderBy: { field: 'createdAt', direction } }),
  flat('memory.listMessages', 'messages', { threadId: ['th'], orderBy: { field: 'createdAt', direction }, filter: { dateRange: range } }),
  flat('memory.listMessagesByResourceId', 'messages', { resourceId: 'r', orderBy: { field: 'createdAt', direction } }),
  ...['startedAt', 'endedAt'].flatMap((field) => ['listTraces', 'listTracesLight']
    .map((method) => traces(`observability.${method}`, field, direction))),
]);

const LISTS = [...ORDERED,
  flat('memory.listThreads', 'threads', { filter: { resourceId: 'r' } }),
  ['workflows.listWorkflowRuns', 'runs', (run) => `${run.workflowName} ${run.runId}`, (page, perPage) => ({ page, perPage })],
  ['workflows.listWorkflowRuns', 'runs', (run) => run.runId, (page, perPage) => ({ page, perPage, status: 'running', resourceId: 'r' })],
  ...['ASC', 'DESC'].flatMap((direction) => ['createdAt', 'updatedAt'].map((field) =>
    flat('promptBlocks.list', 'promptBlocks', { status: 'published', orderBy: { field, direction } }))),
  ...['ASC', 'DESC'].map((direction) =>
    flat('promptBlocks.listVersions', 'versions', { blockId: 'block', orderBy: { field: 'createdAt', direction } })),
  scores('scores.listScoresByScorerId', { scorerId: 'sc' }),
  scores('scores.listScoresByRunId', { runId: 'run' }),
  scores('scores.listScoresByEntityId', { entityId: 'e', entityType: 'AGENT' }),
  scores('scores.listScoresBySpan', { traceId: 't', spanId: 's' }),
];

describe('rows of equal time', () => {
  const world = new World({ name: 'pages', config: { replies: { maxBytes: 16 * 1024 * 1024 } } });
  before(async () => {
    await world.open();
    for (const [table, [columns, values]] of Object.entries(FILL)) {
      await sql(`INSERT INTO "${world.schema}".${table} (${columns})
        SELECT ${values} FROM generate_series(1, ${ROWS}) AS s (i) ORDER BY hashint4(s.i)`);
    }
  });
  after(() => world.close());

  for (const [command, field, identity, request] of LISTS) {
    test(`${command} ${JSON.stringify(request(0, 70))}`, async () => {
      const perPage = 70; // the last page is not full
      const pages = await Promise.all(Array.from({ length: Math.ceil(ROWS / perPage) }, (_, page) => world.client
        .call(command, request(page, perPage))));
      const rows = pages.flatMap((page) => page[field].map(identity));
      assert.equal(rows.length, ROWS);
      assert.equal(new Set(rows).size, ROWS, 'each row is on one page');
    });
  }

  for (const [command, , identity, request] of ORDERED) {
    if (!/ASC/.test(JSON.stringify(request(0, 1)))) continue;
    test(`${command} ${JSON.stringify(request(0, 60))}: the reverse order mirrors it`, async () => {
      const forward = request(0, 60);
      const field = /messages/i.test(command) ? 'messages' : /threads/i.test(command) ? 'threads' : 'spans';
      const reverse = JSON.parse(JSON.stringify(request(Math.ceil(ROWS / 60) - 1, 60)).replace('"ASC"', '"DESC"'));
      if (reverse.filter?.dateRange) reverse.filter.dateRange = range;
      const first = (await world.client.call(command, forward))[field].map(identity);
      const last = (await world.client.call(command, reverse))[field].map(identity);
      const length = ROWS % 60;
      // A page of messages is always in the order of time, so only its rows are compared.
      assert.deepEqual(new Set(last), new Set(first.slice(0, length)));
    });
  }

  test('memory.getObservationalMemoryHistory', async () => {
    const { rows } = await fillObservations(world);
    const seen = [];
    for (let offset = 0; offset < rows; offset += 7) {
      const page = await world.client.call('memory.getObservationalMemoryHistory',
        { threadId: 'th', resourceId: 'r', limit: 7, options: { offset } });
      seen.push(...page.map((record) => record.id));
    }
    assert.equal(new Set(seen).size, rows);
  });
});

async function fillObservations(world) {
  const rows = 100;
  await sql(`INSERT INTO "${world.schema}".mastra_observational_memory (id, "lookupKey", scope, "resourceId", "threadId",
      "activeObservations", "originType", config, "generationCount", "pendingMessageTokens", "totalTokensObserved",
      "observationTokenCount", "isObserving", "isReflecting", "isBufferingObservation", "isBufferingReflection",
      "lastBufferedAtTokens", "createdAt", "updatedAt")
    SELECT md5(s.i::text), 'thread:th', 'thread', 'r', 'th', '', 'initial', '{}', 1, 0, 0, 0, false, false, false, false, 0,
      '${AT}', '${AT}' FROM generate_series(1, ${rows}) AS s (i)`);
  return { rows };
}

// dangerouslyClearAll of each domain: which tables it empties, and which it leaves. Every case runs on both
// sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pair } from './lib/pair.mjs';
import { addRow } from './lib/rows.mjs';

// The tables that a clear must empty, by domain.
const CLEARED = {
  memory: ['mastra_messages', 'mastra_threads', 'mastra_resources'],
  workflows: ['mastra_workflow_snapshot'],
  observability: ['mastra_ai_spans'],
  scores: ['mastra_scorers'],
  agents: ['mastra_agents', 'mastra_agent_versions'],
  promptBlocks: ['mastra_prompt_blocks', 'mastra_prompt_block_versions'],
  scorerDefinitions: ['mastra_scorer_definitions', 'mastra_scorer_definition_versions'],
  mcpClients: ['mastra_mcp_clients', 'mastra_mcp_client_versions'],
  mcpServers: ['mastra_mcp_servers', 'mastra_mcp_server_versions'],
  workspaces: ['mastra_workspaces', 'mastra_workspace_versions'],
  skills: ['mastra_skills', 'mastra_skill_versions'],
  favorites: ['mastra_favorites'],
  blobs: ['mastra_skill_blobs'],
  datasets: ['mastra_datasets', 'mastra_dataset_items', 'mastra_dataset_versions'],
  experiments: ['mastra_experiments', 'mastra_experiment_results'],
};
const ALL = [...Object.values(CLEARED).flat(), 'mastra_observational_memory'];

const pair = new Pair(ALL, { config: { storage: { allowClear: true }, replies: { maxBytes: 64 * 1024 * 1024 } } });

async function fill() {
  for (const table of ALL) {
    for (let number = 1; number <= 3; number++) {
      const counter = ['mastra_agents', 'mastra_skills'].includes(table) && number > 1 ? { favoriteCount: number } : {};
      for (const schema of [pair.schema, pair.reference.schemaName]) await addRow(schema, table, number, { createdAtZ: '2024-01-01T00:00:00Z', ...counter });
    }
  }
}

const count = async (table) => Number((await pair.sql(`SELECT count(*) FROM :schema.${table}`)).stowage[0].count);

describe('dangerouslyClearAll', () => {
  for (const [domain, tables] of Object.entries(CLEARED)) {
    test(domain, async () => {
      await fill();
      await pair.ok(`${domain}.dangerouslyClearAll`);
      for (const table of ALL) assert.equal(await count(table), tables.includes(table) ? 0 : 3, table);
      await pair.ok(`${domain}.dangerouslyClearAll`);
    });
  }
});

// plans.test.mjs - reads take the rows that they need, never whole tables

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql, World } from '../compat/lib/harness.mjs';

const ENTITIES = 200;
const VERSIONS = 3;

// Entities with three versions each, of which the second is active.
async function fill(schema, one, parent, columns, values) {
  await sql(`INSERT INTO "${schema}".mastra_${one}s (id, status, "activeVersionId", "createdAt", "updatedAt")
    SELECT 'e' || i, 'published', 'e' || i || '-2', now(), now() FROM generate_series(1, ${ENTITIES}) i`);
  await sql(`INSERT INTO "${schema}".mastra_${one}_versions (id, "${parent}", "versionNumber", ${columns}, "createdAt")
    SELECT 'e' || i || '-' || v, 'e' || i, v, ${values}, now() FROM generate_series(1, ${ENTITIES}) i, generate_series(1, ${VERSIONS}) v`);
  await sql(`ANALYZE "${schema}".mastra_${one}s, "${schema}".mastra_${one}_versions`);
}

async function rowsRead(schema, table) {
  await sql('SELECT pg_stat_force_next_flush()');
  const [row] = await sql(`SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS count FROM pg_stat_user_tables
    WHERE schemaname = $1 AND relname = $2`, [schema, table]);
  return row.count;
}

describe('the versions of an entity', () => {
  const DOMAINS = [['agents', 'agent', 'agentId', 'name, instructions, model', `'n', 'do', '{}'::jsonb`],
    ['skills', 'skill', 'skillId', 'name, description, instructions', `'n', 'd', 'do'`]];
  for (const [domain, one, parent, columns, values] of DOMAINS) {
    test(`${domain}.getByIdResolved reads the versions of its entity alone`, async () => {
      const w = await new World({ name: `plans-${domain}` }).open();
      try {
        await fill(w.schema, one, parent, columns, values);
        const before = await rowsRead(w.schema, `mastra_${one}_versions`);
        for (let i = 1; i <= 20; i++) {
          const found = await w.client.call(`${domain}.getByIdResolved`, { id: `e${i}` });
          assert.equal(found.resolvedVersionId, `e${i}-2`);
        }
        await w.worker.stop();
        const read = await rowsRead(w.schema, `mastra_${one}_versions`) - before;
        assert.ok(read <= 20 * 10, `${read} rows were read for 20 entities`);
      } finally {
        await w.close();
      }
    });
  }
});

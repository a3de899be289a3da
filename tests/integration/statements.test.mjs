// Statements that clients' filters compose: PostgreSQL keeps few of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { closeShared, sql, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

const MIB = 1 << 20;

describe('distinct filters', () => {
  // One connection runs all commands.
  const world = new World({ name: 'statements', config: { postgres: { max: 1, idleTimeoutMillis: 0 } } });
  const call = (method, args) => world.client.call(`vectors.${method}`, { indexName: 'docs', ...args });
  before(async () => {
    await world.open();
    await call('createIndex', { dimension: 3, indexConfig: { type: 'hnsw' } });
    await call('upsert', { ids: ['a', 'b'], vectors: [[1, 0, 0], [0, 1, 0]], metadata: [{ x: 1 }, { x: 2 }] });
  });
  after(() => world.close());

  // The private memory of the largest session that runs the worker's commands.
  const sessionBytes = async () => {
    const sessions = await sql(`SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND query NOT LIKE '%stowage_build%' AND datname = current_database()`);
    const sizes = sessions.map(({ pid }) => {
      try {
        return Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
      } catch {
        return 0; // the session has ended
      }
    });
    return Math.max(...sizes);
  };

  const query = (i, conditions) => call('query', { queryVector: [1, 0, 0],
    filter: Object.fromEntries(Array.from({ length: conditions }, (_, n) => [`f${i}_${n}`, { $ne: 'x' }])) });

  test('do not fill the session\'s memory', async () => {
    await query(0, 30);
    const was = await sessionBytes();
    for (let round = 0; round < 2; round++) {
      await Promise.all(Array.from({ length: 200 }, (_, i) => query(i, 30)));
      await Promise.all(Array.from({ length: 100 }, (_, i) => call('deleteVectors', { filter: { [`g${i}`]: 1, [`h${i}`]: 2 } })));
    }
    const grown = await sessionBytes() - was;
    assert.ok(grown < 20 * MIB, `the session grew by ${(grown / MIB).toFixed(1)} MiB`);
  });
});

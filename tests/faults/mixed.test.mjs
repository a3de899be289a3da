// mixed.test.mjs - a short mixed run; `node tests/faults/mixed.mjs --seconds N` runs longer

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SECONDS = 120;

test('all faults at random under a load with poison', (t) => {
  const run = spawnSync(process.execPath, [fileURLToPath(new URL('mixed.mjs', import.meta.url)), '--seconds', `${SECONDS}`], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  t.diagnostic(run.stdout.trim());
  assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
});

// Mastra's own tests of a store, which official stores have to pass, on the packed package. Their files come from a copy
// of Mastra's repository: STOWAGE_MASTRA_REPOSITORY is its git directory. Without it this test only says so.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closeShared } from '../../compat/lib/harness.mjs';
import { ClientWorld } from './world.mjs';

const REPOSITORY = process.env.STOWAGE_MASTRA_REPOSITORY;
const FILES = ['stores/_test-utils/src', 'packages/memory/src/processors/observational-memory'];
const EXPECTED = { 'storage.suite.mjs': 366, 'vector.suite.mjs': 146 };
const here = join(dirname(fileURLToPath(import.meta.url)), 'suite');
const build = join(here, 'build');

// Packages, and the files of the copy.
function install() {
  const tarball = join(here, '../../../../build/release/client-node/stowage-mastra.tgz');
  for (const what of [[], [tarball]]) execFileSync('npm', ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', ...what], { cwd: here, stdio: 'ignore' });
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build);
  const archive = execFileSync('git', [`--git-dir=${REPOSITORY}`, 'archive', 'HEAD', ...FILES], { maxBuffer: 2 ** 30 });
  execFileSync('tar', ['x', '-C', build], { input: archive });
}

function run(options) {
  const vitest = join(here, 'node_modules/vitest/vitest.mjs');
  const done = spawnSync(process.execPath, [vitest, 'run', '--config', join(here, 'vitest.config.mjs')], { cwd: here, encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', NODE_OPTIONS: '--max-old-space-size=3072', STORE_OPTIONS: JSON.stringify(options) } });
  try {
    return JSON.parse(readFileSync(join(build, 'report.json'), 'utf8')).testResults;
  } catch {
    throw new Error(`vitest wrote no report: ${done.stdout}${done.stderr}`);
  }
}

if (!REPOSITORY) {
  test("Mastra's own suite is skipped: STOWAGE_MASTRA_REPOSITORY names no copy of its repository", () => {});
} else {
  describe("Mastra's own suite", () => {
    let world;
    let results;
    before(async () => {
      install();
      world = await new ClientWorld({ config: { storage: { allowClear: true }, replies: { maxBytes: 64 * 1024 * 1024 } } }).open();
      results = run(world.options());
    });
    after(async () => {
      await world?.close();
      await closeShared();
    });

    for (const [file, expected] of Object.entries(EXPECTED)) {
      test(`${file}: ${expected} tests pass`, () => {
        const { assertionResults } = results.find(({ name }) => name.endsWith(file));
        const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split('\n')[0]}`);
        assert.deepEqual(failed, []);
        assert.equal(assertionResults.filter(({ status }) => status === 'passed').length, expected);
      });
    }
  });
}

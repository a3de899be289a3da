// The packed package as a program finds it: ESM, CommonJS, type declarations, and methods for all commands.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as core from '@mastra/core/storage';
import { MastraVector } from '@mastra/core/vector';
import { KafkaStore, KafkaVector } from '@stowage/mastra';
import { schemas } from '../../compat/lib/harness.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = { brokers: ['127.0.0.1:1'] }; // nothing connects before the first call

test('as CommonJS, the classes extend those that core has as CommonJS', () => {
  const require = createRequire(import.meta.url);
  const { KafkaStore: Store, KafkaVector: Vector } = require('@stowage/mastra');
  const { MastraCompositeStore, MemoryStorage } = require('@mastra/core/storage');
  const store = new Store(options);
  assert.ok(store instanceof MastraCompositeStore);
  assert.ok(store.stores.memory instanceof MemoryStorage);
  assert.ok(new Vector(options) instanceof require('@mastra/core/vector').MastraVector);
});

test('as ESM too, and each command of a domain is a method', () => {
  const store = new KafkaStore(options);
  assert.ok(store instanceof core.MastraCompositeStore);
  const vector = new KafkaVector(options);
  assert.ok(vector instanceof MastraVector);
  const missing = [...schemas().commands.keys()].filter((name) => {
    const [domain, method] = name.split('.');
    const owner = domain === 'vectors' ? vector : store.stores[domain];
    // Core's abstract vector store has no methods of these names.
    return domain === 'vectors' ? typeof owner[method] !== 'function' : owner && !Object.hasOwn(Object.getPrototypeOf(owner), method);
  });
  assert.deepEqual(missing, []);
  // What the worker only prunes yet is no store.
  assert.ok(['memory', 'workflows', 'observability', 'scores', 'agents', 'datasets', 'blobs'].every((domain) => store.stores[domain]));
});

test('what core leaves to a store has a method', () => {
  const { stores } = new KafkaStore(options);
  // Core declares these without a body, and calls them without waiting.
  assert.equal(stores.workflows.supportsConcurrentUpdates(), true);
  assert.equal(stores.memory.supportsObservationalMemory, true);
  assert.equal(stores.observability.observabilityStrategy.preferred, 'batch-with-updates');
  assert.equal(new KafkaVector(options).indexSeparator, '_');
});

test('the type declarations fit core: a program compiles as ESM and as CommonJS', () => {
  const tsc = join(here, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', join(here, 'types')], { encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout);
  }
});

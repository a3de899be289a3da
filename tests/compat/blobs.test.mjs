// blobs: texts by their hash. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, HOSTILE_IDS } from './lib/fixtures.mjs';
import { Pair, SELF } from './lib/pair.mjs';

const pair = new Pair(['mastra_skill_blobs']);
const ok = (method, args) => pair.ok(`blobs.${method}`, args);
const blob = (hash, over = {}) => ({ hash, content: `content of ${hash}`, size: 7, ...over });

describe('blobs', () => {
  test('put keeps the first row of a hash', async () => {
    await ok('put', blob('a', { createdAt: at(1) }));
    await ok('put', blob('a', { content: 'other', size: 1, mimeType: 'text/plain', createdAt: at(2) }));
    await ok('put', blob('b', { mimeType: 'text/plain' }));
    await ok('put', blob('c', { mimeType: '', content: '' }));
    for (const hash of ['a', 'b', 'c', 'none']) {
      await ok('get', { hash });
      await ok('has', { hash });
    }
  });

  test('delete says whether there was one', async () => {
    await ok('put', blob('a', { createdAt: at(1) }));
    for (const hash of ['a', 'a', 'none']) await ok('delete', { hash });
  });

  test('putMany and getMany', async () => {
    await ok('put', blob('b', { content: 'first', createdAt: at(1) }));
    await ok('putMany', { entries: [] });
    await ok('putMany', { entries: ['a', 'b', ...HOSTILE_IDS].map((hash, i) => blob(hash, { createdAt: at(i), mimeType: i % 2 ? 'x/y' : undefined })) });
    await ok('putMany', { entries: [blob('c', { content: 'one', createdAt: at(1) }), blob('c', { content: 'two', createdAt: at(2) })] });
    await ok('getMany', { hashes: [] });
    await ok('getMany', { hashes: ['b', 'none', 'c', 'b', ...HOSTILE_IDS] });
    for (const hash of ['a', 'b', 'c']) await ok('get', { hash });
  });

  test('large contents, and one that PostgreSQL cannot store stops all of them', { skip: SELF }, async () => {
    const content = 'x'.repeat(400_000);
    await ok('put', blob('large', { content, createdAt: at(1) }));
    await ok('get', { hash: 'large' });
    await assert.rejects(pair.world.client.call('blobs.put', blob('nul', { content: 'a\0b' })), { category: 'INVALID' });
    await ok('has', { hash: 'nul' });
  });
});

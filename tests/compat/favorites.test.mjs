// favorites: users' stars on agents and skills, with the counter in the entity. Every case runs on both
// sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOSTILE_IDS } from './lib/fixtures.mjs';
import { Pair, SELF } from './lib/pair.mjs';

const pair = new Pair(['mastra_agents', 'mastra_agent_versions', 'mastra_skills', 'mastra_skill_versions']);
// The reference reads the clock twice for one row, so rows of mastra_favorites are not compared.
beforeEach(() => pair.sql('DELETE FROM :schema.mastra_favorites'));
const ok = (method, args) => pair.ok(`favorites.${method}`, args);
const fails = (method, args, category, code) => pair.fails(`favorites.${method}`, args, category, code);
const agent = (id) => pair.ok('agents.create', { agent: { id, name: 'n', instructions: 'i', model: { name: 'm' } } });
const skill = (id) => pair.ok('skills.create', { skill: { id, name: 'n', description: 'd', instructions: 'i' } });

describe('favorites', () => {
  test('favorite and unfavorite, once and again', async () => {
    await agent('a');
    await skill('a');
    for (const [entityType, table] of [['agent', 'agents'], ['skill', 'skills']]) {
      const key = { userId: 'u', entityType, entityId: 'a' };
      for (const method of ['isFavorited', 'favorite', 'favorite', 'isFavorited', 'unfavorite', 'unfavorite', 'isFavorited', 'favorite']) await ok(method, key);
      await ok('favorite', { ...key, userId: 'w' });
      await pair.ok(`${table}.getById`, { id: 'a' });
    }
    await fails('favorite', { userId: 'u', entityType: 'agent', entityId: 'none' }, 'NOT_FOUND', 'ENTITY_NOT_FOUND');
    await fails('unfavorite', { userId: 'u', entityType: 'skill', entityId: 'none' }, 'NOT_FOUND', 'ENTITY_NOT_FOUND');
    if (!SELF) await assert.rejects(pair.world.client.call('favorites.favorite', { userId: 'u', entityType: 'x', entityId: 'a' }), { category: 'INVALID' });
  });

  test('what a user has starred', async () => {
    for (const id of ['a', 'b', 'c', ...HOSTILE_IDS]) {
      await agent(id);
      await ok('favorite', { userId: 'u', entityType: 'agent', entityId: id });
      await sleep(3);
    }
    await skill('a');
    await ok('favorite', { userId: 'w', entityType: 'skill', entityId: 'a' });
    for (const userId of ['u', 'w', 'none']) {
      for (const entityType of ['agent', 'skill']) {
        await ok('listFavoritedIds', { userId, entityType });
        await ok('isFavoritedBatch', { userId, entityType, entityIds: ['c', 'none', 'a', 'a'] });
        await ok('isFavoritedBatch', { userId, entityType, entityIds: [] });
      }
    }
  });

  test('all stars of an entity', async () => {
    await agent('a');
    await skill('a');
    for (const userId of ['u', 'v', 'w']) for (const entityType of ['agent', 'skill']) await ok('favorite', { userId, entityType, entityId: 'a' });
    await ok('deleteFavoritesForEntity', { entityType: 'agent', entityId: 'a' });
    await ok('deleteFavoritesForEntity', { entityType: 'agent', entityId: 'a' });
    await ok('deleteFavoritesForEntity', { entityType: 'skill', entityId: 'none' });
    await pair.ok('agents.getById', { id: 'a' });
    await pair.ok('skills.getById', { id: 'a' });
  });

  test('a counter is exact after many commands at once', { skip: SELF }, async () => {
    await agent('a');
    const { client } = pair.world;
    const toggle = (method, i) => client.call(`favorites.${method}`, { userId: `u${i}`, entityType: 'agent', entityId: 'a' }, { key: 'a' });
    const counts = await Promise.all(Array.from({ length: 60 }, (_, i) => toggle('favorite', i)));
    assert.deepEqual(counts.map(({ favoriteCount }) => favoriteCount).sort((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i + 1));
    await Promise.all(Array.from({ length: 20 }, (_, i) => toggle('unfavorite', i)));
    assert.equal((await client.call('agents.getById', { id: 'a' })).favoriteCount, 40);
  });
});

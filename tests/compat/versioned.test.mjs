// agents, promptBlocks, scorerDefinitions, mcpClients, mcpServers, workspaces and skills: an entity and
// its versions, one family of commands. Every case runs on both sides; see lib/pair.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AWKWARD_JSON, HOSTILE_IDS } from './lib/fixtures.mjs';
import { Pair, SELF } from './lib/pair.mjs';
import { DOMAINS, ordered } from './lib/versioned.mjs';

const pair = new Pair(Object.values(DOMAINS).flatMap(({ table }) => [`mastra_${table}s`, `mastra_${table}_versions`])
  .concat('mastra_favorites'));
const TIED = new Set(['agents', 'skills']); // their lists order equal times by id

for (const [domain, { one, parent, least, full, entity, revised }] of Object.entries(DOMAINS)) {
  const ok = (method, args, options) => pair.ok(`${domain}.${method}`, args, options);
  const fails = (method, args, category, code) => pair.fails(`${domain}.${method}`, args, category, code);
  const create = (id, over = {}) => ok('create', { [one]: ordered({ id, ...least, ...over }) });
  const version = (id, of, versionNumber, over = {}) => ok('createVersion', { id, [parent]: of, versionNumber, ...least, ...over });
  // Lists are ordered by the time of creation.
  const createAll = async (entries) => {
    for (const [id, over] of entries) { await create(id, over); await sleep(4); }
  };
  const many = domain;

  describe(domain, () => {
    test('create: the least, everything, and what is read back', async () => {
      await create('a');
      await create('b', { authorId: 'me' });
      await create('c', { authorId: '', ...full, ...entity });
      for (const id of ['a', 'b', 'c', 'none']) {
        await ok('getById', { id });
        await ok('getByIdResolved', { id });
        await ok('getLatestVersion', { [parent]: id });
        await ok('countVersions', { [parent]: id });
      }
    });

    test('create: a known id changes nothing', async () => {
      await create('a');
      const { stowage } = await pair.differs('the reference deletes the draft', `${domain}.create`, { [one]: { id: 'a', ...least, name: 'other' } },
        { reference: 'fails', category: 'CONFLICT' });
      assert.ok(SELF || stowage.error.code.endsWith('_EXISTS'));
      if (!SELF) assert.equal((await pair.world.client.call(`${domain}.getByIdResolved`, { id: 'a' })).name, 'n');
    });

    test('create: ids and texts of every kind', async () => {
      for (const id of HOSTILE_IDS) {
        await create(id, { name: id });
        await ok('getByIdResolved', { id });
      }
    });

    test('versions: numbers, order, deletion', async () => {
      await create('e');
      await version('v2', 'e', 2, { ...full, changedFields: ['name', 'x'], changeMessage: 'second' });
      await sleep(4);
      await version('v9', 'e', 9, { name: 'nine' });
      await sleep(4);
      await version('v-1', 'e', -1);
      await version('other', 'nobody', 1);
      for (const id of ['v2', 'v9', 'none']) await ok('getVersion', { id });
      for (const versionNumber of [1, 2, 9, -1, 3]) await ok('getVersionByNumber', { [parent]: 'e', versionNumber });
      await ok('getLatestVersion', { [parent]: 'e' });
      await ok('countVersions', { [parent]: 'e' });
      for (const orderBy of [undefined, { field: 'createdAt' }, { field: 'createdAt', direction: 'ASC' }, { field: 'versionNumber', direction: 'ASC' },
        { direction: 'DESC' }, { field: 'nonsense', direction: 'sideways' }]) {
        if (orderBy?.field !== 'createdAt') await ok('listVersions', { [parent]: 'e', orderBy });
      }
      for (const [page, perPage] of [[0, 2], [1, 2], [5, 2], [0, 0], [0, false], [2, false]]) {
        if (perPage !== 0) await ok('listVersions', { [parent]: 'e', page, perPage: perPage === false ? false : perPage });
      }
      await fails('listVersions', { [parent]: 'e', page: -1 }, 'INVALID');
      await fails('createVersion', { id: 'v2', [parent]: 'e', versionNumber: 77, ...least }, 'CONFLICT', 'VERSION_EXISTS');
      if (domain !== 'agents') await fails('createVersion', { id: 'again', [parent]: 'e', versionNumber: 9, ...least }, 'CONFLICT', 'VERSION_EXISTS');
      const { stowage } = await pair.run(`${domain}.getVersions`, { ids: ['v9', 'none', 'v2', 'v9'] });
      assert.deepEqual(stowage.value.map(({ id }) => id).sort(), ['v2', 'v9']);
      await ok('getVersions', { ids: [] });
      await ok('deleteVersion', { id: 'v9' });
      await ok('deleteVersion', { id: 'none' });
      await ok('getLatestVersion', { [parent]: 'e' });
      await ok('deleteVersionsByParentId', { [parent]: 'e' });
      await ok('countVersions', { [parent]: 'e' });
      await ok('getByIdResolved', { id: 'e' });
    });

    test('resolution: active, latest, by id, of another entity', async () => {
      await create('e', entity);
      await version('v2', 'e', 2, { name: 'two' });
      await version('v3', 'e', 3, { name: 'three', ...full });
      await create('f', { name: 'f' });
      await version('f2', 'f', 2, { name: 'of f' });
      const resolve = (options) => ok('getByIdResolved', { id: 'e', options });
      for (const options of [undefined, {}, { status: 'draft' }, { status: 'published' }, { status: 'archived' }, { versionId: 'v2' },
        { versionId: 'f2' }, { versionId: 'none' }]) await resolve(options);
      await ok('update', { id: 'e', activeVersionId: 'v2' });
      for (const options of [undefined, { status: 'draft' }, { status: 'published' }]) await resolve(options);
      await ok('update', { id: 'e', activeVersionId: 'gone' });
      await resolve();
      await ok('update', { id: 'e', status: 'published' });
      for (const status of [undefined, 'draft', 'published', 'archived']) {
        await ok('list', { status });
        await ok('listResolved', { status });
      }
    });

    test('update: entity fields, one by one and together', async () => {
      await create('e', { authorId: 'me', ...entity });
      await fails('update', { id: 'none', authorId: 'x' }, 'NOT_FOUND');
      for (const change of [{ authorId: 'you' }, { status: 'archived' }, { status: 'draft' }, { activeVersionId: 'v' },
        { activeVersionId: 'w', status: 'draft' }, {}, ...(entity.metadata ? [{ metadata: { n: { p: 2 }, q: [1] } }, { metadata: {} }] : []),
        ...(entity.visibility ? [{ visibility: 'private' }] : []), { authorId: '' }]) {
        await ok('update', { id: 'e', ...change });
        await ok('getById', { id: 'e' });
      }
    });

    test('update: given nulls clear, unknown words are refused', async () => {
      await create('e', { authorId: 'me', ...entity });
      for (const field of ['authorId', 'activeVersionId', ...(entity.visibility ? ['visibility'] : [])]) {
        await ok('update', { id: 'e', [field]: 'private' });
        const { reference } = await pair.run(`${domain}.update`, { id: 'e', [field]: null });
        assert.ok(!reference.error);
        if (SELF) continue;
        await pair.world.client.call(`${domain}.update`, { id: 'e', clear: [field] });
        await ok('getById', { id: 'e' });
      }
      if (SELF) return;
      for (const bad of [{ clear: ['id'] }, { status: 'nonsense' }]) {
        await assert.rejects(pair.world.client.call(`${domain}.update`, { id: 'e', ...bad }), { category: 'INVALID' });
      }
    });

    test('update: fields of a version', async () => {
      await create('e', full);
      await ok('update', { id: 'e', name: 'other', ...full });
      await ok('getLatestVersion', { [parent]: 'e' });
      await ok('countVersions', { [parent]: 'e' });
      if (!revised) return;
      await ok('update', { id: 'e', name: 'other' });
      await ok('countVersions', { [parent]: 'e' });
      for (const [field, value] of Object.entries(full)) {
        const changed = typeof value === 'string' ? `${value}!` : typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1
          : Array.isArray(value) ? [...value, 'more'] : { ...value, more: 1 };
        await ok('update', { id: 'e', [field]: changed });
        await ok('getLatestVersion', { [parent]: 'e' });
      }
      await ok('update', { id: 'e', name: 'x', status: 'archived', activeVersionId: 'v' });
      await ok('getByIdResolved', { id: 'e', options: { status: 'draft' } });
      await ok('deleteVersionsByParentId', { [parent]: 'e' });
      await fails('update', { id: 'e', name: 'y' }, 'CONFLICT', 'NO_VERSIONS');
      await ok('update', { id: 'e', authorId: 'me' });
    });

    test('delete: the entity and its versions', async () => {
      await create('e');
      await create('f');
      await version('v2', 'e', 2);
      await ok('delete', { id: 'e' });
      await ok('delete', { id: 'none' });
      await ok('list', {});
      await create('e', { name: 'again' });
    });

    test('list: pages and orders', async () => {
      await createAll(['a', 'b', 'c', 'd', 'e'].map((id) => [id, {}]));
      const status = domain.startsWith('mcp') ? 'draft' : undefined;
      await ok('update', { id: 'b', authorId: 'x' });
      for (const orderBy of [undefined, {}, { field: 'updatedAt' }, { field: 'createdAt', direction: 'ASC' }, { field: 'nonsense', direction: 'x' }]) {
        await ok('list', { orderBy, status });
        await ok('listResolved', { orderBy, status });
      }
      for (const [page, perPage] of [[0, 2], [1, 2], [2, 2], [9, 2], [0, false], [3, false], [0, 0]]) await ok('list', { page, perPage, status });
      await fails('list', { page: -1 }, 'INVALID');
      await ok('list', { status: 'published' });
    });

    test('list: filters', async () => {
      await createAll([['a', { authorId: 'x', ...entity }], ['b', { authorId: 'y', ...entity }], ['c', {}]]);
      const status = domain.startsWith('mcp') ? 'draft' : undefined;
      const filters = [{ authorId: 'x' }, { authorId: 'none' }, { status: 'draft' }, { status: 'published' },
        ...(entity.metadata ? [{ metadata: { m: 1 } }, { metadata: { n: { o: 1 } } }, { metadata: { m: 2 } }, { metadata: {} }] : []),
        ...(entity.organizationId ? [{ organizationId: 'o' }, { projectId: 'p', organizationId: 'none' }] : []),
        ...(entity.visibility ? [{ visibility: 'public' }, { visibility: 'private' }, { entityIds: ['a', 'c', 'none'] }, { entityIds: [] }] : [])];
      for (const filter of filters) {
        await ok('list', { status, ...filter });
        await ok('listResolved', { status, ...filter });
      }
    });

    if (TIED.has(domain)) {
      test('list: favorites first, or alone', async () => {
        await createAll(['a', 'b', 'c', 'd'].map((id) => [id, {}]));
        await pair.sql(`INSERT INTO :schema.mastra_favorites ("userId", "entityType", "entityId", "createdAt") VALUES
          ('u', '${one}', 'a', now()), ('u', '${one}', 'c', now()), ('w', '${one}', 'b', now()), ('u', 'other', 'd', now())`);
        for (const filter of [{ pinFavoritedFor: 'u' }, { pinFavoritedFor: 'w' }, { pinFavoritedFor: 'nobody' }, { pinFavoritedFor: 'u', favoritedOnly: true },
          { favoritedOnly: true }, { pinFavoritedFor: 'u', favoritedOnly: false, perPage: 2 }, { pinFavoritedFor: 'u', orderBy: { direction: 'ASC' } },
          { pinFavoritedFor: '', favoritedOnly: true }]) {
          await ok('list', filter);
          await ok('listResolved', filter);
        }
      });
    }

    if (Object.keys(full).some((field) => typeof full[field] === 'object')) {
      const field = Object.keys(full).find((name) => !Array.isArray(full[name]) && typeof full[name] === 'object');
      test('json of every kind', async () => {
        for (const [name, value] of Object.entries(AWKWARD_JSON)) {
          await create(name, { [field]: value });
          await ok('getByIdResolved', { id: name });
        }
      });
    }
  });
}

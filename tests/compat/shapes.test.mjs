// Random calls of each shape of command (page, upsert, patch, family), the same on both sides: both succeed with
// equal results and rows, or both fail. STOWAGE_TEST_SEED chooses other calls.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, content, message, thread } from './lib/fixtures.mjs';
import { explain, Pair } from './lib/pair.mjs';
import { DOMAINS, ordered } from './lib/versioned.mjs';

const SEED = Number(process.env.STOWAGE_TEST_SEED ?? 1);
const STEPS = Number(process.env.STOWAGE_TEST_STEPS ?? 60);

// mulberry32: a small generator of numbers that a seed repeats.
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  const one = (list) => list[below(list.length)];
  const maybe = (chance = 0.5) => next() < chance;
  const some = (object, chance = 0.4) => Object.fromEntries(Object.entries(object).filter(() => maybe(chance)));
  return { below, one, maybe, some };
}

const pair = new Pair([...Object.values(DOMAINS).flatMap(({ table }) => [`mastra_${table}s`, `mastra_${table}_versions`]),
  'mastra_threads', 'mastra_messages']);

// Both sides agree; `name` says which call differed, with the seed that repeats it.
async function agree(command, args, writes) {
  const { stowage, reference } = await pair.run(command, args);
  const call = `${command} ${JSON.stringify(args)} (STOWAGE_TEST_SEED=${SEED})`;
  if (reference.error || stowage.error) {
    assert.ok(reference.error, `only Stowage fails ${call}: ${stowage.error && explain(stowage.error)}`);
    assert.ok(stowage.error, `only the reference fails ${call}: ${explain(reference.error)}`);
    assert.ok(stowage.error.code, `${call} failed without a reply`);
  } else {
    pair.compare(call.split(' ')[0], stowage.value, reference.value);
  }
  if (writes) await pair.rows();
}

const paging = (r) => r.some({ page: r.below(3), perPage: r.one([1, 2, 3, false]) });
const order = (r, fields) => (r.maybe() ? { orderBy: r.some({ field: r.one(fields), direction: r.one(['ASC', 'DESC']) }, 0.7) } : {});

describe('families', () => {
  for (const [n, [domain, shape]] of Object.entries(DOMAINS).entries()) {
    const { one, parent, least, full, entity } = shape;
    const { organizationId, projectId, ...updated } = entity; // these two are given once
    test(domain, async () => {
      const r = random(SEED * 100 + n);
      const ids = ['a', 'b', 'c', 'd'];
      const authors = ['x', 'y', ''];
      const created = new Map(); // how many versions of an id were made: numbers and ids of versions are given once
      const call = (method, args, writes) => agree(`${domain}.${method}`, args, writes);
      const version = (id) => {
        const number = (created.get(id) ?? 1) + 1;
        created.set(id, number);
        return { id: `${id}-${number}`, [parent]: id, versionNumber: number, ...least, ...r.some(full) };
      };
      const steps = {
        create: async () => {
          const id = r.one(ids.filter((name) => !created.has(name)).concat('none').slice(0, 1));
          if (id === 'none') return;
          created.set(id, 1);
          await call('create', { [one]: ordered({ id, ...least, ...r.some({ authorId: r.one(authors) }), ...r.some(full), ...r.some(entity) }) }, true);
        },
        createVersion: () => call('createVersion', version(r.one(ids)), true),
        update: () => call('update', { id: r.one(ids), ...r.some({ authorId: r.one(authors), status: r.one(['draft', 'published', 'archived']),
          activeVersionId: r.one(['a-2', 'b-2', 'gone']), ...updated }), ...(r.maybe(0.3) ? r.some(full) : {}) }, true),
        delete: async () => {
          const id = r.one(ids);
          if (r.maybe(0.7)) return;
          await call('delete', { id }, true);
        },
        deleteVersion: () => call('deleteVersion', { id: `${r.one(ids)}-${2 + r.below(3)}` }, true),
        getById: () => call('getById', { id: r.one(ids) }),
        getByIdResolved: () => call('getByIdResolved', { id: r.one(ids), options: r.some({ status: r.one(['draft', 'published', 'archived']), versionId: `${r.one(ids)}-2` }) }),
        getLatestVersion: () => call('getLatestVersion', { [parent]: r.one(ids) }),
        getVersionByNumber: () => call('getVersionByNumber', { [parent]: r.one(ids), versionNumber: 1 + r.below(4) }),
        countVersions: () => call('countVersions', { [parent]: r.one(ids) }),
        listVersions: () => call('listVersions', { [parent]: r.one(ids), ...paging(r), ...order(r, ['versionNumber']) }),
        list: () => call(r.one(['list', 'listResolved']), { ...paging(r), ...order(r, ['createdAt']),
          ...r.some({ status: r.one(['draft', 'published', 'archived']), authorId: r.one(authors), ...entity }, 0.3) }),
      };
      const names = [...Object.keys(steps), 'create', 'update', 'list'];
      for (let i = 0; i < STEPS; i++) {
        await steps[r.one(names)]();
        await sleep(2); // lists are ordered by time, in milliseconds
      }
    });
  }
});

describe('memory', () => {
  test('upserts, patches and pages', async () => {
    const r = random(SEED * 100 + 50);
    const threads = ['t1', 't2', 't3', 'it\'s'];
    const resources = ['r1', 'r2'];
    const words = () => r.some({ kind: r.one(['a', 'b']), n: r.below(3), deep: { b: r.one([true, null]) } });
    const made = () => message(`m${r.below(12)}`, r.one(threads), r.below(20), { resourceId: r.one(resources), role: r.one(['user', 'assistant']),
      content: content(`text ${r.below(5)}`, { metadata: words() }) });
    const range = () => ({ dateRange: r.some({ start: at(r.below(20)), end: at(r.below(20)), startExclusive: r.maybe(), endExclusive: r.maybe() }, 0.6) });
    const steps = {
      saveThread: () => agree('memory.saveThread', { thread: thread(r.one(threads), { resourceId: r.one(resources), title: `t${r.below(3)}`, metadata: words(),
        createdAt: at(r.below(50)), updatedAt: at(r.below(50)) }) }, true),
      updateThread: () => agree('memory.updateThread', { id: r.one(threads), title: `u${r.below(3)}`, metadata: words() }, true),
      deleteThread: () => (r.maybe(0.2) ? agree('memory.deleteThread', { threadId: r.one(threads) }, true) : undefined),
      saveMessages: () => agree('memory.saveMessages', { messages: Array.from({ length: 1 + r.below(5) }, made) }, true),
      deleteMessages: () => agree('memory.deleteMessages', { messageIds: Array.from({ length: r.below(3) }, () => `m${r.below(12)}`) }, true),
      listMessages: () => agree('memory.listMessages', { threadId: r.maybe() ? r.one(threads) : [r.one(threads), r.one(threads)], ...paging(r), ...order(r, ['createdAt']),
        ...r.some({ resourceId: r.one(resources), filter: range(), include: [{ id: `m${r.below(12)}`, ...r.some({ withPreviousMessages: r.below(3), withNextMessages: r.below(3) }) }] }) }),
      listThreads: () => agree('memory.listThreads', { ...paging(r), ...order(r, ['createdAt']), ...(r.maybe() ? { filter: r.some({ resourceId: r.one(resources), metadata: words() }) } : {}) }),
      getThreadById: () => agree('memory.getThreadById', { threadId: r.one(threads) }),
    };
    const names = [...Object.keys(steps), 'saveMessages', 'saveMessages', 'listMessages', 'saveThread'];
    for (let i = 0; i < STEPS * 3; i++) await steps[r.one(names)]();
  });
});

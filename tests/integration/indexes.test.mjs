// Indexes of the configuration (postgres.indexes), and postgres.disableInit.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeShared, libconfig, newId, sql, stowage, WORK, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

const schemas = [];
after(async () => {
  for (const schema of schemas) await sql(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
});

// A new schema with tables; run(args, indexes) runs the binary on it.
function prepare() {
  const schemaName = `idx_${newId()}`;
  schemas.push(schemaName);
  const run = (args, indexes = []) => {
    const file = join(WORK, `${newId()}.conf`);
    writeFileSync(file, libconfig({ postgres: { schemaName, ...(Object.keys(indexes).length ? { indexes } : {}) } }));
    return stowage([...args, '--config', file]);
  };
  const made = run(['init']);
  assert.equal(made.code, 0, made.stderr);
  return { schemaName, run };
}

const definition = async (schemaName, name) => (await sql(`SELECT replace(pg_get_indexdef(c.oid), $1 || '.', '') AS text,
    c.reloptions::text AS options, t.spcname AS space
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
  WHERE n.nspname = $1 AND c.relname = $2`, [schemaName, name]))[0];

const THREADS = { name: 'custom_threads', table: 'mastra_threads', columns: ['resourceId', 'createdAt DESC'] };

describe('options', () => {
  const { schemaName, run } = prepare();

  const cases = [
    ['columns and their order', { columns: ['resourceId', 'createdAt DESC NULLS LAST', 'id ASC'] },
      /USING btree \("resourceId", "createdAt" DESC NULLS LAST, id\)$/],
    ['unique', { columns: ['id', 'title'], unique: true }, /^CREATE UNIQUE INDEX .*\(id, title\)$/],
    ['where', { columns: ['id'], where: `title <> 'it''s' AND "resourceId" IS NOT NULL` }, /WHERE \(\(title <> 'it''s'::text\) AND/],
    ['method', { columns: ['title'], method: 'hash' }, /USING hash \(title\)$/],
    ['opclass', { columns: ['title', 'id'], opclass: 'text_pattern_ops' }, /\(title text_pattern_ops, id text_pattern_ops\)$/],
    ['opclass and order', { columns: ['title DESC'], opclass: 'text_pattern_ops' }, /\(title text_pattern_ops DESC\)$/],
    ['opclass and method', { columns: ['metadata'], method: 'gin', opclass: 'jsonb_path_ops' }, /USING gin \(metadata jsonb_path_ops\)$/],
    ['storage as a group', { columns: ['id'], storage: { fillfactor: 70, deduplicate_items: false } }, /WITH \(fillfactor='70', deduplicate_items='?false'?\)$/],
    ['storage as a text', { columns: ['metadata'], method: 'gin', storage: 'fastupdate = off' }, /WITH \(fastupdate='?off'?\)$/],
    ['tablespace', { columns: ['id'], tablespace: 'pg_default' }, /\(id\)$/],
    ['not concurrent', { columns: ['id'], concurrent: false }, /\(id\)$/],
  ];
  const indexes = cases.map(([, index], i) => ({ name: `custom_${i}`, table: 'mastra_threads', ...index }));
  let made;
  let again;
  before(() => {
    made = run(['init'], indexes);
    again = run(['init'], indexes);
  });

  test('init succeeds, and has nothing to do afterwards', () => {
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual([again.code, again.stderr], [0, '']);
    assert.match(again.stdout, /nothing to do/);
  });

  for (const [i, [what, , expected]] of cases.entries()) {
    test(what, async () => assert.match((await definition(schemaName, `custom_${i}`)).text, expected));
  }

  test('what `stowage config` prints means the same', () => {
    const printed = run(['config'], indexes).stdout;
    const line = printed.split('\n').find((each) => /^\s*(postgres\.)?indexes\b/.test(each));
    const file = join(WORK, `${newId()}.conf`);
    writeFileSync(file, `postgres: { schemaName = "${schemaName}"; ${line.trim().replace(/^postgres\./, '').replace(/#.*$/, '')} };`);
    const done = stowage(['init', '--config', file]);
    assert.deepEqual([done.code, done.stderr], [0, ''], line);
  });

  test('on a table with rows, also not concurrent', async () => {
    await sql(`INSERT INTO "${schemaName}".mastra_threads (id, "resourceId", title, "createdAt", "updatedAt") VALUES ('a', 'r', 't', now(), now())`);
    for (const concurrent of [true, false]) {
      const name = `custom_${newId()}`;
      const made = run(['init'], [{ name, table: 'mastra_threads', columns: ['title'], concurrent }]);
      assert.equal(made.code, 0, made.stderr);
      assert.ok(await definition(schemaName, name));
    }
  });

  for (const [what, index, why] of [
    ['an unknown member', { opclas: 'x' }, /did you mean "opclass"/],
    ['storage of another kind', { storage: [1] }, /storage must be a group/],
    ['empty storage', { storage: '' }, /storage must not be empty/],
    ['an unknown method', { method: 'btre' }, /method must be btree/],
  ]) {
    test(`${what} is a mistake in the configuration`, () => {
      const refused = run(['init'], [{ ...THREADS, ...index }]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, why);
    });
  }
});

// The form of the reference's documentation: by domain, without the names of index and table.
describe('by domain', () => {
  const { schemaName, run } = prepare();
  const indexes = {
    memory: [{ columns: ['resourceId', 'title'], method: 'btree', unique: false }, { columns: ['role'], where: `role <> 'user'` },
      { columns: ['id', 'createdAt DESC'], table: 'mastra_threads', unique: true }],
    observability: [{ columns: ['name'], method: 'hash' }],
    agents: [{ columns: ['metadata'], method: 'gin', opclass: 'jsonb_path_ops', storage: { fastupdate: false }, name: 'mine' }],
    blobs: [],
  };
  const expected = {
    mastra_threads_resourceid_title_btree_idx: /^CREATE INDEX .*mastra_threads USING btree \("resourceId", title\)$/,
    mastra_messages_role_btree_idx: /mastra_messages USING btree \(role\) WHERE \(role <> 'user'::text\)$/,
    mastra_threads_id_createdat_desc_btree_idx: /^CREATE UNIQUE INDEX .*mastra_threads USING btree \(id, "createdAt" DESC\)$/,
    mastra_ai_spans_name_hash_idx: /mastra_ai_spans USING hash \(name\)$/,
    mine: /mastra_agents USING gin \(metadata jsonb_path_ops\) WITH \(fastupdate='?false'?\)$/,
  };

  test('init makes them, once, and check misses none', async () => {
    assert.match(run(['check'], indexes).stdout, /mastra_ai_spans_name_hash_idx/);
    const made = run(['init'], indexes);
    assert.equal(made.code, 0, made.stderr);
    for (const [name, text] of Object.entries(expected)) assert.match((await definition(schemaName, name)).text, text);
    assert.match(run(['init'], indexes).stdout, /nothing to do/);
    assert.doesNotMatch(run(['check'], indexes).stdout, /_idx|mine/);
  });

  test('the printed list means the same', () => {
    const line = run(['config'], indexes).stdout.split('\n').find((each) => each.startsWith('postgres.indexes'));
    const file = join(WORK, `${newId()}.conf`);
    writeFileSync(file, `postgres: { schemaName = "${schemaName}"; ${line.replace(/^postgres\./, '').replace(/#[^"]*$/, '')} };`);
    const done = stowage(['init', '--config', file]);
    assert.deepEqual([done.code, done.stderr], [0, ''], line);
    assert.match(done.stdout, /nothing to do/);
  });

  for (const [what, wrong, why] of [
    ['columns that no table has', { memory: [{ columns: ['user_id', 'created_at'] }] }, /no table of memory has user_id, created_at.*mastra_threads \(id, .*mastra_messages \(id, /],
    ['columns of several tables', { memory: [{ columns: ['resourceId', 'createdAt'] }] }, /several tables of memory have resourceId, createdAt.*mastra_threads \(id, .*mastra_messages \(id, /],
    ['an unknown domain', { memroy: [{ columns: ['role'] }] }, /did you mean memory\?/],
  ]) {
    test(`a mistake: ${what}`, () => {
      const refused = run(['init'], wrong);
      assert.equal(refused.code, 3, refused.stderr);
      assert.match(refused.stderr, why);
    });
  }
});

describe('an index whose name exists', () => {
  const { schemaName, run } = prepare();
  const create = async (name, rest) => {
    await sql(`DROP INDEX IF EXISTS "${schemaName}"."${name}"`);
    await sql(`CREATE ${rest.replace('NAME', `"${name}"`).replace('SCHEMA', `"${schemaName}"`)}`);
  };

  const cases = [
    ['other columns', 'INDEX NAME ON SCHEMA.mastra_threads (title)', {}, [/btree \(title\)/, /btree \("resourceId", "createdAt" DESC\)/]],
    ['columns in another order', 'INDEX NAME ON SCHEMA.mastra_threads ("createdAt" DESC, "resourceId")', {}, []],
    ['another direction', 'INDEX NAME ON SCHEMA.mastra_threads ("resourceId", "createdAt")', {}, []],
    ['nulls first', 'INDEX NAME ON SCHEMA.mastra_threads ("resourceId" NULLS FIRST, "createdAt" DESC)', {}, [/NULLS FIRST/]],
    ['more columns', 'INDEX NAME ON SCHEMA.mastra_threads ("resourceId", "createdAt" DESC, id)', {}, []],
    ['included columns', 'INDEX NAME ON SCHEMA.mastra_threads ("resourceId", "createdAt" DESC) INCLUDE (id)', {}, [/id INCLUDED/]],
    ['unique', 'UNIQUE INDEX NAME ON SCHEMA.mastra_threads ("resourceId", "createdAt" DESC)', {}, [/it is UNIQUE btree/]],
    ['not unique', 'INDEX NAME ON SCHEMA.mastra_threads (id)', { columns: ['id'], unique: true }, [/asks for UNIQUE btree/]],
    ['another method', 'INDEX NAME ON SCHEMA.mastra_threads USING hash (title)', { columns: ['title'] }, [/hash \(title\)/, /btree \(title\)/]],
    ['another operator class', 'INDEX NAME ON SCHEMA.mastra_threads (title text_pattern_ops)', { columns: ['title'] }, [/text_pattern_ops/]],
    ['another predicate', `INDEX NAME ON SCHEMA.mastra_threads (title) WHERE title <> 'a'`, { columns: ['title'], where: `title <> 'b'` }, [/'a'/, /'b'/]],
    ['a predicate', `INDEX NAME ON SCHEMA.mastra_threads (title) WHERE title <> 'a'`, { columns: ['title'] }, []],
    ['an expression', 'INDEX NAME ON SCHEMA.mastra_threads (lower(title))', { columns: ['title'] }, [/lower\(title\)/]],
    ['another table', 'INDEX NAME ON SCHEMA.mastra_resources (id)', { columns: ['id'] }, [/mastra_resources/, /mastra_threads/]],
    ['a table of that name', 'TABLE SCHEMA.NAME (id int)', { columns: ['id'] }, [/something else/]],
    ['a column that does not exist', 'INDEX NAME ON SCHEMA.mastra_threads (title)', { columns: ['titel'] }, [/titel/]],
  ];
  const indexes = cases.map(([, , index], i) => ({ ...THREADS, name: `taken_${i}`, ...index }));
  const was = [];
  let refused;
  before(async () => {
    for (const [i, [, existing]] of cases.entries()) {
      await create(`taken_${i}`, existing);
      was.push(await definition(schemaName, `taken_${i}`));
    }
    refused = [run(['init'], indexes), run(['check'], indexes)];
  });

  for (const [i, [what, , , names]] of cases.entries()) {
    test(`${what}: an error that names both`, async () => {
      for (const { code, stdout, stderr } of refused) {
        assert.notEqual(code, 0);
        const line = `${stdout}\n${stderr}`.split('\n').find((each) => new RegExp(`taken_${i}\\b`).test(each));
        assert.ok(line, stdout + stderr);
        for (const expected of names) assert.match(line, expected);
      }
      assert.deepEqual(await definition(schemaName, `taken_${i}`), was[i], 'the existing index stays');
    });
  }

  for (const [what, existing, index] of [
    ['the same predicate in other words', `INDEX NAME ON SCHEMA.mastra_threads (title) WHERE ((title) <> ('a'::text))`, { columns: ['title'], where: `title != 'a'` }],
    ['another fill factor', 'INDEX NAME ON SCHEMA.mastra_threads (title) WITH (fillfactor = 50)', { columns: ['title'], storage: { fillfactor: 70 } }],
    ['the defaults written out', 'INDEX NAME ON SCHEMA.mastra_threads USING btree ("resourceId" text_ops ASC NULLS LAST, "createdAt" DESC NULLS FIRST)', {}],
  ]) {
    test(`${what}: it is the same`, async () => {
      const name = `custom_${newId()}`;
      await create(name, existing);
      const done = run(['init'], [{ ...THREADS, name, ...index }]);
      assert.deepEqual([done.code, done.stderr], [0, '']);
    });
  }

  test('two of the configuration with one name, or with the name of a default index', () => {
    for (const indexes of [[THREADS, { ...THREADS, columns: ['title'] }], [{ ...THREADS, name: 'mastra_scorers_pkey' }]]) {
      const refused = run(['init'], indexes);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, new RegExp(indexes.at(-1).name));
    }
  });

  test('an invalid index with another definition is not dropped', async () => {
    const name = `custom_${newId()}`;
    await create(name, 'INDEX NAME ON SCHEMA.mastra_resources (id)');
    await sql(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"${schemaName}"."${name}"'::regclass`).catch(() => {});
    assert.notEqual(run(['init'], [{ ...THREADS, name }]).code, 0);
    assert.match((await definition(schemaName, name)).text, /mastra_resources/);
  });
});

describe('an index that cannot be built', () => {
  const { schemaName, run } = prepare();
  const indexes = [{ name: 'bad_column', table: 'mastra_threads', columns: ['nothing'] },
    { name: 'bad_unique', table: 'mastra_threads', columns: ['title'], unique: true },
    { name: 'bad_unique_too', table: 'mastra_threads', columns: ['title'], unique: true, concurrent: false },
    { name: 'bad_table', table: 'mastra_nothing', columns: ['id'] },
    { name: 'bad_space', table: 'mastra_threads', columns: ['id'], tablespace: 'no_such_space' },
    { name: 'bad_class', table: 'mastra_threads', columns: ['id'], opclass: 'no_such_ops' },
    { name: 'good', table: 'mastra_threads', columns: ['title'] }];
  const world = new World({ name: 'indexes', config: { postgres: { schemaName } } });
  before(async () => {
    await sql(`INSERT INTO "${schemaName}".mastra_threads (id, "resourceId", title, "createdAt", "updatedAt")
      SELECT i::text, 'r', 'same', now(), now() FROM generate_series(1, 2) AS i`);
  });
  after(() => world.close());

  test('the others are built, and init ends with status 4', async () => {
    const done = run(['init'], indexes);
    assert.equal(done.code, 4, done.stderr);
    for (const { name } of indexes.filter((index) => index.name !== 'good')) {
      assert.match(done.stderr, new RegExp(name));
      assert.equal(await definition(schemaName, name), undefined, 'nothing is left of it');
    }
    assert.match((await definition(schemaName, 'good')).text, /\(title\)/);
    assert.equal(run(['init'], indexes).code, 4, 'again');
    assert.equal(run(['init'], indexes.slice(-1)).code, 0);
  });

  test('a worker runs without it, and storage.init replies an error', async () => {
    world.schema = schemaName; // World removes it
    world.config.postgres.indexes = indexes;
    await world.open({ init: false });
    assert.match(world.worker.log, /level=error msg="an index can't be created".*bad_unique/);
    await assert.rejects(world.client.call('storage.init'), { category: 'INTERNAL', code: 'INIT_FAILED', message: /bad_.* more/ });
    assert.equal((await world.client.call('storage.ping')).schemaName, schemaName);
  });
});

describe('disableInit', () => {
  const world = new World({ name: 'disabled', config: { postgres: { disableInit: true,
    indexes: [{ name: 'custom_disabled', table: 'mastra_threads', columns: ['title'] }] } } });
  before(() => world.open());
  after(() => world.close());

  test('a worker and storage.init create nothing', async () => {
    await sql(`DROP INDEX IF EXISTS "${world.schema}"."custom_disabled"`);
    assert.deepEqual(await world.client.call('storage.init'), { statements: 0 });
    assert.equal(await definition(world.schema, 'custom_disabled'), undefined);
    await sql(`DROP TABLE "${world.schema}".mastra_notifications`);
    await assert.rejects(world.client.call('storage.init'), { category: 'UNSUPPORTED', code: 'INIT_DISABLED', message: /mastra_notifications.*stowage init/ });
    assert.deepEqual(await sql('SELECT to_regclass($1) AS oid', [`"${world.schema}".mastra_notifications`]), [{ oid: null }]);
  });
});

// `stowage init` beside sessions that use the tables, and one that is stopped in the middle.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { BINARY, closeShared, CONNECTION, newId, pg, sleep, sql, stowage, stowageAsync, until } from '../compat/lib/harness.mjs';

after(() => closeShared());

// Tables that lack a column, and a session that keeps init from adding it.
async function obstructed() {
  const schema = `init_${newId()}`;
  const env = { STOWAGE_POSTGRES_SCHEMA_NAME: schema };
  const made = stowage(['init'], { env });
  assert.equal(made.code, 0, made.stderr);
  await sql(`ALTER TABLE "${schema}".mastra_messages DROP COLUMN "resourceId"`);
  const holder = new pg.Client({ connectionString: CONNECTION });
  await holder.connect();
  await holder.query(`BEGIN; LOCK TABLE "${schema}".mastra_messages IN ACCESS SHARE MODE`);
  const drop = async () => {
    await holder.end();
    await sql(`DROP SCHEMA "${schema}" CASCADE`);
  };
  return { schema, env, holder, drop };
}

// Sessions that wait for a lock of this schema's table, or have waited.
const waiting = (schema) => until('init wants the lock of the table', async () =>
  (await sql(`SELECT FROM pg_stat_activity WHERE application_name = 'stowage' AND query LIKE $1`, [`%"${schema}"%ADD COLUMN%`])).length > 0);
const hasColumn = async (schema) => (await sql(`SELECT FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'resourceId' AND NOT attisdropped`,
  [`"${schema}".mastra_messages`])).length > 0;

describe('init', { concurrency: true }, () => {
  test('lets readers pass while it waits for a table', async () => {
    const { schema, env, holder, drop } = await obstructed();
    const done = stowageAsync(['init'], { env });
    await waiting(schema);
    const reader = new pg.Client({ connectionString: CONNECTION, options: '-c lock_timeout=4s' });
    await reader.connect();
    for (let i = 0; i < 60; i++) {
      await reader.query(`SELECT count(*) FROM "${schema}".mastra_messages`);
      await sleep(100);
    }
    await reader.end();
    assert.equal(await hasColumn(schema), false, 'init still waits');
    await holder.query('COMMIT');
    const { code, stderr } = await done;
    assert.equal(code, 0, stderr);
    assert.equal(await hasColumn(schema), true);
    await drop();
  });

  test('that is stopped loses its lock, and the next one goes on', async (t) => {
    const { schema, env, holder, drop } = await obstructed();
    const zombie = spawn(BINARY, ['init'], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => { zombie.on('close', (code) => resolve(code)); });
    t.after(() => zombie.kill('SIGKILL'));
    let said = '';
    zombie.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
    await waiting(schema);
    zombie.kill('SIGSTOP');
    await holder.query('COMMIT');
    const next = await stowageAsync(['init'], { env });
    assert.equal(next.code, 0, next.stderr);
    assert.equal(await hasColumn(schema), true);
    zombie.kill('SIGCONT');
    assert.equal(await ended, 4, said);
    assert.match(said, /lost its lock|terminat|timeout/);
    await drop();
  });
});

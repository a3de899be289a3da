// administrators.test.mjs - what administrators do to the servers under a load: rights, columns and tables
// go and come back, tables are locked, the server is read-only, a disk fills up, a topic is truncated and
// gets partitions. Bad commands come among the good ones all the time.

import './stack.mjs';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at, content } from '../compat/lib/fixtures.mjs';
import { closeShared, createTopics, newId, pg, readTopic, sleep, sql, until, withAdmin, World } from '../compat/lib/harness.mjs';
import { Load, quickly } from './load.mjs';

const POISON = 'poison';

// A load whose dead letters are exactly the undecodable messages that the test has sent.
class GuardedLoad extends Load {
  async nothingLeft() {
    const { schema, dlq, topic } = this.world;
    // Kafka's client may send a message twice, and a dead letter may come twice.
    const sent = new Set((await readTopic(topic)).filter(({ value }) => value.toString() === POISON)
      .map(({ partition, offset }) => `${partition} ${offset}`));
    let dead;
    await until('every undecodable message is a dead letter', async () => {
      dead = new Set((await readTopic(dlq)).map(({ headers }) =>
        `${headers['__connect.errors.partition']} ${headers['__connect.errors.offset']}`));
      return dead.size >= sent.size;
    });
    assert.deepEqual(dead, sent);
    await until('the outbox is empty', async () => (await sql(`SELECT count(*)::int AS n FROM "${schema}".stowage_outbox`))[0].n === 0);
    this.undecodable = sent.size;
  }
}

async function asAdmin(work) {
  const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN, options: '-c default_transaction_read_only=off' });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

describe('administrators', { concurrency: false }, () => {
  const w = quickly(new World({ name: 'admins', partitions: 6, config: { postgres: { lockTimeoutMillis: 500 } } }));
  const side = `test.${w.id}.side`;
  const table = (name) => `"${w.schema}".${name}`;
  let load;
  let poisoning;
  let stopped = false;
  const failures = []; // promises of the error replies

  before(async () => {
    w.config.kafka.topics = [w.topic, side];
    await createTopics([side, `${side}.dlq`], { partitions: 2 });
    await w.open();
    await w.startWorker();
    load = new GuardedLoad(w, { conversations: 8 });
    await load.prepare();
    await w.client.call('memory.saveThread', { thread: { id: 'side', resourceId: 'side', title: '', createdAt: at(0), updatedAt: at(0) } });
    load.base++;
    load.run({ pauseMs: 300 });
    poisoning = poison();
  });
  after(async () => {
    stopped = true;
    load.stopped = true;
    await w.close();
    await closeShared();
  });

  // Commands that fail, and messages that are none, in the partitions of the good commands.
  async function poison() {
    for (let i = 0; !stopped; i++) {
      const key = load.ids[i % load.ids.length];
      const bad = [['memory.updateThread', { id: `none-${i}`, title: 't' }, 'NOT_FOUND'],
        ['memory.listMessages', { threadId: [key], page: -1 }, 'INVALID'],
        ['memory.saveThread', { thread: { id: `a\0${i}`, resourceId: 'r', createdAt: at(0), updatedAt: at(0) } }, 'INVALID']];
      const list = bad.map(([command, args, category]) => {
        const correlationId = newId() + newId();
        failures.push(w.client.expect(correlationId, command, 300_000).then(({ decoded }) => assert.equal(decoded.category, category, command)));
        return { command, args, key, correlationId };
      });
      await w.client.post([...list, { value: Buffer.from(POISON), key }]);
      load.sent += list.length + 1;
      await sleep(100);
    }
  }

  // A fault that keeps commands from going on until it is healed.
  async function fault(strike, heal) {
    await load.progress(60);
    await strike();
    try {
      await sleep(1500);
    } finally {
      await heal();
    }
    await load.progress(60);
    assert.ok(w.workers.every((worker) => !worker.exit), 'the workers live');
  }
  const sqlFault = (strike, heal) => fault(() => asAdmin((admin) => admin.query(strike)), () => asAdmin((admin) => admin.query(heal)));

  test('a right is revoked', () => sqlFault(`REVOKE ALL ON ${table('mastra_messages')} FROM stowage`,
    `GRANT ALL ON ${table('mastra_messages')} TO stowage`));

  test('a right on the worker\'s own table is revoked', () => sqlFault(`REVOKE ALL ON ${table('stowage_offsets')} FROM stowage`,
    `GRANT ALL ON ${table('stowage_offsets')} TO stowage`));

  test('a column is gone', () => sqlFault(`ALTER TABLE ${table('mastra_threads')} RENAME COLUMN metadata TO hidden`,
    `ALTER TABLE ${table('mastra_threads')} RENAME COLUMN hidden TO metadata`));

  test('a table is gone', () => sqlFault(`ALTER TABLE ${table('mastra_messages')} RENAME TO hidden`,
    `ALTER TABLE ${table('hidden')} RENAME TO mastra_messages`));

  test('a table gets another column and other types under prepared statements', async () => {
    await load.progress(60);
    await sql(`ALTER TABLE ${table('mastra_threads')} ADD COLUMN extra text, ALTER COLUMN title TYPE varchar`);
    await load.progress(60);
    await sql(`ALTER TABLE ${table('mastra_threads')} DROP COLUMN extra, ALTER COLUMN title TYPE text`);
    await load.progress(60);
  });

  test('tables are locked for longer than lockTimeoutMillis', async () => {
    for (const name of ['mastra_observational_memory', 'stowage_outbox', 'mastra_messages']) {
      await load.progress(60);
      await asAdmin(async (admin) => {
        await admin.query(`BEGIN; LOCK TABLE ${table(name)} IN ACCESS EXCLUSIVE MODE`);
        await sleep(2000);
        await admin.query('COMMIT');
      });
    }
    await load.progress(60);
  });

  test('the server is read-only', async () => {
    const set = (text) => asAdmin(async (admin) => {
      await admin.query(text);
      await admin.query('SELECT pg_reload_conf()');
    });
    await fault(() => set('ALTER SYSTEM SET default_transaction_read_only = on'),
      () => set('ALTER SYSTEM RESET default_transaction_read_only'));
  });

  test('a disk is full', async (t) => {
    const disk = join(process.env.STACK_DIR, 'small-disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).status !== 0) {
      t.skip('mounting a small disk needs more rights');
      return;
    }
    try {
      const { uid, gid } = statSync(process.env.STACK_POSTGRES_SOCKETS);
      chownSync(disk, uid, gid);
      await asAdmin((admin) => admin.query(`CREATE TABLESPACE small LOCATION '${disk}'`));
      await asAdmin((admin) => admin.query(`ALTER TABLE ${table('mastra_messages')} SET TABLESPACE small`));
        await fault(() => asAdmin(async (admin) => {
        await admin.query('CREATE TABLE ballast (x text) TABLESPACE small; ALTER TABLE ballast ALTER x SET STORAGE PLAIN');
        for (let full = false; !full;) {
          await admin.query('INSERT INTO ballast VALUES (repeat(\'x\', 7000))').catch(() => { full = true; });
        }
      }), () => asAdmin((admin) => admin.query('DROP TABLE ballast')));
      await asAdmin((admin) => admin.query(`ALTER TABLE ${table('mastra_messages')} SET TABLESPACE pg_default`));
      await asAdmin((admin) => admin.query('DROP TABLESPACE small'));
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  });

  test('a topic gets more partitions, and its log is truncated behind the worker', async () => {
    let next = 0;
    const replies = [];
    const post = async (client, count) => {
      const list = Array.from({ length: count }, () => {
        const id = `side-${next++}`;
        replies.push(client.expect(id, 'memory.saveMessages', 300_000).then(({ decoded }) => assert.equal(decoded.code, undefined)));
        return { command: 'memory.saveMessages', key: id, correlationId: id,
          args: { messages: [{ id, threadId: 'side', resourceId: 'side', role: 'user', type: 'v2', createdAt: at(next), content: content(id) }] } };
      });
      await client.post(list, { topic: side });
    };
    await post(w.client, 200);
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: side, count: 6 }] }));
    const client = await w.connect(); // a client that knows of the new partitions
    for (let i = 0; i < 5; i++) {
      await post(client, 100);
      const rows = await until('each partition has begun', async () => {
        const found = await sql(`SELECT partition, answered FROM ${table('stowage_offsets')} WHERE topic = $1`, [side]);
        return found.length >= 2 && found;
      });
      await withAdmin(async (admin) => {
        await admin.fetchTopicOffsets(side); // kafkajs learns of the leaders
        await admin.deleteTopicRecords({ topic: side,
          partitions: rows.filter(({ answered }) => Number(answered) > 0).map(({ partition, answered }) => ({ partition, offset: String(answered) })) });
      });
    }
    await Promise.all(replies);
    assert.equal((await sql(`SELECT count(DISTINCT partition)::int AS n FROM ${table('stowage_offsets')} WHERE topic = $1`, [side]))[0].n, 6);
    assert.equal((await sql(`SELECT count(*)::int AS n FROM ${table('mastra_messages')} WHERE id LIKE 'side-%'`))[0].n, next);
    await load.progress(60);
  });

  test('every command is accounted for', async (t) => {
    stopped = true;
    await poisoning;
    await load.stop();
    t.diagnostic(`accounts: ${JSON.stringify(await load.account())}, ${failures.length} failed as they must, ${load.undecodable} undecodable`);
    await Promise.all(failures);
    assert.ok(w.workers.every((worker) => !worker.exit), 'the workers lived');
  });
});

// installation.mjs - faults that an operator or another program makes in tables, roles, topics and rights.
// Each lasts for a while and is undone, also while the servers are away.

import { sleep, until, withAdmin } from '../../compat/lib/harness.mjs';
import { forbid } from '../../compat/lib/rights.mjs';
import { asAdmin, surely } from './superuser.mjs';

// The user of Kafka as which the workers log in.
export const KAFKA_USER = 'worker';

// The worker writes these tables itself, and clients can't name them: what is wrong with them is no command's error.
const TABLES = ['mastra_messages', 'mastra_threads', 'mastra_ai_spans', 'mastra_observational_memory', 'mastra_workflow_snapshot'];
const COLUMNS = [['mastra_messages', 'content'], ['mastra_threads', 'metadata'], ['mastra_ai_spans', 'name'], ['mastra_workflow_snapshot', 'snapshot']];
const PATIENCE = { timeoutMs: 300_000 };

// Repeats a change at Kafka until a broker has made it.
const kafkaDoes = (what, change) => until(what, () => change().then(() => true, () => sleep(300, false)), PATIENCE);

// DDL waits for locks no longer than this: whoever holds one may be a frozen worker.
const ddl = (text) => surely(`SET lock_timeout = '5s'; ${text}`);

export async function connectionsLimited(chance) {
  await asAdmin(async (admin) => {
    await admin.query(`ALTER ROLE stowage CONNECTION LIMIT ${chance.between(1, 8).toFixed()}`);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'stowage%'`);
  });
  await sleep(chance.between(500, 8000));
  await surely('ALTER ROLE stowage CONNECTION LIMIT -1');
}

// Without the unique index, ON CONFLICT has nothing to stand on.
export async function keyDropped(world, chance) {
  const table = `"${world.schema}"."${chance.pick(TABLES)}"`;
  let keys = [];
  await asAdmin(async (admin) => {
    await admin.query(`SET lock_timeout = '5s'`);
    const { rows } = await admin.query(`SELECT quote_ident(conname) AS name, pg_get_constraintdef(oid) AS text
      FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u')`, [table]);
    keys = rows;
    for (const { name } of rows) await admin.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  });
  await sleep(chance.between(200, 4000));
  for (const { name, text } of keys) {
    await ddl(`DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '${table}'::regclass AND quote_ident(conname) = '${name}')
      THEN ALTER TABLE ${table} ADD CONSTRAINT ${name} ${text}; END IF; END $do$`);
  }
}

export async function tableRenamed(world, chance) {
  const table = chance.pick(TABLES);
  const rename = (from, to) => ddl(`ALTER TABLE IF EXISTS "${world.schema}"."${from}" RENAME TO "${to}"`);
  await rename(table, `${table}_away`);
  await sleep(chance.between(200, 3000));
  await rename(`${table}_away`, table);
}

export async function columnRenamed(world, chance) {
  const [table, column] = chance.pick(COLUMNS);
  const rename = (from, to) => ddl(`DO $do$ BEGIN ALTER TABLE "${world.schema}"."${table}" RENAME COLUMN "${from}" TO "${to}";
    EXCEPTION WHEN undefined_column THEN NULL; END $do$`);
  await rename(column, `${column}_away`);
  await sleep(chance.between(200, 3000));
  await rename(`${column}_away`, column);
}

// Each reply and dead letter fits alone, a request of many does not.
export async function repliesLimited(world, chance) {
  const topic = chance.pick([world.client.replyTopic, world.dlq]);
  const limit = (bytes) => kafkaDoes('the topic has its limit', () => withAdmin((admin) => admin.alterConfigs({ validateOnly: false,
    resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: String(bytes) }] }] })));
  await limit(8000);
  await sleep(chance.between(500, 6000));
  await limit(104_857_600);
}

export async function kafkaRightMissing(world, chance) {
  const [topic, operation] = chance.pick([[world.client.replyTopic, 'WRITE'], [world.client.replyTopic, 'DESCRIBE'], [world.dlq, 'WRITE'], [world.topic, 'READ']]);
  let grant;
  await kafkaDoes('the right is gone', async () => { grant = await forbid(KAFKA_USER, { topic }, operation); });
  await sleep(chance.between(500, 8000));
  await kafkaDoes('the right is back', () => grant());
}

// `stowage check` asks Kafka for the rights that `stowage run` needs.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeShared, createTopics, newId, stowageAsync, until, withAdmin, World } from '../compat/lib/harness.mjs';
import { forbid, forbidIdempotentWrites, loginAs } from '../compat/lib/rights.mjs';

const EXIT_KAFKA = 5;
const world = new World({ name: 'check' });
const replies = `mastra.replies.${newId()}`;
const login = loginAs('guest');
const env = { ...login, STOWAGE_POSTGRES_SCHEMA_NAME: world.schema, STOWAGE_KAFKA_GROUP_ID: world.config.kafka.groupId,
  STOWAGE_KAFKA_TOPICS: world.topic, STOWAGE_REPLIES_ALLOW: `^${replies.replaceAll('.', '\\.')}$` };
const check = (over = {}) => stowageAsync(['check'], { env: { ...env, ...over } });

before(async () => {
  await world.open({ start: false });
  await createTopics(replies);
});
after(async () => {
  await withAdmin((admin) => admin.deleteTopics({ topics: [replies] }));
  await world.close();
  await closeShared();
});

// Checks until the broker has heard of the new right, or that it is gone.
const checks = (what, says, over) => until(what, async () => {
  const done = await check(over);
  return says(done) && done;
}, { onTimeout: async () => (await check(over)).stdout });

describe('stowage check', () => {
  test('says ok if everything is allowed', async () => {
    const done = await check();
    assert.equal(done.code, 0, done.stdout);
    assert.match(done.stdout, /^ok +rights/m);
  });

  test('notes topics and limits that do not fit each other', async () => {
    const small = `mastra.replies.${newId()}`;
    await createTopics(small, { config: { 'max.message.bytes': '20000' } });
    const over = { STOWAGE_REPLIES_ALLOW: `^${small.replaceAll('.', '\\.')}$` };
    const done = await check(over);
    assert.equal(done.code, 0, done.stdout);
    assert.match(done.stdout, new RegExp(`^note +sizes +topic ${small} takes messages of up to 20000 bytes, but replies .*1040000`, 'm'));
    const larger = await check({ ...over, STOWAGE_REPLIES_MAX_BYTES: '20000', STOWAGE_LIMITS_MESSAGE_BYTES: '900000' });
    assert.match(larger.stdout, /^note +sizes +commands may have 900000 bytes .* replies only 20000/m);
    assert.doesNotMatch(larger.stdout, /takes messages of up to/);
    assert.doesNotMatch((await check()).stdout, /sizes/);
    await withAdmin((admin) => admin.deleteTopics({ topics: [small] }));
  });

  test('names every right that is missing, and how to grant it', async () => {
    const [topic, group] = [`${world.topic}2`, world.config.kafka.groupId];
    const all = { STOWAGE_KAFKA_TOPICS: `${world.topic},${topic}` };
    await createTopics([topic, `${topic}.dlq`]);
    const missing = [
      [{ topic: world.topic }, 'READ', `Read is not allowed on command topic ${world.topic}`],
      [{ topic }, 'DESCRIBE', `Describe is not allowed on command topic ${topic}`],
      [{ topic: world.dlq }, 'WRITE', `Write is not allowed on dead-letter topic ${world.dlq}`],
      [{ topic: `${topic}.dlq` }, 'DESCRIBE', `Describe is not allowed on dead-letter topic ${topic}.dlq`],
      [{ topic: replies }, 'WRITE', `Write is not allowed on reply topic ${replies}`],
      [{ group }, 'READ', `Read is not allowed on group ${group}`],
    ];
    const grants = await Promise.all(missing.map(([resource, operation]) => forbid('guest', resource, operation)));
    try {
      const done = await checks('all are named', ({ stdout }) => missing.every(([, , says]) => stdout.includes(says)), all);
      assert.equal(done.code, EXIT_KAFKA, done.stdout);
      for (const [, operation] of missing) assert.match(done.stdout, new RegExp(`kafka-acls\\.sh --add .*--operation ${operation}`, 'i'));
      assert.doesNotMatch(done.stdout, /^ok +rights/m);
    } finally {
      await Promise.all(grants.map((grant) => grant()));
    }
    const grant = await forbid('guest', { group }, 'DESCRIBE');
    try {
      await checks('it is named', ({ stdout }) => stdout.includes(`Describe is not allowed on group ${group}`), all);
    } finally {
      await grant();
    }
    await checks('it is ok again', ({ code }) => code === 0, all);
    await withAdmin((admin) => admin.deleteTopics({ topics: [topic, `${topic}.dlq`] }));
  });

  test('finds a usual topic that a pattern does not show, because it may not be described', async () => {
    const usual = { STOWAGE_KAFKA_TOPICS: '^mastra\\.commands\\.scores$,' + world.topic, STOWAGE_REPLIES_ALLOW: '^mastra\\.replies$' };
    const grants = [await forbid('guest', { topic: 'mastra.commands.scores' }, 'DESCRIBE'), await forbid('guest', { topic: 'mastra.replies' }, 'DESCRIBE')];
    try {
      await checks('both are named', ({ stdout }) => stdout.includes('Describe is not allowed on command topic mastra.commands.scores')
        && stdout.includes('Describe is not allowed on reply topic mastra.replies'), usual);
    } finally {
      await Promise.all(grants.map((grant) => grant()));
    }
  });

  test('finds that the worker may not create its topics, if it is configured to', async () => {
    const topic = `${world.topic}3`;
    const all = { STOWAGE_KAFKA_TOPICS: `${world.topic},${topic}` };
    const create = { ...all, STOWAGE_KAFKA_CREATE_TOPICS: 'true' };
    const says = ({ stdout }) => new RegExp(`^failed .*Create is not allowed on topic ${topic}`, 'm').test(stdout);
    const onCluster = await forbid('guest', { cluster: 'kafka-cluster' }, 'CREATE');
    const onTopic = await forbid('guest', { topic }, 'CREATE');
    try {
      const done = await checks('it is named', says, create);
      assert.match(done.stdout, /kafka-acls\.sh --add .*--operation Create/);
      assert.equal(says(await check(all)), false, 'it needs no right to create topics');
      await onTopic();
      await checks('the right on the topic is enough', (result) => !says(result), create);
      await withAdmin(async (admin) => assert.ok(!(await admin.listTopics()).includes(topic), 'check creates nothing'));
    } finally {
      await onTopic();
      await onCluster();
    }
  });

  test('finds that the producer may not write idempotently', async () => {
    const grant = await forbidIdempotentWrites('guest');
    try {
      await checks('it is named', ({ stdout }) => stdout.includes('IdempotentWrite is not allowed on the cluster'));
    } finally {
      await grant();
    }
  });

  test('rejects properties that the worker\'s own clients reject', async () => {
    for (const [property, says] of [['max.poll.interval.ms=5000', /session\.timeout\.ms/], ['group.protocol=consumer,session.timeout.ms=7000', /session\.timeout\.ms/]]) {
      const done = await check({ STOWAGE_KAFKA_PROPERTIES: `${login.STOWAGE_KAFKA_PROPERTIES},${property}` });
      assert.equal(done.code, 3, done.stdout);
      assert.match(done.stdout, says);
    }
  });
});

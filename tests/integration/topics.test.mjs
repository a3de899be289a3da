// Which topics and partitions the worker reads, and where it starts in them.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, sql, until, World } from '../compat/lib/harness.mjs';

after(() => closeShared());

const threads = async (world) => (await sql(`SELECT id FROM "${world.schema}".mastra_threads ORDER BY id`)).map(({ id }) => id);
const saving = (id, options) => ({ command: 'memory.saveThread', args: { thread: thread(id) }, key: id, ...options });

describe('dead-letter topics', () => {
  test('are never read, even if a pattern matches them', async () => {
    const world = new World({ name: 'dead-letters' });
    world.config.kafka.topics = [`^test\\.${world.id}\\.`, `^test\\.${world.id}\\..*dlq`];
    world.config.kafka.properties = ['topic.blacklist=^none$'];
    try {
      await world.open();
      await world.client.post([saving('dead')], { topic: world.dlq });
      await world.client.call('memory.saveThread', { thread: thread('alive') });
      assert.equal(await world.worker.metric('stowage_partitions'), 1);
      assert.deepEqual(await threads(world), ['alive']);
      assert.deepEqual(await sql(`SELECT topic FROM "${world.schema}".stowage_offsets`), [{ topic: world.topic }]);
    } finally {
      await world.close();
    }
  });
});

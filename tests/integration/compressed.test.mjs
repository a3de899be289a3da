// Batches that producers compressed: one that becomes too large stops its partition alone, and nothing is lost.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { thread } from '../compat/lib/fixtures.mjs';
import { closeShared, newId, sql, until, World } from '../compat/lib/harness.mjs';

const MIB = 1024 * 1024;
const GZIP = 1; // of kafkajs's CompressionTypes
const LETTERS = 12; // of 3/4 MiB each

describe('a batch that decompresses to more than twice limits.memoryBytes', () => {
  const world = new World({ name: 'compressed', partitions: 2, config: { limits: { memoryBytes: 4 * MIB, messageBytes: 2 * MIB } } });
  const ids = [newId(), newId(), newId()];
  const save = (id, partition) => ({ partition, value: world.client.schemas.encode('memory.saveThread', { thread: thread(id) }) });
  const exists = async (id) => (await sql(`SELECT 1 FROM "${world.schema}".mastra_threads WHERE id = '${id}'`)).length === 1;
  const stopped = /"partition stopped: a batch of a producer can't be decompressed" topic=\S+ partition=0 offset=1 .*limits\.memoryBytes/;
  let letters;

  before(async () => {
    await world.open({ start: false });
    letters = await world.tail();
    const send = (messages, compression) => world.client.producer.send({ topic: world.topic, messages, compression });
    await send([save(ids[0], 0)]);
    await send(Array.from({ length: LETTERS }, () => ({ partition: 0, value: Buffer.alloc(MIB * 3 / 4) })), GZIP);
    await send([save(ids[1], 0)]);
  });
  after(async () => {
    await world.close();
    await closeShared();
  });

  test('stops its partition, while the others go on', async () => {
    const worker = await world.startWorker();
    await worker.logged(stopped);
    await until('the command before the batch', () => exists(ids[0]));
    await world.client.producer.send({ topic: world.topic, messages: [save(ids[2], 1)] });
    await until('a command of the other partition', () => exists(ids[2]));
    assert.equal(await exists(ids[1]), false);
    await worker.stop();
    assert.equal(worker.log.match(new RegExp(stopped, 'g')).length, 1, 'logged once');
    assert.equal(letters.messages.length, 0);
  });

  test('is read after a restart with a larger limit', async () => {
    await world.startWorker({ limits: { memoryBytes: 32 * MIB } });
    await until('the command behind the batch', () => exists(ids[1]));
    await until('its dead letters', () => letters.messages.length === LETTERS);
  });
});

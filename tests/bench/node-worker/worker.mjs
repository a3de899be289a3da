// A plain Node worker on kafkajs, avsc and @mastra/pg. It answers memory.getThreadById. The figure
// "throughput-node" compares with it.
//
//   node worker.mjs TOPIC SCHEMAS_DIR POSTGRES_SCHEMA
//
// SCHEMAS_DIR is the output of `stowage schemas --output`. All commands of a fetched batch run in parallel
// over the store's pool, and their replies go out in one request. The worker prints "ready" on standard
// output when it has joined its group. It ends on SIGTERM.
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { HEADER_SIZE, readCommand } from './commands.mjs';
import { openStore } from './program.mjs';

const COMMAND = 'memory.getThreadById';

const [topic, schemasDir, schemaName] = process.argv.slice(2);
const command = readCommand(schemasDir, COMMAND);
const store = openStore(schemaName);
const memory = await store.getStore('memory');

const kafka = new Kafka({
  brokers: [process.env.STOWAGE_KAFKA_BOOTSTRAP_SERVERS],
  clientId: 'node-worker',
  logLevel: logLevel.ERROR,
});
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
const consumer = kafka.consumer({ groupId: `node-worker-${topic}` });

async function answer(message) {
  const { threadId, resourceId } = command.request.fromBuffer(message.value.subarray(HEADER_SIZE));
  const thread = await memory.getThreadById({ threadId, ...(resourceId !== null && { resourceId }) });
  return {
    topic: message.headers['reply-to'].toString(),
    message: {
      key: message.key,
      value: Buffer.concat([command.header, command.reply.toBuffer({ result: thread })]),
      headers: { 'correlation-id': message.headers['correlation-id'], command: COMMAND, status: 'ok' },
    },
  };
}

async function eachBatch({ batch, resolveOffset, heartbeat }) {
  const replies = await Promise.all(batch.messages.map(answer));
  const byTopic = Map.groupBy(replies, (reply) => reply.topic);
  await producer.sendBatch({
    topicMessages: [...byTopic].map(([to, list]) => ({ topic: to, messages: list.map(({ message }) => message) })),
  });
  resolveOffset(batch.lastOffset());
  await heartbeat();
}

async function stop() {
  await consumer.disconnect();
  await producer.disconnect();
  await store.close();
  process.exit(0);
}

process.on('SIGTERM', stop);
await producer.connect();
await consumer.connect();
consumer.on(consumer.events.GROUP_JOIN, () => console.log('ready'));
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({ eachBatch, partitionsConsumedConcurrently: 4 });

// A plain Node worker for vectors, on kafkajs, avsc and PgVector of @mastra/pg. It applies vectors.upsert
// and answers vectors.query. The vector figures compare with it.
//
//   node vectors.mjs TOPIC SCHEMAS_DIR POSTGRES_SCHEMA COMMAND [UNTIL]
//
// COMMAND is upsert or query. All queries of a fetched batch run in parallel over PgVector's pool, and
// their replies go out in one request. Upserts run one after the other in each partition. The worker
// prints "ready" when it has joined its group. For upserts it prints "begin 0" with the first upsert and
// "end UNTIL" when UNTIL upserts are committed. It ends on SIGTERM.
import { PgVector } from '@mastra/pg';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { HEADER_SIZE, readCommand } from './commands.mjs';

const FETCHED_BYTES = 4 * 1024 * 1024; // per partition and fetch

const [topic, schemasDir, schemaName, method, until] = process.argv.slice(2);
const name = `vectors.${method}`;
const command = readCommand(schemasDir, name);
const vector = new PgVector({
  id: 'bench',
  connectionString: process.env.STOWAGE_POSTGRES_CONNECTION_STRING,
  schemaName,
});

const kafka = new Kafka({
  brokers: [process.env.STOWAGE_KAFKA_BOOTSTRAP_SERVERS],
  clientId: 'node-worker',
  logLevel: logLevel.ERROR,
});
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
const consumer = kafka.consumer({
  groupId: `node-worker-${topic}-${process.pid}`,
  maxBytesPerPartition: FETCHED_BYTES,
  maxBytes: 4 * FETCHED_BYTES,
});

// Null on the wire is an absent property in the program.
function readRequest({ value }) {
  const request = command.request.fromBuffer(value.subarray(HEADER_SIZE));
  return Object.fromEntries(Object.entries(request).filter(([, given]) => given !== null));
}

async function answer(message) {
  const found = await vector.query(readRequest(message));
  const result = found.map(({ id, score, metadata }) => ({ id, score, metadata, vector: null, document: null }));
  return {
    topic: message.headers['reply-to'].toString(),
    message: {
      key: message.key,
      value: Buffer.concat([command.header, command.reply.toBuffer({ result })]),
      headers: { 'correlation-id': message.headers['correlation-id'], command: name, status: 'ok' },
    },
  };
}

async function query({ messages }) {
  const replies = await Promise.all(messages.map(answer));
  const byTopic = Map.groupBy(replies, (reply) => reply.topic);
  await producer.sendBatch({
    topicMessages: [...byTopic].map(([to, list]) => ({ topic: to, messages: list.map(({ message }) => message) })),
  });
}

let written;

async function upsert({ messages }, resolveOffset, heartbeat) {
  if (written === undefined) {
    written = 0;
    console.log('begin 0');
  }
  for (const message of messages) {
    await vector.upsert(readRequest(message));
    resolveOffset(message.offset);
    await heartbeat();
    written++;
    if (written === Number(until)) console.log(`end ${written}`);
  }
}

async function eachBatch({ batch, resolveOffset, heartbeat }) {
  await { query, upsert }[method](batch, resolveOffset, heartbeat);
  resolveOffset(batch.lastOffset());
  await heartbeat();
}

async function stop() {
  await consumer.disconnect();
  await producer.disconnect();
  await vector.disconnect();
  process.exit(0);
}

process.on('SIGTERM', stop);
await producer.connect();
await consumer.connect();
consumer.on(consumer.events.GROUP_JOIN, () => console.log('ready'));
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({ eachBatch, partitionsConsumedConcurrently: 4 });

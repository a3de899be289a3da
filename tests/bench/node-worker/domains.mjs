// A plain Node worker on kafkajs, avsc and @mastra/pg. It applies commands one after the other in each of
// four partitions, as their order asks for. The figures "datasets" and "experiments" compare with it.
//
//   node domains.mjs TOPIC SCHEMAS_DIR POSTGRES_SCHEMA UNTIL COMMAND
//
// COMMAND is "domain.method" of a store. The worker commits offsets after it wrote, so after a crash it
// writes some again. It prints "begin COUNT" on standard output when the first command is applied, and
// "end COUNT" when UNTIL are applied. It ends on SIGTERM.
import { PostgresStore } from '@mastra/pg';
import { Kafka, logLevel } from 'kafkajs';
import { HEADER_SIZE, readCommand } from './commands.mjs';

const [topic, schemasDir, schemaName, until, name] = process.argv.slice(2);
const [domainName, method] = name.split('.');
const command = readCommand(schemasDir, name);
const store = new PostgresStore({
  id: 'bench',
  connectionString: process.env.STOWAGE_POSTGRES_CONNECTION_STRING,
  schemaName,
  disableInit: true,
});
const domain = await store.getStore(domainName);

const kafka = new Kafka({
  brokers: [process.env.STOWAGE_KAFKA_BOOTSTRAP_SERVERS],
  clientId: 'node-worker',
  logLevel: logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: `node-worker-${topic}-${process.pid}` });

// Null on the wire is an absent property in the program.
function given(value) {
  if (Array.isArray(value)) return value.map(given);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null).map(([key, field]) => [key, given(field)]));
}

let written = 0;

async function eachMessage({ message }) {
  await domain[method](given(command.request.fromBuffer(message.value.subarray(HEADER_SIZE))));
  written++;
  if (written === 1) console.log('begin 1');
  if (written === Number(until)) console.log(`end ${written}`);
}

async function stop() {
  await consumer.disconnect();
  await store.close();
  process.exit(0);
}

process.on('SIGTERM', stop);
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({ eachMessage, partitionsConsumedConcurrently: 4 });

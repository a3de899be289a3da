// The worker that one would write in Node for spans: kafkajs, avsc, @mastra/pg. It groups the
// observability.createSpan commands of a partition into batchCreateSpans and is what the figure
// "spans-node" is compared with.
//
//   node spans.mjs TOPIC SCHEMAS_DIR POSTGRES_SCHEMA UNTIL
//
// Each partition has a connection of the pool while it writes. Offsets are committed behind what
// is written, so that after a crash some spans are written again, over themselves. Says on standard
// output "begin COUNT" when the first spans are in and "end COUNT" when UNTIL are; ends on SIGTERM.
import { PostgresStore } from '@mastra/pg';
import { Kafka, logLevel } from 'kafkajs';
import { HEADER_SIZE, readCommand } from './commands.mjs';

const GROUPED = 1000;
const FETCHED_BYTES = 4 * 1024 * 1024; // of a partition at once, so that a thousand come together

const [topic, schemasDir, schemaName, until] = process.argv.slice(2);
const command = readCommand(schemasDir, 'observability.createSpan');
const store = new PostgresStore({
  id: 'bench',
  connectionString: process.env.STOWAGE_POSTGRES_CONNECTION_STRING,
  schemaName,
  disableInit: true,
});
const observability = await store.getStore('observability');

const kafka = new Kafka({
  brokers: [process.env.STOWAGE_KAFKA_BOOTSTRAP_SERVERS],
  clientId: 'node-worker',
  logLevel: logLevel.ERROR,
});
const consumer = kafka.consumer({
  groupId: `node-worker-${topic}-${process.pid}`,
  maxBytesPerPartition: FETCHED_BYTES,
  maxBytes: 4 * FETCHED_BYTES,
});

// Null on the wire is not given in the program.
function readSpan({ value }) {
  const { clear, ...span } = command.request.fromBuffer(value.subarray(HEADER_SIZE)).span;
  for (const name of Object.keys(span)) {
    if (span[name] === null) delete span[name];
  }
  return span;
}

let written = 0;

function count(more) {
  if (written === 0) console.log(`begin ${more}`);
  written += more;
  if (written >= until && written - more < until) console.log(`end ${written}`);
}

async function eachBatch({ batch, resolveOffset, heartbeat }) {
  for (let first = 0; first < batch.messages.length; first += GROUPED) {
    const messages = batch.messages.slice(first, first + GROUPED);
    await observability.batchCreateSpans({ records: messages.map(readSpan) });
    count(messages.length);
    resolveOffset(messages.at(-1).offset);
    await heartbeat();
  }
}

async function stop() {
  await consumer.disconnect();
  await store.close();
  process.exit(0);
}

process.on('SIGTERM', stop);
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({ eachBatch, partitionsConsumedConcurrently: 4 });

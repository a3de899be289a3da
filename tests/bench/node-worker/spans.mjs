// A plain Node worker for spans, on kafkajs, avsc and @mastra/pg. It groups a partition's
// observability.createSpan commands into batchCreateSpans. The figure "spans-node" compares with it.
//
//   node spans.mjs TOPIC SCHEMAS_DIR POSTGRES_SCHEMA UNTIL
//
// Each partition uses one connection of the pool while it writes. The worker commits offsets after it
// wrote, so after a crash it writes some spans again. It prints "begin COUNT" on standard output when the
// first spans are committed, and "end COUNT" when UNTIL are committed. It ends on SIGTERM.
import { HEADER_SIZE, readCommand } from './commands.mjs';
import { drain, openStore } from './program.mjs';

const GROUPED = 1000;
const FETCHED_BYTES = 4 * 1024 * 1024; // per partition and fetch, so that a thousand spans arrive together

const [topic, schemasDir, schemaName, until] = process.argv.slice(2);
const command = readCommand(schemasDir, 'observability.createSpan');
const store = openStore(schemaName);
const observability = await store.getStore('observability');

// Null on the wire is an absent property in the program.
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

await drain(topic, store, { maxBytesPerPartition: FETCHED_BYTES, maxBytes: 4 * FETCHED_BYTES }, { eachBatch });

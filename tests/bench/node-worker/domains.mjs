// A plain Node worker on kafkajs, avsc and @mastra/pg. It applies commands one after the other in each of
// four partitions, as their order asks for. The figures "datasets" and "experiments" compare with it.
//
//   node domains.mjs TOPIC SCHEMAS_DIR POSTGRES_SCHEMA UNTIL COMMAND
//
// COMMAND is "domain.method" of a store. The worker commits offsets after it wrote, so after a crash it
// writes some again. It prints "begin COUNT" on standard output when the first command is applied, and
// "end COUNT" when UNTIL are applied. It ends on SIGTERM.
import { HEADER_SIZE, readCommand } from './commands.mjs';
import { drain, openStore } from './program.mjs';

const [topic, schemasDir, schemaName, until, name] = process.argv.slice(2);
const [domainName, method] = name.split('.');
const command = readCommand(schemasDir, name);
const store = openStore(schemaName);
const domain = await store.getStore(domainName);

// Null on the wire is an absent property in the program.
function given(value) {
  if (Array.isArray(value)) return value.map(given);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null).map(([key, field]) => [key, given(field)]));
}

let begun = 0;
let written = 0;

async function eachMessage({ message }) {
  if (begun++ >= Number(until)) return; // the topic holds more for faster workers
  await domain[method](given(command.request.fromBuffer(message.value.subarray(HEADER_SIZE))));
  written++;
  if (written === 1) console.log('begin 1');
  if (written === Number(until)) console.log(`end ${written}`);
}

await drain(topic, store, {}, { eachMessage });

// node caller.mjs OPTIONS COUNT: a process that makes COUNT calls, 20 at a time, and prints how many replies were its own.
import { KafkaStore } from '@stowage/mastra';

const [options, count] = process.argv.slice(2).map((text) => JSON.parse(text));
const store = new KafkaStore(options);
const memory = await store.getStore('memory');
let next = 0;
let answered = 0;

async function work() {
  while (next < count) {
    const id = `${process.pid}-${next++}`;
    const thread = { id, resourceId: String(process.pid), title: id, createdAt: new Date(), updatedAt: new Date() };
    await memory.saveThread({ thread });
    if ((await memory.getThreadById({ threadId: id })).title === id) answered++;
  }
}

await Promise.all(Array.from({ length: Math.min(20, count) }, work));
console.log(answered);
await store.close(); // the process ends: nothing keeps it alive

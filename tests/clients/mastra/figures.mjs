// The benchmark's programs in Node. Each prints one line of JSON.
//
//   node figures.mjs ask OPTIONS COUNT WARM_UP   memory.getThreadById, one at a time: the median in microseconds
//   node figures.mjs forget OPTIONS COUNT        memory.saveMessages that nobody waits for, some 500 bytes each: messages a second
import { KafkaStore } from '@stowage/mastra';

const [what, options, count, warmUp] = process.argv.slice(2).map((text, index) => (index === 0 ? text : JSON.parse(text)));
const THREADS = 200;
const threadOf = (i) => `bench-thread-${String(i % THREADS).padStart(6, '0')}`;
const store = new KafkaStore(options);
const memory = await store.getStore('memory');

async function ask() {
  const took = [];
  for (let i = 0; i < count + warmUp; i++) {
    const began = performance.now();
    await memory.getThreadById({ threadId: threadOf(i) });
    if (i >= warmUp) took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  return { median_us: took[count >> 1] * 1000, p99_us: took[Math.floor(count * 0.99)] * 1000 };
}

// A thousand calls are on their way at any time.
async function forget() {
  const quick = memory.with({ fireAndForget: true });
  const text = 'x'.repeat(300);
  const save = (i) => quick.saveMessages({ messages: [{ id: `m-${i}`, threadId: threadOf(i), resourceId: 'alice', role: 'user', createdAt: new Date(), content: { format: 2, parts: [{ type: 'text', text }], content: text } }] });
  await save(0);
  let next = 0;
  const work = async () => { while (next < count) await save(next++); };
  const [began, before] = [performance.now(), process.cpuUsage()];
  await Promise.all(Array.from({ length: 1000 }, work));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { rate: count / seconds, cpu_us: (user + system) / count };
}

console.log(JSON.stringify(await { ask, forget }[what]()));
await store.close();

// An application: an agent with message history, semantic recall and working memory, which answers at once and in a
// stream. Its model and its embedder are fakes that always say the same.
//
//   node agent.mjs TURNS    prints what the agent said and recalled, and how long the turns took
import { Agent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core';
import { Memory } from '@mastra/memory';
import { MastraStorageExporter, Observability } from '@mastra/observability';
import { model, embedder } from './model.mjs';
import { storage } from './storage.mjs';
import { vector } from './vector.mjs';

const turns = Number(process.argv[2]);
const memory = new Memory({
  storage,
  vector,
  embedder,
  options: { lastMessages: 6, semanticRecall: { topK: 2, messageRange: 1, scope: 'resource' }, workingMemory: { enabled: true, template: '# Traveller\n- Name:' } },
});
const travel = new Agent({ id: 'travel', name: 'travel', instructions: 'You plan trips.', model, memory });
const observability = new Observability({ configs: { default: { serviceName: 'travel', exporters: [new MastraStorageExporter()] } } });
const mastra = new Mastra({ agents: { travel }, storage, observability, logger: false });
const agent = mastra.getAgent('travel');
const chat = { memory: { thread: 'trip', resource: 'alice' } };

const said = [];
said.push((await agent.generate('My name is Alice, remember it.', chat)).text);
const began = performance.now();
for (let turn = 0; turn < turns; turn++) {
  const stream = await agent.stream(`Day ${turn}: what about the harbour?`, chat);
  let text = '';
  for await (const part of stream.textStream) text += part;
  said.push(text);
}
const took = performance.now() - began;
const { messages } = await memory.recall({ threadId: 'trip', resourceId: 'alice', vectorSearchString: 'the harbour on day 1', threadConfig: { semanticRecall: { topK: 1, messageRange: 0 } }, perPage: 2 });
const working = await memory.getWorkingMemory({ threadId: 'trip', resourceId: 'alice' });
const { threads } = await memory.listThreads({ filter: { resourceId: 'alice' } });
console.log(JSON.stringify({ said, recalled: messages.map(({ role, content }) => [role, content.content]), working, threads: threads.map(({ id, title }) => [id, title]), took }));
await observability.flush();
await mastra.shutdown();
await storage.close();
await vector.disconnect();

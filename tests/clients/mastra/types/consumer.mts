// A program in TypeScript: it only has to compile.
import { Mastra } from '@mastra/core';
import type { MemoryStorage } from '@mastra/core/storage';
import { MastraCompositeStore } from '@mastra/core/storage';
import { type CallOptions, KafkaConnection, KafkaStore, KafkaVector, StowageError } from '@stowage/mastra';

const storage = new KafkaStore({ brokers: ['localhost:9092'], tls: true, sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' } });
const vectors = new KafkaVector({ id: 'v', connection: storage.connection });
export const mastra = new Mastra({ storage, vectors: { vectors } });
export const composed = new MastraCompositeStore({ id: 'c', default: storage, domains: { memory: false } });

const options: CallOptions = { fireAndForget: true, timeout: 1000 };
const memory: MemoryStorage = storage.stores.memory!.with(options);
const thread = await memory.getThreadById({ threadId: 't' });
export const title: string | undefined = thread?.title;
const results = await vectors.with({ timeout: 100 }).query({ indexName: 'i', queryVector: [1], topK: 3 });
export const score: number = results[0]!.score;
try {
  await storage.call('storage.ping');
} catch (error) {
  if (error instanceof StowageError && error.category === 'TIMEOUT' && error.retryable) throw error;
}
// @ts-expect-error: brokers are needed
new KafkaConnection({});
// @ts-expect-error: core's types hold for arguments
await memory.getThreadById({ thread: 't' });

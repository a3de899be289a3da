// The same as CommonJS: it only has to compile.
import { KafkaStore, KafkaVector } from '@stowage/mastra';

export const storage: KafkaStore = new KafkaStore({ brokers: ['localhost:9092'] });
export const vectors = new KafkaVector({ connection: storage.connection });
export const closed: Promise<void> = storage.close();

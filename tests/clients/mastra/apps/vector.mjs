// The vector store that goes with the storage.
import { PgVector } from '@mastra/pg';
import { KafkaVector } from '@stowage/mastra';
import { isKafka, options, storage } from './storage.mjs';

export const vector = isKafka ? new KafkaVector({ id: 'app-vector', connection: storage.connection }) : new PgVector({ id: 'app-vector', ...options });

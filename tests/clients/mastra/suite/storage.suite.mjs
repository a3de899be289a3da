// Mastra's tests of a store, on KafkaStore. Some of them run only for a class of an official store's name.
import { createTestSuite } from '@internal/storage-test-utils';
import { KafkaStore } from '@stowage/mastra';
import { afterAll } from 'vitest';

class PostgresStore extends KafkaStore {}

const store = new PostgresStore(JSON.parse(process.env.STORE_OPTIONS));
createTestSuite(store);
afterAll(() => store.close());

// Mastra's tests of a vector store, on KafkaVector, with the allowances that Mastra makes for PgVector.
import { createVectorTestSuite } from '@internal/storage-test-utils';
import { KafkaVector } from '@stowage/mastra';

const vector = new KafkaVector(JSON.parse(process.env.STORE_OPTIONS));
createVectorTestSuite({
  vector,
  createIndex: (indexName, options) => vector.createIndex({ indexName, dimension: 1536, metric: options?.metric }),
  deleteIndex: (indexName) => vector.deleteIndex({ indexName }),
  waitForIndexing: async () => {},
  disconnect: () => vector.disconnect(),
  supportsStrictOperatorValidation: false,
  supportsEmptyLogicalOperators: false,
});

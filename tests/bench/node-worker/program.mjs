// What the Node workers share: the store, and a consumer that runs until SIGTERM.
import { PostgresStore } from '@mastra/pg';
import { Kafka, logLevel } from 'kafkajs';

export const openStore = (schemaName) => new PostgresStore({
  id: 'bench',
  connectionString: process.env.STOWAGE_POSTGRES_CONNECTION_STRING,
  schemaName,
  disableInit: true,
});

// Reads the topic from its beginning, four partitions at once. `options`: of the consumer. `run`: eachBatch or
// eachMessage.
export async function drain(topic, store, options, run) {
  const kafka = new Kafka({ brokers: [process.env.STOWAGE_KAFKA_BOOTSTRAP_SERVERS], clientId: 'node-worker', logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `node-worker-${topic}-${process.pid}`, ...options });
  process.on('SIGTERM', async () => {
    await consumer.disconnect();
    await store.close();
    process.exit(0);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ ...run, partitionsConsumedConcurrently: 4 });
}

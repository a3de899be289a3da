// node call.mjs SERVERS SCHEMAS: asks for a thread and prints it
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { Kafka } from 'kafkajs';

const [servers, folder] = process.argv.slice(2);
const schema = (name) => JSON.parse(readFileSync(`${folder}/${name}`));
const type = (name) => avro.Type.forSchema(schema(name));
const entry = schema('index.json').find(({ command }) => command === 'memory.getThreadById');
const kafka = new Kafka({ brokers: servers.split(',') }), id = randomUUID();
const clients = [kafka.producer(), kafka.consumer({ groupId: id }), kafka.admin()];
const [producer, consumer, admin] = clients;
for (const client of clients) await client.connect();

const places = await admin.fetchTopicOffsets('mastra.replies');
await consumer.subscribe({ topic: 'mastra.replies' });
let answer; // called with each message
await consumer.run({ eachMessage: async ({ message }) => answer(message) });
const replied = new Promise((resolve) => {
  answer = (message) => String(message.headers['correlation-id']) === id && resolve(message);
});
for (const { partition, high } of places) // replies from now on
  consumer.seek({ topic: 'mastra.replies', partition, offset: high });

const mark = Buffer.from(`${entry.requestFingerprint}01c3`, 'hex').reverse();
const value = Buffer.concat([mark, type(entry.request).toBuffer({ threadId: 'trip' })]);
const headers = { 'reply-to': 'mastra.replies', 'correlation-id': id };
const messages = [{ key: 'trip', value, headers }];
await producer.send({ topic: 'mastra.commands.memory', messages });
const reply = await replied, ok = String(reply.headers.status) === 'ok';
console.log(type(ok ? entry.reply : 'Error.avsc').fromBuffer(reply.value.subarray(10)));
for (const client of clients) await client.disconnect();

// A client of Stowage on kafkajs: sends commands and waits for their replies by correlation id.
//
//   const client = new StowageClient({ brokers, schemas, topic: 'mastra.commands.memory' });
//   await client.connect();
//   const thread = await client.call('memory.getThreadById', { threadId: 't1' });

import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';

const { Kafka, logLevel, CompressionTypes, Partitioners } = kafkajs;

export class StowageError extends Error {
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    Object.assign(this, { code: error.code, category: error.category, retryable: error.retryable,
      details: error.details, text: error.message });
  }
}

// Bounds a hang; no test depends on it.
const REPLY_TIMEOUT_MS = Number(process.env.STOWAGE_TEST_REPLY_TIMEOUT_MS ?? 60_000);

export function newKafka(brokers, options = {}) {
  return new Kafka({ clientId: 'stowage-tests', brokers: [].concat(brokers), logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, retries: 12 }, ...options });
}

// Creates topics and waits until the broker knows their leaders. kafkajs's own wait gives up at the
// first response that does not have the topic yet.
export async function makeTopics(admin, names, { partitions = 1, config = {} } = {}) {
  const configEntries = Object.entries({ 'max.message.bytes': '104857600', ...config }).map(([name, value]) => ({ name, value }));
  const topics = [].concat(names);
  await admin.createTopics({ waitForLeaders: false, topics: topics.map((topic) => ({ topic, numPartitions: partitions, configEntries })) });
  for (let tries = 0; ; tries++) {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics });
      if (found.every((topic) => topic.partitions.length && topic.partitions.every((p) => p.leader >= 0))) return;
    } catch (error) {
      if (tries > 200) throw error;
    }
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

export class StowageClient {
  #waiting = new Map();

  // Calls onReply(command, outcome) for every decoded reply. onTimeout() returns text for the error
  // message of a missing reply, such as logs.
  constructor({ brokers, schemas, topic, replyTopic, onReply = () => {}, onTimeout = () => '' }) {
    this.kafka = newKafka(brokers);
    this.schemas = schemas;
    this.topic = topic;
    this.replyTopic = replyTopic ?? `mastra.replies.test-${randomUUID()}`;
    this.onReply = onReply;
    this.onTimeout = onTimeout;
    this.replies = []; // every message of the reply topic, in order
    this.strays = [];  // replies that no call waits for
    this.producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false });
    this.consumer = this.kafka.consumer({ groupId: `replies-${randomUUID()}`, allowAutoTopicCreation: false,
      maxWaitTimeInMs: 100, sessionTimeout: 30_000, maxBytesPerPartition: 200 * 1024 * 1024,
      maxBytes: 200 * 1024 * 1024 });
  }

  async connect({ partitions = 1 } = {}) {
    const admin = this.kafka.admin();
    await admin.connect();
    await makeTopics(admin, this.replyTopic, { partitions });
    await admin.disconnect();
    await this.producer.connect();
    await this.consumer.connect();
    await this.consumer.subscribe({ topic: this.replyTopic, fromBeginning: true });
    const joined = new Promise((resolve) => {
      const remove = this.consumer.on(this.consumer.events.GROUP_JOIN, () => { remove(); resolve(); });
    });
    await this.consumer.run({ eachMessage: async ({ partition, message }) => this.#receive(partition, message) });
    await joined;
  }

  async close() {
    await Promise.allSettled([this.consumer.disconnect(), this.producer.disconnect()]);
    for (const { reject } of this.#waiting.values()) reject(new Error('the client was closed'));
    this.#waiting.clear();
  }

  #receive(partition, message) {
    const reply = { partition, key: message.key, value: message.value, headers: message.headers, offset: message.offset };
    this.replies.push(reply);
    const id = headerText(message.headers, 'correlation-id') ?? headerText(message.headers, 'kafka_correlationId');
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      this.strays.push(reply);
      return;
    }
    // After a crash or a rebalance a reply may arrive twice: the second one is a stray.
    this.#waiting.delete(id);
    try {
      const { schema, value } = this.#decode(message, waiting.command);
      Object.assign(reply, { schema, decoded: value });
      this.#check(reply, waiting.command);
      waiting.resolve(reply);
    } catch (error) {
      waiting.reject(error);
    }
  }

  // A reply in JSON is the record of the same schema.
  #decode(message, command) {
    if (headerText(message.headers, 'content-type') !== 'application/json') return this.schemas.decode(message.value);
    const failed = headerText(message.headers, 'status') === 'error';
    return { schema: failed ? this.schemas.error : this.schemas.command(command).replySchema, value: JSON.parse(message.value) };
  }

  // Checks every reply against the command's declared schema.
  #check({ schema, headers, decoded }, command) {
    const failed = schema === this.schemas.error;
    if (command && !failed && schema !== this.schemas.command(command).replySchema) {
      throw new Error(`the reply to ${command} is a ${schema.name}`);
    }
    const status = headerText(headers, 'status');
    if (status !== (failed ? 'error' : 'ok')) throw new Error(`a ${schema.name} with the status ${status}`);
    const named = headerText(headers, 'command');
    if (command && named !== undefined && named !== command) throw new Error(`the reply to ${command} says ${named}`);
    if (command && failed && !this.schemas.command(command).errors.includes(decoded.code)) {
      throw new Error(`index.json does not list ${decoded.code} among the errors of ${command}`);
    }
    const unsupported = failed && decoded.code === 'NOT_IMPLEMENTED_BY_REFERENCE';
    if (command) this.onReply(command, unsupported ? 'unsupported' : failed ? 'error' : 'ok');
  }

  // Sends a value as it is; resolves to the raw reply. `command`: the command that it must answer.
  async exchange(value, { command, key, headers = {}, topic = this.topic, partition, timestamp,
    correlationId = randomUUID(), timeoutMs = REPLY_TIMEOUT_MS, named = {} } = {}) {
    const answer = this.expect(correlationId, command, timeoutMs);
    const message = { key, value, partition, timestamp,
      headers: { 'reply-to': this.replyTopic, 'correlation-id': correlationId, ...headers, ...named } };
    for (const name of Object.keys(message.headers)) {
      if (message.headers[name] === undefined) delete message.headers[name];
    }
    try {
      await this.producer.send({ topic, messages: [message], acks: -1 });
    } catch (error) {
      this.#waiting.get(correlationId)?.reject(error);
    }
    return answer;
  }

  // A promise for the reply with that correlation id.
  expect(correlationId, command, timeoutMs = REPLY_TIMEOUT_MS) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(correlationId);
        reject(new Error(`no reply to ${command ?? correlationId} within ${timeoutMs} ms\n${this.onTimeout()}`));
      }, timeoutMs);
      this.#waiting.set(correlationId, {
        command,
        resolve: (value) => { clearTimeout(timer); resolve(value); },
        reject: (error) => { clearTimeout(timer); reject(error); },
      });
    });
  }

  // Calls a command; resolves to its result or rejects with a StowageError.
  async call(command, args = {}, options = {}) {
    const reply = await this.send(command, args, options);
    if (reply.schema === this.schemas.error) throw new StowageError(reply.decoded);
    return reply.decoded.result;
  }

  // The same, but resolves to the raw reply with its headers.
  send(command, args = {}, options = {}) {
    return this.exchange(this.schemas.encode(command, args),
      { command, key: this.schemas.key(command, args), ...options });
  }

  // Sends many commands in this order, for load: [{command, args, key, headers, partition}].
  async post(list, { topic = this.topic, compression = CompressionTypes.None } = {}) {
    const messages = list.map(({ command, args, value, key, headers = {}, partition, correlationId }) => ({
      key: key ?? (command ? this.schemas.key(command, args) : undefined),
      value: value ?? this.schemas.encode(command, args),
      partition,
      headers: correlationId ? { 'reply-to': this.replyTopic, 'correlation-id': correlationId, ...headers } : headers,
    }));
    await this.producer.send({ topic, messages, acks: -1, compression });
  }
}

// Sends the commands as neighbours, in this order; resolves to their results, in which an error is its code.
// Calls at the same time may overtake each other on the way to the broker.
export async function callTogether(client, key, list) {
  const sent = list.map(([command, args]) => ({ command, args, key, correlationId: randomUUID() }));
  const replies = sent.map(({ command, correlationId }) => client.expect(correlationId, command));
  await client.post(sent);
  return (await Promise.all(replies)).map(({ schema, decoded }) => (schema === client.schemas.error ? decoded.code : decoded.result));
}

// A header as text, undefined if it is missing.
export function headerText(headers, name) {
  const value = headers?.[name];
  if (value === undefined || value === null) return undefined;
  return Buffer.from(Array.isArray(value) ? value[0] : value).toString('utf8');
}

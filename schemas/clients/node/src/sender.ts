// Sends commands. Each partition has one request on its way at a time, and what arrives meanwhile goes together with
// the next one. That keeps the order, and it makes small requests at low load and large ones at high load.
//
// The producer is idempotent: it numbers the messages of a partition, so that Kafka recognises a request that it gets
// again. If the outcome of a request stays unknown, a new producer with numbers of its own takes over.

import { Producer } from '@platformatic/kafka';
import type { Encoded } from './contract.js';
import { StowageError, unavailable } from './errors.js';
import { canPass, causeOf, clientOptions, hasCode, INVALID_RECORD, isUnknownTopic, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, sleep, inTime } from './kafka.js';
import type { KafkaOptions } from './options.js';
import { partitionOf } from './partition.js';

const REQUEST_BYTES = 900_000; // below Kafka's default limit of a request's messages, 1 MiB
const MESSAGE_OVERHEAD = 100; // about what Kafka and the headers add to key and value
const RETRY_MS = 100;
const MISSING_TOPIC_TRIES = 10; // a topic that was just made is not known everywhere at once
const PRODUCER_MESSAGES = 2 ** 30; // a producer's numbers end at 2^31

type Headers = Map<Buffer, Buffer>;

// A message that waits, in the form that the producer takes.
interface Waiting {
  topic: string;
  partition: number;
  key: Buffer | undefined;
  value: Buffer;
  headers: Headers | undefined;
  bytes: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface Partition {
  waiting: Waiting[];
  isSending: boolean;
}

type KafkaProducer = Producer<Buffer, Buffer, Buffer, Buffer>;

// A producer that was replaced is closed when its last request has ended.
interface Line {
  producer: KafkaProducer;
  requests: number;
  messages: number;
  isRetired: boolean;
}

export class Sender {
  readonly #options: KafkaOptions;
  readonly #bufferBytes: number;
  readonly #deliveryTimeout: number;
  readonly #partitions = new Map<string, Partition>();
  readonly #counts = new Map<string, Promise<number> | number>();
  #line: Line;
  #bytes = 0;
  #next = Math.floor(Math.random() * 1024);
  #isClosed = false;
  #idle: (() => void) | undefined;

  constructor(options: KafkaOptions) {
    this.#options = options;
    this.#bufferBytes = options.bufferBytes ?? 64 * 1024 * 1024;
    this.#deliveryTimeout = options.deliveryTimeout ?? 60_000;
    this.#line = this.#newLine();
  }

  /** Resolves when all in-sync replicas have the message. */
  send(topic: string, { key, value }: Encoded, headers: Headers): Promise<void> {
    const bytes = value.length + (key?.length ?? 0) + MESSAGE_OVERHEAD;
    if (this.#isClosed) return Promise.reject(unavailable('the store is closed', undefined, undefined, false));
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bufferBytes) {
      return Promise.reject(unavailable(`${this.#bytes} bytes of commands wait for Kafka already; the limit bufferBytes is ${this.#bufferBytes}`));
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      const waiting = { topic, partition: -1, key, value, headers: headers.size ? headers : undefined, bytes, resolve, reject };
      const count = this.#counts.get(topic);
      if (typeof count === 'number') this.#enqueue(waiting, count);
      else this.#countPartitions(topic).then((found) => this.#enqueue(waiting, found), (error) => this.#end(waiting, error));
    });
  }

  /** Waits for what is on its way, then ends the connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#bytes > 0) await new Promise<void>((resolve) => { this.#idle = resolve; });
    await this.#line.producer.close();
  }

  #end(message: Waiting, error?: Error): void {
    this.#bytes -= message.bytes;
    if (error) message.reject(error);
    else message.resolve();
    if (this.#bytes === 0) this.#idle?.();
  }

  #newLine(): Line {
    const producer: KafkaProducer = new Producer({ ...clientOptions(this.#options), compression: this.#options.compression ?? 'none' });
    return { producer, requests: 0, messages: 0, isRetired: false };
  }

  // All callers wait for one look-up, so that their order stays.
  #countPartitions(topic: string): Promise<number> {
    let count = this.#counts.get(topic);
    if (count === undefined) {
      count = this.#lookUp(topic).then((found) => {
        // Those who wait for the promise come first.
        queueMicrotask(() => this.#counts.set(topic, found));
        return found;
      }, (error) => {
        this.#counts.delete(topic);
        throw error;
      });
      this.#counts.set(topic, count);
    }
    return Promise.resolve(count);
  }

  async #lookUp(topic: string): Promise<number> {
    const end = Date.now() + this.#deliveryTimeout;
    for (let tries = 1; ; tries++) {
      try {
        const { topics } = await inTime(Math.max(end - Date.now(), RETRY_MS), this.#line.producer.metadata({ topics: [topic] }));
        return topics.get(topic)!.partitionsCount;
      } catch (error) {
        if (isUnknownTopic(error)) {
          if (tries >= MISSING_TOPIC_TRIES) throw new StowageError({ code: 'TOPIC_MISSING', category: 'UNAVAILABLE', retryable: false, message: `the topic ${topic} does not exist: \`stowage topics create\` makes it` }, undefined, error);
        } else if (!canPass(error) || Date.now() > end || this.#isClosed) {
          throw unavailable(`Kafka cannot be reached: ${causeOf(error)}`, undefined, error, canPass(error));
        }
        await sleep(RETRY_MS);
      }
    }
  }

  #enqueue(message: Waiting, partitions: number): void {
    message.partition = message.key ? partitionOf(message.key, partitions) : this.#next++ % partitions;
    const name = `${message.topic}:${message.partition}`;
    let partition = this.#partitions.get(name);
    if (!partition) {
      partition = { waiting: [], isSending: false };
      this.#partitions.set(name, partition);
    }
    partition.waiting.push(message);
    if (partition.isSending) return;
    partition.isSending = true;
    // What the program sends in the same turn goes with it.
    queueMicrotask(() => this.#drain(partition));
  }

  async #drain(partition: Partition): Promise<void> {
    while (partition.waiting.length > 0) await this.#deliver(take(partition.waiting));
    partition.isSending = false;
  }

  async #deliver(messages: Waiting[]): Promise<void> {
    const line = this.#takeLine(messages.length);
    const end = Date.now() + this.#deliveryTimeout;
    try {
      for (;;) {
        const error = await this.#request(line, messages, Math.max(end - Date.now(), RETRY_MS));
        if (!error) {
          for (const message of messages) this.#end(message);
          return;
        }
        if (hasCode(error, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_RECORD)) {
          await this.#refuse(messages, error);
          return;
        }
        if (!canPass(error) || Date.now() > end) {
          this.#retire(line);
          const failure = unavailable(`Kafka did not acknowledge the command: ${causeOf(error)}`, undefined, error, canPass(error));
          for (const message of messages) this.#end(message, failure);
          return;
        }
        line.producer.clearMetadata();
        await sleep(RETRY_MS);
      }
    } finally {
      line.requests--;
      this.#closeRetired(line);
    }
  }

  // Kafka refused a whole request for its content: each message goes alone, so that only the bad one fails.
  async #refuse(messages: Waiting[], error: unknown): Promise<void> {
    if (messages.length > 1) {
      for (const message of messages) await this.#deliver([message]);
      return;
    }
    const [message] = messages;
    this.#end(message, new StowageError({ code: 'MESSAGE_TOO_LARGE', category: 'INVALID', retryable: false, message: `Kafka refuses the command, which has ${message.value.length} bytes: ${causeOf(error)}` }, undefined, error));
  }

  async #request({ producer }: Line, messages: Waiting[], milliseconds: number): Promise<unknown> {
    try {
      // The option stands here because the producer's own would retry without end.
      await inTime(milliseconds, producer.send({ idempotent: true, messages }));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #takeLine(messages: number): Line {
    if (this.#line.messages > PRODUCER_MESSAGES) this.#retire(this.#line);
    this.#line.requests++;
    this.#line.messages += messages;
    return this.#line;
  }

  #retire(line: Line): void {
    if (line.isRetired) return;
    line.isRetired = true;
    this.#line = this.#newLine();
    this.#closeRetired(line);
  }

  #closeRetired(line: Line): void {
    if (line.isRetired && line.requests === 0) line.producer.close().catch(() => {}); // its requests have ended
  }
}

// Takes what fits into one request, at least one message.
function take(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < waiting.length && (count === 0 || bytes + waiting[count].bytes <= REQUEST_BYTES)) bytes += waiting[count++].bytes;
  return waiting.splice(0, count);
}

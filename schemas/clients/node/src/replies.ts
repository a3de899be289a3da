// Reads the replies: one partition of the reply topic, without a consumer group, from its end at the time of start.
// The end is known before the first command goes, so that no reply is lost.

import { Consumer } from '@platformatic/kafka';
import { StowageError, unavailable } from './errors.js';
import { canPass, causeOf, clientOptions, hasCode, isUnknownTopic, OFFSET_OUT_OF_RANGE, sleep, UNKNOWN_TOPIC_ID, inTime } from './kafka.js';
import type { KafkaOptions } from './options.js';

const WAIT_MS = 5000; // a broker answers as soon as there is a reply
const LATE_MS = 5000; // a fetch that takes this much longer is lost
const FETCH_BYTES = 64 * 1024 * 1024;
const RETRY_MS = 100;
const START_TRIES = 50;
const CONTROL_BATCH = 0x20; // of a batch's attributes: marks of transactions
const LATEST = -1n;
const EARLIEST = -2n;

export type OnReply = (headers: Map<string, Buffer>, value: Buffer) => void;

// Where the partition is.
interface Place {
  node: number;
  topicId: string;
}

export class Replies {
  readonly topic: string;
  partition = -1;
  readonly #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>;
  readonly #wanted: number | undefined;
  readonly #onReply: OnReply;
  #place: Place | undefined; // until a failure tells that it may have changed
  #offset = 0n;
  #isClosed = false;
  #started: Promise<void> | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: KafkaOptions, onReply: OnReply) {
    this.topic = options.replyTopic ?? 'mastra.replies';
    this.#wanted = options.replyPartition;
    this.#onReply = onReply;
    // The library asks for a group; this consumer never joins one.
    this.#consumer = new Consumer({ ...clientOptions(options), groupId: 'unused', minBytes: 1, maxWaitTime: WAIT_MS, maxBytes: FETCH_BYTES });
  }

  /** Resolves when replies to commands from now on will be read. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#consumer.close(true);
    await this.#reading;
  }

  async #start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const { topics } = await this.#consumer.metadata({ topics: [this.topic] });
        const partitions = topics.get(this.topic)!.partitionsCount;
        this.partition = this.#choose(partitions);
        this.#offset = await this.#find(LATEST);
        break;
      } catch (error) {
        if (error instanceof StowageError) throw error;
        if (!canPass(error) || tries >= START_TRIES || this.#isClosed) throw this.#explain(error);
        await sleep(RETRY_MS);
      }
    }
    this.#reading = this.#read();
  }

  #choose(partitions: number): number {
    if (this.#wanted === undefined) return Math.floor(Math.random() * partitions);
    if (this.#wanted < partitions) return this.#wanted;
    throw new StowageError({ code: 'NO_SUCH_PARTITION', category: 'INVALID', retryable: false, message: `replyPartition is ${this.#wanted}, but ${this.topic} has ${partitions} partitions` });
  }

  #explain(error: unknown): StowageError {
    if (!isUnknownTopic(error)) return unavailable(`Kafka cannot be reached: ${causeOf(error)}`, undefined, error, canPass(error));
    return new StowageError({ code: 'TOPIC_MISSING', category: 'UNAVAILABLE', retryable: false, message: `the reply topic ${this.topic} does not exist: \`stowage topics create\` makes it` }, undefined, error);
  }

  async #find(timestamp: bigint): Promise<bigint> {
    const offsets = await this.#consumer.listOffsets({ topics: [this.topic], partitions: { [this.topic]: [this.partition] }, timestamp });
    return offsets.get(this.topic)![this.partition];
  }

  // Goes on through every failure: brokers restart, leaders move, topics are made anew.
  async #read(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await inTime(WAIT_MS + LATE_MS, this.#fetch());
      } catch (error) {
        if (this.#isClosed) return;
        this.#consumer.clearMetadata();
        this.#place = undefined;
        await sleep(RETRY_MS);
        // All that the partition still has may be an answer to a call that waits.
        if (hasCode(error, OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_ID)) this.#offset = await this.#find(EARLIEST).catch(() => this.#offset);
      }
    }
  }

  async #fetch(): Promise<void> {
    this.#place ??= await this.#findPlace();
    const { node, topicId } = this.#place;
    const { responses } = await this.#consumer.fetch({
      node,
      topics: [{ topicId, partitions: [{ partition: this.partition, fetchOffset: this.#offset, partitionMaxBytes: FETCH_BYTES, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }] }],
    });
    for (const batch of responses.flatMap((topic) => topic.partitions).flatMap((partition) => partition.records ?? [])) {
      if (!(batch.attributes & CONTROL_BATCH)) this.#hand(batch);
      this.#offset = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    }
  }

  async #findPlace(): Promise<Place> {
    const { topics } = await this.#consumer.metadata({ topics: [this.topic] });
    const { id, partitions } = topics.get(this.topic)!;
    return { node: partitions[this.partition].leader, topicId: id };
  }

  // A batch may begin before the offset that was asked for.
  #hand({ firstOffset, records }: { firstOffset: bigint; records: { offsetDelta: number; value: Buffer | null; headers: [Buffer | null, Buffer | null][] }[] }): void {
    for (const { offsetDelta, value, headers } of records) {
      if (value === null || firstOffset + BigInt(offsetDelta) < this.#offset) continue;
      this.#onReply(new Map(headers.map(([name, content]) => [String(name), content ?? Buffer.alloc(0)])), value);
    }
  }
}

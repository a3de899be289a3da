// What a store can be told, and the defaults.

import type { ProducerOptions } from '@platformatic/kafka';

type KafkaClientOptions = ProducerOptions<Buffer, Buffer, Buffer, Buffer>;

export interface KafkaOptions {
  /** Addresses of Kafka brokers: ['kafka-1:9092']. */
  brokers: string[];
  /** The name that brokers' logs show. Default: 'stowage'. */
  clientId?: string;
  /** TLS, as Node's tls.connect takes it; true for the system's certificates. */
  tls?: boolean | KafkaClientOptions['tls'];
  /** SASL: {mechanism: 'SCRAM-SHA-256', username, password}; also 'PLAIN', 'OAUTHBEARER' and others. */
  sasl?: KafkaClientOptions['sasl'];
  /** 'none' (default), 'gzip', 'snappy', 'lz4' or 'zstd'. */
  compression?: KafkaClientOptions['compression'];
  /** The command topic: one for all domains, or one for some. Default: mastra.commands.<domain>. */
  topics?: string | Record<string, string>;
  /** The reply topic. It must match the worker's replies.allow. Default: 'mastra.replies'. */
  replyTopic?: string;
  /** The partition of the reply topic that this process reads. Default: chosen at random. */
  replyPartition?: number;
  /** The PostgreSQL schema to act on, for tenants. Default: the worker's postgres.schemaName. */
  schemaName?: string;
  /** Milliseconds to wait for a reply. The worker does not begin the command after that time. Default: 30000. */
  timeout?: number;
  /**
   * How often a command goes again after a retryable error or without a reply. Writes then carry an idempotency key,
   * so that they take effect once. Default: 0.
   */
  retries?: number;
  /** Milliseconds for Kafka to acknowledge a command. Default: 60000. */
  deliveryTimeout?: number;
  /** Bytes of commands that may wait for Kafka's acknowledgement. Default: 64 MiB. */
  bufferBytes?: number;
  /**
   * Which writes ask for no reply: by domain, or by command ('memory.saveMessages'), which counts more. Default: what
   * adds to or updates the domains observability and scores.
   */
  fireAndForget?: Record<string, boolean>;
}

/** What one call can be told: domain.with(options).method(...). */
export interface CallOptions {
  timeout?: number;
  retries?: number;
  fireAndForget?: boolean;
  /** The key that makes a write take effect once, however often it is sent. Default: a random one if it may go again. */
  idempotencyKey?: string;
  /** More headers of the command, such as traceparent. */
  headers?: Record<string, string>;
}

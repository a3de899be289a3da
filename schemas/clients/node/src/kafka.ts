// What the sender and the reader of replies share of Kafka.

import type { KafkaOptions } from './options.js';

/** The options of every Kafka client. They do not retry on their own: who uses one knows how long to go on. */
export function clientOptions(options: KafkaOptions) {
  return {
    clientId: options.clientId ?? 'stowage',
    bootstrapBrokers: options.brokers,
    retries: 0,
    metadataMaxAge: 30_000,
    ...(options.tls ? { tls: options.tls === true ? {} : options.tls } : {}),
    ...(options.sasl ? { sasl: options.sasl } : {}),
  };
}

export const sleep = (milliseconds: number) => new Promise<void>((resolve) => { setTimeout(resolve, milliseconds); });

/** Whether a failure has one of Kafka's error codes. */
export function hasCode(error: any, ...codes: number[]): boolean {
  return codes.some((code) => error?.findBy?.('apiCode', code) ?? error?.findBy?.('code', code));
}

/** Whether trying again may help: not with a refused right, and not with refused data. */
export function canPass(error: any): boolean {
  return !error?.findBy?.('canRetry', false);
}

export const isUnknownTopic = (error: any) => hasCode(error, UNKNOWN_TOPIC) || /^Unknown topic/.test(error?.message ?? '');

export const UNKNOWN_TOPIC = 3;
export const MESSAGE_TOO_LARGE = 10;
export const RECORD_LIST_TOO_LARGE = 18;
export const INVALID_RECORD = 87;
export const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_ID = 100;

/** The cause of a failure in one line: the library nests it in general ones. */
export function causeOf(error: any): string {
  let cause = error;
  for (let depth = 0; depth < 8; depth++) cause = cause?.errors?.[0] ?? cause?.cause ?? cause;
  return cause?.message ?? String(error);
}

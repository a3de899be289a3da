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

// A failure with all that it wraps: the library nests causes in general errors.
function* chain(error: any, depth = 0): Generator<any> {
  if (!error || depth > 8) return;
  yield error;
  for (const inner of error.errors ?? []) yield* chain(inner, depth + 1);
  yield* chain(error.cause, depth + 1);
}

/** Whether a failure has one of Kafka's error codes. */
export function hasCode(error: unknown, ...codes: number[]): boolean {
  return [...chain(error)].some(({ apiCode }) => codes.includes(apiCode));
}

/** Whether trying again may help: not with a refused right, and not with refused data. */
export function canPass(error: unknown): boolean {
  return ![...chain(error)].some(({ canRetry }) => canRetry === false);
}

export const isUnknownTopic = (error: any) => hasCode(error, UNKNOWN_TOPIC) || /^Unknown topic/.test(error?.message ?? '');

export const UNKNOWN_TOPIC = 3;
export const MESSAGE_TOO_LARGE = 10;
export const RECORD_LIST_TOO_LARGE = 18;
export const INVALID_RECORD = 87;
export const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_ID = 100;

/** What failed in the first place, in a line. */
export function causeOf(error: unknown): string {
  return [...chain(error)].at(-1)?.message ?? String(error);
}

/** Fails if the work takes longer: the library may lose a request whose connection breaks. */
export async function inTime<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  work.catch(() => {}); // it may still fail when nobody waits for it
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

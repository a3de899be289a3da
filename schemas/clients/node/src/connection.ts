// Calls: sends a command and waits for its reply, or only for Kafka's acknowledgement.

import { randomBytes, randomUUID } from 'node:crypto';
import { type Command, decodeError, type Encoded, findCommand } from './contract.js';
import { StowageError, unavailable } from './errors.js';
import { sleep } from './kafka.js';
import type { CallOptions, KafkaOptions } from './options.js';
import { fetchInPages, isPageable } from './pages.js';
import { Replies } from './replies.js';
import { Sender } from './sender.js';

const RETRY_MS = 100;
const OK = Buffer.from('ok');
const HEADERS = Object.fromEntries(['reply-to', 'reply-partition', 'correlation-id', 'deadline', 'idempotency-key', 'schema-name']
  .map((name) => [name, Buffer.from(name)]));

interface Call {
  command: Command;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** What a process has of Kafka: one producer, one reader of replies. Stores and vectors may share one. */
export class KafkaConnection {
  readonly options: KafkaOptions;
  readonly #sender: Sender;
  readonly #replies: Replies;
  readonly #calls = new Map<string, Call>();
  readonly #present = new Set<string>();
  readonly #prefix = randomBytes(9).toString('base64url');
  #count = 0;
  #isReading = false;
  #closed: Promise<void> | undefined;
  #initialized: Promise<unknown> | undefined;

  constructor(options: KafkaOptions) {
    this.options = options;
    this.#sender = new Sender(options);
    this.#replies = new Replies(options, (headers, value) => this.#answer(headers, value));
  }

  /** Calls a command with its request, by the names of `stowage commands`. Resolves to what the reply holds. */
  async call(name: string, request: unknown, options: CallOptions = {}): Promise<any> {
    const command = findCommand(name);
    const isForgotten = command.isWrite && (options.fireAndForget ?? this.#isForgotten(command));
    if (isForgotten && (!command.mayBeMissing || this.#present.has(name))) return this.#forget(command, request, options);
    const result = await this.#ask(command, request, options);
    // The first call has shown that the worker knows the command.
    this.#present.add(name);
    return isForgotten ? undefined : result;
  }

  async #ask(command: Command, request: unknown, options: CallOptions): Promise<any> {
    try {
      return await this.#askOnce(command, request, options);
    } catch (error) {
      if (!isPageable(command, error)) throw error;
      return fetchInPages(command, request, (part) => this.#askOnce(command, part, options));
    }
  }

  async #askOnce(command: Command, request: unknown, options: CallOptions): Promise<unknown> {
    const { name } = command;
    const message = command.encode(request);
    const retries = options.retries ?? this.options.retries ?? 0;
    const timeout = options.timeout ?? this.options.timeout ?? 30_000;
    const idempotencyKey = options.idempotencyKey ?? (command.isWrite && retries > 0 ? randomUUID() : undefined);
    if (!this.#isReading) await this.#startReading(name);
    for (let tries = 0; ; tries++) {
      try {
        return await this.#attempt(command, message, timeout, { ...options, idempotencyKey });
      } catch (error) {
        if (!(error instanceof StowageError && error.retryable) || tries >= retries || this.#closed) throw error;
        await sleep(RETRY_MS * 2 ** Math.min(tries, 6));
      }
    }
  }

  async #forget(command: Command, request: unknown, options: CallOptions): Promise<void> {
    const topic = this.#topicOf(command);
    const headers = this.#headers(options);
    try {
      const messages = command.encodeByKey(request);
      if (messages.length === 1) await this.#sender.send(topic, messages[0], headers);
      else await Promise.all(messages.map((message) => this.#sender.send(topic, message, headers)));
    } catch (error) {
      throw named(error, command.name);
    }
  }

  /** Makes the tables, once: what a store's init() does. */
  init(): Promise<unknown> {
    this.#initialized ??= this.call('storage.init', {}).catch((error) => {
      this.#initialized = undefined;
      throw error;
    });
    return this.#initialized;
  }

  /** Waits until Kafka has what was sent, fails the calls that still wait for a reply, and ends the connections. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#sender.close();
    for (const [id, call] of this.#calls) {
      this.#calls.delete(id);
      call.reject(unavailable('the store was closed before the reply came', call.command.name, undefined, false));
    }
    await this.#replies.close();
  }

  async #startReading(name: string): Promise<void> {
    if (this.#closed) throw unavailable('the store is closed', name, undefined, false);
    await this.#replies.start().catch((error) => { throw named(error, name); });
    this.#isReading = true;
  }

  #attempt(command: Command, message: Encoded, timeout: number, options: CallOptions): Promise<unknown> {
    const id = `${this.#prefix}.${(this.#count++).toString(36)}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(new StowageError({ code: 'NO_REPLY', category: 'TIMEOUT', retryable: true, message: `no reply to ${command.name} within ${timeout} ms: is a worker running?` }, command.name));
      }, timeout);
      const settle = <T>(end: (value: T) => void) => (value: T) => { clearTimeout(timer); end(value); };
      const call = { command, resolve: settle(resolve), reject: settle(reject) };
      this.#calls.set(id, call);
      this.#sender.send(this.#topicOf(command), message, this.#headers(options, id, timeout)).catch((error) => {
        if (this.#calls.delete(id)) call.reject(named(error, command.name));
      });
    });
  }

  #headers({ idempotencyKey, headers = {} }: CallOptions, id?: string, timeout = 0): Map<Buffer, Buffer> {
    const made = new Map<Buffer, Buffer>();
    const set = (name: string, text: string | undefined) => { if (text !== undefined) made.set(HEADERS[name] ?? Buffer.from(name), Buffer.from(text)); };
    for (const [name, text] of Object.entries(headers)) set(name, text);
    set('schema-name', this.options.schemaName);
    set('idempotency-key', idempotencyKey);
    if (id === undefined) return made;
    set('reply-to', this.#replies.topic);
    set('reply-partition', String(this.#replies.partition));
    set('correlation-id', id);
    set('deadline', String(Date.now() + timeout));
    return made;
  }

  #answer(headers: Map<string, Buffer>, value: Buffer): void {
    const id = String(headers.get('correlation-id'));
    const call = this.#calls.get(id); // replies of other processes and second replies have none
    if (!call) return;
    this.#calls.delete(id);
    try {
      if (headers.get('status')?.equals(OK)) call.resolve(call.command.decode(value));
      else call.reject(decodeError(value, call.command.name));
    } catch (error) {
      call.reject(new StowageError({ code: 'UNREADABLE_REPLY', category: 'INTERNAL', retryable: false, message: `the reply to ${call.command.name} cannot be decoded: ${(error as Error).message}` }, call.command.name, error));
    }
  }

  #topicOf({ domain, topic }: Command): string {
    const { topics } = this.options;
    return typeof topics === 'string' ? topics : topics?.[domain] ?? topic;
  }

  #isForgotten({ name, domain, method }: Command): boolean {
    const chosen = this.options.fireAndForget;
    return chosen?.[name] ?? chosen?.[domain] ?? (FORGOTTEN_DOMAINS.has(domain) && FORGOTTEN_METHODS.test(method));
  }
}

// By default: spans, logs, metrics, scores and feedback. Deleting is never forgotten.
const FORGOTTEN_DOMAINS = new Set(['observability', 'scores']);
const FORGOTTEN_METHODS = /^(batch)?(create|update|save)/i;

// The same error, with the command that it concerns.
function named(error: unknown, command: string): StowageError {
  if (!(error instanceof StowageError)) return unavailable(String((error as Error)?.message ?? error), command, error);
  return error.command ? error : new StowageError(error, command, error.cause);
}

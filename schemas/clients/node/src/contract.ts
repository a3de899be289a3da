// The commands, as `stowage schemas` declares them. Nothing here knows a command by name.

import { Codec } from './codec.js';
import { contract } from './contract.gen.js';
import { StowageError, type StowageErrorFields } from './errors.js';

/** An entry of index.json, with its two schemas. */
interface Entry {
  command: string;
  topic: string;
  flags: string[];
  errors: string[];
  key?: string;
  /** A list of names stands for one object with these properties. */
  parameters?: (string | string[])[];
  request: any;
  reply: any;
  requestFingerprint: string;
  replyFingerprint: string;
}

/** The error of a command that the worker lacks by its settings: the reference's method throws. */
export const NOT_IMPLEMENTED = 'NOT_IMPLEMENTED_BY_REFERENCE';

const entries = new Map<string, Entry>((contract.commands as Entry[]).map((entry) => [entry.command, entry]));
const commands = new Map<string, Command>();
const errors = new Codec(contract.error, '');

/** Decodes a record mastra.Error. */
export function decodeError(message: Buffer, command: string): StowageError {
  return new StowageError(errors.decode(message) as StowageErrorFields, command);
}

/** A command's schemas are compiled when it is first used. */
export function findCommand(name: string): Command {
  let command = commands.get(name);
  if (command) return command;
  const entry = entries.get(name);
  if (!entry) throw new StowageError({ code: 'UNKNOWN_COMMAND', category: 'UNSUPPORTED', message: `there is no command ${name}`, retryable: false }, name);
  command = new Command(entry);
  commands.set(name, command);
  return command;
}

/** What core reads of a domain without a call: properties, and results of methods. */
export function constantsOf(domain: string): Record<string, unknown> {
  const constants: Record<string, unknown> = (contract.store as any)[domain] ?? {};
  return Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, value ?? undefined]));
}

/** The methods of each domain. */
export function methodsByDomain(): Map<string, string[]> {
  const domains = new Map<string, string[]>();
  for (const name of entries.keys()) {
    const [domain, method] = name.split('.');
    domains.set(domain, [...(domains.get(domain) ?? []), method]);
  }
  return domains;
}

/** A message without its headers. */
export interface Encoded {
  key: Buffer | undefined;
  value: Buffer;
}

const at = (value: any, path: string[]): any => path.reduce((inner, step) => inner?.[step], value);

export class Command {
  readonly name: string;
  readonly domain: string;
  readonly method: string;
  readonly topic: string;
  readonly isWrite: boolean;
  /** Whether a worker may lack it, by its settings. */
  readonly mayBeMissing: boolean;
  /** The field that holds page and perPage: '' for the request itself. */
  readonly pagePath: string | undefined;
  readonly #parameters: (string | string[])[] | undefined;
  readonly #keyPath: string[] | undefined;
  readonly #request: Codec;
  readonly #reply: Codec;

  constructor(entry: Entry) {
    this.name = entry.command;
    [this.domain, this.method] = entry.command.split('.');
    this.topic = entry.topic;
    this.isWrite = entry.flags.includes('write');
    this.#parameters = entry.parameters;
    this.mayBeMissing = entry.errors.includes(NOT_IMPLEMENTED);
    this.pagePath = pagePathOf(entry.request);
    this.#keyPath = entry.key?.split(/[.[\]]+/).filter(Boolean);
    this.#request = new Codec(entry.request, entry.requestFingerprint, entry.command);
    this.#reply = new Codec(entry.reply, entry.replyFingerprint, entry.command);
  }

  /** The request of a method's arguments: named parameters are one object. */
  requestOf(args: unknown[]): unknown {
    if (!this.#parameters) return args[0] ?? {};
    return Object.assign({}, ...this.#parameters.map((name, index) => (Array.isArray(name) ? args[index] : { [name]: args[index] })));
  }

  encode(request: unknown): Encoded {
    return this.#encode(this.#request.datum(request));
  }

  /**
   * A message for each key, if the command takes a list of records and its key is that of the first one. Nobody waits until
   * such a command has taken effect, so that only the key keeps the order between what it writes and what comes next.
   */
  encodeByKey(request: unknown): Encoded[] {
    const datum = this.#request.datum(request);
    if (this.#keyPath?.[1] !== '0' || this.#keyPath.length < 3) return [this.#encode(datum)];
    const [list] = this.#keyPath;
    const parts = new Map<unknown, any[]>();
    for (const item of datum[list]) {
      const key = at(item, this.#keyPath.slice(2));
      const part = parts.get(key);
      if (part) part.push(item);
      else parts.set(key, [item]);
    }
    return parts.size < 2 ? [this.#encode(datum)] : [...parts.values()].map((items) => this.#encode({ ...datum, [list]: items }));
  }

  #encode(datum: any): Encoded {
    return { key: this.#keyOf(datum), value: this.#request.encode(datum) };
  }

  /** What the method returns. */
  decode(message: Buffer): any {
    return this.#reply.decode(message).result;
  }

  #keyOf(datum: any): Buffer | undefined {
    if (!this.#keyPath) return undefined;
    const found = at(datum, this.#keyPath);
    const value = Array.isArray(found) ? found[0] : found;
    return value === undefined || value === null ? undefined : Buffer.from(String(value));
  }
}

function pagePathOf(request: any): string | undefined {
  const fieldsOf = (type: any): any[] => [type].flat().find((branch) => branch?.fields)?.fields ?? [];
  const hasPage = (fields: any[]) => ['page', 'perPage'].every((name) => fields.some((field) => field.name === name));
  if (hasPage(request.fields)) return '';
  return request.fields.find((field: any) => hasPage(fieldsOf(field.type)))?.name;
}

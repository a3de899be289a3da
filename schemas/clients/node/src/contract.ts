// The commands, as `stowage schemas` declares them. Nothing here knows a command by name.

import { Codec } from './codec.js';
import { contract } from './contract.gen.js';
import { StowageError, type StowageErrorFields } from './errors.js';

/** An entry of index.json, with its two schemas. */
interface Entry {
  command: string;
  topic: string;
  flags: string[];
  key?: string;
  /** A list of names stands for one object with these properties. */
  parameters?: (string | string[])[];
  request: any;
  reply: any;
  requestFingerprint: string;
  replyFingerprint: string;
}

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

export class Command {
  readonly name: string;
  readonly domain: string;
  readonly method: string;
  readonly topic: string;
  readonly isWrite: boolean;
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

  encode(request: unknown): { key: Buffer | undefined; value: Buffer } {
    const datum = this.#request.datum(request);
    return { key: this.#keyOf(datum), value: this.#request.encode(datum) };
  }

  /** What the method returns. */
  decode(message: Buffer): any {
    return this.#reply.decode(message).result;
  }

  #keyOf(datum: any): Buffer | undefined {
    if (!this.#keyPath) return undefined;
    let value = datum;
    for (const step of this.#keyPath) value = value?.[step];
    if (Array.isArray(value)) value = value[0];
    return value === undefined || value === null ? undefined : Buffer.from(String(value));
  }
}

function pagePathOf(request: any): string | undefined {
  const fieldsOf = (type: any): any[] => [type].flat().find((branch) => branch?.fields)?.fields ?? [];
  const hasPage = (fields: any[]) => ['page', 'perPage'].every((name) => fields.some((field) => field.name === name));
  if (hasPage(request.fields)) return '';
  return request.fields.find((field: any) => hasPage(fieldsOf(field.type)))?.name;
}

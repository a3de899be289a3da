// A class for each domain: core's abstract class, with a method for each command.

import * as core from '@mastra/core/storage';
import type { KafkaConnection } from './connection.js';
import { constantsOf, findCommand, methodsByDomain, NOT_IMPLEMENTED } from './contract.js';
import { StowageError } from './errors.js';
import type { CallOptions } from './options.js';

const CONNECTION = Symbol('connection');
const CALL_OPTIONS = Symbol('options of calls');

/** What every domain has beside Mastra's interface. */
export interface KafkaDomain {
  /** The same domain, whose calls have these options. */
  with(options: CallOptions): this;
}

type Class = abstract new (...args: any[]) => any;

/** Defines a method for each command of the domain, on a prototype whose objects are connected. */
export function defineMethods(prototype: any, domain: string, methods: string[]): void {
  const inherited = Object.getPrototypeOf(prototype);
  for (const method of methods) {
    Object.defineProperty(prototype, method, { configurable: true, writable: true, value(this: any, ...args: unknown[]) {
      const command = findCommand(`${domain}.${method}`);
      const result = this[CONNECTION].call(command.name, command.requestOf(args), this[CALL_OPTIONS]);
      if (!command.mayBeMissing || !inherited[method]) return result;
      return result.catch((error: unknown) => {
        // Core's own method tells core that a store lacks it.
        if (error instanceof StowageError && error.code === NOT_IMPLEMENTED) return inherited[method].apply(this, args);
        throw error;
      });
    } });
  }
  Object.defineProperty(prototype, 'with', { configurable: true, writable: true, value(this: any, options: CallOptions) {
    return Object.create(this, { [CALL_OPTIONS]: { value: { ...this[CALL_OPTIONS], ...options } } });
  } });
}

/** Gives an object of such a class its connection, and what core reads of it without a call. */
export function connect(target: any, domain: string, connection: KafkaConnection): void {
  Object.defineProperty(target, CONNECTION, { value: connection });
  for (const [name, value] of Object.entries(constantsOf(domain))) {
    // What core leaves to its subclasses is a method.
    const isProperty = name in target && typeof target[name] !== 'function';
    Object.defineProperty(target, name, { value: isProperty ? value : () => value, configurable: true });
  }
}

function domainClass(Base: Class, domain: string, methods: string[]): new (connection: KafkaConnection, disableInit: boolean) => any {
  const made = class extends (Base as any) {
    constructor(connection: KafkaConnection, disableInit: boolean) {
      super({ component: 'STORAGE', name: `Kafka ${domain}` });
      connect(this, domain, connection);
      Object.defineProperty(this, 'init', { value: async () => { if (!disableInit) await connection.init(); } });
      Object.defineProperty(this, 'close', { value: () => connection.close() });
    }
  };
  defineMethods(made.prototype, domain, methods);
  return made as any;
}

// MemoryStorage for memory, MCPClientsStorage for mcpClients, BlobStore for blobs.
function coreClass(domain: string): Class | undefined {
  const names = [`${domain}storage`, `${domain.replace(/s$/, '')}store`].map((name) => name.toLowerCase());
  const name = Object.keys(core).find((exported) => names.includes(exported.toLowerCase()));
  return name ? (core as any)[name] : undefined;
}

// A domain whose rows the worker only deletes is no store: core would miss the other methods.
const HOUSEKEEPING = new Set(['prune', 'dangerouslyClearAll']);

const classes = [...methodsByDomain()].flatMap(([domain, methods]) => {
  const Base = methods.every((method) => HOUSEKEEPING.has(method)) ? undefined : coreClass(domain);
  return Base ? [{ domain, Domain: domainClass(Base, domain, methods) }] : [];
});

/** An object for each domain that core knows. */
export function makeDomains(connection: KafkaConnection, disableInit: boolean): Record<string, any> {
  return Object.fromEntries(classes.map(({ domain, Domain }) => [domain, new Domain(connection, disableInit)]));
}

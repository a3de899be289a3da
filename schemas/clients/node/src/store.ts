// KafkaStore: Mastra's storage, whose calls go over Kafka to a Stowage worker.

import { MastraCompositeStore, type MastraCompositeStoreConfig, type StorageDomains } from '@mastra/core/storage';
import { KafkaConnection } from './connection.js';
import { type KafkaDomain, makeDomains } from './domains.js';
import type { CallOptions, KafkaOptions } from './options.js';

type StoreConfig = Pick<MastraCompositeStoreConfig, 'disableInit' | 'retention' | 'domains'> & { id?: string };

/** Brokers and options, or a connection that another store or vector has. */
export type KafkaStoreOptions = StoreConfig & (KafkaOptions | { connection: KafkaConnection });

type KafkaDomains = { [Name in keyof StorageDomains]: StorageDomains[Name] & KafkaDomain };

export class KafkaStore extends MastraCompositeStore {
  declare stores: KafkaDomains;
  readonly connection: KafkaConnection;

  constructor(options: KafkaStoreOptions) {
    const { id = 'kafka', disableInit = false, retention, domains } = options;
    super({ id, name: 'KafkaStore', disableInit, retention });
    this.connection = 'connection' in options ? options.connection : new KafkaConnection(options);
    this.stores = { ...makeDomains(this.connection, disableInit), ...given(domains) } as KafkaDomains;
  }

  /** Calls any command, by the names of `stowage commands`. */
  call(command: string, request: unknown = {}, options?: CallOptions): Promise<any> {
    return this.connection.call(command, request, options);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.connection.close();
  }
}

// Domains of other stores; false leaves a domain out.
function given(domains: MastraCompositeStoreConfig['domains'] = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(domains).filter(([, domain]) => domain !== undefined).map(([name, domain]) => [name, domain || undefined]));
}

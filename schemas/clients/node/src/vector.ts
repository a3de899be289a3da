// KafkaVector: Mastra's vector store, whose calls go over Kafka to a Stowage worker.

import { MastraVector } from '@mastra/core/vector';
import { KafkaConnection } from './connection.js';
import { methodsByDomain } from './contract.js';
import { connect, defineMethods, type KafkaDomain } from './domains.js';
import type { KafkaOptions } from './options.js';

export type KafkaVectorOptions = { id?: string } & (KafkaOptions | { connection: KafkaConnection });

// Core's methods without a body are defined below, from the contract: for TypeScript none is left abstract.
const Base = MastraVector as unknown as new (options: { id: string }) => MastraVector & { [Method in keyof MastraVector]: MastraVector[Method] };

export class KafkaVector extends Base {
  readonly connection: KafkaConnection;

  constructor(options: KafkaVectorOptions) {
    super({ id: options.id ?? 'kafka-vector' });
    this.connection = 'connection' in options ? options.connection : new KafkaConnection(options);
    connect(this, 'vectors', this.connection);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  disconnect(): Promise<void> {
    return this.connection.close();
  }
}

export interface KafkaVector extends KafkaDomain {}

defineMethods(KafkaVector.prototype, 'vectors', methodsByDomain().get('vectors')!);

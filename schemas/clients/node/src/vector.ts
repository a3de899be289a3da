// KafkaVector: Mastra's vector store, whose calls go over Kafka to a Stowage worker.

import { MastraVector } from '@mastra/core/vector';
import type { CreateIndexParams, DeleteIndexParams } from '@mastra/core/vector';
import { KafkaConnection } from './connection.js';
import { methodsByDomain } from './contract.js';
import { connect, defineMethods, type KafkaDomain } from './domains.js';
import type { KafkaOptions } from './options.js';

export type KafkaVectorOptions = { id?: string } & (KafkaOptions | { connection: KafkaConnection });

// Core's methods without a body come from the contract: for TypeScript only those are left abstract that stand below.
type Defined = Exclude<keyof MastraVector, 'createIndex' | 'deleteIndex'>;
const Base = class extends (MastraVector as any) {} as unknown as new (options: { id: string }) => MastraVector & { [Method in Defined]: MastraVector[Method] };
const { prototype } = Base as any;
defineMethods(prototype, 'vectors', methodsByDomain().get('vectors')!);

export class KafkaVector extends Base {
  readonly connection: KafkaConnection;
  // By index, what it was made with. Memory asks for its index at every turn.
  private readonly made = new Map<string, string>();

  constructor(options: KafkaVectorOptions) {
    super({ id: options.id ?? 'kafka-vector' });
    this.connection = 'connection' in options ? options.connection : new KafkaConnection(options);
    connect(this, 'vectors', this.connection);
  }

  /** Asks the worker only once for the same index. */
  async createIndex(params: CreateIndexParams): Promise<void> {
    const wanted = JSON.stringify(params);
    if (this.made.get(params.indexName) === wanted) return;
    await prototype.createIndex.call(this, params);
    this.made.set(params.indexName, wanted);
  }

  async deleteIndex(params: DeleteIndexParams): Promise<void> {
    this.made.delete(params.indexName);
    await prototype.deleteIndex.call(this, params);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  disconnect(): Promise<void> {
    return this.connection.close();
  }
}

export interface KafkaVector extends KafkaDomain {}

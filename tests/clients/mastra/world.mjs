// A worker with topics, a reply topic and tables of its own, and stores of the packed package that use it.

import { KafkaStore, KafkaVector } from '@stowage/mastra';
import { BROKERS, createTopics, newId, withAdmin, World } from '../../compat/lib/harness.mjs';

export const thread = (fields = {}) => ({ id: newId(), resourceId: 'alice', title: 'A trip', createdAt: new Date(1000), updatedAt: new Date(2000), metadata: { days: 3, tags: ['x'] }, ...fields });

// The error of a call that has to fail.
export const failure = (promise) => promise.then(() => { throw new Error('the call did not fail'); }, (error) => error);

export class ClientWorld extends World {
  constructor(options = {}) {
    super({ name: 'client', partitions: 4, ...options });
    this.replyTopic = `mastra.replies.${newId()}`;
    this.replyPartitions = options.replyPartitions ?? 4;
    this.stores = [];
  }

  async open(options) {
    await createTopics(this.replyTopic, { partitions: this.replyPartitions });
    return super.open(options);
  }

  // What each store and vector needs to reach this worker.
  options(more = {}) {
    return { brokers: [BROKERS], topics: this.topic, replyTopic: this.replyTopic, fireAndForget: { observability: false, scores: false }, ...more };
  }

  store(more) {
    return this.#keep(new KafkaStore(this.options(more)));
  }

  vector(more) {
    return this.#keep(new KafkaVector(this.options(more)));
  }

  #keep(store) {
    this.stores.push(store);
    return store;
  }

  async close() {
    await Promise.all(this.stores.map((store) => store.close()));
    await withAdmin((admin) => admin.deleteTopics({ topics: [this.replyTopic] }));
    await super.close();
  }
}

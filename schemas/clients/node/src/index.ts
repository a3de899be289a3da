export { KafkaConnection } from './connection.js';
export type { KafkaDomain } from './domains.js';
export { StowageError, type StowageErrorCategory, type StowageErrorFields } from './errors.js';
export type { CallOptions, KafkaOptions } from './options.js';
export { KafkaStore, type KafkaStoreOptions } from './store.js';
export { KafkaVector, type KafkaVectorOptions } from './vector.js';

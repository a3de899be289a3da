// The storage of the applications: the environment says which. APP_STORE: 'kafka' or 'pg'; APP_OPTIONS: its options.
import { PostgresStore } from '@mastra/pg';
import { KafkaStore } from '@stowage/mastra';

export const isKafka = process.env.APP_STORE === 'kafka';
export const options = JSON.parse(process.env.APP_OPTIONS);
export const storage = isKafka ? new KafkaStore({ id: 'app', ...options }) : new PostgresStore({ id: 'app', ...options });

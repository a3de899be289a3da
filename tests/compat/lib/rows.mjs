// Rows for tests of whole tables: any table, without the commands that write it.

import { sql } from './harness.mjs';

// A value of each type, for columns that must have one.
const VALUES = { jsonb: '{}', integer: 0, bigint: 0, 'double precision': 0, boolean: false, uuid: '00000000-0000-4000-8000-000000000000' };
const TIMES = /^timestamp/;

async function required(schema, table) {
  return sql(`SELECT column_name AS name, data_type AS type FROM information_schema.columns
    WHERE table_schema = $1 AND table_name = $2 AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'`, [schema, table]);
}

// Adds a row with the given columns. Columns that must have a value, and are not given, get one: a text is the
// row's `number`, a time a fixed date.
export async function addRow(schema, table, number, given = {}) {
  const row = {};
  for (const { name, type } of await required(schema, table)) row[name] = VALUES[type] ?? (TIMES.test(type) ? '2024-01-01T00:00:00Z' : String(number));
  Object.assign(row, given);
  const names = Object.keys(row);
  await sql(`INSERT INTO "${schema}"."${table}" (${names.map((name) => `"${name}"`).join(', ')})
    VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row));
}

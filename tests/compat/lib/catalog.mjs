// Reads the objects of a PostgreSQL schema as text, with the schema's name replaced, so that tests
// can compare two schemas.

import { sql } from './harness.mjs';

const QUERIES = {
  tables: `SELECT c.relname AS name, c.relkind::text AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'S')`,
  columns: `SELECT c.relname || '.' || a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS needed,
      a.attnum AS position, pg_get_expr(d.adbin, d.adrelid) AS standard, a.attgenerated::text AS generated
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`,
  indexes: `SELECT indexname AS name, tablename, indexdef FROM pg_indexes WHERE schemaname = $1`,
  constraints: `SELECT c.relname || '.' || o.conname AS name, pg_get_constraintdef(o.oid) AS definition
    FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1`,
  triggers: `SELECT c.relname || '.' || t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled::text AS enabled
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND NOT t.tgisinternal`,
  functions: `SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.prokind = 'f'`,
};

// Returns {tables: {name: 'its definition'}, ...}. `own` includes the worker's own objects.
export async function catalog(schema, { own = false } = {}) {
  const result = {};
  for (const [kind, query] of Object.entries(QUERIES)) {
    result[kind] = {};
    for (const row of await sql(query, [schema])) {
      const text = JSON.stringify(row).replaceAll(schema, '<schema>');
      if (!own && /(^|[".])stowage_/.test(`${row.name}\n${row.tablename ?? ''}`)) continue;
      result[kind][row.name.replaceAll(schema, '<schema>')] = text;
    }
  }
  return result;
}

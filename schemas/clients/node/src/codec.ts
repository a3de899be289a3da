// Converts between the values of Mastra's interface and Avro messages, by a schema that `stowage schemas` wrote.
//
// A schema becomes a pair of functions once: `to` makes what avsc writes, `from` makes what Mastra expects of what
// avsc has read. Both know the protocol's rules: JSON in strings, Dates, -1 for false, `clear` and `isNull`, and
// whether an absent value is null or undefined.

import avsc from 'avsc';
import { invalid } from './errors.js';

type Schema = any;
type Convert = (value: any) => any;
interface Converter {
  to: Convert;
  from: Convert;
}

const HEADER_BYTES = 10; // C3 01 and the fingerprint, the last byte first
const INT_MAX = 2 ** 31 - 1;

// A datum is encoded here and then copied, so that its size need not be known before. It grows to the largest one.
let scratch = Buffer.allocUnsafe(64 * 1024);

/** Encodes and decodes the messages of one record. */
export class Codec {
  readonly #type: avsc.Type;
  readonly #converter: Converter;
  readonly #header: Buffer;
  readonly #command: string | undefined;

  constructor(schema: Schema, fingerprint: string, command?: string) {
    this.#type = avsc.Type.forSchema(schema, { wrapUnions: false });
    this.#converter = convert(schema, '', new Map());
    this.#header = Buffer.from(`${fingerprint}01c3`, 'hex').reverse();
    this.#command = command;
  }

  /** Makes the Avro datum of a value. Throws an INVALID error that names the field. */
  datum(value: unknown): any {
    try {
      return this.#converter.to(value);
    } catch (error) {
      if (error instanceof FieldError) throw invalid(`${this.#command}: ${error.path || 'the request'} ${error.message}`, this.#command);
      throw error;
    }
  }

  /** Makes a message of a datum: single-object encoding. */
  encode(datum: unknown): Buffer {
    let end = this.#type.encode(datum, scratch, HEADER_BYTES);
    if (end < 0) {
      scratch = Buffer.allocUnsafe(scratch.length - end);
      end = this.#type.encode(datum, scratch, HEADER_BYTES);
    }
    const message = Buffer.allocUnsafe(end);
    scratch.copy(message, HEADER_BYTES, HEADER_BYTES, end);
    this.#header.copy(message);
    return message;
  }

  decode(message: Buffer): any {
    return this.#converter.from(this.#type.fromBuffer(message.subarray(HEADER_BYTES)));
  }
}

class FieldError extends Error {
  path = '';

  constructor(expected: string, value: unknown) {
    super(`must be ${expected}, not ${value === null || value === undefined ? value : describe(value)}`);
  }
}

function describe(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : `of type ${typeof value}`;
}

// Adds where in the value it happened.
function within(error: unknown, step: string): unknown {
  if (error instanceof FieldError) error.path = step + (/^[[.]|^$/.test(error.path) ? '' : '.') + error.path;
  return error;
}

const same: Convert = (value) => value;

function check(expected: string, test: (value: any) => boolean): Convert {
  return (value) => {
    if (!test(value)) throw new FieldError(expected, value);
    return value;
  };
}

function toInteger(maximum: number): Convert {
  const integer = check(`a whole number up to ${maximum}`, (value) => Number.isInteger(value) && Math.abs(value) <= maximum);
  return (value) => integer(value === false ? -1 : typeof value === 'bigint' ? Number(value) : value);
}

const toTime: Convert = (value) => {
  const time = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : value;
  if (!Number.isInteger(time)) throw new FieldError('a Date', value);
  return time;
};

const toText: Convert = (value) => {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  throw new FieldError('a string', value);
};

const toJson: Convert = (value) => {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    throw new FieldError(`JSON (${(error as Error).message})`, value);
  }
};

const toNumber = check('a number', (value) => typeof value === 'number');

const PRIMITIVES: Record<string, Converter> = {
  null: { to: () => null, from: () => undefined },
  boolean: { to: check('a boolean', (value) => typeof value === 'boolean'), from: same },
  int: { to: toInteger(INT_MAX), from: same },
  long: { to: toInteger(Number.MAX_SAFE_INTEGER), from: same },
  float: { to: toNumber, from: same },
  double: { to: toNumber, from: same },
  string: { to: toText, from: same },
  bytes: { to: (value) => Buffer.from(value), from: same },
};

const LOGICAL: Record<string, Converter> = {
  'timestamp-millis': { to: toTime, from: (value) => new Date(value) },
  json: { to: toJson, from: (value) => JSON.parse(value) },
};

function convert(schema: Schema, namespace: string, names: Map<string, Converter>): Converter {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? names.get(schema) ?? names.get(`${namespace}.${schema}`)!;
  if (Array.isArray(schema)) return nullable(convert(schema.find((branch) => branch !== 'null'), namespace, names));
  if (LOGICAL[schema.logicalType]) return LOGICAL[schema.logicalType];
  switch (schema.type) {
    case 'record': return record(schema, schema.namespace ?? namespace, names);
    case 'array': return array(convert(schema.items, namespace, names));
    case 'map': return map(convert(schema.values, namespace, names));
    default: return convert(schema.type, namespace, names);
  }
}

function nullable({ to, from }: Converter): Converter {
  return {
    to: (value) => (value === undefined || value === null ? null : to(value)),
    from: (value) => (value === null ? undefined : from(value)),
  };
}

// `T | T[]` is an array too.
function array({ to, from }: Converter): Converter {
  return {
    to: (value) => {
      const items = Array.isArray(value) ? value : value instanceof Set || ArrayBuffer.isView(value) ? [...(value as any)] : [value];
      return to === same ? items : items.map((item, index) => {
        try {
          return to(item);
        } catch (error) {
          throw within(error, `[${index}]`);
        }
      });
    },
    from: (value) => (from === same ? value : value.map(from)),
  };
}

function map({ to, from }: Converter): Converter {
  const entries = (value: any, each: Convert) =>
    Object.fromEntries((value instanceof Map ? [...value] : Object.entries(value)).map(([key, entry]) => [key, each(entry)]));
  return { to: (value) => entries(value, to), from: (value) => entries(value, from) };
}

interface Field {
  name: string;
  /** What stands for a property that is not given. */
  missing: unknown;
  /** Lists the properties that are given as null. */
  nulls: boolean;
  /** What Mastra expects where there is no value. */
  absent: null | undefined;
  to: Convert;
  from: Convert;
}

function record(schema: Schema, namespace: string, names: Map<string, Converter>): Converter {
  const converter: Converter = { to: same, from: same };
  names.set(schema.name.includes('.') ? schema.name : `${namespace}.${schema.name}`, converter);
  const fields = (schema.fields as Schema[]).map((field): Field => ({
    name: field.name,
    missing: field.default ?? undefined,
    nulls: field.name === 'clear' || field.name === 'isNull',
    absent: field.absent === 'null' ? null : undefined,
    ...convertField(field, namespace, names),
  }));
  converter.to = (value) => toRecord(value, fields);
  converter.from = (value) => fromRecord(value, fields);
  return converter;
}

function convertField(field: Schema, namespace: string, names: Map<string, Converter>): Converter {
  const { to, from } = convert(field.type, namespace, names);
  if (field.name === 'perPage') return { to, from: (value) => (value === -1 ? false : from(value)) };
  if (field.class === 'Map') return { to, from: (value) => new Map(Object.entries(from(value))) };
  if (field.class === 'Set') return { to, from: (value) => new Set(from(value)) };
  return { to, from };
}

// Properties that the schema does not know are left out.
function toRecord(value: any, fields: Field[]): any {
  if (value === null || typeof value !== 'object') throw new FieldError('an object', value);
  const datum: any = {};
  for (const field of fields) {
    const given = value[field.name];
    if (given !== undefined) {
      try {
        datum[field.name] = field.to(given);
      } catch (error) {
        throw within(error, field.name);
      }
    } else if (field.nulls) {
      datum[field.name] = fields.filter(({ name }) => value[name] === null).map(({ name }) => name);
    } else if (field.missing !== undefined) {
      datum[field.name] = field.missing;
    } else {
      try {
        datum[field.name] = field.to(undefined);
      } catch (error) {
        throw within(error, field.name);
      }
    }
  }
  return datum;
}

function fromRecord(datum: any, fields: Field[]): any {
  const value: any = {};
  for (const field of fields) {
    const given = datum[field.name] === null ? field.absent : field.from(datum[field.name]);
    if (given !== undefined) value[field.name] = given;
  }
  return value;
}

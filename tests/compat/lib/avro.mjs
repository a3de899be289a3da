// Encodes and decodes messages with the schemas that `stowage schemas --output DIR` writes, as a
// client in any language does: reads index.json, converts values to Avro data and back, frames them.
// This code knows no command by name and shares nothing with the worker's encoder, so the tests
// check each against the other.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';

const MAGIC = Buffer.from([0xc3, 0x01]);
const HEADER_SIZE = 10;

// CRC-64-AVRO, as in the Avro specification ("Schema Fingerprints").
const EMPTY = 0xc15d213aa4d7a795n;
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let fp = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) fp = (fp >> 1n) ^ (EMPTY & -(fp & 1n));
  return BigInt.asUintN(64, fp);
});

export function crc64Avro(text) {
  let fp = EMPTY;
  for (const byte of Buffer.from(text, 'utf8')) fp = (fp >> 8n) ^ TABLE[Number((fp ^ BigInt(byte)) & 0xffn)];
  return fp;
}

// 16 hexadecimal digits, the most significant first, as in index.json.
export function fingerprintOf(schema) {
  return crc64Avro(canonical(schema)).toString(16).padStart(16, '0');
}

// The Parsing Canonical Form of the Avro specification: full names, and only these attributes, in this
// order.
export function canonical(schema, namespace = '', seen = new Set()) {
  if (typeof schema === 'string') return JSON.stringify(isPrimitive(schema) ? schema : fullName(schema, namespace));
  if (Array.isArray(schema)) return `[${schema.map((s) => canonical(s, namespace, seen)).join(',')}]`;
  if (schema.type === 'array') return `{"type":"array","items":${canonical(schema.items, namespace, seen)}}`;
  if (schema.type === 'map') return `{"type":"map","values":${canonical(schema.values, namespace, seen)}}`;
  if (schema.type === 'record') {
    const name = fullName(schema.name, schema.namespace ?? namespace);
    const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
    seen.add(name);
    const fields = schema.fields.map(
      (f) => `{"name":${JSON.stringify(f.name)},"type":${canonical(f.type, inner, seen)}}`);
    return `{"name":${JSON.stringify(name)},"type":"record","fields":[${fields.join(',')}]}`;
  }
  return canonical(schema.type, namespace, seen);
}

const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);
const isPrimitive = (name) => PRIMITIVES.has(name);
const fullName = (name, namespace) => (name.includes('.') || !namespace ? name : `${namespace}.${name}`);

// The exact text to send in a json field, for text that JSON.stringify never writes, such as 1.0.
export class RawJson {
  constructor(text) {
    this.text = text;
  }
}

// One complete schema, which converts values by it.
export class Schema {
  constructor(source) {
    this.source = source;
    this.type = avsc.Type.forSchema(source);
    this.fingerprint = fingerprintOf(source);
    this.name = fullName(source.name, source.namespace ?? '');
    this.names = new Map();
    this.#collect(source, '');
  }

  #collect(schema, namespace) {
    if (Array.isArray(schema)) for (const branch of schema) this.#collect(branch, namespace);
    else if (schema && typeof schema === 'object') {
      if (schema.type === 'record') {
        const name = fullName(schema.name, schema.namespace ?? namespace);
        const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
        this.names.set(name, { ...schema, namespace: inner });
        for (const field of schema.fields) this.#collect(field.type, inner);
      } else {
        for (const part of [schema.items, schema.values, schema.type]) {
          if (part && typeof part === 'object') this.#collect(part, namespace);
        }
      }
    }
  }

  // The schema as an object with a `type`, after looking up names.
  resolve(schema, namespace) {
    if (typeof schema === 'string') {
      if (isPrimitive(schema)) return { type: schema };
      const found = this.names.get(fullName(schema, namespace)) ?? this.names.get(schema);
      if (!found) throw new Error(`${this.name}: no type ${schema}`);
      return found;
    }
    if (Array.isArray(schema)) return { type: 'union', branches: schema };
    if (typeof schema.type === 'object') return this.resolve(schema.type, namespace);
    if (schema.type === 'record') {
      return this.names.get(fullName(schema.name, schema.namespace ?? namespace));
    }
    if (!isPrimitive(schema.type) && schema.type !== 'array' && schema.type !== 'map') {
      return this.resolve(schema.type, namespace);
    }
    return schema;
  }

  encode(value) {
    const body = this.type.toBuffer(this.toAvro(value));
    return Buffer.concat([this.header(), body]);
  }

  header() {
    const fingerprint = Buffer.alloc(8);
    fingerprint.writeBigUInt64LE(BigInt(`0x${this.fingerprint}`));
    return Buffer.concat([MAGIC, fingerprint]);
  }

  // Throws if bytes follow the datum.
  decode(framed) {
    return this.fromAvro(this.type.fromBuffer(framed.subarray(HEADER_SIZE)));
  }

  toAvro(value, schema = this.source, namespace = '', path = '') {
    const type = this.resolve(schema, namespace);
    const at = (what) => new TypeError(`${this.name}${path}: ${what}`);
    switch (type.type) {
      case 'union':
        if (value === undefined || value === null) return null;
        return this.toAvro(value, type.branches.find((b) => b !== 'null'), namespace, path);
      case 'null':
        if (value !== undefined && value !== null) throw at(`must be void, not ${typeof value}`);
        return null;
      case 'record':
        return this.#recordToAvro(value, type, path);
      case 'array': {
        // In the protocol, `T | T[]` is an array.
        const items = Array.isArray(value) || value instanceof Set ? [...value] : [value];
        return items.map((item, i) => this.toAvro(item, type.items, namespace, `${path}[${i}]`));
      }
      case 'map': {
        const entries = value instanceof Map ? [...value] : Object.entries(value);
        return Object.fromEntries(
          entries.map(([k, v]) => [k, this.toAvro(v, type.values, namespace, `${path}.${k}`)]));
      }
      case 'string':
        if (type.logicalType !== 'json') return String(value);
        return value instanceof RawJson ? value.text : JSON.stringify(value) ?? 'null';
      case 'int':
      case 'long':
        if (value instanceof Date) return value.getTime();
        // The reference returns times in JSON columns as text.
        if (type.logicalType === 'timestamp-millis' && typeof value === 'string') return Date.parse(value);
        return value === false ? -1 : Number(value); // a page size of `false`
      case 'float':
      case 'double':
        return Number(value);
      case 'bytes':
        return Buffer.from(value);
      case 'boolean':
        if (typeof value !== 'boolean') throw at(`must be a boolean, not ${typeof value}`);
        return value;
      default:
        throw at(`type ${JSON.stringify(type.type)} is not of the protocol`);
    }
  }

  #recordToAvro(value, type, path) {
    if (value === null || typeof value !== 'object') {
      throw new TypeError(`${this.name}${path}: must be an object, not ${value}`);
    }
    const known = new Set(type.fields.map((f) => f.name));
    for (const key of Object.keys(value)) {
      // A field that the schema lacks would be lost: the schema (or the test) is wrong.
      if (!known.has(key) && value[key] !== undefined && value[key] !== null) {
        throw new TypeError(`${this.name}${path}: the schema has no field for ${key}`);
      }
    }
    const record = {};
    for (const field of type.fields) {
      const given = value[field.name];
      // Where the reference distinguishes null from an absent property, a field lists the nulls.
      if ((field.name === 'clear' || field.name === 'isNull') && given === undefined) {
        record[field.name] = Object.keys(value).filter((key) => value[key] === null);
      } else if (given === undefined && field.default !== undefined && field.default !== null) {
        record[field.name] = field.default;
      } else {
        record[field.name] = this.toAvro(given, field.type, type.namespace, `${path}.${field.name}`);
      }
    }
    return record;
  }

  fromAvro(value, schema = this.source, namespace = '', name = '') {
    const type = this.resolve(schema, namespace);
    switch (type.type) {
      case 'union':
        if (value === null) return undefined;
        return this.fromAvro(value, type.branches.find((b) => b !== 'null'), namespace, name);
      case 'null':
        return undefined;
      case 'record': {
        const record = {};
        for (const field of type.fields) {
          const decoded = this.fromAvro(value[field.name], field.type, type.namespace, field.name);
          if (decoded !== undefined) record[field.name] = decoded;
        }
        return record;
      }
      case 'array':
        return value.map((item) => this.fromAvro(item, type.items, namespace));
      case 'map':
        return Object.fromEntries(
          Object.entries(value).map(([k, v]) => [k, this.fromAvro(v, type.values, namespace)]));
      case 'string':
        return type.logicalType === 'json' ? JSON.parse(value) : value;
      case 'long':
        return type.logicalType === 'timestamp-millis' ? new Date(value) : value;
      case 'int':
        return name === 'perPage' && value === -1 ? false : value;
      case 'bytes':
        return Buffer.from(value);
      default:
        return value;
    }
  }
}

// The folder of schemas.
export class Schemas {
  constructor(directory) {
    const read = (path) => new Schema(JSON.parse(readFileSync(join(directory, path), 'utf8')));
    this.commands = new Map();
    this.byFingerprint = new Map();
    for (const entry of JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'))) {
      const command = { ...entry, requestSchema: read(entry.request), replySchema: read(entry.reply) };
      this.commands.set(entry.command, command);
      this.byFingerprint.set(command.replySchema.fingerprint, command.replySchema);
    }
    this.error = read('Error.avsc');
    this.byFingerprint.set(this.error.fingerprint, this.error);
  }

  command(name) {
    const found = this.commands.get(name);
    if (!found) throw new Error(`index.json has no command ${name}`);
    return found;
  }

  encode(name, args) {
    return this.command(name).requestSchema.encode(args ?? {});
  }

  // The message key: the value at the dotted path in index.json, undefined if there is none.
  key(name, args) {
    const path = this.command(name).key;
    if (!path) return undefined;
    let value = args;
    for (const step of path.split(/[.[\]]+/).filter(Boolean)) {
      value = Array.isArray(value) || typeof value === 'object' ? value?.[step] : value;
    }
    if (Array.isArray(value)) value = value[0];
    return value === undefined || value === null ? undefined : String(value);
  }

  // Decodes a reply by the schema that its fingerprint names: {schema, value}.
  decode(framed) {
    if (framed.length < HEADER_SIZE || !framed.subarray(0, 2).equals(MAGIC)) {
      throw new Error(`not in single-object encoding: ${framed.subarray(0, 16).toString('hex')}`);
    }
    const fingerprint = framed.readBigUInt64LE(2).toString(16).padStart(16, '0');
    const schema = this.byFingerprint.get(fingerprint);
    if (!schema) throw new Error(`no schema has the fingerprint ${fingerprint}`);
    return { schema, value: schema.decode(framed) };
  }
}

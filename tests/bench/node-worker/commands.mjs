// Encodes commands and decodes replies with avsc, by the schemas that `stowage schemas --output` writes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';

export const HEADER_SIZE = 10; // C3 01 and the schema's fingerprint

// In a union with null, avsc recognises both logical types by an undefined result of _toValue.
// Milliseconds on the wire, Date in the program.
class Timestamp extends avsc.types.LogicalType {
  _fromValue(value) {
    return new Date(value);
  }
  _toValue(value) {
    return value instanceof Date ? value.getTime() : undefined;
  }
}

// JSON text on the wire, a value in the program.
class Json extends avsc.types.LogicalType {
  _fromValue(value) {
    return JSON.parse(value);
  }
  _toValue(value) {
    return value === null ? undefined : JSON.stringify(value);
  }
}

function readType(path) {
  return avsc.Type.forSchema(JSON.parse(readFileSync(path, 'utf8')), {
    logicalTypes: { 'timestamp-millis': Timestamp, json: Json },
    wrapUnions: false,
  });
}

export function readCommand(schemasDir, name) {
  const index = JSON.parse(readFileSync(join(schemasDir, 'index.json'), 'utf8'));
  const entry = index.find(({ command }) => command === name);
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt16BE(0xc301);
  header.writeBigUInt64LE(BigInt(`0x${entry.replyFingerprint}`), 2);
  return { request: readType(join(schemasDir, entry.request)), reply: readType(join(schemasDir, entry.reply)), header };
}

// Builds Avro data by hand, so that tests can make it wrong.

export function varint(value) {
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes = [];
  do {
    const more = left > 0x7fn;
    bytes.push(Number(left & 0x7fn) | (more ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}

export const text = (value) => {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, 'utf8');
  return Buffer.concat([varint(bytes.length), bytes]);
};

export const present = Buffer.from([2]); // the second branch of ["null", T]
export const absent = Buffer.from([0]);

// A message of the command: its header and the given parts.
export const datum = (schemas, command, ...parts) =>
  Buffer.concat([schemas.command(command).requestSchema.header(), ...parts]);

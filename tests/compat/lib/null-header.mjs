// A header with a null value: kafkajs can read one but refuses to send one.

import Encoder from 'kafkajs/src/protocol/encoder.js';

// As a header's value it goes out as null. It is empty like null, so the sizes around it are right.
export const NULL_HEADER = Buffer.alloc(0);

const { writeVarIntBytes } = Encoder.prototype;
Encoder.prototype.writeVarIntBytes = function write(value) {
  return writeVarIntBytes.call(this, value === NULL_HEADER ? null : value);
};

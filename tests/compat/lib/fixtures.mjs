// Inputs that the test cases share.

export const at = (seconds) => new Date(Date.UTC(2024, 0, 1, 12, 0, 0) + seconds * 1000);

export const thread = (id, over = {}) => ({ id, resourceId: 'r1', title: `Title of ${id}`,
  createdAt: at(0), updatedAt: at(1), metadata: { kind: 'test' }, ...over });

export const content = (text, over = {}) => ({ format: 2, parts: [{ type: 'text', text }], content: text, ...over });

export const message = (id, threadId, seconds, over = {}) => ({ id, threadId, resourceId: 'r1', role: 'user',
  type: 'v2', createdAt: at(seconds), content: content(`text of ${id}`), ...over });

export const resource = (id, over = {}) => ({ id, workingMemory: '# notes', metadata: { a: 1 },
  createdAt: at(0), updatedAt: at(1), ...over });

// Identifiers that break a statement that does not quote or bind them.
export const HOSTILE_IDS = [
  `it's "quoted"`,
  `'; DROP TABLE mastra_threads; --`,
  '100%_done',
  '$1',
  ':"schema"',
  'back\\slash',
  'tab\tand\nline',
  'Grüße, 世界, 🦜',
  'e\u0301 is not \u00e9',
  '\u202eright to left',
  ' ',
  'x'.repeat(2000),
];

// JSON values that careless encoders change.
export const AWKWARD_JSON = {
  empty: {},
  emptyArray: { list: [] },
  emptyString: { s: '', '': 'empty key' },
  nulls: { a: null, b: [null, { c: null }] },
  numbers: { zero: 0, negativeZero: -0, fraction: 0.1, tiny: 1e-7, large: 1e21, max: Number.MAX_SAFE_INTEGER,
    beyond: 12345678901234567890, min: 5e-324, digits: 1.7976931348623157e308 },
  escapes: { s: 'quote " backslash \\ slash / \b\f\n\r\t \u0001 \u007f \u2028 \u2029' },
  unicode: { 'clé': 'Grüße 世界 🦜 e\u0301', '🦜': '👩‍👩‍👧‍👦' },
  deep: Array.from({ length: 60 }).reduce((inner) => ({ inner }), { end: true }),
  booleans: { yes: true, no: false },
  order: { z: 1, a: 2, m: 3, aa: 4, 1: 5 },
  html: { s: '</script><!-- & -->' },
  protoLike: { constructor: 'c', toString: 't', hasOwnProperty: 'h' },
  dates: { at: '2024-01-01T00:00:00.000Z' },
  jsonText: { s: '{"not":"parsed"}' },
};

// Values that jsonb rejects and the reference repairs: it drops NUL and replaces lone surrogates.
export const REPAIRED_JSON = {
  nul: { s: 'a\u0000b' },
  nulKey: { 'k\u0000ey': 1 },
  highSurrogate: { s: 'x\ud83dx' },
  lowSurrogate: { s: 'x\udc00x' },
  atEnd: { s: 'x\ud83d' },
  swapped: { s: '\udc00\ud83d' },
  pairKept: { s: '\ud83e\udd9c and \u0000' },
  escapedBackslash: { s: '\\u0000 is six characters' },
  both: { s: '\\u0000 and \u0000' },
  deep: { a: [{ b: { 'c\ud800': ['\udfff', 'ok'] } }] },
};

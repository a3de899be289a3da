// For vectors-filter.test.mjs: evaluates vector filters by the rules of their documentation, and
// generates random documents and filters (the same ones for the same seed).

// Prints a value as jsonb does: keys sorted by length, then by bytes; spaces after comma and colon.
function jsonText(value) {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}: ${jsonText(value[key])}`).join(', ')}}`;
}

// A value as text: every comparison is of texts unless it is of numbers.
const textOf = (value) => {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : typeof value === 'object' ? jsonText(value) : String(value);
};
const isArray = Array.isArray;
const isObject = (value) => value !== null && typeof value === 'object' && !isArray(value);
const isNumeric = (value) => typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)));

// Answers are true, false, or null: unknown, as the field is missing or has another type.
const not = (answer) => (answer === null ? null : !answer);
const and = (answers) => (answers.includes(false) ? false : answers.includes(null) ? null : true);
const or = (answers) => not(and(answers.map(not)));
const compare = { $gt: (a, b) => a > b, $gte: (a, b) => a >= b, $lt: (a, b) => a < b, $lte: (a, b) => a <= b, $eq: (a, b) => a === b, $ne: (a, b) => a !== b };
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const listOf = (value) => (isArray(value) ? value : [value]);
const oneOf = (text, texts) => or(texts.map((wanted) => (wanted === null || text === null ? null : wanted === text)));

function ordered(operator, value, wanted) {
  if (isNumeric(wanted)) return typeof value === 'number' ? compare[operator](value, Number(wanted)) : null;
  const [a, b] = [textOf(value), textOf(wanted)];
  return a === null || b === null ? null : compare[operator](byBytes(a, b), 0);
}

const holdsAll = (value, texts) => {
  if (value === undefined) return null;
  if (isArray(value)) return texts.every((text) => value.some((item) => textOf(item) === text));
  return texts.every((text) => value === text || (isObject(value) && text in value));
};

const conditionsOf = (object) => Object.entries(object).filter(([key]) => key !== '$options');

const OPERATORS = {
  $eq: (value, wanted) => (wanted === null ? textOf(value) === null : oneOf(textOf(value), [textOf(wanted)])),
  $ne: (value, wanted) => not(OPERATORS.$eq(value, wanted)),
  $in: (value, wanted) => {
    const texts = listOf(wanted).map(textOf);
    return isArray(value) ? value.some((item) => oneOf(textOf(item), texts) === true) : oneOf(textOf(value), texts);
  },
  $nin: (value, wanted) => not(OPERATORS.$in(value, wanted)),
  $all: (value, wanted) => (isArray(wanted) && !wanted.length ? false : holdsAll(value, listOf(wanted).map(textOf).filter((text) => text !== null))),
  $contains: (value, wanted) => {
    if (isArray(wanted)) return holdsAll(value, wanted.map(String));
    const [text, part] = [textOf(value), textOf(wanted)];
    if (text === null || part === null) return null;
    return typeof wanted === 'string' ? text.toLowerCase().includes(part.toLowerCase()) : text === part;
  },
  $regex: (value, pattern, { $options = '' }) => (textOf(value) === null ? null : new RegExp(pattern, $options).test(textOf(value))),
  $exists: (value, wanted) => (value !== undefined) === wanted,
  $size: (value, wanted) => {
    if (!isArray(value)) return false;
    const conditions = isObject(wanted) ? wanted : { $eq: wanted };
    return Object.entries(conditions).every(([operator, length]) => compare[operator](value.length, length));
  },
  $elemMatch: (value, conditions) => isArray(value) && value.some((item) => and(conditionsOf(conditions).map(([key, wanted]) => (key.startsWith('$')
    ? operator(key, item, wanted, conditions) : fieldAnswer(pick(item, key), wanted)))) === true),
  $not: (value, conditions) => not(fieldAnswer(value, conditions)),
};
for (const name of ['$gt', '$gte', '$lt', '$lte']) OPERATORS[name] = (value, wanted) => ordered(name, value, wanted);

const operator = (name, value, wanted, siblings) => OPERATORS[name](value, wanted, siblings);

const pick = (value, path) => path.split('.').reduce((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), value);

function fieldAnswer(value, condition) {
  if (isArray(condition)) return OPERATORS.$in(value, condition);
  if (!isObject(condition)) return OPERATORS.$eq(value, condition);
  return and(conditionsOf(condition).map(([key, wanted]) => (key.startsWith('$')
    ? operator(key, value, wanted, condition) : fieldAnswer(pick(value, key), wanted))));
}

export function answer(document, filter) {
  return and(Object.entries(filter).map(([key, value]) => {
    if (key === '$not') return not(answer(document, value));
    if (key === '$and') return and(value.map((part) => answer(document, part)));
    if (key === '$or') return or(value.map((part) => answer(document, part)));
    if (key === '$nor') return not(or(value.map((part) => answer(document, part))));
    return fieldAnswer(pick(document, key), value);
  }));
}

// ---------------------------------------------------------------- random documents and filters

export function random(seed) {
  let state = seed;
  const next = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const of = (list) => list[below(list.length)];
  const list = (most, make) => Array.from({ length: below(most + 1) }, make);
  return { below, of, list, chance: (p) => next() < p };
}

const WORDS = ['red', 'Red', 'green', 'blue', 'a b', '10', '2', '2.5', 'true', '', 'x%y', 'ünï', '日本', "o'clock", '[1, 2]', '{"x": 1}', '2024-01-01T00:00:00.000Z'];
const NUMBERS = [0, 1, 2, 2.5, -7, 10, 100, 12345678.25];
const FIELDS = ['a', 'b', 'tags', 'list', 'o', 'o.x', 'o.y', 'o.p.q', 'missing'];
const PATTERNS = ['^r', 'e', 'd$', '^[a-z]+$', '^.{2,4}$', '[0-9]', 'a b|blue', '^$'];

export function documents(r) {
  const scalar = () => r.of([() => r.of(WORDS), () => r.of(NUMBERS), () => r.chance(0.5), () => null, () => r.of(WORDS)])();
  const object = (depth) => {
    const made = {};
    if (r.chance(0.8)) made.x = r.chance(0.2) && depth ? object(depth - 1) : scalar();
    if (r.chance(0.6)) made.y = r.list(3, scalar);
    if (r.chance(0.5)) made.p = depth ? { q: scalar() } : scalar();
    return made;
  };
  const any = () => r.of([scalar, scalar, scalar, () => r.list(3, scalar), () => object(1)])();
  return () => {
    const made = {};
    if (r.chance(0.85)) made.a = any();
    if (r.chance(0.85)) made.b = r.of(NUMBERS);
    if (r.chance(0.7)) made.tags = r.list(4, () => r.of(WORDS));
    if (r.chance(0.6)) made.list = r.list(3, () => r.of([scalar, () => object(0), () => r.list(2, scalar)])());
    if (r.chance(0.7)) made.o = r.chance(0.8) ? object(1) : any();
    return made;
  };
}

// `shared`: only filters that the reference accepts and evaluates in the same way.
export function filters(r, { shared = false } = {}) {
  const scalar = () => r.of([() => r.of(WORDS), () => r.of(NUMBERS), () => r.chance(0.5), () => null])();
  const some = (make) => [make(), ...r.list(2, make)];
  const known = () => r.of([() => r.of(WORDS), () => r.of(NUMBERS)])();
  const word = () => r.of(shared ? WORDS.filter((text) => /^[^\d[{]*$/.test(text) && text !== 'true') : WORDS);
  const conditions = {
    $eq: () => (shared ? scalar() : r.of([scalar, scalar, () => r.list(2, scalar), () => ({ x: scalar() })])()), $ne: scalar,
    $gt: known, $gte: known, $lt: known, $lte: known,
    $in: () => r.list(3, scalar), $nin: () => r.list(3, scalar), $all: () => r.list(2, shared ? word : scalar),
    $contains: () => r.of([word, () => r.of(NUMBERS), () => r.list(2, word)])(),
    $exists: () => r.chance(0.5),
    $size: () => (shared || r.chance(0.5) ? r.below(4) : { [r.of(['$gt', '$gte', '$lt', '$lte', '$eq', '$ne'])]: r.below(4) }),
  };
  const names = (nested) => Object.keys(conditions).filter((name) => !(shared && nested && name === '$exists'));
  const one = (nested) => { const name = r.of(names(nested)); return { [name]: conditions[name]() }; };
  const inElement = (depth) => {
    if (!shared && r.chance(0.5)) return operators(depth - 1);
    return { [r.of(['x', 'y', 'p'])]: shared ? r.of([() => r.of(WORDS), () => one(true)])() : r.of([scalar, () => operators(0), () => some(scalar)])() };
  };
  const operators = (depth, nested = false) => {
    const kind = r.below(10);
    const regex = { $regex: r.of(PATTERNS), ...(r.chance(0.5) ? { $options: 'i' } : {}) };
    if (shared && kind === 0) return regex;
    const made = kind === 0 ? regex : kind === 1 && depth ? { $not: shared ? one(nested) : operators(depth - 1) }
      : kind === 2 && depth ? { $elemMatch: inElement(depth) } : one(nested);
    return r.chance(0.2) ? { ...made, ...one(nested) } : made;
  };
  const field = (fields = FIELDS) => {
    const name = r.of(fields);
    return { [name]: r.of([scalar, () => operators(2, name.includes('.')), () => operators(2, name.includes('.')), () => r.list(3, scalar)])() };
  };
  const member = (depth) => {
    const kind = depth ? r.below(9) : 9;
    if (kind === 0) return { $and: r.list(3, () => object(depth - 1)) };
    if (kind === 1) return { $or: some(() => object(depth - 1)) };
    if (kind === 2) return { $nor: some(() => object(depth - 1)) };
    if (kind === 3) return { $not: object(depth - 1) };
    if (kind === 4) return { o: { [r.of(['x', 'y'])]: r.of([scalar, () => operators(1, true)])() } };
    return field();
  };
  const object = (depth) => (shared || r.chance(0.7) ? member(depth) : { ...member(depth), ...member(depth) });
  return () => ({ ...object(3), ...(r.chance(0.2) ? field(['a', 'b', 'tags', 'list']) : {}) });
}

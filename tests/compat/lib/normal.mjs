// Makes the results and rows of two implementations comparable: replaces the values that each
// generates (identifiers, the time of the call) by names, and leaves everything else.

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00)?/g;
const MILLIS = /(?<![\d.])1\d{12}(?![\d.])/g;
const CLOSE_MS = 10_000;

// The values of one side. Numbers its identifiers in the order in which it sees them first.
export class Normal {
  #numbers = new Map();

  constructor(since = Date.now()) {
    this.since = since;
  }

  near(ms) {
    return ms >= this.since - CLOSE_MS && ms <= Date.now() + CLOSE_MS;
  }

  text(text, number = (uuid) => this.number(uuid)) {
    return text
      .replace(UUID, number)
      .replace(TIME, (time) => (this.near(parseUtc(time)) ? '<now>' : time))
      .replace(MILLIS, (ms) => (this.near(Number(ms)) ? '<now>' : ms));
  }

  number(uuid) {
    if (!this.#numbers.has(uuid)) this.#numbers.set(uuid, `<id-${this.#numbers.size + 1}>`);
    return this.#numbers.get(uuid);
  }

  known(uuid) {
    return this.#numbers.get(uuid) ?? '<new>';
  }

  value(value) {
    if (value === null || value === undefined) return undefined;
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.near(value) ? '<now>' : value;
    if (value instanceof Date) return this.near(value.getTime()) ? '<now>' : value.toISOString();
    if (Buffer.isBuffer(value)) return value.toString('base64');
    if (Array.isArray(value)) return value.map((item) => this.value(item) ?? null);
    if (typeof value === 'object') {
      const result = {};
      // Sort the keys, so that both sides number the identifiers in the same order.
      const order = (key) => this.text(key, (uuid) => this.known(uuid));
      for (const key of Object.keys(value).sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
        const entry = this.value(value[key]);
        if (entry !== undefined) result[this.text(key)] = entry;
      }
      return result;
    }
    return value;
  }

  // Rows as text columns. Their order may depend on identifiers that each side generated, so sort
  // them with only the known identifiers, before new ones get numbers.
  rows(rows) {
    const known = (row) => this.text(JSON.stringify(row), (uuid) => this.known(uuid));
    return rows
      .map((row) => ({ row, order: known(row) }))
      .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
      .map(({ row }) => {
        const result = {};
        for (const [column, text] of Object.entries(row)) {
          result[column] = text === null ? null : this.text(text);
          // A time has two columns; whether they are equal must be the same on both sides.
          const twin = row[`${column}Z`];
          if (result[column] === '<now>' && twin) {
            result[column] = parseUtc(text) === parseUtc(twin) ? '<now, as in Z>' : '<now>';
          }
        }
        return result;
      });
  }
}

function parseUtc(text) {
  return Date.parse(`${text.replace(' ', 'T').replace(/(Z|\+00)$/, '')}Z`);
}

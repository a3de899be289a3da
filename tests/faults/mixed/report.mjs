// report.mjs - what went wrong in a mixed run, by kind, and its one-line summary

const KINDS = ['missing', 'doubled', 'misordered', 'unanswered', 'wrong', 'stuck'];
const EXAMPLES = 12;

export class Report {
  constructor() {
    this.found = Object.fromEntries(KINDS.map((kind) => [kind, []]));
    Object.assign(this, { commands: 0, replies: 0, letters: 0, twice: 0, faults: {} });
    this.start = Date.now();
  }

  log(text) {
    process.stderr.write(`${((Date.now() - this.start) / 1000).toFixed(1).padStart(8)} ${text}\n`);
  }

  // `wrong`: a good command failed or became a dead letter, or a failing one succeeded.
  note(kind, text) {
    this.found[kind].push(text);
    if (this.found[kind].length <= EXAMPLES) this.log(`${kind.toUpperCase()}: ${text}`);
  }

  addFaults(counts) {
    for (const [name, count] of Object.entries(counts)) this.faults[name] = (this.faults[name] ?? 0) + count;
  }

  get failed() {
    return KINDS.some((kind) => this.found[kind].length > 0);
  }

  get total() {
    return Object.values(this.faults).reduce((sum, count) => sum + count, 0);
  }

  line() {
    return `commands=${this.commands} replies=${this.replies} repeated=${this.twice} letters=${this.letters} faults=${this.total} `
      + KINDS.map((kind) => `${kind}=${this.found[kind].length}`).join(' ');
  }
}

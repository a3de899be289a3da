// After all suites: every command of index.json must have been run, and answered with success, or as
// one that the reference does not implement, at least once. The client lib has held each reply against its declared schema.
//
//   node coverage.mjs COVERAGE_DIR SCHEMAS_DIR

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory, schemas] = process.argv.slice(2);
const commands = JSON.parse(readFileSync(join(schemas, 'index.json'), 'utf8')).map((entry) => entry.command);

const answered = new Map();
for (const file of readdirSync(directory)) {
  for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
    const [command, outcome] = line.split(' ');
    if (!outcome) continue;
    const counts = answered.get(command) ?? { ok: 0, error: 0, unsupported: 0 };
    counts[outcome]++;
    answered.set(command, counts);
  }
}

let failed = 0;
for (const command of commands) {
  const counts = answered.get(command);
  if (counts?.ok || counts?.unsupported) {
    console.log(`ok - ${command}: ${counts.ok} results, ${counts.unsupported} times unsupported, ${counts.error} errors`);
  } else {
    failed++;
    console.log(`not ok - ${command}: ${counts ? 'answered with errors only' : 'no test ran it'}`);
  }
}
process.exitCode = failed ? 1 : 0;

// stack.mjs - starts a stack of servers for this process alone, whose servers a test may kill. Import it
// before the harness, which reads the servers' addresses from the environment.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOL = join(dirname(fileURLToPath(import.meta.url)), '../../compose/stack');
const directory = mkdtempSync(join(process.env.STOWAGE_TEST_TMP ?? tmpdir(), 'fault-stack-'));
// PostgreSQL runs as a user of its own, which must be able to enter the directory.
spawnSync('chmod', ['755', directory]);

function readEnvironment() {
  for (const line of readFileSync(join(directory, 'stack/env'), 'utf8').split('\n')) {
    for (const [, name, value] of line.matchAll(/(?:^export| )\s*(\w+)=(\S+)/g)) process.env[name] = value;
  }
}

const started = spawnSync(TOOL, ['start', join(directory, 'stack')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
if (started.status !== 0) throw new Error(`the stack did not start: ${started.stderr}`);
readEnvironment();
process.on('exit', () => {
  if (!process.env.STOWAGE_TEST_KEEP) {
    spawnSync(TOOL, ['remove', join(directory, 'stack')], { stdio: 'ignore' });
    spawnSync('rm', ['-rf', directory]);
  }
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1));

// stack('kill-postgres'), ...: runs a command of compose/stack and resolves when it ends.
export function stack(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(TOOL, [command, join(directory, 'stack')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { errors += text; });
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`stack ${command}: ${errors}`))));
  });
}

// faults.mjs - the faults of the mixed run. Each one strikes, lasts for a while and heals.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, until } from '../../compat/lib/harness.mjs';
import { stack } from '../stack.mjs';
import { columnRenamed, connectionsLimited, keyDropped, kafkaRightMissing, repliesLimited, tableRenamed } from './installation.mjs';
import { asAdmin, reload, surely } from './superuser.mjs';

const TABLES = ['mastra_messages', 'mastra_threads', 'mastra_ai_spans', 'mixed', 'stowage_offsets', 'stowage_outbox', 'mastra_workflow_snapshot'];
// A missing right on a table that clients name is their commands' own error.
const OWN_TABLES = TABLES.filter((table) => table !== 'mixed');
const STOP_PATIENCE_MS = 60_000;

// Starts a server again. A busy machine may need more than one attempt to see it ready.
function revive(name) {
  return until(`${name} runs`, () => stack(`start-${name}`).then(() => true,
    (error) => /already runs/.test(error.message) || sleep(1000, false)), { timeoutMs: 400_000 });
}

const kafkaPid = () => Number(readFileSync(join(process.env.STACK_DIR, 'kafka.pid'), 'utf8').split(/\s/)[0]);

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended meanwhile
  }
}

export class Faults {
  constructor(world, chance, proxy, broker, report) {
    Object.assign(this, { world, chance, proxy, broker, report });
    this.busy = new Set(); // what other faults use now
    this.counts = {};
    this.open = new Set();
  }

  // [name, what it uses alone, weight, the fault]
  #kinds() {
    const sometimes = (low, high) => sleep(this.chance.between(low, high));
    const chosen = () => this.chance.pick(this.world.running);
    const backends = (call, share) => asAdmin((admin) => admin.query(`SELECT ${call}(pid) FROM pg_stat_activity
      WHERE application_name LIKE 'stowage%' AND random() < ${share}`));
    return [
      ['worker-kill', 'worker', 4, () => this.#replace(chosen(), async (worker) => worker.kill())],
      ['worker-stop', 'worker', 3, () => this.#replace(chosen(), async (worker) => this.#stop(worker))],
      ['worker-freeze', 'worker', 3, async () => {
        const { child } = chosen();
        child.kill('SIGSTOP');
        await sometimes(300, 9000);
        child.kill('SIGCONT');
      }],
      ['postgres-crash', 'postgres', 2, async () => {
        await stack('kill-postgres');
        await sometimes(0, 2000);
        await revive('postgres');
      }],
      ['postgres-restart', 'postgres', 1, async () => {
        await stack('stop-postgres');
        await sometimes(0, 2000);
        await revive('postgres');
      }],
      ['terminate', 'sessions', 4, async () => {
        for (let i = this.chance.below(6); i >= 0; i--) {
          await backends('pg_terminate_backend', 0.5);
          await sometimes(0, 400);
        }
      }],
      ['cancel', 'sessions', 3, async () => {
        for (let i = this.chance.below(20); i >= 0; i--) {
          await backends('pg_cancel_backend', 0.7);
          await sometimes(0, 150);
        }
      }],
      ['lock', 'tables', 3, () => asAdmin(async (admin) => {
        await admin.query(`BEGIN; LOCK TABLE "${this.world.schema}"."${this.chance.pick(TABLES)}" IN ACCESS EXCLUSIVE MODE`);
        await sometimes(200, 5000);
        await admin.query('ROLLBACK');
      })],
      ['rights', 'rights', 2, async () => {
        const table = `"${this.world.schema}"."${this.chance.pick(OWN_TABLES)}"`;
        await asAdmin((admin) => admin.query(`REVOKE ALL ON ${table} FROM stowage`));
        await sometimes(300, 4000);
        await surely(`GRANT ALL ON ${table} TO stowage`);
      }],
      ['connections', 'rights', 2, () => connectionsLimited(this.chance)],
      ['key-dropped', 'tables', 2, () => keyDropped(this.world, this.chance)],
      ['table-renamed', 'tables', 1, () => tableRenamed(this.world, this.chance)],
      ['column-renamed', 'tables', 1, () => columnRenamed(this.world, this.chance)],
      ['replies-limited', 'kafka-rights', 2, () => repliesLimited(this.world, this.chance)],
      ['kafka-right', 'kafka-rights', 4, () => kafkaRightMissing(this.world, this.chance)],
      ['read-only', 'rights', 2, async () => {
        await asAdmin((admin) => reload(admin, 'ALTER SYSTEM SET default_transaction_read_only = on'));
        await sometimes(300, 5000);
        await surely('ALTER SYSTEM RESET default_transaction_read_only');
        await surely('SELECT pg_reload_conf()');
      }],
      ['kafka-crash', 'kafka', 1, async () => {
        await stack('kill-kafka');
        await sometimes(0, 2000);
        await revive('kafka');
      }],
      ['kafka-restart', 'kafka', 1, async () => {
        await stack('stop-kafka');
        await revive('kafka');
      }],
      ['kafka-freeze', 'kafka', 2, async () => {
        const pid = kafkaPid();
        signal(pid, 'SIGSTOP');
        await sometimes(300, 6000);
        signal(pid, 'SIGCONT');
      }],
      ['broker2-leaves', 'broker2', 2, async () => {
        await this.broker.end(this.chance.pick(['SIGKILL', 'SIGTERM']));
        await sometimes(0, 5000);
        await this.broker.start();
      }],
      ['commits-lost', 'proxy', 8, () => this.#proxied({ loseBefore: this.chance.pick([0, 0.3, 0.7]), loseAfter: this.chance.pick([0.1, 0.4, 0.7]) }, 2000, 10_000)],
      ['proxy-stalls', 'proxy', 2, () => this.#proxied({ stalled: true }, 200, 6000)],
      ['proxy-refuses', 'proxy', 2, () => {
        this.proxy.cutAll();
        return this.#proxied({ refuses: true }, 200, 4000);
      }],
    ];
  }

  async #proxied(mode, low, high) {
    Object.assign(this.proxy, mode);
    await sleep(this.chance.between(low, high));
    this.proxy.heal();
  }

  // SIGTERM: the worker ends in order, however the servers are.
  async #stop(worker) {
    worker.child.kill('SIGTERM');
    const ended = await Promise.race([worker.exited, sleep(STOP_PATIENCE_MS, undefined)]);
    if (!ended) this.report.note('stuck', `${worker.name} did not end ${STOP_PATIENCE_MS} ms after SIGTERM\n${worker.tail(20)}`);
    else if (ended.code !== 0) this.report.note('stuck', `${worker.name} ended with ${JSON.stringify(ended)} after SIGTERM\n${worker.tail(20)}`);
    await worker.kill();
  }

  async #replace(worker, end) {
    await end(worker);
    const at = this.world.running.indexOf(worker);
    this.world.running[at] = await this.world.startLater();
  }

  #choose() {
    const able = this.#kinds().filter(([, uses]) => !this.busy.has(uses));
    let at = this.chance.next() * able.reduce((sum, [, , weight]) => sum + weight, 0);
    return able.find(([, , weight]) => { at -= weight; return at < 0; });
  }

  #strike() {
    const kind = this.#choose();
    if (!kind) return;
    const [name, uses, , fault] = kind;
    this.busy.add(uses);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    this.report.log(`fault ${name}`);
    const done = fault().catch((error) => this.report.log(`fault ${name}: ${error.message.split('\n')[0]}`)).finally(() => {
      this.busy.delete(uses);
      this.open.delete(done);
      this.report.log(`healed ${name}`);
    });
    this.open.add(done);
  }

  // Strikes until `end` (ms since the epoch), up to three faults at a time, and then heals everything.
  async run(end) {
    while (Date.now() < end) {
      if (this.open.size < 3) this.#strike();
      await sleep(this.chance.between(100, 3000));
    }
    await Promise.all([...this.open]);
    await this.heal();
  }

  async heal() {
    this.proxy.heal();
    await this.broker.start();
    for (const worker of this.world.running) worker.child.kill('SIGCONT');
    await surely('SELECT 1');
    // What ended by itself counts; a new one takes its place.
    for (const [i, worker] of this.world.running.entries()) {
      if (!worker.exit) continue;
      this.report.note('stuck', `${worker.name} ended by itself: ${JSON.stringify(worker.exit)}\n${worker.tail(20)}`);
      this.world.running[i] = await this.world.startLater();
    }
  }
}

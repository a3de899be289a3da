// superuser.mjs - SQL as the superuser of the mixed run's server, which may be away

import { pg, sleep, until } from '../../compat/lib/harness.mjs';

// The class of SQLSTATEs for what the server does not understand.
const MISTAKE = /^42/;

// Runs SQL as the superuser on a connection of its own. A broken server ends it without an error.
export async function asAdmin(work) {
  const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN, options: '-c default_transaction_read_only=off' });
  admin.on('error', () => {});
  try {
    await admin.connect();
    await work(admin);
  } catch (error) {
    if (MISTAKE.test(error.code)) throw error;
  } finally {
    await admin.end().catch(() => {});
  }
}

// Repeats SQL until the server has done it.
export async function surely(text) {
  let done = false;
  await until(text, async () => {
    await asAdmin(async (admin) => { await admin.query(text); done = true; }).catch(() => {});
    return done || sleep(200, false);
  }, { timeoutMs: 120_000 });
}

export async function reload(admin, text) {
  await admin.query(text);
  await admin.query('SELECT pg_reload_conf()');
}

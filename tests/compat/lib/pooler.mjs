// pooler.mjs - a PgBouncer in transaction mode in front of the stack's PostgreSQL, for this process alone

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

// From 1.21 on PgBouncer can keep prepared statements. Without that it behaves as the older ones do.
function oldFashioned() {
  const said = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8', env: environment }).stdout ?? '';
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 1 || Number(minor) >= 21 ? { max_prepared_statements: 0 } : {};
}

function settings(server, port, options) {
  const lines = { listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '', pool_mode: 'transaction',
    // Names are enough: the server trusts this machine.
    auth_type: 'trust', auth_user: 'postgres', auth_query: 'SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1',
    max_client_conn: 1000, default_pool_size: 20, server_lifetime: 3600, log_connections: 0, log_disconnections: 0, ...oldFashioned(), ...options };
  const list = Object.entries(lines).map(([name, value]) => `${name} = ${value}`).join('\n');
  return `[databases]\n* = host=${server.hostname} port=${server.port}\n\n[pgbouncer]\n${list}\n`;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

// Starts it with its files in `directory`, and returns its process and its connection string.
export async function startPooler(connectionString, { directory, port, options = {} }) {
  const server = new URL(connectionString);
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  const file = join(directory, 'pgbouncer.ini');
  writeFileSync(file, settings(server, port, options));
  // It refuses to run as root.
  const user = process.getuid() === 0 ? ['-u', spawnSync('id', ['postgres']).status === 0 ? 'postgres' : 'nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...user, file], { stdio: ['ignore', 'ignore', 'pipe'],
    env: environment });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { log = (log + text).slice(-4000); });
  child.on('error', (error) => { log += error.message; });
  for (let tries = 0; !await answers(port); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`PgBouncer does not start: ${log}`);
    await sleep(50);
  }
  child.unref();
  const url = new URL(connectionString);
  url.host = `127.0.0.1:${port}`;
  return { child, url: url.href, log: () => log };
}

// TLS to PostgreSQL: postgres.ssl as a group, and what `stowage check` says about it. On a PostgreSQL of its own,
// because the stack's has no certificate.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeShared, freePort, libconfig, newId, stowage, WORK } from '../compat/lib/harness.mjs';

const ROOT = process.getuid() === 0;

function run(...words) {
  const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8', cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  assert.equal(done.status, 0, `${words.join(' ')}: ${done.stderr}`);
}

// An authority, a server's certificate for localhost and a client's for the user postgres.
class Certificates {
  constructor(directory) {
    this.directory = directory;
    for (const name of ['authority', 'stranger']) {
      run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', this.file(`${name}.key`), '-out', this.file(`${name}.pem`));
    }
    this.#sign('server', 'localhost', 'subjectAltName=DNS:localhost');
    this.#sign('client', 'postgres', 'basicConstraints=CA:FALSE');
  }

  file(name) {
    return join(this.directory, name);
  }

  #sign(name, subject, extension) {
    const [key, request, certificate, extensions] = ['key', 'csr', 'pem', 'ext'].map((kind) => this.file(`${name}.${kind}`));
    writeFileSync(extensions, extension);
    run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`, '-keyout', key, '-out', request);
    run('openssl', 'x509', '-req', '-in', request, '-CA', this.file('authority.pem'), '-CAkey', this.file('authority.key'), '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', certificate);
    chmodSync(key, 0o600);
  }
}

// A server that asks for TLS, and for a client's certificate if the database is `guarded`.
class Server {
  async start() {
    this.directory = mkdtempSync('/tmp/stowage-tls-');
    chmodSync(this.directory, 0o755);
    mkdirSync(join(this.directory, 'certificates'));
    this.certificates = new Certificates(join(this.directory, 'certificates'));
    this.data = join(this.directory, 'data');
    mkdirSync(this.data);
    for (const name of ['server.pem', 'server.key', 'authority.pem']) run('cp', this.certificates.file(name), this.directory);
    if (ROOT) run('chown', '-R', 'postgres:', this.data, ...['server.pem', 'server.key', 'authority.pem'].map((name) => join(this.directory, name)));
    this.port = await freePort();
    this.#owner('initdb', '--pgdata', this.data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync', '--no-instructions');
    const settings = { listen_addresses: '127.0.0.1', port: this.port, unix_socket_directories: '', fsync: 'off', ssl: 'on',
      ssl_cert_file: join(this.directory, 'server.pem'), ssl_key_file: join(this.directory, 'server.key'), ssl_ca_file: join(this.directory, 'authority.pem') };
    this.#write('postgresql.conf', Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`).join(''));
    this.#write('pg_hba.conf', 'hostssl template1 all 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 trust\n');
    this.#owner('pg_ctl', 'start', '--wait', '--pgdata', this.data, '--log', join(this.data, 'log'));
  }

  #write(name, text) {
    const file = join(this.data, name);
    writeFileSync(file, text);
    if (ROOT) run('chown', 'postgres:', file);
  }

  stop() {
    this.#owner('pg_ctl', 'stop', '--mode=immediate', '--pgdata', this.data);
    rmSync(this.directory, { recursive: true, force: true });
  }

  // PostgreSQL does not run as root.
  #owner(...words) {
    const bin = spawnSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1'], { encoding: 'utf8' }).stdout.trim();
    run('env', `PATH=${bin}:${process.env.PATH}`, ...(ROOT ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : []), ...words);
  }
}

const server = new Server();
before(() => server.start());
after(async () => {
  server.stop();
  await closeShared();
});

const pem = (name) => server.certificates.file(name);
const text = (name) => readFileSync(pem(name), 'utf8');

// What `stowage check` prints of the connection with these keys of `postgres`.
function check(keys, { database = 'postgres', host = 'localhost' } = {}) {
  const file = join(WORK, `${newId()}.conf`);
  const place = keys.connectionString ? {} : { host, port: server.port, database, user: 'postgres' };
  writeFileSync(file, libconfig({ postgres: { ...place, ...keys } }));
  const env = { HOME: WORK };
  const saved = process.env.STOWAGE_POSTGRES_CONNECTION_STRING;
  delete process.env.STOWAGE_POSTGRES_CONNECTION_STRING;
  try {
    const { stdout, stderr } = stowage(['check', '--config', file], { env });
    return stdout + stderr;
  } finally {
    process.env.STOWAGE_POSTGRES_CONNECTION_STRING = saved;
  }
}

describe('postgres.ssl', () => {
  for (const [what, ssl, said] of [
    ['not set: TLS as the server offers it', undefined, /^ok +TLS +TLSv1\.\d, \S+, sslmode prefer: the server is not verified$/m],
    ['false', false, /^ok +TLS +not in use, sslmode disable; the connection does not leave this machine$/m],
    ['require', 'require', /sslmode require: the server is not verified$/m],
    ['rejectUnauthorized = false', { rejectUnauthorized: false }, /^ok +TLS +.*sslmode require: the server is not verified$/m],
  ]) {
    test(what, () => assert.match(check(ssl === undefined ? {} : { ssl }), said));
  }

  test('a group verifies the server, by the authority in a file or in a text', () => {
    for (const ca of [pem('authority.pem'), text('authority.pem')]) {
      assert.match(check({ ssl: { ca } }), /^ok +TLS +TLSv1\.\d, \S+, sslmode verify-full: the server's certificate and name are verified$/m);
      assert.match(check({ ssl: { rejectUnauthorized: true, ca } }), /sslmode verify-full/);
    }
  });

  test('a server of another name, or of another authority, is refused', () => {
    assert.match(check({ ssl: { ca: pem('authority.pem') } }, { host: '127.0.0.1' }), /^failed +database .*does not match host name/m);
    assert.match(check({ ssl: { ca: pem('stranger.pem') } }), /^failed +database .*certificate verify failed/m);
    assert.match(check({ ssl: true }), /^failed +database .*root certificate file .* does not exist/m);
  });

  test('rejectUnauthorized = false takes any server, also beside a root.crt', () => {
    mkdirSync(join(WORK, '.postgresql'), { recursive: true });
    writeFileSync(join(WORK, '.postgresql/root.crt'), text('stranger.pem'));
    try {
      assert.match(check({ ssl: { rejectUnauthorized: false } }), /^ok +TLS .*the server is not verified$/m);
      assert.match(check({ ssl: true }), /certificate verify failed/);
    } finally {
      rmSync(join(WORK, '.postgresql'), { recursive: true });
    }
  });

  test('the worker shows its own certificate, from files or from texts', () => {
    const files = { ca: pem('authority.pem'), cert: pem('client.pem'), key: pem('client.key') };
    const texts = { ca: text('authority.pem'), cert: text('client.pem'), key: text('client.key') };
    for (const ssl of [files, texts, { ...texts, ca: files.ca }]) {
      const said = check({ ssl }, { database: 'template1' });
      assert.match(said, /^ok +TLS .*name are verified; own certificate: \S+$/m);
      assert.doesNotMatch(said, /BEGIN/);
    }
    assert.match(check({ ssl: { ca: files.ca } }, { database: 'template1' }), /^failed +database .*requires a valid client certificate/m);
  });

  test('what the connection string says must agree', () => {
    const connectionString = `postgresql://postgres@localhost:${server.port}/postgres?sslmode=verify-full&sslrootcert=${pem('authority.pem')}`;
    for (const ssl of [true, {}, { ca: pem('authority.pem') }]) assert.match(check({ connectionString, ssl }), /^ok +TLS .*name are verified$/m);
    for (const ssl of [false, { rejectUnauthorized: false }]) {
      assert.match(check({ connectionString, ssl }), /postgres\.ssl: contradicts sslmode=verify-full in postgres\.connectionString/);
    }
    assert.match(check({ connectionString, ssl: { ca: pem('stranger.pem') } }), /postgres\.ssl\.ca: contradicts sslrootcert=/);
  });
});

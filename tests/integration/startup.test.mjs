// Errors at startup name the cause and the solution.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { BROKERS, closeShared, CONNECTION, freePort, initSchema, libconfig, newId, pg, sleep, sql, stowage, stowageAsync,
  until, withAdmin, Worker, WORK } from '../compat/lib/harness.mjs';

const EXIT = { usage: 2, config: 3, database: 4, kafka: 5 };
const made = [];
after(async () => {
  for (const name of made) await sql(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
  await closeShared();
});

const database = new URL(CONNECTION);
const url = (change) => {
  const other = new URL(CONNECTION);
  change(other);
  return other.toString();
};

// Runs the worker until its log matches `says`, then stops it if it still runs.
async function complains(config, says, { env = {}, code } = {}) {
  const worker = new Worker({ name: 'startup', env, config: { kafka: { groupId: `startup-${newId()}`, topics: ['startup.none'] }, ...config } });
  await worker.start({ ready: false });
  try {
    await until(`the log says ${says}`, () => says.test(worker.log) || worker.exit, { onTimeout: () => worker.tail() });
    assert.match(worker.log, says);
    // Either the worker waits, alive but not ready, or it has exited with the status of the error.
    await until('it waits or has exited', async () => worker.exit || (await worker.get('/readyz').catch(() => null))?.status === 503);
    if (!worker.exit) {
      assert.equal((await worker.get('/livez').catch(() => ({ status: 200 }))).status, 200);
      worker.child.kill('SIGTERM');
      await worker.exited;
    }
    assert.equal(worker.exit.signal, null);
    if (code !== undefined && worker.exit.code !== 0) assert.equal(worker.exit.code, code);
  } finally {
    if (!worker.exit) await worker.kill();
  }
  return worker;
}

// Writes the server's pg_hba.conf.
function rules(admin, file, lines) {
  return admin.query(`COPY (SELECT unnest(ARRAY[${lines.map((line) => pg.escapeLiteral(line)).join(', ')}])) TO ${pg.escapeLiteral(file)}`);
}

describe('the database', () => {
  test('does not listen', async () => {
    const port = await freePort();
    const env = { STOWAGE_POSTGRES_CONNECTION_STRING: url((u) => { u.port = port; }) };
    await complains({}, new RegExp(`${port}|refused`), { env });
    const check = stowage(['check'], { env });
    assert.equal(check.code, EXIT.database, check.stderr);
    assert.match(check.stderr + check.stdout, /refused|connect/i);
  });

  test('does not exist', async () => {
    const env = { STOWAGE_POSTGRES_CONNECTION_STRING: url((u) => { u.pathname = '/no_such_database'; }) };
    await complains({}, /no_such_database/, { env, code: EXIT.database });
    assert.equal(stowage(['init'], { env }).code, EXIT.database);
  });

  test('does not have the role', async () => {
    const env = { STOWAGE_POSTGRES_CONNECTION_STRING: url((u) => { u.username = 'no_such_role'; }) };
    await complains({}, /no_such_role/, { env });
    assert.equal(stowage(['check'], { env }).code, EXIT.database);
  });

  test('rejects the password, which no output shows', { skip: !process.env.STACK_POSTGRES_ADMIN }, async () => {
    // The stack trusts all roles. This test adds a role and a rule that requires its password.
    const role = `secret_${newId()}`;
    const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
    await admin.connect();
    let restore = () => {};
    try {
      const { rows: [{ file, lines }] } = await admin.query(`SELECT current_setting('hba_file') AS file,
        (SELECT array_agg(line) FROM unnest(string_to_array(pg_read_file(current_setting('hba_file')), E'\\n')) AS line WHERE line ~ '^\\s*(local|host)') AS lines`);
      restore = () => rules(admin, file, lines);
      await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'right'`);
      await rules(admin, file, [`host all ${role} 127.0.0.1/32 scram-sha-256`, ...lines]);
      await admin.query('SELECT pg_reload_conf()');
      const env = { STOWAGE_POSTGRES_CONNECTION_STRING: url((u) => { u.username = role; u.password = 'wrong-secret'; }) };
      // The server applies new rules after a moment.
      await until('the server asks for a password', async () => {
        const client = new pg.Client({ connectionString: env.STOWAGE_POSTGRES_CONNECTION_STRING });
        return client.connect().then(() => client.end().then(() => false), (error) => error.code === '28P01');
      });
      const worker = await complains({}, /password authentication failed/, { env });
      assert.doesNotMatch(worker.log, /wrong-secret/);
      const check = stowage(['check'], { env });
      assert.equal(check.code, EXIT.database, check.stderr);
      assert.doesNotMatch(check.stdout + check.stderr, /wrong-secret/);
    } finally {
      await restore();
      await admin.query('SELECT pg_reload_conf()');
      await admin.query(`DROP ROLE IF EXISTS ${role}`);
      await admin.end();
    }
  });

  for (const disableInit of [false, true]) {
    test(`is away when the worker starts, and then lacks tables, disableInit = ${disableInit}`, async (t) => {
      const name = `later_${newId()}`;
      made.push(name);
      if (disableInit) await sql(`CREATE SCHEMA "${name}"`);
      const port = await freePort();
      const address = new URL(CONNECTION);
      const target = { host: address.hostname, port: Number(address.port || 5432) };
      address.port = port;
      const worker = new Worker({ name: 'later', env: { STOWAGE_POSTGRES_CONNECTION_STRING: String(address) },
        config: { postgres: { schemaName: name, disableInit }, kafka: { groupId: name, topics: [`test.${name}`] } } });
      t.after(() => worker.exit ?? worker.kill());
      await worker.start({ ready: false });
      await until('it waits', () => /PostgreSQL|database/.test(worker.log) && worker.get('/readyz').then(({ status }) => status === 503, () => false));
      const server = createServer((socket) => {
        const behind = connect(target);
        for (const [from, to] of [[socket, behind], [behind, socket]]) from.on('error', () => to.destroy()).pipe(to);
      });
      t.after(() => server.close());
      await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
      if (disableInit) {
        const { code } = await worker.exited;
        assert.equal(code, EXIT.database, worker.log);
        assert.match(worker.log, /stowage init/);
      } else {
        await until('the tables are there', async () => (await sql('SELECT to_regclass($1) AS oid', [`"${name}".stowage_offsets`]))[0].oid);
        await until('it has started', () => /msg="stowage started"/.test(worker.log));
        await worker.stop();
      }
    });
  }

  test('has no tables, and the worker may not create them', async () => {
    const name = `empty_${newId()}`;
    made.push(name);
    await sql(`CREATE SCHEMA "${name}"`);
    const config = { postgres: { schemaName: name, disableInit: true } };
    await complains(config, /stowage init/);
    const check = stowage(['check'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: name } });
    assert.equal(check.code, EXIT.database, check.stderr);
    assert.match(check.stdout + check.stderr, /has no tables of Stowage/);
    assert.match(check.stdout + check.stderr, /stowage init/);
  });

  test('has old tables', async () => {
    const name = `old_${newId()}`;
    made.push(name);
    initSchema(name);
    await sql(`ALTER TABLE "${name}".mastra_messages DROP COLUMN "resourceId"`);
    const config = { postgres: { schemaName: name, disableInit: true } };
    await complains(config, /resourceId|mastra_messages/);
    const check = stowage(['check'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: name } });
    assert.equal(check.code, EXIT.database, check.stderr);
    // init makes the same migration as the reference's init.
    initSchema(name);
    assert.equal((await sql(`SELECT 1 FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'mastra_messages' AND column_name = 'resourceId'`, [name])).length, 1);
  });

  test('is in order', async () => {
    const name = `good_${newId()}`;
    made.push(name);
    initSchema(name);
    // A broker reports a new topic after a moment, and another suite may delete one.
    let check;
    await until('everything is in order', () => {
      const topics = stowage(['topics', 'create']);
      assert.equal(topics.code, 0, topics.stderr);
      check = stowage(['check'], { env: { STOWAGE_POSTGRES_SCHEMA_NAME: name } });
      return check.code === 0;
    }, { onTimeout: () => check.stdout + check.stderr });
  });
});

describe('Kafka', () => {
  test('does not listen', async () => {
    const port = await freePort();
    const name = `nokafka_${newId()}`;
    made.push(name);
    const env = { STOWAGE_KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}`, STOWAGE_POSTGRES_SCHEMA_NAME: name };
    await complains({}, new RegExp(`127\\.0\\.0\\.1:${port}`), { env });
    const send = await stowageAsync(['send', 'storage.ping', '--timeout', '3'], { env });
    assert.equal(send.code, EXIT.kafka, send.stderr);
  });

  test('stays unavailable: one log line reports it with the reason', async () => {
    const port = await freePort();
    const env = { STOWAGE_KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}` };
    const worker = new Worker({ name: 'away', env, config: { kafka: { groupId: `away-${newId()}` } } });
    await worker.start({ ready: false });
    try {
      const lines = () => worker.log.split('\n').filter((line) => /broker/i.test(line) || line.includes(`:${port}`));
      await until('the log reports it', () => lines().length > 0, { onTimeout: () => worker.tail() });
      await sleep(3000);
      assert.equal(lines().length, 1, worker.tail());
      assert.match(lines()[0], /no Kafka broker can be reached.*Connection refused/);
    } finally {
      await worker.stop();
    }
  });

  test('has wrong properties: the worker tries no broker', async () => {
    const WRONG = { 'security.protocol=ssl,ssl.ca.location=/nope.pem': /ssl\.ca\.location/,
      'security.protocol=sasl_ssl,sasl.mechanism=PLAIN': /sasl\.username/, 'session.timeout.ms=900000': /max\.poll\.interval\.ms/ };
    for (const [properties, says] of Object.entries(WRONG)) {
      const env = { STOWAGE_KAFKA_PROPERTIES: properties };
      for (const command of [['check'], ['run'], ['topics', 'create'], ['send', 'storage.ping']]) {
        if (properties.startsWith('session') && command.length > 1) continue; // the producer ignores this property
        const done = await stowageAsync(command, { env });
        assert.equal(done.code, EXIT.config, `${command} ${properties}: ${done.stderr}`);
        assert.match(done.stdout + done.stderr, says);
        assert.match(done.stdout + done.stderr, /kafka\.properties/);
        assert.doesNotMatch(done.stdout + done.stderr, /is the broker running/);
      }
    }
  });

  test('has none of the topics: the log says so and names the solution', async () => {
    const name = `notopics_${newId()}`;
    made.push(name);
    await complains({ postgres: { schemaName: name } }, /topic/i, {});
  });

  test('stowage topics create creates them once', async () => {
    const prefix = `made.${newId()}`;
    const env = { STOWAGE_KAFKA_TOPICS: `${prefix}.memory,${prefix}.workflows`, STOWAGE_KAFKA_TOPIC_PARTITIONS: '3' };
    for (let i = 0; i < 2; i++) {
      const done = await stowageAsync(['topics', 'create'], { env });
      assert.equal(done.code, 0, done.stderr);
    }
    await withAdmin(async (admin) => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix)).sort();
      assert.deepEqual(topics, [`${prefix}.memory`, `${prefix}.memory.dlq`, `${prefix}.workflows`, `${prefix}.workflows.dlq`]);
      const { topics: [{ partitions }] } = await admin.fetchTopicMetadata({ topics: [`${prefix}.memory`] });
      assert.equal(partitions.length, 3);
      await admin.deleteTopics({ topics });
    });
  });
});

describe('the port of /metrics', () => {
  test('is taken', async () => {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    try {
      const worker = new Worker({ name: 'port', config: { kafka: { groupId: `port-${newId()}`, topics: ['startup.none'] } } });
      const file = join(WORK, `port-${newId()}.conf`);
      writeFileSync(file, libconfig({ ...worker.config, http: { address: `127.0.0.1:${port}` } }));
      const done = await stowageAsync(['run', '--config', file], { env: { STOWAGE_LOG_LEVEL: 'debug' } });
      assert.notEqual(done.code, 0);
      assert.match(done.stderr, new RegExp(`${port}`));
      assert.match(done.stderr, /in use|taken/i);
      // The worker checks the port before anything else, and names the key once.
      assert.match(done.stderr, /^[^\n]*http\.address[^\n]*\n$/);
      assert.equal(done.stderr.split('http.address').length, 2, done.stderr);
    } finally {
      server.close();
    }
  });

  test('answers from the start, while the worker still connects', async () => {
    const env = { STOWAGE_KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` };
    const worker = new Worker({ name: 'starting', env, config: { kafka: { groupId: `starting-${newId()}` } } });
    await worker.start({ ready: false });
    const whyNot = async () => {
      const response = await worker.get('/readyz').catch(() => null);
      return response?.status === 503 ? response.text() : '';
    };
    try {
      await until('it reports that it starts', async () => await whyNot() === 'starting\n');
      assert.equal((await worker.get('/livez')).status, 200);
      await until('it reports what it waits for', async () => await whyNot() === 'kafka: no broker can be reached\n');
    } finally {
      await worker.stop();
    }
  });
});

describe('the configuration', () => {
  // [text of the file, expected standard error]
  const WRONG = {
    'not libconfig': ['kafka: {', /\.conf:\d+/],
    'an unknown key': ['kafka: { groupID = "x"; };', /:1: .*kafka\.groupID.*kafka\.groupId/s],
    'an unknown group': ['kafak: { groupId = "x"; };', /kafak/],
    'an unknown key on a later line': ['kafka: {\n  groupId = "x";\n  bootstrapServer = "y";\n};', /:3: .*bootstrapServers/s],
    'a number where text belongs': ['kafka: { groupId = 5; };', /kafka\.groupId/],
    'a text where a number belongs': ['postgres: { max = "many"; };', /postgres\.max/],
    'a fraction where a whole number belongs': ['postgres: { max = 1.5; };', /postgres\.max/],
    'a number below its range': ['postgres: { max = 0; };', /postgres\.max.*1/s],
    'a number above its range': ['postgres: { port = 70000; };', /postgres\.port.*65535/s],
    'an unknown choice': ['log: { level = "loud"; };', /log\.level.*debug/s],
    'a text where true or false belongs': ['postgres: { disableInit = "yes"; };', /postgres\.disableInit/],
    'a text where a list belongs': ['kafka: { topics = "one"; };', /kafka\.topics/],
    'an empty list': ['kafka: { topics = []; };', /kafka\.topics/],
    'a wrong pattern of topics': ['kafka: { topics = ["^("]; };', /kafka\.topics/],
    'a wrong pattern of replies': ['replies: { allow = "("; };', /replies\.allow/],
    'a property without a value': ['kafka: { properties = ["acks"]; };', /kafka\.properties/],
    'a property that the guarantees depend on': ['kafka: { properties = ["enable.auto.commit=true"]; };', /enable\.auto\.commit/],
    'a property that librdkafka does not know': ['kafka: { properties = ["no.such=1"]; };', /no\.such/],
    'an address without port': ['http: { address = "127.0.0.1"; };', /http\.address/],
    'a schema name that is too long': [`postgres: { schemaName = "${'x'.repeat(64)}"; };`, /postgres\.schemaName/],
    'a key twice': ['kafka: { groupId = "a"; groupId = "b"; };', /groupId|duplicate/],
    'two mistakes, both reported': ['postgres: { max = 0; };\nlog: { level = "loud"; };', /postgres\.max[\s\S]*log\.level|log\.level[\s\S]*postgres\.max/],
  };
  for (const [name, [content, says]] of Object.entries(WRONG)) {
    test(name, () => {
      const file = join(WORK, `wrong-${newId()}.conf`);
      writeFileSync(file, `${content}\n`);
      const env = { STOWAGE_KAFKA_BOOTSTRAP_SERVERS: BROKERS };
      for (const command of name.includes('librdkafka') ? ['run'] : ['run', 'config']) {
        const done = stowage([command, '--config', file], { env });
        assert.equal(done.code, EXIT.config, `${command}: ${done.stderr}`);
        assert.match(done.stderr, says);
      }
    });
  }

  test('a directory of schemas that does not exist or has an invalid file', async () => {
    const directory = join(WORK, `schemas-${newId()}`);
    const env = { STOWAGE_SCHEMAS_DIRECTORY: directory };
    const fails = async (says) => {
      for (const command of ['check', 'run']) {
        const done = await stowageAsync([command], { env });
        assert.equal(done.code, EXIT.config, `${command}: ${done.stdout}${done.stderr}`);
        assert.match(done.stdout + done.stderr, /schemas\.directory/);
        assert.match(done.stdout + done.stderr, says);
      }
    };
    await fails(/No such file/);
    mkdirSync(directory);
    assert.match(stowage(['check'], { env }).stdout, new RegExp(`ok +schemas +.*${directory}`));
    writeFileSync(join(directory, 'half.avsc'), '{"type":');
    await fails(/half\.avsc/);
  });

  test('a file that does not exist', () => {
    const done = stowage(['run', '--config', '/no/such/file.conf']);
    assert.equal(done.code, EXIT.config);
    assert.match(done.stderr, /\/no\/such\/file\.conf/);
  });

  test('the environment overrides the file, and its mistakes are reported, too', () => {
    const file = join(WORK, `env-${newId()}.conf`);
    writeFileSync(file, 'kafka: { groupId = "from-file"; };\n');
    const shown = stowage(['config', '--config', file], { env: { STOWAGE_KAFKA_GROUP_ID: 'from-environment' } });
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /from-environment/);
    assert.doesNotMatch(shown.stdout, /from-file/);
    const wrong = stowage(['config'], { env: { STOWAGE_POSTGRES_MAX: 'many' } });
    assert.equal(wrong.code, EXIT.config);
    assert.match(wrong.stderr, /STOWAGE_POSTGRES_MAX/);
  });

  test('secrets are masked', () => {
    const directory = join(WORK, `secrets-${newId()}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'password'), 'from-a-file\n');
    const done = stowage(['config'], { env: { STOWAGE_POSTGRES_CONNECTION_STRING: url((u) => { u.password = 'in-the-url'; }),
      STOWAGE_POSTGRES_PASSWORD_FILE: join(directory, 'password'), STOWAGE_KAFKA_PROPERTIES: 'sasl.password=in-a-property' } });
    assert.doesNotMatch(done.stdout + done.stderr, /in-the-url|from-a-file|in-a-property/);
    assert.equal(done.code, 0, done.stderr);
    assert.ok(done.stdout.includes(database.hostname));
  });

  test('the reference of all keys', () => {
    const done = stowage(['config', '--reference']);
    assert.equal(done.code, 0, done.stderr);
    for (const key of ['postgres.connectionString', 'kafka.bootstrapServers', 'replies.allow', 'http.address', 'STOWAGE_KAFKA_TOPICS']) {
      assert.ok(done.stdout.includes(key), key);
    }
  });
});

describe('the command line', () => {
  test('help, version, wrong usage', () => {
    for (const args of [['--help'], ['run', '--help'], ['send', '--help'], ['offsets', '--help'], ['version'], ['--version']]) {
      const done = stowage(args);
      assert.equal(done.code, 0, args.join(' '));
      assert.ok(done.stdout.length > 10);
      assert.equal(done.stderr, '');
    }
    for (const [args, says] of [[[], /Usage/], [['rum'], /run/], [['run', '--confg', 'x'], /--config/], [['run', 'x'], /x/], [['offsets', 'shw'], /show/], [['send', '--timeout', 'x', 'storage.ping'], /timeout/]]) {
      const done = stowage(args);
      assert.equal(done.code, EXIT.usage, `${args.join(' ')}: ${done.stderr}`);
      assert.match(done.stderr + done.stdout, says);
    }
  });
});

test('a worker whose init fails for a passing reason waits and then works', async () => {
  const schemaName = `t_${newId()}`;
  made.push(schemaName);
  await sql(`CREATE SCHEMA "${schemaName}"`);
  // As during a maintenance: tables cannot be created for a moment.
  const admin = new pg.Client({ connectionString: process.env.STACK_POSTGRES_ADMIN });
  await admin.connect();
  const worker = new Worker({ name: 'init', config: { postgres: { schemaName }, kafka: { groupId: `startup-${newId()}`, topics: [`startup.${newId()}`] } } });
  try {
    await admin.query(`ALTER SCHEMA "${schemaName}" OWNER TO postgres; REVOKE CREATE ON SCHEMA "${schemaName}" FROM stowage; GRANT USAGE ON SCHEMA "${schemaName}" TO stowage`);
    await worker.start({ ready: false });
    await until('init has failed', () => /permission denied/.test(worker.log) || worker.exit, { onTimeout: () => worker.tail() });
    assert.ok(!worker.exit, worker.tail());
    await admin.query(`ALTER SCHEMA "${schemaName}" OWNER TO stowage`);
    await until('the tables are there', async () => (await sql(`SELECT to_regclass('"${schemaName}".stowage_offsets') AS found`))[0].found, { onTimeout: () => worker.tail() });
    assert.ok(!worker.exit, worker.tail());
  } finally {
    await worker.kill();
    await admin.end();
  }
});

// second_broker.mjs - a second Kafka broker beside the stack's, which is its controller too

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, ROOT, sleep, until } from '../../compat/lib/harness.mjs';

const opens = (port) => new Promise((resolve) => {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('connect', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

export class SecondBroker {
  async prepare() {
    this.directory = process.env.STACK_DIR;
    this.file = join(this.directory, 'server2.properties');
    this.log = join(this.directory, 'kafka2.log');
    this.port = await freePort();
    this.loginPort = await freePort();
    this.java = execFileSync('bash', ['-c', '. compose/lib/load.sh; broker_java_words'], { cwd: ROOT, encoding: 'utf8' })
      .split('\n').filter(Boolean);
    const base = readFileSync(join(this.directory, 'server.properties'), 'utf8').split('\n')
      .filter((line) => !/^(process.roles|node.id|listeners|advertised.listeners|log.dirs)=/.test(line));
    const listeners = `PLAINTEXT://127.0.0.1:${this.port},SASL_PLAINTEXT://127.0.0.1:${this.loginPort}`;
    writeFileSync(this.file, [...base, 'process.roles=broker', 'node.id=2', `listeners=${listeners}`,
      `advertised.listeners=${listeners}`, `log.dirs=${join(this.directory, 'kafka2')}`, ''].join('\n'));
    const cluster = /^cluster.id=(.*)$/m.exec(readFileSync(join(this.directory, 'kafka/meta.properties'), 'utf8'))[1];
    const [program, ...words] = this.java;
    execFileSync(program, [...words, '-XX:TieredStopAtLevel=1', 'kafka.tools.StorageTool', 'format', '--cluster-id', cluster, '--config', this.file], { stdio: 'ignore' });
    return this;
  }

  #spawn() {
    const [program, ...words] = this.java;
    const log = openSync(this.log, 'a');
    const child = spawn(program, [...words, '-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${join(this.directory, 'log4j2.properties')}`, 'kafka.Kafka', this.file], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => child.on('close', (code) => {
      if (this.child === child) this.child = undefined;
      resolve(code);
    }));
    process.on('exit', () => child.kill('SIGKILL'));
  }

  // Waits until it serves. A broker that ends while it starts, as without its controller, starts again.
  async start() {
    await until('the second broker serves', async () => {
      if (!this.child) this.#spawn();
      return await opens(this.port) || sleep(200, false);
    }, { timeoutMs: 400_000 });
  }

  async end(signal) {
    const { child } = this;
    if (!child) return;
    this.child = undefined;
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await this.exited;
    clearTimeout(killer);
    await sleep(0);
  }
}

// `stowage commands` explains the storage commands from the binary alone.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeShared, schemas, stowage, World } from '../compat/lib/harness.mjs';

const run = (...args) => stowage(['commands', ...args]);
const names = [...schemas().commands.keys()];
let world;
before(async () => { world = await new World({ name: 'commands' }).open(); });
after(async () => {
  await world?.close();
  await closeShared();
});

describe('stowage commands', () => {
  test('lists every command on a line, with its flags and what it does', () => {
    const lines = run().stdout.trim().split('\n');
    assert.deepEqual(lines.map((line) => line.split(' ')[0]), names);
    for (const line of lines) assert.match(line, /^\S+ +(read|write)( [a-z]+)* +[A-Z].*\.$/);
    const json = JSON.parse(run('--format', 'json').stdout);
    assert.deepEqual(json.map(({ command }) => command), names);
    assert.deepEqual(Object.keys(json[0]), ['command', 'flags', 'summary']);
  });

  test('explains one: fields with types, words, the reply, errors, and an example', () => {
    const { stdout, code } = run('agents.list');
    assert.equal(code, 0);
    assert.match(stdout, /^agents\.list: Lists/);
    assert.match(stdout, /status +string\? +.*One of: draft, published, archived\./);
    assert.match(stdout, /topic +mastra\.commands\.agents/);
    assert.match(stdout, /agents +Agent\[\]/);
    assert.match(stdout, /its own +INVALID_PAGE|its own .*INVALID_PAGE/);
    const json = JSON.parse(run('agents.list', '--format', 'json').stdout);
    assert.deepEqual(json.errors, schemas().command('agents.list').errors.slice(0, json.errors.length));
    assert.deepEqual(json.reply, schemas().command('agents.list').replySchema.source);
  });

  test('the worker takes the examples', async () => {
    for (const command of ['memory.saveThread', 'memory.saveMessages', 'memory.listMessages', 'storage.transaction', 'workflows.persistWorkflowSnapshot', 'agents.create', 'blobs.putMany']) {
      const { stdout } = run(command);
      const example = /Example:\n {2}stowage send (\S+) '(.*)'/.exec(stdout);
      assert.equal(example[1], command);
      // The key keeps them in their order.
      const reply = await world.client.exchange(example[2], { command, key: 'k', headers: { 'content-type': 'application/json', command } });
      assert.equal(reply.decoded.code, undefined, `${command}: ${JSON.stringify(reply.decoded)}`);
    }
  });

  test('names the nearest command', () => {
    const { code, stderr } = run('memory.savThread');
    assert.equal(code, 1);
    assert.match(stderr, /unknown command memory\.savThread; did you mean memory\.saveThread\?/);
    assert.equal(run('memory.saveThread', '--format', 'xml').code, 2);
  });
});

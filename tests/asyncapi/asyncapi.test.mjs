// The AsyncAPI document that `stowage schemas` writes: the official parser accepts it and resolves all of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromFile, Parser } from '@asyncapi/parser';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = process.env.STOWAGE_BIN ?? join(ROOT, 'build/release/stowage');
const ERROR = 0; // of the severities of diagnostics
const directory = mkdtempSync(join(process.env.STOWAGE_TEST_TMP ?? tmpdir(), 'stowage-asyncapi-'));
const file = join(directory, 'asyncapi.json');
const parse = () => fromFile(new Parser(), file).parse();

let index;
let parsed;
before(async () => {
  const made = spawnSync(BINARY, ['schemas', '--output', directory], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  parsed = await parse();
});
after(() => rmSync(directory, { recursive: true, force: true }));

test('the parser finds no error', () => {
  assert.deepEqual(parsed.diagnostics.filter(({ severity }) => severity === ERROR), []);
  assert.equal(parsed.document.version(), '3.0.0');
});

test('each command is an operation on its topic, with its schema, its key and its reply', () => {
  const { document } = parsed;
  assert.deepEqual(document.operations().all().map((operation) => operation.id()), index.map(({ command }) => command));
  for (const { command, topic, key, request, reply } of index) {
    const operation = document.operations().get(command);
    assert.equal(operation.action(), 'receive');
    assert.equal(operation.channels().all()[0].address(), topic);
    const [message] = operation.messages().all();
    const read = (path) => JSON.parse(readFileSync(join(directory, path), 'utf8'));
    assert.equal(message.name(), command);
    assert.equal(message.json().payload.schema.doc, read(request).doc);
    assert.equal(message.headers().property('reply-to').type(), 'string');
    assert.match(message.bindings().get('kafka').value().key.description, key ? new RegExp(`${key.replace(/[.[\]]/g, '\\$&')}\\.`) : /^Any/);
    const answers = operation.reply().messages().all().map((answer) => answer.json().payload.schema.name);
    assert.deepEqual(answers, [read(reply).name, 'Error']);
    assert.equal(operation.reply().address().location(), '$message.header#/reply-to');
  }
});

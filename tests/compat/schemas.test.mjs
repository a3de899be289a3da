// What `stowage schemas --output DIR` writes: the contract that clients are built on.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { PgVector, PostgresStore } from '@mastra/pg';
import { crc64Avro, fingerprintOf } from './lib/avro.mjs';
import { declared } from './lib/declared.mjs';
import { CONNECTION, stowage, WORK } from './lib/harness.mjs';

const MEMORY = ['getThreadById', 'saveThread', 'updateThread', 'patchThread', 'updateThreadResourceId', 'deleteThread', 'listThreads',
  'saveMessages', 'updateMessages', 'deleteMessages', 'listMessages', 'listMessagesByResourceId', 'listMessagesById',
  'getResourceById', 'saveResource', 'updateResource', 'copyThread', 'cloneThread', 'getObservationalMemory',
  'getObservationalMemoryHistory', 'initializeObservationalMemory', 'insertObservationalMemoryRecord', 'updateActiveObservations',
  'createReflectionGeneration', 'setReflectingFlag', 'setObservingFlag', 'setBufferingObservationFlag', 'setBufferingReflectionFlag',
  'clearObservationalMemory', 'setPendingMessageTokens', 'updateObservationalMemoryConfig', 'updateBufferedObservations',
  'swapBufferedToActive', 'updateBufferedReflection', 'swapBufferedReflectionToActive'];
const WORKFLOWS = ['updateWorkflowResults', 'updateWorkflowState', 'persistWorkflowSnapshot', 'loadWorkflowSnapshot', 'listWorkflowRuns',
  'getWorkflowRunById', 'deleteWorkflowRunById'];
const STORAGE = ['ping', 'init', 'exportSchemas'];
const EXPECTED = [...MEMORY.map((m) => `memory.${m}`), ...WORKFLOWS.map((m) => `workflows.${m}`), ...STORAGE.map((m) => `storage.${m}`)];

// The commands whose order matters have a key; it is what their partition hangs on.
const KEYS = { 'memory.saveThread': 'thread.id', 'memory.getThreadById': 'threadId', 'memory.saveMessages': 'messages[0].threadId',
  'workflows.persistWorkflowSnapshot': 'runId' };

// Large lists and searches; every other read shows exactly the writes before it.
const DETACHED = ['experiments.getReviewSummary', 'observability.listTraces', 'observability.listTracesLight', 'scores.listScoresByEntityId', 'scores.listScoresByRunId',
  'scores.listScoresByScorerId', 'vectors.query', 'workflows.listWorkflowRuns'];

// The worker's own commands.
const OWN = ['storage.exportSchemas', 'storage.ping', 'storage.query', 'storage.transaction', 'vectors.describeBuild'];

const directory = join(WORK, 'contract');
let index;
const read = (path) => JSON.parse(readFileSync(join(directory, path), 'utf8'));
const pascal = (method) => method[0].toUpperCase() + method.slice(1);

before(() => {
  const made = stowage(['schemas', '--output', directory]);
  assert.equal(made.code, 0, made.stderr);
  index = read('index.json');
});

describe('stowage schemas', () => {
  test('CRC-64-AVRO here is that of the specification', () => {
    // From Avro's own tests of fingerprints.
    assert.equal(BigInt.asIntN(64, crc64Avro('"null"')), 7195948357588979594n);
    assert.equal(BigInt.asIntN(64, crc64Avro('"int"')), 8247732601305521295n);
    assert.equal(BigInt.asIntN(64, crc64Avro('')), BigInt.asIntN(64, 0xc15d213aa4d7a795n));
  });

  test('lists every command once', () => {
    const commands = index.map((entry) => entry.command);
    assert.equal(new Set(commands).size, commands.length);
    for (const command of EXPECTED) assert.ok(commands.includes(command), `${command} is missing`);
  });

  test('is a list of commands with exactly the declared properties', () => {
    for (const entry of index) {
      const names = Object.keys(entry).filter((name) => !['key', 'parameters'].includes(name)).sort();
      assert.deepEqual(names, ['command', 'errors', 'example', 'flags', 'reply', 'replyFingerprint', 'request', 'requestFingerprint', 'topic'], entry.command);
      assert.equal(new Set(entry.errors).size, entry.errors.length, entry.command);
      assert.ok(entry.errors.includes('DEADLINE_PASSED'), entry.command);
      assert.equal(entry.topic, `mastra.commands.${entry.command.split('.')[0]}`);
      assert.equal(entry.flags.filter((flag) => ['read', 'write'].includes(flag)).length, 1, entry.command);
      for (const fingerprint of [entry.requestFingerprint, entry.replyFingerprint]) assert.match(fingerprint, /^[0-9a-f]{16}$/);
      for (const path of [entry.request, entry.reply]) assert.ok(existsSync(join(directory, path)), path);
    }
  });

  test('marks the reads that may show later writes', () => {
    const detached = index.filter((entry) => entry.flags.includes('detached')).map((entry) => entry.command);
    assert.deepEqual(detached, DETACHED);
    for (const entry of index) if (entry.flags.includes('detached')) assert.ok(entry.flags.includes('read'), entry.command);
  });

  test('gives the positional parameters that the reference declares, in their order', () => {
    for (const { command, request, parameters } of index) {
      const found = declared(command);
      if (!found) {
        assert.ok(OWN.includes(command), `the reference declares no ${command}`);
        continue;
      }
      assert.equal(parameters !== undefined, found.positional, `${command}: ${JSON.stringify(found.parameters)}`);
      if (!parameters) continue;
      // A signal is no field; versions call their parent entityId, whatever it is.
      const expected = found.parameters.map(({ name }) => name);
      const names = parameters.map((parameter) => (Array.isArray(parameter) ? 'options' : parameter));
      assert.equal(names.length, expected.length, command);
      names.forEach((name, i) => expected[i] === 'entityId' || assert.equal(name, expected[i], command));
      assert.deepEqual(parameters.flat(), read(request).fields.map((f) => f.name), command);
    }
  });

  test('says what the reference says of itself', async () => {
    const store = new PostgresStore({ id: 'store', connectionString: CONNECTION });
    const objects = { vectors: new PgVector({ id: 'vectors', connectionString: CONNECTION }) };
    const told = read('store.json');
    for (const [domain, properties] of Object.entries(told)) {
      const object = objects[domain] ?? await store.getStore(domain);
      for (const [name, value] of Object.entries(properties)) {
        const found = typeof object[name] === 'function' ? object[name]() : object[name];
        assert.deepEqual(found ?? null, value, `${domain}.${name}`);
      }
    }
    await store.close();
    await objects.vectors.disconnect();
  });

  test('every nullable field of a reply says what the reference returns without a value', () => {
    const walk = (schema, where) => {
      if (Array.isArray(schema)) schema.forEach((branch) => walk(branch, where));
      if (schema === null || typeof schema !== 'object') return;
      for (const field of schema.fields ?? []) {
        assert.equal(['null', 'undefined'].includes(field.absent), Array.isArray(field.type), `${where}.${field.name}`);
        walk(field.type, `${where}.${field.name}`);
      }
      for (const part of [schema.items, schema.values, schema.type]) walk(part, where);
    };
    for (const { reply } of index) walk(read(reply), reply);
  });

  test('every record and field has a documentation', () => {
    const walk = (schema, where) => {
      if (Array.isArray(schema)) schema.forEach((branch) => walk(branch, where));
      if (schema === null || typeof schema !== 'object') return;
      if (schema.fields) assert.match(schema.doc ?? '', /^[A-Z].*\.$/, where);
      for (const field of schema.fields ?? []) {
        assert.match(field.doc ?? '', /^\S.*\S$/, `${where}.${field.name}`);
        walk(field.type, `${where}.${field.name}`);
      }
      for (const part of [schema.items, schema.values, schema.type]) walk(part, where);
    };
    for (const { request, reply } of index) for (const path of [request, reply]) walk(read(path), path);
    walk(read('Error.avsc'), 'Error.avsc');
  });

  test('names records and files after the commands', () => {
    for (const entry of index) {
      const [domain, method] = entry.command.split('.');
      assert.equal(entry.request, `${domain}/${pascal(method)}.avsc`);
      assert.equal(entry.reply, `${domain}/${pascal(method)}Reply.avsc`);
      for (const [path, name] of [[entry.request, pascal(method)], [entry.reply, `${pascal(method)}Reply`]]) {
        const schema = read(path);
        const full = schema.name.includes('.') ? schema.name : `${schema.namespace}.${schema.name}`;
        assert.equal(full, `mastra.${domain}.${name}`);
      }
    }
  });

  test('gives the fingerprints that another implementation finds', () => {
    const seen = new Map();
    for (const entry of index) {
      for (const [path, fingerprint] of [[entry.request, entry.requestFingerprint], [entry.reply, entry.replyFingerprint]]) {
        assert.equal(fingerprint, fingerprintOf(read(path)), path);
        assert.ok(!seen.has(fingerprint), `${path} and ${seen.get(fingerprint)} have the same fingerprint`);
        seen.set(fingerprint, path);
      }
    }
  });

  test('replies have the single field result', () => {
    for (const entry of index) assert.deepEqual(read(entry.reply).fields.map((f) => f.name), ['result'], entry.command);
  });

  test('the key is a field of the request, and a text', () => {
    for (const { command, request, key } of index) {
      if (key === undefined) continue;
      let schema = read(request);
      const types = new Map();
      const collect = (s, namespace) => {
        if (Array.isArray(s)) s.forEach((b) => collect(b, namespace));
        else if (s && typeof s === 'object') {
          if (s.type === 'record') {
            types.set(`${s.namespace ?? namespace}.${s.name}`, s);
            s.fields.forEach((f) => collect(f.type, s.namespace ?? namespace));
          } else [s.items, s.values, s.type].forEach((part) => typeof part === 'object' && collect(part, namespace));
        }
      };
      collect(schema, '');
      const bare = (s) => {
        if (Array.isArray(s)) return bare(s.find((b) => b !== 'null'));
        if (typeof s === 'string') return types.get(s) ?? [...types.entries()].find(([n]) => n.endsWith(`.${s}`))?.[1] ?? s;
        return s;
      };
      for (const step of key.split(/[.[\]]+/).filter(Boolean)) {
        schema = bare(/^\d+$/.test(step) ? schema.items : schema.fields.find((f) => f.name === step)?.type);
        assert.ok(schema, `${command}: ${key}`);
      }
      if (schema.type === 'array') schema = schema.items;
      assert.equal(schema.type ?? schema, 'string', `${command}: ${key}`);
    }
    for (const [command, key] of Object.entries(KEYS)) {
      assert.equal(index.find((entry) => entry.command === command)?.key, key, command);
    }
  });

  test('only unions of null and one type, and a default of null, are used', () => {
    const walk = (schema, where) => {
      if (Array.isArray(schema)) {
        assert.equal(schema.length, 2, where);
        assert.ok(schema.includes('null'), where);
        schema.forEach((branch) => walk(branch, where));
      } else if (schema && typeof schema === 'object') {
        if (schema.type === 'record') {
          for (const field of schema.fields) {
            if (Array.isArray(field.type)) assert.equal(field.default, null, `${where}.${field.name}`);
            walk(field.type, `${where}.${field.name}`);
          }
        } else [schema.items, schema.values].forEach((part) => part && walk(part, where));
      }
    };
    for (const { request, reply } of index) {
      walk(read(request), request);
      walk(read(reply), reply);
    }
  });

  test('the error is the declared one', () => {
    const { name, namespace, fields } = read('Error.avsc');
    assert.equal(`${namespace}.${name}`, 'mastra.Error');
    assert.deepEqual(fields.map((f) => f.name), ['code', 'category', 'message', 'retryable', 'details']);
  });

  test('writing twice gives the same', () => {
    const again = join(WORK, 'contract-again');
    assert.equal(stowage(['schemas', '--output', again]).code, 0);
    for (const { request } of index) assert.equal(readFileSync(join(again, request), 'utf8'), readFileSync(join(directory, request), 'utf8'));
  });

  test('a folder that cannot be made is said so', () => {
    const failed = stowage(['schemas', '--output', '/proc/nowhere']);
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /\/proc\/nowhere/);
  });
});

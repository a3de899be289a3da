// observability-folded.test.mjs - spans and scores: commands that arrive together share statements, and must
// have the same effect as one after another. Stowage gets them all at once, the reference one by one.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { at } from './lib/fixtures.mjs';
import { Pair, SELF } from './lib/pair.mjs';

const pair = new Pair(['mastra_ai_spans', 'mastra_scorers']);

// The same cases in every run: a small pseudo-random number generator.
let state;
const below = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[below(list.length)];

const TEXTS = ['parentSpanId', 'entityId', 'entityName', 'userId', 'runId', 'experimentId', 'source'];
const JSONS = ['metadata', 'attributes', 'input', 'output', 'error', 'scope', 'requestContext'];

function values(chance) {
  const given = {};
  const maybe = (name, value) => {
    if (below(100) < chance) given[name] = below(3) ? value : null;
  };
  for (const name of TEXTS) maybe(name, `${name} ${below(100)}`);
  for (const name of JSONS) maybe(name, { n: below(100), text: 'x'.repeat(below(50)) });
  maybe('tags', [`tag ${below(9)}`]);
  maybe('links', [below(9)]);
  maybe('endedAt', at(below(1000)));
  return given;
}

const ids = () => ({ traceId: `t${below(3)}`, spanId: `s${below(6)}` });
const create = (chance) => ({ ...ids(), name: `n${below(100)}`, spanType: pick(['agent_run', 'tool_call', 'generic']), isEvent: below(2) === 1,
  startedAt: at(below(1000)), ...values(chance) });
const update = (chance) => ({ ...ids(), updates: { ...values(chance), ...(below(4) ? {} : { name: `u${below(100)}`, startedAt: at(below(1000)) }) } });
const several = (make) => Array.from({ length: below(6) }, make);

const MAKERS = {
  'observability.createSpan': (chance) => ({ span: create(chance) }),
  'observability.updateSpan': update,
  'observability.batchCreateSpans': (chance) => ({ records: several(() => create(chance)) }),
  'observability.batchUpdateSpans': (chance) => ({ records: several(() => update(chance)) }),
};

const sequence = (count, commands, chance) => Array.from({ length: count }, () => {
  const command = pick(commands);
  return { command, args: MAKERS[command](chance), key: 'one partition' };
});

// Runs all commands through Stowage at once and through the reference in order, and compares the rows.
async function together(list) {
  if (!SELF) {
    await pair.world.client.post(list);
    await pair.world.client.call('observability.getTrace', { traceId: 't0' }, { key: 'one partition' });
  }
  for (const { command, args } of list) {
    await pair.reference.call(command, structuredClone(args));
    if (SELF) await pair.twin.call(command, structuredClone(args));
  }
  await pair.rows();
}

describe('observability, folded', () => {
  const all = Object.keys(MAKERS);
  for (const [name, commands] of [['creates', all.slice(0, 1)], ['creates and updates', all.slice(0, 2)], ['batches', all.slice(2)], ['everything', all]]) {
    for (const chance of [0, 30, 100]) {
      test(`${name}, each field given in ${chance} % of the cases`, async () => {
        state = name.length * 1000 + chance;
        for (const count of [1, 2, 3, 10, 60]) await together(sequence(count, commands, chance));
      });
    }
  }

  test('hundreds at once: new ones, some that exist, all of them', async () => {
    state = 77;
    const many = (first) => ({ command: 'observability.batchCreateSpans', key: 'one partition',
      args: { records: Array.from({ length: 300 }, (_, i) => ({ ...create(100), traceId: 't0', spanId: `m${first + i}` })) } });
    await together([many(0)]);
    await together([many(150)]);
    await together([many(600), many(600), ...sequence(20, all, 30), many(1000)]);
  });

  test('a refused command among others', async () => {
    if (SELF) return;
    const good = (spanId) => ({ command: 'observability.createSpan', key: 'one partition', args: { span: { ...create(50), traceId: 't1', spanId } } });
    const bad = good('b');
    const correlationId = randomUUID();
    bad.args.span.spanType = 'a\0b';
    const answer = pair.world.client.expect(correlationId, bad.command);
    const list = [good('a'), { ...bad, correlationId }, good('c')];
    await pair.world.client.post(list);
    assert.equal((await answer).decoded.code, 'TEXT_NOT_STORABLE');
    for (const { command, args } of [list[0], list[2]]) await pair.reference.call(command, structuredClone(args));
    await together([good('d')]);
  });
});

describe('scores, folded', () => {
  test('the last write to an id wins', async () => {
    const score = (n) => ({ id: `s${below(5)}`, scorerId: 'sc', entityId: 'e', runId: 'r', output: n, score: n, scorer: {}, source: 'LIVE', entity: {},
      ...(below(2) ? { reason: `r${n}`, metadata: { n } } : {}) });
    state = 7;
    await together(Array.from({ length: 60 }, (_, n) => ({ command: 'scores.saveScore', args: score(n), key: 'one partition' })));
  });
});

// load.mjs - a numbered load, and the check of its effects. Each conversation (one thread, one key) gets
// steps 1, 2, 3, ... Their effects reveal a step that is missing, came twice, or came too early:
//
//   saveMessages              a row with the step's number in its id
//   updateBufferedReflection  appends "<step>" to a text and adds 1 to a sum
//   updateThread              puts the step's number into the metadata
//   getThreadById             must see the number of the updateThread before it
//
// The command topic itself tells what must exist at the end. So a message that the producer sent twice
// (it may, when a broker dies) does not count against the worker.

import assert from 'node:assert/strict';
import { at, content } from '../compat/lib/fixtures.mjs';
import { readTopic, schemas, sleep, sql, until, withAdmin } from '../compat/lib/harness.mjs';

const KINDS = ['memory.saveMessages', 'memory.updateBufferedReflection', 'memory.updateThread', 'memory.getThreadById'];
const CHUNK = 120;
const AHEAD = 3000; // at most this many commands wait for the workers

export class Load {
  constructor(world, { conversations = 16, replies = true } = {}) {
    this.world = world;
    this.replies = replies;
    this.ids = Array.from({ length: conversations }, (_, i) => `c${i}-${world.id}`);
    this.records = new Map();
    this.sent = 0;
    this.step = 0;
    this.stopped = false;
  }

  // Creates the threads and observational records before any fault.
  async prepare() {
    const { client } = this.world;
    for (const id of this.ids) {
      await client.call('memory.saveThread', { thread: { id, resourceId: id, title: id, createdAt: at(0), updatedAt: at(0), metadata: { last: 0 } } });
      const made = await client.call('memory.initializeObservationalMemory', { threadId: id, resourceId: id, scope: 'thread', config: {} }, { key: id });
      this.records.set(id, made.id);
    }
    this.base = this.ids.length * 2;
  }

  // The commands of one step of a conversation, in order.
  commands(id, step) {
    const args = {
      'memory.saveMessages': { messages: [{ id: `${id}-${step}`, threadId: id, resourceId: id, role: 'user', type: 'v2', createdAt: at(step), content: content(`${step}`) }] },
      'memory.updateBufferedReflection': { id: this.records.get(id), reflection: `${step}`, tokenCount: 1, inputTokenCount: 1, reflectedObservationLineCount: step },
      'memory.updateThread': { id, metadata: { last: step } },
      'memory.getThreadById': { threadId: id },
    };
    return KINDS.map((command) => ({ command, args: args[command], key: id,
      headers: { load: `${id} ${step} ${command}` }, correlationId: this.replies ? `${id} ${step} ${command}` : undefined }));
  }

  // Sends commands until stop() is called and `minimum` steps are sent, up to AHEAD commands ahead of the
  // workers, with a pause after each step.
  run({ minimum = 50, topic, pauseMs = 0 } = {}) {
    this.done = (async () => {
      while (!this.stopped || this.step < minimum) {
        this.step++;
        const list = this.ids.flatMap((id) => this.commands(id, this.step));
        for (let i = 0; i < list.length; i += CHUNK) {
          await this.#post(list.slice(i, i + CHUNK), topic);
        }
        while (!this.stopped && this.sent - await this.applied() > AHEAD) await sleep(20);
        await sleep(pauseMs);
      }
    })();
    this.done.catch(() => {}); // stop() reports the error
    return this;
  }

  async #post(list, topic) {
    // The broker may be down for a while. To keep the order within a key, send the same list again; the
    // topic shows what came twice.
    await until('the broker takes the load', () => this.world.client.post(list, { topic }).then(() => true, () => sleep(200)), { timeoutMs: 180_000 });
    this.sent += list.length;
  }

  async stop() {
    this.stopped = true;
    await this.done;
  }

  // The number of commands applied; the last known number while the database is down.
  async applied() {
    try {
      const [{ sum }] = await sql(`SELECT coalesce(sum(applied), 0)::int AS sum FROM "${this.world.schema}".stowage_offsets WHERE topic = $1`, [this.world.topic]);
      this.seen = sum - this.base;
    } catch {
      // the test has killed the database
    }
    return this.seen ?? 0;
  }

  // Waits for progress, so that a fault hits a working worker.
  async progress(count = 50) {
    const from = await this.applied();
    await until(`${count} more commands are applied`, async () => await this.applied() >= from + count, {
      timeoutMs: 180_000, onTimeout: () => this.world.workers.map((w) => `--- ${w.name}\n${w.tail(25)}`).join('\n') });
  }

  // The effects that the topic calls for.
  async #expected() {
    const expected = new Map(this.ids.map((id) => [id, { steps: [], messages: new Set(), last: 0, correlations: [] }]));
    for (const { headers } of await readTopic(this.world.topic)) {
      if (!headers.load) continue;
      const [id, step, command] = headers.load.toString().split(' ');
      const one = expected.get(id);
      one.correlations.push([headers.load.toString(), one.last]);
      if (command === 'memory.saveMessages') one.messages.add(`${id}-${step}`);
      if (command === 'memory.updateBufferedReflection') one.steps.push(step);
      if (command === 'memory.updateThread') one.last = Number(step);
    }
    return expected;
  }

  async allApplied() {
    const ends = await withAdmin((admin) => admin.fetchTopicOffsets(this.world.topic));
    const total = ends.reduce((sum, { high }) => sum + Number(high), 0);
    await until('everything is applied', async () => await this.applied() + this.base >= total, {
      timeoutMs: 300_000, onTimeout: () => this.world.workers.map((w) => `--- ${w.name}\n${w.tail(25)}`).join('\n') });
  }

  // Checks that no command failed and no reply waits.
  async nothingLeft() {
    const { schema, dlq } = this.world;
    assert.deepEqual(await readTopic(dlq), [], 'nothing is a dead letter');
    await until('the outbox is empty', async () => (await sql(`SELECT count(*)::int AS n FROM "${schema}".stowage_outbox`))[0].n === 0);
  }

  // Checks that every command was applied once and in order, and that every reply arrived.
  async account() {
    const { schema } = this.world;
    await this.allApplied();
    const expected = await this.#expected();
    const counts = { commands: 0, replies: 0, twice: 0 };
    for (const [id, one] of expected) {
      const [record] = await sql(`SELECT "bufferedReflection" AS text, "bufferedReflectionTokens"::int AS tokens FROM "${schema}".mastra_observational_memory WHERE id = $1`, [this.records.get(id)]);
      const steps = (record.text ?? '').split('\n\n').filter(Boolean);
      assert.ok(sameList(steps, one.steps), `${id}: the appended steps: ${await this.#difference(id, steps, one.steps)}`);
      assert.equal(record.tokens ?? 0, one.steps.length, `${id}: the sum`);
      const rows = await sql(`SELECT id FROM "${schema}".mastra_messages WHERE thread_id = $1`, [id]);
      assert.deepEqual(new Set(rows.map((row) => row.id)), one.messages, `${id}: the messages`);
      const [{ last }] = await sql(`SELECT (metadata ->> 'last')::int AS last FROM "${schema}".mastra_threads WHERE id = $1`, [id]);
      assert.equal(last, one.last, `${id}: the last update`);
      counts.commands += one.correlations.length;
    }
    if (this.replies) await this.#accountReplies(expected, counts);
    await this.nothingLeft();
    return counts;
  }

  // Describes where two lists of steps differ, with the replies and the log at that place.
  async #difference(id, got, due) {
    const first = due.findIndex((step, i) => got[i] !== step);
    const at = first < 0 ? due.length : first;
    const lines = [`${got.length} of ${due.length}, differ at ${at}: got ${got.slice(at, at + 8)}, due ${due.slice(at, at + 8)}`];
    const wanted = `${id} ${due[at]} memory.updateBufferedReflection`;
    for (const { value, headers } of this.replies ? await readTopic(this.world.client.replyTopic) : []) {
      if (headers['correlation-id'].toString() === wanted) lines.push(`answered: ${JSON.stringify(schemas().decode(value).value)}`);
    }
    lines.push(...this.world.workers.map((w) => `--- ${w.name}\n${w.tail(200)}`));
    return lines.join('\n');
  }

  async #accountReplies(expected, counts) {
    const due = new Map();
    for (const { correlations } of expected.values()) {
      for (const [id, last] of correlations) due.set(id, [...(due.get(id) ?? []), last]);
    }
    let got;
    await until('every reply has arrived', async () => {
      got = new Map();
      for (const message of await readTopic(this.world.client.replyTopic)) {
        const id = message.headers['correlation-id'].toString();
        if (due.has(id)) got.set(id, [...(got.get(id) ?? []), message]);
      }
      return got.size === due.size || sleep(500, false);
    }, { timeoutMs: 300_000, onTimeout: () => {
      const missing = [...due.keys()].filter((id) => !got.has(id));
      return `${missing.length} of ${due.size} replies are missing: ${missing.slice(0, 20).join(', ')}`;
    } });
    for (const [id, messages] of got) {
      const command = id.split(' ')[2];
      const seen = [];
      for (const { value, headers } of messages) {
        assert.equal(headers.status.toString(), 'ok', `${id}: ${JSON.stringify(schemas().decode(value).value)}`);
        if (command !== 'memory.getThreadById') continue;
        // A repeated reply to a read may show a later state, never an earlier one.
        seen.push(schemas().decode(value).value.result.metadata.last);
      }
      if (seen.length) {
        const least = Math.min(...due.get(id));
        assert.ok(seen.every((last) => last >= least), `${id}: saw ${seen}, expected ${least} or later`);
      } else if (due.get(id).length === 1) {
        // A repeated reply to a write is the reply stored with its effect.
        for (const { value } of messages) assert.ok(value.equals(messages[0].value), `${id}: two different replies`);
      }
      counts.replies += messages.length;
      counts.twice += messages.length - due.get(id).length;
    }
  }
}

function sameList(a, b) {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

// Short sessions: the group reassigns the partitions of a killed worker after this time.
export const QUICK = { kafka: { properties: ['session.timeout.ms=2000', 'heartbeat.interval.ms=300'] } };

export function quickly(world) {
  world.config.kafka.properties = QUICK.kafka.properties;
  return world;
}

// load.mjs - a numbered load over many domains, with poison among it, and the account of what came of it
//
// Each conversation (one key) gets steps 1, 2, 3, ... Triggers record every version of every row, in order:
// an effect that is missing, doubled or misplaced shows there. The command topic itself tells what is due:
// a message that the producer sent twice is due twice, except where a command changes nothing the second time.
// Headers say what each message calls for.

import { at, content } from '../../compat/lib/fixtures.mjs';
import { readTopic, schemas, sleep, sql, until } from '../../compat/lib/harness.mjs';
import { Load } from '../load.mjs';

const CHUNK = 150;
const INDEX = 'mixed';
// Sent again, these commands change nothing, or fail because the row is there.
const ONCE = new Set(['version', 'result', 'star', 'blob']);
const EFFECTS = new Set(['message', 'reflection', 'span', 'thread', 'vector', 'run', 'item', 'score', ...ONCE]);

const vector = (step) => [step, 1, 2, 3];
const padded = (step) => String(step).padStart(7, '0');

// What triggers write: when, the conversation, the kind of effect, and its step. Saving a message also
// updates its thread's time, but not its metadata.
const TRIGGERS = [
  ['mastra_messages', 'INSERT OR UPDATE', 'NEW.thread_id', 'message', `split_part(NEW.id, '/', 2)`],
  ['mastra_threads', 'UPDATE OF metadata', 'NEW.id', 'thread', `NEW.metadata ->> 'last'`],
  ['mastra_observational_memory', 'UPDATE', `NEW."threadId"`, 'reflection', 'NEW."reflectedObservationLineCount"::text'],
  ['mastra_ai_spans', 'INSERT OR UPDATE', 'NEW."traceId"', 'span', 'NEW."spanId"'],
  [INDEX, 'INSERT OR UPDATE', `NEW.metadata ->> 'conversation'`, 'vector', `NEW.metadata ->> 'step'`],
  ['mastra_workflow_snapshot', 'INSERT OR UPDATE', `split_part(NEW.run_id, '/', 1)`, 'run', `split_part(NEW.run_id, '/', 2)`],
  ['mastra_agent_versions', 'INSERT OR UPDATE', `NEW."agentId"`, 'version', 'NEW."versionNumber" - 1'],
  ['mastra_dataset_items', 'INSERT OR UPDATE', `NEW."datasetId"`, 'item', `NEW.input ->> 'step'`],
  ['mastra_experiment_results', 'INSERT OR UPDATE', `NEW."experimentId"`, 'result', 'NEW."itemId"'],
  ['mastra_favorites', 'INSERT OR UPDATE', 'NEW."entityId"', 'star', 'NEW."userId"'],
  ['mastra_skill_blobs', 'INSERT OR UPDATE', `split_part(NEW.hash, '/', 1)`, 'blob', `split_part(NEW.hash, '/', 2)`],
  ['mastra_scorers', 'INSERT OR UPDATE', `split_part(NEW."runId", '/', 1)`, 'score', `split_part(NEW."runId", '/', 2)`],
];

export class MixedLoad extends Load {
  constructor(world, chance, options) {
    super(world, options);
    this.chance = chance;
    this.perSecond = options.perSecond;
  }

  async prepare() {
    await super.prepare();
    const { client, schema } = this.world;
    await client.call('vectors.createIndex', { indexName: INDEX, dimension: 4, indexConfig: { type: 'flat' } });
    this.base++;
    for (const id of this.ids) {
      const over = { key: id };
      await client.call('agents.create', { agent: { id, name: id, instructions: 'do', model: { provider: 'p', name: 'm' } } }, over);
      await client.call('datasets.createDataset', { id, name: id }, over);
      await client.call('experiments.createExperiment', { id, name: id, datasetId: id, datasetVersion: 0, targetType: 'agent', targetId: id, totalItems: 1 }, over);
      this.base += 3;
    }
    await sql(`CREATE TABLE "${schema}".versions (place bigserial, conversation text, kind text, step int)`);
    for (const [table, when, conversation, kind, step] of TRIGGERS) {
      await sql(`CREATE FUNCTION "${schema}".keep_${kind}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO "${schema}".versions (conversation, kind, step) VALUES (${conversation}, '${kind}', (${step})::int); RETURN NULL; END $$`);
      await sql(`CREATE TRIGGER keep_version AFTER ${when} ON "${schema}"."${table}" FOR EACH ROW EXECUTE FUNCTION "${schema}".keep_${kind}()`);
    }
    await sql(`CREATE FUNCTION "${schema}".refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id LIKE '%/poison/%' THEN RAISE EXCEPTION 'this message is refused' USING ERRCODE = '22023'; END IF; RETURN NEW; END $$`);
    await sql(`CREATE TRIGGER refuse BEFORE INSERT ON "${schema}".mastra_messages FOR EACH ROW EXECUTE FUNCTION "${schema}".refuse()`);
  }

  // A command that fails each time: [kind, command, arguments, or the value].
  #poison(id, step) {
    return this.chance.pick([
      ['garbage', undefined, undefined, Buffer.from(`no datum ${id} ${step}`)],
      ['stranger', undefined, undefined, Buffer.concat([Buffer.from([0xc3, 0x01]), Buffer.from(padded(step)), Buffer.from('unknown')])],
      ['missing', 'memory.updateThread', { id: `missing/${id}/${step}`, metadata: { last: step } }],
      ['refused', 'memory.saveMessages', { messages: [this.#message(`${id}/poison/${step}`, id, step)] }],
      ['pattern', 'vectors.query', { indexName: INDEX, queryVector: vector(step), topK: 1, filter: { conversation: { $regex: '(' } } }],
    ]);
  }

  #message(id, threadId, step) {
    return { id, threadId, resourceId: threadId, role: 'user', type: 'v2', createdAt: at(step), content: content(`${step}`) };
  }

  // One command of another domain a step, in turn. A version of an agent is number 1 already.
  #elsewhere(id, step) {
    const name = `${id}/${padded(step)}`;
    const list = [
      ['version', 'agents.createVersion', { id: name, agentId: id, versionNumber: step + 1, name: id, instructions: 'do', model: { provider: 'p', name: 'm' } }],
      ['item', 'datasets.addItem', { datasetId: id, input: { step } }],
      ['result', 'experiments.addExperimentResult', { id: name, experimentId: id, itemId: padded(step), input: { step }, startedAt: at(step), completedAt: at(step + 1), retryCount: 0 }],
      ['star', 'favorites.favorite', { userId: padded(step), entityType: 'agent', entityId: id }],
      ['blob', 'blobs.put', { hash: name, content: 'text', size: 4, createdAt: at(step) }],
      ['score', 'scores.saveScore', { scorerId: 's', entityId: id, runId: name, output: 'o', score: 1, scorer: { name: 's' }, source: 'TEST', entityType: 'AGENT', entity: { id } }],
    ];
    return list[step % list.length];
  }

  // The commands of one step of a conversation, in order. `asks`: for a reply, in how many of four steps.
  #step(id, step) {
    const list = [
      ['message', 'memory.saveMessages', { messages: [this.#message(`${id}/${padded(step)}`, id, step)] }],
      ['reflection', 'memory.updateBufferedReflection', { id: this.records.get(id), reflection: `${step}`, tokenCount: 1, inputTokenCount: 1, reflectedObservationLineCount: step }],
      ['span', 'observability.createSpan', { span: { traceId: id, spanId: padded(step), name: `s${step}`, spanType: 'tool_call', isEvent: false, startedAt: at(step), entityType: 'agent', entityId: 'a', metadata: { step } } }],
      ['thread', 'memory.updateThread', { id, metadata: { last: step } }],
      ['read', 'memory.getThreadById', { threadId: id }],
      ['vector', 'vectors.upsert', { indexName: INDEX, ids: [`${id}/${padded(step)}`], vectors: [vector(step)], metadata: [{ conversation: id, step }] }],
      ['run', 'workflows.persistWorkflowSnapshot', { workflowName: 'w', runId: `${id}/${padded(step)}`, snapshot: { step } }],
    ];
    list.push(this.#elsewhere(id, step));
    if (step % 3 === 0) list.push(['search', 'vectors.query', { indexName: INDEX, queryVector: vector(step), topK: 3, filter: { conversation: id } }]);
    if (step % 5 === 0) list.push(['list', 'workflows.listWorkflowRuns', { workflowName: 'w', perPage: 2, page: 0 }]);
    if (this.chance.below(4) === 0) list.splice(this.chance.below(list.length + 1), 0, this.#poison(id, step));
    return list;
  }

  commands(id, step) {
    return this.#step(id, step).map(([kind, command, args, value]) => {
      const asks = ['read', 'search', 'list'].includes(kind) || this.chance.below(3) > 0;
      const name = `${id} ${step} ${kind}`;
      return { command, args, value, key: id, headers: { load: name, asks: asks ? '1' : '0' }, correlationId: asks ? name : undefined };
    });
  }

  // As the other loads, but at a limited rate.
  run() {
    this.done = (async () => {
      const start = Date.now();
      while (!this.stopped || this.step < 5) {
        this.step++;
        const list = this.ids.flatMap((id) => this.commands(id, this.step));
        for (let i = 0; i < list.length; i += CHUNK) await this.#post(list.slice(i, i + CHUNK));
        while (!this.stopped && this.sent > (Date.now() - start) / 1000 * this.perSecond) await sleep(20);
      }
    })();
    this.done.catch(() => {});
    return this;
  }

  async #post(list) {
    await until('the brokers take the load', () => this.world.client.post(list).then(() => true, () => sleep(200)), { timeoutMs: 300_000 });
    this.sent += list.length;
  }

  // What the command topic calls for.
  async #due() {
    const due = { effects: new Map(this.ids.map((id) => [id, []])), replies: new Map(), letters: new Map(), may: new Set(), commands: 0 };
    const last = new Map(this.ids.map((id) => [id, 0]));
    const once = new Set();
    for (const { headers } of await readTopic(this.world.topic)) {
      if (!headers.load) continue;
      const name = headers.load.toString();
      const [id, step, kind] = name.split(' ');
      const asks = headers.asks.toString() === '1';
      const bad = ['garbage', 'stranger'].includes(kind);
      const fails = bad || ['missing', 'refused', 'pattern'].includes(kind);
      due.commands++;
      const again = ONCE.has(kind) && once.has(name);
      if (ONCE.has(kind)) once.add(name);
      if (EFFECTS.has(kind) && !again) due.effects.get(id).push(`${kind} ${step}`);
      if (kind === 'thread') last.set(id, Number(step));
      if (asks) due.replies.set(name, { fails, again, kind, least: Math.min(last.get(id), due.replies.get(name)?.least ?? Infinity) });
      if (bad || (fails && !asks)) due.letters.set(name, kind);
      if (again && !asks) due.may.add(name);
    }
    return due;
  }

  async #accountEffects(due, report) {
    const rows = await sql(`SELECT conversation, kind || ' ' || step AS mark FROM "${this.world.schema}".versions ORDER BY place`);
    const got = new Map(this.ids.map((id) => [id, []]));
    for (const { conversation, mark } of rows) got.get(conversation)?.push(mark) ?? report.note('doubled', `${conversation} ${mark}`);
    for (const id of this.ids) {
      const counts = new Map();
      for (const mark of due.effects.get(id)) counts.set(mark, (counts.get(mark) ?? 0) + 1);
      for (const mark of got.get(id)) counts.set(mark, (counts.get(mark) ?? 0) - 1);
      const wrong = [...counts].filter(([, count]) => count !== 0);
      for (const [mark, count] of wrong) report.note(count > 0 ? 'missing' : 'doubled', `${id} ${mark}`);
      const first = due.effects.get(id).findIndex((mark, i) => got.get(id)[i] !== mark);
      if (wrong.length === 0 && first >= 0) {
        report.note('misordered', `${id}: got ${got.get(id).slice(first, first + 4)}, due ${due.effects.get(id).slice(first, first + 4)}`);
      }
    }
  }

  // A command that was sent twice may fail the second time, because its row is there.
  #accountReply(name, messages, { fails, again, kind, least }, report) {
    for (const { value, headers } of messages) {
      const decoded = schemas().decode(value).value;
      const failed = headers.status.toString() === 'error';
      if (again && failed && decoded.category === 'CONFLICT') continue;
      if (failed !== fails) report.note('wrong', `${name}: ${failed ? `${decoded.code} ${decoded.message}` : 'ok'}`);
      else if (kind === 'read' && (decoded.result?.metadata.last ?? 0) < least) report.note('misordered', `${name} saw ${decoded.result?.metadata.last}, due ${least}`);
    }
    report.twice += messages.length - 1;
  }

  async #byName(topic, header) {
    const found = new Map();
    for (const message of await readTopic(topic)) {
      const name = message.headers[header]?.toString();
      if (name && this.ids.includes(name.split(' ')[0])) found.set(name, [...(found.get(name) ?? []), message]);
    }
    return found;
  }

  // Adds what is wrong to the report, once everything is applied and answered or `patienceMs` has passed.
  async account(report, patienceMs) {
    const end = Date.now() + patienceMs;
    const due = await this.#due();
    let replies, letters;
    for (;;) {
      replies = await this.#byName(this.world.client.replyTopic, 'correlation-id');
      letters = await this.#byName(this.world.dlq, 'load');
      const [{ n }] = await sql(`SELECT count(*)::int AS n FROM "${this.world.schema}".stowage_outbox`);
      const complete = [...due.replies.keys()].every((name) => replies.has(name)) && [...due.letters.keys()].every((name) => letters.has(name));
      if ((complete && n === 0) || Date.now() > end) {
        if (n > 0) report.note('stuck', `${n} outbox rows stay`);
        break;
      }
      await sleep(1000);
    }
    report.commands += due.commands;
    await this.#accountEffects(due, report);
    for (const [name, expected] of due.replies) {
      if (!replies.has(name)) report.note('unanswered', name);
      else this.#accountReply(name, replies.get(name), expected, report);
    }
    for (const name of due.letters.keys()) if (!letters.has(name)) report.note('unanswered', `${name}: no dead letter`);
    for (const [name, messages] of letters) {
      const { 'load': load, '__connect.errors.exception.class.name': code, '__connect.errors.exception.message': text } = messages[0].headers;
      if (!due.letters.has(name) && !due.may.has(name)) report.note('wrong', `dead letter ${load}: ${code} ${text}`);
    }
    report.replies += replies.size;
    report.letters += letters.size;
  }
}

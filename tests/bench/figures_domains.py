"""The figures of datasets, experiments and agents."""

from statistics import median

from ground import THREADS, Failed, say
from result import Result, versus

ITEMS = 100  # of one batchInsertItems, as in load.h
VERSIONS = 3  # of each agent


def make_datasets(ground):
    ground.sql(f"""INSERT INTO "{ground.schema}".mastra_datasets (id, name, version, "createdAt", "updatedAt")
        SELECT id, id, 0, "createdAt", "createdAt" FROM "{ground.schema}".mastra_threads""")


def make_experiments(ground):
    ground.sql(f"""INSERT INTO "{ground.schema}".mastra_experiments (id, name, "datasetId", "datasetVersion", "targetType", "targetId",
            status, "totalItems", "succeededCount", "failedCount", "skippedCount", "createdAt", "updatedAt")
        SELECT id, id, id, 1, 'agent', 'a', 'running', 1000, 0, 0, 0, "createdAt", "createdAt" FROM "{ground.schema}".mastra_threads""")


def make_agents(ground):
    """Agents with versions of some two kilobytes, the first of which is active."""
    schema = ground.schema
    ground.sql(f"""
        INSERT INTO "{schema}".mastra_agents (id, status, "activeVersionId", "createdAt", "updatedAt")
        SELECT id, 'published', id || '-1', "createdAt", "createdAt" FROM "{schema}".mastra_threads;
        INSERT INTO "{schema}".mastra_agent_versions (id, "agentId", "versionNumber", name, instructions, model, tools, memory, "createdAt")
        SELECT id || '-' || version, id, version, id, repeat('Answer in one sentence. ', 40), '{{"provider":"openai","name":"gpt-4o"}}',
            jsonb_build_object('search', repeat('finds documents ', 20), 'mail', repeat('sends mail ', 20)),
            '{{"options":{{"lastMessages":20,"semanticRecall":true}}}}', "createdAt"
        FROM "{schema}".mastra_threads, generate_series(1, {VERSIONS}) AS version;
        ANALYZE "{schema}".mastra_agents, "{schema}".mastra_agent_versions""")


# ---------------------------------------------------------------- drain

class Writes:
    """A command that both workers drain into empty tables, `times` as many of them by Stowage's worker."""

    def __init__(self, ground, size, command, rows_a_command, tables, prepare, times=1):
        self.ground, self.command, self.tables, self.prepare = ground, command, tables, prepare
        self.rows_a_command, self.node_count, self.count = rows_a_command, size.domain_writes, size.domain_writes * times
        self.topic = ground.topic(4)
        ground.fill(self.topic, command.split(".")[1], self.count)

    def reset(self):
        self.ground.sql("TRUNCATE " + ", ".join(f'"{self.ground.schema}".{table}' for table in self.tables))
        self.ground.sql("CHECKPOINT", self.ground.env["STACK_POSTGRES_ADMIN"])
        self.prepare(self.ground)

    def expect(self, count):
        rows = int(self.ground.sql(f'SELECT count(*) FROM "{self.ground.schema}".{self.tables[0]}'))
        if rows != count * self.rows_a_command:
            raise Failed(f"{self.tables[0]} has {rows} rows instead of {count * self.rows_a_command}")

    def by_worker(self):
        self.reset()
        with self.ground.worker(self.topic) as worker:
            took = self.ground.drain(worker, self.count)
        self.expect(self.count)
        return took

    def by_node(self):
        self.reset()
        program = self.ground.node_worker() / "domains.mjs"
        with self.ground.background([self.ground.node, program, self.topic, self.ground.schemas, self.ground.schema,
                                     self.node_count, self.command]) as node:
            took = self.ground.watched(node, self.node_count, node.pid)
        self.expect(self.node_count)
        return took

    def versus_node(self, size):
        return versus(size, "node", self.by_node, self.by_worker)


def datasets(ground, size):
    """Drain of batchInsertItems of a hundred items against a Node worker."""
    writes = Writes(ground, size, "datasets.batchInsertItems", ITEMS,
                    ["mastra_dataset_items", "mastra_datasets", "mastra_dataset_versions"], make_datasets)
    value, raw = writes.versus_node(size)
    yield Result("datasets", "batchInsertItems of a hundred items drained a second, of the Node worker's", value, ">=", 5, raw)


def experiments(ground, size):
    """Drain of addExperimentResult against a Node worker."""
    writes = Writes(ground, size, "experiments.addExperimentResult", 1, ["mastra_experiment_results", "mastra_experiments"], make_experiments,
                    times=10)
    value, raw = writes.versus_node(size)
    yield Result("experiments", "addExperimentResult drained a second, of the Node worker's", value, ">=", 5, raw)


# ---------------------------------------------------------------- reads

def agents(ground, size):
    """getByIdResolved one at a time, against getThreadById plus the difference of the bare SQL."""
    make_agents(ground)
    kinds = ("getThreadById", "getByIdResolved")
    asked, replies = ground.topic(4), ground.topic(1, replies=True)
    sql_us, worker_us = {kind: [] for kind in kinds}, {kind: [] for kind in kinds}
    with ground.worker(asked):
        for kind in kinds:
            ground.ask(asked, replies, 50, 1, 0, kind=kind)
        for turn in range(1 - size.skipped, 2 * size.turns):
            for kind in kinds:
                sql_us[kind].append(ground.program("sql_baseline", "--schema", ground.schema, "--count", size.ask, "--threads", THREADS,
                                                   "--kind", kind)["median_us"])
                worker_us[kind].append(ground.ask(asked, replies, size.ask, 1, 50, kind=kind)["median_us"])
            say(f"  turn {turn}: " + ", ".join(f"{kind}: SQL {sql_us[kind][-1]:.0f} us, worker {worker_us[kind][-1]:.0f} us" for kind in kinds))
    for values in (*sql_us.values(), *worker_us.values()):
        del values[:size.skipped]
    thread, agent = kinds
    yield Result("agents", "median of getByIdResolved one at a time, of getThreadById's plus the bare SQL's difference",
                 median(ours / (other + mine - theirs) for ours, other, mine, theirs in
                        zip(worker_us[agent], worker_us[thread], sql_us[agent], sql_us[thread])), "<=", 1,
                 {f"{kind}: {who} us": values[kind] for kind in kinds for who, values in (("worker", worker_us), ("SQL", sql_us))})


FIGURES = {"datasets": datasets, "experiments": experiments, "agents": agents}

"""The figures of vectors: upserts drained from a topic, and searches with an index."""

import json
import time
from dataclasses import dataclass, replace
from statistics import median

from ground import BUILD, LARGE_BATCHES, Failed, say
from result import Result, cost_text, rounded, versus

A_COMMAND = 100  # vectors
PARTITIONS = 4
TOP_K = 10
CONNECTIONS = (1, 2, 4, 8)
TOLD_S = 1  # seconds until the statistics include an ended session

FLAT = {"type": "flat"}
HNSW = {"type": "hnsw", "hnsw": {"m": 16, "efConstruction": 64}}
DEFAULT = {"type": "hnsw"}  # PgVector's default: m 8


# ---------------------------------------------------------------- tables

@dataclass
class Table:
    """A table of vectors as PgVector creates it; Stowage creates the same."""
    ground: object
    size: object
    name: str
    config: dict

    @property
    def m(self):
        return self.config.get("hnsw", {}).get("m", 8)

    @property
    def options(self):
        return ("--index", self.name, "--dimensions", self.size.dimensions)

    def direct(self, action, *args, **env):
        """PgVector without Kafka: create, build or query."""
        ground = self.ground
        process = ground.background(
            [ground.node, ground.node_worker() / "vectors-direct.mjs", action, ground.schema, self.name, *args],
            {**ground.env, **env})
        with process:
            out = process.popen.stdout.read()
            if process.popen.wait() != 0:
                raise Failed(f"PgVector, {action}: {process.log.read_text()[-2000:]}")
        return json.loads(out) if out else None

    def create(self):
        self.direct("create", self.size.dimensions, json.dumps(self.config))
        return self

    def build(self):
        """Gives the session enough memory for the whole graph; otherwise a build takes many times as long."""
        self.direct("build", json.dumps(self.config), PGOPTIONS="-c maintenance_work_mem=2GB")
        self.ground.sql(f'VACUUM ANALYZE "{self.ground.schema}"."{self.name}"')
        return self

    def written(self):
        """Fills the table with the C program."""
        return self.ground.program("vectors_baseline", "--schema", self.ground.schema, *self.options,
                                   "--count", self.size.vectors, "--connections", LARGE_BATCHES)

    def expect_all(self):
        rows = self.ground.count_vectors(self.name)
        if rows != self.size.vectors:
            raise Failed(f"{rows} vectors are there instead of {self.size.vectors}")


# ---------------------------------------------------------------- upsert

class Upserts:
    """Each side writes the same vectors into the same emptied table."""

    def __init__(self, ground, size, name, config):
        self.ground = ground
        self.commands = size.vectors // A_COMMAND
        self.table = Table(ground, size, name, config).create()
        if config is not FLAT:
            self.table.build()
        self.topic = ground.topic(PARTITIONS)
        ground.fill(self.topic, "upsert", self.commands, *self.table.options)
        self.digest = None

    def checked(self, took):
        """Checks that all rows exist and equal the other sides' rows."""
        self.table.expect_all()
        digest = self.ground.sample_vectors(self.table.name)
        if self.digest not in (None, digest):
            raise Failed("the sides of the comparison have not written the same vectors")
        self.digest = digest
        return took

    def a_vector(self, took):
        """Of what was measured by commands."""
        return {**took, "rate": took["rate"] * A_COMMAND,
                **{name: took[name] / A_COMMAND for name in ("worker_us", "postgres_us", "kafka_us")}}

    def by_baseline(self):
        self.ground.reset_vectors(self.table.name)
        before = self.ground.meter_servers()
        took = self.table.written()
        after = self.ground.meter_servers()
        return self.checked({"rate": took["rate"], "worker_us": took["cpu_us"],
                             **self.ground.cost(before, after, self.table.size.vectors)})

    def by_worker(self):
        self.ground.reset_vectors(self.table.name)
        with self.ground.worker(self.topic) as worker:
            took = self.ground.drain(worker, self.commands, lanes=PARTITIONS)
        return self.checked(self.a_vector(took))

    def by_node(self):
        ground = self.ground
        ground.reset_vectors(self.table.name)
        program = ground.node_worker() / "vectors.mjs"
        with ground.background([ground.node, program, self.topic, ground.schemas, ground.schema, "upsert",
                                self.commands]) as node:
            took = ground.watched(node, self.commands, node.pid)
        return self.checked(self.a_vector(took))


def upsert_figure(ground, size, name, config, text):
    upserts = Upserts(ground, size, name.replace("-", "_"), config)
    value, raw = versus(size, "baseline", upserts.by_baseline, upserts.by_worker)
    node = upserts.by_node()
    say("  PgVector: " + cost_text(node))
    raw["PgVector a second, behind Kafka, a hundred vectors a call"] = round(node["rate"])
    ground.sql(f'DROP TABLE "{ground.schema}"."{upserts.table.name}"')
    yield Result(name, f"vectors a second {text}, drained, of the hand-written program's", value, ">=", 0.9, raw)


def upsert(ground, size):
    """Drain of vectors.upsert without an index, against a C program and PgVector."""
    yield from upsert_figure(ground, size, "vectors-upsert", FLAT, "without an index")


def upsert_hnsw(ground, size):
    """Drain of vectors.upsert with hnsw, against a C program and PgVector."""
    yield from upsert_figure(ground, replace(size, turns=size.hnsw_turns, skipped=0), "vectors-upsert-hnsw", HNSW,
                             "with hnsw")


# ---------------------------------------------------------------- search

class Searches:
    """A filled table with its index, and the searches of all sides."""

    def __init__(self, ground, size, table):
        self.ground, self.size, self.table = ground, size, table
        self.options = (*table.options, "--vectors", size.vectors)
        self.files = ground.temporary

    def ask(self, topic, replies, count, in_flight, warm_up, *options):
        return self.ground.ask(topic, replies, count, in_flight, warm_up, *self.options, *options,
                               kind="query", distinct=self.size.queries)

    def by_sql(self, count, *options):
        """Bare SQL. Unless it compares all vectors, its session must have used the index."""
        ground = self.ground
        before = ground.index_scans(self.table.name)
        took = ground.program("vectors_sql", "--schema", ground.schema, *self.options, "--queries", self.size.queries,
                              "--ef", max(40, self.table.m * TOP_K), "--count", count, *options)
        end = time.monotonic() + TOLD_S
        while "--exact" not in options and ground.index_scans(self.table.name) < before + took["count"]:
            if time.monotonic() > end:
                raise Failed("bare SQL has not used the vector index")
            time.sleep(0.05)
        return took

    def write_queries(self):
        self.ground.program("client", "vectors", self.files / "queries", "--first", self.size.vectors,
                            "--count", self.size.queries, "--dimensions", self.size.dimensions)

    def directly(self):
        """PgVector without Kafka."""
        return self.table.direct("query", self.size.dimensions, self.files / "queries", self.size.queries, TOP_K,
                                 self.files / "found-direct")

    def found_directly(self):
        """PgVector without Kafka, and how many searches used the index. Nothing else may search at the same time."""
        before = self.ground.index_scans(self.table.name)
        self.directly()
        time.sleep(TOLD_S)
        return self.ground.index_scans(self.table.name) - before, read_found(self.files / "found-direct")

    def found_by_sql(self, *options):
        path = self.files / "found-sql"
        self.by_sql(self.size.queries, "--found", path, *options)
        return read_found(path)

    def found_by_worker(self, topic, replies):
        path = self.files / "found-worker"
        self.ask(topic, replies, self.size.queries, 1, 0, "--found", path)
        return read_found(path)

    def exact(self):
        """The exact result, from a comparison with all vectors: the same in every table of the run."""
        if "exact" not in self.ground.made:
            self.ground.made["exact"] = self.found_by_sql("--exact", 1)
        return self.ground.made["exact"]

    def recall(self, found):
        return sum(len(set(ids) & set(best)) for ids, best in zip(found, self.exact(), strict=True)) / (
            TOP_K * self.size.queries)


def read_found(path):
    return [line.split() for line in path.read_text().splitlines()]


def searches(ground, size):
    """The table with hnsw, m 16, filled and built once per run."""
    if "search" not in ground.made:
        say("  filling a table, building its index")
        table = Table(ground, size, "bench_search", HNSW).create()
        table.written()
        ground.made["search"] = Searches(ground, size, table.build())
    return ground.made["search"]


def default_searches(ground, size):
    """The same rows in a table with PgVector's default index."""
    source = searches(ground, size).table
    table = Table(ground, size, "bench_default", DEFAULT).create()
    say("  filling a table, building PgVector's default index")
    columns = "vector_id, embedding, metadata, namespace"
    ground.sql(f'INSERT INTO "{ground.schema}"."{table.name}" ({columns}) SELECT {columns} FROM '
               f'"{ground.schema}"."{source.name}" ORDER BY id')
    return Searches(ground, size, table.build())


def query(ground, size):
    """One search at a time through Kafka, against the echo plus bare SQL; its recall against bare SQL's."""
    search = searches(ground, size)
    echoed, asked, replies = ground.topic(PARTITIONS), ground.topic(PARTITIONS), ground.topic(1, replies=True)
    us = {name: [] for name in ("echo", "SQL", "worker")}
    with ground.background([BUILD / "kafka_echo", "--topic", echoed]) as echo, ground.worker(asked):
        echo.line("ready")
        search.ask(asked, replies, 50, 1, 0)
        for turn in range(1 - size.skipped, 2 * size.turns):
            us["echo"].append(search.ask(echoed, replies, size.ask_vectors, 1, 50)["median_us"])
            us["SQL"].append(search.by_sql(size.ask_vectors)["median_us"])
            us["worker"].append(search.ask(asked, replies, size.ask_vectors, 1, 50)["median_us"])
            say(f"  turn {turn}: " + ", ".join(f"{name} {values[-1]:.0f} us" for name, values in us.items()))
        found = search.found_by_worker(asked, replies)
    for values in us.values():
        del values[:size.skipped]
    yield Result("vectors-query", "median of a search for ten one at a time, of bare echo plus bare SQL",
                 median(worker / (echo + sql) for echo, sql, worker in zip(*us.values())), "<=", 1.3,
                 {f"{name} us": values for name, values in us.items()})
    yield recall(search, found)


def recall(search, found):
    by_hand = search.found_by_sql()
    ours, theirs = search.recall(found), search.recall(by_hand)
    same = sum(set(one) == set(other) for one, other in zip(found, by_hand, strict=True))
    return Result("vectors-recall", "recall@10 of these searches, of the same SQL's by hand", ours / theirs, ">=", 1,
                  {"recall@10 of the worker, of SQL": rounded((ours, theirs), 4),
                   "searches, those with the same ten": [search.size.queries, same]})


def query_50(ground, size):
    """Fifty searches in flight, against the best of direct connections and a Node worker on PgVector."""
    search = searches(ground, size)
    topics = {name: ground.topic(PARTITIONS) for name in ("worker", "node")}
    replies = ground.topic(1, replies=True)
    rates, sql_us = {name: [] for name in ("SQL", *topics)}, []
    by_connections = {connections: [] for connections in CONNECTIONS}
    costs = {name: [] for name in topics}
    node_command = [ground.node, ground.node_worker() / "vectors.mjs", topics["node"], ground.schemas, ground.schema,
                    "query"]
    with ground.background(node_command) as node, ground.worker(topics["worker"]) as worker:
        node.line("ready")
        pids = {"worker": worker.pid, "node": node.pid}
        for turn in range(1 - size.skipped, size.turns + 1):
            before = ground.meter_servers()
            took = [search.by_sql(3 * size.ask_vectors, "--connections", connections) for connections in CONNECTIONS]
            asked = sum(one["count"] for one in took)
            sql_us.append(round(ground.cost(before, ground.meter_servers(), asked)["postgres_us"]))
            for one, values in zip(took, by_connections.values()):
                values.append(one["rate"])
            rates["SQL"].append(max(values[-1] for values in by_connections.values()))
            for name, topic in topics.items():
                count = size.ask_node if name == "node" else 3 * size.ask_vectors
                before = ground.meter(pids[name])
                rates[name].append(search.ask(topic, replies, count, 50, 50)["rate"])
                costs[name].append(rounded(ground.cost(before, ground.meter(pids[name]), count + 50).values()))
            say(f"  turn {turn}: " + ", ".join(f"{name} {values[-1]:.0f}/s" for name, values in rates.items()))
    for values in (*rates.values(), *by_connections.values(), *costs.values(), sql_us):
        del values[:size.skipped]
    raw = {f"{name} a second": rounded(values) for name, values in rates.items()}
    raw.update((f"SQL a second, {connections} connections", rounded(values))
               for connections, values in by_connections.items())
    raw["SQL: PostgreSQL's processor us a search"] = sql_us
    raw.update((f"{name}: processor us a search, its own, PostgreSQL's, Kafka's", values)
               for name, values in costs.items())
    for name, other, text, target in (("vectors-query-50", "SQL", "of direct connections' best", 0.8),
                                      ("vectors-query-node", "node", "of the Node worker's on PgVector", 1.6)):
        yield Result(name, f"searches for ten a second, 50 at once, {text}",
                     median(ours / theirs for ours, theirs in zip(rates["worker"], rates[other])), ">=", target, raw)


def default(ground, size):
    """A table and an index by PgVector's defaults: a search through Kafka, against PgVector without Kafka."""
    search = default_searches(ground, size)
    asked, replies = ground.topic(PARTITIONS), ground.topic(1, replies=True)
    search.write_queries()
    by_index, found_directly = search.found_directly()
    us = {name: [] for name in ("PgVector", "worker")}
    with ground.worker(asked):
        search.ask(asked, replies, 50, 1, 0)
        for turn in range(1, min(size.turns, 3) + 1):
            us["PgVector"].append(search.directly()["median_us"])
            us["worker"].append(search.ask(asked, replies, size.ask_vectors, 1, 50)["median_us"])
            say(f"  turn {turn}: " + ", ".join(f"{name} {values[-1]:.0f} us" for name, values in us.items()))
        found = search.found_by_worker(asked, replies)
    yield Result("vectors-default", "median of PgVector's searches for ten in a table with its default index, of the "
                 "worker's through Kafka", median(theirs / ours for theirs, ours in zip(*us.values())), ">=", 20,
                 {**{f"{name} us": rounded(values) for name, values in us.items()},
                  "PgVector's searches, those that PostgreSQL answered by the index": [size.queries, by_index],
                  "recall@10 of PgVector, of the worker": rounded(
                      (search.recall(found_directly), search.recall(found)), 4)})


FIGURES = {
    "vectors-upsert": upsert,
    "vectors-upsert-hnsw": upsert_hnsw,
    "vectors-query": query,
    "vectors-query-50": query_50,
    "vectors-default": default,
}

"""The figures of spans: observability.createSpan without replies."""

import signal
import socket
import time
import urllib.request
from contextlib import ExitStack
from statistics import median

from ground import LARGE_BATCHES, Failed, cpu_ns, memory_kib, say
from result import LIMIT_KIB, Result, cost_text, rounded, versus

SETTLING_S = 60
WORKERS = (1, 2, 3, 4)
SHARED_PARTITIONS = 12


def expect_spans(ground, count):
    rows = ground.count_spans()
    if rows != count:
        raise Failed(f"{rows} spans are there instead of {count}")


# ---------------------------------------------------------------- drain

def drained(ground, topic, count):
    """A new worker drains a filled topic into the empty table."""
    ground.reset_spans()
    with ground.worker(topic) as worker:
        took = ground.drain(worker, count)
        took["rss_kib"], took["hwm_kib"] = memory_kib(worker.pid)
        took["all_cpu_us"] = cpu_ns(worker.pid) / count / 1000  # including its start, before the first commit
    expect_spans(ground, count)
    return took


def copied(ground, count, connections=2):
    """The C program does the same."""
    ground.reset_spans()
    before = ground.meter_servers()
    took = ground.program("spans_copy_baseline", "--schema", ground.schema, "--count", count,
                          "--connections", connections)
    after = ground.meter_servers()
    expect_spans(ground, count)
    return {"rate": took["rate"], "worker_us": took["cpu_us"], **ground.cost(before, after, count)}


def written_by_node(ground, topic, count):
    """The Node worker does the same."""
    ground.reset_spans()
    program = ground.node_worker() / "spans.mjs"
    with ground.background([ground.node, program, topic, ground.schemas, ground.schema, count]) as node:
        took = ground.watched(node, count, node.pid)
        took["rss_kib"], took["hwm_kib"] = memory_kib(node.pid)
    expect_spans(ground, count)
    return took


class Sample:
    """Checks that both sides of a comparison leave the same rows."""

    def __init__(self, ground):
        self.ground = ground
        self.digest = None

    def of(self, took):
        digest = self.ground.sample_spans()
        if self.digest not in (None, digest):
            raise Failed("the two sides of the comparison have not written the same spans")
        self.digest = digest
        return took


def spans(ground, size):
    """Drain of createSpan against a program that COPYs the same rows."""
    topic = ground.topic(4)
    ground.fill(topic, "createSpan", size.drain)
    sample = Sample(ground)
    value, raw = versus(size, "baseline", lambda: sample.of(copied(ground, size.drain)),
                        lambda: sample.of(drained(ground, topic, size.drain)))
    yield Result("spans", "createSpan drained from the first commit to the last, of the COPY program's rows a second",
                 value, ">=", 0.9, raw)


def spans_node(ground, size):
    """Drain of createSpan against a Node worker that writes a thousand spans at once."""
    count = size.node_spans
    topic = ground.topic(4)
    ground.fill(topic, "createSpan", count)
    sample = Sample(ground)
    value, raw = versus(size, "node", lambda: sample.of(written_by_node(ground, topic, count)),
                        lambda: sample.of(drained(ground, topic, count)))
    yield Result("spans-node", "createSpan drained a second, of the Node worker's", value, ">=", 2.5, raw)


# ---------------------------------------------------------------- cost

def spans_cpu(ground, size):
    """Processor time and memory of a worker that drains createSpan, with a small and a large backlog."""
    runs = {}
    for waiting, turns in ((size.some_spans, size.turns), (size.many, 1 if size.turns == 1 else 2)):
        topic = ground.topic(4)
        ground.fill(topic, "createSpan", waiting)
        runs[waiting] = []
        for turn in range(1, turns + 1):
            runs[waiting].append(drained(ground, topic, waiting))
            say(f"  {waiting} waiting, turn {turn}: " + cost_text(runs[waiting][-1]))
    raw = {}
    for waiting, took in runs.items():
        raw[f"{waiting} waiting: a second"] = rounded(run["rate"] for run in took)
        raw[f"{waiting} waiting: worker's processor s per 100,000"] = rounded((run["all_cpu_us"] / 10 for run in took), 2)
        raw[f"{waiting} waiting: PostgreSQL's"] = rounded((run["postgres_us"] / 10 for run in took), 2)
        raw[f"{waiting} waiting: highest KiB"] = [run["hwm_kib"] for run in took]
        raw[f"{waiting} waiting: KiB at the end"] = [run["rss_kib"] for run in took]
    yield Result("spans-cpu", "the worker's own processor seconds per 100,000 createSpan from its start on, the dearer backlog's median",
                 max(median(run["all_cpu_us"] / 10 for run in took) for took in runs.values()), "<=", 0.8, raw)
    yield Result("spans-memory", "... its highest resident memory, MiB",
                 max(run["hwm_kib"] for took in runs.values() for run in took) / 1024, "<=", LIMIT_KIB / 1024, raw)


# ---------------------------------------------------------------- mixed load

def asked(ground, worker, asking, replies, in_flight, size):
    return ground.ask(asking, replies, size.ask_many, in_flight, 50, "--for-ms", size.ask_ms)


def mixed_turn(ground, size, firehose, replies):
    """Queries a new worker, one at a time and eight at once, while it drains the topic of spans."""
    ground.reset_spans()
    asking = ground.topic(4)
    with ground.worker(f"{asking},{firehose}") as worker:
        ground.ask(asking, replies, 1, 1, 0)
        began, start = ground.applied(worker, firehose), time.monotonic()
        took = {in_flight: asked(ground, worker, asking, replies, in_flight, size) for in_flight in (1, 8)}
        done = ground.applied(worker, firehose)
        return took, done, (done - began) / (time.monotonic() - start)


def mixed(ground, size):
    """getThreadById on its own topic, with and without spans to drain at the same time."""
    topics = {"quiet": ground.topic(4), "firehose": ground.topic(4)}
    ground.fill(topics["firehose"], "createSpan", size.flood)
    replies = ground.topic(1, replies=True)
    runs = {name: [] for name in topics}
    rates = []
    for turn in range(1 - size.skipped, size.turns + 1):
        for name, topic in topics.items():
            took, done, rate = mixed_turn(ground, size, topic, replies)
            runs[name].append(took)
            say(f"  turn {turn}: {name}: " + "; ".join(
                f"{in_flight} at once: {one['count']} asked, median {one['median_us']:.0f} us, p99 {one['p99_us']:.0f} us"
                for in_flight, one in took.items()) + f"; {rate:.0f} spans/s beside")
        rates.append(rate)
        if done >= size.flood:
            raise Failed(f"the firehose of {size.flood} spans was over before the asking was")
    for values in (*runs.values(), rates):
        del values[:size.skipped]
    for in_flight in (1, 8):
        raw = {f"{name}: {what}": [took[in_flight][what] for took in values]
               for name, values in runs.items() for what in ("count", "median_us", "p99_us")}
        raw["spans a second beside it"] = rounded(rates)
        yield Result(f"mixed-{in_flight}", f"p99 of getThreadById, {in_flight} at once, under the firehose, of that without",
                     median(busy[in_flight]["p99_us"] / quiet[in_flight]["p99_us"]
                            for busy, quiet in zip(runs["firehose"], runs["quiet"])), "<=", 5, raw)


# ---------------------------------------------------------------- several workers

def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def partitions_of(port):
    """The number of a worker's partitions; None while it is not ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    return sum(int(float(line.split()[1])) for line in lines if line.startswith("stowage_partitions "))


def wait_shared(ports):
    """Waits until the workers share the partitions evenly."""
    due = [SHARED_PARTITIONS // len(ports)] * len(ports)
    end = time.monotonic() + SETTLING_S
    lanes = None
    while lanes != due:
        if time.monotonic() > end:
            raise Failed(f"partitions are shared {lanes} after {SETTLING_S} s")
        time.sleep(0.1)
        lanes = [partitions_of(port) for port in ports]


def drained_shared(ground, number, count):
    """SIGSTOP holds workers that share an empty topic while it is filled; SIGCONT releases them."""
    ground.reset_spans()
    topic, group, ports = ground.topic(SHARED_PARTITIONS), ground.group(), [free_port() for _ in range(number)]
    with ExitStack() as stack:
        workers = [stack.enter_context(ground.worker(topic, group, STOWAGE_HTTP_ADDRESS=f"127.0.0.1:{port}"))
                   for port in ports]
        wait_shared(ports)
        for worker in workers:
            worker.popen.send_signal(signal.SIGSTOP)
        ground.fill(topic, "createSpan", count)
        watching = stack.enter_context(ground.watch(group, count))
        watching.line("ready")
        for worker in workers:
            worker.popen.send_signal(signal.SIGCONT)
        took = ground.watched(watching, count, *(worker.pid for worker in workers))
    expect_spans(ground, count)
    return took


def workers(ground, size):
    """One to four workers share the partitions of createSpan; against a program with as many connections."""
    runs = {number: [] for number in WORKERS}
    copies = {number: [] for number in WORKERS}
    for turn in range(1 - size.skipped, size.turns + 1):
        for number in WORKERS:
            runs[number].append(drained_shared(ground, number, size.drain))
            copies[number].append(copied(ground, size.drain, number * LARGE_BATCHES))
            say(f"  turn {turn}: {number} workers: " + cost_text(runs[number][-1]))
            say(f"  turn {turn}: {number * LARGE_BATCHES} connections: " + cost_text(copies[number][-1]))
    for took in (*runs.values(), *copies.values()):
        del took[:size.skipped]
    ours, bare = of_one(runs), of_one(copies)
    raw = {f"{number} workers: spans a second": rounded(run["rate"] for run in took) for number, took in runs.items()}
    raw.update((f"{number * LARGE_BATCHES} connections of the COPY program: spans a second", rounded(run["rate"] for run in took))
               for number, took in copies.items())
    raw["of one worker's, 2, 3 and 4 workers"] = rounded(ours, 2)
    raw["the COPY program with as many connections, of as many as one worker's"] = rounded(bare, 2)
    yield Result("workers", "createSpan drained a second by 2, 3 or 4 workers together, of one's, against the same of "
                 "the COPY program's connections, the least", min(a / b for a, b in zip(ours, bare)), ">=", 0.95, raw)


def of_one(runs):
    """Rates of 2, 3 and 4 workers, against one worker's in the same round."""
    return [median(many["rate"] / one["rate"] for many, one in zip(runs[number], runs[1])) for number in WORKERS[1:]]


FIGURES = {
    "spans": spans,
    "spans-node": spans_node,
    "spans-cpu": spans_cpu,
    "mixed": mixed,
    "workers": workers,
}

"""The figures: each function measures one figure and returns its results.

The script measures both sides of a comparison alternately (A B A B ...) and takes the median of the
rounds' ratios, so that the machine's other work weighs on both sides.
"""

import signal
import time
from statistics import median

import figures_client_node
import figures_domains
import figures_spans
import figures_tenants
import figures_vectors
from ground import BUILD, THREADS, Failed, memory_kib, say
from result import LIMIT_KIB, Result, cost_text, rounded, versus


def drained(ground, topic, count, **settings):
    """A new worker drains a filled topic into empty tables."""
    ground.reset_messages()
    with ground.worker(topic, **settings) as worker:
        took = ground.drain(worker, count)
        took["rss_kib"], took["hwm_kib"] = memory_kib(worker.pid)
    rows = ground.count_messages()
    if rows != count:
        raise Failed(f"{rows} messages are there instead of {count}")
    return took


def saved_by_baseline(ground, count):
    """The C program does the same."""
    ground.reset_messages()
    before = ground.meter_servers()
    took = ground.program("save_messages_baseline", "--schema", ground.schema, "--count", count, "--threads", THREADS)
    after = ground.meter_servers()
    return {"rate": took["rate"], "worker_us": took["cpu_us"], **ground.cost(before, after, count)}


def save_messages(ground, size):
    """Drain of saveMessages against a C program that upserts the same rows."""
    topic = ground.topic(4)
    ground.fill(topic, "saveMessages", size.drain)
    value, raw = versus(size, "baseline", lambda: saved_by_baseline(ground, size.drain),
                        lambda: drained(ground, topic, size.drain))
    yield Result(
        "save-messages", "drained from the first commit to the last, of the hand-written program's messages a second",
        value, ">=", 0.8, raw)


def round_trip(ground, size):
    """One getThreadById at a time: the worker against the echo plus bare SQL."""
    echoed, asked, replies = ground.topic(4), ground.topic(4), ground.topic(1, replies=True)
    echo_us, sql_us, worker_us = [], [], []
    with ground.background([BUILD / "kafka_echo", "--topic", echoed]) as echo, \
            ground.worker(asked):
        echo.line("ready")
        ground.ask(asked, replies, 50, 1, 0)
        for turn in range(1 - size.skipped, 2 * size.turns):
            echo_us.append(ground.ask(echoed, replies, size.ask, 1, 50)["median_us"])
            sql_us.append(ground.program("sql_baseline", "--schema", ground.schema, "--count", size.ask,
                                         "--threads", THREADS)["median_us"])
            worker_us.append(ground.ask(asked, replies, size.ask, 1, 50)["median_us"])
            say(f"  turn {turn}: echo {echo_us[-1]:.0f} us, SQL {sql_us[-1]:.0f} us, worker {worker_us[-1]:.0f} us")
    for values in (echo_us, sql_us, worker_us):
        del values[:size.skipped]
    yield Result(
        "round-trip", "median of getThreadById one at a time, of bare echo plus bare SQL",
        median(worker / (echo + sql) for worker, echo, sql in zip(worker_us, echo_us, sql_us)), "<=", 1.3,
        {"worker us": worker_us, "echo us": echo_us, "SQL us": sql_us})


def throughput(ground, size):
    """Fifty getThreadById in flight: the worker against the echo and against a Node worker."""
    topics = {name: ground.topic(4) for name in ("echo", "worker", "node")}
    replies = ground.topic(1, replies=True)
    rates, costs = {name: [] for name in topics}, {name: [] for name in topics}
    folder = ground.node_worker()
    node_command = [ground.node, folder / "worker.mjs", topics["node"], ground.schemas, ground.schema]
    with ground.background([BUILD / "kafka_echo", "--topic", topics["echo"]]) as echo, \
            ground.background(node_command) as node, ground.worker(topics["worker"]) as worker:
        echo.line("ready")
        node.line("ready")
        pids = {"echo": echo.pid, "worker": worker.pid, "node": node.pid}
        for turn in range(1 - size.skipped, size.turns + 1):
            for name, topic in topics.items():
                count = size.ask_many // 4 if name == "node" else size.ask_many
                before = ground.meter(pids[name])
                took = ground.ask(topic, replies, count, 50, count // 10)
                cost = ground.cost(before, ground.meter(pids[name]), count + count // 10)
                rates[name].append(took["rate"])
                costs[name].append(rounded(cost.values(), 1))
                say(f"  turn {turn}: {name}: " + cost_text({**took, **cost}))
    for values in (*rates.values(), *costs.values()):
        del values[:size.skipped]
    sql = ground.program("sql_baseline", "--schema", ground.schema, "--count", size.ask_many,
                         "--threads", THREADS, "--connections", 2)["rate"]
    raw = {f"{name} a second": values for name, values in rates.items()}
    raw.update((f"{name}: processor us a reply, its own, PostgreSQL's, Kafka's", values) for name, values in costs.items())
    raw["bare SQL a second, 2 connections"] = sql
    for name, text, target in (("echo", "of the bare echo's", 0.7), ("node", "of the Node worker's", 3.0)):
        yield Result(f"throughput-{name}", f"getThreadById a second, 50 at once, {text}",
                     median(ours / other for ours, other in zip(rates["worker"], rates[name])), ">=", target, raw)


def memory(ground, size):
    """Resident memory of one worker after few and after many commands."""
    topic = ground.topic(4)
    ground.reset_messages()
    with ground.worker(topic) as worker:
        ground.fill(topic, "saveMessages", size.few)
        ground.wait_applied(worker, size.few)
        time.sleep(1)
        few, _ = memory_kib(worker.pid)
        ground.fill(topic, "saveMessages", size.many - size.few, first=size.few)
        ground.wait_applied(worker, size.many)
        time.sleep(1)
        many, highest = memory_kib(worker.pid)
    raw = {f"KiB after {size.few}": few, f"KiB after {size.many}": many, "highest KiB": highest}
    yield Result("memory", f"resident memory after {size.many} commands, MiB", many / 1024, "<=", LIMIT_KIB / 1024, raw)
    yield Result("memory-growth", f"... of what it was after {size.few}", many / few, "<=", 1.2, raw)


def partitions(ground, size):
    """Processor time per command with 1, 12 and 100 partitions."""
    topics = {}
    for count in (1, 12, 100):
        topics[count] = ground.topic(count)
        ground.fill(topics[count], "saveMessages", size.drain)
    runs = {count: [] for count in topics}
    for turn in range(1 - size.skipped, size.turns + 1):
        for count, topic in topics.items():
            runs[count].append(drained(ground, topic, size.drain))
            say(f"  turn {turn}: {count} partitions: " + cost_text(runs[count][-1]))
    for values in runs.values():
        del values[:size.skipped]
    yield from spread("partitions", "processor time of the worker a command, dearest of 1, 12 and 100 partitions "
                      "against cheapest", runs, "partitions")


def backlog(ground, size):
    """Processor time per command with a small and with a large backlog."""
    runs = {size.few: [], size.many: []}
    for waiting, turns in ((size.few, 2 * size.turns), (size.many, 1 if size.turns == 1 else 2),
                           (size.few, 2 * size.turns)):
        for turn in range(1, turns + 1):
            runs[waiting].append(drain_backlog(ground, waiting, size.few))
            say(f"  {waiting} waiting, turn {turn}: " + cost_text(runs[waiting][-1]))
    yield from spread("backlog", f"processor time of the worker a command, dearer of {size.few} and {size.many} "
                      "waiting against cheaper", runs, "waiting")


def drain_backlog(ground, waiting, warm_up):
    """SIGSTOP holds a worker that has run before while the topic is filled; SIGCONT releases it."""
    topic = ground.topic(4)
    ground.reset_messages()
    with ground.worker(topic) as worker:
        ground.fill(topic, "saveMessages", warm_up)
        ground.wait_applied(worker, warm_up)
        worker.popen.send_signal(signal.SIGSTOP)
        ground.fill(topic, "saveMessages", waiting, first=warm_up)
        took = ground.drain(worker, warm_up + waiting, after=warm_up, resume=True)
        took["rss_kib"], took["hwm_kib"] = memory_kib(worker.pid)
    return took


def spread(name, text, runs, what):
    raw = {}
    for count, took in runs.items():
        for key, label in (("worker_us", "worker us"), ("postgres_us", "PostgreSQL us"), ("rate", "a second"),
                           ("hwm_kib", "highest KiB")):
            raw[f"{count} {what}: {label}"] = round(median(run[key] for run in took), 1)
    costs = [median(run["worker_us"] for run in took) for took in runs.values()]
    yield Result(name, text, max(costs) / min(costs), "<=", 1.2, raw)


FIGURES = {
    "save-messages": save_messages,
    "round-trip": round_trip,
    "throughput": throughput,
    "memory": memory,
    "partitions": partitions,
    "backlog": backlog,
    **figures_spans.FIGURES,
    **figures_vectors.FIGURES,
    **figures_domains.FIGURES,
    **figures_client_node.FIGURES,
    **figures_tenants.FIGURES,
}

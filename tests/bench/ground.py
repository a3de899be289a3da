"""The environment of the figures: stack, programs, workers, and the processor time of processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
BUILD = ROOT / "build" / "bench"
STOWAGE = ROOT / "build" / "release" / "stowage"
THREADS = 200
LARGE_BATCHES = min(max(os.cpu_count(), 2), 8)  # that a worker runs in parallel by default


class Failed(Exception):
    """A failure of the setup or of a run that invalidates all figures."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **kwargs):
    """Runs a program to its end and returns its standard output; an error quotes its standard error."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, **kwargs)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip()[-2000:]
        raise Failed(f"{Path(command[0]).name} {' '.join(map(str, command[1:4]))}: {tail}")
    return done.stdout


def shell_env(script):
    """The environment after a shell script ran."""
    out = run(["bash", "-c", f"set -e; {script}; env -0"], cwd=ROOT)
    return dict(entry.split("=", 1) for entry in out.split("\0") if "=" in entry)


# ---------------------------------------------------------------- processes

def cpu_ns(pid):
    """Processor time of all threads of a process so far, from its own clock, in nanoseconds."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def children(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


def cpu_tree_ns(pid):
    """Processor time of a process, its children, and the children that it has waited for."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    total = cpu_ns(pid) + (int(stat[13]) + int(stat[14])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    for child in children(pid):
        try:
            total += cpu_ns(child)
        except OSError:
            pass  # it ended in the meantime
    return total


def memory_kib(pid):
    """Resident memory now, and its highest so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "VmHWM"))


class Process:
    """A program in the background. Its standard output is read line by line; standard error goes to a log."""

    def __init__(self, command, env, log):
        self.log = log
        with open(log, "w", encoding="utf-8") as out:
            self.popen = subprocess.Popen([str(word) for word in command], env=env, text=True,
                                          stdout=subprocess.PIPE, stderr=out)
        self.pid = self.popen.pid

    def line(self, word):
        """Waits for a line that begins with the word and returns the line."""
        for line in self.popen.stdout:
            if line.startswith(word):
                return line
        raise Failed(f"{self.popen.args[0]} ended early: {Path(self.log).read_text()[-2000:]}")

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()
        try:
            self.popen.wait(30)
        except subprocess.TimeoutExpired:
            say(f"{self.popen.args[0]} does not end within 30 s, killing it")
            self.popen.kill()
            self.popen.wait()
        self.popen.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# ---------------------------------------------------------------- the environment

class Ground:
    """Servers, a private PostgreSQL schema and private topics; close removes everything created here."""

    def __init__(self, temporary, build=True):
        self.temporary = Path(temporary)
        self.tag = f"bench{os.getpid()}"
        self.schema = self.tag
        self.topics = []
        self.groups = 0
        self.made = {}  # what the figures of one run share, by name
        self.own_stack = None
        self.opened = False
        self.env = shell_env('eval "$(compose/setup --env)"')
        self.node = self.env["STOWAGE_NODE"]
        if build:
            self.build()
        self.schemas = self.temporary / "schemas"
        run([STOWAGE, "schemas", "--output", self.schemas], env=self.env)

    def open(self, stack_dir):
        self.start_stack(stack_dir)
        self.opened = True
        self.worker_env = {
            **self.env,
            "STOWAGE_POSTGRES_SCHEMA_NAME": self.schema,
            # SIGSTOP holds a worker while a topic is filled; that must not cause a rebalance.
            "STOWAGE_KAFKA_PROPERTIES": "session.timeout.ms=300000,max.poll.interval.ms=600000",
        }
        self.sql(f'CREATE SCHEMA "{self.schema}"')
        run([STOWAGE, "init"], env=self.worker_env)
        self.make_threads()

    def build(self):
        say("building stowage (release) and the benchmark's programs")
        run(["cmake", "--preset", "release"], env=self.env, cwd=ROOT)
        run(["cmake", "--build", "--preset", "release"], env=self.env, cwd=ROOT)
        run(["cmake", "-S", BENCH, "-B", BUILD, "-G", "Ninja"], env=self.env)
        run(["cmake", "--build", BUILD], env=self.env)

    def node_worker(self):
        """The Node worker's folder, with the packages of its lock file installed."""
        source, target = BENCH / "node-worker", BUILD / "node-worker"
        lock = (source / "package-lock.json").read_text()
        target.mkdir(parents=True, exist_ok=True)
        for program in source.glob("*.mjs"):
            (target / program.name).write_text(program.read_text())
        installed = target / "installed-lock.json"
        if not installed.exists() or installed.read_text() != lock:
            say("node-worker: installing its packages")
            for name in ("package.json", "package-lock.json"):
                (target / name).write_text((source / name).read_text())
            env = {**self.env, "PATH": f"{Path(self.node).parent}:{self.env['PATH']}"}
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], env=env, cwd=target)
            installed.write_text(lock)
        return target

    def start_stack(self, stack_dir):
        if stack_dir is None:
            stack_dir = self.own_stack = self.temporary / "stack"
            run(["compose/stack", "start", stack_dir], cwd=ROOT)
        stack = shell_env(f". '{stack_dir}/env'")
        self.env.update((name, value) for name, value in stack.items()
                        if name.startswith(("PG", "STACK_", "STOWAGE_")))

    def close(self):
        if self.own_stack:
            run(["compose/stack", "remove", self.own_stack], cwd=ROOT)
            return
        if not self.opened:
            return
        for topic in self.topics:
            self.program("client", "delete", topic)
        self.sql(f'DROP SCHEMA IF EXISTS "{self.schema}" CASCADE')

    # -- database

    def sql(self, text, database=None):
        return run(["psql", *([database] if database else []), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text],
                   env=self.env).strip()

    def make_threads(self):
        self.sql(f"""
            INSERT INTO "{self.schema}".mastra_threads
                (id, "resourceId", title, metadata, "createdAt", "updatedAt", "createdAtZ", "updatedAtZ")
            SELECT 'bench-thread-' || lpad(i::text, 6, '0'), 'bench-resource-' || lpad((i / 10)::text, 6, '0'),
                'A thread of the benchmark', '{{"source":"bench"}}', now() AT TIME ZONE 'UTC',
                now() AT TIME ZONE 'UTC', now(), now()
            FROM generate_series(0, {THREADS - 1}) AS i""")
        self.sql(f'VACUUM ANALYZE "{self.schema}".mastra_threads')

    def reset_messages(self):
        """The same start for every run that saves messages: no rows, no dirty pages."""
        self.sql(f'TRUNCATE "{self.schema}".mastra_messages')
        self.sql("CHECKPOINT", self.env["STACK_POSTGRES_ADMIN"])

    def count_messages(self):
        return int(self.sql(f'SELECT count(*) FROM "{self.schema}".mastra_messages'))

    def reset_spans(self):
        """The same start for every run that writes spans."""
        self.sql(f'TRUNCATE "{self.schema}".mastra_ai_spans')
        self.sql("CHECKPOINT", self.env["STACK_POSTGRES_ADMIN"])
        self.sql(f'VACUUM "{self.schema}".mastra_ai_spans')

    def count_spans(self):
        return int(self.sql(f'SELECT count(*) FROM "{self.schema}".mastra_ai_spans'))

    def sample_spans(self):
        """A digest of every sixteenth span, without the columns that the clock fills."""
        return self.sql(f"""
            SELECT md5(string_agg((to_jsonb(span) - '{{createdAt,updatedAt,createdAtZ,updatedAtZ}}'::text[])::text, ''
                ORDER BY "spanId"))
            FROM "{self.schema}".mastra_ai_spans AS span WHERE "spanId" LIKE '%7'""")

    def applied(self, worker, topic):
        """The number of a topic's commands that the worker's group has applied."""
        return int(self.sql(f"""SELECT COALESCE(sum(applied), 0) FROM "{self.schema}".stowage_offsets
            WHERE group_id = '{worker.group}' AND topic = '{topic}'"""))

    def reset_vectors(self, index):
        """The same start for every run that writes vectors."""
        self.sql(f'TRUNCATE "{self.schema}"."{index}"')
        self.sql("CHECKPOINT", self.env["STACK_POSTGRES_ADMIN"])
        self.sql(f'VACUUM "{self.schema}"."{index}"')

    def count_vectors(self, index):
        return int(self.sql(f'SELECT count(*) FROM "{self.schema}"."{index}"'))

    def sample_vectors(self, index):
        """A digest of every sixteenth row, without the number from the sequence."""
        return self.sql(f"""SELECT md5(string_agg(md5(concat_ws('|', vector_id, embedding::text, metadata::text, namespace)),
            '' ORDER BY vector_id)) FROM "{self.schema}"."{index}" WHERE right(vector_id, 8)::int % 16 = 7""")

    def index_scans(self, index):
        """Scans of a table's vector index, as far as ended sessions have reported them."""
        return int(self.sql(f"""SELECT COALESCE(max(idx_scan), 0) FROM pg_stat_user_indexes
            WHERE schemaname = '{self.schema}' AND indexrelname = '{index}_vector_idx'"""))

    # -- programs

    def program(self, name, *args):
        """Runs a benchmark program and returns its result."""
        out = run([BUILD / name, *args], env=self.env)
        return json.loads(out) if out else None

    def background(self, command, env=None):
        log = self.temporary / f"{Path(command[0]).name}-{time.monotonic_ns()}.log"
        return Process(command, env or self.env, log)

    def topic(self, partitions, replies=False):
        name = f"mastra.{'replies' if replies else 'bench'}.{self.tag}-{len(self.topics)}"
        self.program("client", "create", name, "--partitions", partitions)
        self.topics.append(name)
        return name

    def fill(self, topic, kind, count, *options, first=0):
        self.program("client", "fill", topic, "--kind", kind, "--count", count, "--first", first,
                     "--schemas", self.schemas, "--threads", THREADS, *options)

    def ask(self, topic, reply_topic, count, in_flight, warm_up, *options, kind="getThreadById", distinct=THREADS):
        return self.program("client", "ask", topic, "--kind", kind, "--reply-topic", reply_topic,
                            "--count", count, "--in-flight", in_flight, "--warm-up", warm_up,
                            "--schemas", self.schemas, "--threads", distinct, *options)

    def warm_broker(self, count):
        """Warms the broker: its Java compiles hot code, which would disturb the measurement."""
        echoed, replies = self.topic(4), self.topic(1, replies=True)
        with self.background([BUILD / "kafka_echo", "--topic", echoed]) as echo:
            echo.line("ready")
            self.ask(echoed, replies, count, 50, 0)

    def group(self):
        """A new group name; the group reads a topic from its start."""
        self.groups += 1
        return f"{self.tag}-{self.groups}"

    def worker(self, topic, group=None, **settings):
        """A Stowage worker, in a private group or in the given group."""
        group = group or self.group()
        env = {**self.worker_env, "STOWAGE_KAFKA_TOPICS": topic, "STOWAGE_KAFKA_GROUP_ID": group, **settings}
        process = self.background([STOWAGE, "run"], env)
        process.group = group
        return process

    def watch(self, group, until, after=0, lanes=0):
        """Starts watch: it prints "ready", "begin COUNT" and "end COUNT" of the commands that the group applied."""
        return self.background([BUILD / "watch", "--schema", self.schema, "--group", group,
                                "--until", until, "--from", after, "--lanes", lanes])

    def wait_applied(self, worker, until):
        with self.watch(worker.group, until) as watching:
            watching.line("end")

    def drain(self, worker, until, after=0, lanes=0, resume=False):
        """Waits until the worker has applied `until` commands, and returns what that took.

        Counts from the first commit beyond `after`. With `lanes` it counts from the moment when the worker
        has claimed that many partitions, before it fetches anything. With `resume` it sends SIGCONT to a
        worker that SIGSTOP holds, and counts from there."""
        with self.watch(worker.group, until, after, lanes) as watching:
            watching.line("ready")
            if resume:
                start = self.meter(worker.pid)
                worker.popen.send_signal(signal.SIGCONT)
                return self.watched(watching, until, worker.pid, start=start, begun=after)
            return self.watched(watching, until, worker.pid)

    def watched(self, watching, until, *pids, start=None, begun=None):
        """Time and processor time from "begin COUNT" (or an earlier meter) to "end COUNT"."""
        if start is None:
            begun = int(watching.line("begin").split()[1])
            start = self.meter(*pids)
        watching.line("end")
        end = self.meter(*pids)
        count = until - begun
        if count <= 0:
            raise Failed(f"{until} commands are applied too quickly to be measured")
        return {"count": count, "rate": count * 1e9 / (end["wall"] - start["wall"]), **self.cost(start, end, count)}

    def meter_servers(self):
        return {"wall": time.monotonic_ns(), "postgres": cpu_tree_ns(int(self.env["STACK_POSTGRES_PID"])),
                "kafka": cpu_ns(int(self.env["STACK_KAFKA_PID"]))}

    def meter(self, *pids):
        """The clock, and the processor time of the programs and of both servers so far."""
        return {"worker": sum(map(cpu_ns, pids)), **self.meter_servers()}

    @staticmethod
    def cost(start, end, count):
        """Processor time between two meters, in microseconds per command."""
        return {f"{name}_us": (end[name] - start[name]) / count / 1000 for name in start if name != "wall"}

"""A worker with topics, a reply topic and tables of its own, and clients of the installed wheel that use it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stowage import Stowage
from stowage.memory import Thread

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("STOWAGE_BIN", str(ROOT / "build/release/stowage"))
PATIENCE = 60.0  # seconds; only bounds a hang
PARTITIONS = 4
REPLY_BYTES = 1_000_000


def new_id() -> str:
    return uuid.uuid4().hex[:10]


def new_thread(resource: str = "alice", **more: Any) -> Thread:
    thread: Thread = {
        "id": new_id(),
        "resourceId": resource,
        "title": "A trip",
        "createdAt": datetime(2026, 1, 31, 12, 0, 0, 123000, tzinfo=timezone.utc),
        "updatedAt": datetime(2026, 2, 1, tzinfo=timezone.utc),
        "metadata": {"days": 3, "tags": ["x", "Zürich"]},
    }
    thread.update(more)  # type: ignore[typeddict-item]
    return thread


def until(what: str, test: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (value := test()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)
    return value


class World:
    """Everything that a test file owns. close() removes it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        name = new_id()
        self.environment = environment
        self.brokers = environment["STOWAGE_KAFKA_BOOTSTRAP_SERVERS"]
        self.schema = f"t_{name}"
        self.tenants = f"tenant_{name}_"
        self.topic = f"test.{name}.commands"
        self.replies = f"mastra.replies.{name}"
        self._folder = folder
        self._worker: subprocess.Popen[bytes] | None = None
        self._admin = AdminClient({"bootstrap.servers": self.brokers})
        self._names = [self.topic, f"{self.topic}.dlq", self.replies]
        made = self._admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in self._names])
        for future in made.values():
            future.result(PATIENCE)
        self._run("init")

    def _settings(self) -> dict[str, str]:
        return {**self.environment, "STOWAGE_POSTGRES_SCHEMA_NAME": self.schema}

    def _run(self, *arguments: str) -> None:
        subprocess.run([BINARY, *arguments], env=self._settings(), check=True, capture_output=True, timeout=PATIENCE)

    def start_worker(self) -> None:
        port = _free_port()
        config = self._folder / "worker.conf"
        config.write_text(
            f'postgres = {{ max = 4; schemas = "{self.tenants}.*"; }};\n'
            f'kafka = {{ groupId = "{self.topic}"; topics = [ "{self.topic}" ]; }};\n'
            f"replies = {{ maxBytes = {REPLY_BYTES}; }};\n"
            f'http = {{ address = "127.0.0.1:{port}"; }};\n'
        )
        with open(self._folder / "worker.log", "ab") as log:
            self._worker = subprocess.Popen([BINARY, "run", "--config", str(config)], env=self._settings(), stdout=log, stderr=log)
        until("the worker is ready", lambda: _is_ready(port))

    def stop_worker(self) -> None:
        if self._worker:
            self._worker.terminate()
            assert self._worker.wait(PATIENCE) == 0, (self._folder / "worker.log").read_text()[-5000:]
            self._worker = None

    def client(self, **options: Any) -> Stowage:
        return Stowage(self.brokers, **{"topics": self.topic, "reply_topic": self.replies, "timeout": PATIENCE, **options})

    def messages(self, topic: str, count: int) -> list[Message]:
        """The first messages of a topic: at least `count`."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "unused", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        found: list[Message] = []
        try:
            end = time.monotonic() + PATIENCE
            while len(found) < count:
                assert time.monotonic() < end, f"only {len(found)} messages of {topic}"
                found += consumer.consume(100, 0.2)
        finally:
            consumer.close()
        return found

    def sql(self, text: str) -> str:
        connection = self.environment["STOWAGE_POSTGRES_CONNECTION_STRING"]
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", connection]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout.strip()

    def close(self) -> None:
        self.stop_worker()
        names = f"schema_name = '{self.schema}' OR schema_name LIKE '{self.tenants}%'"
        for schema in self.sql(f"SELECT schema_name FROM information_schema.schemata WHERE {names}").split():
            self.sql(f'SET client_min_messages = warning; DROP SCHEMA "{schema}" CASCADE')
        for future in self._admin.delete_topics(self._names).values():
            future.result(PATIENCE)


def headers_of(message: Message) -> dict[str, str]:
    headers: Any = message.headers() or ()
    return {name: value.decode() for name, value in headers}


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False

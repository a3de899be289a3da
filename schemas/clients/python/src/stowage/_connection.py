"""Calls: sends a command and waits for its reply, or only for Kafka's acknowledgement."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from ._codec import Convert
from ._contract import Command, decode_error, find_command
from ._errors import InternalError, StowageError, TimedOutError, UnavailableError, unavailable
from ._kafka import Replies, Sender
from ._pages import fetch_in_pages, is_pageable
from ._types import UNSET

RETRY_SECONDS = 0.1
RETRY_DOUBLINGS = 6

# By default: spans, logs, metrics, scores and feedback. Deleting is never forgotten.
FORGOTTEN_DOMAINS = ("observability", "scores")
FORGOTTEN_METHODS = re.compile("(batch)?(create|update|save)", re.IGNORECASE)


def is_forgotten(command: Command, chosen: Mapping[str, bool]) -> bool:
    """Whether a write asks for no reply, unless the call says otherwise."""
    usual = command.domain in FORGOTTEN_DOMAINS and bool(FORGOTTEN_METHODS.match(command.method))
    return command.is_write and chosen.get(command.name, chosen.get(command.domain, usual))


@dataclass(frozen=True)
class CallOptions:
    """What a call can be told."""

    timeout: float = 30.0
    retries: int = 0
    schema_name: str | None = None
    idempotency_key: str | None = None
    headers: Mapping[str, str | bytes] = field(default_factory=dict)

    def but(self, **given: Any) -> CallOptions:
        return replace(self, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class ConnectionOptions:
    """What all calls of a connection share."""

    kafka: Mapping[str, Any]
    topics: str | Mapping[str, str]
    reply_topic: str
    reply_partition: int | None
    forget: Mapping[str, bool]
    vector: Convert | None


@dataclass
class _Call:
    command: Command
    future: asyncio.Future[Any]


class Connection:
    """What a process has of Kafka: one producer, one reader of replies. It belongs to the event loop of its first call."""

    def __init__(self, options: ConnectionOptions) -> None:
        self.vector = options.vector
        self._options = options
        self._sender: Sender | None = None
        self._replies: Replies | None = None
        self._reading: asyncio.Task[None] | None = None
        self._calls: dict[bytes, _Call] = {}
        self._prefix = uuid.uuid4().hex
        self._count = itertools.count()
        self._is_closed = False

    async def call(self, command: Command, request: Mapping[str, Any], options: CallOptions, fire: bool | None = None) -> Any:
        """Resolves to what the method returns, or to None if no reply is asked for."""
        try:
            return await self._call(command, request, options, fire)
        except StowageError as error:
            if not is_pageable(command, error):
                raise
        return await fetch_in_pages(command, request, lambda part: self._call(command, part, options, False))

    async def _call(self, command: Command, request: Mapping[str, Any], options: CallOptions, fire: bool | None) -> Any:
        try:
            key, value = command.encode(request)
            if fire if fire is not None else is_forgotten(command, self._options.forget):
                return await self._open_sender().send(self._topic_of(command), key, value, _headers(options))
            return await self._ask(command, key, value, options)
        except StowageError as error:
            error.command = command.name
            raise

    async def start(self, timeout: float) -> None:
        """Waits until replies to commands from now on will be read."""
        loop = asyncio.get_running_loop()
        self._open_sender()
        if self._reading is None or (self._reading.done() and (self._reading.cancelled() or self._reading.exception())):
            options = self._options
            self._replies = Replies(options.kafka, options.reply_topic, options.reply_partition, self._answer, loop)
            self._reading = loop.create_task(asyncio.to_thread(self._replies.start, timeout))
        await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Waits until Kafka has what was sent, fails the calls that still wait for a reply, and ends the threads."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._sender:
            await asyncio.to_thread(self._sender.flush)
            self._sender = None  # ends librdkafka's threads
        for call in self._take_calls():
            call.future.set_exception(unavailable("the client was closed before the reply came", retryable=False))
        if self._reading and self._replies:
            self._replies.stop()
            await asyncio.wait([self._reading])
            await asyncio.to_thread(self._replies.join)

    def _take_calls(self) -> list[_Call]:
        calls, self._calls = self._calls, {}
        return [call for call in calls.values() if not call.future.done()]

    def _open_sender(self) -> Sender:
        if self._is_closed:
            raise unavailable("the client is closed", retryable=False)
        if self._sender is None:
            self._sender = Sender(self._options.kafka, asyncio.get_running_loop())
        return self._sender

    async def _ask(self, command: Command, key: bytes | None, value: bytes, options: CallOptions) -> Any:
        if command.is_write and options.retries > 0 and options.idempotency_key is None:
            options = replace(options, idempotency_key=str(uuid.uuid4()))
        for tries in itertools.count():
            try:
                await self.start(options.timeout)
                return await self._attempt(command, key, value, options)
            except StowageError as error:
                if not error.retryable or tries >= options.retries or self._is_closed:
                    raise
            await asyncio.sleep(RETRY_SECONDS * 2 ** min(tries, RETRY_DOUBLINGS))

    async def _attempt(self, command: Command, key: bytes | None, value: bytes, options: CallOptions) -> Any:
        loop = asyncio.get_running_loop()
        number = f"{self._prefix}.{next(self._count)}".encode()
        call = self._calls[number] = _Call(command, loop.create_future())
        timer = loop.call_later(options.timeout, _expire, call, options.timeout)
        try:
            sent = self._open_sender().send(self._topic_of(command), key, value, self._headers_of(options, number))
            sent.add_done_callback(lambda done: _fail(call, done))
            return await call.future
        finally:
            timer.cancel()
            self._calls.pop(number, None)

    def _headers_of(self, options: CallOptions, number: bytes) -> list[tuple[str, bytes]]:
        assert self._replies
        return [
            *_headers(options),
            ("reply-to", self._replies.topic.encode()),
            ("reply-partition", str(self._replies.partition).encode()),
            ("correlation-id", number),
            ("deadline", str(int((time.time() + options.timeout) * 1000)).encode()),
        ]

    def _topic_of(self, command: Command) -> str:
        topics = self._options.topics
        return topics if isinstance(topics, str) else topics.get(command.domain, command.topic)

    def _answer(self, message: Any) -> None:
        headers = dict(message.headers() or ())
        call = self._calls.get(headers.get("correlation-id") or b"")
        if not call or call.future.done():  # replies of other processes, and second replies
            return
        try:
            if headers.get("status") == b"ok":
                call.future.set_result(call.command.decode(message.value(), self.vector))
            else:
                call.future.set_exception(decode_error(message.value(), call.command.name))
        except Exception as error:
            text = f"the reply cannot be decoded: {error!r}"
            call.future.set_exception(InternalError("UNREADABLE_REPLY", text))


def _headers(options: CallOptions) -> list[tuple[str, bytes]]:
    given: dict[str, str | bytes | None] = {**options.headers, "schema-name": options.schema_name, "idempotency-key": options.idempotency_key}
    return [(name, text if isinstance(text, bytes) else text.encode()) for name, text in given.items() if text is not None]


def _expire(call: _Call, timeout: float) -> None:
    if not call.future.done():
        message = f"no reply within {timeout} s: is a worker running?"
        call.future.set_exception(TimedOutError("NO_REPLY", message, retryable=True))


def _fail(call: _Call, sent: asyncio.Future[None]) -> None:
    error = None if sent.cancelled() else sent.exception()
    if error and not call.future.done():
        call.future.set_exception(error)


class Domain:
    """A domain's commands. The classes of the domains are generated."""

    def __init__(self, connection: Connection, options: CallOptions) -> None:
        self._connection = connection
        self._options = options

    @staticmethod
    def _given(request: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in request.items() if value is not UNSET}

    async def _call(self, name: str, request: Mapping[str, Any]) -> Any:
        return await self._connection.call(find_command(name), request, self._options)

    async def _fire(self, name: str, request: Mapping[str, Any]) -> None:
        await self._connection.call(find_command(name), request, self._options, fire=True)

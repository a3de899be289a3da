"""The client: brokers, options, and an attribute for each domain."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, Mapping, Sequence

from ._connection import CallOptions, Connection, ConnectionOptions
from ._contract import find_command
from ._domains import Domains
from ._types import Self


class Stowage(Domains):
    """A client of Stowage workers.

    Use it in `async with`, or call `close()` at the end. It belongs to the event loop of its first call, and any number of
    tasks may call it at once.
    """

    def __init__(
        self,
        brokers: str | Sequence[str],
        *,
        topics: str | Mapping[str, str] | None = None,
        reply_topic: str = "mastra.replies",
        reply_partition: int | None = None,
        schema_name: str | None = None,
        timeout: float = 30.0,
        retries: int = 0,
        fire_and_forget: Mapping[str, bool] | None = None,
        vectors: Literal["list", "numpy"] = "list",
        client_id: str = "stowage",
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        """Connects at the first call.

        Args:
            brokers: Addresses of Kafka brokers: "kafka-1:9092".
            topics: The command topic: one for all domains, or one for some. Default: mastra.commands.<domain>.
            reply_topic: It must match the worker's replies.allow.
            reply_partition: The partition of the reply topic that this client reads. Default: chosen at random.
            schema_name: The PostgreSQL schema to act on, for tenants. Default: the worker's postgres.schemaName.
            timeout: Seconds to wait for a reply. The worker does not begin the command after that time.
            retries: How often a command goes again after a retryable error or without a reply. Writes then carry an
                idempotency key, so that they take effect once.
            fire_and_forget: Which writes ask for no reply: by domain, or by command ("memory.saveMessages"), which counts
                more. Default: what adds to or updates the domains observability and scores.
            vectors: How embeddings in replies come back.
            client_id: The name that brokers' logs show.
            kafka: More settings of librdkafka, for producer and consumer: TLS, SASL, compression.type.
        """
        servers = brokers if isinstance(brokers, str) else ",".join(brokers)
        common = {"bootstrap.servers": servers, "client.id": client_id, "reconnect.backoff.max.ms": 1000, **(kafka or {})}
        options = ConnectionOptions(common, topics or {}, reply_topic, reply_partition, fire_and_forget or {}, _numpy() if vectors == "numpy" else None)
        super().__init__(Connection(options), CallOptions(timeout, retries, schema_name))

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retries: int | None = None,
        schema_name: str | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str | bytes] | None = None,
    ) -> Self:
        """The same client with other options for its calls. They share the connection; closing one closes both."""
        other = type(self).__new__(type(self))
        options = self._options.but(
            timeout=timeout, retries=retries, schema_name=schema_name, idempotency_key=idempotency_key, headers=headers
        )
        Domains.__init__(other, self._connection, options)
        return other

    async def call(self, command: str, request: Mapping[str, Any] | None = None) -> Any:
        """Calls a command by its name in `stowage commands`, with the request's fields as they are named there."""
        return await self._connection.call(find_command(command), request or {}, self._options)

    def encode(self, command: str, request: Mapping[str, Any]) -> bytes:
        """Makes a message of a command, for `storage.transaction`."""
        return find_command(command).encode(request)[1]

    def decode(self, command: str, reply: bytes) -> Any:
        """What the method returns, from a reply of `storage.transaction`."""
        return find_command(command).decode(reply, self._connection.vector)

    async def start(self) -> None:
        """Connects now, so that a wrong address or a missing topic is known at once."""
        await self._connection.start(self._options.timeout)

    async def close(self) -> None:
        """Waits until Kafka has what was sent. Calls that still wait for a reply fail with UnavailableError."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def _numpy() -> Any:
    import numpy

    return lambda floats: numpy.array(floats, dtype=numpy.float32)

"""What the client needs of Kafka: a sender of commands and a reader of replies, each with a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections import deque
from typing import Any, Callable, Mapping, Sequence, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from ._errors import InvalidError, StowageError, UnavailableError, unavailable

POLL_SECONDS = 0.1
LOOK_UP_SECONDS = 1.0
FLUSH_SECONDS = 60.0
READ_AT_ONCE = 1000

Headers = Sequence[tuple[str, bytes]]

_LOG = logging.getLogger("stowage")  # what librdkafka says

_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_RECORD)
_NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_REFUSED = (
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


_Client = TypeVar("_Client", Producer, Consumer)


def _make(kind: type[_Client], config: dict[str, Any]) -> _Client:
    try:
        return kind(config)
    except (KafkaException, TypeError, ValueError) as error:
        raise InvalidError("INVALID_OPTION", f"librdkafka refuses its settings: {error}") from None


def missing_topic(topic: str) -> StowageError:
    message = f"the topic {topic} does not exist: `stowage topics create` makes it"
    return UnavailableError("TOPIC_MISSING", message)


def error_of(error: KafkaError, topic: str) -> StowageError:
    """The error of a message that Kafka did not take."""
    if error.code() in _TOO_LARGE:
        return InvalidError("MESSAGE_TOO_LARGE", f"Kafka refuses the command: {error.str()}")
    if error.code() in _NO_TOPIC:
        return missing_topic(topic)
    return unavailable(f"Kafka did not acknowledge the command: {error.str()}", retryable=error.code() not in _REFUSED)


class Inbox:
    """Hands items of other threads to the event loop, all that wait at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[Any], None]) -> None:
        self._loop = loop
        self._take = take
        self._items: deque[Any] = deque()
        self._lock = threading.Lock()
        self._is_scheduled = False

    def put(self, item: Any) -> None:
        with self._lock:
            self._items.append(item)
            if self._is_scheduled:
                return
            self._is_scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._empty)
        except RuntimeError:  # the loop is closed: nobody waits
            pass

    def _empty(self) -> None:
        with self._lock:
            items, self._items = self._items, deque()
            self._is_scheduled = False
        for item in items:
            self._take(item)


class Sender:
    """Sends messages. Methods belong to the event loop's thread."""

    def __init__(self, config: Mapping[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self._config = {
            "partitioner": "murmur2_random",  # the one of Kafka's own clients: equal keys go to the same partition
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.timeout.ms": 60_000,
            "message.max.bytes": 100_000_000,  # the broker decides
            "topic.metadata.propagation.max.ms": 5000,
            "logger": _LOG,
            **config,
        }
        self._loop = loop
        self._inbox = Inbox(loop, _settle)
        self._producer, self._stop = self._start()

    def _start(self) -> tuple[Producer, threading.Event]:
        producer = _make(Producer, self._config)
        stop = threading.Event()
        threading.Thread(target=_serve, args=(producer, stop), name="stowage-sender", daemon=True).start()
        return producer, stop

    def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> asyncio.Future[None]:
        """Ends when all in-sync replicas have the message. Raises if it cannot even wait."""
        future: asyncio.Future[None] = self._loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            self._inbox.put((future, error, topic))

        try:
            self._producer.produce(topic, value, key, on_delivery=delivered, headers=list(headers))
        except BufferError:
            raise unavailable("too many commands wait for Kafka: queue.buffering.max.messages and .kbytes bound them") from None
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
            if error.code() == KafkaError._FATAL:  # an idempotent producer that lost its place cannot go on
                self._stop.set()
                self._producer, self._stop = self._start()
            raise error_of(error, topic) from None
        return future

    def flush(self) -> None:
        """Waits until Kafka has what was sent. Blocks: not for the loop's thread."""
        self._producer.flush(FLUSH_SECONDS)
        self._stop.set()


def _serve(producer: Producer, stop: threading.Event) -> None:
    while not stop.is_set():
        producer.poll(POLL_SECONDS)
    producer.purge()  # nothing, unless Kafka did not take it in time
    producer.flush(LOOK_UP_SECONDS)


def _settle(item: tuple[asyncio.Future[None], KafkaError | None, str]) -> None:
    future, error, topic = item
    if future.done():
        return
    if error:
        future.set_exception(error_of(error, topic))
    else:
        future.set_result(None)


class Replies:
    """Reads one partition of the reply topic from its end at the time of start, without a group."""

    def __init__(self, config: Mapping[str, Any], topic: str, partition: int | None, on_reply: Callable[[Any], None], loop: asyncio.AbstractEventLoop) -> None:
        self._config = {
            "auto.offset.reset": "earliest",
            "fetch.error.backoff.ms": 100,
            "logger": _LOG,
            **config,
            "group.id": "stowage-unused",  # the library asks for one
            "enable.auto.commit": False,
            "error_cb": self._notice,
        }
        self.topic = topic
        self.partition = -1
        self._wanted = partition
        self._inbox = Inbox(loop, on_reply)
        self._stop = threading.Event()
        self._refusal: KafkaError | None = None
        self._thread: threading.Thread | None = None

    def start(self, seconds: float) -> None:
        """Returns when replies to commands from now on will be read. Blocks: not for the loop's thread."""
        consumer = _make(Consumer, self._config)
        try:
            place = self._find(consumer, seconds)
            consumer.assign([place])
        except BaseException:
            consumer.close()
            raise
        self.partition = place.partition
        self._thread = threading.Thread(target=self._read, args=(consumer,), name="stowage-replies", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the reading, or a start that still looks for the topic."""
        self._stop.set()

    def join(self) -> None:
        """Waits for the end after stop(). Blocks: not for the loop's thread."""
        if self._thread:
            self._thread.join()

    def _find(self, consumer: Consumer, seconds: float) -> TopicPartition:
        tries = max(1, round(seconds / LOOK_UP_SECONDS))
        for left in reversed(range(tries)):
            try:
                partitions = len(self._look_up(consumer))
                place = TopicPartition(self.topic, self._choose(partitions))
                _, place.offset = consumer.get_watermark_offsets(place, LOOK_UP_SECONDS)
                return place
            except KafkaException as exception:
                consumer.poll(0)  # calls self._notice
                error: KafkaError = self._refusal or exception.args[0]
                if self._refusal or self._stop.is_set() or left == 0:
                    raise unavailable(f"Kafka cannot be reached: {error.str()}", retryable=not self._refusal) from None
        raise AssertionError

    def _look_up(self, consumer: Consumer) -> Mapping[int, Any]:
        found = consumer.list_topics(self.topic, LOOK_UP_SECONDS).topics[self.topic]
        if found.error and found.error.code() in _NO_TOPIC:
            raise missing_topic(self.topic)
        if found.error:
            raise KafkaException(found.error)
        partitions: Mapping[int, Any] = found.partitions
        return partitions

    def _choose(self, partitions: int) -> int:
        if self._wanted is None:
            return random.randrange(partitions)
        if self._wanted < partitions:
            return self._wanted
        message = f"reply_partition is {self._wanted}, but {self.topic} has {partitions} partitions"
        raise InvalidError("NO_SUCH_PARTITION", message)

    def _notice(self, error: KafkaError) -> None:
        if error.code() in _REFUSED:
            self._refusal = error

    # librdkafka goes on through every failure by itself: brokers that restart, leaders that move.
    def _read(self, consumer: Consumer) -> None:
        while not self._stop.is_set():
            first = consumer.poll(POLL_SECONDS)
            if first is None:
                continue
            for message in [first, *consumer.consume(READ_AT_ONCE, 0)]:
                if not message.error():
                    self._inbox.put(message)
        consumer.close()

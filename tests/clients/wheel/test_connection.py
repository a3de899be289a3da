"""How calls begin and end: timeouts, retries, several clients, close, what Kafka refuses."""

from __future__ import annotations

import asyncio
import os
from typing import Iterator

import pytest

from stowage import InvalidError, Stowage, StowageError, TimedOutError, UnavailableError
from world import PATIENCE, World, headers_of, new_id, new_thread


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world without a worker, until a test starts it."""
    made = World(tmp_path_factory.mktemp("idle"), dict(os.environ))
    yield made
    made.close()


async def test_without_a_worker_a_call_times_out(idle: World) -> None:
    async with idle.client(timeout=0.3) as client:
        with pytest.raises(TimedOutError) as raised:
            await client.memory.save_thread(thread=new_thread(id="late"))
        assert (raised.value.code, raised.value.category, raised.value.retryable) == ("NO_REPLY", "TIMEOUT", True)
    (message,) = idle.messages(idle.topic, 1)
    headers = headers_of(message)
    assert int(headers["deadline"]) > 0 and headers["reply-partition"] and headers["correlation-id"]
    assert headers["reply-to"] == idle.replies
    assert "idempotency-key" not in headers


async def test_a_write_that_goes_again_takes_effect_once(idle: World) -> None:
    async with idle.client(timeout=2, retries=50) as client:
        made = asyncio.create_task(client.datasets.create_dataset(name="once"))
        messages = await asyncio.to_thread(idle.messages, idle.topic, 3)  # the first test's, and this one twice
        keys = {headers_of(message).get("idempotency-key") for message in messages[1:]}
        await asyncio.to_thread(idle.start_worker)
        assert (await made)["name"] == "once"
        sent = [headers_of(m).get("idempotency-key") for m in idle.messages(idle.topic, 3)]
        assert len({key for key in sent if key}) == 1 and keys
        assert idle.sql(f'SELECT count(*) FROM "{idle.schema}".mastra_datasets') == "1"
        assert await client.memory.get_thread_by_id(thread_id="late") is None  # it was past its deadline


async def test_two_clients_at_once_get_their_own_replies(world: World) -> None:
    async def run(client: Stowage) -> None:
        threads = [new_thread(title=new_id()) for _ in range(100)]
        await asyncio.gather(*(client.memory.save_thread(thread=thread) for thread in threads))
        found = await asyncio.gather(*(client.memory.get_thread_by_id(thread_id=thread["id"]) for thread in threads))
        assert found == threads

    async with world.client(reply_partition=1) as one, world.client(reply_partition=1) as two:
        await asyncio.gather(run(one), run(two))


async def test_a_call_that_is_cancelled_leaves_the_others(world: World) -> None:
    async with world.client() as client:
        call = asyncio.create_task(client.storage.ping())
        await asyncio.sleep(0)
        call.cancel()
        assert (await client.storage.ping())["schemaName"] == world.schema


async def test_close_fails_later_calls_and_those_that_wait(world: World) -> None:
    client = world.client(topics=f"{world.topic}.dlq")  # nobody answers there
    await client.start()
    call = asyncio.create_task(client.storage.ping())
    await asyncio.sleep(0.1)
    await asyncio.gather(client.close(), client.close())
    for waiting in (call, client.storage.ping(), client.memory.fire.save_thread(thread=new_thread())):
        with pytest.raises(UnavailableError) as raised:
            await waiting
        assert not raised.value.retryable


async def test_a_missing_topic_is_an_error_that_says_what_makes_it(world: World) -> None:
    for options in ({"topics": "test.missing"}, {"reply_topic": "mastra.replies.missing"}):
        client = world.client(**options)
        with pytest.raises(StowageError, match="stowage topics create") as raised:
            await client.storage.ping()
        assert raised.value.code == "TOPIC_MISSING"
        await client.close()


async def test_a_partition_that_is_not_there_is_an_error(world: World) -> None:
    client = world.client(reply_partition=99)
    with pytest.raises(InvalidError) as raised:
        await client.storage.ping()
    assert raised.value.code == "NO_SUCH_PARTITION"
    await client.close()


async def test_a_setting_that_librdkafka_does_not_know_is_an_error(world: World) -> None:
    client = world.client(kafka={"unheard.of": 1})
    with pytest.raises(InvalidError, match="unheard.of"):
        await client.storage.ping()
    await client.close()


async def test_close_ends_a_call_that_cannot_reach_kafka(world: World) -> None:
    client = Stowage("127.0.0.1:1", timeout=PATIENCE)
    call = asyncio.create_task(client.storage.ping())
    await asyncio.sleep(0.1)
    await asyncio.wait_for(client.close(), PATIENCE / 4)
    with pytest.raises(UnavailableError):
        await call


async def test_sasl_is_passed_on(world: World) -> None:
    servers = {"bootstrap.servers": os.environ["STACK_KAFKA_SASL_SERVERS"]}
    sasl = {**servers, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "worker"}
    async with world.client(kafka={**sasl, "sasl.password": "worker-password"}) as client:
        assert (await client.storage.ping())["schemaName"] == world.schema
    refused = world.client(kafka={**sasl, "sasl.password": "wrong-password"})
    with pytest.raises(UnavailableError) as raised:
        await refused.storage.ping()
    assert not raised.value.retryable
    assert "wrong-password" not in str(raised.value)
    await refused.close()

"""What commands take and return: memory, workflows, spans, lists, nulls, errors, tenants."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from stowage import ConflictError, InvalidError, NotFoundError, Stowage, StowageError, UnsupportedError
from stowage.memory import Message
from world import REPLY_BYTES, World, headers_of, new_id, new_thread, until


async def test_a_thread_and_its_messages_come_back_as_they_were_saved(stowage: Stowage) -> None:
    thread = new_thread()
    assert await stowage.memory.save_thread(thread=thread) == thread
    assert await stowage.memory.get_thread_by_id(thread_id=thread["id"]) == thread
    message: Message = {
        "id": new_id(),
        "role": "user",
        "createdAt": datetime(2026, 1, 31, tzinfo=timezone.utc),
        "threadId": thread["id"],
        "resourceId": "alice",
        "type": "v2",
        "content": {"format": 2, "parts": [{"type": "text", "text": "Grüezi \ud83d"}]},
    }
    await stowage.memory.save_messages(messages=[message])
    found = await stowage.memory.list_messages(thread_id=thread["id"], per_page=False)
    assert [one["id"] for one in found["messages"]] == [message["id"]]
    assert found["messages"][0]["content"]["parts"][0]["text"].startswith("Grüezi")
    assert found["messages"][0]["createdAt"] == message["createdAt"]
    assert found["perPage"] is False


async def test_what_is_not_there_is_none(stowage: Stowage) -> None:
    assert await stowage.memory.get_thread_by_id(thread_id=new_id()) is None


async def test_a_page_has_the_given_size(stowage: Stowage) -> None:
    resource = new_id()
    await asyncio.gather(*(stowage.memory.save_thread(thread=new_thread(resource)) for _ in range(3)))
    page = await stowage.memory.list_threads(filter={"resourceId": resource}, page=1, per_page=2)
    assert (len(page["threads"]), page["perPage"], page["total"], page["hasMore"]) == (1, 2, 3, False)


async def test_a_list_beyond_one_reply_comes_in_pages_as_if_it_were_one(stowage: Stowage) -> None:
    resource = new_id()
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    text = {"text": "x" * (REPLY_BYTES // 10)}
    threads = [new_thread(resource, createdAt=start + timedelta(seconds=n), metadata=text) for n in range(30)]
    await asyncio.gather(*(stowage.memory.save_thread(thread=thread) for thread in threads))
    ids = [thread["id"] for thread in threads]

    async def listed(page: int, per_page: int | None) -> tuple[list[str], dict[str, Any]]:
        found = await stowage.memory.list_threads(
            filter={"resourceId": resource}, page=page, per_page=per_page, order_by={"field": "createdAt", "direction": "ASC"}
        )
        told = {name: value for name, value in found.items() if name != "threads"}
        return [thread["id"] for thread in found["threads"]], told

    assert await listed(0, False) == (ids, {"total": 30, "page": 0, "perPage": False, "hasMore": False})
    assert await listed(1, 14) == (ids[14:28], {"total": 30, "page": 1, "perPage": 14, "hasMore": True})
    usual, told = await listed(0, None)  # the default of perPage is larger than the list
    assert (usual, told["hasMore"]) == (ids, False)


async def test_a_row_beyond_one_reply_is_an_error(stowage: Stowage, world: World) -> None:
    thread = new_thread(new_id())
    await stowage.memory.save_thread(thread=thread)
    world.sql(f'UPDATE "{world.schema}".mastra_threads SET title = repeat(\'x\', {REPLY_BYTES}) WHERE id = \'{thread["id"]}\'')
    with pytest.raises(StowageError) as raised:
        await stowage.memory.list_threads(filter={"resourceId": thread["resourceId"]}, per_page=False)
    assert (raised.value.code, raised.value.command) == ("REPLY_TOO_LARGE", "memory.listThreads")


async def test_positional_parameters(stowage: Stowage) -> None:
    await stowage.blobs.put(hash="h1", content="text", size=4, created_at=datetime.now(timezone.utc))
    assert await stowage.blobs.has("h1") is True
    assert (await stowage.blobs.get_many(["h1", "h2"])).keys() == {"h1"}
    assert await stowage.favorites.is_favorited_batch(user_id="u", entity_type="agent", entity_ids=["x"]) == set()


async def test_a_workflow_is_saved_and_loaded(stowage: Stowage) -> None:
    snapshot: dict[str, Any] = {"status": "suspended", "context": {"input": {"a": 1}}, "suspendedPaths": {"step": [0]}}
    run = new_id()
    await stowage.workflows.persist_workflow_snapshot(workflow_name="w", run_id=run, snapshot=snapshot)
    assert await stowage.workflows.load_workflow_snapshot(workflow_name="w", run_id=run) == snapshot


async def test_none_clears_a_field_and_what_is_not_given_stays(stowage: Stowage) -> None:
    dataset = await stowage.datasets.create_dataset(name=new_id(), target_ids=["old"], scorer_ids=["s"])
    updated = await stowage.datasets.update_dataset(id=dataset["id"], target_ids=None)
    assert (updated["targetIds"], updated["scorerIds"]) == (None, ["s"])


async def test_spans_are_sent_without_a_reply_and_are_in_order_with_reads(stowage: Stowage, world: World) -> None:
    trace = new_id()
    now = datetime.now(timezone.utc)
    for number in range(20):
        await stowage.observability.create_span(
            span={"traceId": trace, "spanId": f"s{number}", "name": "run", "spanType": "agent_run", "isEvent": False, "startedAt": now}
        )
    found = await stowage.observability.get_trace(trace_id=trace)
    assert found is not None and len(found["spans"]) == 20
    sent = [headers_of(message) for message in world.messages(world.topic, 21) if message.key() == trace.encode()]
    assert ["reply-to" in headers for headers in sent] == [False] * 20 + [True]


async def test_fire_ends_without_a_result_and_a_failure_becomes_a_dead_letter(stowage: Stowage, world: World) -> None:
    thread = new_thread()
    await stowage.memory.fire.save_thread(thread=thread)
    assert await stowage.memory.get_thread_by_id(thread_id=thread["id"]) == thread  # the same key: in order
    await stowage.memory.fire.update_thread(id=new_id(), title="x", metadata={})
    (letter,) = world.messages(f"{world.topic}.dlq", 1)
    assert headers_of(letter)["__connect.errors.exception.class.name"] == "THREAD_NOT_FOUND"


async def test_a_domain_that_is_not_to_be_forgotten_is_answered(world: World) -> None:
    async with world.client(fire_and_forget={"scores": False}) as client:
        made = await client.scores.save_score(
            scorer_id="s", entity_id="e", run_id="r", output={}, score=0.5, scorer={}, source="TEST", entity={}, entity_type="AGENT"
        )
        assert made is not None and made["score"]["score"] == 0.5


async def test_errors_tell_code_category_and_command(stowage: Stowage) -> None:
    with pytest.raises(NotFoundError) as missing:
        await stowage.memory.update_thread(id=new_id(), title="x", metadata={})
    error = missing.value
    assert (error.code, error.category, error.retryable, error.command) == ("THREAD_NOT_FOUND", "NOT_FOUND", False, "memory.updateThread")
    with pytest.raises(InvalidError) as invalid:
        await stowage.memory.list_threads(page=-1)
    assert invalid.value.command == "memory.listThreads"
    with pytest.raises(ConflictError) as conflict:
        keyed = stowage.with_options(idempotency_key=new_id())
        await keyed.datasets.create_dataset(name="one")
        await keyed.datasets.create_dataset(name="two")
    assert conflict.value.code == "IDEMPOTENCY_KEY_REUSED"
    with pytest.raises(UnsupportedError) as unknown:
        await stowage.call("memory.unheardOf")
    assert unknown.value.code == "UNKNOWN_COMMAND"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"id": None}, "thread.id must be a str, not of type NoneType"),
        ({"createdAt": datetime(2026, 1, 1)}, "thread.createdAt must be a datetime with a time zone"),
        ({"metadata": {"x": object()}}, "thread.metadata must be JSON: object is not JSON"),
        ({"metadata": {"x": float("nan")}}, "thread.metadata must be JSON"),
        ({"titel": "x"}, "thread has no ['titel'], only ['createdAt',"),
        ({"title": "\ud800"}, "a text cannot be UTF-8"),
    ],
)
async def test_a_value_that_does_not_fit_is_named(stowage: Stowage, change: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidError) as raised:
        await stowage.call("memory.saveThread", {"thread": {**new_thread(), **change}})
    assert raised.value.code == "INVALID_REQUEST"
    assert raised.value.message.startswith(f"memory.saveThread: {text}")


async def test_tenants_have_schemas_of_their_own(stowage: Stowage, world: World) -> None:
    tenant = stowage.with_options(schema_name=f"{world.tenants}1")
    await tenant.storage.init()
    thread = new_thread()
    await tenant.memory.save_thread(thread=thread)
    assert (await tenant.storage.ping())["schemaName"] == f"{world.tenants}1"
    assert await tenant.memory.get_thread_by_id(thread_id=thread["id"]) == thread
    assert await stowage.memory.get_thread_by_id(thread_id=thread["id"]) is None
    with pytest.raises(InvalidError) as refused:
        await stowage.with_options(schema_name="elsewhere").storage.ping()
    assert refused.value.code == "SCHEMA_NOT_ALLOWED"


async def test_a_transaction_takes_encoded_commands(stowage: Stowage) -> None:
    thread = new_thread()
    commands = [
        stowage.encode("memory.saveThread", {"thread": thread}),
        stowage.encode("memory.getThreadById", {"threadId": thread["id"]}),
    ]
    replies = await stowage.storage.transaction(commands=commands)
    assert stowage.decode("memory.getThreadById", replies[1]) == thread
    commands.append(stowage.encode("memory.updateThread", {"id": new_id(), "title": "x", "metadata": {}}))
    with pytest.raises(StowageError) as failed:
        await stowage.storage.transaction(commands=commands)
    assert failed.value.details == {"index": 2, "code": "THREAD_NOT_FOUND"}


async def test_closing_waits_until_kafka_has_what_was_sent(world: World) -> None:
    client = world.client()
    resource = new_id()
    tasks = [asyncio.create_task(client.memory.fire.save_thread(thread=new_thread(resource))) for _ in range(200)]
    await asyncio.sleep(0)
    await client.close()
    await asyncio.gather(*tasks)
    count = f'SELECT count(*) FROM "{world.schema}".mastra_threads WHERE "resourceId" = \'{resource}\''
    until("all threads are saved", lambda: world.sql(count) == "200")

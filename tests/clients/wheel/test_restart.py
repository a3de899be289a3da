"""The broker restarts while clients wait. The stack is this file's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from world import ROOT, World, new_thread


@pytest.fixture()
def alone(tmp_path: Path) -> Iterator[World]:
    stack = tmp_path / "stack"
    tmp_path.chmod(0o755)
    _stack("start", stack)
    try:
        environment = subprocess.run(["bash", "-c", f". '{stack}/env' && env -0"], capture_output=True, text=True, check=True)
        made = World(tmp_path, dict(line.split("=", 1) for line in environment.stdout.split("\0") if line))
        made.start_worker()
        yield made
        made.stop_worker()
    finally:
        _stack("remove", stack)


def _stack(command: str, folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STACK_")}
    subprocess.run([str(ROOT / "compose/stack"), command, str(folder)], check=True, env=environment, stdin=subprocess.DEVNULL)


async def test_calls_go_on_after_the_broker_restarts(alone: World, tmp_path: Path) -> None:
    async with alone.client(retries=20) as client:
        before, during, after = new_thread(), new_thread(), new_thread()
        await client.memory.save_thread(thread=before)
        await asyncio.to_thread(_stack, "stop-kafka", tmp_path / "stack")
        waiting = asyncio.create_task(client.memory.save_thread(thread=during))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(_stack, "start-kafka", tmp_path / "stack")
        assert await waiting == during
        await client.memory.save_thread(thread=after)
        for thread in (before, during, after):
            assert await client.memory.get_thread_by_id(thread_id=thread["id"]) == thread

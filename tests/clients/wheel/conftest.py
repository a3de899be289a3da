"""A world for each test file, and a client for each test."""

from __future__ import annotations

import os
from typing import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from stowage import Stowage
from world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), dict(os.environ))
    try:
        made.start_worker()
        yield made
    finally:
        made.close()


@pytest_asyncio.fixture()
async def stowage(world: World) -> AsyncIterator[Stowage]:
    async with world.client() as client:
        yield client

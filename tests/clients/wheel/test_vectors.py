"""Vectors: lists, numpy arrays, and their way back."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest

from stowage import InvalidError, Stowage
from stowage._contract import find_command
from world import World, new_id

DIMENSION = 8


async def new_index(stowage: Stowage) -> str:
    name = f"i_{new_id()}"
    await stowage.vectors.create_index(index_name=name, dimension=DIMENSION, metric="cosine")
    return name


async def test_arrays_and_lists_are_found_as_they_were_saved(stowage: Stowage) -> None:
    index = await new_index(stowage)
    rows = np.eye(DIMENSION, dtype=np.float32) + np.float32(0.125)
    ids = [f"v{n}" for n in range(DIMENSION)]
    assert await stowage.vectors.upsert(index_name=index, vectors=rows, ids=ids, metadata=[{"n": n} for n in range(DIMENSION)]) == ids
    vectors: list[Any] = [rows[3], rows[3].astype(np.float64), rows[3].tolist(), array.array("f", rows[3]), np.stack([rows[3]] * 2, axis=1)[:, 0]]
    for vector in vectors:
        (best, *_) = await stowage.vectors.query(index_name=index, query_vector=vector, top_k=2, include_vector=True)
        assert best["id"] == "v3"
        assert best["metadata"] == {"n": 3}
        assert best["vector"] == rows[3].tolist()


async def test_vectors_come_back_as_arrays_on_request(stowage: Stowage, world: World) -> None:
    index = await new_index(stowage)
    row = np.linspace(-1, 1, DIMENSION, dtype=np.float32)
    await stowage.vectors.upsert(index_name=index, vectors=[row], ids=["a"])
    async with world.client(vectors="numpy") as client:
        (best,) = await client.vectors.query(index_name=index, query_vector=row, include_vector=True)
        assert isinstance(best["vector"], np.ndarray) and best["vector"].dtype == np.float32
        assert np.array_equal(best["vector"], row)


@pytest.mark.parametrize(
    ("vector", "text"),
    [
        ([], "queryVector must have at least one number"),
        (["x"], "queryVector must be numbers"),
        (np.zeros((2, 2)), "queryVector must have one dimension, not 2"),
    ],
)
async def test_what_is_no_vector_is_named(stowage: Stowage, vector: Any, text: str) -> None:
    with pytest.raises(InvalidError, match=text):
        await stowage.vectors.query(index_name="x", query_vector=vector)


def test_an_array_is_written_without_an_object_for_each_number() -> None:
    class Rows(np.ndarray[Any, Any]):
        def __iter__(self) -> Any:
            raise AssertionError("the numbers were looked at one by one")

    row = np.arange(1536, dtype=np.float32).view(Rows)
    _, message = find_command("vectors.query").encode({"indexName": "x", "queryVector": row})
    assert row.tobytes() in message

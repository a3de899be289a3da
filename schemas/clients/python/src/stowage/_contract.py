"""The commands, as `stowage schemas` declares them. Nothing here knows a command by name."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib import resources
from typing import Any, Mapping

from ._codec import Convert, Decoder, Encoder
from ._errors import StowageError, UnsupportedError, error_of_reply


def _load(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath("_schemas", f"{name}.json").read_text("utf-8"))


class Command:
    """A command with its schemas."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name: str = entry["command"]
        self.domain: str = self.name.partition(".")[0]
        self.method: str = self.name.partition(".")[2]
        self.topic: str = entry["topic"]
        self.is_write: bool = "write" in entry["flags"]
        self.page_path = _page_path_of(entry["request"])
        """The field that holds page and perPage: "" for the request itself, None without pages."""
        self._key = [step for step in re.split(r"[.\[\]]+", entry.get("key", "")) if step]
        self._request = Encoder(self.name, entry["request"], entry["requestFingerprint"])
        self._reply = entry["reply"]
        self._decoders: dict[Convert | None, Decoder] = {}

    def encode(self, request: Mapping[str, Any]) -> tuple[bytes | None, bytes]:
        """Makes the key and the value of the message. Raises InvalidError."""
        datum = self._request.datum(request)
        return self._key_of(datum), self._request.encode(datum)

    def decode(self, message: bytes, vector: Convert | None = None) -> Any:
        """What the method returns. `vector` converts lists of floats."""
        decoder = self._decoders.get(vector)
        if not decoder:
            decoder = self._decoders[vector] = Decoder(self._reply, vector)
        return decoder.decode(message)["result"]

    def _key_of(self, datum: Any) -> bytes | None:
        if not self._key:
            return None
        value = datum
        for step in self._key:
            value = _item(value, step)
        if isinstance(value, list):
            value = _item(value, "0")
        return None if value is None else str(value).encode()


def _page_path_of(request: Any) -> str | None:
    def has_page(fields: Any) -> bool:
        return {"page", "perPage"} <= {field["name"] for field in fields}

    if has_page(request["fields"]):
        return ""
    for field in request["fields"]:
        branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
        if any(isinstance(branch, dict) and has_page(branch.get("fields", ())) for branch in branches):
            return str(field["name"])
    return None


def _item(value: Any, step: str) -> Any:
    if isinstance(value, list):
        value = value[int(step)] if int(step) < len(value) else None
    elif value is not None:
        value = value[step]
    return value[1] if isinstance(value, tuple) else value  # a branch with its name


@lru_cache(maxsize=None)
def _domain(name: str) -> dict[str, Any]:
    try:
        return {entry["command"]: entry for entry in _load(name)}
    except FileNotFoundError:
        return {}


@lru_cache(maxsize=None)
def find_command(name: str) -> Command:
    """A command's schemas are compiled when it is first used."""
    domain = name.partition(".")[0]
    entry = _domain(domain).get(name) if domain.isalnum() else None
    if not entry:
        raise UnsupportedError("UNKNOWN_COMMAND", f"there is no command {name}", command=name)
    return Command(entry)


@lru_cache(maxsize=None)
def _error_decoder() -> Decoder:
    return Decoder(_load("Error"))


def decode_error(message: bytes, command: str) -> StowageError:
    """Reads a record mastra.Error."""
    return error_of_reply(_error_decoder().decode(message), command)

"""Converts between Python's values and Avro messages, by a schema that `stowage schemas` wrote.

A schema becomes a function that makes what fastavro writes, and one that changes what fastavro has read. They know
the protocol's rules: JSON in strings, times, -1 for False, `clear` and `isNull`.
"""

from __future__ import annotations

import array
import io
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

import fastavro

from ._errors import InvalidError

Convert = Callable[[Any], Any]

HEADER_BYTES = 10  # C3 01 and the fingerprint, the last byte first
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_FLOATS = "stowage.Floats"
_NULLS = ("clear", "isNull")  # fields that list the names of those that are given as null
_MISSING = object()


class Encoder:
    """Makes messages of one request record, in single-object encoding."""

    def __init__(self, command: str, schema: Any, fingerprint: str) -> None:
        self._command = command
        self._header = b"\xc3\x01" + bytes.fromhex(fingerprint)[::-1]
        self._schema = fastavro.parse_schema(_writing(schema, set()))
        self._convert = _to(schema, {})

    def datum(self, request: Mapping[str, Any]) -> Any:
        """Makes what fastavro writes. Raises an InvalidError that names the field."""
        try:
            return self._convert(request)
        except _FieldError as error:
            raise self._invalid(f"{error.path() or 'the request'} {error}") from None

    def encode(self, datum: Any) -> bytes:
        message = io.BytesIO()
        message.write(self._header)
        try:
            fastavro.schemaless_writer(message, self._schema, datum)
        except UnicodeEncodeError as error:
            raise self._invalid(f"a text cannot be UTF-8: {error}") from None
        return message.getvalue()

    def _invalid(self, message: str) -> InvalidError:
        return InvalidError("INVALID_REQUEST", f"{self._command}: {message}", command=self._command)


class Decoder:
    """Reads messages of one reply record."""

    def __init__(self, schema: Any, vector: Convert | None = None) -> None:
        self._schema = fastavro.parse_schema(_plain(schema))
        self._convert = _from(schema, {}, vector) or _same

    def decode(self, message: bytes) -> Any:
        datum = io.BytesIO(message)
        datum.seek(HEADER_BYTES)
        return self._convert(fastavro.schemaless_reader(datum, self._schema, None))


class _FieldError(Exception):
    """A value that does not fit. The steps to it come from the inside out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.steps: list[str] = []

    def path(self) -> str:
        return "".join(reversed(self.steps)).lstrip(".")


def _misfit(expected: str, value: Any) -> _FieldError:
    given = repr(value) if isinstance(value, (int, float)) else f"of type {type(value).__name__}"
    return _FieldError(f"must be {expected}, not {given}")


def _same(value: Any) -> Any:
    return value


# Schemas for fastavro.


def _plain(schema: Any) -> Any:
    """The schema without what fastavro would convert by itself."""
    if isinstance(schema, list):
        return [_plain(branch) for branch in schema]
    if isinstance(schema, str):
        return schema
    if schema["type"] == "record":
        fields = [{"name": field["name"], "type": _plain(field["type"])} for field in schema["fields"]]
        return {"type": "record", "name": _full_name(schema), "fields": fields}
    if schema["type"] == "array":
        return {"type": "array", "items": _plain(schema["items"])}
    if schema["type"] == "map":
        return {"type": "map", "values": _plain(schema["values"])}
    return schema["type"]


def _writing(schema: Any, named: set[str]) -> Any:
    """The same, with a record in place of each array of float.

    Avro writes an array in blocks: a negative count, the block's size in bytes, the items; a count of 0 ends them. A
    record of a long, bytes and a long has the same form, so that a vector's memory becomes a block as it is.
    """
    plain = _plain(schema)

    def replace(part: Any) -> Any:
        if isinstance(part, list):
            return [replace(branch) for branch in part]
        if not isinstance(part, dict):
            return part
        if part == {"type": "array", "items": "float"}:
            if _FLOATS in named:
                return _FLOATS
            named.add(_FLOATS)
            types = {"count": "long", "block": "bytes", "end": "long"}
            return {"type": "record", "name": _FLOATS, "fields": [{"name": n, "type": t} for n, t in types.items()]}
        return {key: replace(value) if key != "fields" else [{**f, "type": replace(f["type"])} for f in value] for key, value in part.items()}

    return replace(plain)


def _full_name(schema: Any) -> str:
    name: str = schema["name"]
    return name if "." in name or "namespace" not in schema else f"{schema['namespace']}.{name}"


# From Python to Avro.


def _to_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise _misfit("a str", value)


def _to_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise _misfit("a bool", value)


def _to_integer(bits: int) -> Convert:
    end = 1 << (bits - 1)

    def convert(value: Any) -> int:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise _misfit("an int", value)
        number = int(value)
        if not -end <= number < end:
            raise _misfit(f"an int of {bits} bits", number)
        return number

    return convert


def _to_number(value: Any) -> float:
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
        raise _misfit("a number", value)
    return float(value)


def _to_bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise _misfit("bytes", value)
    return bytes(value)


def _to_time(value: Any) -> int:
    if not isinstance(value, datetime):
        raise _misfit("a datetime", value)
    if value.tzinfo is None:
        raise _FieldError("must be a datetime with a time zone: datetime.now(timezone.utc)")
    return (value - _EPOCH) // _MILLISECOND


def _json_default(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


_write_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_json_default).encode
_write_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_json_default).encode


def _to_json(value: Any) -> str:
    try:
        text = _write_json(value)
        if text.isascii():
            return text
        try:
            text.encode()
            return text
        except UnicodeEncodeError:  # half of a pair, which only an escape can hold
            return _write_ascii(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _FieldError(f"must be JSON: {error}") from None


def _to_floats(value: Any) -> dict[str, Any]:
    block = _floats_of(value)
    if not block:
        raise _FieldError("must have at least one number")
    return {"count": -(len(block) // 4), "block": block, "end": 0}


def _floats_of(value: Any) -> bytes:
    """The numbers as little-endian floats. An array of float is copied at once."""
    try:
        if hasattr(value, "astype"):  # numpy, which need not be installed
            if value.ndim != 1:
                raise _FieldError(f"must have one dimension, not {value.ndim}")
            floats: bytes = value.astype("<f4", copy=False).tobytes()
            return floats
        numbers = value if isinstance(value, array.array) and value.typecode == "f" else array.array("f", value)
    except (TypeError, ValueError) as error:
        raise _FieldError(f"must be numbers: {error}") from None
    if sys.byteorder == "big":
        numbers = array.array("f", numbers)
        numbers.byteswap()
    return numbers.tobytes()


_TO: dict[str, Convert] = {
    "boolean": _to_boolean,
    "int": _to_integer(32),
    "long": _to_integer(64),
    "float": _to_number,
    "double": _to_number,
    "string": _to_text,
    "bytes": _to_bytes,
    "null": lambda value: None,
}
_TO_LOGICAL: dict[str, Convert] = {"timestamp-millis": _to_time, "json": _to_json}


def _to(schema: Any, names: dict[str, Convert]) -> Convert:
    if isinstance(schema, str):
        return _TO.get(schema) or names[schema]
    if isinstance(schema, list):
        return _to_nullable(schema, names)
    if schema.get("logicalType") in _TO_LOGICAL:
        return _TO_LOGICAL[schema["logicalType"]]
    if schema["type"] == "record":
        return _to_record(schema, names)
    if schema["type"] == "array":
        return _to_floats if schema["items"] == "float" else _to_array(_to(schema["items"], names))
    if schema["type"] == "map":
        return _to_map(_to(schema["values"], names))
    return _to(schema["type"], names)


def _to_nullable(union: list[Any], names: dict[str, Convert]) -> Convert:
    (branch,) = (branch for branch in union if branch != "null")
    convert = _to(branch, names)
    # fastavro takes the branch by its name, and need not try them.
    name = branch if isinstance(branch, str) else _FLOATS if convert is _to_floats else _full_name(branch) if branch["type"] == "record" else branch["type"]

    return lambda value: None if value is None else (name, convert(value))


def _to_array(convert: Convert) -> Convert:
    def to(value: Any) -> list[Any]:
        # One item stands for a list of it.
        items = [value] if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable) else value
        made: list[Any] = []
        try:
            for item in items:
                made.append(convert(item))
        except _FieldError as error:
            error.steps.append(f"[{len(made)}]")
            raise
        return made

    return to


def _to_map(convert: Convert) -> Convert:
    def to(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _misfit("a dict", value)
        key: Any = None
        made = {}
        try:
            for key, entry in value.items():
                made[_to_text(key)] = convert(entry)
        except _FieldError as error:
            error.steps.append(f".{key}")
            raise
        return made

    return to


def _to_record(schema: Any, names: dict[str, Convert]) -> Convert:
    names[_full_name(schema)] = lambda value: to(value)
    fields: list[tuple[str, Convert, Any]] = []
    for field in schema["fields"]:
        convert = _to_page_size if field["name"] == "perPage" else _to(field["type"], names)
        fields.append((field["name"], convert, field.get("default", _MISSING)))
    known = {name for name, _, _ in fields}
    nulls = next((name for name in _NULLS if name in known), None)

    def to(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _misfit("a dict", value)
        made: dict[str, Any] = {}
        name = ""
        try:
            for name, convert, default in fields:
                given = value.get(name)
                if given is not None:
                    made[name] = convert(given)
                elif default is not _MISSING:
                    made[name] = default
                else:
                    made[name] = convert(given)
        except _FieldError as error:
            error.steps.append(f".{name}")
            raise
        if not value.keys() <= known:
            raise _FieldError(f"has no {sorted(map(str, value.keys() - known))}, only {sorted(known)}")
        if nulls and nulls not in value:
            made[nulls] = [name for name, given in value.items() if given is None]
        return made

    return to


def _to_page_size(value: Any) -> Any:
    return -1 if value is False else None if value is None else ("int", _TO["int"](value))


# From Avro to Python. None stands for a value that stays as it is.


def _from_time(value: int) -> datetime:
    return _EPOCH + value * _MILLISECOND


_FROM_LOGICAL: dict[str, Convert] = {"timestamp-millis": _from_time, "json": json.loads}


def _from(schema: Any, names: dict[str, Convert], vector: Convert | None) -> Convert | None:
    if isinstance(schema, str):
        return names.get(schema)
    if isinstance(schema, list):
        (branch,) = (branch for branch in schema if branch != "null")
        return _or_none(_from(branch, names, vector))
    if schema.get("logicalType") in _FROM_LOGICAL:
        return _FROM_LOGICAL[schema["logicalType"]]
    if schema["type"] == "record":
        return _from_record(schema, names, vector)
    if schema["type"] == "array":
        if schema["items"] == "float":
            return vector
        item = _from(schema["items"], names, vector)
        return item and (lambda value: [item(entry) for entry in value])
    if schema["type"] == "map":
        entry = _from(schema["values"], names, vector)
        return entry and (lambda value: {key: entry(one) for key, one in value.items()})
    return None


def _or_none(convert: Convert | None) -> Convert | None:
    return convert and (lambda value: None if value is None else convert(value))


def _from_record(schema: Any, names: dict[str, Convert], vector: Convert | None) -> Convert:
    names[_full_name(schema)] = lambda value: change(value)
    fields: list[tuple[str, Convert]] = []
    for field in schema["fields"]:
        convert = _from_field(field, names, vector)
        if convert:
            fields.append((field["name"], convert))

    def change(value: dict[str, Any]) -> dict[str, Any]:
        for name, convert in fields:
            value[name] = convert(value[name])
        return value

    return change


def _from_field(field: Any, names: dict[str, Convert], vector: Convert | None) -> Convert | None:
    if field["name"] == "perPage":
        return lambda value: False if value == -1 else value
    if field.get("class") == "Set":
        return set
    return _from(field["type"], names, vector)

"""A client of Stowage: Mastra's storage over Kafka, for asyncio."""

from ._client import Stowage
from ._errors import (
    ConflictError,
    InternalError,
    InvalidError,
    NotFoundError,
    StowageError,
    TimedOutError,
    UnavailableError,
    UnsupportedError,
)
from ._types import UNSET

__all__ = [
    "ConflictError",
    "InternalError",
    "InvalidError",
    "NotFoundError",
    "Stowage",
    "StowageError",
    "TimedOutError",
    "UNSET",
    "UnavailableError",
    "UnsupportedError",
]

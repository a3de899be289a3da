"""The errors of calls: what the worker answered, or what kept the command from it."""

from __future__ import annotations

from typing import Any


class StowageError(Exception):
    """A call that failed. Its class tells the category."""

    category = "INTERNAL"

    code: str
    """Stable, in upper snake case: THREAD_NOT_FOUND."""
    message: str
    retryable: bool
    """Whether the same call may succeed later."""
    details: dict[str, Any]
    command: str | None
    """The command that failed: memory.saveThread."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        details: dict[str, Any] | None = None,
        command: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.details = details or {}
        self.command = command

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidError(StowageError):
    """Bad input. The same call fails again."""

    category = "INVALID"


class NotFoundError(StowageError):
    """What the command names does not exist."""

    category = "NOT_FOUND"


class ConflictError(StowageError):
    """The command contradicts what is stored: the thing exists, or has changed."""

    category = "CONFLICT"


class UnsupportedError(StowageError):
    """The worker does not offer this, or its configuration refuses it."""

    category = "UNSUPPORTED"


class TimedOutError(StowageError):
    """No reply came in time, or the database took too long."""

    category = "TIMEOUT"


class UnavailableError(StowageError):
    """Kafka or the worker cannot take the command now."""

    category = "UNAVAILABLE"


class InternalError(StowageError):
    """A defect of the worker, the database or this client."""

    category = "INTERNAL"


_CLASSES = {cls.category: cls for cls in StowageError.__subclasses__()}


def error_of_reply(fields: dict[str, Any], command: str) -> StowageError:
    """Makes the error of a record mastra.Error."""
    cls = _CLASSES.get(fields["category"], StowageError)
    return cls(
        fields["code"],
        fields["message"],
        retryable=fields["retryable"],
        details=fields["details"],
        command=command,
    )


def unavailable(message: str, *, retryable: bool = True) -> UnavailableError:
    return UnavailableError("KAFKA_UNAVAILABLE", message, retryable=retryable)

"""Types that the domains' modules share."""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING, Any, Sequence, Union

if sys.version_info >= (3, 11):
    from typing import NotRequired, Self, TypedDict
else:
    from typing_extensions import NotRequired, Self, TypedDict

if TYPE_CHECKING:
    # Any, so that type checking needs no numpy.
    Vector = Union[Sequence[float], Any]
else:
    Vector = Sequence[float]
"""A list of numbers, a numpy array of one dimension, or an array.array."""

Json = Any
"""What json.dumps takes: dict, list, str, int, float, bool, None; also datetime."""


class Unset(enum.Enum):
    """Stands for a parameter that is not given, where None means: set it to null."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset.UNSET

__all__ = ["Json", "NotRequired", "Self", "TypedDict", "UNSET", "Unset", "Vector"]

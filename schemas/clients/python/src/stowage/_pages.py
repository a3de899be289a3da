"""A list that does not fit into one reply is fetched in smaller pages, and put together as if it were one."""

from __future__ import annotations

import math
from typing import Any, Awaitable, Callable, Mapping

from ._contract import Command
from ._errors import StowageError

FIRST_SIZE = 128  # of the pages of a list without an end
FAR_PAGE = 1_000_000  # a page without rows, whose reply tells the default of perPage

Call = Callable[[Mapping[str, Any]], Awaitable[Any]]


def is_pageable(command: Command, error: StowageError) -> bool:
    """Whether a failed call can be answered in pages."""
    return error.code == "REPLY_TOO_LARGE" and command.page_path is not None and not command.is_write


async def fetch_in_pages(command: Command, request: Mapping[str, Any], call: Call) -> Any:
    """Fetches what the request asks for, in pages that are small enough."""

    def ask(page: int, size: int | None) -> Awaitable[Any]:
        return call(_with_page(request, command.page_path or "", page, size))

    asked = (request.get(command.page_path) if command.page_path else request) or {}
    page = asked.get("page") or 0
    per_page = asked.get("perPage")
    if per_page is None:
        per_page = _info_of(await ask(FAR_PAGE, None))["perPage"]
    is_endless = per_page is False or per_page == -1
    size = FIRST_SIZE if is_endless else _smaller(per_page)
    at = 0 if is_endless else page * per_page
    end = math.inf if is_endless else at + per_page
    parts: list[Any] = []
    has_more = True
    while at < end and has_more:
        try:
            part = await ask(at // size, size)
        except StowageError as error:
            if not is_pageable(command, error) or size == 1:
                raise
            size = _smaller(size)
        else:
            parts.append(part)
            at += size
            has_more = _info_of(part)["hasMore"]
    return _join(parts, page, False if is_endless else per_page)


def _smaller(size: int) -> int:
    """The largest size by which a page of this size can be divided."""
    return next((size // parts for parts in range(2, size) if size % parts == 0), 1)


def _with_page(request: Mapping[str, Any], path: str, page: int, size: int | None) -> Mapping[str, Any]:
    place = {"page": page, "perPage": size}
    return {**request, path: {**(request.get(path) or {}), **place}} if path else {**request, **place}


def _info_of(result: Any) -> Any:
    """Where a reply tells page, perPage and hasMore."""
    return result.get("pagination") or result


def _join(parts: list[Any], page: int, per_page: int) -> Any:
    whole = parts[0]
    for name, value in whole.items():
        if isinstance(value, list):
            whole[name] = _without_repeats([row for part in parts for row in part[name]])
    _info_of(whole).update(page=page, perPage=per_page, hasMore=_info_of(parts[-1])["hasMore"])
    return whole


def _without_repeats(rows: list[Any]) -> list[Any]:
    """Rows that were added meanwhile move others to the next page, and what was asked for beside the page comes with each."""
    seen = set()
    kept = []
    for row in rows:
        key = row.get("id") if isinstance(row, dict) else None
        if key is None or key not in seen:
            seen.add(key)
            kept.append(row)
    return kept

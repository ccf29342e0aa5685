"""Reference cycles: what a server leaves to the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any, cast

import chatd
from tests.helpers.gateway_client import TIMEOUT_S

_ACTS = 2

_PACKAGE = f"{Path(chatd.__file__).parent}/"

_OF_CONNECTIONS = ("aiohttp.web_request", "aiohttp.web_ws")
"""Modules of aiohttp whose objects only the server creates."""


async def left_in_cycles(act: Callable[[], Awaitable[object]]) -> list[str]:
    """Return the kinds of objects of chatd that only the collector could free after an act.

    Frames and coroutines count too: their variables keep what they refer to.
    """
    await act()  # first, caches are filled
    tasks = await _settled(len(asyncio.all_tasks()))
    gc.collect()
    gc.freeze()  # what exists now; the collection below then takes milliseconds
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)  # the collector then keeps what it finds in `gc.garbage`
    try:
        for _ in range(_ACTS):
            await act()
        await _settled(tasks)
        gc.collect()
        return sorted({_name(each) for each in gc.garbage if _is_ours(each)})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def _settled(tasks: int) -> int:
    """Wait until the server has handled the end of connections; return the number of tasks."""
    async with asyncio.timeout(TIMEOUT_S):
        while len(asyncio.all_tasks()) > tasks:
            await asyncio.sleep(0.01)
    for _ in range(10):
        await asyncio.sleep(0)
    return len(asyncio.all_tasks())


def _is_ours(found: Any) -> bool:
    code = _code(found)
    if code is not None:
        return code.co_filename.startswith(_PACKAGE)
    module = type(found).__module__
    return module.startswith("chatd.") or module in _OF_CONNECTIONS


def _name(found: Any) -> str:
    code = _code(found)
    kind = type(found)
    return f"{kind.__module__}.{kind.__qualname__}" if code is None else f"{code.co_name}()"


def _code(found: Any) -> CodeType | None:
    kind = type(found)  # `isinstance` would ask a weak proxy for what it refers to
    if kind is FrameType:
        return cast(FrameType, found).f_code
    if kind is CoroutineType:
        return cast("CoroutineType[Any, Any, Any]", found).cr_code
    if kind is AsyncGeneratorType:
        return cast("AsyncGeneratorType[Any, Any]", found).ag_code
    if kind is GeneratorType:
        return cast("GeneratorType[Any, Any, Any]", found).gi_code
    return None

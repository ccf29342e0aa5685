"""Parts of the workloads on a server whose stacks are sampled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tests.bench import audience, connect, create, fan_out, history, measuring
from tests.bench.environment import staged
from tests.bench.measuring import Subject
from tests.bench.plans import Plan
from tests.bench.profiler import Sampled
from tests.bench.report import Progress


async def profile(names: Sequence[str], plan: Plan, progress: Progress) -> str:
    """Return the tables of samples of these workloads."""
    texts = []
    with staged() as stage:
        adapter = Sampled(stage.folder / "stacks.txt")
        progress.step("filling")
        subject = Subject(adapter, stage, [await measuring.start(adapter, stage)])
        subject.scene = await adapter.furnish(stage, subject.port, plan.size)
        for name in names:
            progress.step(f"sampling {name}")
            texts.append(await PROFILED[name](subject, adapter))
    progress.end()
    return "\n\n".join(texts)


async def _create(subject: Subject, adapter: Sampled) -> str:
    await create.on_server(subject, at_once=64, seconds=2.0)
    adapter.begin(subject.processes[0])
    lap = await create.on_server(subject, at_once=64, seconds=6.0)
    text = await adapter.end(subject.processes[0])
    return f"create, 64 at once: {lap.units} messages, {text}"


async def _fan_out(subject: Subject, adapter: Sampled) -> str:
    texts = []
    for what in ("one at a time", f"bursts of {fan_out.BURST}"):
        await subject.restart()
        async with audience.listening(subject, 1000) as listeners:
            await listeners.one_at_a_time(5)
            adapter.begin(subject.processes[0])
            if what == "one at a time":
                lap = await listeners.one_at_a_time(200)
            else:
                lap = await listeners.bursts(10, fan_out.BURST)
            text = await adapter.end(subject.processes[0])
        texts.append(f"fan-out to 1,000, {what}: {lap.units} deliveries, {text}")
    return "\n\n".join(texts)


async def _history(subject: Subject, adapter: Sampled) -> str:
    scene = subject.scene
    raw = subject.adapter.page(scene.reader_token, scene.long_channel, scene.deep_id)
    adapter.begin(subject.processes[0])
    lap = await history.on_server(subject, raw, at_once=history.AT_ONCE, seconds=5.0)
    text = await adapter.end(subject.processes[0])
    return f"history, deep: {lap.units} pages, {text}"


async def _connect(subject: Subject, adapter: Sampled) -> str:
    tokens = subject.scene.places[0].tokens
    await connect.identify(subject, tokens, 100)
    adapter.begin(subject.processes[0])
    lap = await connect.identify(subject, tokens, 800)
    text = await adapter.end(subject.processes[0])
    return f"handshake, IDENTIFY to READY: {lap.units} sessions, {text}"


PROFILED: dict[str, Callable[[Subject, Sampled], Awaitable[str]]] = {
    "create": _create,
    "fan-out": _fan_out,
    "history": _history,
    "connect": _connect,
}

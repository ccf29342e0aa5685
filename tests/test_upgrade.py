"""An upgrade without downtime: the schema first, then one instance after another; the long form is
`scripts/history --rolling 1000 --upgrade`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.history import rolling
from tests.history.environment import running_cluster


async def test_rolling_upgrade_fails_no_request_and_loses_no_message(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, held=True) as cluster:
        await cluster.set_up(people=4, channels=2)
        version = rolling.build_next_version(tmp_path)
        assert await rolling.restart_all(cluster, sockets=200, version=version) == []
        counts = cluster.history.counts
        assert counts["sessions"] == 200, counts
        assert counts["resumes"] >= 200, counts
        assert counts["requests"] > 100, counts

        left_behind = cluster.instances[0]
        await left_behind.end(signal.SIGTERM)
        before = left_behind.environment["PYTHONPATH"]
        left_behind.environment["PYTHONPATH"] = before.removeprefix(f"{version}:")
        with pytest.raises(AssertionError, match="it has ended"):
            await left_behind.start()
        *_, last = left_behind.log.read_text().splitlines()
        assert last == (
            "chatd: the database has a newer schema (0099_next_index)"
            " than this version of chatd knows"
        )

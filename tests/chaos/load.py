"""The API under load."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.chaos.caller import Caller
from tests.chaos.outcome import Outcome
from tests.chaos.site import ROOT, Running, Servers, Site, opened
from tests.chaos.takes import small_upload

LEAST_SHARE = 0.5
BARE = (sys.executable, "-m", "tests.chaos.bare_app")


class Connection:
    """A kept HTTP connection that costs its process next to nothing, so that the server is what is measured."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return the status and the body of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def load(
    folder: Path,
    servers: Servers,
    *,
    connections: int = 16,
    rounds: int = 5,
    round_s: float = 4.0,
    commit_s: float = 20.0,
) -> Outcome:
    """Report what creating and committing costs, and hold a signed call against the bare framework's empty one."""
    outcome = Outcome(
        "load",
        f"{connections} connections: create, PUT and commit for {commit_s:.0f} s; then an empty handler of the same"
        " framework, a signed call with nothing to do (show of an id that is none), and show of a job in turn,"
        f" {rounds} times {round_s:g} s each, medians",
    )
    with opened(Site(folder, servers)) as site:
        site.start_api()
        caller = site.caller(site.credential())
        asyncio.run(_create_and_commit(outcome, site, caller, connections, commit_s))
        bare = Running([*BARE], folder / "bare.log", {**site.environment, "PYTHONPATH": str(ROOT)})
        site.processes.append(bare)
        bare.wait_for_line("listening on ")
        bare_url = bare.log.read_text().split()[-1]
        ((job_id,),) = site.ask("SELECT min(job_id) FROM jobs")
        asked = {
            "empty handler": (bare_url, request("GET", "/", {"host": bare_url.removeprefix("http://")}), 200),
            "signed no-op": (site.url, _signed_get(caller, f"{caller.path}/none"), 400),
            "show": (site.url, _signed_get(caller, f"{caller.path}/{job_id}"), 200),
        }
        rates: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, (url, sent, status) in asked.items():
                rates[name].append(asyncio.run(_rate_per_s(url, sent, status, connections, round_s)))
        caller.close()
    medians = {name: statistics.median(each) for name, each in rates.items()}
    share = medians["signed no-op"] / medians["empty handler"]
    outcome.seen.append(", ".join(f"{name} {rate:.0f}/s" for name, rate in medians.items()))
    outcome.seen.append(f"the signed no-op reaches {share:.2f} of the empty handler")
    if share < LEAST_SHARE:
        outcome.slow.append(f"less than {LEAST_SHARE:g}")
    return outcome


def _signed_get(caller: Caller, path: str) -> bytes:
    return request("GET", path, caller.signed("GET", path, b""))


async def _create_and_commit(outcome: Outcome, site: Site, caller: Caller, connections: int, seconds: float) -> None:
    content = small_upload()
    order = json.dumps({"job_type": "VOICE_ASSESS", "language": "EN"}).encode()
    took_s: dict[str, list[float]] = {"create": [], "commit": []}
    statuses: set[tuple[str, int]] = set()

    async def timed(connection: Connection, call: str, path: str, body: bytes) -> bytes:
        sent_s = time.perf_counter()
        status, answer = await connection.exchange(request("POST", path, caller.signed("POST", path, body), body))
        took_s[call].append(time.perf_counter() - sent_s)
        statuses.add((call, status))
        return answer

    async def bring(api: Connection, deadline_s: float) -> None:
        bucket: Connection | None = None
        while time.monotonic() < deadline_s:
            created = json.loads(await timed(api, "create", caller.path, order))
            address = urlsplit(created["data_uploading_url"])
            bucket = bucket or Connection(created["data_uploading_url"])
            headers = {"host": address.netloc, "content-type": "application/zip"}
            status, _ = await bucket.exchange(request("PUT", f"{address.path}?{address.query}", headers, content))
            statuses.add(("upload", status))
            await timed(api, "commit", f"{caller.path}/{created['job_id']}", b"")
        if bucket is not None:
            bucket.close()

    await _together(site.url, connections, seconds, bring)
    commits = len(took_s["commit"])
    outcome.seen.append(f"{commits / seconds:.0f} jobs/s committed")
    for call, times_s in took_s.items():
        quantiles = statistics.quantiles(times_s, n=100)
        outcome.seen.append(f"{call} p50 {1000 * quantiles[49]:.0f} ms, p99 {1000 * quantiles[98]:.0f} ms")
    bad = {each for each in statuses if each[1] != 200}
    outcome.blame(bool(bad), f"answers {bad}")
    ((waiting,),) = site.ask("SELECT count(*) FROM jobs WHERE state = 'WAITING'")
    ((queued,),) = site.ask("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ENQUEUED'")
    outcome.blame(not waiting == queued == commits, f"{commits} commits, {waiting} jobs wait, {queued} are queued")


async def _rate_per_s(url: str, sent: bytes, wanted: int, connections: int, seconds: float) -> float:
    answers = 0

    async def ask(connection: Connection, deadline_s: float) -> None:
        nonlocal answers
        while time.monotonic() < deadline_s:
            status, _ = await connection.exchange(sent)
            if status != wanted:
                raise AssertionError(f"{url} answered {status}")
            answers += 1

    await _together(url, connections, seconds, ask)
    return answers / seconds


async def _together(
    url: str, connections: int, seconds: float, visit: Callable[[Connection, float], Awaitable[None]]
) -> None:
    deadline_s = time.monotonic() + seconds
    opened = [Connection(url) for _ in range(connections)]
    try:
        await asyncio.gather(*(visit(connection, deadline_s) for connection in opened))
    finally:
        for connection in opened:
            connection.close()

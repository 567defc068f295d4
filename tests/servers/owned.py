"""A server process that ends with the process that started it, and a port that it keeps over restarts."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE_S = 60.0
# Runs before the server in its process: another user first, because a change of user clears the death signal.
LAUNCH = """
import ctypes, os, sys
parent, uid, gid, death_signal = map(int, sys.argv[1:5])
if uid != os.geteuid():
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, death_signal)
if os.getppid() != parent:
    sys.exit("the parent is gone")
os.execv(sys.argv[5], sys.argv[5:])
"""


def free_port() -> int:
    """Return a port that is free on 127.0.0.1, below those that the system gives to outgoing connections.

    So a server that was stopped finds it free again.
    """
    for port in random.sample(range(10_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port on 127.0.0.1")


def launch(
    command: Sequence[str],
    log: Path,
    *,
    owner: tuple[int, int] | None = None,
    death_signal: int = signal.SIGKILL,
    environment: Mapping[str, str] = os.environ,
) -> subprocess.Popen[bytes]:
    """Start a server as the (user, group) given; it gets `death_signal` when the thread that calls this ends.

    On Linux; elsewhere it outlives a parent that is killed.
    """
    uid, gid = owner or (os.geteuid(), os.getegid())
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCH, str(os.getpid()), str(uid), str(gid), str(int(death_signal))]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the tests; they stop their servers themselves.
        )

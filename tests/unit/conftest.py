"""Unit tests open no socket."""

from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a unit test tried to open a socket")

    for way_out in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, way_out, refuse)

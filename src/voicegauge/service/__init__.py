"""The composition root: settings -> adapters -> running processes."""

from voicegauge.service.installation import (
    Installation,
    OperatorDesk,
    make_key,
    migrate,
    open_directory,
    open_installation,
    operator_desk,
)
from voicegauge.service.running import serve, work

__all__ = [
    "Installation",
    "OperatorDesk",
    "make_key",
    "migrate",
    "open_directory",
    "open_installation",
    "operator_desk",
    "serve",
    "work",
]

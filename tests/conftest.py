"""For every test."""

from __future__ import annotations

import os

# As the command does: threads that numpy's BLAS spins up take from the other test process. Before numpy is imported.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

pytest_plugins = ["tests.servers.postgres", "tests.servers.bucket"]

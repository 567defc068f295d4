"""How fast DNSMOS is, against the reference implementation and against onnxruntime on the same network.

    python bench/dnsmos.py scores     tables of docs/performance.md: scoring, in one process, after a warm-up
    python bench/dnsmos.py paths      the SIMD paths of the core against each other
    python bench/dnsmos.py process    a fresh process on one clip of 10 s: `voicegauge assess` against speechmos
    python bench/dnsmos.py memory     peak memory of `voicegauge assess` on 60 minutes at 48 kHz

The arms of a comparison run in turn, so that a busy machine slows them alike; the figures are medians, and a ratio is
the median of the ratios within a turn. The reference is the package speechmos, which also needs librosa; without that,
its arm is left out. One thread everywhere but where THREADS says otherwise.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

THREADS = int(os.environ.get("THREADS", "1"))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, str(THREADS))

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import soxr  # noqa: E402

from voicegauge.assessment.dnsmos import DnsmosMeter  # noqa: E402
from voicegauge.assessment.ports import DnsmosNetwork  # noqa: E402
from voicegauge.assessment.recording import Samples  # noqa: E402
from voicegauge.models import load_models  # noqa: E402
from voicegauge.models.dnsmos_native import NativeDnsmosNetwork, simd_paths  # noqa: E402
from voicegauge.models.files import DNSMOS_P835, checked_path  # noqa: E402

RATE_HZ = 16_000
COMMAND = str(Path(sys.executable).with_name("voicegauge"))
SAMPLES = Path(__file__).parents[1] / "samples"

Arm = Callable[[], tuple[float, float]]


def speech(seconds: float) -> Samples:
    """The bundled samples one after another, as often as needed, each time at another level and with other noise."""
    rng = np.random.default_rng(0)
    takes = []
    for path in sorted(SAMPLES.glob("*/*/*.flac")):
        take, rate_hz = soundfile.read(path, dtype="float32")
        takes.append(soxr.resample(take, rate_hz, RATE_HZ))
    wanted = int(seconds * RATE_HZ)
    parts: list[Samples] = []
    while sum(map(len, parts)) < wanted:
        take = takes[rng.integers(len(takes))]
        take = take * rng.uniform(0.3, 1.0) + 10 ** rng.uniform(-4.5, -2.5) * rng.standard_normal(len(take))
        parts.append(np.clip(take, -1, 1).astype(np.float32))
    return np.concatenate(parts)[:wanted]


def compare(title: str, arms: Mapping[str, Arm], turns: int) -> None:
    """Run the arms in turn and print their CPU and wall times, and how many times the first is faster."""
    cpu_s: dict[str, list[float]] = {name: [] for name in arms}
    wall_s: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(turns):
        for name, arm in arms.items():
            cpu, wall = arm()
            cpu_s[name].append(cpu)
            wall_s[name].append(wall)
    ours = next(iter(arms))
    for name in arms:
        ratios = [statistics.median(b / a for a, b in zip(t[ours], t[name], strict=True)) for t in (cpu_s, wall_s)]
        print(
            f"| {title} | {name} | {statistics.median(cpu_s[name]):.4f} | {statistics.median(wall_s[name]):.4f} "
            f"| {ratios[0]:.1f} | {ratios[1]:.1f} |",
            flush=True,
        )


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of this process and its finished children, and wall seconds."""
    cpu_s, wall_s = cpu_time_s(), time.perf_counter()
    action()
    return cpu_time_s() - cpu_s, time.perf_counter() - wall_s


def cpu_time_s() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def scorer(engine: str) -> Callable[[Samples], object]:
    """Make what scores a recording: "speechmos", or one of our engines, "onnxruntime" or a SIMD path."""
    if engine == "speechmos":
        from speechmos import dnsmos as reference

        return partial(reference.run, sr=RATE_HZ)
    network: DnsmosNetwork
    if engine == "onnxruntime":
        network = load_models(engine="onnxruntime", threads=THREADS).dnsmos
    else:
        network = NativeDnsmosNetwork(checked_path(DNSMOS_P835), simd_path=engine, threads=THREADS)

    def score(samples: Samples) -> object:
        meter = DnsmosMeter(network)
        meter.push(samples)
        return meter.result()

    return score


def each(score: Callable[[Samples], object], clips: list[Samples]) -> None:
    for clip in clips:
        score(clip)


def work(engine: str, orders: Connection) -> None:
    score = scorer(engine)
    score(speech(10))
    while (clips := orders.recv()) is not None:
        orders.send(timed(partial(each, score, clips)))


class Worker:
    """One engine, warm, in a process of its own: threads that spin after their work must not count as another's."""

    def __init__(self, engine: str) -> None:
        self._orders, theirs = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(target=work, args=(engine, theirs), daemon=True)
        self._process.start()

    def __call__(self, clips: list[Samples]) -> tuple[float, float]:
        self._orders.send(clips)
        cpu_s, wall_s = self._orders.recv()
        return cpu_s, wall_s

    def stop(self) -> None:
        self._orders.send(None)
        self._process.join()


def print_head() -> None:
    print("| recording | engine | CPU s | wall s | CPU ratio | wall ratio |\n|---|---|---|---|---|---|")


def scores(turns: int, minutes: float) -> None:
    engines = {"voicegauge": simd_paths()[0], "onnxruntime, P.835 alone": "onnxruntime"}
    if importlib.util.find_spec("librosa"):
        engines["speechmos"] = "speechmos"
    else:
        print("speechmos is left out: it needs librosa")
    workers = {name: Worker(engine) for name, engine in engines.items()}
    print_head()
    for title, clips, repeat in (
        ("10 s", [speech(10)], turns),
        ("20 clips of 10 s", list(speech(200).reshape(20, -1)), max(1, turns // 5)),
        ("60 s", [speech(60)], max(1, turns // 5)),
        (f"{minutes:g} min", [speech(60 * minutes)], max(1, turns // 10)),
    ):
        compare(title, {name: partial(worker, clips) for name, worker in workers.items()}, repeat)
    for worker in workers.values():
        worker.stop()


def paths(turns: int) -> None:
    workers = {path: Worker(path) for path in simd_paths()}
    print_head()
    compare("60 s", {path: partial(worker, [speech(60)]) for path, worker in workers.items()}, turns)
    for worker in workers.values():
        worker.stop()


def run_child(*command: str) -> None:
    process = os.posix_spawn(
        command[0], list(command), os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"failed: {' '.join(command)}")


def process(turns: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clip = str(Path(folder) / "clip.wav")
        soundfile.write(clip, speech(10), RATE_HZ, subtype="PCM_16")
        reference = f"from speechmos import dnsmos; dnsmos.run({clip!r}, {RATE_HZ})"
        arms: dict[str, Arm] = {
            "voicegauge assess, everything": lambda: timed(lambda: run_child(COMMAND, "assess", clip)),
            "speechmos, DNSMOS": lambda: timed(lambda: run_child(sys.executable, "-c", reference)),
        }
        print_head()
        compare("10 s, fresh process", arms, turns)


def memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "hour.wav"
        minute = soxr.resample(speech(60), RATE_HZ, 48_000)
        with soundfile.SoundFile(recording, "w", 48_000, 1, subtype="PCM_16") as file:
            for _ in range(60):
                file.write(minute)
        start = time.perf_counter()
        run_child(COMMAND, "assess", str(recording))
        import resource

        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"60 min, 48 kHz WAV: peak {peak_mb:.0f} MiB, {time.perf_counter() - start:.1f} s, {cpu_time_s():.1f} CPU-s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("scores", "paths", "process", "memory"))
    parser.add_argument("--turns", type=int, default=21)
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the long recording of `scores`")
    flags = parser.parse_args()
    if flags.what == "scores":
        scores(flags.turns, flags.minutes)
    elif flags.what == "paths":
        paths(flags.turns)
    elif flags.what == "process":
        process(flags.turns)
    else:
        memory()


if __name__ == "__main__":
    main()

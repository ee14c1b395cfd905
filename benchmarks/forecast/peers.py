"""The peers' environment, and their answers: asked once, then read from the disk.

Everything lies in $CAPACITY_PEERS, by default ~/.cache/capacity-peers: `env-...` the environment of one `peers.txt`,
`answers/` one file a peer and question. A file is named for the content of the question, the list of packages and the
worker's text, so that a changed question is a new one and a finished one is never asked again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.forecast.peers_worker import PEERS
from benchmarks.forecast.tasks import Answer, Window

HERE = Path(__file__).parent
PACKAGES = HERE / "peers.txt"
WORKER = HERE / "peers_worker.py"

#: Grids beyond which a peer takes minutes a series, or has no room for the season.
ONLY = {
    "AutoARIMA": ("1d",),
    **dict.fromkeys(("AutoETS", "AutoCES", "DynamicOptimizedTheta", "mlforecast"), ("1h", "1d")),
}

#: One thread each, for the peers as for us.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"
)


def folder() -> Path:
    return Path(os.environ.get("CAPACITY_PEERS", Path.home() / ".cache" / "capacity-peers"))


def python() -> Path:
    """The Python of the peers' environment, whether it is there or not."""
    made = sha256(PACKAGES.read_bytes() + sys.version.encode()).hexdigest()[:12]
    return folder() / f"env-{made}" / "bin" / "python"


def install() -> str:
    """Make the peers' environment where it is not there; '' when it is ready, else why not."""
    ready = python().parent.parent / ".ready"
    if ready.exists():
        return ""
    print(f"Setting up the peers in {python().parent.parent} (once, some minutes, 2 GB)...", file=sys.stderr)
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(python().parent.parent)],
        [str(python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(PACKAGES)],
    )
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            *_, last = done.stderr.strip().splitlines() or ["no reason given"]
            return f"{step[2]} failed: {last}"
    ready.touch()
    return ""


def peers_for(grid: str) -> list[str]:
    return [name for name in PEERS if grid in ONLY.get(name, (grid,))]


def answers(
    windows: Sequence[Window], peers: Sequence[str], *, ask: bool, fresh: bool = False
) -> dict[tuple[int, str], Answer]:
    """By window number and peer: what is on the disk, after asking for what is not there when `ask` says so.

    fresh  ask again, for the time it takes
    """
    store = folder() / "answers"
    store.mkdir(parents=True, exist_ok=True)
    places = {
        (number, peer): store / f"{_fingerprint(window, peer)}.npz"
        for peer in peers
        for number, window in enumerate(windows)
    }
    missing = [key for key, place in places.items() if fresh or not place.exists()]
    if ask and missing:
        _ask(windows, {key: places[key] for key in missing}, store)
    return {key: _read(place) for key, place in places.items() if place.exists()}


def _ask(windows: Sequence[Window], places: dict[tuple[int, str], Path], store: Path) -> None:
    asked = [
        {
            "peer": peer,
            "grid": windows[number].task.grid,
            "horizon": windows[number].task.horizon,
            "season": windows[number].task.season,
            "start": f"{windows[number].past.index[0]:%Y-%m-%dT%H:%M}",
            "past": f"past_{number}",
            "answer": place.stem,
        }
        for (number, peer), place in places.items()
    ]
    pasts = {f"past_{number}": windows[number].filled for number in {number for number, _ in places}}
    with tempfile.TemporaryDirectory() as scratch:
        questions = Path(scratch) / "questions.npz"
        np.savez(questions, allow_pickle=False, asked=np.array(json.dumps(asked)), **pasts)
        command = [str(python()), "-P", str(WORKER), str(questions), str(store)]
        done = subprocess.run(command, env=os.environ | ONE_THREAD)
    if done.returncode:
        print(f"the peers' process ended early, with exit code {done.returncode}")


def _fingerprint(window: Window, peer: str) -> str:
    task = window.task
    said = (peer, task.grid, task.horizon, task.season, str(window.past.index[0]))
    parts = (repr(said).encode(), window.filled.tobytes(), PACKAGES.read_bytes(), WORKER.read_bytes())
    return sha256(b"\0".join(parts)).hexdigest()[:32]


def _read(place: Path) -> Answer:
    with np.load(place) as file:
        return Answer(file["quantiles"], float(file["peak"]), float(file["seconds"]), str(file["error"]))

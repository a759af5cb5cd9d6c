"""Kill what writes at random moments, call it again, and compare: the same bytes, and nothing half-written stays.

    PYTHONPATH=.:tests:workflow python tests/kills.py --kills 100

Each way to write is run in forked processes: once undisturbed, then killed (SIGKILL) as often as asked. What a reader
would find after a kill must be as before or as after, file by file; the next call must end with the undisturbed bytes.
"""

import argparse
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pair
import pandas as pd
import reproduce
import samples
import torch

from roa_helpers import __main__, models
from roa_helpers.data.downloads import download
from roa_helpers.data.known import Download
from roa_helpers.models import small
from roa_helpers.records import store
from roa_helpers.studies.roi_roa import choices

ROOT = Path(__file__).resolve().parents[1]
CONTENT = bytes(range(256)) * 2048
PLANS = [("roi_roa", f"u{i}-seed0") for i in range(8)]
SOURCE = '# %% [markdown]\n# # Title\n\n# %% tags=["parameters"]\nseed = 0\n\n# %%\nseed + 1\n'


def study(folder):
    """A unit of a study, from training to its folder, by the command line."""
    choices.UNITS = {"quick": (samples.CHOICES,)}
    os.environ["ROA_RESULTS"] = str(folder)
    assert __main__.main(["study", "roi_roa"]) == 0


def training(folder):
    """A network with a checkpoint an epoch."""
    plan = models.Training(epochs=12, batch=8, learning_rate=0.02, weight_decay=0, augment=True, mixed=False, seed=0)
    network = small.lenet(2, mean=torch.zeros(1, 32, 32), width=0.3)
    train, val = samples.pictures(24, 0), samples.pictures(4, 1)
    models.fit(network, train, val, plan, path=folder / "m.safetensors", fingerprint="f", progress=False)


def accepting(folder):
    """Recorded units replaced by those that were computed anew."""
    if not (folder / "new").exists():
        for place, value in (("new", 2.0), ("old", 1.0)):
            for name, unit in PLANS:
                result, tables = {"value": value, "fingerprint": {}}, {"t": pd.DataFrame({"v": [value] * 99})}
                store.write(
                    folder / place / "desk" / name / unit, result, arrays={"a": np.full(9999, value)}, tables=tables
                )
    else:
        reproduce.accept(PLANS, profile="desk", source=folder / "new", place=folder / "old")


def downloading(folder):
    """A file from a slow server of this machine."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = Download(url=_server(), size=len(CONTENT), sha256=digest, to="set/file.bin")
    download(file, folder, progress=False)


def pairing(folder):
    """Six notebooks whose sources were changed, written to their partners."""
    notebooks = folder / "notebooks"
    if not notebooks.exists():
        notebooks.mkdir()
        shutil.copy(ROOT / "_config.yml", folder)
        for i in range(6):
            (notebooks / f"0{i}_page.py").write_text(SOURCE)
        assert pair.pair(folder) == []
        for path in notebooks.glob("*.py"):
            path.write_text(path.read_text().replace("seed + 1", "seed + 2"))
    else:
        assert pair.pair(folder) == []


#: What is run → whether its first call only prepares what the second changes.
WAYS = {study: False, training: False, accepting: True, downloading: False, pairing: True}


@cache
def _server():
    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            for start in range(0, len(CONTENT), 2**14):
                self.wfile.write(CONTENT[start : start + 2**14])
                time.sleep(0.01)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/file.bin"


def started(way, folder):
    """The number of a process that runs ``way`` and says nothing."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        torch.set_num_threads(1)
        way(folder)
        code = 0
    finally:
        os._exit(code)


def finished(way, folder):
    """Run to its end; seconds taken."""
    begin = time.monotonic()
    _, status = os.waitpid(started(way, folder), 0)
    assert status == 0, f"{way.__name__} ended with {status}"
    return time.monotonic() - begin


def visible(folder):
    """name → what a reader finds, hidden files and unfinished checkpoints apart; when a unit was computed left out."""
    paths = [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith((".part", ".lock"))]
    named = {str(p.relative_to(folder)): p for p in paths}
    return {name: _content(p) for name, p in named.items() if not any(one.startswith(".") for one in Path(name).parts)}


def _content(path):
    content = path.read_bytes()
    if path.name != store.RESULT:
        return content
    return {name: part for name, part in json.loads(content).items() if name not in ("provenance", "sum")}


def run(way, kills, draw, place):
    """Kill ``way`` so many times, at moments that ``draw`` chooses; how the kills fell."""
    fell = Counter()

    def prepared(name):
        folder = place / f"{way.__name__}-{name}"
        folder.mkdir()
        if WAYS[way]:
            finished(way, folder)
        return folder

    whole = prepared("whole")
    before, seconds = visible(whole), finished(way, whole)
    after = visible(whole)
    assert after != before
    for k in range(kills):
        folder = prepared(str(k))
        process = started(way, folder)
        time.sleep(draw.uniform(0, seconds))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        found = visible(folder)
        for name, content in found.items():
            assert content in (before.get(name), after.get(name)), f"{way.__name__}, kill {k}: {name} is half-written"
        fell["at the end" if found == after else "before anything" if found == before else "between"] += 1
        finished(way, folder)
        assert visible(folder) == after, f"{way.__name__}, kill {k}: other bytes"
        left = [path.name for path in folder.rglob("*") if path.name.endswith((".scratch", ".part"))]
        assert not left, f"{way.__name__}, kill {k}: {left}"
        shutil.rmtree(folder)
    return fell


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--kills", type=int, default=5 * len(WAYS), help="in all, shared out evenly")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    draw = random.Random(args.seed)
    for way in WAYS:
        with tempfile.TemporaryDirectory() as place:
            fell = run(way, args.kills // len(WAYS), draw, Path(place))
        print(f"{way.__name__:<12} {', '.join(f'{what} {n}' for what, n in sorted(fell.items()))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

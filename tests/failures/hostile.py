"""Files with some bytes changed, each read in a process that may die of it."""

from __future__ import annotations

import json
import random
import resource
import signal
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from wsal_bench.errors import WsalError

_PATIENCE: Final = 30.0  # seconds for one file
_MEMORY: Final = 16 << 30  # of addresses: a bomb is an error, not the end of the machine


@dataclass(frozen=True)
class Read:
    """How many files were read, and what was lost."""

    tried: int
    lost: list[str]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Args:
        name: of the file.
        good: contents to begin with.
        read: what is tried.
    """

    name: str
    good: Callable[[], Sequence[bytes]]
    read: Callable[[Path], object]


def in_a_process(kind: str, folder: Path, seeds: range, seed: int, deadline: float) -> Read:
    """Reads tampered files until the deadline, or until one ends the process."""
    context = get_context("forkserver")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_read_all, args=(kind, folder, seeds, seed, deadline, there))
    process.start()
    there.close()
    tried, lost = 0, []
    try:
        while here.poll(_PATIENCE + 30):
            number, said = here.recv()
            tried = number - seeds.start + 1
            lost += [f"file {number}: {said}"] if said else []
        process.kill()
        lost.append(f"file {seeds.start + tried}: read for more than {_PATIENCE:g} s")
    except EOFError:
        process.join()
        if process.exitcode:
            tried += 1
            lost.append(f"file {seeds.start + tried - 1}: exit code {process.exitcode}")
    return Read(tried, lost)


def _read_all(
    kind: str, folder: Path, seeds: range, seed: int, deadline: float, told: Connection
) -> None:
    warnings.simplefilter("ignore")
    one = KINDS[kind]
    good = one.good()
    path = folder / one.name
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in seeds:
        if time.monotonic() > deadline:
            break
        chance = random.Random(f"{kind} {seed} {number}")
        path.write_bytes(tampered(chance.choice(good), chance))
        signal.alarm(int(_PATIENCE))
        told.send((number, _problem(one.read, path)))
    signal.alarm(0)


def _problem(read: Callable[[Path], object], path: Path) -> str:
    """What is wrong with how a file was read or refused; empty: nothing."""
    try:
        read(path)
    except WsalError as error:
        return "" if path.name in str(error) else f"does not name the file: {error}"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def tampered(content: bytes, chance: random.Random) -> bytes:
    """A content with bytes changed, cut out, put in or repeated."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data) + 1) if chance.random() < 0.5 else chance.randrange(200)
        at = min(at, max(0, len(data) - 1))
        length = chance.choice((1, 1, 2, 4, 8, 64))
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([data[at] ^ (1 << chance.randrange(8))] if data else b"x")
            case 1:
                data[at : at + length] = chance.randbytes(length)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at : at + length] = chance.choice((b"\xff", b"\0", b"9", b"-")) * length
            case _:
                del data[at if chance.random() < 0.1 else len(data) :]
    return bytes(data)


def _arrays(ending: str) -> Callable[[], list[bytes]]:
    def good() -> list[bytes]:
        import h5py  # type: ignore[import-untyped]
        import numpy as np
        import torch

        features = np.arange(24, dtype=np.float32).reshape(6, 4)
        found = []
        savers: dict[str, list[Callable[[Any], Any]]] = {
            "npy": [lambda to: np.save(to, features), lambda to: np.save(to, features.T)],
            "npz": [
                lambda to: np.savez(to, features),
                lambda to: np.savez_compressed(to, features),
            ],
            "pt": [
                lambda to: torch.save(torch.tensor(features), to),
                lambda to: torch.save({"a": torch.tensor(features)}, to),
                lambda to: torch.save(torch.tensor(features).to_sparse(), to),
            ],
        }
        for save in savers.get(ending, []):
            buffer = BytesIO()
            save(buffer)
            found.append(buffer.getvalue())
        if ending == "h5":
            for packing in (None, "gzip"):
                buffer = BytesIO()
                with h5py.File(buffer, "w") as file:
                    file.create_dataset("x", data=features, compression=packing)
                found.append(buffer.getvalue())
        return found

    return good


def _pickles() -> list[bytes]:
    import pickle

    import numpy as np

    from tests.data.layouts.test_hostile_objects import HOSTILE, npy

    found = [npy(pickle.dumps(value)) for value in HOSTILE.values()]
    for value in ([np.arange(3.0), ["a", b"b"]], ["text", 1, None], [np.array([{"a": 1}])]):
        array = np.empty(len(value), object)
        array[:] = value
        buffer = BytesIO()
        np.save(buffer, array, allow_pickle=True)
        found += [buffer.getvalue()] * 4
    return found


def _truths() -> list[bytes]:
    video = {"subset": "test", "duration": 9.5, "annotations": [{"label": "a", "segment": [1, 2]}]}
    return [json.dumps({"version": "1", "taxonomy": [], "database": {"v": video}}).encode()]


def _detections() -> list[bytes]:
    row = {"label": "a", "segment": [0.5, 1e2], "score": 0.25}
    return [json.dumps({"version": "1", "results": {"v": [row, row]}}).encode()]


def _read_features(path: Path) -> object:
    from wsal_bench.inference.feature_files import FeaturePath

    FeaturePath("v", path).check(4)
    return None


def _reader(module: str, name: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        from importlib import import_module

        function: Callable[..., Any] = getattr(import_module(module), name)
        return function(path)

    return read


_YAML = b"a: 1\nb: {c: [1.5, x, yes], d: '010'}\n? e\n: &f\n  - *f\n  - |\n    text\n# remark\n"

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "features (npy)": Kind("v.npy", _arrays("npy"), _read_features),
        "features (npz)": Kind("v.npz", _arrays("npz"), _read_features),
        "features (h5)": Kind("v.h5", _arrays("h5"), _read_features),
        "features (pt)": Kind("v.pt", _arrays("pt"), _read_features),
        "pickles in npy": Kind(
            "v.npy", _pickles, _reader("wsal_bench.data.layouts._objects", "read_objects")
        ),
        "truth (JSON)": Kind(
            "gt.json", _truths, _reader("wsal_bench.evaluation.formats", "truth_from_json")
        ),
        "detections (JSON)": Kind(
            "d.json", _detections, _reader("wsal_bench.evaluation.formats", "detections_from_json")
        ),
        "options (YAML)": Kind(
            "o.yaml", lambda: [_YAML], _reader("wsal_bench.config", "read_yaml")
        ),
    }
)

"""Arrays in files of one video: npy, npz, h5 and pt, opened without running anything in them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.source import SourceVideo, stamp
from wsal_bench.errors import DataError
from wsal_bench.files import DAMAGED, MAX_BYTES, check_archive, check_file, read_npz
from wsal_bench.plugins.contract import Split


def file_of(video_id: str, split: Split, path: Path) -> SourceVideo:
    """A video whose features are the one array in a file."""
    return SourceVideo(video_id, split, partial(read_array, path), path, stamp(path))


def read_array(path: Path) -> NDArray[Any]:
    """The one array in a file; an npy is mapped into memory, not read.

    Raises:
        DataError: the file is missing, cannot be read, is broken, holds Python objects, or holds
            no array or several.
    """
    reader = READERS.get(path.suffix)
    if reader is None:
        raise DataError(
            f"{path.suffix or 'a file without an ending'} is no form of features",
            hint=f"there are: {', '.join(READERS)}",
            path=path,
        )
    check_file(path)
    try:
        return reader(path)
    except FileNotFoundError as error:
        raise DataError("feature file is missing", path=path) from error
    except (OSError, *DAMAGED) as error:
        if "object" in str(error).lower():  # numpy's sentence advises to load it unsafely
            raise DataError(
                "feature file holds Python objects, which could run code when read",
                hint="save plain numbers: numpy.save(path, array.astype('float32'))",
                path=path,
            ) from error
        raise DataError(f"feature file is empty or broken ({error})", path=path) from error


def _npy(path: Path) -> NDArray[Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)


def _npz(path: Path) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
    _only_one(names, path)
    array: NDArray[Any] = read_npz(path, "features", names)[names[0]]
    return array


def _h5(path: Path) -> NDArray[Any]:
    import h5py  # type: ignore[import-untyped]

    found: list[Any] = []
    with h5py.File(path, "r") as file:

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                found.append(item)

        file.visititems(visit)
        _only_one([item.name for item in found], path)
        _check_h5(found[0], path)
        return np.asarray(found[0][()])


def _check_h5(found: Any, path: Path) -> None:
    """Refuses what lies in other files, holds objects, or takes more than a video can."""
    if found.external or found.is_virtual:
        raise DataError(
            f"{found.name} lies in other files, which a file of features must not name",
            hint="copy its numbers into the file itself",
            path=path,
        )
    if found.dtype.hasobject:
        raise ValueError("Object arrays cannot be read")
    if found.nbytes > MAX_BYTES:
        raise DataError(f"{found.name} of shape {found.shape} takes {found.nbytes:,} bytes, more "
                        f"than the {MAX_BYTES:,} that are read", path=path)  # fmt: skip


def _pt(path: Path) -> NDArray[Any]:
    import pickle

    import torch

    _check_pt(path)
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(
            f"is no file of tensors alone, and anything else could run code when read ({first})",
            hint="torch.save(tensor, path)",
            path=path,
        ) from error
    if isinstance(value, dict):
        _only_one([str(name) for name in value], path)
        value = next(iter(value.values()))
    if not isinstance(value, torch.Tensor):
        raise DataError(f"holds a {type(value).__name__}, not a tensor", path=path)
    if kind := _odd_kind(value):
        raise DataError(
            f"holds a {kind} tensor, not plain numbers",
            hint="torch.save(tensor.to_dense(), path), or dequantize() or contiguous() it",
            path=path,
        )
    if value.dtype == torch.bfloat16:
        value = value.float()
    return value.detach().resolve_conj().resolve_neg().numpy()


def _odd_kind(value: Any) -> str:
    """What kind of tensor it is, where its numbers do not lie one after the other in memory."""
    import torch

    if value.is_nested:
        return "nested"
    if value.is_quantized:
        return "quantised"
    if value.layout is not torch.strided:
        return "sparse"
    if value.device.type != "cpu":
        return f"{value.device.type}"
    return "" if value.numel() <= value.untyped_storage().nbytes() else "repeating"


def _check_pt(path: Path) -> None:
    """Refuses a packed file of tensors: torch never packs, and what is packed may be endless."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        check_archive(archive, path)
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise DataError("is packed, which torch.save never does", path=path)


def _only_one(names: list[str], path: Path) -> None:
    if len(names) != 1:
        held = ", ".join(names[:5]) or "nothing"
        raise DataError(f"must hold one array, but holds {held}", path=path)


READERS: Final[Mapping[str, Callable[[Path], NDArray[Any]]]] = MappingProxyType(
    {".npy": _npy, ".npz": _npz, ".h5": _h5, ".hdf5": _h5, ".pt": _pt, ".pth": _pt}
)

"""Files that promise more than they hold, that lie elsewhere, or that never end."""

import os
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest
import torch

from wsal_bench.config import read_yaml
from wsal_bench.data.arrays import read_array
from wsal_bench.data.checks import check_names
from wsal_bench.data.features import open_features
from wsal_bench.data.layouts._objects import read_objects
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import detections_from_json, detections_from_npz
from wsal_bench.files import read_json, read_npz


def promising(shape: tuple[int, ...], held: int = 8) -> bytes:
    """An npy file whose header promises a shape of float64."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    length = struct.pack("<H", len(header))
    return b"\x93NUMPY\x01\x00" + length + header.encode() + bytes(held)


def npz(path: Path, content: bytes, name: str = "a.npy", packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr(name, content)
    return path


@pytest.mark.parametrize("shape", [(1 << 40, 1 << 20), (1 << 61,), (2,), (-1, -1), (0,)])
def test_an_array_that_promises_another_size_takes_no_memory(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="does not fit its 8 bytes"):
        read_npz(npz(tmp_path / "a.npz", promising(shape)), "features")
    (tmp_path / "a.npy").write_bytes(promising(shape))
    with pytest.raises(DataError):
        read_objects(tmp_path / "a.npy")


def test_a_packed_bomb_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsal_bench.files.MAX_BYTES", 1 << 20)
    bomb = npz(tmp_path / "a.npz", bytes(4 << 20), packing=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 14
    for read in (read_array, detections_from_npz):
        with pytest.raises(DataError, match="unpacks to 4,194,304 bytes, more than the 1,048,576"):
            read(bomb)
    buffer = BytesIO()
    torch.save(torch.zeros(4), buffer)
    packed = tmp_path / "a.pt"
    with zipfile.ZipFile(buffer) as good, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bad:
        for entry in good.namelist():
            bad.writestr(entry, good.read(entry))
    with pytest.raises(DataError, match=r"a\.pt: is packed, which torch.save never does"):
        read_array(packed)


def test_an_encrypted_or_damaged_archive_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.arange(1000.0))
    good = path.read_bytes()
    content = bytearray(good)
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz"):
        read_array(path)
    content = bytearray(good)
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = content.index(mark) + (6 if mark.endswith(b"\x04") else 8)
        content[at] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="is encrypted"):
        read_array(path)


def test_h5_whose_numbers_lie_elsewhere_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(64)))
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("x", (8,), "f8", external=[(str(secret), 0, 64)])
    with h5py.File(tmp_path / "real.h5", "w") as file:
        file["x"] = np.arange(8.0)
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "real.h5"), "x", shape=(8,))
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with h5py.File(tmp_path / "endless.h5", "w") as file:
        file.create_dataset("x", (1 << 20, 1 << 20), "f8", chunks=(64, 64))
    for name, sentence in (
        ("external", "lies in other files"),
        ("virtual", "lies in other files"),
        ("endless", "takes 8,796,093,022,208 bytes"),
    ):
        with pytest.raises(DataError, match=sentence):
            read_array(tmp_path / f"{name}.h5")


@pytest.mark.parametrize(
    "read",
    [open_features, read_array, read_objects, read_json, read_yaml, detections_from_json],
)
def test_a_pipe_is_refused_and_not_waited_for(read: object, tmp_path: Path) -> None:
    assert callable(read)
    os.mkfifo(tmp_path / "v.npy")
    with pytest.raises(DataError, match="is a pipe, a socket or a device, not a file"):
        read(tmp_path / "v.npy")


@pytest.mark.parametrize("name", ["/etc/passwd", "../v", "a/../../v", "C:\\v", "..", "a\nb", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="named like a path that leads elsewhere"):
        check_names(["good", name], Path("split_train.txt"))
    check_names(["video_test_0000004", "a.b", "2013-01..2014", "Ünïcode v", "sub/v"], Path("x"))


@pytest.mark.filterwarnings("ignore")  # torch warns of what it is asked to make here
def test_odd_tensors_are_named_for_what_they_are(tmp_path: Path) -> None:
    plain = torch.zeros(3, 4)
    odd = {
        "sparse": plain.to_sparse(),
        "quantised": torch.quantize_per_tensor(plain, 0.1, 0, torch.qint8),
        "nested": torch.nested.nested_tensor([plain, plain[:2]]),
        "repeating": torch.zeros(1).expand(1 << 20, 1 << 20),
        "meta": torch.zeros(3, 4, device="meta"),
    }
    for kind, tensor in odd.items():
        torch.save(tensor, tmp_path / f"{kind}.pt")
        with pytest.raises(DataError, match=rf"{kind}\.pt: (holds a {kind} tensor|is no file)"):
            read_array(tmp_path / f"{kind}.pt")


@pytest.mark.parametrize("header", ["(3, 4", "{'a': (", "}{", "\0" * 20, "'" * 9, "(" * 500])
@pytest.mark.parametrize("read", [open_features, read_array, read_objects])
def test_an_odd_header_names_the_file(header: str, read: object, tmp_path: Path) -> None:
    assert callable(read)
    text = header.ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
    (tmp_path / "v.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"v\.npy"):
        read(tmp_path / "v.npy")


def test_negative_shapes_are_no_features(tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(promising((-2, -4), held=64))
    with pytest.raises(DataError, match=r"v\.npy"):
        open_features(tmp_path / "v.npy")

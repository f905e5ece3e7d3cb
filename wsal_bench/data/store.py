"""The form in which imported data sets lie on disk, and how they are read.

STORE/index.json                    what is written below, checksums included
STORE/train.npy, test.npy           features of all videos of a split, [N, D], one after the other
STORE/truth/<variant>-<split>.npz   true segments

`index.json` is written last: a folder without it is no data set yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from wsal_bench.data.features import open_features
from wsal_bench.data.index import Entry, read_index, write_index
from wsal_bench.data.packed import ChangedError, PackedFeatures, PackedFile, checksum
from wsal_bench.data.placing import INDEX, how_to_replace, put_right, writing
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import truth_from_npz
from wsal_bench.files import read_bytes
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.types import GroundTruth


class Store:
    """An imported data set, opened: the index is read, features and truth when asked for.

    Args:
        root: its folder.

    Raises:
        DataError: no index there, or a wrong one; a feature file that is missing or does not
            have the rows that the index promises.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index = read_index(root)
        self._files = {split: self._open(split) for split in SPLITS}

    def check_truths(self) -> None:
        """Compares each file of truth with the digest that the index has of it.

        Raises:
            DataError: one is missing, or not what was imported.
        """
        for error in self.changed_truths():
            raise error

    def changed_truths(self) -> Iterator[DataError]:
        """An error for each file of truth that is not what was imported.

        Raises:
            DataError: one is missing.
        """
        for variant, digests in self.index.truths.items():
            for split, wanted in digests.items():
                path = truth_path(self.root, variant, split)
                found = sha256(read_bytes(path)).hexdigest()
                if found != wanted:
                    yield ChangedError(
                        f"truth is not what was imported: expected sha256 {wanted[:16]}, found "
                        f"{found[:16]}",
                        hint=how_to_replace(self.root),
                        path=path,
                    )

    def features(self, split: Split) -> Mapping[str, PackedFeatures]:
        """Features by video, in the index's order."""
        file = self._files[split]
        return {
            entry.video_id: PackedFeatures(
                file, entry.first, entry.length, entry.video_id, entry.checksum
            )
            for entry in self.index.videos[split]
        }

    def summed(self, split: Split) -> tuple[Entry, ...]:
        """Its entries with quick checksums of the rows, which are compared first.

        Raises:
            ChangedError: rows are not what was imported.
        """
        features = self.features(split)
        return tuple(
            entry.model_copy(
                update={"crc32": checksum(features[entry.video_id].view().data, "crc32")}
            )
            for entry in self.index.videos[split]
        )

    @cached_property
    def truths(self) -> Mapping[str, Mapping[Split, GroundTruth]]:
        """Truth variant -> split -> true segments.

        Raises:
            DataError: a file is missing or wrong inside.
        """
        return {
            variant: {split: truth_from_npz(truth_path(self.root, variant, split)) for split in has}
            for variant, has in self.index.truths.items()
        }

    def _open(self, split: Split) -> PackedFile:
        header = open_features(features_path(self.root, split))
        rows = sum(entry.length for entry in self.index.videos[split])
        wanted = ((rows, self.index.feature_dim), self.index.dtype)
        if (header.shape, header.dtype.name) != wanted or header.order != "C":
            raise DataError(
                f"holds {header.shape} {header.dtype.name}, but the index promises {wanted[0]} "
                f"{wanted[1]}",
                hint=how_to_replace(self.root),
                path=header.path,
            )
        return PackedFile(header)


def features_path(root: Path, split: Split) -> Path:
    """The file of a split's features."""
    return root / f"{split}.npy"


def truth_path(root: Path, variant: str, split: Split) -> Path:
    """The file of a split's truth."""
    return root / "truth" / f"{variant}-{split}.npz"


def is_store(root: Path) -> bool:
    """True where a whole imported data set lies; what a killed import left there is put right."""
    put_right(root)
    return (root / INDEX).is_file()


def seal(root: Path) -> bool:
    """Compares all features and truth with the index, then writes it with quick checksums and seal.

    Returns:
        False where it is sealed already; nothing is written then.

    Raises:
        BusyError: another process writes the store.
        DataError: something is not what was imported, or the index cannot be written.
    """
    with writing(root):
        store = Store(root)
        if store.index.is_sealed:
            return False
        store.check_truths()
        videos = {split: store.summed(split) for split in store.index.videos}
        write_index(root, store.index.model_copy(update={"videos": videos}))
    return True

"""What a plugin implements and what it is told.

A data set gives videos and keeps its truth; a method learns from videos with labels and says where
the actions are. Imports no torch: a method that needs no gradients never meets it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from wsal_bench.config import Config as BaseConfig
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.plugins.truth_lock import guarded
from wsal_bench.types import Activations, GroundTruth, Proposals, Video, WeakVideo

if TYPE_CHECKING:
    from torch import Tensor

Split = Literal["train", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "test")


@dataclass(frozen=True)
class Task:
    """What a method is told about the data; nothing of it depends on a boundary.

    Args:
        feature_dim: D.
        class_names: C names.
        streams: which columns of the features are which, for example rgb and flow; may be empty.
        device: a torch device name.
        seed: the training seed.
        precision: `fp32`, or `bf16` for autocast.
    """

    feature_dim: int
    class_names: tuple[str, ...]
    streams: Mapping[str, slice] = field(default_factory=dict)
    device: str = "cpu"
    seed: int = 0
    precision: Literal["fp32", "bf16"] = "fp32"

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.class_names)

    def require_streams(self, *names: str) -> None:
        """Refuses data without these streams.

        Raises:
            UsageError: a stream is missing.
        """
        missing = [name for name in names if name not in self.streams]
        if missing:
            known = ", ".join(self.streams) or "none"
            raise UsageError(f"this method needs the streams {missing}; the data has {known}")

    def require_classes(self, least: int) -> None:
        """Refuses data with fewer classes than these.

        Raises:
            UsageError: there are fewer.
        """
        if self.num_classes < least:
            raise UsageError(
                f"this method tells classes apart and needs at least {least}; the data has "
                f"{self.num_classes}: {', '.join(self.class_names) or 'none'}"
            )


@dataclass(frozen=True)
class Track:
    """What a number was allowed to know. Rows are ranked within one track only."""

    supervision: Literal["video", "point", "count"] = "video"
    label_source: str = "truth"
    split_variant: str = "default"
    selection: str = "none"
    external_models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """Something that a method needs from another one.

    Args:
        method: the parent's name, for example `acm-net`.
        kind: what of it.
        splits: of which videos, where the kind is not `checkpoint`.
        shared: options that both have: read from the parent, an error if set on the child.
    """

    method: str
    kind: Literal["checkpoint", "activations", "proposals"] = "checkpoint"
    splits: tuple[Split, ...] = SPLITS
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Parent:
    """What the runner hands over for one entry of `needs`; only the asked kind is filled.

    Args:
        weights: the parent network's state dict.
        activations: by video name.
        proposals: by video name.
    """

    weights: Mapping[str, Tensor] = field(default_factory=dict)
    activations: Mapping[str, Activations] = field(default_factory=dict)
    proposals: Mapping[str, Proposals] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """Where training stands, for a progress display."""

    phase: int
    epoch: int
    epochs: int
    losses: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Session:
    """The surroundings of one `fit`.

    Args:
        directory: where checkpoints and history go; None keeps nothing.
        report: called after each epoch.
        stop: asked after each step; True checkpoints and stops training.
        num_workers: threads that read coming batches; the numbers do not depend on it.
        max_steps: training ends after so many steps, all phases together, as if it had been
            planned so; None: where the method ends it. A `fit` of one's own should heed it.
    """

    directory: Path | None = None
    report: Callable[[Step], None] = lambda step: None
    stop: Callable[[], bool] = lambda: False
    num_workers: int = 0
    max_steps: int | None = None


class Dataset(ABC):
    """Videos with labels to learn from, videos without to be tested on, and a truth.

    A subclass writes `videos` and `_truth` and the attributes below.
    """

    Config: ClassVar[type[BaseConfig]] = BaseConfig
    version: ClassVar[str] = "1"
    seeded: ClassVar[bool] = False
    """True where the data themselves are drawn from a seed (`--data-seeds`)."""
    quick: ClassVar[Mapping[str, Any] | None] = None
    """Options of the `--quick` size; None: the first 8 + 4 videos, and 2 epochs of methods without
    a preset `quick`."""
    preset: ClassVar[str] = ""
    """Preset that methods use here; empty: the data set's name. One without it runs on its
    defaults."""
    protocols: ClassVar[tuple[str, ...]] = ()
    """Protocols that fit besides `<name>/common`."""
    card: ClassVar[str] = ""
    """What a reader should know before believing a number on it."""
    truth_variants: ClassVar[tuple[str, ...]] = ("default",)
    takes_path: ClassVar[bool] = False
    """True where `name:PATH` says where the files lie; else a path is refused."""

    class_names: tuple[str, ...]
    feature_dim: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_truth" in vars(cls):
            cls._truth = guarded(cls._truth)  # type: ignore[method-assign]

    def __init__(self, config: BaseConfig, *, data_seed: int = 0, path: Path | None = None) -> None:
        self.config = config
        self.data_seed = data_seed
        self.path = path

    @classmethod
    def open(cls, path: Path | None, config: BaseConfig, data_seed: int) -> Dataset:
        """Makes the data set; `path` is what stands after the colon in `folder:PATH`."""
        return cls(config, data_seed=data_seed, path=path)

    @classmethod
    def locate(cls, text: str) -> Path:
        """The place that stands after the colon, as a whole path; must not depend on the data."""
        return Path(text).expanduser().resolve()

    @property
    def name(self) -> str:
        """Name in tables and folders; empty: the plugin's name."""
        return ""

    @property
    def streams(self) -> Mapping[str, slice]:
        """Columns of the features by stream."""
        return {}

    @property
    def track(self) -> Track:
        """What this data set's labels rest on."""
        return Track()

    def fingerprint(self) -> str:
        """Digest of whatever besides version, options and data seed decides the data."""
        return ""

    @property
    def remark(self) -> str:
        """What a user should know of the files that are read, said once a run; mostly nothing."""
        return ""

    def num_left_out(self, variant: str = "default") -> int:
        """Test videos that a protocol expects and the truth leaves out, as they have no features.

        Videos that the truth keeps count as missed, and are not counted here.
        """
        del variant
        return 0

    @abstractmethod
    def videos(self, split: Split) -> Sequence[Video]:
        """`train`: WeakVideo; `test`: Video without any label."""

    @abstractmethod
    def _truth(self, split: Split, variant: str) -> GroundTruth:
        """True segments of a split."""

    def ground_truth(self, split: Split, variant: str = "default") -> GroundTruth:
        """True segments of a split; only scoring is ever given them.

        Raises:
            TruthLockedError: a method is learning or inferring right now.
            UsageError: no such variant.
        """
        if variant not in self.truth_variants:
            hint = did_you_mean(variant, self.truth_variants)
            raise UsageError(f"no truth variant {variant!r}", hint=hint)
        return self._truth(split, variant)


class Method(ABC):
    """Learns from labelled videos, then says of each video what happens when.

    A subclass writes `fit` and `activations`; `localize` too if it gives segments by itself.
    """

    Config: ClassVar[type[BaseConfig]] = BaseConfig
    version: ClassVar[str] = "1"
    groups: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Published variants: name -> options. Empty: the method has one form without a name."""
    controls: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Controls: run by name, by `NAME:*` and by `ablate`."""
    components: ClassVar[Mapping[str, str]] = {}
    """Columns of the ablation table: title -> option that is not 0 where the part is on."""
    baseline: ClassVar[str] = ""
    """The control that the ablation's differences are taken to."""
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    """Options and the values that `ablate --axes` may cross."""
    needs: ClassVar[Mapping[str, Artifact]] = {}
    least_classes: ClassVar[int] = 1
    """Data with fewer are refused before anything is trained."""
    streams: ClassVar[tuple[str, ...]] = ()
    """Streams of the features that it needs, such as rgb and flow; data without are refused."""
    supervision: ClassVar[Literal["video", "point", "count"]] = "video"
    own_recipe: ClassVar[bool] = False
    """True where `localize` is overridden."""
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    """Published mAP in percent: data set -> {"0.5": ..., "0.1:0.7": ...}."""
    about: ClassVar[Mapping[str, str]] = {}
    """For catalogues, written out as texts: `paper` and `year`; `streams` that it looks at; `terms`
    of its loss; what is `left_out`."""
    paper_protocols: ClassVar[Mapping[str, str]] = {}
    """Data set -> name of the protocol that `paper` was scored under, where that is known."""

    def __init__(self, config: Any, task: Task, parents: Mapping[str, Parent] | None = None):
        task.require_classes(self.least_classes)
        task.require_streams(*self.streams)
        self.config = config
        self.task = task
        self.parents = parents or {}

    @abstractmethod
    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Learns; called once."""

    @abstractmethod
    def activations(self, video: Video) -> Activations:
        """What the method says of one video, whatever it was asked before."""

    @property
    @abstractmethod
    def recipe(self) -> ProposalRecipe:
        """How this method's activations become segments."""

    def localize(self, video: Video, recipe: ProposalRecipe) -> Proposals:
        """Segments of one video."""
        return localize(self.activations(video), recipe)

    def num_parameters(self) -> int:
        """Numbers that were learnt; 0 where nothing was."""
        return 0

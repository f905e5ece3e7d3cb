"""What the words of a request mean here: device, protocol, presets, options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsal_bench import plugins
from wsal_bench.config import PUBLISHED, Found, Layer, Preset, build, choose_preset, read_presets
from wsal_bench.errors import UnavailableError, UsageError, did_you_mean
from wsal_bench.evaluation import protocols
from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.localization import recipe as recipes
from wsal_bench.plugins import MethodName
from wsal_bench.plugins.contract import Dataset, Method, Task
from wsal_bench.running.cells import OWN_RECIPE, Cell, RunRequest, RunSpec
from wsal_bench.running.settings import Settings

QUICK_PRESET = "quick"
QUICK_EPOCHS = 2  # of the first few videos of data without a quick size
QUICK_STEPS = 200


def check_numbers(request: RunRequest) -> None:
    """Seeds, threads, jobs, workers, precision and recipe of a request.

    Raises:
        UsageError: one of them cannot be right.
    """
    for option, values in (("--seeds", request.seeds), ("--data-seeds", request.data_seeds)):
        if not values:
            raise UsageError(f"{option} names nothing", hint="seeds are whole numbers, 0 or more")
        if min(values) < 0:
            raise UsageError(f"{option} {list(values)}", hint="seeds are whole numbers, 0 or more")
    for option, value in (("--threads", request.threads), ("-j", request.jobs)):
        if value < 1:
            raise UsageError(f"{option} {value}", hint="it must be 1 or more")
    if request.num_workers < 0:
        raise UsageError(f"--num-workers {request.num_workers}", hint="it must be 0 or more")
    if request.precision not in ("fp32", "bf16"):
        raise UsageError(f"no precision {request.precision!r}", hint="there are fp32 and bf16")
    known = (OWN_RECIPE, *recipes.names())
    if recipes.spelled(request.recipe) not in known:
        raise UsageError(f"no recipe {request.recipe!r}", hint=did_you_mean(request.recipe, known))


def resolve_device(name: str) -> str:
    """A torch device name that exists here, for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: another name.
        UnavailableError: there is no such device.
    """
    kind, colon, index = name.partition(":")
    if name == "cpu":
        return name
    if name != "auto" and (kind != "cuda" or (colon and not index.isdigit())):
        raise UsageError(f"no device {name!r}", hint="there are auto, cpu, cuda and cuda:N")
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.cuda.is_available():
        raise UnavailableError(f"--device {name}: torch sees no CUDA device here")
    if colon and int(index) >= torch.cuda.device_count():
        raise UnavailableError(
            f"--device {name}: there are {torch.cuda.device_count()} CUDA devices"
        )
    return name


def choose_protocol(wanted: str | None, dataset: Dataset, name: str) -> Protocol:
    """The protocol that a data set is scored under.

    Args:
        wanted: `common` or None: `<name>/common`; else one that fits the data set.
        dataset: says which protocols fit.
        name: of the data set.

    Raises:
        UsageError: the protocol does not fit, or is none.
    """
    known = (f"{name}/common", *dataset.protocols)
    full = known[0] if wanted in (None, "common") else str(wanted)
    if wanted is not None and wanted.startswith("common@v"):
        full = f"{name}/{wanted}"
    if full.partition("@v")[0] not in known:
        raise UsageError(
            f"protocol {full!r} does not fit data set {name!r}",
            hint=did_you_mean(full, known, kind="these do"),
        )
    chosen = protocols.protocol(full)
    if chosen.truth_variant not in dataset.truth_variants:
        raise UsageError(
            f"protocol {full!r} needs the truth variant {chosen.truth_variant!r}",
            hint=did_you_mean(chosen.truth_variant, dataset.truth_variants),
        )
    return chosen


def task_of(spec: RunSpec, dataset: Dataset, device: str) -> Task:
    """What a method is told about a data set."""
    return Task(
        feature_dim=dataset.feature_dim,
        class_names=tuple(dataset.class_names),
        streams=dataset.streams,
        device=device,
        seed=spec.seed,
        precision=spec.precision,
    )


@dataclass(frozen=True, eq=False)
class Entry:
    """A method's class and presets, looked up once.

    Args:
        kind: the class.
        presets: by name.
    """

    kind: type[Method]
    presets: Mapping[str, Preset]


@dataclass(frozen=True)
class Options:
    """A method's options, resolved.

    Args:
        config: all of them.
        preset: which preset they began with.
        max_steps: steps that a quick training may take; None: no limit.
    """

    config: Mapping[str, Any]
    preset: Preset
    max_steps: int | None = None

    def found(self, parents: Mapping[str, Cell]) -> tuple[Found, ...]:
        """How the preset's options were found, and those that its parents began with."""
        inherited = (one for cell in parents.values() for one in cell.spec.found)
        return tuple(dict.fromkeys((self.preset.found, *inherited)))


class Library:
    """Methods and their options under one request.

    Args:
        request: says which preset, and whether the run is quick.
        settings: options that were set by hand.
    """

    def __init__(self, request: RunRequest, settings: Settings) -> None:
        self.request, self.settings = request, settings
        self._entries: dict[str, Entry] = {}

    def entry(self, name: str) -> Entry:
        """A method's class and presets.

        Raises:
            UsageError: the method cannot be imported.
            DataError: its presets cannot be read.
        """
        if name not in self._entries:
            kind = plugins.load("methods", name)
            path = plugins.presets_path(plugins.available("methods")[name])
            self._entries[name] = Entry(kind, read_presets(path))
        return self._entries[name]

    def options(
        self, name: MethodName, dataset: Dataset, data_name: str, parents: Mapping[str, Cell]
    ) -> Options:
        """All options of a method: defaults < preset < variant < file < `--set`.

        Args:
            name: the method and its variant.
            dataset: names the preset, and says whether it has a quick size.
            data_name: the preset where the data set names none.
            parents: cells that options may be read from.

        Raises:
            UsageError: a preset that no method has; an option that is not there, or that is the
                parent's.
        """
        kind = self.entry(name.method).kind
        preset = self._preset(name.method, dataset.preset or data_name)
        variants = {**kind.variants, **kind.controls}
        weak = [preset.layer]
        weak += [Layer("variant", variants[name.variant])] if name.variant else []
        strong = self.settings.layers(name.method, name.variant)
        shared = _shared(name, kind, parents, [*weak, *strong])
        max_steps = None
        if self.request.quick and preset.name != QUICK_PRESET:
            if dataset.quick is None and "epochs" in kind.Config.fields():
                weak.append(Layer("--quick", {"epochs": QUICK_EPOCHS}))
            by_hand = any("epochs" in layer.values for layer in strong)
            max_steps = None if by_hand else QUICK_STEPS
        config = build(kind.Config, [*weak, *strong, *shared], owner=str(name))
        return Options(config.to_json(), preset, max_steps)

    def _preset(self, method: str, default: str) -> Preset:
        presets = self.entry(method).presets
        if self.request.preset is not None:
            if self.request.preset not in presets:
                self._check_preset(self.request.preset)
            return choose_preset(presets, self.request.preset)
        quick = (QUICK_PRESET,) if self.request.quick else ()
        return choose_preset(presets, *quick, default)

    def _check_preset(self, wanted: str) -> None:
        """A name that no method knows is a slip of the pen; one that this method lacks is not.

        Raises:
            UsageError: no method has a preset of this name.
        """
        known = {PUBLISHED, QUICK_PRESET}
        for plugin in plugins.available("methods").values():
            known |= set(read_presets(plugins.presets_path(plugin)))
        if wanted not in known:
            raise UsageError(
                f"no method has a preset {wanted!r}", hint=did_you_mean(wanted, sorted(known))
            )


def _shared(
    name: MethodName, kind: type[Method], parents: Mapping[str, Cell], layers: list[Layer]
) -> list[Layer]:
    """Options that are the parents'; an error where the child sets one."""
    shared = []
    for key, parent in parents.items():
        for option in kind.needs[key].shared:
            for layer in layers:
                if option in layer.values:
                    raise UsageError(
                        f"{name}.{option} ({layer.origin}) is read from {parent.spec.name}",
                        hint=f"set {parent.spec.name}.{option} instead",
                    )
            if option not in parent.spec.config:
                raise UsageError(f"{name} reads {option!r} from {parent.spec.name}: no such option")
            shared.append(
                Layer(f"read from {parent.spec.name}", {option: parent.spec.config[option]})
            )
    return shared

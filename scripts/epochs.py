"""The curve of a method over its number of epochs, and the number that a fixed rule takes.

The rule: the smallest number of epochs whose label AP lies within one standard error of the best
(Breiman et al. 1984). Label AP says how well video scores rank held-out training videos of a class;
no boundary and no test video is looked at. What boundaries say is written down beside it.

The standard error is a jackknife over the held-out groups (people on hapt), within folds, of the
mean over folds and seeds; the seeds' own spread is added. All options but `epochs` are those that
`scripts/tune` chose. Every outcome is written as it comes, so a killed command goes on.

Usage: scripts/epochs --data hapt [--method ftcl] [--epochs 1,2,4,8] [--seeds 3] [-j 2] [--write]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from scipy import special  # type: ignore[import-untyped]

from scripts import tune
from wsal_bench.files import write_text


@dataclass(frozen=True)
class Outcome:
    """A training of so many epochs, scored on one fold, and on it without each of its groups.

    Args:
        epochs: of the training.
        part: the fold that was held out.
        seed: of the training.
        weak: label AP, a fraction.
        boundaries: mAP 0.1:0.7, a fraction; never chosen by.
        weak_without: label AP without one group, by the group's name.
        boundaries_without: mAP without one group.
        seconds: of the whole trial.
    """

    epochs: int
    part: int
    seed: int
    weak: float
    boundaries: float
    weak_without: dict[str, float]
    boundaries_without: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class Point:
    """One number of epochs on the curve, in percent.

    Args:
        mean: over folds and seeds.
        error: its standard error.
        low: of the 95 % interval.
        high: of the 95 % interval.
    """

    mean: float
    error: float
    low: float
    high: float


def train_and_score(trial: tune.Trial) -> Outcome:
    """One training, scored on its fold and on the fold without each group."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    part = tune.open_part(trial.data, trial.part)
    scored = tune.Scored(tune.fit(trial, part), part)
    weak, boundaries = scored.values()
    without = {group: scored.values(group) for group in sorted(set(part.truth.groups))}
    return Outcome(
        epochs=trial.options["epochs"],
        part=trial.part,
        seed=trial.seed,
        weak=weak,
        boundaries=boundaries,
        weak_without={group: pair[0] for group, pair in without.items()},
        boundaries_without={group: pair[1] for group, pair in without.items()},
        seconds=round(time.perf_counter() - started, 1),
    )


def jackknifed(cells: Sequence[tuple[float, Mapping[str, float]]]) -> tuple[float, float]:
    """The variance of a fold's mean over seeds, by its groups, and that mean.

    Args:
        cells: of one fold, for each seed: the value, and the values without each group.
    """
    names = cells[0][1]
    without = np.array([np.mean([one[name] for _, one in cells]) for name in names])
    number = len(without)
    variance = (number - 1) / number * np.sum((without - without.mean()) ** 2)
    return float(variance), float(np.mean([value for value, _ in cells]))


def point(cells: Sequence[Sequence[tuple[float, Mapping[str, float]]]]) -> Point:
    """One number of epochs, or a difference of two, from its folds; see the module's text."""
    folds = [jackknifed(fold) for fold in cells]
    variance = sum(fold[0] for fold in folds) / len(folds) ** 2
    by_seed = [np.mean([fold[seed][0] for fold in cells]) for seed in range(len(cells[0]))]
    if len(by_seed) > 1:
        variance += float(np.var(by_seed, ddof=1)) / len(by_seed)
    mean, error = 100 * float(np.mean([fold[1] for fold in folds])), 100 * float(np.sqrt(variance))
    freedom = sum(len(fold[0][1]) - 1 for fold in cells)
    width = error * float(special.stdtrit(freedom, 0.975))
    return Point(*(round(value, 2) for value in (mean, error, mean - width, mean + width)))


def cells_of(
    outcomes: Sequence[Outcome], epochs: int, by: str, minus: int | None = None
) -> list[list[tuple[float, Mapping[str, float]]]]:
    """The values of one number of epochs, a list for each fold, in the order of the seeds.

    Args:
        outcomes: of the whole curve.
        epochs: which of them.
        by: "weak" or "boundaries".
        minus: a number of epochs that is taken off, fold by fold, seed by seed, group by group.
    """
    found = {(item.epochs, item.part, item.seed): item for item in outcomes}

    def cell(part: int, seed: int) -> tuple[float, Mapping[str, float]]:
        item = found[epochs, part, seed]
        value, without = getattr(item, by), getattr(item, f"{by}_without")
        if minus is None:
            return value, without
        other = found[minus, part, seed]
        less = getattr(other, f"{by}_without")
        return value - getattr(other, by), {name: without[name] - less[name] for name in without}

    seeds = sorted({item.seed for item in outcomes})
    return [[cell(part, seed) for seed in seeds] for part in sorted({o.part for o in outcomes})]


def smallest_within(curve: Mapping[int, Point]) -> int:
    """The rule: the smallest number of epochs within one standard error of the best."""
    best = max(curve.values(), key=lambda item: item.mean)
    return min(epochs for epochs, item in curve.items() if item.mean >= best.mean - best.error)


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The curve by labels and by boundaries, the rule's choice, and differences to it."""
    numbers = sorted({item.epochs for item in outcomes})
    weak = {n: point(cells_of(outcomes, n, "weak")) for n in numbers}
    chosen = smallest_within(weak)
    others = [n for n in numbers if n != chosen]
    return {
        "rule": "the smallest number of epochs within one standard error of the best label AP",
        "chosen": chosen,
        "weak": {str(n): asdict(weak[n]) for n in numbers},
        "boundaries": {str(n): asdict(point(cells_of(outcomes, n, "boundaries"))) for n in numbers},
        "weak_minus_chosen": {
            str(n): asdict(point(cells_of(outcomes, n, "weak", chosen))) for n in others
        },
        "boundaries_minus_chosen": {
            str(n): asdict(point(cells_of(outcomes, n, "boundaries", chosen))) for n in others
        },
    }


def trials_made(record: Mapping[str, Any], outcomes: Sequence[Outcome]) -> int:
    """All that a method had: the search, epochs that were tried by hand, and those of the curve."""
    by_hand = len(record.get("epochs", {}).get("outcomes", []))
    folds = len({item.part for item in outcomes})
    return int(record["budget"]["trials"]) + (by_hand + len(outcomes)) // folds


def trials(arguments: argparse.Namespace) -> Iterator[tune.Trial]:
    """All trainings of a curve, the quickest first, with the options that the search chose."""
    record = json.loads((tune.RECORDS / f"{arguments.data}.json").read_text())
    parent = record[arguments.method]["parent_options"]
    for epochs in sorted(int(text) for text in arguments.epochs.split(",")):
        options = {**record[arguments.method]["chosen"]["options"], "epochs": epochs}
        for seed in range(arguments.seeds):
            for part in tune.PARTS[arguments.data]:
                yield tune.Trial(arguments.data, arguments.method, 0, part, options, parent, seed)


def main() -> None:
    """Trains what is missing of the curve, writes it and, with --write, the preset."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", default="hapt", choices=sorted(tune.PARTS))
    parser.add_argument("--method", default="ftcl")
    parser.add_argument("--epochs", default="1,2,4,8")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the choice into the preset")
    arguments = parser.parse_args()
    path = tune.RECORDS / f"{arguments.data}-epochs-{arguments.method}.json"
    record = json.loads(path.read_text()) if path.exists() else {"outcomes": []}
    outcomes = [Outcome(**item) for item in record["outcomes"]]
    done = {(item.epochs, item.part, item.seed) for item in outcomes}
    todo = [
        trial
        for trial in trials(arguments)
        if (trial.options["epochs"], trial.part, trial.seed) not in done
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool:
        for future in as_completed([pool.submit(train_and_score, trial) for trial in todo]):
            outcomes.append(future.result())
            outcomes.sort(key=lambda item: (item.epochs, item.seed, item.part))
            document = {"outcomes": [asdict(item) for item in outcomes]}
            write_text(path, json.dumps(document, indent=1, sort_keys=True) + "\n")
            print(f"{len(outcomes) - len(done)} of {len(todo)}: {path}", file=sys.stderr)
    curve = summary(outcomes)
    document = {**curve, "outcomes": [asdict(item) for item in outcomes]}
    write_text(path, json.dumps(document, indent=1, sort_keys=True) + "\n")
    print(json.dumps(curve, indent=1))
    if arguments.write:
        searched = json.loads((tune.RECORDS / f"{arguments.data}.json").read_text())
        number = trials_made(searched[arguments.method], outcomes)
        tune.write_preset(arguments.data, arguments.method, {"epochs": curve["chosen"]}, number)


if __name__ == "__main__":
    main()

"""Made-up cases full of ties, and how the fast code is held against the plain definition."""

import numpy as np
from hypothesis import strategies as st

from wsal_bench.evaluation import Protocol, evaluate
from wsal_bench.evaluation import reference as plain
from wsal_bench.types import Detections, GroundTruth

TIMES = st.integers(0, 12).map(lambda tick: tick / 2)  # touching, equal and empty segments abound


@st.composite
def cases(draw: st.DrawFn) -> tuple[GroundTruth, Detections]:
    videos = tuple(f"v{i}" for i in range(draw(st.integers(1, 3))))
    classes = tuple("ABCDEFGH"[: draw(st.sampled_from([1, 1, 2, 8]))])  # crowded ones and many
    video = st.integers(0, len(videos) - 1)
    segment = st.tuples(video, TIMES, TIMES, st.integers(0, len(classes) - 1))
    true = draw(st.lists(segment, min_size=1, max_size=12))
    guess = segment | st.sampled_from(true)  # else hits are rare
    found = draw(st.lists(st.tuples(guess, st.integers(0, 4)), max_size=25))
    repeated = found + found[: draw(st.integers(0, len(found)))]
    rows = [(*part, score / 4) for part, score in repeated]
    column = np.array(rows, dtype=float).reshape(-1, 5).T
    truth = np.array(true, dtype=float).T
    unsure = draw(st.lists(st.tuples(video, TIMES, TIMES), min_size=1, max_size=3))
    return (
        GroundTruth(
            video=truth[0].astype(int),
            start=np.minimum(truth[1], truth[2]),
            end=np.maximum(truth[1], truth[2]),
            label=truth[3].astype(int),
            video_ids=videos,
            class_names=classes,
            ambiguous=np.array([(v, min(s, e), max(s, e)) for v, s, e in unsure], dtype=float),
        ),
        Detections(
            video=column[0].astype(int),
            start=column[1],
            end=column[2],  # maybe before the start: the ActivityNet code takes it as it is
            label=column[3].astype(int),
            score=column[4],
            video_ids=("elsewhere", *videos[1:]) if draw(st.booleans()) else videos,
            class_names=classes[::-1],
        ),
    )


def assert_equal_to_the_definition(
    truth: GroundTruth, detections: Detections, rules: Protocol
) -> None:
    scores = evaluate(truth, detections, rules)
    expected = plain.average_precisions(truth, detections, rules)
    assert scores.class_names == tuple(expected)
    np.testing.assert_allclose(scores.ap.T, list(expected.values()), rtol=0, atol=1e-12)
    assert scores.matches is not None
    for label, name in enumerate(scores.class_names):
        rows = plain.ranked(truth, detections, name, rules)
        assert np.flatnonzero(scores.matches.label == label).tolist() == sorted(rows)
        if rules.ties != "true-positives-first":  # there the order depends on the threshold
            assert scores.matches.rank[rows].tolist() == list(range(len(rows)))
        for bit, hits in enumerate(plain.matches(truth, detections, name, rules)):
            ours = (scores.matches.hits[rows] >> bit & 1).astype(bool).tolist()
            assert ours == [hit is not None for hit in hits]

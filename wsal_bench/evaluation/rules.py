"""The rules a protocol can choose from, and what each means in words.

What is listed here the evaluator does, and its tests prove against the plain definition in
`reference.py`. A rule outside this table is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

AP_RULE = {
    "all-points": "area under the precision envelope at every recall (VOC 2010 and later)",
    "voc-11-points": "mean of the best precision at recall 0, 0.1, ... 1 or higher (VOC 2007)",
    "non-interpolated": "mean over the true segments of the precision at each hit",
}
MATCHING = {
    "best-free-tiou": "in order of score, each detection takes the truth of its class and video "
    "with the best tIoU among those still free, if that reaches the threshold",
    "first-match": "in order of score, each detection takes the first free truth of its class and "
    "video, in file order, whose tIoU reaches the threshold",
    "truth-driven": "each truth, in file order, takes the free detection of its class and video "
    "with the best tIoU whatever its score (of equal tIoU the better-ranked), if that lies above "
    "the threshold (not on it); "
    "a segment that ends before its start is turned round",
}
COMPARISON = {
    "float64": "tIoU in double precision, against the threshold's double",
    "float32": "tIoU rounded to single precision, against the threshold's double",
    "exact": "tIoU as a fraction of whole snippets, against the threshold as a decimal fraction",
}
TIME_UNIT = {
    "seconds": "seconds, as they are",
    "grid-seconds": "seconds of borders rounded to whole snippets (halves to even)",
    "snippets": "whole snippets: borders times fps / stride, rounded (halves to even)",
}
AMBIGUOUS = {
    "none": "ambiguous stretches play no part",
    "drop-false-positives": "a miss that overlaps an ambiguous stretch of its video is not counted",
    "drop-any": "a detection that overlaps an ambiguous stretch of its video is not counted, "
    "hit or not",
}
TRUTH_CLEANING = {
    "none": "every true segment counts",
    "drop-empty": "true segments that do not end after their start are left out",
    "drop-empty-and-duplicates": "true segments that do not end after their start are left out, "
    "and so is one of the same class with both borders within 1 ms of an earlier one",
    "drop-short-and-duplicates": "true segments shorter than 1 ms are left out, and so is one of "
    "the same class with both borders within 1 ms of an earlier one",
}
TIES = {
    "stable": "of equal scores the later row ranks first",
    "earlier-first": "of equal scores the earlier row ranks first",
    "true-positives-first": "of equal scores the hits rank first",
}
TRUTH_TIES = {
    "later-first": "of truths with equal tIoU the later one is taken",
    "earlier-first": "of truths with equal tIoU the earlier one is taken",
}
EMPTY_UNION = {
    "hit": "0 / 0, a detection and a truth without length, is a hit",
    "miss": "0 / 0, a detection and a truth without length, is a miss",
}
UNION = {
    "lengths": "the union is the two lengths less the overlap",
    "span": "the union is the later end less the earlier start, which rounds otherwise",
}
VIDEOS_OUTSIDE = {
    "false-positive": "detections in videos that the truth does not have are false positives",
    "dropped": "detections in videos that the truth does not have are not counted",
    "dropped-without-truth": "detections in videos without any true segment are not counted",
}
EXCLUDED_RULE = {
    "dropped": "neither truth nor detections of the excluded videos count",
    "false-positive": "truth of the excluded videos does not count, detections there are "
    "false positives",
    "truth-kept": "truth of the excluded videos counts, detections there do not",
}
UNKNOWN_LABELS = {
    "error": "a detected class that the truth does not name is an error",
    "ignore": "detections of a class that the truth does not name are not counted",
}
MISSING_CLASS = {
    "zero": "a class without a detection scores 0",
    "all-zero": "one class without a detection makes every class score 0",
}

# field of a protocol -> its choices, in words
RULES: Mapping[str, Mapping[str, str]] = {
    "ap_rule": AP_RULE,
    "matching": MATCHING,
    "comparison": COMPARISON,
    "time_unit": TIME_UNIT,
    "ambiguous": AMBIGUOUS,
    "truth_cleaning": TRUTH_CLEANING,
    "ties": TIES,
    "truth_ties": TRUTH_TIES,
    "empty_union": EMPTY_UNION,
    "union": UNION,
    "videos_outside": VIDEOS_OUTSIDE,
    "excluded_rule": EXCLUDED_RULE,
    "unknown_labels": UNKNOWN_LABELS,
    "missing_class": MISSING_CLASS,
}

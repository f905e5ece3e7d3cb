"""Compiled: the hard maximum, one pair after the other, and the one path walked backward.

Forward keeps one byte per cell: the move that was taken into it. Adds in the order of the
reference, so that scores and ties are equal to the last bit.

Import this module lazily: numba takes a third of a second.
"""

from __future__ import annotations

import numpy as np

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_memory import numbers_at

FREE, FORBIDDEN, GAPS, LOCAL = range(4)
DIAGONAL, UP, LEFT, START = range(4)  # START: diagonal, and the path begins there


@compiled
def _border(kind, weights, start, step, to):  # type: ignore[no-untyped-def]
    """The border beside a pair's rows or columns: to[0] is the corner, to[k + 1] cell k."""
    to[:] = 0 if kind in (FREE, GAPS) else -np.inf
    if kind == FORBIDDEN:
        to[0] = 0
    if kind == GAPS and weights is not None:
        total = 0.0
        for k in range(len(to) - 1):
            total += weights[start + k * step]
            to[k + 1] = total


@compiled
def forward(  # type: ignore[no-untyped-def]
    pairs, lengths, shape, match_at, insert_at, delete_at, sign, border, band, diagonal, moves,
    ends, empty, score_at,
):  # fmt: skip
    """Scores of the pairs pairs[0], ..., pairs[1] - 1; returns how many hold a bad value.

    Args:
        pairs: range of pairs.
        lengths: int64 [B, 2]; empty: no lengths.
        shape: B, N, M.
        match_at: address of [B, N, M] numbers.
        insert_at: the same, or None.
        delete_at: the same; None where insert_at is.
        sign: of a match in the score.
        border: FREE, FORBIDDEN, GAPS or LOCAL.
        band: largest |i - j|.
        diagonal: None if the match counts on every move, else threshold and greedy (1 or 0).
        moves: uint8, flat [B * N * M], which is filled.
        ends: int64 [B, 2], which is filled: each pair's last cell, -1 where it has no path.
        empty: score of a pair without a cell.
        score_at: address of [B] scores, which are filled.
    """
    batch, height, width = shape
    match = numbers_at(match_at, batch * height * width, sign)
    insert = numbers_at(insert_at, batch * height * width, sign)
    delete = numbers_at(delete_at, batch * height * width, sign)
    score = numbers_at(score_at, batch, sign)
    bad = 0
    row, side = np.empty(width + 1, match.dtype), np.empty(height + 1, match.dtype)
    infinity, nothing = row.dtype.type(np.inf), row.dtype.type(0)
    for pair in range(pairs[0], pairs[1]):
        rows = lengths[pair, 0] if len(lengths) else height
        columns = lengths[pair, 1] if len(lengths) else width
        ends[pair, 0] = ends[pair, 1] = -1
        if rows == 0 or columns == 0:
            score[pair] = empty
            continue
        start = pair * height * width
        _border(border, delete, start, 1, row[: columns + 1])
        _border(border, insert, start, width, side[: rows + 1])
        best = nothing
        wrong = False
        for i in range(rows):
            first, last = max(0, i - band), min(columns, i + band + 1)
            left = side[i + 1] if first == 0 else -infinity
            across = side[i] if first == 0 else row[first]
            for j in range(first, last):
                place = start + i * width + j
                here = match[place]
                wrong |= not abs(here) < infinity
                above = row[j + 1]
                up = above
                if insert_at is not None:
                    wrong |= not (insert[place] < infinity and delete[place] < infinity)
                    up = up + insert[place]
                    left = left + delete[place]
                move = UP
                if diagonal is None:
                    cell = up
                    if left > cell:
                        cell, move = left, LEFT
                    if across > cell:
                        cell, move = across, DIAGONAL
                    cell += sign * here
                else:
                    took = DIAGONAL
                    if border == LOCAL and not across > nothing:
                        across, took = nothing, START
                    matches = here > diagonal[0]
                    if matches and diagonal[1] > 0:
                        cell, move = across + sign * here, took
                    else:
                        cell = up
                        if left > cell:
                            cell, move = left, LEFT
                        if matches and across + sign * here > cell:
                            cell, move = across + sign * here, took
                    if border == LOCAL and cell > best:
                        best = cell
                        ends[pair, 0], ends[pair, 1] = i, j
                moves[place] = move
                row[j + 1], left, across = cell, cell, above
        bad += wrong
        if border == LOCAL:
            score[pair] = best
        else:
            score[pair] = sign * row[columns]
            if abs(row[columns]) < infinity:
                ends[pair, 0], ends[pair, 1] = rows - 1, columns - 1
    return bad


@compiled
def backward(  # type: ignore[no-untyped-def]
    pairs, shape, border, on_diagonal, moves, ends, upstream_at, step, to_match_at, to_insert_at,
    to_delete_at, sign,
):  # fmt: skip
    """Gradients of some pairs.

    Beside what `forward` takes and has filled:

    - on_diagonal: whether the match counts on the diagonal move only
    - upstream_at: address of the gradients of the scores, which are `step` numbers apart
    - to_match_at, to_insert_at, to_delete_at: addresses of [B, N, M] gradients, which are filled;
      the last two are None without gap weights, and may be one
    """
    batch, height, width = shape
    to_match = numbers_at(to_match_at, batch * height * width, sign)
    to_insert = numbers_at(to_insert_at, batch * height * width, sign)
    to_delete = numbers_at(to_delete_at, batch * height * width, sign)
    upstream = numbers_at(upstream_at, (batch - 1) * step + 1, sign)
    for pair in range(pairs[0], pairs[1]):
        start = pair * height * width
        to_match[start : start + height * width] = 0
        if to_insert_at is not None:
            to_insert[start : start + height * width] = 0
            to_delete[start : start + height * width] = 0
        i, j, gradient = ends[pair, 0], ends[pair, 1], upstream[pair * step]
        reached = i >= 0
        while i >= 0 and j >= 0:
            place = start + i * width + j
            move = moves[place]
            if not on_diagonal or move in (DIAGONAL, START):
                to_match[place] += gradient
            if move == UP:
                if to_insert_at is not None:
                    to_insert[place] += sign * gradient
                i -= 1
            elif move == LEFT:
                if to_insert_at is not None:
                    to_delete[place] += sign * gradient
                j -= 1
            elif move == START:
                i = j = -1
            else:
                i -= 1
                j -= 1
        if border == GAPS and reached and to_insert_at is not None:
            for k in range(i + 1):
                to_insert[start + k * width] += sign * gradient
            for k in range(j + 1):
                to_delete[start + k] += sign * gradient

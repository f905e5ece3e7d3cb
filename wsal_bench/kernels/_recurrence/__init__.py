"""What the alignment kernels share.

A score is the last cell of a table in which cell (i, j) depends on (i-1, j-1), (i-1, j) and
(i, j-1) only. So all cells of one anti-diagonal can be computed at once, for all pairs of a batch.

- `diagonals`: the layout that puts an anti-diagonal in one piece of memory, and its neighbours.
- `checks`: shapes, dtypes, autocast.
- `backends`: choosing one by name.
- `second_order`: gradients of gradients.
"""

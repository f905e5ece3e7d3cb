"""What the alignment kernels share: one recurrence, its backends, and what surrounds them.

- `rules`: the recurrence, what tells the kernels apart, and what a backend promises.
- `reference`, `torch_backend`, `cpu`, `cuda`: the backends; `backends` chooses one.
- `problems`: from a kernel's arguments to its scores; `paths`: to the best path.
- `checks`: shapes, dtypes, devices, lengths, values, autocast.
- `second_order`: gradients of gradients.
- `diagonals`, `flow`: parts of `torch_backend`. A cell depends on (i-1, j-1), (i-1, j) and
  (i, j-1) only, so it computes all cells of one anti-diagonal at once.
- `cpu_*`, `cuda_*`: parts of `cpu` and `cuda`, compiled and imported when first used.
"""

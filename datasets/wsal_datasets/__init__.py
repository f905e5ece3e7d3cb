"""Data sets: one file each; the file's stem is the name on the command line.

A folder given with `--plugins DIR` adds `DIR/datasets` to this package's path.
"""

from wsal_bench.plugins import local_folders

__path__ += local_folders("datasets")

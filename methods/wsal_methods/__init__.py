"""Methods: one file (or folder) each; the file's stem is the name on the command line.

A folder given with `--plugins DIR` adds `DIR/methods` to this package's path, so a method there
imports and pickles like one of ours.
"""

from wsal_bench.plugins import local_folders

__path__ += local_folders("methods")

"""How cells are made: options resolved, data opened, stages, processes, locks, signals.

The doors are `wsal_bench.specs.plan` and `wsal_bench.runner.run`; nothing else of the suite enters
here but the store and the commands that read single files of a run.
"""

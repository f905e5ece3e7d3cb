"""`python -m wsal_bench` is `wsal-bench`."""

from wsal_bench.cli import main

if __name__ == "__main__":  # processes of a run may import this file once more
    main()

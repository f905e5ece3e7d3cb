"""wsal-bench: the benchmark suite of weakly-supervised temporal action localization."""

__version__ = "0.1.0"

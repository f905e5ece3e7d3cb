"""The conformance kit: what every plugin must do, for anyone's plugin.

    from wsal_bench.testing import check_method

    def test_mine_conforms():
        assert check_method("mine") == []

The same from a shell: `wsal-bench doctor --check mine`.
"""

from wsal_bench.testing._datasets import check_dataset
from wsal_bench.testing._findings import Finding
from wsal_bench.testing._methods import check_method

__all__ = ["Finding", "check_dataset", "check_method"]

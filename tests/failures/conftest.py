import pytest

from tests.running.toys import PLUGINS
from wsal_bench.plugins import PLUGIN_FOLDERS


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLUGIN_FOLDERS, str(PLUGINS))

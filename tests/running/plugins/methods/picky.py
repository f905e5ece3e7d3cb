"""Refuses data without a stream called flow."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

from wsal_methods import plain


class Method(plain.Method):
    """Needs two streams."""

    groups = ()
    streams = ("rgb", "flow")

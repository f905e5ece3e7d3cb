"""YAML as its users mean it: version 1.2's plain values, and no key twice.

PyYAML reads version 1.1, where `1:30` is 90, `yes` is true, `010` is 8 and `1e-4` is text; and of
two equal keys it silently takes the last.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NULL = re.compile(r"~|null|Null|NULL|")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class _Loader(yaml.SafeLoader):
    """Plain values of version 1.2, unique keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A dictionary.

        Raises:
            MarkedYAMLError: a key stands there twice, or cannot be one.
        """
        met: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in met:
                raise yaml.MarkedYAMLError(
                    problem=f"{key!r} stands there twice", problem_mark=key_node.start_mark
                )
            met.add(key if isinstance(key, Hashable) else id(key))
        return super().construct_mapping(node, deep)


for _tag, _pattern in (("bool", _BOOL), ("int", _INT), ("float", _FLOAT), ("null", _NULL)):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, None)


def load(text: str) -> Any:
    """What a YAML document says.

    Raises:
        ValueError: it is none; one sentence, with the line where there is one.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem or error.context}") from error
    # what its constructors raise for a tag that does not fit its text
    except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError,
            RecursionError) as error:  # fmt: skip
        raise ValueError(str(error).strip().split("\n", maxsplit=1)[0]) from error

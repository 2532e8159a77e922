"""bandicoot 0.6.0 on a present-day Python: what the standard library has dropped since is back while it is imported.

Its code is not touched. Python 3.11 dropped `inspect.getargspec` and `inspect.formatargspec`, Python 3.12 `distutils`.
"""

import inspect
import logging
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def bandicoot() -> ModuleType:
    """The package; the logging it sets up on import, for the whole process, is undone."""
    with _restored(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import bandicoot as package  # noqa: PLC0415
    return package


@contextmanager
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    folders = ModuleType("distutils.dir_util")
    folders.__dict__["copy_tree"] = shutil.copytree
    modules = {"distutils": ModuleType("distutils"), folders.__name__: folders}
    modules = {name: module for name, module in modules.items() if name not in sys.modules}
    functions = {"getargspec": _argspec, "formatargspec": _formatted}
    functions = {name: function for name, function in functions.items() if not hasattr(inspect, name)}
    sys.modules.update(modules)
    vars(inspect).update(functions)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        for name in functions:
            delattr(inspect, name)
        root.setLevel(level)
        root.handlers[:] = handlers


def _argspec(function: Callable[..., Any]) -> tuple[Any, ...]:
    return tuple(inspect.getfullargspec(function)[:4])


def _formatted(
    args: Sequence[str],
    _rest: object = None,
    _keywords: object = None,
    defaults: Sequence[Any] | None = None,
    formatvalue: Callable[[Any], str] = "={!r}".format,
) -> str:
    """`(a, b=1)` from argument names and the defaults of the last of them."""
    last = dict(zip(reversed(args), reversed(defaults or ()), strict=False))
    return f"({', '.join(name + (formatvalue(last[name]) if name in last else '') for name in args)})"

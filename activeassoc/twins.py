"""``await user.aget_tasks()``: every method that asks a database has a twin for asyncio, named after it with an ``a`` in front.

A twin runs the plain method of this very record or model on the bridge to asyncio databases: what a class of the user's overrides is
overridden in the twin, too. It is made when it is first looked up, as a coroutine function with the signature and the docstring of the
method, so that a model on a plain database pays next to nothing for it.

Map: `Twin` is the attribute; `require_asyncio` looks whether a model has to do with an asyncio database.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any

from activeassoc.errors import NotAsyncio
from activeassoc.stores.bridge import is_asyncio, run


class Twin:
    """The coroutine function that does for asyncio what the method `of` of the same class does."""

    __slots__ = ("_made", "association", "of")

    def __init__(self, of: str, association: Any = None) -> None:
        self.of = of
        #: The association that publishes it, if one does.
        self.association = association
        self._made: tuple[Any, Any] = (None, None)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        kind = type(instance) if owner is None else owner
        method = getattr(kind, self.of)
        if not callable(method):
            raise AttributeError(f"{kind.__name__}.{self.of} is no method, and has no twin")
        bound = inspect.ismethod(method)  # a classmethod
        plain = method.__func__ if bound else method
        of, made = self._made
        if of is not plain:
            made = _coroutine(plain, self.of)
            self._made = (plain, made)
        if bound:
            return MethodType(made, kind)
        return made if instance is None else MethodType(made, instance)


def _coroutine(plain: Callable[..., Any], name: str) -> Callable[..., Any]:
    async def twin(self: Any, /, *arguments: Any, **options: Any) -> Any:
        asked = f"{_label(self)}.a{name}()"
        require_asyncio(asked, getattr(self, "source", None) or (self if isinstance(self, type) else type(self)), f"{name}()")
        return await run(asked, getattr(self, name), *arguments, **options)

    functools.update_wrapper(twin, plain)  # getsource() shows the operation
    for mark in ("verbs", "prepared"):
        twin.__dict__.pop(mark, None)
    twin.__name__, twin.__qualname__ = f"a{name}", f"{getattr(plain, '__qualname__', '').rpartition('.')[0]}.a{name}"
    twin.__code__ = twin.__code__.replace(co_name=twin.__name__, co_qualname=twin.__qualname__)
    twin.__signature__ = inspect.signature(plain)  # type: ignore[attr-defined]
    twin.__doc__ = f"To be awaited: what `{name}` does, on an asyncio database.\n\n{inspect.getdoc(plain) or ''}".rstrip()
    return twin


def _label(of: Any) -> str:
    """The record's model, the model, or the association."""
    return str(getattr(of, "label", None) or getattr(of, "__name__", None) or type(of).__name__)


def require_asyncio(asked: str, model: Any, plainly: str) -> None:
    """Raise NotAsyncio where the model has to do with no asyncio database: what was awaited would keep every other task waiting."""
    if not is_asyncio(model._meta.database) and not any(map(is_asyncio, databases_of(model))):
        raise NotAsyncio(
            asked,
            f"{model.__name__} is on no asyncio database",
            f'Write {plainly} without await, or open the database for asyncio: connect("sqlite+aiosqlite:///…")',
            model=model,
        )


def databases_of(model: Any) -> Iterator[Any]:
    """The databases of a model and of what it is associated with, as far as these are known."""
    yield model._meta.database
    for association in getattr(model, "associations", {}).values():
        if association.bound:
            yield from (hop.model._meta.database for hop in association.path)

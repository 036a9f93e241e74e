"""The functions of this package that take records, for asyncio: ``await apopulate(users, "pets")``.

Map: `apopulate` and `adelete_plan`, made by `_twin`. What is not here goes by ``await db.run(function, …)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from activeassoc.deleting.plan import delete_plan
from activeassoc.populate import populate
from activeassoc.stores.bridge import run

Taken = ParamSpec("Taken")
Given = TypeVar("Given")


def _twin(function: Callable[Taken, Given]) -> Callable[Taken, Coroutine[Any, Any, Given]]:
    async def twin(*arguments: Taken.args, **options: Taken.kwargs) -> Given:
        given: Given = await run(f"a{function.__name__}()", function, *arguments, **options)
        return given

    functools.update_wrapper(twin, function)
    twin.__name__ = twin.__qualname__ = f"a{function.__name__}"
    twin.__module__ = __name__
    twin.__doc__ = f"To be awaited: what `{function.__name__}` does, with records of asyncio databases.\n\n{function.__doc__}"
    return twin


apopulate = _twin(populate)
adelete_plan = _twin(delete_plan)

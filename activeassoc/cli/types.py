"""``activeassoc types``: the methods of the models of a module, for type checkers."""

from __future__ import annotations

from typing import Annotated

import typer

from activeassoc.cli import DONE, FOUND
from activeassoc.cli.modules import module_of
from activeassoc.cli.options import Module, Overwrite
from activeassoc.cli.output import say
from activeassoc.errors import listed
from activeassoc.types import check as stale_parts
from activeassoc.types import companions, path_of, types_of
from activeassoc.types import write as write_types


def command(
    module: Module,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; the exit code is 1 where the file is not as it would be.")] = False,
    show: Annotated[bool, typer.Option("--print", help="Print the types instead of writing them.")] = False,
    force: Overwrite = False,
    asyncio: Annotated[bool, typer.Option("--asyncio", help="Type what is awaited for all models, whatever database they have.")] = False,
) -> int:
    """Write a mixin of types for each model, with all that its associations give it, into MODULE_assoc.py beside the module.

    A model takes its mixin as the first base: class Project(ProjectAssociations, Base). At run time the mixins are empty.
    """
    with companions():
        found = module_of(module)
    if show:
        say(types_of(found, asyncio=asyncio).rstrip())
        return DONE
    if check:
        stale, name = stale_parts(found, asyncio=asyncio), path_of(found).name
        mend = f"activeassoc types {module}{' --asyncio' if asyncio else ''}"
        say(f"{name} is stale: {listed(stale)}. Write it: {mend}" if stale else f"{name} is up to date")
        return FOUND if stale else DONE
    say(f"Wrote {write_types(found, force=force, asyncio=asyncio).name}")
    return DONE

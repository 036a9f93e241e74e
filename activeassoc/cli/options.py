"""The arguments and options that several commands have, so that they are the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: The module whose models are meant.
Module = Annotated[str, typer.Argument(metavar="MODULE", help="The models: a module (shop.models) or a file (shop/models.py).")]
#: The URL of a database.
Url = Annotated[str, typer.Argument(metavar="URL", help="The database, as connect() takes it: sqlite:///shop.db, postgresql://…")]
#: For machines.
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]
#: Where to write.
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")]
#: A file that is there may be written over.
Overwrite = Annotated[bool, typer.Option("--force", help="Write over the file where it exists.")]

"""What commands print and write: for eyes where a terminal shows it, plain where it is piped, JSON where a machine reads.

Map: `own_stdout` keeps stdout for the command's own words; `say`, `table`, `as_json` print; `write` writes a file and refuses one that
exists; `confirm` asks; `working` shows on stderr that long work goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from activeassoc.cli.modules import Refused
from activeassoc.registry import known_databases

#: Where the command's own words go, while sys.stdout is lent to stderr.
_stdout: list[Any] = []


@contextlib.contextmanager
def own_stdout() -> Iterator[None]:
    """Within it stdout has the command's own words alone: what the user's modules print goes to stderr."""
    _stdout.append(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _stdout.pop()


def _stream() -> Any:
    return _stdout[-1] if _stdout else sys.stdout


def _console(stderr: bool = False) -> Any:
    from rich.console import Console  # late: --help is told without it

    return Console(file=sys.stderr if stderr else _stream())


# On stdout


def say(text: str = "", style: str = "") -> None:
    """Print a text as it stands; in a style of rich's where a terminal shows it."""
    console = _console() if style else None
    if console is not None and console.is_terminal:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
    else:
        print(text, file=_stream(), flush=True)


def as_json(value: Any) -> None:
    """Print a value as JSON; what JSON does not know is told as text."""
    say(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> None:
    """Print a table: with rules and as wide as a terminal, or in plain columns of text; word for word where a terminal is too narrow."""
    cells = [[str(cell) for cell in row] for row in rows]
    console = _console()
    if console.is_terminal and console.width < _least_width([list(columns), *cells]):
        for row in cells:
            say("\n".join(f"{column}: {cell}" for column, cell in zip(columns, row, strict=True)) + "\n")
        if caption:
            say(caption)
        return
    if console.is_terminal:
        from rich.table import Table
        from rich.text import Text

        drawn = Table(caption=caption or None, caption_justify="left")
        for column in columns:
            drawn.add_column(column, overflow="fold")
        for row in cells:
            drawn.add_row(*map(Text, row))
        console.print(drawn)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), *cells]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if caption:
        say(f"\n{caption}")


def _least_width(rows: Sequence[Sequence[str]]) -> int:
    """How wide a table with rules has to be, so that no word of it is broken more than once."""
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in zip(*rows, strict=True)]
    return sum((width + 1) // 2 + 3 for width in words) + 1


# Files


def write(path: Path, content: str | bytes, force: bool) -> None:
    """Write a file, whole or not at all. Raises Refused where it exists, unless `force`, and where it cannot be."""
    if path.is_dir():
        raise Refused(f"--output {path}", "it is a directory", "Give the name of a file in it")
    if path.exists() and not force:
        raise Refused(f"--output {path}", "the file exists, and nothing is written over unasked", "Give another name, or --force")
    if not path.parent.is_dir():
        raise Refused(f"--output {path}", f"there is no directory {path.parent}", "Make it first")
    data = content.encode() if isinstance(content, str) else content
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=".activeassoc.")
    except OSError as error:
        because = f"no file can be made in {path.parent} ({(error.strerror or str(error)).lower()})"
        raise Refused(f"--output {path}", because, "Give a name in a directory that may be written to") from error
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        if path.exists():
            os.chmod(name, path.stat().st_mode)
        else:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def put(content: str | bytes, output: Path | None, force: bool) -> None:
    """Write to the file, or to stdout where none is given; bytes are not for terminals."""
    if output is not None:
        write(output, content, force)
    elif isinstance(content, str):
        print(content, file=_stream(), end="" if content.endswith("\n") else "\n", flush=True)
    else:
        if _stream().isatty():
            raise Refused("a picture on a terminal", "it is not text", "Write it to a file with --output FILE, or pipe it")
        _stream().flush()
        _stream().buffer.write(content)
        _stream().buffer.flush()


# On stderr


def confirm(question: str) -> None:
    """Ask on a terminal, and stop where the answer is no. In a script nobody is there to answer: its flag was the answer."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(question, abort=True, err=True)


@contextlib.contextmanager
def working(what: str, *databases: Any) -> Iterator[Callable[[int, int], None]]:
    """A block of work; on a terminal a bar shows that it goes on, and how many statements these databases, or those of all models, ran.

    What it yields tells how much of it is done, for work that knows: ``done(3, 10)``.
    """
    console = _console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar, contextlib.ExitStack() as stack:
        task = bar.add_task(what, total=None, told="")
        ran = [0]

        def count(event: Any) -> None:
            ran[0] += 1
            bar.update(task, told=f"{ran[0]} statements")

        for database in databases or known_databases():
            stack.enter_context(_hooked(database, count))
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def _hooked(database: Any, hook: Callable[[Any], None]) -> Iterator[None]:
    # New lists, as peewee walks the list while another thread executes.
    database.query_hooks = [*database.query_hooks, hook]
    try:
        yield
    finally:
        database.query_hooks = [each for each in database.query_hooks if each is not hook]

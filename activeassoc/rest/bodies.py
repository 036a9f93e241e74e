"""The body of a request: read to a limit, as JSON that means one thing, and what is wrong with it in the words of the client.

Map: `Received` is the request whose body is read so; `refused` turns what pydantic says into a `BadRequest`.
"""

from __future__ import annotations

import email.message
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from activeassoc.errors import nearest
from activeassoc.rest.problems import BadRequest, TooLarge

#: How many fields an answer says something about, and how much of their names: a body may have very many that are wrong.
MOST, LONGEST = 100, 200
#: Marks the alternatives of a body in pydantic's paths, where they are left out.
TAG = "<%s>"


class Received(Request):
    """A request whose body is JSON of at most `limit` bytes."""

    limit = 0
    parsed: Any = None
    was_read = False

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces; TooLarge as soon as it is longer than the limit, by its header or as it comes."""
        length = self.headers.get("content-length", "")
        received = 0
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > self.limit):
            raise self._too_large()
        async for piece in super().stream():
            received += len(piece)
            if received > self.limit:
                raise self._too_large()
            yield piece

    def _too_large(self) -> TooLarge:
        return TooLarge(f"A body may have {self.limit:,} bytes, and this one has more")

    async def json(self) -> Any:
        """The body, parsed. BadRequest where it is no JSON, or JSON that could be meant in two ways."""
        if not self.was_read:
            text = await self.body()
            if text:
                _check_type(self.headers.get("content-type", ""))
                self.parsed = parse(text)
            self.was_read = True
        return self.parsed


def _check_type(given: str) -> None:
    message = email.message.Message()
    message["content-type"] = given
    kind = message.get_content_type() if given else ""
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise BadRequest("The body is not called JSON: send Content-Type: application/json", {"Content-Type": "is not application/json"})


class _Twice(ValueError):
    """An object names one thing twice, or a number is none."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice("an object names one thing twice")
    return found


def _no_number(text: str) -> Any:
    raise _Twice(f"{text} is no number of JSON")


def _float(text: str) -> float:
    found = float(text)
    if found in (float("inf"), float("-inf")):
        raise _Twice("a number is out of the range of a float")
    return found


def _integer(text: str) -> int:
    if len(text) > 1_000:
        raise _Twice("a number has more than 1,000 digits")
    return int(text)


def parse(text: bytes) -> Any:
    """The JSON of a body; BadRequest where it is none, names one thing twice, or has numbers that JSON has not."""
    try:
        return json.loads(
            text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number, parse_float=_float, parse_int=_integer
        )
    except _Twice as error:
        raise BadRequest(f"The body cannot be read: {error}") from None
    except RecursionError:
        raise BadRequest("The body cannot be read: it nests too deep") from None
    except ValueError:
        raise BadRequest("The body is no JSON") from None


# What is wrong


def refused(errors: Iterable[Mapping[str, Any]], known: Sequence[str] = (), fixed: Sequence[str] = ()) -> BadRequest:
    """What is wrong with a request, as pydantic found it: one line for each field, under its path in the body.

    `known` are the names that the body may have, `fixed` those that only a new record may have.
    """
    fields: dict[str, str] = {}
    names: set[str] = set()
    for error in errors:
        say: Callable[..., str] = WORDS.get(error["type"], _as_said)
        path = [str(part) for part in error["loc"][1:] if not str(part).startswith("<")]
        name = (".".join(path) or str(error["loc"][0]))[:LONGEST]
        if len(fields) < MOST:
            fields.setdefault(name, say(error, path, known, fixed))
        names.add(name)
    message = "; ".join(f"{name} {why}" for name, why in list(fields.items())[:5])
    return BadRequest(message + (f"; and {len(names) - 5:,} more" if len(names) > 5 else ""), fields)


def _as_said(error: Mapping[str, Any], path: Sequence[str], known: Sequence[str], fixed: Sequence[str]) -> str:
    return str(error["msg"])


def _unknown(error: Mapping[str, Any], path: Sequence[str], known: Sequence[str], fixed: Sequence[str]) -> str:
    name = path[-1] if path else ""
    if name in fixed:
        return "is written when the record is made, and never again"
    hint = nearest(name[:100], known)
    return f"is not known, or not to be written. {hint}"


def _words(text: str) -> Callable[..., str]:
    return lambda error, path, known, fixed: text.format(**error.get("ctx", {}))


#: pydantic's kinds of errors, in words; of the others its own are taken.
WORDS: dict[str, Callable[..., str]] = {
    "missing": _words("is required"),
    "extra_forbidden": _unknown,
    "list_type": _words("is no list"),
    "too_short": _words("is empty"),
    "too_long": _words("has more than {max_length} entries"),
    "literal_error": _words("is not {expected}"),
    "model_type": _words("is no object"),
    "model_attributes_type": _words("is no object"),
    "dict_type": _words("is no object"),
    "none_required": _words("is not null"),
}

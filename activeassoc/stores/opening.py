"""Opening a store that is no SQL database: which class does it, and what its URL says.

A store stands in one file with one class, a peewee Database, made as ``Class(name, **options)``. For MongoDB the options are `url`,
which the driver reads, and those of the call; for Redis they are all that the URL and the call say, in the driver's own words.

Map: `OPENED` has the schemes; `open_store` reads the URL and makes the database; below it what each driver takes.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

import peewee

from activeassoc.errors import ConnectError, nearest

__all__ = ["OPENED", "open_store"]

#: What peewee's own Database takes, whatever the driver.
_PEEWEE = ("autoconnect", "thread_safe")

_ENCODE = "Percent-encode '@', ':', '/', '?' and '#' within user and password (urllib.parse.quote(password, safe=''))"


class Address(NamedTuple):
    """What a URL says, and how messages may show it."""

    scheme: str
    parts: SplitResult
    name: str
    shown: str

    @property
    def asked(self) -> str:
        """How a message begins; a password may be anywhere else in the URL."""
        return f"connect('{self.scheme}://…')"

    def refused(self, because: str, instead: str) -> ConnectError:
        return ConnectError(self.asked, because, instead, address=self.shown)


class Opener(NamedTuple):
    """The class of a store, by module and name, and the function that reads what is its own in URL and options."""

    module: str
    name: str
    read: Callable[[Address, dict[str, Any]], tuple[str, dict[str, Any]]]


def open_store(url: str, scheme: str, given: dict[str, Any]) -> peewee.Database:
    """The database that `url` names; its driver is there. Raises ConnectError where the URL or an option cannot be meant."""
    opener = OPENED[scheme]
    address = _address(url, scheme, given)
    options = dict(given)
    kept = {word: options.pop(word) for word in _PEEWEE if word in options}
    options.pop("database", None)
    name, settings = opener.read(address, options)
    made: Any = getattr(importlib.import_module(opener.module), opener.name)(name, **settings, **kept)
    made.address = address.shown + _told_apart(settings)
    return made  # type: ignore[no-any-return]


def _address(url: str, scheme: str, given: dict[str, Any]) -> Address:
    asked = f"connect('{scheme}://…')"
    if "#" in url:
        raise ConnectError(asked, "a URL ends at '#', and what follows would be lost", _ENCODE)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConnectError(asked, "its host or port cannot be read", _ENCODE) from None
    credentials, _, hosts = parts.netloc.rpartition("@")
    if "@" in parts.path or ("@" not in parts.netloc and "@" in parts.query):
        raise ConnectError(asked, "there is an '@' behind the host", _ENCODE)
    if credentials.count("@") or credentials.count(":") > 1 or not all(map(_is_host, hosts.split(","))):
        raise ConnectError(asked, "its host or port cannot be read", _ENCODE)
    name = str(given.get("database") or unquote(parts.path.lstrip("/")))
    user = credentials.partition(":")[0]
    return Address(scheme, parts, name, f"{scheme}://{f'{user}@' if user else ''}{hosts}/{name}")


def _is_host(text: str) -> bool:
    """A name, an address, or an IPv6 address in brackets, with or without a port."""
    found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?", text)
    return bool(found) and int(found[1] or 1) in range(1, 65_536)  # type: ignore[index]


def _told_apart(settings: dict[str, Any]) -> str:
    """What tells two databases of one address apart: the prefix of their keys."""
    return f"?prefix={settings['prefix']}" if settings.get("prefix") else ""


# MongoDB


def _mongodb(address: Address, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    errors, uri_parser = importlib.import_module("pymongo.errors"), importlib.import_module("pymongo.uri_parser")
    common: Any = importlib.import_module("pymongo.common")
    if not address.name or not re.fullmatch(r'[^/\\. "$*<>:|?\0]{1,63}', address.name):
        because = f"{address.name!r} is no name of a database" if address.name else "it names no database"
        raise address.refused(because, f"Write '{address.scheme}://user@host/database'")
    url = urlunsplit(address.parts._replace(path=f"/{address.name}"))
    try:
        for word, value in given.items():
            common.validate(word, value)
        if address.scheme == "mongodb":  # the other asks the name server for its hosts: that is for the first use
            uri_parser.parse_uri(url, warn=False)
    except (errors.PyMongoError, ValueError, TypeError) as error:
        raise address.refused(_said(error, address), "See pymongo's MongoClient for the options that there are") from None
    return address.name, {"url": url, **given}


def _said(error: Exception, address: Address) -> str:
    """The driver's first sentence, without the password."""
    text = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
    password = address.parts.netloc.rpartition("@")[0].partition(":")[2]
    for secret in {password, unquote(password)} - {""}:
        text = text.replace(secret, "***")
    return text or type(error).__name__


# Redis


def _redis(address: Address, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    driver: Any = importlib.import_module("redis.connection")
    query = dict(parse_qsl(address.parts.query, keep_blank_values=True))
    known = _known_to_redis(address.scheme)
    for word in (*query, *given):
        if word not in known:
            raise address.refused(f"there is no option {word!r}", nearest(word, known))
    name = str(given.pop("db", query.get("db", address.name)) or "0")
    if not re.fullmatch(r"[0-9]{1,9}", name):
        instead = f"Write '{address.scheme}://host/0', and tell programs apart by a prefix: '{address.scheme}://host/0?prefix=app:'"
        raise address.refused(f"{name!r} is no number of a database", instead)
    try:
        read = driver.parse_url(urlunsplit(address.parts._replace(path="")))
    except ValueError as error:
        raise address.refused(_said(error, address), "See redis-py's Redis for the options that there are") from None
    options = {**read, **given}
    options.pop("db", None)
    return name, options


#: What redis-py takes and the store decides: it works with bytes, and on one database.
_OURS = {"self", "kwargs", "decode_responses", "encoding", "encoding_errors", "encoder_class", "parser_class"}


def _known_to_redis(scheme: str) -> set[str]:
    connection: Any = importlib.import_module("redis.connection")
    kind = connection.SSLConnection if scheme == "rediss" else connection.Connection
    names = {name for base in kind.__mro__ if base is not object for name in inspect.signature(base.__init__).parameters}
    return {name for name in names if not name.startswith("_")} - _OURS | {"max_connections", "prefix", "db", "cluster"}


#: The schemes, and who opens them. A store that is added gets its line here.
OPENED: dict[str, Opener] = {
    "mongodb": Opener("activeassoc.stores.mongo", "MongoDatabase", _mongodb),
    "mongodb+srv": Opener("activeassoc.stores.mongo", "MongoDatabase", _mongodb),
    "redis": Opener("activeassoc.stores.redis", "RedisDatabase", _redis),
    "rediss": Opener("activeassoc.stores.redis", "RedisDatabase", _redis),
}

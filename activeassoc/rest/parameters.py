"""What a request may ask of a read: ``?$limit=10&$sort=-name&$embed=groups&name=Ann``, read and checked before any statement.

Map: `PARAMETERS` is the table of all that begins with ``$``; `Limits` says how much of each; `Asked` is what a request asked for, and
`read` makes one. Conditions (``name=Ann``, ``$term``, ``$where``) are read in `conditions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from activeassoc.errors import nearest
from activeassoc.rest import conditions
from activeassoc.rest.envelope import Window, window
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import Refused

__all__ = ["PARAMETERS", "Asked", "Limits", "Parameter", "names_for", "read"]

#: Where parameters can stand: on a list of a model, on one record, on the children of an owner.
LIST, ONE, CHILDREN = "list", "one", "children"


@dataclass(frozen=True)
class Asked:
    """What a request asked for."""

    skip: int = 0
    limit: int = 0
    page: int = 0
    count: bool = False
    #: Names in JSON; None for all.
    select: tuple[str, ...] | None = None
    #: Terms of ORDER BY.
    sort: tuple[Any, ...] = ()
    #: The associations to embed: name → what is embedded in their records.
    embed: Mapping[str, Any] = field(default_factory=dict)
    flatten: bool = False
    #: A condition on the documents, and one on the links to them; None for all.
    where: Any = None
    through_where: Any = None
    limits: Limits = field(default_factory=Limits)

    @property
    def window(self) -> Window:
        """Which documents are asked for."""
        return window(self.skip, self.limit, self.page)


class Request(NamedTuple):
    """The parameters of one request, and what they are about."""

    resource: Any
    #: The association whose children are read; None for the documents of a model.
    association: Any
    limits: Limits
    where_is_on: bool
    given: Mapping[str, list[str]]


class Parameter(NamedTuple):
    """A row of the table: how it is written, what it takes, what it means, where it can stand, and what reads it."""

    name: str
    takes: str
    means: str
    places: tuple[str, ...]
    read: Callable[[Request, str, list[str]], Any]
    #: What of `Asked` it says; "" for a part of the conditions.
    says: str = ""


# Reading


_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)


def wrong(name: str, because: str, instead: str) -> Refused:
    """The error about one parameter."""
    return conditions.wrong(name, because, instead)


def _whole(request: Request, name: str, values: list[str]) -> int:
    text = _single(name, values)
    if not _WHOLE.fullmatch(text) or int(text) >= 2**63:
        raise wrong(name, f"{conditions.shown(text)} is no whole number from 0", f"Write {name}=10")
    return int(text)


def _limit(request: Request, name: str, values: list[str]) -> int:
    found, most = _whole(request, name, values), request.limits.documents
    if found > most:
        raise wrong(name, f"{found:,} is more than one page may have", f"Write at most {name}={most}, and read the next page")
    return found


def _page(request: Request, name: str, values: list[str]) -> int:
    found = _whole(request, name, values)
    if not found:
        raise wrong(name, "pages count from 1", f"Write {name}=1 for the first one")
    return found


def _single(name: str, values: list[str]) -> str:
    if len(values) > 1:
        raise wrong(name, f"it is given {len(values)} times", "Give it once")
    return values[0]


def _boolean(request: Request, name: str, values: list[str]) -> bool:
    text = _single(name, values).lower()
    if text not in conditions.BOOLEANS:
        raise wrong(name, f"{conditions.shown(text)} is neither true nor false", f"Write {name}=true")
    return conditions.BOOLEANS[text]


def words(name: str, values: Iterable[str], limits: Limits) -> list[str]:
    """The names of a list: separated by commas, or the parameter repeated, each once."""
    found = list(dict.fromkeys(word.strip() for value in values for word in value.split(",")))
    if not all(found):
        raise wrong(name, "it has an empty name", f"Write {name}=one,other")
    if len(found) > limits.names:
        raise wrong(name, f"it has {len(found):,} names", f"Give at most {limits.names}")
    return found


def _known(name: str, word: str, known: Iterable[str], what: str) -> str:
    known = list(known)
    if word not in known:
        raise wrong(name, f"{conditions.shown(word)} is no {what}", nearest(word[:100], known))
    return word


def _select(request: Request, name: str, values: list[str]) -> tuple[str, ...]:
    resource = request.resource
    embedded = [path.split(".")[0] for path in words("$embed", request.given.get("$embed", []), request.limits) if path]
    known = [*resource.readable, *(word for word in embedded if word in resource.embeddable)]
    what = f"field of {resource.segment} that can be read"
    return tuple(_known(name, word, known, what) for word in words(name, values, request.limits))


def _sort(request: Request, name: str, values: list[str]) -> tuple[Any, ...]:
    sortable = {**request.resource.sortable, **conditions.link_fields(request.association)}
    found: dict[str, Any] = {}
    for word in words(name, values, request.limits):
        bare = word.removeprefix("-")
        _known(name, bare, sortable, f"field of {request.resource.segment} to sort by")
        found.setdefault(bare, conditions.order(sortable[bare], descending=word.startswith("-")))
    return tuple(term for terms in found.values() for term in terms)


def _embed(request: Request, name: str, values: list[str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in words(name, values, request.limits):
        hops = path.split(".")
        if len(hops) > request.limits.depth:
            raise wrong(name, f"{conditions.shown(path)} is {len(hops)} levels deep", f"Go at most {request.limits.depth} levels deep")
        resource, level = request.resource, tree
        for word in hops:
            _known(name, word, resource.embeddable, f"association of {resource.segment} to embed")
            resource, level = resource.embedded(word), level.setdefault(word, {})
    return tree


# Conditions, which are joined


def _term(request: Request, name: str, values: list[str]) -> Any:
    searchable = request.resource.searchable
    if not searchable:
        raise wrong(name, f"{request.resource.segment} has no field of text to search in", "Leave it out")
    chosen = words("$searchFields", request.given.get("$searchFields", list(searchable)), request.limits)
    for word in chosen:
        _known("$searchFields", word, searchable, f"field of {request.resource.segment} to search in")
    return conditions.holding(name, _single(name, values), [searchable[word] for word in chosen], request.limits)


def _search_fields(request: Request, name: str, values: list[str]) -> None:
    # Without $term there is nothing to narrow, and only the names are read.
    for word in words(name, values, request.limits):
        _known(name, word, request.resource.searchable, f"field of {request.resource.segment} to search in")


def _exclude(request: Request, name: str, values: list[str]) -> Any:
    return conditions.without(name, values, request.resource, request.limits)


def _where(request: Request, name: str, values: list[str]) -> Any:
    if not request.where_is_on:
        raise wrong(name, "it is switched off", "Filter by field=value, or switch it on: create_app(…, where=True)")
    return conditions.criteria_of(name, _single(name, values), request.resource, request.limits)


LISTS, ALL = (LIST, CHILDREN), (LIST, ONE, CHILDREN)

#: Every parameter that begins with "$". The reader of each, and docs/rest.md, come from here.
PARAMETERS: tuple[Parameter, ...] = (
    Parameter("$limit", "a whole number", "how many documents a page has; 0, or without it: all", LISTS, _limit, "limit"),
    Parameter("$skip", "a whole number", "how many documents to leave out first; `$page` stands before it", LISTS, _whole, "skip"),
    Parameter("$page", "a whole number from 1", "which page of `$limit` documents", LISTS, _page, "page"),
    Parameter("$select", "names", "the fields to give, beside `id` and what is embedded", ALL, _select, "select"),
    Parameter("$sort", "names, with `-` in front: descending", "the order; ties go by `id`", LISTS, _sort, "sort"),
    Parameter("$embed", "names of associations, dotted to go on", "the records themselves in place of their ids", ALL, _embed, "embed"),
    Parameter("$flatten", "`true` or `false`", "embedded records without the link around them", ALL, _boolean, "flatten"),
    Parameter("$count", "`true` or `false`", "the number of all documents, and nothing else", LISTS, _boolean, "count"),
    Parameter("$term", "a text", "documents with this text in a field of text, whatever its case", LISTS, _term),
    Parameter("$searchFields", "names", "the fields in which `$term` is looked for", LISTS, _search_fields),
    Parameter("$exclude", "ids", "documents to leave out", LISTS, _exclude),
    Parameter("$where", "criteria as JSON", "documents that fulfil them; off unless `create_app(…, where=True)`", LISTS, _where),
)
_TABLE = {parameter.name: parameter for parameter in PARAMETERS}


def names_for(resource: Any, place: str, association: Any = None) -> list[str]:
    """Everything that can be a parameter there."""
    found = [parameter.name for parameter in PARAMETERS if place in parameter.places]
    return found if place == ONE else [*found, *resource.filterable, *conditions.link_fields(association)]


def read(
    resource: Any,
    pairs: Iterable[tuple[str, str]],
    place: str = LIST,
    *,
    association: Any = None,
    limits: Limits | None = None,
    where: bool = False,
) -> Asked:
    """What a request asked of `resource`: its query parameters, as pairs of names and values.

    `place` is where it asks: "list", "one" or "children" (of `association`); `where` switches ``$where`` on. Sends nothing.
    Raises Refused, status 400 and the parameter in `fields`, for what is unknown, malformed, or more than the limits allow. (K5)
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    request = Request(resource, association, limits or Limits(), where, given)
    known = names_for(resource, place, association)
    found: dict[str, Any] = {"limits": request.limits}
    documents: list[Any] = []
    links: list[Any] = []
    for name, values in given.items():
        conditions.check_text(name, values)
        if name not in known:
            what = f"GET of one {resource.segment}" if place == ONE else f"list of {resource.segment}"
            alike = [each for each in known if each.startswith("$") == name.startswith("$")]
            raise wrong(name[:100], f"a {what} knows no such parameter", nearest(name[:100], alike))
        parameter = _TABLE.get(name)
        if parameter is None:
            of_link = conditions.link_fields(association).get(name)
            field = of_link if of_link is not None else resource.filterable[name]
            (documents if of_link is None else links).append(conditions.equal(name, values, field, request.limits))
        elif parameter.says:
            found[parameter.says] = parameter.read(request, name, values)
        else:
            documents.append(parameter.read(request, name, values))
    return Asked(**found, where=conditions.all_of(documents), through_where=conditions.all_of(links))

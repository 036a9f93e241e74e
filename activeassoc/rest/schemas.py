"""What bodies hold and what answers look like, as pydantic models: they read the one, and make the OpenAPI of both.

Map: `Schemas` makes the models of one app, each once: `created`, `updated`, `added` and `link` of bodies, `document`, `child` and `page` of
answers; `parameters_of` is the query string's part of the OpenAPI; `Problem` is the shape of every error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union

from playhouse.pydantic_utils import choices_description
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, WithJsonSchema, create_model

from activeassoc.naming import camel
from activeassoc.rest.bodies import TAG
from activeassoc.rest.limits import Limits
from activeassoc.rest.parameters import ONE, PARAMETERS
from activeassoc.rest.resources import AssociationResource, Resource, Served, automatic
from activeassoc.rest.values import answer_of, value_of
from activeassoc.stores.sql import base_field

#: Names that no document may have, as references go by names.
_OWN = ("Problem", "Pages", "Items")
#: Where a schema is found, and what keeps the place of a reference to one.
_REFERENCE, _DOCUMENT = "#/components/schemas/{model}", "x-document"
#: Types that are put together here are values to a type checker.
_annotated: Any = Annotated
_list: Any = list


class Problem(BaseModel):
    """Why a request was not done. Nothing of it was written."""

    error: str = Field(description="The kind of problem: bad_request, not_found, conflict, …", examples=["bad_request"])
    message: str = Field(description="What is wrong, in words")
    fields: dict[str, str] = Field(description="What is wrong where: parameters, fields of the body, or fields within a list (2.email)")


class Pages(BaseModel):
    """The page among its pages."""

    current: int
    prev: int
    hasPrev: bool
    next: int
    hasNext: bool
    total: int


class Items(BaseModel):
    """The documents of the page among all of them."""

    limit: int
    begin: int
    end: int
    total: int


class Body(BaseModel):
    """A body: unknown names are refused."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """JSON name → value, of what the client said."""
        return {str(type(self).model_fields[name].alias): getattr(self, name) for name in self.model_fields_set}


def _nothing() -> None:
    """Stands where nothing was said, and is never looked at: no default of it shows in the OpenAPI."""


def _described(field: Any, **options: Any) -> Any:
    """The pydantic field of a column: its title and help, its choices, and its default where that is plain."""
    kind = base_field(field)
    parts = [field.help_text, f"Choices: {choices_description(kind.choices)}" if kind.choices else None]
    text = " | ".join(part for part in parts if part)
    return Field(title=field.verbose_name or None, description=text or None, **options)


def has_default(field: Any) -> bool:
    """Whether a new record needs no value of the field: it may be NULL, or the model or the database has one."""
    return bool(field.null or field.default is not None or field.constraints or automatic(field))


class Schemas:
    """The pydantic models of one app; `whole` is called where `completed`, which spares the time to read the same model very often."""

    def __init__(self, served: Served, *, completed: bool = False) -> None:
        self.served, self.completed = served, completed
        self.limits: Limits = served.limits
        self._made: dict[Any, Any] = {}
        self._documents: dict[str, Any] = {}
        #: Name of a document → what it is of.
        self._resources: dict[str, Resource] = {}

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    # Bodies

    def _body(self, name: str, fields: Mapping[str, Any], required: bool, doc: str, **more: Any) -> Any:
        """A body of these fields. They go by their JSON names; inside by numbers, as a column may be called `copy` or `schema`."""
        made = dict(more)
        for number, (word, field) in enumerate(fields.items()):
            needed = required and not has_default(field)
            options: dict[str, Any] = {} if needed else {"default_factory": _nothing}
            made[f"field_{number}"] = (value_of(field), _described(field, alias=word, **options))
        make: Any = create_model
        return make(name, __base__=Body, __doc__=doc, **made)

    def created(self, resource: Resource) -> Any:
        """What POST takes: one object, or a list of them."""

        def make() -> Any:
            one = self._body(f"{self.name_of(resource)}Create", resource.creatable, True, f"A new {resource.names.one}.")
            return self._one_or_several(one)

        return self._once(("created", resource), make)

    def _one_or_several(self, one: Any) -> Any:
        several = _annotated[_list[one], Field(min_length=1, max_length=self.limits.records)]
        return _annotated[
            _annotated[one, Tag(TAG % "one")] | _annotated[several, Tag(TAG % "several")],
            Discriminator(lambda value: TAG % ("several" if isinstance(value, list) else "one")),
        ]

    def updated(self, resource: Resource) -> Any:
        """What PUT takes: whatever of the fields is given is changed."""
        doc = f"What is to change of a {resource.names.one}."
        return self._once(
            ("updated", resource), lambda: self._body(f"{self.name_of(resource)}Update", resource.updatable, False, doc)
        )

    def keys(self, resource: Resource) -> Any:
        """A list of ids."""
        return _annotated[_list[value_of(resource.key, null=False)], Field(min_length=1, max_length=self.limits.records)]

    def link(self, below: AssociationResource) -> Any:
        """What PUT of one child takes, and may leave out: the fields of its link."""
        doc = f"The fields of the link between a {below.owner.names.one} and one of its {below.association.names.many}."
        return self._once(
            ("link", below.association), lambda: self._body(f"{self._name_below(below)}Link", below.link_writable, False, doc)
        )

    def added(self, below: AssociationResource) -> Any:
        """What POST of several children takes: ids, and where links have fields also objects with ``childId`` and these."""
        if not below.link_writable:
            return self.keys(below.child)
        key = value_of(below.child.key, null=False)
        doc = f"One of the {below.association.names.many} to add, with the fields of its link."

        def make() -> Any:
            child = {"child": (key, Field(alias="childId", description="The id of the record to add"))}
            return self._body(f"{self._name_below(below)}Add", below.link_writable, False, doc, **child)

        one = self._once(("added", below.association), make)
        either = _annotated[
            _annotated[key, Tag(TAG % "id")] | _annotated[one, Tag(TAG % "link")],
            Discriminator(lambda value: TAG % ("link" if isinstance(value, dict | Body) else "id")),
        ]
        return _annotated[_list[either], Field(min_length=1, max_length=self.limits.records)]

    # Answers

    def problem(self, description: str) -> dict[str, Any]:
        """What FastAPI is told of an answer that is a problem."""
        if not self.completed:
            return {"model": Problem, "description": description}
        return {"content": {"application/json": {"schema": {_DOCUMENT: Problem.__name__}}}, "description": description}

    def name_of(self, resource: Resource) -> str:
        """The name of the model's schemas."""
        return camel(resource.segment.replace("-", "_").replace(".", "_").replace("~", "_")) or resource.model.__name__

    def _name_below(self, below: AssociationResource) -> str:
        return f"{self.name_of(below.owner)}{camel(below.association.names.many)}"

    def document(self, resource: Resource) -> Any:
        """A record as it is answered: with $select only some of it, with $embed records in place of their ids."""
        name = self._name_in_answers(resource)
        if name not in self._documents:
            fields = self._read_fields(resource.readable, set(resource.embeddable))
            for word, association in resource.embeddable.items():
                fields[word] = self._embedded(resource, word, association)
            self._documents[name] = self._model(name, fields, f"A {resource.names.one}.")
        return self._documents[name]

    def _name_in_answers(self, resource: Resource) -> str:
        name: str = self._once(("name", resource), lambda: self._free(self.name_of(resource)))
        self._resources[name] = resource
        return name

    def _free(self, name: str) -> str:
        """The name, or one like it that no other model's schema has."""
        taken = [*_OWN, *(made for key, made in self._made.items() if key[0] == "name")]
        number = 2
        wanted = name
        while name in taken:
            name, number = f"{wanted}{number}", number + 1
        return name

    def _read_fields(self, readable: Mapping[str, Any], embeddable: set[str]) -> dict[str, tuple[Any, Any]]:
        return {word: (answer_of(field), word == "id") for word, field in readable.items() if word not in embeddable or word == "id"}

    def _embedded(self, resource: Resource, word: str, association: Any) -> tuple[Any, bool]:
        """What stands under the name of an association: its key, or what was embedded."""
        target = _named(self._name_in_answers(resource.embedded(word)))
        if not association.to_many:
            key = [answer_of(resource.readable[word])] if word in resource.readable else []
            return _any_of([target, *key, None]), False
        below = AssociationResource(resource, association)
        if word in resource.readable:  # an array of ids, until it is embedded
            return _any_of([_list[target], answer_of(resource.readable[word])]), False
        if below.link is None:
            return _list[target], False
        fields: dict[str, tuple[Any, bool]] = {association.names.one: (target, True)}
        fields |= {each: (answer_of(field), False) for each, field in below.link_fields.items()}
        doc = f"One of the {association.names.many}, in the fields of its link."
        link = self._once(("embedded", association), lambda: self._model(f"{self._name_below(below)}Embedded", fields, doc))
        return _list[_any_of([link, target])], False

    def _model(self, name: str, fields: Mapping[str, tuple[Any, bool]], doc: str, base: Any = BaseModel) -> Any:
        made = {}
        for number, (word, (kind, needed)) in enumerate(fields.items()):
            options: dict[str, Any] = {} if needed else {"default_factory": _nothing}
            made[f"field_{number}" if base is BaseModel else f"link_{number}"] = (kind, Field(alias=word, **options))
        make: Any = create_model
        return make(name, __base__=base, __doc__=doc, **made)

    def whole(self, openapi: dict[str, Any]) -> dict[str, Any]:
        """The OpenAPI with the schemas of embedded records in the places that are kept for them, those of models without routes too."""
        found: dict[str, Any] = openapi.setdefault("components", {}).setdefault("schemas", {})
        wanted: set[str] = set()
        openapi["paths"] = _referring(openapi.get("paths", {}), wanted)
        waiting = list(found)
        while waiting:
            name = waiting.pop()
            found[name] = _referring(found[name], wanted)
            for each in wanted - found.keys():
                made = self.document(self._resources[each]).model_json_schema(ref_template=_REFERENCE, mode="serialization")
                more = {**made.pop("$defs", {}), each: made}
                waiting += [word for word in more if word not in found]
                found |= {word: schema for word, schema in more.items() if word not in found}
        return openapi

    def child(self, below: AssociationResource) -> Any:
        """A record as the list of an association answers it: with the fields of its link under the through model's name."""
        base = self.document(below.child)
        if not below.link_fields:
            return base

        def make() -> Any:
            fields = {word: (answer_of(field), False) for word, field in below.link_fields.items()}
            link = self._model(f"{self._name_below(below)}LinkRead", fields, f"The fields of a {below.link_name}.")
            name = f"{self._name_below(below)}Item"
            return self._model(name, {below.link_name: (link, True)}, f"One of the {below.association.names.many}.", base)

        return self._once(("child", below.association), make)

    def page(self, document: Any, of: Resource | AssociationResource) -> Any:
        """The envelope of a list; a number where `$count` was asked for."""
        name = f"{self._name_below(of)}Page" if isinstance(of, AssociationResource) else f"{self.name_of(of)}Page"

        def make() -> Any:
            envelope: Any = create_model
            return envelope(name, __doc__="A page of documents.", docs=(_list[document], ...), pages=(Pages, ...), items=(Items, ...))

        return self._once(("page", name), make) | int

    def one_or_several_of(self, resource: Resource) -> Any:
        """What POST answers: the record, or the list of those that were made, as they were sent."""
        document = self.document(resource)
        return document | _list[document]


def _named(name: str) -> Any:
    """Keeps the place of the schema of this name. Not the model itself: models embed each other, and pydantic reads them all for each."""
    return _annotated[Any, WithJsonSchema({"type": "object", "title": name, _DOCUMENT: name})]


def _referring(schema: Any, wanted: set[str]) -> Any:
    """The schema with references in the kept places; adds the names that they refer to."""
    if isinstance(schema, list):
        return [_referring(each, wanted) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get(_DOCUMENT), str):
        wanted.add(schema[_DOCUMENT])
        return {"$ref": _REFERENCE.format(model=schema[_DOCUMENT])}
    return {word: _referring(each, wanted) for word, each in schema.items()}


def _any_of(kinds: list[Any]) -> Any:
    return Union[tuple(kinds)]  # noqa: UP007  (their number is not known here)


# The query string


def parameters_of(place: str, resource: Resource, below: AssociationResource | None = None) -> list[dict[str, Any]]:
    """The query parameters of a GET, for the OpenAPI: those of the table, then the fields to filter by."""
    found = []
    for parameter in PARAMETERS:
        if place in parameter.places and (resource.served.where or parameter.name != "$where"):
            found.append(_parameter(parameter.name, parameter.means, *_schema_of(parameter.name, parameter.takes, resource, below)))
    if place == ONE:
        return found
    filters = {word: (f"this {word}", field) for word, field in resource.filterable.items()}
    for word, field in below.link_fields.items() if below is not None else ():
        filters[f"{below.link_name}.{word}"] = (f"a link with this {word}", field)  # type: ignore[union-attr]
    for word, (what, field) in filters.items():
        schema = {"type": "array", "items": _plain(field)}
        found.append(_parameter(word, f"Only documents with {what}; repeated: with one of these", schema, True))
    return found


def _schema_of(name: str, takes: str, resource: Resource, below: AssociationResource | None) -> tuple[dict[str, Any], bool]:
    """The schema of a parameter, and whether it is repeated rather than separated by commas."""
    limits: Limits = resource.served.limits
    link = [f"{below.link_name}.{word}" for word in below.link_fields] if below is not None else []
    lists = {
        "$select": list(resource.readable),
        "$sort": [sign + word for word in [*resource.sortable, *link] for sign in ("", "-")],
        "$embed": [*resource.embeddable, *_second_hops(resource)],
        "$searchFields": list(resource.searchable),
    }
    if name in lists:
        words: dict[str, Any] = {"type": "string", "enum": list(dict.fromkeys(lists[name]))}
        # A name that is repeated counts once.
        most = {"maxItems": limits.names} if len(words["enum"]) > limits.names else {}
        return {"type": "array", "items": words, "minItems": 1, **most}, False
    if name == "$exclude" and resource.key is not None:
        return {"type": "array", "items": _plain(resource.key), "maxItems": limits.values}, True
    whole: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": limits.documents if name == "$limit" else 2**63 - 1}
    plain: dict[str, dict[str, Any]] = {
        "a whole number": whole,
        "a whole number from 1": {**whole, "minimum": 1},
        "`true` or `false`": {"type": "boolean"},
    }
    return plain.get(takes, {"type": "string", "minLength": 1, "maxLength": limits.text, "pattern": "^[^\\u0000]+$"}), True


def _second_hops(resource: Resource) -> Iterator[str]:
    """Paths to show in the OpenAPI; longer ones can be asked for too, as far as the limit on depth goes."""
    for name in resource.embeddable:
        yield from (f"{name}.{word}" for word in resource.embedded(name).embeddable)


def _plain(field: Any) -> dict[str, Any]:
    """The schema of a value to filter by, which need be no choice of the field."""
    found = TypeAdapter(value_of(field, null=False)).json_schema()
    return {"type": "string"} if "enum" in found else found


def _parameter(name: str, means: str, schema: dict[str, Any], explode: bool) -> dict[str, Any]:
    found = {"name": name, "in": "query", "required": False, "description": means, "schema": schema}
    return found if schema.get("type") != "array" else {**found, "style": "form", "explode": explode}

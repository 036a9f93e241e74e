"""``Project.has_many(Task)``: the four calls that declare how models belong together.

Map: `Declaring` has the calls, of which Model is derived; `declare` carries them out. The overloads are for type checkers, which see of
which two models the association is.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

import peewee

from activeassoc.declare import declare
from activeassoc.pairing import UNSAID

if TYPE_CHECKING:
    from activeassoc.types.kinds import BelongsTo, HasMany, HasOne, ManyToMany
    from activeassoc.types.options import BelongsToOptions, HasManyOptions, HasOneOptions, LinkOptions

Target = TypeVar("Target", bound=peewee.Model)


class Declaring:
    """What Model declares associations with."""

    @overload
    @classmethod
    def belongs_to(cls, target: type[Target], as_: str | None = None, **options: Unpack[BelongsToOptions]) -> BelongsTo[Self, Target]: ...
    @overload
    @classmethod
    def belongs_to(cls, target: str, as_: str | None = None, **options: Unpack[BelongsToOptions]) -> BelongsTo[Self]: ...
    @classmethod
    def belongs_to(
        cls,
        target: Any,
        as_: str | None = None,
        *,
        foreign_key: str | None = None,
        target_key: str | None = None,
        on_delete: str | None = None,
        on_update: str | None = None,
        constraints: bool = True,
        null: bool | None = None,
        unique: bool = False,
    ) -> Any:
        """A record of this model belongs to one of `target`: the key is on this model. Returns the association.

        ``Task.belongs_to(Project)`` adds the column project_id and gives ``task.project``, get_project, set_project and
        create_project. `target` is a model, its name, or ``"self"``. `as_` names it, and its key; `foreign_key` names the
        column; `target_key` is the unique field of the target that the key refers to, by default the primary key.
        `unique` makes one-to-one hold in the database. Raises DeclarationError, and changes nothing, where it
        contradicts another declaration. (A1, A10, E1)
        """
        return declare(cls, "belongs_to", target, _said(Declaring.belongs_to, locals()))

    @overload
    @classmethod
    def has_one(cls, target: type[Target], as_: str | None = None, **options: Unpack[HasOneOptions]) -> HasOne[Self, Target]: ...
    @overload
    @classmethod
    def has_one(cls, target: str, as_: str | None = None, **options: Unpack[HasOneOptions]) -> HasOne[Self]: ...
    @classmethod
    def has_one(
        cls,
        target: Any,
        as_: str | None = None,
        *,
        foreign_key: str | None = None,
        source_key: str | None = None,
        on_delete: str | None = None,
        on_update: str | None = None,
        constraints: bool = True,
        null: bool | None = None,
        unique: bool = False,
        where: Any = None,
    ) -> Any:
        """A record of this model has at most one of `target`: the key is on the target. Returns the association.

        ``User.has_one(Profile)`` adds the column user_id to Profile and gives ``user.profile``, get_profile, set_profile and
        create_profile. `source_key` is the unique field of this model that the key refers to; `where` scopes the
        association. (A2, A9, A19)
        """
        return declare(cls, "has_one", target, _said(Declaring.has_one, locals()))

    @overload
    @classmethod
    def has_many(
        cls, target: type[Target], as_: str | tuple[str, str] | None = None, **options: Unpack[HasManyOptions]
    ) -> HasMany[Self, Target]: ...
    @overload
    @classmethod
    def has_many(cls, target: str, as_: str | tuple[str, str] | None = None, **options: Unpack[HasManyOptions]) -> HasMany[Self]: ...
    @overload
    @classmethod
    def has_many(
        cls,
        target: type[Target],
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Self, Target]: ...
    @overload
    @classmethod
    def has_many(
        cls, target: str, as_: str | tuple[str, str] | None = None, *, through: type[peewee.Model] | str, **options: Unpack[LinkOptions]
    ) -> ManyToMany[Self]: ...
    @classmethod
    def has_many(
        cls,
        target: Any,
        as_: str | tuple[str, str] | None = None,
        *,
        foreign_key: str | None = None,
        source_key: str | None = None,
        through: Any = UNSAID,
        other_key: str | None = None,
        target_key: str | None = None,
        on_delete: str | None = None,
        on_update: str | None = None,
        constraints: bool = True,
        null: bool | None = None,
        where: Any = None,
        order: Any = None,
        unique: bool = True,
        symmetric: bool = False,
        dominant: bool = False,
        embed: bool | None = None,
    ) -> Any:
        """A record of this model has several of `target`. Returns the association.

        The key is on the target (``Project.has_many(Task)`` adds project_id to Task), or with `through` both keys are on
        the through model, a model or a table's name: then `foreign_key` is its key to this model and `other_key` its key to
        the target. Two has_many that point at each other are one many-to-many; ``through=None`` keeps a has_many
        one-to-many. Gives ``project.tasks``, get_tasks, count_tasks, set_tasks, add_task, add_tasks, remove_task,
        remove_tasks, has_task, has_tasks, create_task and create_tasks. (A3, A7, A8, A19)
        """
        return declare(cls, "has_many", target, _said(Declaring.has_many, locals()))

    @overload
    @classmethod
    def belongs_to_many(
        cls,
        target: type[Target],
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str | None = None,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Self, Target]: ...
    @overload
    @classmethod
    def belongs_to_many(
        cls,
        target: str,
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str | None = None,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Self]: ...
    @classmethod
    def belongs_to_many(
        cls,
        target: Any,
        as_: str | tuple[str, str] | None = None,
        *,
        through: Any = UNSAID,
        foreign_key: str | None = None,
        other_key: str | None = None,
        source_key: str | None = None,
        target_key: str | None = None,
        on_delete: str | None = None,
        on_update: str | None = None,
        constraints: bool = True,
        null: bool | None = None,
        where: Any = None,
        order: Any = None,
        unique: bool = True,
        symmetric: bool = False,
        dominant: bool = False,
        embed: bool | None = None,
    ) -> Any:
        """Records of both models have several of the other, said outright: as ``has_many(…, through=…)``. Returns the association.

        Without `through` the join table is named after both models (``projects_users``). (A4)
        """
        return declare(cls, "belongs_to_many", target, _said(Declaring.belongs_to_many, locals()))


def _said(call: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given another value than their default: what was not said has no opinion (A11)."""
    parameters = inspect.signature(call).parameters
    return {
        name: value
        for name, value in given.items()
        if name in parameters and name != "target" and value is not parameters[name].default
    }

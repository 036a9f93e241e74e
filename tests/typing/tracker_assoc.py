"""What activeassoc gives to the models of tracker, for type checkers.

Written by `activeassoc types tracker`, not by hand. A model takes its mixin as the first base:
class User(UserAssociations, ...). At run time the mixins are empty.
"""
# isort: skip_file

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Required, TypedDict, overload

if TYPE_CHECKING:
    import datetime as _datetime
    from decimal import Decimal
    from uuid import UUID
    from activeassoc import Model
    from activeassoc.types import (
        BelongsTo,
        Columns,
        HasMany,
        HasOne,
        KeyField,
        Link,
        Links,
        ManyToMany,
        NoAttributes,
        Order,
        Paths,
        Where,
    )
    from peewee import AutoField, Field
    from tracker import (
        Comment,
        Label,
        Membership,
        Profile,
        Project,
        Sheep,
        Task,
        Team,
        User,
    )


class MembershipAttributes(TypedDict, total=False):
    """The attributes of a link of Membership, as a mapping."""

    hours: int
    role: str


class ProjectFields(TypedDict, total=False):
    """A new record of Project, as a mapping."""

    title: Required[str]
    team: Team | str
    id: int
    budget: Decimal | None


class SheepFields(TypedDict, total=False):
    """A new record of Sheep, as a mapping."""

    name: Required[str]
    id: int
    team: Team | str | None


class UserFields(TypedDict, total=False):
    """A new record of User, as a mapping."""

    name: Required[str]
    id: int
    email: str | None
    boss: User | int | None


class TaskFields(TypedDict, total=False):
    """A new record of Task, as a mapping."""

    title: Required[str]
    id: int
    done: bool
    list: int | None
    project: Project | int | None


class CommentFields(TypedDict, total=False):
    """A new record of Comment, as a mapping."""

    text: Required[str]
    id: int
    task: Task | int | None
    author: User | int | None


class LabelFields(TypedDict, total=False):
    """A new record of Label, as a mapping."""

    id: Required[UUID]
    word: Required[str]


if TYPE_CHECKING:

    class UserAssociations:
        id: AutoField[int]
        boss: BelongsTo[User, User]
        boss_id: Field[int | None]
        profile: HasOne[User, Profile]
        projects: ManyToMany[User, Project]
        membership: Link[Membership, MembershipAttributes]

        # User.has_one(Profile)
        @overload
        def create_profile(
            self,
            /,
            *,
            motto: str,
            id: int = ...,
            born: _datetime.date | None = ...,
            destroy: bool = False,
        ) -> Profile: ...
        @overload
        def create_profile(
            self, values: Mapping[str, Any], /, *, destroy: bool = False, **fields: Any
        ) -> Profile: ...
        def create_profile(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_profile(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> Profile | None: ...
        def set_profile(
            self, target: Profile | int | None, *, destroy: bool = False
        ) -> Profile | None: ...

        # User.has_many(Project, through=Membership)
        def add_project(
            self,
            targets: Links[Project, int, MembershipAttributes],
            attributes: MembershipAttributes | None = None,
            *,
            through: MembershipAttributes | None = None,
        ) -> int: ...
        def add_projects(
            self,
            targets: Links[Project, int, MembershipAttributes],
            attributes: MembershipAttributes | None = None,
            *,
            through: MembershipAttributes | None = None,
        ) -> int: ...
        @overload
        def create_project(
            self,
            /,
            *,
            title: str,
            team: Team | str,
            id: int = ...,
            budget: Decimal | None = ...,
            through: MembershipAttributes | None = None,
        ) -> Project: ...
        @overload
        def create_project(
            self,
            values: Mapping[str, Any],
            /,
            *,
            through: MembershipAttributes | None = None,
            **fields: Any,
        ) -> Project: ...
        def create_project(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_project(
            self, targets: Project | int | Iterable[Project | int] | None
        ) -> bool: ...
        def remove_project(
            self, targets: Project | int | Iterable[Project | int] | None
        ) -> int: ...
        def remove_projects(
            self, targets: Project | int | Iterable[Project | int] | None
        ) -> int: ...
        def count_projects(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_projects(
            self,
            values: Iterable[ProjectFields],
            *,
            through: MembershipAttributes | None = None,
        ) -> list[Project]: ...
        def get_projects(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Project]: ...
        def has_projects(
            self,
            targets: Project | int | Iterable[Project | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_projects(
            self,
            targets: Links[Project, int, MembershipAttributes],
            attributes: MembershipAttributes | None = None,
            *,
            through: MembershipAttributes | None = None,
        ) -> list[Project]: ...

        # User.belongs_to('User', as_='boss')
        @overload
        def create_boss(
            self,
            /,
            *,
            name: str,
            id: int = ...,
            email: str | None = ...,
            boss: User | int | None = ...,
        ) -> User: ...
        @overload
        def create_boss(self, values: Mapping[str, Any], /, **fields: Any) -> User: ...
        def create_boss(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_boss(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> User | None: ...
        def set_boss(self, target: User | int | None) -> User | None: ...

    class ProfileAssociations:
        id: AutoField[int]
        user: KeyField[User, User | None]
        user_id: Field[int | None]

    class TeamAssociations:
        sheep: HasMany[Team, Sheep]

        # Team.has_many(Sheep)
        def add_sheep(
            self, targets: Sheep | int | Iterable[Sheep | int] | None
        ) -> int: ...
        @overload
        def create_sheep(self, /, *, name: str, id: int = ...) -> Sheep: ...
        @overload
        def create_sheep(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Sheep: ...
        @overload
        def create_sheep(self, values: Iterable[SheepFields], /) -> list[Sheep]: ...
        def create_sheep(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_sheep(
            self, targets: Sheep | int | Iterable[Sheep | int] | None
        ) -> bool: ...
        def remove_sheep(
            self,
            targets: Sheep | int | Iterable[Sheep | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_sheep(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def get_sheep(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Sheep]: ...
        def set_sheep(
            self,
            targets: Sheep | int | Iterable[Sheep | int] | None,
            *,
            destroy: bool = False,
        ) -> list[Sheep]: ...

    class ProjectAssociations:
        id: AutoField[int]
        team: BelongsTo[Project, Team, Team]
        team_code: Field[str]
        members: ManyToMany[Project, User]
        tasks: HasMany[Project, Task]
        membership: Link[Membership, MembershipAttributes]

        # Project.has_many(User, as_='members', through=Membership)
        def add_member(
            self,
            targets: Links[User, int, MembershipAttributes],
            attributes: MembershipAttributes | None = None,
            *,
            through: MembershipAttributes | None = None,
        ) -> int: ...
        def add_members(
            self,
            targets: Links[User, int, MembershipAttributes],
            attributes: MembershipAttributes | None = None,
            *,
            through: MembershipAttributes | None = None,
        ) -> int: ...
        @overload
        def create_member(
            self,
            /,
            *,
            name: str,
            id: int = ...,
            email: str | None = ...,
            boss: User | int | None = ...,
            through: MembershipAttributes | None = None,
        ) -> User: ...
        @overload
        def create_member(
            self,
            values: Mapping[str, Any],
            /,
            *,
            through: MembershipAttributes | None = None,
            **fields: Any,
        ) -> User: ...
        def create_member(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_member(
            self, targets: User | int | Iterable[User | int] | None
        ) -> bool: ...
        def remove_member(
            self, targets: User | int | Iterable[User | int] | None
        ) -> int: ...
        def remove_members(
            self, targets: User | int | Iterable[User | int] | None
        ) -> int: ...
        def count_members(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_members(
            self,
            values: Iterable[UserFields],
            *,
            through: MembershipAttributes | None = None,
        ) -> list[User]: ...
        def get_members(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[User]: ...
        def has_members(
            self,
            targets: User | int | Iterable[User | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_members(
            self,
            targets: Links[User, int, MembershipAttributes],
            attributes: MembershipAttributes | None = None,
            *,
            through: MembershipAttributes | None = None,
        ) -> list[User]: ...

        # Project.belongs_to(Team, null=False)
        @overload
        def create_team(self, /, *, code: str) -> Team: ...
        @overload
        def create_team(self, values: Mapping[str, Any], /, **fields: Any) -> Team: ...
        def create_team(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_team(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> Team | None: ...
        def set_team(self, target: Team | str | None) -> Team | None: ...

        # Project.has_many(Task, on_delete='CASCADE')
        def add_task(
            self, targets: Task | int | Iterable[Task | int] | None
        ) -> int: ...
        def add_tasks(
            self, targets: Task | int | Iterable[Task | int] | None
        ) -> int: ...
        @overload
        def create_task(
            self,
            /,
            *,
            title: str,
            id: int = ...,
            done: bool = ...,
            list: int | None = ...,
        ) -> Task: ...
        @overload
        def create_task(self, values: Mapping[str, Any], /, **fields: Any) -> Task: ...
        def create_task(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_task(
            self, targets: Task | int | Iterable[Task | int] | None
        ) -> bool: ...
        def remove_task(
            self,
            targets: Task | int | Iterable[Task | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_tasks(
            self,
            targets: Task | int | Iterable[Task | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_tasks(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_tasks(self, values: Iterable[TaskFields]) -> list[Task]: ...
        def get_tasks(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Task]: ...
        def has_tasks(
            self,
            targets: Task | int | Iterable[Task | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_tasks(
            self,
            targets: Task | int | Iterable[Task | int] | None,
            *,
            destroy: bool = False,
        ) -> list[Task]: ...

    class TaskAssociations:
        id: AutoField[int]
        project: BelongsTo[Task, Project]
        project_id: Field[int | None]
        comments: HasMany[Task, Comment]
        labels: ManyToMany[Task, Label]

        # Task.comments = collection('Comment', via='task')
        def add_comment(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> int: ...
        def add_comments(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> int: ...
        @overload
        def create_comment(
            self, /, *, text: str, id: int = ..., author: User | int | None = ...
        ) -> Comment: ...
        @overload
        def create_comment(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Comment: ...
        def create_comment(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_comment(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> bool: ...
        def remove_comment(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_comments(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_comments(self, values: Iterable[CommentFields]) -> list[Comment]: ...
        def get_comments(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Comment]: ...
        def has_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> list[Comment]: ...

        # Task.belongs_to(Project)
        @overload
        def create_project(
            self,
            /,
            *,
            title: str,
            team: Team | str,
            id: int = ...,
            budget: Decimal | None = ...,
        ) -> Project: ...
        @overload
        def create_project(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Project: ...
        def create_project(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_project(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> Project | None: ...
        def set_project(self, target: Project | int | None) -> Project | None: ...

        # Task.belongs_to_many(Label)
        def add_label(
            self,
            targets: Links[Label, UUID, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> int: ...
        def add_labels(
            self,
            targets: Links[Label, UUID, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> int: ...
        @overload
        def create_label(
            self, /, *, id: UUID, word: str, through: NoAttributes | None = None
        ) -> Label: ...
        @overload
        def create_label(
            self,
            values: Mapping[str, Any],
            /,
            *,
            through: NoAttributes | None = None,
            **fields: Any,
        ) -> Label: ...
        def create_label(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_label(
            self, targets: Label | UUID | Iterable[Label | UUID] | None
        ) -> bool: ...
        def remove_label(
            self, targets: Label | UUID | Iterable[Label | UUID] | None
        ) -> int: ...
        def remove_labels(
            self, targets: Label | UUID | Iterable[Label | UUID] | None
        ) -> int: ...
        def create_labels(
            self, values: Iterable[LabelFields], *, through: NoAttributes | None = None
        ) -> list[Label]: ...
        def get_labels(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Label]: ...
        def has_labels(
            self,
            targets: Label | UUID | Iterable[Label | UUID] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_labels(
            self,
            targets: Links[Label, UUID, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> list[Label]: ...

    class CommentAssociations:
        id: AutoField[int]
        task: BelongsTo[Comment, Task]
        task_id: Field[int | None]
        author_id: Field[int | None]

        # Comment.task = reference('Task')
        @overload
        def create_task(
            self,
            /,
            *,
            title: str,
            id: int = ...,
            done: bool = ...,
            list: int | None = ...,
            project: Project | int | None = ...,
        ) -> Task: ...
        @overload
        def create_task(self, values: Mapping[str, Any], /, **fields: Any) -> Task: ...
        def create_task(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_task(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> Task | None: ...
        def set_task(self, target: Task | int | None) -> Task | None: ...

    class LabelAssociations:
        labels_tasks: Link[Model, NoAttributes]

    class MembershipAssociations:
        project: KeyField[Project, Project]
        project_id: Field[int]
        user: KeyField[User, User]
        user_id: Field[int]

    class SheepAssociations:
        id: AutoField[int]
        team: KeyField[Team, Team | None]
        team_code: Field[str | None]


if not TYPE_CHECKING:

    def __getattr__(name):
        # The mixins, also of models that are newer than this file.
        if name.endswith("Associations"):
            return type(name, (), {"__slots__": (), "__module__": __name__})
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

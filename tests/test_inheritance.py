"""Models that derive from models: whose records count as targets, and what of a base's declarations is theirs."""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from declarations import Scratch, state
from looking import cols

from activeassoc import DeclarationError, WrongTarget, sync


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


def test_a_record_of_a_subclass_with_its_own_table_is_no_target(fresh: Any) -> None:
    """A20: class Admin(User) has its own table: an Admin is no User, though its key might be one's."""
    Task, User = fresh("Task", "User")
    Admin = type(User)("Admin", (User,), {"__module__": __name__, "__qualname__": "Admin"})
    Task.belongs_to(User)
    sync(fresh.db)
    admin, task = Admin.create(id=77), Task.create()
    User.create(id=77)
    text = "Admin has a table of its own. Give a User or its primary key."
    for use in (
        lambda: task.set_user(admin),
        lambda: setattr(task, "user", admin),
        lambda: Task(user=admin),
        lambda: Task.create(user=admin),
    ):
        with pytest.raises(WrongTarget) as raised:
            use()
        assert str(raised.value).endswith(text)
    assert task.user_id is None
    assert Task.get().user_id is None


def test_a_record_of_a_class_for_the_same_table_is_a_target(fresh: Any) -> None:
    """A20: an instance counts when its model's table is that table."""
    Task, User = fresh("Task", "User")
    Guest = type(User)(
        "Guest", (User,), {"__module__": __name__, "__qualname__": "Guest", "Meta": type("Meta", (), {"table_name": "user"})}
    )
    Task.belongs_to(User)
    sync(User, Task)
    guest = Guest.create(title="Gil")
    task = Task.create(user=guest)
    assert task.get_user().title == "Gil"


def test_declarations_on_an_abstract_base_are_made_anew(fresh: Any) -> None:
    """A20: for each subclass, before or after it was defined; the base itself gets no table."""
    User, Note = fresh("User", "Note")

    class Document(fresh.Base):
        title = peewee.CharField(null=True)

        class Meta:
            abstract = True

    class Letter(Document):
        pass

    Document.belongs_to(User, as_="author")
    Document.has_many(Note, as_="remarks")

    class Memo(Document):
        pass

    assert "abstract" not in vars(Letter._meta) or not Letter._meta.abstract
    assert list(Letter.associations) == list(Memo.associations) == ["author", "remarks"]
    assert Letter.remarks is not Memo.remarks
    assert not Document.associations
    sync(fresh.db)
    assert "document" not in fresh.db.get_tables()
    assert cols(Letter) == cols(Memo) == {"id", "title", "author_id"}
    assert cols(Note) == {"id", "title", "letter_id", "memo_id"}
    ann = User.create()
    memo = Memo.create(author=ann)
    remark = memo.create_remark()
    assert memo.get_author() == ann
    assert remark.memo == memo
    assert remark.letter is None


def test_a_declaration_on_a_base_for_itself_is_for_each_subclass(scratch: Scratch) -> None:
    """A20: "self" is the subclass."""

    class Node(scratch.Base):
        class Meta:
            abstract = True

    Node.belongs_to("self", as_="parent")
    Folder, Page = scratch.model("Folder", Node), scratch.model("Page", Node)
    assert Folder.associations["parent"].target is Folder
    assert Page.associations["parent"].target is Page
    assert Folder.parent.rel_model is Folder


def test_calls_on_a_base_without_fields_are_made_anew(fresh: Any) -> None:
    """A20: a base that only stands between the database and its models."""
    User = fresh("User")
    Owned = type(fresh.Base)("Owned", (fresh.Base,), {"__module__": __name__, "__qualname__": "Owned"})
    Task = type(Owned)("Task", (Owned,), {"__module__": __name__, "__qualname__": "Task"})
    declared = Owned.belongs_to(User)
    Letter = type(Owned)("Letter", (Owned,), {"__module__": __name__, "__qualname__": "Letter"})
    assert repr(declared) == "<Owned.belongs_to(User) for each model derived from it>"
    sync(fresh.db)
    assert cols(Task) == cols(Letter) == {"id", "user_id"}
    ann = User.create()
    assert Letter.create(user=ann).get_user() == ann


def test_calls_on_a_base_without_fields_before_its_first_subclass(fresh: Any) -> None:
    """A20: made anew for each subclass, though nobody knew yet that it was a base."""
    User = fresh("User")
    Owned = type(fresh.Base)("Owned", (fresh.Base,), {"__module__": __name__, "__qualname__": "Owned"})
    Owned.belongs_to(User)
    Task = type(Owned)("Task", (Owned,), {"__module__": __name__, "__qualname__": "Task"})
    assert Task.associations["user"].source is Task
    assert Task.associations["user"] is not Owned.associations["user"]
    sync(fresh.db)
    ann = User.create()
    task = Task.create()
    task.set_user(ann)
    assert Task.get().get_user() == ann


def test_a_chain_on_a_base(scratch: Scratch) -> None:
    """A5, A20: what a call on a base returns passes calls on, too."""
    User, Team = scratch("User", "Team")
    Owned = scratch.model("Owned", Meta=type("Meta", (), {"abstract": True}))
    Owned.belongs_to(User).belongs_to(Team)
    assert list(scratch.model("Task", Owned).associations) == ["user", "team"]


def test_a_call_on_a_base_that_raises_for_one_changes_none(scratch: Scratch) -> None:
    """A16, A20: it is made for all subclasses, or for none."""
    User = scratch("User")
    Owned = scratch.model("Owned", Meta=type("Meta", (), {"abstract": True}))
    kept = [scratch.model("Task", Owned), scratch.model("Letter", Owned, user=peewee.CharField(null=True))]
    before = state(__name__)
    with pytest.raises(DeclarationError) as raised:
        Owned.belongs_to(User)
    assert str(raised.value) == ('Letter.belongs_to(User): Letter.user is a field already. Give as_= another name, as in as_="other_user".')
    assert state(__name__) == before
    assert kept


def test_a_key_for_many_on_a_base(scratch: Scratch) -> None:
    """A16, A20: one column cannot point to the tables of several subclasses."""
    Note = scratch("Note")
    Owned = scratch.model("Owned", Meta=type("Meta", (), {"abstract": True}))
    kept = [scratch.model("Task", Owned), scratch.model("Letter", Owned)]
    before = state(__name__)
    with pytest.raises(DeclarationError) as raised:
        Owned.has_many(Note, foreign_key="owner_id")
    assert str(raised.value) == (
        "Owned.has_many(Note, foreign_key='owner_id'): the key 'owner_id' would have to point to Task, Letter. "
        "Leave foreign_key out, or declare it on each of these."
    )
    assert state(__name__) == before
    assert kept


def test_a_subclass_has_none_of_its_bases_associations(fresh: Any) -> None:
    """A20: otherwise; the inherited accessor raises and says how to declare it."""
    User, Task = fresh("User", "Task")
    User.has_many(Task)
    Admin = type(User)("Admin", (User,), {"__module__": __name__, "__qualname__": "Admin", "level": peewee.IntegerField(default=1)})
    sync(fresh.db)
    admin = Admin.create()
    assert not Admin.associations
    text = "Admin.tasks: User.has_many(Task) is of User, and Admin is a model with a table of its own. Declare Admin.has_many(Task)."
    for use in (admin.get_tasks, lambda: admin.tasks, lambda: admin.add_task(1), lambda: admin.set_tasks([]), admin.count_tasks):
        with pytest.raises(DeclarationError) as raised:
            use()
        assert str(raised.value) == text
    association = Admin.has_many(Task)
    assert association.key.column == "admin_id"
    sync(fresh.db, alter=True)
    assert admin.get_tasks() == []


def test_a_key_of_the_base_is_a_column_of_the_subclass(fresh: Any) -> None:
    """A20: fields are inherited, as in peewee; their association is declared anew."""
    User, Team = fresh("User", "Team")
    User.belongs_to(Team)
    Admin = type(User)("Admin", (User,), {"__module__": __name__, "__qualname__": "Admin"})
    sync(fresh.db)
    assert cols(Admin) == {"id", "title", "team_id"}
    team = Team.create()
    admin = Admin.create(team=team)
    with pytest.raises(DeclarationError) as raised:
        admin.get_team()
    assert str(raised.value) == (
        "Admin.team: User.belongs_to(Team) is of User, and Admin is a model with a table of its own. Declare Admin.belongs_to(Team)."
    )
    Admin.belongs_to(Team)
    assert Admin.team.rel_field is Team.id
    assert admin.get_team() == Admin.get().team == team


def test_a_key_without_constraint_is_inherited_without(scratch: Scratch) -> None:
    """A20: what was declared of the base's key holds for the copy of it."""
    User, Team = scratch("User", "Team")
    User.belongs_to(Team, constraints=False)
    Admin = scratch.model("Admin", User)
    Admin.belongs_to(Team)
    assert Admin.team is not User.team
    assert Admin.team.constraint is False

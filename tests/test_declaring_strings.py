"""Targets given by name: when they are bound, which model is meant, and what is forgotten."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import peewee
import pytest
from declarations import Scratch, state

from activeassoc import DeclarationError, UnknownName, registry, sync


@pytest.fixture(autouse=True)
def forget() -> None:
    """Models of former tests are known, and found by name, until they are collected."""
    gc.collect()


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


@pytest.mark.parametrize("method", ["belongs_to", "has_one", "has_many", "belongs_to_many"])
def test_a_name_is_bound_when_its_model_appears_in_the_same_scope(scratch: Scratch, method: str) -> None:
    """A6: all four kinds; before that the association is there, and nothing else is changed."""
    Task = scratch("Task")
    association = getattr(Task, method)("Invoice")
    assert not association.bound
    assert list(Task._meta.fields) == ["id", "title"]
    Invoice = scratch("Invoice")
    assert association.bound
    assert association.target is Invoice
    assert [key.column for key in association.keys] == {
        "belongs_to": ["invoice_id"],
        "has_one": ["task_id"],
        "has_many": ["task_id"],
        "belongs_to_many": ["task_id", "invoice_id"],
    }[method]


@pytest.mark.parametrize("method", ["belongs_to", "has_one", "has_many", "belongs_to_many"])
def test_a_name_of_a_model_that_is_there_already_is_bound_at_first_use(scratch: Scratch, method: str) -> None:
    """A6: or in sync."""
    Task, Invoice = scratch("Task", "Invoice")
    association = getattr(Task, method)("Invoice")
    assert association.target is Invoice
    assert association.bound


@pytest.mark.parametrize("method", ["belongs_to", "has_one", "has_many", "belongs_to_many"])
def test_self_is_the_model_itself(scratch: Scratch, method: str) -> None:
    """A6: "self", and the model's own name."""
    Person, Other = scratch("Person", "Other")
    names = {"as_": ("relation", "relations")}
    assert getattr(Person, method)("self", **names).target is Person
    assert getattr(Other, method)("Other", **names).target is Other


def test_sync_binds_what_waits(fresh: Any) -> None:
    """A6: names are bound in sync, at the latest."""
    Task, User = fresh("Task", "User")
    Task.belongs_to("User")
    sync(fresh.db)
    assert {column.name for column in fresh.db.get_columns("task")} == {"id", "title", "user_id"}
    ann = User.create(title="Ann")
    assert Task.create(user=ann).get_user() == ann


def test_the_first_query_binds_what_waits(fresh: Any) -> None:
    """A6: a query of the model, too, is a use of its associations."""
    Task, User = fresh("Task", "User")
    User.has_many("Task", as_="jobs")
    assert "user" not in Task._meta.fields
    Task.select()
    assert "user" in Task._meta.fields


def test_nearest_first_the_enclosing_scope(scratch: Scratch) -> None:
    """A6: same enclosing scope, same module, then all known."""
    Task = scratch.model("Task", __qualname__="first.<locals>.Task")
    there = [
        scratch.model("Invoice", __qualname__="Invoice", __module__="elsewhere"),
        scratch.model("Invoice", __qualname__="second.<locals>.Invoice"),
    ]
    near = scratch.model("Invoice", __qualname__="first.<locals>.Invoice")
    assert Task.belongs_to("Invoice").target is near
    assert there


def test_nearest_second_the_module(scratch: Scratch) -> None:
    """A6: same enclosing scope, same module, then all known."""
    Task = scratch.model("Task", __qualname__="third.<locals>.Task")
    far = scratch.model("Voucher", __module__="elsewhere")
    near = scratch.model("Voucher")
    assert Task.belongs_to("Voucher").target is near
    assert far


def test_nearest_last_all_that_are_known(scratch: Scratch) -> None:
    """A6: same enclosing scope, same module, then all known."""
    Task = scratch("Task")
    far = scratch.model("Consignment", __module__="elsewhere")
    assert Task.belongs_to("Consignment").target is far


def test_a_model_of_that_name_in_another_scope_is_not_taken_at_once(scratch: Scratch) -> None:
    """A6: a name is bound when a model appears in the same scope; a nearer one may still come."""
    Task = scratch("Task")
    association = Task.belongs_to("Invoice")
    far = scratch.model("Invoice", __qualname__="elsewhere.<locals>.Invoice")
    assert not association.bound
    near = scratch("Invoice")
    assert association.target is near
    assert far


def test_a_tie_raises_and_asks_for_the_module(scratch: Scratch) -> None:
    """A6: a tie raises and asks for "module.Name", which then is taken."""
    Task = scratch("Task")
    one = scratch.model("Consignment", __module__="harbour")
    two = scratch.model("Consignment", __module__="airport")
    association = Task.belongs_to("Consignment")
    before = state(__name__)
    with pytest.raises(DeclarationError) as raised:
        _ = association.target
    assert str(raised.value) == (
        "Task.belongs_to('Consignment'): several models are called 'Consignment': airport.Consignment, harbour.Consignment. "
        'Write the one that is meant as "airport.Consignment".'
    )
    assert state(__name__) == before
    assert Task.belongs_to("harbour.Consignment", as_="shipment").target is one
    assert Task.belongs_to("airport.Consignment", as_="flight").target is two


def test_a_target_by_module_is_named_by_its_last_word(scratch: Scratch) -> None:
    """A6, B1: a target given as a string is named by the string."""
    Task = scratch("Task")
    one = scratch.model("Consignment", __module__="harbour.models")
    association = Task.belongs_to("harbour.models.Consignment")
    assert association.name == "consignment"
    assert association.target is one


def test_an_unknown_name_raises_with_the_nearest_ones(scratch: Scratch) -> None:
    """A6, A16: at first use, and in sync; nothing is changed."""
    Task, Consignment = scratch("Task", "Consignment")
    association = Task.belongs_to("Consigment")
    text = "Task.belongs_to('Consigment'): there is no model 'Consigment'. Did you mean 'Consignment'."
    before = state(__name__)
    task = Task(id=1)
    for use in (lambda: association.target, task.get_consigment, lambda: task.set_consigment(1), lambda: task.consigment):
        with pytest.raises(UnknownName) as raised:
            use()
        assert str(raised.value) == text
        assert raised.value.name == "Consigment"
        assert "Consignment" in raised.value.known
    assert state(__name__) == before
    assert Consignment


def test_an_unknown_name_raises_in_sync(fresh: Any) -> None:
    """A6: at first use or in sync."""
    Task, Consignment = fresh("Task", "Consignment")
    Task.has_many("Consigments")
    with pytest.raises(UnknownName) as raised:
        sync(fresh.db)
    assert str(raised.value) == "Task.has_many('Consigments'): there is no model 'Consigments'. Did you mean 'Consignment'."
    assert fresh.db.get_tables() == []
    assert Consignment


def test_a_contradiction_is_not_raised_from_another_class_statement(scratch: Scratch) -> None:
    """A6, A16: a contradiction that shows only then raises at first use, and each time; the class is made."""
    Task = scratch("Task")
    association = Task.belongs_to("Ledger", on_delete="CASCADE", foreign_key="invoice")
    User = scratch("User")
    Task.belongs_to(User, as_="payer", foreign_key="invoice")
    Ledger = scratch("Ledger")
    assert not association.bound
    before = state(__name__)
    for _ in range(2):
        with pytest.raises(DeclarationError) as raised:
            _ = association.target
        assert str(raised.value) == (
            "Task.belongs_to('Ledger', foreign_key='invoice', on_delete='CASCADE'): the key 'invoice' points to User already: "
            "Task.belongs_to(User, as_='payer', foreign_key='invoice'). Give another foreign_key."
        )
    assert state(__name__) == before
    assert Ledger.select() is not None


def test_a_contradiction_shows_in_sync(fresh: Any) -> None:
    """A16: what shows only when a string target appears is raised at first use and in sync."""
    Task, User = fresh("Task", "User")
    Task.belongs_to("Payroll", foreign_key="owner")
    Task.belongs_to(User, as_="payer", foreign_key="owner")
    Payroll = type(fresh.Base)("Payroll", (fresh.Base,), {"__module__": __name__, "__qualname__": "Payroll"})
    with pytest.raises(DeclarationError, match="the key 'owner' points to User already"):
        sync(fresh.db)
    assert fresh.db.get_tables() == []
    assert Payroll


def test_what_waits_does_not_hold_its_model(scratch: Scratch) -> None:
    """A6: what waits is held weakly; models that nobody holds any more are forgotten."""
    Task = scratch("Task")
    Task.belongs_to("NeverThere")
    gone = weakref.ref(Task)
    del Task
    gc.collect()
    assert gone() is None
    assert "NeverThere" not in [waiting.wanted for waiting in registry._alive()]


@pytest.mark.parametrize("method", ["belongs_to", "has_one", "has_many", "belongs_to_many"])
def test_models_that_nobody_holds_are_forgotten(scratch: Scratch, method: str) -> None:
    """A6: with their associations, keys and through models; a name then means nobody."""
    Parcel, Ship = scratch("Parcel", "Ship")
    association = getattr(Parcel, method)(Ship)
    gone = [weakref.ref(each) for each in (Parcel, Ship, association, *(key.model for key in association.keys))]
    del Parcel, Ship, association
    globals().pop("ParcelsShips", None)
    gc.collect()
    assert [each() for each in gone] == [None] * len(gone)
    assert not {"Parcel", "Ship", "ParcelsShips"} & {model.__name__ for model in registry.known_models()}


def test_a_model_that_is_left_is_not_touched_by_one_that_goes(scratch: Scratch) -> None:
    """A6: the target of a key lives as long as the key."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User)
    held = weakref.ref(User)
    del User
    gc.collect()
    assert held() is Task.associations["user"].target


def test_a_model_defined_again_in_the_same_place_replaces_the_former(scratch: Scratch) -> None:
    """A6: a name then means the newer one, and sync makes one table."""
    former = scratch("Consignment")
    newer = scratch("Consignment")
    Task = scratch("Task")
    assert Task.belongs_to("Consignment").target is newer
    assert newer in registry.known_models()
    assert former not in registry.known_models()


def test_declaring_again_after_the_target_was_defined_again(scratch: Scratch) -> None:
    """A6: as a notebook does it: the cell of the target, and then the cell of the declaration, run once more."""
    Task, User = scratch("Task", "User")
    Task.has_many(User, through="assignments")
    Task.has_one(User, as_="tester")
    again = scratch("User")
    association = Task.has_many(again, through="assignments")
    assert association.target is again
    assert Task.associations["users"] is Task.users is association
    assert Task.has_one(again, as_="tester").target is again


def test_both_cells_of_a_notebook_again(scratch: Scratch) -> None:
    """A6: both models defined again and declared again are as new."""
    for _ in range(2):
        Project, User = scratch("Project", "User")
        Project.has_many(User)
        User.has_many(Project)
        assert Project.users.through is User.projects.through
        assert Project.users.target is User
        assert [key.target for key in Project.users.keys] == [Project, User]


def test_a_through_model_defined_again(scratch: Scratch) -> None:
    """A6: the links, too, may be defined again in the same place."""
    Project, User = scratch("Project", "User")
    Project.has_many(User, through=scratch.model("Membership"))
    newer = scratch.model("Membership")
    association = Project.has_many(User, through=newer)
    assert association.through is newer
    assert User.__dict__["membership"].link is newer


def test_a_plain_model_of_peewee_as_a_target(fresh: Any) -> None:
    """A6: a target may be any model of peewee's; the methods are the source's."""
    Task = fresh("Task")

    class Plain(peewee.Model):
        class Meta:
            database = fresh.db

    Task.belongs_to(Plain, as_="main")
    Plain.create_table()
    sync(fresh.db)
    plain, task = Plain.create(), Task.create()
    task.set_main(plain)
    assert Task.get().main == task.get_main() == plain


def test_a_plain_model_of_peewee_gets_the_key_of_a_has_many(fresh: Any) -> None:
    """A6: the key is on the target, whatever model it is."""
    Task = fresh("Task")

    class Plain(peewee.Model):
        class Meta:
            database = fresh.db

    Task.has_many(Plain)
    sync(fresh.db)
    Plain.create_table()
    task = Task.create()
    plain = task.create_plain()
    assert task.get_plains() == [plain]
    assert Plain.get().task == task


def test_a_declaration_is_no_use_of_what_waits(scratch: Scratch) -> None:
    """A6: a name is not bound to a far model because something else was declared: a nearer one may still come."""
    Task, User = scratch("Task", "User")
    far = scratch.model("Waybill", __module__="elsewhere")
    association = Task.belongs_to("Waybill")
    Task.belongs_to(User)
    assert not association.bound
    near = scratch("Waybill")
    assert association.target is near
    assert far


def test_what_cannot_be_bound_does_not_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    """A6: looking for the targets of what waits costs a few looks for each that waits, however many models share the names."""
    looked: list[Any] = []
    target_of = registry.target_of
    monkeypatch.setattr(registry, "target_of", lambda association: looked.append(association) or target_of(association))
    kept = []
    for number in range(12):
        scratch = Scratch(f"{__name__}.{number}")
        User, Task = scratch("User", "Task")
        User.has_many("Task", dominant=True)
        kept += [User, Task]
    looked.clear()
    User.belongs_to(Task, as_="main")
    assert len(looked) <= 12 * 6

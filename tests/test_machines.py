"""Random sequences of set, add, remove, create and delete on several owners, against a plain dict.

After each step the rows are what the dict says, whichever way they are read, and so is what the acting owner and the instances that
were passed hold in memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import peewee
import pytest
from accessing import model
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from peewee import CharField

from activeassoc import sync

OWNERS = 3
PICKS = st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["instance", "key", "text", "new"])), max_size=5)
OWNER = st.integers(0, OWNERS - 1)
ROLE = st.sampled_from([None, "a", "b"])


class HasMany:
    """A record has at most one owner: target → owner."""

    attributes = False

    def __init__(self, near: Any, far: Any) -> None:
        self.Owner, self.Target = model(near, "Owner", title=CharField(null=True)), model(far, "Target", title=CharField(null=True))
        self.many = self.Owner.has_many(self.Target)
        self.one = self.Target.belongs_to(self.Owner)
        sync(near.db, far.db)
        self.state: dict[Any, Any] = {}

    def clear(self) -> None:
        self.state = {}
        self.Target.delete().execute()
        self.Owner.delete().execute()

    def targets_of(self, owner: Any) -> set[Any]:
        return {target for target, whose in self.state.items() if whose == owner}

    def link(self, owner: Any, target: Any, role: Any) -> int:
        changed = self.state.get(target) != owner
        self.state[target] = owner
        return int(changed)

    def unlink(self, owner: Any, target: Any) -> int:
        if self.state.get(target) != owner:
            return 0
        del self.state[target]
        return 1

    def gone(self, target: Any) -> None:
        self.state.pop(target, None)

    def check_target(self, target: Any) -> None:
        expected = self.state.get(target.id)
        assert target.__data__.get("owner") == expected
        assert (target.owner.id if target.owner is not None else None) == expected
        assert not target.dirty_fields


class Tree(HasMany):
    """Owners and targets are records of one model."""

    def __init__(self, near: Any, far: Any) -> None:
        self.Owner = self.Target = model(near, "Person", title=CharField(null=True))
        self.one = self.Owner.belongs_to("self", as_="owner")
        self.many = self.Owner.has_many("self", as_="targets")
        sync(near.db)
        self.state = {}

    def clear(self) -> None:
        self.state = {}
        self.Target.update(owner=None).execute()
        self.Target.delete().execute()


class ManyToMany:
    """Links with an attribute: (owner, target) → role."""

    attributes = True
    one = None

    def __init__(self, near: Any, far: Any) -> None:
        self.Owner, self.Target = model(near, "Owner", title=CharField(null=True)), model(far, "Target", title=CharField(null=True))
        self.Link = model(near, "Link", role=CharField(default="none"))
        self.many = self.Owner.has_many(self.Target, through=self.Link)
        self.back = self.Target.has_many(self.Owner, through=self.Link)
        sync(near.db, far.db)
        self.state: dict[Any, Any] = {}

    def clear(self) -> None:
        self.state = {}
        self.Link.delete().execute()
        self.Target.delete().execute()
        self.Owner.delete().execute()

    def pair(self, owner: Any, target: Any) -> Any:
        return (owner, target)

    def targets_of(self, owner: Any) -> set[Any]:
        return {target for whose, target in self.state if whose == owner}

    def link(self, owner: Any, target: Any, role: Any) -> int:
        pair = self.pair(owner, target)
        new = pair not in self.state
        if new or role is not None:
            self.state[pair] = role or "none"
        return int(new)

    def unlink(self, owner: Any, target: Any) -> int:
        return int(self.state.pop(self.pair(owner, target), None) is not None)

    def gone(self, target: Any) -> None:
        self.state = {pair: role for pair, role in self.state.items() if target not in pair[1:]}

    def check_target(self, target: Any) -> None:
        assert {owner.id for owner in target.owners} == {owner for owner, other in self.state if other == target.id}


class Symmetric(ManyToMany):
    """One link for a pair of records of one model, seen from both."""

    def __init__(self, near: Any, far: Any) -> None:
        self.Owner = self.Target = model(near, "Person", title=CharField(null=True))
        self.Link = model(far, "Link", role=CharField(default="none"))
        self.many = self.Owner.has_many("self", as_="targets", through=self.Link, symmetric=True)
        sync(near.db, far.db)
        self.state = {}

    def pair(self, owner: Any, target: Any) -> Any:
        return tuple(sorted((owner, target)))

    def targets_of(self, owner: Any) -> set[Any]:
        return {pair[1] if pair[0] == owner else pair[0] for pair in self.state if owner in pair}

    def gone(self, target: Any) -> None:
        self.state = {pair: role for pair, role in self.state.items() if target not in pair}

    def check_target(self, target: Any) -> None:
        assert {other.id for other in target.targets} == self.targets_of(target.id)


KINDS = {"has_many": HasMany, "tree": Tree, "many_to_many": ManyToMany, "symmetric": Symmetric}


def machine(kind: Any) -> Any:
    """The machine of one kind on one database."""

    class Machine(RuleBasedStateMachine):
        @initialize()
        def start(self) -> None:
            kind.clear()
            self.owners = [kind.Owner.create() for _ in range(OWNERS)]
            self.targets = [kind.Target.create() for _ in range(4)]
            if kind.Owner is kind.Target:
                self.targets += self.owners  # a record may even be linked to itself
            self.acting: Any = None

        def given(self, picks: Any) -> tuple[list[Any], list[Any], list[Any]]:
            """The arguments, the instances among them, and what each of them means: a key, or a new instance."""
            arguments, instances, meant = [], [], []
            for number, form in picks:
                target = kind.Target() if form == "new" or not self.targets else self.targets[number % len(self.targets)]
                arguments.append({"key": target.id, "text": str(target.id)}.get(form, target) if target.id else target)
                if arguments[-1] is target:
                    instances.append(target)
                meant.append(target)
            return arguments, instances, meant

        def options(self, role: Any) -> dict[str, Any]:
            return {"through": {"role": role}} if kind.attributes and role is not None else {}

        def after(self, owner: Any, instances: list[Any]) -> None:
            self.targets += [each for each in instances if not any(each is other for other in self.targets)]
            for other in self.owners:
                if other is not owner and not any(other is each for each in instances):
                    other.reload()  # other instances are not tracked
            for target in self.targets:
                if not any(target is each for each in instances):
                    target.reload()
            self.acting = owner
            held = owner.__dict__.get("_loaded", {}).get(kind.many.name)
            if held is not None and held.loaded:
                assert [each.id for each in held.held()] == sorted(kind.targets_of(owner.id))
            for each in instances:
                kind.check_target(each)

        @rule(number=OWNER, picks=PICKS, role=ROLE)
        def set(self, number: int, picks: Any, role: Any) -> None:
            owner = self.owners[number]
            arguments, instances, meant = self.given(picks)
            result = kind.many.set(owner, arguments, **self.options(role))
            wanted = list(dict.fromkeys(each.id for each in meant))
            for target in kind.targets_of(owner.id) - {*wanted}:
                kind.unlink(owner.id, target)
            for target in wanted:
                kind.link(owner.id, target, role)
            assert [each.id for each in result] == wanted
            self.after(owner, instances)

        @rule(number=OWNER, picks=PICKS, role=ROLE)
        def add(self, number: int, picks: Any, role: Any) -> None:
            owner = self.owners[number]
            arguments, instances, meant = self.given(picks)
            added = kind.many.add(owner, arguments, **self.options(role))
            assert added == sum(kind.link(owner.id, target, role) for target in dict.fromkeys(each.id for each in meant))
            self.after(owner, instances)

        @rule(number=OWNER, picks=PICKS)
        def remove(self, number: int, picks: Any) -> None:
            owner = self.owners[number]
            arguments, instances, meant = self.given([pick for pick in picks if pick[1] != "new"])
            removed = kind.many.remove(owner, arguments)
            assert removed == sum(kind.unlink(owner.id, each.id) for each in meant if each.id)
            self.after(owner, [each for each in instances if each.id])

        @rule(number=OWNER, role=ROLE, several=st.integers(1, 3))
        def create(self, number: int, role: Any, several: int) -> None:
            owner = self.owners[number]
            made = kind.many.create_many(owner, [{"title": str(n)} for n in range(several)], **self.options(role))
            for each in made:
                kind.link(owner.id, each.id, role)
            self.after(owner, made)

        @rule(number=OWNER)
        def load(self, number: int) -> None:
            owner = self.owners[number]
            if owner is not self.acting:
                owner.reload()
            assert [each.id for each in getattr(owner, kind.many.name)] == sorted(kind.targets_of(owner.id))
            self.acting = owner

        @rule(number=st.integers(0, 7))
        def delete(self, number: int) -> None:
            others = [target for target in self.targets if not any(target is owner for owner in self.owners)]
            if others:
                target = others[number % len(others)]
                self.targets = [each for each in self.targets if each is not target]
                target.delete_instance()
                kind.gone(target.id)
                for record in (*self.owners, *self.targets):
                    record.reload()

        if kind.one is not None:

            @rule(number=OWNER, which=st.integers(0, 7), clear=st.booleans())
            def belong(self, number: int, which: int, clear: bool) -> None:
                if self.targets:
                    record, owner = self.targets[which % len(self.targets)], self.owners[number]
                    known = record.__rel__.get(kind.one.name) is owner
                    kind.one.set(record, None if clear else owner)
                    if clear and not known:
                        owner.reload()  # another instance of a row than the one that was passed is not tracked
                    kind.gone(record.id)
                    if not clear:
                        kind.link(owner.id, record.id, None)
                    assert clear or [each.id for each in getattr(owner, kind.many.name)] == sorted(kind.targets_of(owner.id))
                    self.after(owner, [record])

        @invariant()
        def rows_are_what_the_dict_says(self) -> None:
            if not hasattr(self, "owners"):
                return
            fresh_owners = list(kind.Owner.select().where(kind.Owner.id << [owner.id for owner in self.owners]))
            reached = kind.many.reach(fresh_owners)
            for owner in fresh_owners:
                expected = kind.targets_of(owner.id)
                assert [each.id for each in reached[owner]] == sorted(expected)
                assert kind.many.count(owner) == len(expected)
                assert kind.many.has_exactly(owner, expected)
                if kind.attributes:
                    roles = {each.id: each.link.role for each in reached[owner]}
                    assert roles == {target: kind.state[kind.pair(owner.id, target)] for target in expected}

    return Machine


def run(kind: Any, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine(kind),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.every_store
@pytest.mark.parametrize("name", list(KINDS))
def test_any_sequence(fresh: Any, name: str) -> None:
    """C6 to C9, C12, D7: whatever the sequence, rows and memory say the same as a plain dict."""
    fresh.on()
    examples, steps = 4, 15
    if isinstance(fresh.db, peewee.SqliteDatabase):
        fresh.db.execute_sql("PRAGMA synchronous = OFF")
        examples, steps = 10, 20
    run(KINDS[name](fresh, fresh), examples, steps)


class Place(NamedTuple):
    """A base, and its database."""

    Base: Any
    db: Any


@pytest.mark.parametrize("kinds", [("sqlite", "mongodb"), ("redis", "sqlite")], ids="-".join)
@pytest.mark.parametrize("name", ["has_many", "many_to_many", "symmetric"])
def test_any_sequence_across(on: Any, kinds: tuple[str, str], name: str) -> None:
    """H1: the same where owners and targets are in two stores; of symmetric links the links are in the second."""
    bases = [on(kind) for kind in kinds]
    run(KINDS[name](*(Place(base, base._meta.database) for base in bases)), 4, 15)

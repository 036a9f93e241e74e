"""sync and drop with associations: join tables come and go with their models, and keys with their declarations."""

from __future__ import annotations

import pytest
from looking import cols, keys, pk, table
from peewee import CharField, IntegerField

from activeassoc import ReferenceField, SyncError, UnknownName, drop, sync
from activeassoc.sync import Report


def paired(fresh):
    """Two models that are many-to-many, and their join table."""
    project, user = fresh("Project", "User")
    project.has_many(user)
    user.has_many(project)
    return project, user, project.associations["users"].through


def test_a_join_table_comes_with_its_models(fresh):
    """E3, F5: with the pair as its primary key, which leads one key's index."""
    project, user, link = paired(fresh)
    assert sync(project, user).created == ("project", "user", "projects_users")
    assert cols(link) == pk(link) == {"project_id", "user_id"}
    assert keys(link) == {("project_id", "project", "id", "CASCADE", "CASCADE"), ("user_id", "user", "id", "CASCADE", "CASCADE")}
    assert sync(project, user) == sync(fresh.db) == Report()
    columns = sorted(tuple(index.columns) for index in fresh.db.get_indexes(table(link)))
    assert columns == [("project_id", "user_id"), ("user_id",)]


def test_a_join_table_waits_for_its_other_end(fresh):
    """E3, F5: one model alone cannot bring it; the report says so, and the sync of the other does."""
    project, user, _ = paired(fresh)
    report = sync(project)
    assert report.created == ("project",)
    assert report.differences == (
        "the join table projects_users is not made yet: it refers to user, which does not exist; sync User too",
    )
    assert sync(user).created == ("user", "projects_users")
    assert sync(project) == Report()


def test_a_join_table_that_was_asked_for_needs_both_ends(fresh):
    """E3, E10"""
    project, _, link = paired(fresh)
    with pytest.raises(SyncError) as caught:
        sync(project, link)
    assert str(caught.value) == (
        "sync() of table projects_users: its key projects_users.user_id refers to the table user, which does not exist "
        "and is not to be made. Sync User too: sync(User, ProjectsUsers)."
    )


def test_a_model_takes_its_join_table_with_it(fresh):
    """E6: dropped, or made again with force; the other end stays."""
    project, user, link = paired(fresh)
    sync(fresh.db)
    mine, ann = project.create(title="x"), user.create(title="ann")
    mine.add_user(ann)
    report = sync(project, force=True)
    assert (report.dropped, report.created) == (("projects_users", "project"), ("project", "projects_users"))
    assert (link.select().count(), user.select().count()) == (0, 1)
    assert drop(project).dropped == ("projects_users", "project")
    assert fresh.db.get_tables() == ["user"]
    assert drop(project, user).dropped == ("user",)


def test_a_pair_after_a_sync_leaves_the_column_and_says_so(fresh):
    """A7, Q16: the key that the first call added is taken away from the model, never from the table."""
    project, user = fresh("Project", "User")
    project.has_many(user)
    sync(fresh.db)
    user.create(title="ann", project=project.create())
    user.has_many(project)
    report = sync(fresh.db)
    assert report.created == ("projects_users",)
    assert report.differences == ("user.project_id is a column that no field of User has",)
    assert cols(user) == {"id", "title", "project_id"}
    assert not sync(fresh.db)
    assert [mine.title for mine in user.select()] == ["ann"]


def test_a_declaration_after_the_tables_is_for_alter(fresh):
    """A17: a reference that becomes a key, a key that is new."""
    project, user = fresh("Project", "User")
    sync(fresh.db)
    ann = user.create(title="ann")
    project.belongs_to(user, "owner")
    assert sync(fresh.db).differences == ("project.owner_id is missing: sync(alter=True) adds it",)
    assert sync(fresh.db, alter=True).constraints == ("project.owner_id -> user.id",)
    assert keys(project) == {("owner_id", "user", "id", "SET NULL", "CASCADE")}
    assert project.create(owner=ann).get_owner() == ann


def test_without_constraints_there_is_a_column_and_an_index(fresh):
    """E1, A14: constraints=False, and ReferenceField."""
    trainer = fresh("Trainer")
    series = type(fresh.Base)("Series", (fresh.Base,), {"trainer_id": ReferenceField("Trainer", key="id"), "__module__": __name__})
    trainer.has_many("Series", as_="shows", foreign_key="show_trainer_id", constraints=False)
    sync(fresh.db)
    assert keys(series) == set()
    columns = {tuple(index.columns) for index in fresh.db.get_indexes("series")}
    assert columns - {("id",)} == {("trainer_id",), ("show_trainer_id",)}
    series.create(trainer_id=99, show_trainer_id=98)
    assert sync(fresh.db) == Report()


def test_a_constraint_that_was_given_up_is_reported(fresh):
    """E7: the database still checks it."""
    project, user = fresh("Project", "User")
    project.belongs_to(user)
    sync(fresh.db)
    again = type(fresh.Base)("Project", (fresh.Base,), {"title": CharField(null=True), "__module__": __name__})
    again.belongs_to(user, constraints=False)
    assert sync(again).differences == ("project.user_id refers to user in the database, and to nothing in Project",)


def test_one_to_one_holds_in_the_database(fresh):
    """E2"""
    project, user = fresh("Project", "User")
    project.belongs_to(user, unique=True)
    report = sync(fresh.db)
    assert sum("UNIQUE INDEX" in statement for statement in report.statements) == 1
    assert not any("ix_project_user_id" in statement for statement in report.statements)


def test_two_keys_that_know_nothing_of_each_other(fresh):
    """E4, W3: a cycle."""
    project, user = fresh("Project", "User")
    project.belongs_to(user, "owner")
    user.belongs_to(project, "favourite")
    assert set(sync(fresh.db).created) == {"project", "user"}
    assert {key[0] for key in keys(project) | keys(user)} == {"owner_id", "favourite_id"}
    assert sync(fresh.db) == Report()
    assert set(drop(fresh.db).dropped) == {"project", "user"}


def test_a_tree(fresh):
    """E4: a key to its own table."""
    category = fresh("Category")
    category.belongs_to("self", as_="parent")
    sync(fresh.db)
    assert keys(category) == {("parent_id", "category", "id", "SET NULL", "CASCADE")}


def test_keys_across_databases_are_no_constraints(fresh):
    """H1: the through model's database holds its table; only the databases of the models named are touched."""
    user = fresh("User")
    first = fresh.db
    pet = fresh("Pet")
    pet.belongs_to(user, "owner")
    assert sync(pet).created == ("pet",)
    assert first.get_tables() == []
    assert keys(pet) == set()
    assert sync(user).created == ("user",)


def test_a_name_that_nobody_has_is_raised_in_sync(fresh, store):
    """A6: with the nearest ones."""
    project, _user = fresh("Project", "User")
    name = f"Usr{store.name}"  # models of the other stores may still be known
    project.belongs_to(name)
    with pytest.raises(UnknownName) as caught:
        sync(fresh.db)
    assert caught.value.name == name
    assert fresh.db.get_tables() == []
    assert drop(fresh.db) == Report()  # which need not know
    usr = type(fresh.Base)(name, (fresh.Base,), {"__module__": __name__})
    assert set(sync(fresh.db).created) == {"project", "user", table(usr)}
    assert {key[1] for key in keys(project)} == {table(usr)}


def test_a_name_is_bound_in_sync_at_the_latest(fresh):
    """A6: a model of another scope, which nothing has used yet."""
    project = fresh("Project")
    project.belongs_to("Lately")
    attributes = {"number": IntegerField(), "__module__": __name__, "__qualname__": "elsewhere.<locals>.Lately"}
    lately = type(fresh.Base)("Lately", (fresh.Base,), attributes)
    assert "lately" not in project._meta.fields
    assert sync(fresh.db).created == ("lately", "project")
    assert {key[:2] for key in keys(project)} == {("lately_id", table(lately))}

"""Names: of associations, methods, keys, join tables and join rows; and what gives way to whom."""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from declarations import Scratch
from looking import cols, has, lacks, table, ten

from activeassoc import Model, registry, sync
from activeassoc.associations.base import Association


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


def fields(model: Any) -> list[str]:
    return [field.name for field in model._meta.sorted_fields]


def test_every_call_returns_the_association(scratch: Scratch) -> None:
    """A5: which is also Source.associations[name] and the class attribute."""
    Project, User, Deadline, Task, Tag = scratch("Project", "User", "Deadline", "Task", "Tag")
    made = {
        "lead": Project.has_one(User, as_="lead"),
        "tasks": Project.has_many(Task),
        "tags": Project.belongs_to_many(Tag),
        "deadline": Project.belongs_to(Deadline, foreign_key="due"),
    }
    assert Project.associations == made
    assert list(Project.associations) == list(made)
    assert all(getattr(Project, name) is association for name, association in made.items())
    assert all(isinstance(association, Association) and association.name == name for name, association in made.items())


def test_a_belongs_to_is_its_keys_field(fresh: Any) -> None:
    """A5: the class attribute stays the peewee field, stays an expression, and answers the verbs."""
    Task, Project = fresh("Task", "Project")
    association = Task.belongs_to(Project)
    sync(fresh.db)
    assert isinstance(Task.project, peewee.ForeignKeyField)
    assert Task.associations["project"] is association
    apollo = Project.create(title="Apollo")
    task = Task.create()
    assert Task.project.set(task, apollo) == apollo
    assert Task.project.get(task) == association.get(task) == task.get_project() == apollo
    assert list(Task.select().where(Task.project == apollo)) == [task]


def test_calls_chain(scratch: Scratch) -> None:
    """A5: the association passes the declaring calls on to its source."""
    Project, User, Deadline, Attachment, Tag, Team = scratch("Project", "User", "Deadline", "Attachment", "Tag", "Team")
    Project.has_one(User).has_one(Deadline).has_many(Attachment).belongs_to_many(Tag).belongs_to(Team)
    assert list(Project.associations) == ["user", "deadline", "attachments", "tags", "team"]


WORDS = {
    "UserProject": ("user_project", "user_projects"),
    "Person": ("person", "people"),
    "Category": ("category", "categories"),
    "Status": ("status", "statuses"),
    "Mouse": ("mouse", "mice"),
    "Sheep": ("sheep", "sheep"),
    "Leaf": ("leaf", "leaves"),
    "Wave": ("wave", "waves"),
    "Cache": ("cache", "caches"),
    "Cookie": ("cookie", "cookies"),
    "Criterion": ("criterion", "criteria"),
    "Campus": ("campus", "campuses"),
    "Staff": ("staff", "staff"),
    "Users": ("users", "users"),
}


@pytest.mark.parametrize("word", list(WORDS))
def test_the_name_of_an_association(scratch: Scratch, word: str) -> None:
    """B1: the target's name in snake_case, plural for to-many; a class's own word is its singular; a string likewise."""
    one, many = WORDS[word]
    for target in (scratch(word), word):
        One, Other, Many, Links = (scratch.model(f"{name}Owner") for name in ("One", "Other", "Many", "Link"))
        assert One.belongs_to(target).name == one
        assert Other.has_one(target).name == one
        assert Many.has_many(target).name == many
        assert Links.belongs_to_many(target).name == many


def test_an_alias_is_given_in_the_form_that_the_association_has(scratch: Scratch) -> None:
    """B2: the other form is derived; a pair gives both; CamelCase is turned to snake_case."""
    Project, User = scratch("Project", "User")
    assert Project.has_many(User, as_="members").names == ("member", "members")
    assert Project.belongs_to(User, as_="owner").names == ("owner", "owners")
    assert Project.has_many(User, as_=("staff_member", "staff"), through="staffings").names == ("staff_member", "staff")
    assert Project.has_many(User, as_="Workers", foreign_key="works_on").names == ("worker", "workers")
    assert has(Project, "get_members add_member get_owner get_staff add_staff_member create_staff_member get_workers add_worker")


def test_a_model_says_its_own_words(scratch: Scratch) -> None:
    """B2: Meta.singular, Meta.plural, for everything that is named after the model; not inherited."""
    Octopus = scratch.model("Octopus", Meta=type("Meta", (), {"plural": "octopodes"}))
    Legacy = scratch.model("TblUser", Meta=type("Meta", (), {"singular": "user", "plural": "users"}))
    Task = scratch("Task")
    assert Task.has_many(Octopus).names == ("octopus", "octopodes")
    assert Task.belongs_to(Legacy).name == "user"
    assert Task.belongs_to(Legacy).key.column == "user_id"
    assert table(Task.belongs_to_many(Legacy, as_="watchers").through) == "tasks_users"
    assert Task.has_one(scratch.model("Squirrel", Octopus)).names == ("squirrel", "squirrels")


def test_the_methods(scratch: Scratch) -> None:
    """B3: of to-one and to-many associations."""
    Project, User, Task, Tag = scratch("Project", "User", "Task", "Tag")
    Project.has_one(User)
    Task.belongs_to(Project)
    Project.has_many(Task)
    Project.belongs_to_many(Tag)
    assert has(Project, "get_user set_user create_user")
    assert lacks(Project, "get_users count_users add_user remove_user has_user")
    assert has(Task, "get_project set_project create_project")
    assert has(Project, ten("task", "tasks"))
    assert has(Project, ten("tag", "tags"))


def test_the_methods_of_a_word_that_is_both(scratch: Scratch) -> None:
    """B3: where singular and plural are the same word, one of each."""
    Farm, Sheep = scratch("Farm", "Sheep")
    Farm.has_many(Sheep)
    assert has(Farm, "get_sheep count_sheep set_sheep add_sheep remove_sheep has_sheep create_sheep")


KEYS = [
    ({}, "user_id", "user", "user_id"),
    ({"as_": "owner"}, "owner_id", "owner", "owner_id"),
    ({"foreign_key": "user_id"}, "user_id", "user", "user_id"),
    ({"target_key": "code"}, "user_code", "user", "user_code"),
    ({"foreign_key": "country_code", "target_key": "code"}, "country_code", "country", "country_code"),
    ({"foreign_key": "DadId"}, "DadId", "dad", "dad_id"),
    ({"foreign_key": "pb_owner"}, "pb_owner", "pb_owner", "pb_owner_id"),
    ({"foreign_key": "ReportsTo"}, "ReportsTo", "reports_to", "reports_to_id"),
]


@pytest.mark.parametrize(("options", "column", "field", "key"), KEYS)
@pytest.mark.parametrize("end", ["belongs_to", "has_many"])
def test_the_names_of_a_key(fresh: Any, options: Any, column: str, field: str, key: str, end: str) -> None:
    """B4: the column, the field, which is the record, and the key; the column is what the database has."""
    Task = fresh("Task")
    User = type(fresh.Base)("User", (fresh.Base,), {"code": peewee.CharField(unique=True), "__module__": __name__})
    if end == "belongs_to":
        Task.belongs_to(User, **options)
    elif "as_" in options:
        pytest.skip("an alias on has_many names no key (A10)")
    else:
        User.has_many(Task, **{name.replace("target", "source"): value for name, value in options.items()})
    assert [each.name for each in Task._meta.refs] == [field]
    sync(fresh.db)
    assert cols(Task) == {"id", "title", column}
    ann = User.create(code="x")
    task = Task.create(**{field: ann})
    assert getattr(task, field) == ann
    assert getattr(task, key) == (ann.code if "target_key" in options else ann.id)


@pytest.mark.parametrize("name", ["boss", "boss_id", "BossNo"])
def test_wherever_a_string_names_a_field(scratch: Scratch, name: str) -> None:
    """B4: the field's, the key's and the column's name all mean it."""
    User = scratch("User")
    Task = scratch.model("Task", boss=peewee.ForeignKeyField(User, column_name="BossNo", object_id_name="boss_id", backref="+"))
    assert User.has_many(Task, foreign_key=name).key.field is Task.boss
    assert Task.belongs_to(User, as_="boss", foreign_key=name).key.field is Task.boss
    assert fields(Task) == ["id", "boss"]


def test_a_second_has_many_of_another_key_is_named_after_it(scratch: Scratch) -> None:
    """A12: for joining a table twice."""
    Team, Game = scratch("Team", "Game")
    first = Team.has_one(Game, foreign_key="home_team_id")
    second = Team.has_one(Game, foreign_key="away_team_id")
    assert list(Team.associations) == ["game", "away_team_game"]
    assert Team.has_one(Game, foreign_key="away_team_id") is second
    assert Team.has_one(Game, foreign_key="home_team_id") is first
    assert has(Team, "get_away_team_game set_away_team_game")
    Player, Match = scratch("Player", "Match")
    Player.has_many(Match, foreign_key="home_id")
    Player.has_many(Match, foreign_key="away_id")
    assert has(Player, "get_matches add_match get_away_matches add_away_match")


def test_a_method_of_the_users_wins(fresh: Any) -> None:
    """A18: theirs wins, and the operation stays reachable on the association; a field wins likewise."""
    Task = fresh("Task")

    class User(fresh.Base):
        count_tasks = peewee.IntegerField(default=0)

        def add_task(self, task: Any) -> str:
            return f"checked {type(self).tasks.add(self, task)}"

    User.has_many(Task)
    sync(fresh.db)
    ann, task = User.create(), Task.create()
    assert ann.add_task(task) == "checked 1"
    assert ann.count_tasks == 0
    assert User.tasks.count(ann) == 1
    assert isinstance(User.count_tasks, peewee.IntegerField)


@pytest.mark.parametrize("turned", [False, True])
def test_a_backref_of_peewees_gives_way(scratch: Scratch, turned: bool) -> None:
    """A18: a peewee backref of the association's name, whichever came first."""
    User = scratch("User")
    if turned:
        association = User.has_many("Chore")
    Chore = scratch.model("Chore", user=peewee.ForeignKeyField(User, backref="chores"))
    if not turned:
        association = User.has_many(Chore)
    assert User.chores is association
    assert association.key.field is Chore.user
    assert User.add_chore.__name__ == "add_chore"


@pytest.mark.parametrize("name", [name for name in dir(Model) if name.islower() and not name.startswith("_")])
def test_no_association_may_have_a_name_of_models(scratch: Scratch, name: str) -> None:
    """A18: names of Model's API, peewee's or ours."""
    Task, User = scratch("Task", "User")
    with pytest.raises(ValueError, match="is a name of Model's own"):
        Task.belongs_to(User, as_=name)


def test_the_join_table(fresh: Any) -> None:
    """B5: through as a string is the table name, verbatim; the join row appears under the through model's name in snake_case."""
    Project, User = fresh("Project", "User")
    association = Project.has_many(User, through="Project_hasUsers")
    User.has_many(Project)
    sync(fresh.db)
    assert "Project_hasUsers" in fresh.db.get_tables()
    assert association.through.__name__ == "ProjectHasUsers"
    assert isinstance(association.through, type(Model))
    project, user = Project.create(), User.create()
    project.add_user(user)
    (found,) = user.get_projects()
    assert found.project_has_users.user == user


def test_names_that_are_too_long_for_the_database(fresh: Any) -> None:
    """B6: they are cut and given a stable hash; sync run twice does nothing."""
    word = "Verlängerungsantragsbearbeitungsstelle"
    One, Other = fresh(f"{word}nleiter", f"{word}nassistent")
    association = One.belongs_to_many(Other)
    Other.belongs_to_many(One)
    sync(fresh.db)
    assert not sync(fresh.db)
    one, other = One.create(), Other.create()
    association.add(one, other)
    assert association.get(one) == [other]


def test_tables_are_the_snake_case_of_the_class(scratch: Scratch) -> None:
    """B7: unless Meta.table_name says otherwise."""
    assert table(scratch("UserProjects")) == "user_projects"
    assert table(scratch.model("HTTPServer")) == "http_server"
    assert table(scratch.model("Odd", Meta=type("Meta", (), {"table_name": "tblOdd"}))) == "tblOdd"


def test_the_associations_of_a_model_are_for_reading(scratch: Scratch) -> None:
    """A5: Source.associations is not where an association is declared."""
    Task, User = scratch("Task", "User")
    association = Task.belongs_to(User)
    with pytest.raises(TypeError):
        Task.associations["other"] = association
    assert registry.keys_of(Task)["user_id"].claims[0].association is association

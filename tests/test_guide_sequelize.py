"""The guide of Sequelize's associations, item by item, in Python: what it shows works, and what it promises holds.

Where Sequelize does something else than its guide, or loses data, the semantics' line that rules is named beside the item.
"""

from __future__ import annotations

import uuid
from typing import Any

import peewee
import pytest
from looking import cols, has, keys, lacks, pk, stored, table, ten
from peewee import SQL, CharField, IntegerField, IntegrityError, TextField

import activeassoc
from activeassoc import ReferenceField, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store

# One-to-one


def test_the_declaration_makes_the_methods(fresh: Any) -> None:
    """Q1: the methods are named after the target's class, and declaring again returns the same association."""
    User, Project = fresh("User", "Project")
    assert lacks(Project, "get_user set_user create_user")
    assert not Project.associations
    association = Project.has_one(User)
    assert Project.associations["user"] is association
    assert has(Project, "get_user set_user create_user")
    assert Project.has_one(User) is association
    assert list(Project.associations) == ["user"]


def test_custom_primary_keys_are_supported(fresh: Any) -> None:
    """Q2: the key is named after the referenced key, and has its type."""
    Project = fresh("Project")

    class User(fresh.Base):
        username = CharField(primary_key=True)

    Project.belongs_to(User)
    User.has_many(Project)
    sync(fresh.db)
    ann = User.create(username="ann")
    project = Project.create()
    project.set_user("ann")
    assert "user_username" in cols(Project)
    assert project.user_username == "ann"
    assert project.user == project.get_user() == ann
    assert ann.has_project(project)
    assert ann.count_projects() == 1


@pytest.mark.parametrize(
    ("make", "column"),
    [
        (lambda: {"id": peewee.UUIDField(primary_key=True, default=uuid.uuid4)}, "user_id"),
        (lambda: {"id": peewee.BigAutoField()}, "user_id"),
        (lambda: {"number": IntegerField(primary_key=True), "title": CharField(null=True)}, "user_number"),
    ],
)
def test_keys_of_every_kind(fresh: Any, make: Any, column: str) -> None:
    """Q2: UUID keys, big automatic keys, keys with a name of their own."""
    Project = fresh("Project")
    User = type(fresh.Base)("User", (fresh.Base,), {**make(), "__module__": __name__})
    Project.belongs_to(User)
    User.has_many(Project)
    sync(fresh.db)
    key = {} if "number" not in User._meta.fields else {"number": 7}
    user, project = User.create(**key), Project.create()
    assert project.set_user(user) == user
    assert column in cols(Project)
    assert Project.get_by_id(project.id).user == user
    assert user.get_projects() == [project]
    assert user.has_project(project.id)
    assert user.set_projects(None) == []


def test_unique_columns_as_keys(fresh: Any) -> None:
    """Q2: a key may refer to a unique column that is not the primary key; arguments are primary keys all the same (A15)."""
    Project = fresh("Project")

    class User(fresh.Base):
        email = CharField(unique=True)

    Project.belongs_to(User, target_key="email")
    User.has_many(Project, source_key="email")
    sync(fresh.db)
    user, project = User.create(email="ann@example.org"), Project.create()
    assert project.set_user(user.id) == user
    assert project.user_email == "ann@example.org"
    assert "user_email" in cols(Project)
    assert Project.get_by_id(project.id).user_email == "ann@example.org"
    assert user.get_projects() == [project]
    assert user.set_projects([]) == []
    assert user.add_project(project.id) == 1


def test_no_key_points_to_a_composite_key(fresh: Any) -> None:
    """Q2: a composite primary key at that end raises, and says why."""
    Project = fresh("Project")

    class Place(fresh.Base):
        row = IntegerField()
        seat = IntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("row", "seat")

    with pytest.raises(activeassoc.DeclarationError) as error:
        Project.belongs_to(Place)
    assert str(error.value) == (
        "Project.belongs_to(Place): no key can point to Place: its primary key has several columns. "
        "Give target_key= with a unique column of Place, or the model an own id."
    )
    assert not Project.associations


def test_has_one(fresh: Any) -> None:
    """Q3: the key is on the target, the methods on the source alone; one target at most."""
    User, Project = fresh("User", "Project")
    Project.has_one(User)
    sync(fresh.db)
    assert cols(User) == {"id", "title", "project_id"}
    assert cols(Project) == {"id", "title"}
    assert keys(User) == {("project_id", "project", "id", "SET NULL", "CASCADE")}
    assert any(index.columns == ["project_id"] and not index.unique for index in fresh.db.get_indexes("user"))
    assert lacks(User, "get_project set_project create_project")
    project, a, b = Project.create(), User.create(), User.create()
    assert project.get_user() is None
    assert project.set_user(a) == a == project.get_user()
    assert a.project == project
    assert a.project_id == project.id
    assert project.set_user(b) == b == project.get_user()
    assert a.project_id is None  # a is let go, in memory too
    assert User.get_by_id(a.id).project_id is None
    assert User.get_by_id(b.id).project_id == project.id
    with assert_queries(1 if store_of(fresh.db).joins else 2):
        project.set_user(b)
    assert project.set_user(None) is None
    assert project.get_user() is None
    assert User.select().count() == 2
    c = project.create_user(title="c")
    assert project.get_user() == c
    assert c.project_id == project.id
    with pytest.raises(LookupError):
        project.set_user(999)
    assert project.get_user() == c


def test_one_style_of_names(fresh: Any) -> None:
    """Q4: names are in underscore style."""
    UserAccount, Project = fresh("UserAccount", "Project")
    Project.belongs_to(UserAccount)
    sync(fresh.db)
    assert has(Project, "get_user_account")
    assert "user_account_id" in cols(Project)
    assert table(UserAccount) == "user_account"


def test_a_key_of_an_existing_database(fresh: Any) -> None:
    """Q5: foreign_key names the column of tables that exist, which sync leaves alone."""
    User, Project = fresh("User", "Project")

    class Meta:
        database = fresh.db
        table_name = "user"

    Former = type("Former", (peewee.Model,), {"title": CharField(null=True), "initiator_id": IntegerField(null=True), "Meta": Meta})
    fresh.db.create_tables([Former, Project])
    Project.has_one(User, foreign_key="initiator_id")
    sync(fresh.db)
    project, user = Project.create(), User.create()
    project.set_user(user)
    assert cols(User) == {"id", "title", "initiator_id"}
    assert user.initiator_id == project.id
    assert user.initiator == project
    assert project.get_user() == user


@pytest.mark.parametrize("alias", ["Initiator", "initiator"])
def test_an_alias_names_the_methods_and_not_the_key(fresh: Any, alias: str) -> None:
    """Q6: CamelCase is turned."""
    User, Project = fresh("User", "Project")
    Project.has_one(User, as_=alias)
    sync(fresh.db)
    assert has(Project, "get_initiator set_initiator create_initiator")
    assert lacks(Project, "get_user set_user")
    assert list(Project.associations) == ["initiator"]
    assert "project_id" in cols(User)
    assert "initiator_id" not in cols(User)


def test_three_has_one_after_one_another(fresh: Any) -> None:
    """Q7: the second is named after its key, the third shares the key of the first."""
    User, Project = fresh("User", "Project")
    Project.has_one(User)
    Project.has_one(User, foreign_key="initiator_id")
    Project.has_one(User, as_="Initiator")
    sync(fresh.db)
    assert list(Project.associations) == ["user", "initiator_user", "initiator"]
    assert cols(User) == {"id", "title", "project_id", "initiator_id"}


def test_has_one_of_a_model_on_itself(fresh: Any) -> None:
    """Q8: the alias names the column, which is on the target's row (A9)."""
    Person = fresh("Person")
    Person.has_one(Person, as_="Father")
    sync(fresh.db)
    assert "father_id" in cols(Person)
    assert "person_id" not in cols(Person)
    assert has(Person, "get_father set_father create_father")
    ann, bob = Person.create(title="ann"), Person.create(title="bob")
    assert ann.set_father(bob) == bob == ann.get_father()
    assert bob.get_father() is None
    assert bob.father_id == ann.id
    assert ann.father_id is None
    assert bob.father_of == ann
    with pytest.raises(activeassoc.AssociationError):
        Person.has_one(Person)


def test_has_one_of_a_model_on_itself_with_a_key(fresh: Any) -> None:
    """Q9: foreign_key overrides, spelt as it is."""
    Person = fresh("Person")
    Person.has_one(Person, as_="Father", foreign_key="DadId")
    sync(fresh.db)
    assert cols(Person) == {"id", "title", "DadId"}
    assert has(Person, "get_father set_father")
    ann, bob = Person.create(), Person.create()
    ann.set_father(bob)
    assert (bob.dad, bob.dad_id) == (ann, ann.id)


def test_joining_a_table_twice(fresh: Any) -> None:
    """Q10: two has_one of one target over two keys, and a belongs_to over a third."""
    Team, Game = fresh("Team", "Game")
    Team.has_one(Game, foreign_key="homeTeamId").has_one(Game, foreign_key="awayTeamId")
    Game.belongs_to(Team)
    sync(fresh.db)
    assert cols(Game) == {"id", "title", "homeTeamId", "awayTeamId", "team_id"}
    assert len(keys(Game)) == 3
    assert has(Team, "get_game set_game create_game get_away_team_game set_away_team_game create_away_team_game")
    assert has(Game, "get_team set_team")
    team, game, other = Team.create(), Game.create(), Game.create()
    team.set_game(game)
    team.set_away_team_game(other)
    assert team.get_game() == game
    assert team.get_away_team_game() == other
    assert game.get_team() is None
    assert game.home_team == team
    assert game.home_team_id == team.id


def test_chaining(fresh: Any) -> None:
    """Q11: every call's source is the first one's."""
    User, Project, Deadline, Attachment = fresh("User", "Project", "Deadline", "Attachment")
    last = Project.has_one(User).has_one(Deadline).has_one(Attachment)
    sync(fresh.db)
    assert last is Project.associations["attachment"]
    assert list(Project.associations) == ["user", "deadline", "attachment"]
    assert not User.associations
    assert all("project_id" in cols(model) for model in (User, Deadline, Attachment))


def test_belongs_to(fresh: Any) -> None:
    """Q12: the key and the methods are on the source."""
    User, Project = fresh("User", "Project")
    Project.belongs_to(User)
    sync(fresh.db)
    assert cols(Project) == {"id", "title", "user_id"}
    assert cols(User) == {"id", "title"}
    assert has(Project, "get_user set_user create_user")
    assert lacks(User, "get_project get_projects")
    project, user = Project.create(title="p"), User.create()
    with assert_queries(0):
        assert project.get_user() is None
    project.title = "unsaved"
    assert project.set_user(user) == user
    assert project.user == user
    assert project.user_id == user.id
    assert Project.get_by_id(project.id).title == "p"  # only the key was written
    with pytest.raises(LookupError):
        project.set_user(999)
    assert project.user_id == user.id
    assert list(Project.select().where(Project.user == user)) == [project]
    assert project.set_user(None) is None
    assert project.user_id is None
    assert project.create_user(title="n").title == "n"


@pytest.mark.parametrize("by_name", [True, False])
def test_belongs_to_of_a_model_on_itself(fresh: Any, by_name: bool) -> None:
    """Q13: self references work the very same way."""
    Person = fresh("Person")
    Person.belongs_to("self" if by_name else Person, as_="father")
    sync(fresh.db)
    ann, bob = Person.create(), Person.create()
    ann.set_father(bob)
    assert ann.father_id == bob.id
    assert ann.father == bob
    assert bob.father_id is None


@pytest.mark.parametrize("first", [0, 1])
def test_both_ends_share_one_key(fresh: Any, first: int) -> None:
    """Q14: one column, one constraint, in either order."""
    User, Project = fresh("User", "Project")
    calls = [lambda: Project.has_one(User), lambda: User.belongs_to(Project)]
    calls[first]()
    calls[1 - first]()
    sync(fresh.db)
    assert cols(User) == {"id", "title", "project_id"}
    assert len(keys(User)) == 1
    assert has(User, "get_project")
    assert has(Project, "get_user")
    project, user = Project.create(), User.create()
    user.set_project(project)
    assert project.get_user() == user


# One-to-many


def test_has_many(fresh: Any) -> None:
    """Q15: the key is on the target, the ten methods on the source; a target has exactly one source."""
    User, Project = fresh("User", "Project")
    Project.has_many(User, as_="Workers")
    sync(fresh.db)
    assert "project_id" in cols(User)
    assert has(Project, ten("worker", "workers"))
    assert lacks(Project, "get_users")
    assert not User.associations
    p, q = Project.create(), Project.create()
    a, b = User.create(), User.create()
    assert p.set_workers([a, b]) == [a, b] == p.get_workers()
    assert p.count_workers() == 2
    assert q.add_worker(a) == 1
    assert p.get_workers() == [b]
    assert a.project == q
    assert p.remove_worker(a) == 0
    assert q.get_workers() == [a]
    assert p.has_worker(a) is False
    assert p.create_worker(title="c").project_id == p.id


# Many-to-many


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
def test_two_has_many_are_one_many_to_many(fresh: Any, turned: bool, by_name: bool) -> None:
    """Q16: the column is taken away again; model and table are made of both names."""
    User, Project = fresh("User", "Project")
    target = {Project: "User", User: "Project"} if by_name else {Project: User, User: Project}
    calls = [lambda: Project.has_many(target[Project], as_="Workers"), lambda: User.has_many(target[User])]
    for call in reversed(calls) if turned else calls:
        association = call()
    if not by_name and not turned:
        assert association.through.__name__ == "ProjectsUsers"
    sync(fresh.db)
    assert "project" not in User._meta.fields
    assert "user" not in Project._meta.fields
    link = Project.workers.through
    assert link.__name__ == "ProjectsUsers"
    assert table(link) == "projects_users"
    assert cols(link) == pk(link) == {"project_id", "user_id"}
    assert cols(User) == {"id", "title"}
    assert keys(link) == {("project_id", "project", "id", "CASCADE", "CASCADE"), ("user_id", "user", "id", "CASCADE", "CASCADE")}
    assert has(Project, ten("worker", "workers"))
    assert has(User, ten("project", "projects"))
    assert lacks(User, "get_tasks")  # the guide's getTasks is a slip
    p, u = Project.create(), User.create()
    assert p.add_worker(u) == 1
    assert p.add_worker(u.id) == 0
    assert u.get_projects() == [p]
    assert p.get_workers() == [u]
    u.delete_instance()
    assert link.select().count() == 0
    assert Project.select().count() == 1


def test_the_first_has_many_stays_the_same_object(fresh: Any) -> None:
    """Q16: the association that the first call returned is the one that becomes the many-to-many (A7)."""
    User, Project = fresh("User", "Project")
    first = Project.has_many(User, as_="Workers")
    assert "project" in User._meta.fields
    User.has_many(Project)
    assert "project" not in User._meta.fields
    assert Project.workers is first
    assert first.through is User.projects.through


@pytest.mark.needs("columns")
def test_a_column_that_sync_had_made_stays_and_is_reported(fresh: Any) -> None:
    """Q16: a sync between the two calls leaves the column in the database; the report says so."""
    User, Project = fresh("User", "Project")
    Project.has_many(User)
    sync(fresh.db)
    User.has_many(Project)
    report = sync(fresh.db)
    assert "project_id" in cols(User)
    assert "project_id" in str(report)


def test_many_to_many_of_a_model_on_itself(fresh: Any) -> None:
    """Q17: a join table, named after the alias and the model."""
    Person = fresh("Person")
    Person.has_many(Person, as_="Children")
    sync(fresh.db)
    link = Person.children.through
    assert table(link) == "children_people"
    assert cols(link) == pk(link) == {"person_id", "child_id"}
    assert cols(Person) == {"id", "title"}
    assert has(Person, ten("child", "children"))
    a, b, c = (Person.create() for _ in "abc")
    a.add_children([b, c, a])
    assert a.get_children() == [a, b, c]
    assert b.get_children() == []
    assert stored(Person.children.through, "person_id", "child_id") == [(1, 1), (1, 2), (1, 3)]
    with pytest.raises(activeassoc.AssociationError):
        Person.has_many(Person)


def test_a_tree(fresh: Any) -> None:
    """Q18: foreign_key with through=None makes no join table; one parent each, adding elsewhere moves."""
    Person = fresh("Person")
    Person.has_many(Person, as_="Children", foreign_key="ParentId", through=None)
    sync(fresh.db)
    assert cols(Person) == {"id", "title", "ParentId"}
    assert len(fresh.db.get_tables()) == 1
    a, b, c = Person.create(), Person.create(), Person.create()
    a.add_child(b)
    assert b.parent == a
    assert b.parent_id == a.id
    assert a.get_children() == [b]
    c.add_child(b)
    assert a.get_children() == []


def test_a_predefined_join_table(fresh: Any) -> None:
    """Q19: the table's name verbatim, one table for both sides."""
    User, Project = fresh("User", "Project")
    Project.has_many(User, through="project_has_users")
    User.has_many(Project, through="project_has_users")
    sync(fresh.db)
    link = Project.users.through
    assert set(fresh.db.get_tables()) == {"project", "user", "project_has_users"}
    assert link.__name__ == "ProjectHasUsers"
    assert cols(link) == {"project_id", "user_id"}
    p, u = Project.create(), User.create()
    p.add_user(u)
    assert u.get_projects() == [p]
    assert isinstance(p.get_users()[0].project_has_users, link)


def test_a_join_table_that_exists_with_more_columns(fresh: Any) -> None:
    """Q19: it may exist already; a name that is a known model's table means that model."""
    User, Project = fresh("User", "Project")

    class Staffing(fresh.Base):
        note = CharField(null=True)

        class Meta:
            table_name = "project_has_users"

    Project.has_many(User, through="project_has_users")
    User.has_many(Project, through="project_has_users")
    assert Project.users.through is Staffing is User.projects.through
    sync(fresh.db)
    p, u = Project.create(), User.create()
    p.add_user(u, {"note": "n"})
    assert u.get_projects()[0].staffing.note == "n"


def test_a_model_as_join_table(fresh: Any) -> None:
    """Q20: the keys are added, the automatic id is gone, the pair is the primary key; its own columns stay."""
    User, Project = fresh("User", "Project")

    class UserProjects(fresh.Base):
        status = CharField(null=True)

    User.has_many(Project, through=UserProjects)
    Project.has_many(User, through=UserProjects)
    sync(fresh.db)
    assert cols(UserProjects) == {"project_id", "user_id", "status"}
    assert pk(UserProjects) == {"project_id", "user_id"}
    assert "user_projects" in fresh.db.get_tables()
    u, p = User.create(), Project.create()
    u.add_project(p)
    with pytest.raises(IntegrityError), fresh.db.atomic():
        UserProjects.create(user=u, project=p)  # the pair is unique
    with pytest.raises(IntegrityError), fresh.db.atomic():
        UserProjects.create(user=u)  # and NOT NULL


def test_a_written_key_of_a_join_table_is_kept(fresh: Any) -> None:
    """Q20: a primary key that the user wrote is kept, on purpose other than the guide, and the pair gets a unique index."""
    User, Project = fresh("User", "Project")

    class UserProjects(fresh.Base):
        code = peewee.AutoField()
        status = CharField(null=True)

    User.has_many(Project, through=UserProjects)
    Project.has_many(User, through=UserProjects)
    sync(fresh.db)
    assert pk(UserProjects) == {"code"}
    assert cols(UserProjects) == {"code", "project_id", "user_id", "status"}
    assert any(index.unique and set(index.columns) == {"project_id", "user_id"} for index in fresh.db.get_indexes("user_projects"))
    u, p = User.create(), Project.create()
    assert u.add_project(p) == 1
    assert u.add_project(p) == 0
    with pytest.raises(IntegrityError), fresh.db.atomic():
        UserProjects.create(user=u, project=p)


# Associating objects


def paired(fresh: Any) -> Any:
    Project, Task = fresh("Project", "Task")
    Project.has_many(Task)
    Task.has_many(Project)
    return Project, Task


def test_sync_after_the_associations(fresh: Any) -> None:
    """Q21: before sync there are no tables; the report of a second run is falsy."""
    Project, _ = paired(fresh)
    with pytest.raises((peewee.OperationalError, peewee.ProgrammingError)):
        Project.create()
    report = sync(fresh.db)
    assert report
    assert "projects_tasks" in str(report)
    assert not sync(fresh.db)
    assert set(fresh.db.get_tables()) == {"project", "task", "projects_tasks"}


def test_set_and_get(fresh: Any) -> None:
    """Q22: instances, keys, texts of keys, repeats, and queries; a failed set changes nothing."""
    Project, Task = paired(fresh)
    sync(fresh.db)
    project, task1, task2 = Project.create(), Task.create(title="one"), Task.create(title="two")
    assert project.set_tasks([task1, task2]) == [task1, task2] == project.get_tasks() == list(project.tasks)
    assert task1.get_projects() == [project]
    assert stored(Project.tasks.through, "task_id") == [(1,), (2,)]
    assert project.set_tasks([task2.id, "1", task2]) == [task2, task1]
    assert project.set_tasks(Task.select().order_by(Task.id)) == [task1, task2]
    with pytest.raises(LookupError):
        project.set_tasks([999])
    assert project.count_tasks() == 2


def test_filters_options_and_attributes_of_the_getter(fresh: Any) -> None:
    """Q23, Q24, Q25: the text form of a filter is refused and both right ones are shown; the finder's options; some columns."""
    Project, Task = paired(fresh)
    sync(fresh.db)
    project, task1, task2 = Project.create(), Task.create(title="one"), Task.create(title="two")
    project.set_tasks([task1, task2])
    assert project.get_tasks(where=Task.id > 1) == project.get_tasks(where={"id": {">": 1}}) == [task2]
    with pytest.raises(TypeError) as error:
        project.get_tasks(where="id > 1")
    assert str(error.value) == (
        "Project.get_tasks(): where='id > 1' is a text, and a text could hold anything. "
        'Write Task.id > 1, or SQL("id > 1") where it has to be SQL.'
    )
    if store_of(fresh.db).sql:
        assert project.get_tasks(where=SQL("title = 'two'")) == [task2]
    assert project.get_tasks(order=Task.title.desc(), limit=1) == [task2] == project.get_tasks(offset=1)
    assert project.get_tasks(order="-title")[0] == task2
    assert project.count_tasks(where=Task.title == "one") == 1
    with pytest.raises(TypeError):
        project.get_tasks(nope=1)
    assert all(set(task.__data__) == {"id", "title"} for task in project.get_tasks(attributes=["title"]))
    assert project.get_tasks(attributes=[Task.title]) == [task1, task2]
    with pytest.raises(activeassoc.AssociationError, match="title"):
        project.get_tasks(attributes=["titel"])


def test_leaving_out_removing_and_adding_again(fresh: Any) -> None:
    """Q26, Q27, Q28: targets survive, the new list comes back, None clears too; remove directly; add again."""
    Project, Task = paired(fresh)
    sync(fresh.db)
    project, task1, task2 = Project.create(), Task.create(title="one"), Task.create(title="two")
    project.set_tasks([task1, task2])
    assert project.set_tasks([task2]) == [task2] == project.get_tasks()
    assert Task.select().count() == 2
    assert project.set_tasks([]) == [] == project.get_tasks() == project.set_tasks(None)
    project.set_tasks([task1, task2])
    assert project.remove_task(task1) == 1
    assert project.get_tasks() == [task2]
    assert project.remove_task(task1) == 0 == project.remove_task(999)
    assert project.remove_tasks([task1, task2.id]) == 1
    assert project.add_task(task1) == 1
    assert project.add_task(task1) == 0
    assert project.add_tasks([task1, task2]) == 1
    assert project.get_tasks() == [task1, task2]


def test_vice_versa(fresh: Any) -> None:
    """Q29: task.set_project(None), on the very objects in hand, without reload."""
    Project, Task = fresh("Project", "Task")
    Project.has_many(Task)
    Task.belongs_to(Project)
    sync(fresh.db)
    project, task1, task2 = Project.create(), Task.create(), Task.create()
    project.set_tasks([task1, task2])
    assert task2.project_id == project.id
    with assert_queries(1):
        assert task2.set_project(None) is None
    assert Task.get_by_id(task2.id).project_id is None
    assert project.get_tasks() == [task1] == list(project.tasks)


def test_vice_versa_in_the_paired_shape(fresh: Any) -> None:
    """Q29: there it is task.set_projects(None)."""
    Project, Task = paired(fresh)
    sync(fresh.db)
    assert lacks(Task, "set_project")
    project, task = Project.create(), Task.create()
    project.add_task(task)
    assert task.set_projects(None) == [] == project.get_tasks()


def test_has_one_and_belongs_to_with_an_alias(fresh: Any) -> None:
    """Q30: Task.has_one(User, as_="author") puts the key on the user, belongs_to on the task."""
    User, Task = fresh("User", "Task")
    Task.has_one(User, as_="Author")
    sync(fresh.db)
    task, author = Task.create(), User.create()
    assert task.set_author(author) == author == task.get_author()
    assert author.task_id == task.id
    assert "author_id" not in cols(Task)
    User, Task = fresh("User", "Task")
    Task.belongs_to(User, as_="author")
    sync(fresh.db)
    assert "author_id" in cols(Task)
    assert has(Task, "set_author get_author")


# Join attributes


def with_status(fresh: Any) -> Any:
    User, Project = fresh("User", "Project")

    class UserProjects(fresh.Base):
        status = CharField(null=True)

    User.has_many(Project, through=UserProjects)
    Project.has_many(User, through=UserProjects)
    sync(fresh.db)
    return User, Project, UserProjects


def test_attributes_by_property_and_by_argument(fresh: Any) -> None:
    """Q31, Q32: a property on the object, which is the stored row afterwards; the second argument; unknown ones raise."""
    User, Project, UserProjects = with_status(fresh)
    u, project, other = User.create(), Project.create(title="p"), Project.create(title="q")
    project.user_projects = {"status": "active"}
    assert u.add_project(project) == 1
    assert UserProjects.get().status == "active"
    assert isinstance(project.user_projects, UserProjects)
    assert u.add_project(project, {"status": "paused"}) == 0
    assert UserProjects.get().status == "paused"
    assert u.add_project(project, through={"status": "active"}) == 0
    u.add_project(project)
    assert UserProjects.get().status == "active"
    with pytest.raises(activeassoc.AssociationError, match="status"):
        u.add_project(other, {"stauts": "x"})
    assert UserProjects.select().count() == 1


def test_the_argument_is_the_default_and_the_property_wins(fresh: Any) -> None:
    """Q33: also as a mapping of targets, or pairs; kept links keep theirs."""
    User, Project, UserProjects = with_status(fresh)
    u, project1, project2 = User.create(), Project.create(title="q"), Project.create(title="r")
    project1.user_projects = {"status": "inactive"}
    assert u.set_projects([project1, project2], {"status": "active"}) == [project1, project2]
    assert {(link.project_id, link.status) for link in UserProjects.select()} == {
        (project1.id, "inactive"),
        (project2.id, "active"),
    }
    u.set_projects({project1: {"status": "x"}, project2: {}})
    u.set_projects([(project1, {"status": "x"}), (project2, {})])
    u.set_projects([project1, project2])
    assert UserProjects.get(UserProjects.project == project1).status == "x"


def test_the_fetched_join_row_is_a_record(fresh: Any) -> None:
    """Q34, Q35: it can be saved; only some of its attributes can be read."""
    User, Project, UserProjects = with_status(fresh)
    u, made = User.create(), Project.create(title="q")
    u.add_project(made, {"status": "x"})
    project = u.get_projects(where=Project.title == "q")[0]
    assert project.user_projects.status == "x"
    assert isinstance(project.user_projects, UserProjects)
    assert (project.user_projects.user_id, project.user_projects.project_id) == (u.id, project.id)
    project.user_projects.status = "done"
    project.user_projects.save()
    assert u.get_projects(through_where=UserProjects.status == "done") == [project]
    some = u.get_projects(attributes=["title"], join_attributes=["status"])[0]
    assert set(some.__data__) == {"id", "title"}
    assert some.user_projects.status == "done"
    assert not hasattr(u.get_projects(join_attributes=[])[0], "user_projects")
    assert u.create_project({"title": "n"}, through={"status": "new"}).user_projects.status == "new"


# Checking


def test_has(fresh: Any) -> None:
    """Q36, Q37: has_user before and after add_user; has_users asks for exactly these."""
    Project, User = fresh("Project", "User")
    Project.has_many(User)
    User.has_many(Project)
    sync(fresh.db)
    project, user1, user2, user3 = Project.create(), User.create(), User.create(), User.create()
    assert project.has_user(user1) is False
    project.add_user(user1)
    assert project.has_user(user1) is True is project.has_user(user1.id)
    project.set_users([user1, user2])
    assert project.has_users([user1]) is False
    assert project.has_users([user2.id, user1]) is True
    assert project.has_users([user1, user2, user3]) is False
    assert project.has_users([user1], exact=False)
    assert project.has_user([user1])
    assert project.has_users([user1, user1, user2])
    assert not project.has_users([])
    with assert_queries(1 if store_of(fresh.db).joins else 3):
        project.has_users([user1, user2])
    project.set_users([])
    assert project.has_users([])
    assert project.has_users([], exact=False)
    assert not project.has_user(user1)


# Foreign keys


@pytest.mark.needs("constraints")
def test_constraints_are_automatic(fresh: Any) -> None:
    """Q38, Q39: one column, one real constraint, parents first; saying the defaults is no contradiction."""
    Base = fresh.on()

    class Task(Base):
        title = CharField()

    class User(Base):
        username = CharField()

    User.has_many(Task)
    Task.belongs_to(User)
    plan = str(sync(fresh.db, dry_run=True))
    quote = fresh.db.quote[0]
    assert plan.index(f"{quote}user{quote}") < plan.index(f"{quote}task{quote}")
    assert not fresh.db.get_tables()
    sync(fresh.db)
    assert not sync(fresh.db)
    assert cols(User) == {"id", "username"}
    assert cols(Task) == {"id", "title", "user_id"}
    assert keys(Task) == {("user_id", "user", "id", "SET NULL", "CASCADE")}
    with pytest.raises(IntegrityError), fresh.db.atomic():
        Task.create(title="t", user=999)
    user = User.create(username="a")
    task = user.create_task(title="t")
    user.delete_instance()
    assert Task.get_by_id(task.id).user_id is None
    assert User.has_many(Task, on_delete="SET NULL", on_update="CASCADE") is User.associations["tasks"]
    with pytest.raises(activeassoc.AssociationError) as error:
        User.has_many(Task, on_delete="RESTRICT")
    assert str(error.value) == (
        "User.has_many(Task, on_delete='RESTRICT'): of the key 'user_id' it says on_delete='RESTRICT', and "
        "User.has_many(Task, on_delete='SET NULL', on_update='CASCADE') says on_delete='SET NULL'. Make them agree, or say it once."
    )
    user = User.create(username="b")
    task = user.create_task(title="t")
    User.update(id=77).where(User.id == user.id).execute()
    assert Task.get_by_id(task.id).user_id == 77


@pytest.mark.parametrize("rule", ["RESTRICT", "CASCADE", "NO ACTION", "SET DEFAULT", "SET NULL", "cascade", "set null"])
def test_the_five_rules(fresh: Any, rule: str) -> None:
    """Q40: each on both clauses, in any case; MariaDB, which would keep SET DEFAULT as RESTRICT, refuses it in sync."""
    User, Task = fresh("User", "Task")
    User.has_many(Task, on_delete=rule, on_update=rule)
    if rule == "SET DEFAULT" and isinstance(fresh.db, peewee.MySQLDatabase):
        with pytest.raises(activeassoc.AssociationError, match="SET DEFAULT"):
            sync(fresh.db)
        return
    sync(fresh.db)
    assert keys(Task) == {("user_id", "user", "id", rule.upper(), rule.upper())}
    user = User.create()
    user.create_task()
    if rule in ("RESTRICT", "NO ACTION"):
        with pytest.raises(IntegrityError), fresh.db.atomic():
            user.delete_instance()
    else:
        user.delete_instance()
        assert Task.select().count() == (0 if rule.upper() == "CASCADE" else 1)


@pytest.mark.parametrize("options", [{"on_delete": "EXPLODE"}, {"on_update": "SET NUL"}, {"on_delete": "SET NULL", "null": False}])
def test_rules_that_are_none(fresh: Any, options: Any) -> None:
    """Q40: anything else, and SET NULL on a NOT NULL key, raises at declaration."""
    Task = fresh("Task")
    with pytest.raises(ValueError):
        Task.belongs_to("User", **options)
    assert not Task.associations


def test_references_without_constraints(fresh: Any) -> None:
    """Q41, Q42, Q43: columns that point to a table and nothing more; associations use them later, still without a constraint."""
    Base = fresh.on()

    class Series(Base):
        title = CharField()
        sub_title = CharField(null=True)
        description = TextField(null=True)
        trainer_id = ReferenceField("Trainer", key="id")

    class Trainer(Base):
        first_name = CharField()
        last_name = CharField()

    class Video(Base):
        title = CharField()
        sequence = IntegerField()
        description = TextField(null=True)
        series_id = ReferenceField(Series, key="id")

    assert not Series.associations
    assert not Video.associations
    sync(fresh.db)
    assert keys(Series) == keys(Video) == set()
    assert cols(Series) == {"id", "title", "sub_title", "description", "trainer_id"}
    series = Series.create(title="s", trainer_id=999)
    assert series.trainer_id == 999  # dangling is allowed; the attribute is the key
    Series.has_one(Video)
    Trainer.has_many(Series)
    assert not sync(fresh.db)
    assert keys(Series) == keys(Video) == set()
    assert len(cols(Series)) == 5 == len(cols(Video))
    trainer = Trainer.create(first_name="T", last_name="R")
    video = Video.create(title="v", sequence=1)
    series.set_video(video)
    assert video.series_id == series.id
    assert series.get_video() == video
    assert has(Trainer, "get_series count_series set_series add_series remove_series has_series create_series")
    assert lacks(Trainer, "get_serieses add_serie")
    assert trainer.add_series(series) == 1
    assert trainer.get_series() == [series]
    assert series.trainer_id == trainer.id
    assert trainer.has_series(series)
    trainer.delete_instance()
    assert Series.get_by_id(series.id).trainer_id == series.trainer_id  # no constraint, no rule: the key dangles


def test_references_by_table_key_and_type(fresh: Any) -> None:
    """Q44: the string may be the table's name; `key` another key, `field` another type."""
    Base = fresh.on()

    class Trainer(Base):
        code = CharField(unique=True, max_length=12)

    class Series(Base):
        trainer_id = ReferenceField("trainer")
        trainer_code = ReferenceField(Trainer, key="code")
        big_id = ReferenceField("Trainer", field=peewee.BigIntegerField)
        elsewhere_id = ReferenceField("a_table_without_a_model", field=peewee.BigIntegerField)

    sync(fresh.db)
    if store_of(fresh.db).columns:
        columns = {column.name: column.full_type.lower() for column in fresh.db.get_columns("series")}
        assert "int" in columns["trainer_id"]
        assert "12" in columns["trainer_code"]
        assert "bigint" in columns["big_id"] or columns["big_id"] == "integer"
    series = Series.create(trainer_id=7, trainer_code="abc", big_id=2**40, elsewhere_id=1)
    assert Series.get_by_id(series.id).big_id == 2**40
    assert Series.select().where(Series.trainer_id == 7).get() == series

"""Through models: their keys, join attributes when linking and when reading, symmetric links, keys of every kind."""

from __future__ import annotations

import uuid
from typing import Any

import peewee
import pytest
from accessing import ids, model, refused, rows
from looking import cols, keys, pk, together
from peewee import CharField, ForeignKeyField, IntegerField

from activeassoc import AssociationError, MissingValue, UnknownName, WrongArgument, WrongTarget, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def linked(fresh: Any, link: Any = None, **options: Any) -> Any:
    """Project and User linked through Link, which has a status and a rank."""
    fresh.on()
    Project, User = model(fresh, "Project", title=CharField(null=True)), model(fresh, "User", name=CharField(null=True))
    Link = model(fresh, "Link", **(link or {"status": CharField(default="new"), "rank": IntegerField(null=True)}))
    Project.has_many(User, through=Link, **options)
    User.has_many(Project, through=Link, **options)
    sync(fresh.db)
    return Project, User, Link


def test_the_pair_is_the_key(fresh: Any) -> None:
    """D1: where nobody wrote a primary key the pair is it, and no id remains; a new link's save inserts."""
    Project, User, Link = linked(fresh)
    assert pk(Link) == {"project_id", "user_id"}
    assert cols(Link) == {"project_id", "user_id", "status", "rank"}
    project, user = Project.create(), User.create()
    link = Link(project=project, user=user, status="x")
    assert link.save() == 1
    assert project.get_users()[0].link.status == "x"
    link.status = "y"
    assert link.save() == 1
    assert link.save() == 0
    assert Link.select().count() == 1
    assert link.delete_instance() == 1
    assert project.get_users() == []


def test_the_pair_beside_a_key(fresh: Any) -> None:
    """D1: a key that is declared, also by a base, or that something refers to, stays, and the pair gets a unique index."""
    Project, User, Link = linked(fresh, {"code": peewee.AutoField(), "status": CharField(default="new")})
    assert pk(Link) == {"code"}
    project, user = Project.create(), User.create()
    assert project.add_user(user) == 1
    assert project.add_user(user) == 0
    with refused(peewee.IntegrityError, None, [Link]), fresh.db.atomic():
        Link.create(project=project, user=user)
    assert project.get_users()[0].link.code is not None
    assert project.set_users({user: {"status": "x"}}) == [user]
    assert Link.get().status == "x"


def test_something_refers_to_the_links_id(fresh: Any) -> None:
    """D1, D6: a through model has associations of its own: its id stays where something refers to it."""
    fresh.on()
    Project, User = model(fresh, "Project", title=CharField(null=True)), model(fresh, "User", name=CharField(null=True))
    Membership, Note = model(fresh, "Membership", role=CharField(null=True)), model(fresh, "Note", text=CharField(null=True))
    Membership.has_many(Note)
    Project.has_many(User, through=Membership)
    Project.has_many(Membership)
    Membership.belongs_to(Project)
    Membership.belongs_to(User)
    sync(fresh.db)
    assert pk(Membership) == {"id"}
    project, user = Project.create(), User.create()
    project.add_user(user)
    link = project.get_users()[0].membership
    note = link.create_note(text="x")
    assert link.get_notes() == [note]
    assert project.get_memberships() == [link]
    assert list(project.memberships) == [link]
    project.add_user(other := User.create())
    assert len(project.memberships) == 2
    assert project.memberships[1].get_user() == other
    project.remove_user(other)
    assert project.memberships == [link]
    assert link.user == user


def test_repeats(fresh: Any) -> None:
    """D1: unique=False allows repeats: add then always inserts, get lists a target once per link."""
    Project, User, Link = linked(fresh, {"day": IntegerField(null=True)}, unique=False)
    project, user, other = Project.create(), User.create(), User.create()
    assert project.add_user(user, {"day": 1}) == 1
    assert project.add_user(user, {"day": 2}) == 1
    assert user.link.day == 2
    assert project.add_users([user, other], {"day": 3}) == 2
    assert ids(project.get_users()) == [user.id, user.id, user.id, other.id]
    assert sorted(each.link.day for each in project.get_users()) == [1, 2, 3, 3]
    assert project.count_users() == 4
    assert project.has_users([user, other]) is True
    assert project.has_users([user]) is False
    assert project.has_user([user, other]) is True
    assert project.set_users([user]) == [user]
    assert project.count_users() == 3
    assert project.remove_user(user) == 3
    assert Link.select().count() == 0


@pytest.mark.needs("constraints")
def test_keys_of_links(fresh: Any) -> None:
    """D2: NOT NULL, ON DELETE CASCADE, ON UPDATE CASCADE, also where an earlier has_many(Link) had added one of them."""
    fresh.on()
    Project, User, Link = (model(fresh, name, title=CharField(null=True)) for name in ("Project", "User", "Link"))
    Project.has_many(Link)
    Project.has_many(User, through=Link)
    sync(fresh.db)
    assert keys(Link) == {("project_id", "project", "id", "CASCADE", "CASCADE"), ("user_id", "user", "id", "CASCADE", "CASCADE")}
    project, user, other = Project.create(), User.create(), User.create()
    project.set_users([user, other])
    user.delete_instance()
    assert project.get_users() == [other]
    project.delete_instance()
    assert Link.select().count() == 0
    assert User.select().count() == 1


def test_attributes_for_all(fresh: Any) -> None:
    """D3: a mapping for all, as the second argument or as through=; defaults of the fields apply."""
    Project, User, Link = linked(fresh)
    project, users = Project.create(), [User.create() for _ in range(3)]
    assert project.add_user(users[0], {"status": "active"}) == 1
    assert project.add_user(users[1], through={"rank": 2}) == 1
    assert project.add_user(users[2]) == 1
    assert [(each.link.status, each.link.rank) for each in project.get_users()] == [("active", None), ("new", 2), ("new", None)]
    text = "Project.add_user(): the attributes of the link are given twice. Give them as the second argument or as through=."
    with refused(WrongArgument, text, [Link], *users):
        project.add_user(users[0], {"status": "x"}, through={"status": "x"})
    text = 'Project.add_user(): the attributes of the link are \'x\', which is no mapping. Write {"status": "active"}, or leave them out.'
    with refused(WrongArgument, text, [Link], *users):
        project.add_user(users[0], "x")


def test_attributes_per_record(fresh: Any) -> None:
    """D3: mapping of targets > property > default; on success the name holds the stored row."""
    Project, User, Link = linked(fresh)
    p, q, r = Project.create(), Project.create(), Project.create()
    user = User.create()
    p.link = {"status": "inactive"}
    user.set_projects([p, q], {"status": "active"})
    assert {each.id: each.link.status for each in user.get_projects()} == {p.id: "inactive", q.id: "active"}
    assert isinstance(p.link, Link)
    assert p.link.status == "inactive"
    user.set_projects([p, q], {"status": "all"})  # a stored row is no mapping
    assert {each.link.status for each in user.get_projects()} == {"all"}
    p.link = {"status": "property", "rank": 1}
    user.set_projects({p: {"status": "mapping"}, q.id: {}, r: {"rank": 3}}, {"status": "default"})
    found = {each.id: (each.link.status, each.link.rank) for each in user.get_projects()}
    assert found == {p.id: ("mapping", 1), q.id: ("default", None), r.id: ("default", 3)}
    assert (p.link.status, p.link.rank) == ("mapping", 1)
    user.add_projects([(q, {"rank": 9}), r])
    assert {each.id: each.link.rank for each in user.get_projects()} == {p.id: 1, q.id: 9, r.id: 3}
    q.link = {"status": "kept"}
    with refused(LookupError, None, [Link], user, q):
        user.add_projects([q, 99])
    assert q.link == {"status": "kept"}
    assert user.add_project(q) == 0
    assert q.link.status == "kept"


def test_unknown_attributes(fresh: Any) -> None:
    """D3: an unknown attribute raises and lists the known ones; the keys are no attributes."""
    Project, User, Link = linked(fresh)
    project, user = Project.create(), User.create()
    text = "Project.add_user(): Link has no attribute 'statuss'. Did you mean 'status'. It has status, rank."
    with refused(UnknownName, text, [Link], user) as caught:
        project.add_user(user, {"statuss": "x"})
    assert caught.value.known == ["status", "rank"]
    user.link = {"statuss": "x"}
    for call in (
        lambda: project.set_users([user]),
        lambda: project.set_users({user: {"user_id": 3}}),
        lambda: project.create_user(through={"project": 1}),
    ):
        with refused(UnknownName, None, [Link, User], user):
            call()
    del user.link
    text = f"Project.set_users(): the attributes of {user!r} are 3. Give a mapping of attribute names to values."
    with refused(WrongTarget, text, [Link], user):
        project.set_users({user: 3})


def test_required_attributes(fresh: Any) -> None:
    """D3: NOT NULL fields of the through model must be given; the error names them before anything is written."""
    Project, User, Link = linked(fresh, {"status": CharField(), "rank": IntegerField(), "note": CharField(null=True)})
    project, user = Project.create(), User.create()
    text = "Project.add_user(): each Link needs status, rank, and nothing gives it. Give it with the link, as in {'status': …}."
    with refused(MissingValue, text, [Link, User], project, user) as caught:
        project.add_user(user)
    assert caught.value.fields == ["status", "rank"]
    with refused(MissingValue, None, [Link, User], project):
        project.create_user(name="x")
    with refused(MissingValue, None, [Link, User], project):
        project.set_users([User()], {"status": "x"})
    with refused(MissingValue, None, [Link, User], project):
        project.add_users([User(), user], {"rank": 1})
    assert project.add_user(user, {"status": "x", "rank": 1}) == 1
    assert project.add_user(user) == 0
    assert project.set_users([user]) == [user]


def test_callable_defaults_are_called_for_each(fresh: Any) -> None:
    """D3: a default that is a function is called for each link."""
    Project, User, Link = linked(fresh, {"token": peewee.UUIDField(default=uuid.uuid4)})
    project = Project.create()
    project.add_users([User.create(), User.create()])
    assert len({link.token for link in Link.select()}) == 2


def test_many_changed_attributes(fresh: Any) -> None:
    """D3, C8: different changes of many links; NULLs, and expressions of the database."""
    Project, User, Link = linked(fresh)
    project, users = Project.create(), [User.create() for _ in range(4)]
    project.set_users(users, {"rank": 1})
    project.set_users(
        {
            users[0]: {"status": "a"},
            users[1]: {"rank": None},
            users[2]: {"status": "b", "rank": 5},
            users[3]: {"rank": Link.rank + 9},
        }
    )
    found = [(each.link.status, each.link.rank) for each in project.get_users()]
    assert found == [("a", 1), ("new", None), ("b", 5), ("new", 10)]
    assert [(user.link.status, user.link.rank) for user in users] == found


def test_join_rows(fresh: Any) -> None:
    """D4: fetched targets carry their join row, which can be saved; without changes a no-op; changing its keys raises."""
    Project, User, Link = linked(fresh)
    project, other, user = Project.create(), Project.create(), User.create()
    project.add_user(user, {"status": "a"})
    with assert_queries(1 if store_of(fresh.db).joins else 2):
        fetched = project.get_users()[0]
        assert type(fetched.link) is Link
        assert (fetched.link.status, fetched.link.user_id, fetched.link.project_id) == ("a", user.id, project.id)
        assert fetched.link is fetched.link
    with assert_queries(0):
        assert fetched.link.save() == 0
    fetched.link.status = "b"
    with assert_queries(1):
        assert fetched.link.save() == 1
    assert Link.get().status == "b"
    fetched.link.project = other
    text = (
        "Link.save() with changed project: the row is found by these, and under the new ones it is another row. "
        "Remove the old link and add the new one."
    )
    with refused(AssociationError, text, [Link]):
        fetched.link.save()


def test_join_rows_with_a_key_of_their_own(fresh: Any) -> None:
    """D4: also where the link has an id, changing a key of a fetched join row raises."""
    Project, User, Link = linked(fresh, {"code": peewee.AutoField(), "status": CharField(default="new")})
    project, other, user = Project.create(), Project.create(), User.create()
    project.add_user(user)
    link = project.get_users()[0].link
    link.status = "x"
    assert link.save() == 1
    assert link.save() == 0
    link.project = other
    with refused(AssociationError, None, [Link]):
        link.save()


def test_join_attributes(fresh: Any) -> None:
    """D4: join_attributes limits what is read beyond the keys; [] leaves the row out."""
    Project, User, Link = linked(fresh)
    project, user = Project.create(), User.create()
    project.add_user(user, {"status": "a", "rank": 1})
    link = project.get_users(join_attributes=["status"])[0].link
    assert link.__data__ == {"status": "a", "project": project.id, "user": user.id}
    link.status = "b"
    assert link.save() == 1
    assert (Link.get().status, Link.get().rank) == ("b", 1)
    assert project.get_users(join_attributes=Link.rank)[0].link.rank == 1
    bare = project.get_users(join_attributes=[])[0]
    assert not hasattr(bare, "link")
    text = "Project.get_users(): Link has no field 'statuss' for join_attributes. Did you mean 'status'."
    with refused(UnknownName, text, [Link]):
        project.get_users(join_attributes=["statuss"])


def test_two_owners_of_one_record(fresh: Any) -> None:
    """D5: the same target reached by two owners is two instances, each with its own join row."""
    Project, User, Link = linked(fresh)
    p, q, user = Project.create(), Project.create(), User.create()
    p.add_user(user, {"status": "p"})
    q.add_user(user, {"status": "q"})
    reached = Project.users.reach([p, q])
    assert [reached[each][0].link.status for each in (p, q)] == ["p", "q"]
    assert reached[p][0] is not reached[q][0]
    assert Link.select().count() == 2


def friends(fresh: Any, **fields: Any) -> Any:
    fresh.on()
    Person = model(fresh, "Person", name=CharField(null=True), **fields)
    Friendship = model(fresh, "Friendship", since=IntegerField(null=True))
    Person.belongs_to_many(Person, as_="friends", through=Friendship, symmetric=True)
    sync(fresh.db)
    return Person, Friendship


@pytest.mark.parametrize("kind", ["integer", "uuid", "text"])
def test_symmetric(fresh: Any, kind: str) -> None:
    """D7, D8: one link per unordered pair, seen from both, with keys of every kind."""
    fields = {
        "integer": {},
        "uuid": {"id": peewee.UUIDField(primary_key=True, default=uuid.uuid4)},
        "text": {"id": CharField(20, primary_key=True)},
    }[kind]
    Person, Friendship = friends(fresh, **fields)
    given = [{"id": key} for key in ("é", "b", "Ba")] if kind == "text" else [{}, {}, {}]
    ann, bob, cid = [Person.create(name=name, **own) for name, own in zip(("ann", "bob", "cid"), given, strict=True)]
    assert ann.add_friend(bob, {"since": 1}) == 1
    assert bob.add_friend(ann) == 0
    assert bob.add_friend(ann, {"since": 2}) == 0
    assert Friendship.select().count() == 1
    assert ann.get_friends() == [bob]
    assert bob.get_friends() == [ann]
    assert ann.get_friends()[0].friendship.since == 2
    assert bob.get_friends()[0].friendship.since == 2
    assert bob.set_friends([cid, ann]) == [cid, ann]
    assert Friendship.select().count() == 2
    assert {each.id for each in bob.get_friends()} == {ann.id, cid.id}
    assert cid.has_friends([bob]) is True
    assert (ann.count_friends(), bob.count_friends(), cid.count_friends()) == (1, 2, 1)
    reached = Person.friends.reach([ann, bob, cid])
    assert {person.name: {each.name for each in found} for person, found in reached.items()} == {
        "ann": {"bob"},
        "bob": {"ann", "cid"},
        "cid": {"bob"},
    }
    assert ann.remove_friend(bob) == 1
    assert bob.get_friends() == [cid]
    assert cid.set_friends([]) == []
    assert Friendship.select().count() == 0
    assert list(bob.friends) == []
    if kind == "uuid":
        same = Person.create(id=str(uuid.uuid4()))
        assert same.add_friend(ann) == 1
        assert ann.add_friend(same) == 0
        assert Friendship.select().count() == 1


def test_symmetric_memory(fresh: Any) -> None:
    """D7, C12: both ends' loaded collections tell what is stored."""
    Person, _ = friends(fresh)
    ann, bob = Person.create(), Person.create()
    assert list(ann.friends) == []
    assert list(bob.friends) == []
    ann.add_friend(bob)
    assert list(ann.friends) == [bob]
    assert list(bob.friends) == [ann]
    assert bob.remove_friend(ann) == 1
    assert list(ann.friends) == []
    assert list(bob.friends) == []


def test_two_threads_befriend_each_other(fresh: Any) -> None:
    """D7, C16: from both sides at once, and one link exists."""
    Person, Friendship = friends(fresh)
    for _ in range(5):
        ann, bob = Person.create(), Person.create()
        results = together(fresh.db, lambda a=ann, b=bob: a.add_friend(b), lambda a=ann, b=bob: b.add_friend(a.id))
        assert sorted(results) == [0, 1], results
        assert Friendship.select().where((Friendship.person == ann) | (Friendship.person == bob)).count() == 1


@pytest.mark.parametrize("order", ["through first", "through last"])
def test_uuid_and_text_keys(fresh: Any, order: str) -> None:
    """D8: UUID and string keys on either side, renamed columns, a through model declared before or after."""
    fresh.on()
    made: dict[str, Any] = {}

    def through() -> None:
        made["Role"] = model(fresh, "Role", level=IntegerField(null=True, column_name="lvl"))

    if order == "through first":
        through()
    Team = model(fresh, "Team", key=peewee.UUIDField(primary_key=True, default=uuid.uuid4, column_name="team_key"))
    Player = model(fresh, "Player", code=CharField(10, primary_key=True, column_name="player_code"))
    if order != "through first":
        through()
    Role = made["Role"]
    Team.has_many(Player, through=Role, foreign_key="squad_key")
    Player.has_many(Team, through=Role, other_key="squad_key")
    sync(fresh.db)
    assert "squad_key" in cols(Role)
    assert "lvl" in cols(Role)
    team, a, b = Team.create(), Player.create(code="a"), Player.create(code="b")
    assert team.add_players(["a", b], {"level": 3}) == 2
    assert a.get_teams() == [team]
    assert [player.role.level for player in team.get_players()] == [3, 3]
    assert team.set_players({"b": {"level": 4}}) == [b]
    assert b.get_teams(through_where=Role.level == 4) == [team]
    assert b.has_team(str(team.key))
    assert Player.teams.reach([a, b]) == {a: [], b: [team]}


def test_through_as_a_shared_name(fresh: Any) -> None:
    """D8, B5: through as a string is the table, shared by both sides; a model that has the table is used."""
    fresh.on()
    Actor, Movie = model(fresh, "Actor", name=CharField(null=True)), model(fresh, "Movie", name=CharField(null=True))
    Actor.belongs_to_many(Movie, through="castings")
    Movie.belongs_to_many(Actor, through="castings")
    sync(fresh.db)
    assert Actor.movies.through is Movie.actors.through
    assert "castings" in fresh.db.get_tables()
    actor, movie = Actor.create(), Movie.create()
    actor.add_movie(movie)
    assert movie.get_actors() == [actor]
    assert movie.get_actors()[0].castings.movie_id == movie.id
    assert rows(Actor.movies.through) == {"castings": [(actor.id, movie.id)]}


def test_keys_written_by_hand(fresh: Any) -> None:
    """D1: the two keys are found among the through model's own foreign keys, whatever they are called."""
    fresh.on()
    Student, Course = model(fresh, "Student", name=CharField(null=True)), model(fresh, "Course", name=CharField(null=True))
    pupil, subject = ForeignKeyField(Student, on_delete="CASCADE"), ForeignKeyField(Course, on_delete="CASCADE")
    Enrollment = model(fresh, "Enrollment", pupil=pupil, subject=subject, mark=IntegerField(null=True))
    Student.has_many(Course, through=Enrollment)
    Course.has_many(Student, through=Enrollment)
    sync(fresh.db)
    student, course = Student.create(), Course.create()
    assert student.add_course(course, {"mark": 1}) == 1
    assert course.get_students()[0].enrollment.mark == 1
    assert course.set_students({student: {"mark": 2}}) == [student]
    assert student.get_courses()[0].enrollment.mark == 2


def test_links_to_unique_columns(fresh: Any) -> None:
    """A15, D8: the links refer to unique columns that are not the primary keys."""
    fresh.on()
    Tag = model(fresh, "Tag", word=CharField(20, unique=True), note=CharField(null=True))
    Post = model(fresh, "Post", slug=CharField(20, unique=True))
    Post.has_many(Tag, through="posts_tags", source_key="slug", target_key="word")
    sync(fresh.db)
    post, a, b = Post.create(slug="p"), Tag.create(word="a"), Tag.create(word="b")
    assert post.set_tags([a, b.id]) == [a, b]
    link = Post.tags.through
    assert {(each.post_slug, each.tag_word) for each in link.select()} == {("p", "a"), ("p", "b")}
    assert post.add_tag(Tag(word="c")) == 1
    assert post.remove_tags([a.id, 99]) == 1
    assert post.has_tag([b.id])
    assert [tag.word for tag in post.get_tags(attributes=["id"])] == ["b", "c"]
    partial = Tag.select(Tag.id).where(Tag.id == a.id).get()
    assert post.add_tag(partial) == 1
    assert Post.tags.reach([Post.select(Post.id).get()])[post] == post.get_tags()

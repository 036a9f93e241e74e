"""Diagrams: which boxes and lines there are, how many records their ends tell of, and that no name breaks the text."""

from __future__ import annotations

import re
import shutil

import peewee
import pytest

from activeassoc import AssociationError, Model, ReferenceField, UnknownName, WrongTarget, registry
from activeassoc.graph import FORMATS, graph
from activeassoc.graph.drawing import MANY, MAYBE, ONE, drawing_of
from activeassoc.testing import assert_queries


def lines(*models):
    """The lines of a drawing: left, what is at its end, right, what is at its end, label, whether it is held by a constraint."""
    found = drawing_of(models, True).lines
    return [(each.left.name, each.ends[0], each.right.name, each.ends[1], each.label, each.solid) for each in found]


def boxes(*models):
    return [each.name for each in drawing_of(models, True).boxes]


@pytest.fixture
def on_sqlite(on):
    """New models on SQLite, each with one column `title`: what is drawn is the same on every SQL database."""
    base = on("sqlite")

    def make(*names):
        made = [type(base)(name, (base,), {"title": peewee.CharField(), "__module__": __name__}) for name in names]
        return made[0] if len(made) == 1 else made

    return make


# Lines


def test_a_has_many_and_its_belongs_to_are_one_line(on_sqlite):
    """One line for a pair, whichever side is declared first; the names of the owner's side come first."""
    project, task = on_sqlite("Project", "Task")
    task.belongs_to(project)
    project.has_many(task)
    assert lines(project, task) == [("Project", MAYBE, "Task", MANY, "tasks / project", True)]


def test_one_side_alone_is_a_line(on_sqlite):
    """A declaration without its counterpart has its own name on the line."""
    project, task, note = on_sqlite("Project", "Task", "Note")
    project.has_many(task)
    note.belongs_to(project)
    assert lines(project, task, note) == [
        ("Project", MAYBE, "Task", MANY, "tasks", True),
        ("Project", MAYBE, "Note", MANY, "project", True),
    ]


@pytest.mark.parametrize("options", [{"null": False}, {"null": True}])
def test_a_key_that_may_not_be_null_needs_exactly_one(on_sqlite, options):
    """The end at the record that a key refers to: exactly one where the key is NOT NULL, else one or none."""
    project, task = on_sqlite("Project", "Task")
    project.has_many(task, **options)
    ((_, end, *_),) = lines(project, task)
    assert end == (MAYBE if options["null"] else ONE)


@pytest.mark.parametrize("first", ["has_one", "belongs_to"])
def test_a_has_one_is_one_or_none(on_sqlite, first):
    """The end at the rows that hold the key: one or none for a has_one, in whichever order, and for a unique key."""
    user, profile, card = on_sqlite("User", "Profile", "Card")
    if first == "has_one":
        user.has_one(profile)
    profile.belongs_to(user)
    if first == "belongs_to":
        user.has_one(profile)
    card.belongs_to(user, unique=True)
    assert lines(user, profile, card) == [
        ("User", MAYBE, "Profile", MAYBE, "profile / user", True),
        ("User", MAYBE, "Card", MAYBE, "user", True),
    ]


def test_several_views_of_one_key_are_one_line(on_sqlite):
    """Associations that share a key share its line, and one that is to many makes it many."""
    user, task = on_sqlite("User", "Task")
    user.has_one(task, as_="next_task", foreign_key="user_id")
    user.has_many(task, foreign_key="user_id")
    user.has_many(task, as_="urgent_tasks", foreign_key="user_id", where={"title": "now"})
    task.belongs_to(user)
    assert lines(user, task) == [("User", MAYBE, "Task", MANY, "next_task, tasks, urgent_tasks / user", True)]


def test_two_keys_are_two_lines(on_sqlite):
    """Two keys between the same models are told apart."""
    user, task = on_sqlite("User", "Task")
    user.has_many(task, as_="written", foreign_key="author_id")
    user.has_many(task, as_="tested", foreign_key="tester_id")
    assert [line[4] for line in lines(user, task)] == ["written", "tested"]


def test_a_model_on_itself(on_sqlite):
    """A tree is one line from a box to itself; a symmetric link, and followers with those whom they follow, too."""
    node, user, fish = on_sqlite("Node", "User", "Fish")
    node.has_many(node, as_="children", foreign_key="parent_id")
    node.belongs_to(node, as_="parent", foreign_key="parent_id")
    user.has_many(user, as_="friends", symmetric=True)
    fish.belongs_to_many(fish, as_="prey", through="hunts", foreign_key="hunter_id", other_key="prey_id")
    fish.belongs_to_many(fish, as_="hunters", through="hunts", foreign_key="prey_id", other_key="hunter_id")
    assert lines(node, user, fish) == [
        ("Node", MAYBE, "Node", MANY, "children / parent", True),
        ("User", MANY, "User", MANY, "friends", True),
        ("Fish", MANY, "Fish", MANY, "prey / hunters", True),
    ]


def test_a_many_to_many_is_one_line_with_the_attributes_of_the_link(on_sqlite):
    """The through model that was written stands on the line with its attributes, and has no box; a generated one is not told."""
    project, user, membership, tag = on_sqlite("Project", "User", "Membership", "Tag")
    project.has_many(user, as_="members", through=membership)
    user.has_many(project, through=membership)
    project.has_many(tag)
    tag.has_many(project)
    assert lines(project, user, membership, tag) == [
        ("Project", MANY, "User", MANY, "members / projects [Membership: title]", True),
        ("Project", MANY, "Tag", MANY, "tags / projects", True),
    ]
    assert boxes(project._meta.database) == ["Project", "User", "Tag"]
    assert [line.label for line in drawing_of([project], False).lines] == ["members", "tags"]


def test_a_through_model_with_associations_has_a_box(on_sqlite):
    """What is associated with the link is drawn to it."""
    project, user, membership, badge = on_sqlite("Project", "User", "Membership", "Badge")
    project.has_many(user, through=membership)
    membership.belongs_to(badge)
    assert boxes(project, user, membership, badge) == ["Project", "User", "Membership", "Badge"]
    assert [line[:5] for line in lines(project, user, membership, badge)] == [
        ("Project", MANY, "User", MANY, "users [Membership: title, badge]"),
        ("Badge", MAYBE, "Membership", MANY, "badge"),
    ]


@pytest.mark.skipif(not hasattr(Model, "references_many"), reason="there are no arrays of ids")
def test_an_array_of_ids_is_many_at_both_ends(on_sqlite):
    """A column with the keys of many records, which others may name too; no constraint holds it."""
    post, hashtag = on_sqlite("Post", "Hashtag")
    post.references_many(hashtag)
    assert lines(post, hashtag) == [("Hashtag", MANY, "Post", MANY, "hashtags", False)]


def test_a_key_without_association_is_a_line(on):
    """peewee's own foreign keys and references are drawn under their names; a chain of keys has the type at its end."""
    base = on("sqlite")

    class Person(base):
        name = peewee.CharField(primary_key=True)

    class Writer(base):
        person = peewee.ForeignKeyField(Person, primary_key=True)

    class Book(base):
        writer = peewee.ForeignKeyField(Writer)
        shelf = ReferenceField("Shelf", field=peewee.IntegerField)
        sequel = ReferenceField("self")

    assert lines(Person, Writer, Book) == [
        ("Person", ONE, "Writer", MAYBE, "person", True),
        ("Writer", ONE, "Book", MANY, "writer", True),
        ("Book", MAYBE, "Book", MANY, "sequel", False),
    ]
    assert [column.type for column in drawing_of([Book], True).boxes[0].columns] == ["Auto", "Char", "Integer", "Integer"]


def test_what_no_constraint_holds_is_dashed(on):
    """Without a constraint, and between two databases, the line is dashed; the links' database is told."""
    near, far = on("sqlite"), on("mongodb")
    user = type(near)("User", (near,), {"__module__": __name__})
    task = type(near)("Task", (near,), {"__module__": __name__})
    photo = type(far)("Photo", (far,), {"__module__": __name__})
    like = type(near)("Like", (near,), {"stars": peewee.IntegerField(default=1), "__module__": __name__})
    user.has_many(task, constraints=False)
    user.has_many(photo, as_="uploads")
    user.has_many(photo, as_="favourites", through=like)
    address = near._meta.database.address
    assert [(line[4], line[5]) for line in lines(user, task, photo)] == [
        ("tasks", False),
        ("uploads", False),
        (f"favourites [Like in {address}: stars]", False),
    ]
    drawn = graph(user, task, photo)
    assert 'User |o..o{ Photo : "uploads"' in drawn
    assert f'"{address}":::db1' in drawn and f'"{far._meta.database.address}":::db2' in drawn
    assert "    Photo:::db2 {" in drawn
    assert 'label="uploads", style=dashed' in graph(user, task, photo, format="dot")
    near_fill, far_fill = "#dbeafe", "#dcfce7"
    fills = re.findall(r'fillcolor="(#\w+)"', graph(user, task, photo, format="dot"))
    assert fills == [near_fill, near_fill, far_fill, near_fill, far_fill]  # three models, and the two of the legend


# Boxes


def test_what_is_meant_is_as_in_sync(on_sqlite, monkeypatch):
    """Models, databases, bases; a neighbour that was not asked for is an empty box; nothing means every model."""
    project, task, note = on_sqlite("Project", "Task", "Note")
    project.has_many(task)
    db, base = project._meta.database, project.__mro__[1]
    assert boxes(db) == boxes(base) == boxes(project, task, note) == ["Project", "Task", "Note"]
    assert boxes(task, note, project) == ["Task", "Note", "Project"]
    assert [(box.name, len(box.columns)) for box in drawing_of([project], True).boxes] == [("Project", 2), ("Task", 0)]
    # Every model: without those of other tests, which may be such as cannot be drawn.
    known = {number: each for number, each in registry._models.items() if each() in (base, project, task, note)}
    monkeypatch.setattr(registry, "_models", known)
    assert boxes() == ["Project", "Task", "Note"]
    with assert_queries(0, db):
        graph(db)


def test_columns_have_their_types_and_marks(on):
    """The column's name, the field's type, and whether it is primary key, key, or unique; a key has the type of what it refers to."""
    base = on("sqlite")

    class City(base):
        code = peewee.CharField(primary_key=True)

    class Person(base):
        email = peewee.CharField(unique=True, column_name="E-Mail")
        born = peewee.DateField(null=True)

    Person.belongs_to(City)
    Person.belongs_to(Person, as_="boss")
    drawn = drawing_of([City, Person], True)
    assert [(column.type, column.name, column.marks) for column in drawn.boxes[1].columns] == [
        ("Auto", "id", ("PK",)),
        ("Char", "E-Mail", ("UK",)),
        ("Date", "born", ()),
        ("Char", "city_code", ("FK",)),
        ("Integer", "boss_id", ("FK",)),
    ]
    assert '        Char E_Mail UK "E-Mail"\n' in graph(City, Person)


def test_two_models_of_one_name_are_told_apart(on):
    """Each has a box of its own, under its module's name."""
    base = on("sqlite")
    one = type(base)("Order", (base,), {"__module__": "shop", "__qualname__": "Order"})
    meta = type("Meta", (), {"table_name": "orders_of_monks"})
    other = type(base)("Order", (base,), {"__module__": "monastery", "__qualname__": "Order", "Meta": meta})
    one.belongs_to(other, as_="blessing")
    names = [(box.name, box.title) for box in drawing_of([one, other], False).boxes]
    assert names == [("Order", "shop.Order"), ("Order_2", "monastery.Order")]
    drawn = graph(one, other, attributes=False)
    assert '    Order["shop.Order"]:::db1\n    Order_2["monastery.Order"]:::db1\n' in drawn
    assert '    Order_2 |o--o{ Order : "blessing"\n' in drawn


def test_names_that_mean_something_are_escaped(on):
    """Mermaid's own words, other alphabets, and marks of the languages are drawn as names."""
    base = on("sqlite")
    made = [type(base)(name, (base,), {"__module__": __name__, "__qualname__": name}) for name in ("One", "Straße", 'A"<b>%;\\')]
    drawn = graph(*made, attributes=False)
    assert drawn.splitlines()[2:] == ['    "One":::db1', '    "Straße":::db1', "    \"A'<b>_,/\":::db1"]
    told = graph(*made, format="dot")
    assert '    "A\\"<b>%;\\\\" [' in told
    assert "<B>A&quot;&lt;b&gt;%;\\</B>" in told


def test_no_name_breaks_a_drawing(on, tmp_path):
    """What no picture can show is a blank, what ends a text or begins another is escaped; graphviz draws the rest."""
    base = on("sqlite")
    names = ('"]\n} B { y', "%%{init: {}}%%", "\x00\x1b[31m", "&#quot;")
    columns = {f"c{number}": peewee.CharField(column_name=name) for number, name in enumerate(names)}
    meta = type("Meta", (), {"singular": "x", "plural": "xs"})
    one = type(base)('A"];\n-> B', (base,), {**columns, "Meta": meta, "__module__": __name__})
    two = type(base)("Two", (base,), {"__module__": __name__})
    two.has_many(one, as_="xs")
    drawn = graph(one, two)
    assert [line for line in drawn.splitlines() if not line.startswith(("    ", "erDiagram"))] == []
    assert "    \"A'], -> B\":::db1 {\n" in drawn
    assert "        Char _____B___y \"'] } B { y\"\n" in drawn
    assert '"__{init: {}}__"\n' in drawn
    assert '" [31m"\n' in drawn
    dotted = graph(one, two, format="dot")
    assert all(letter.isprintable() or letter == "\n" for letter in dotted)
    assert '"Two" -> "A\\"]; -> B" [' in dotted
    if shutil.which("dot"):
        assert "&amp;#quot;" in graph(one, two, format="svg")


def test_arrays_of_ids_are_keys_to_many_from_many(on_sqlite):
    """L1: the column is a key, and a line that no constraint holds goes from many to many."""
    post, tag = on_sqlite("Post", "Tag")
    post.references_many(tag)
    assert lines(post, tag) == [("Tag", MANY, "Post", MANY, "tags", False)]
    assert "        KeyList tags FK\n" in graph(post, tag)


def test_a_model_without_database_is_drawn():
    """Where the records will be is not known yet; the diagram is the same."""

    class Sloth(Model):
        pass

    class Tree(Model):
        pass

    Tree.has_many(Sloth)
    assert graph(Tree, Sloth) == (
        "erDiagram\n"
        "    classDef db1 fill:#dbeafe,stroke:#2563eb,color:#111827\n"
        "    Tree:::db1 {\n"
        "        Auto id PK\n"
        "    }\n"
        "    Sloth:::db1 {\n"
        "        Auto id PK\n"
        "        Integer tree_id FK\n"
        "    }\n"
        '    Tree |o--o{ Sloth : "sloths"\n'
    )


# Formats


def test_dot_has_crows_feet(on_sqlite):
    """The ends of a line are graphviz's arrows."""
    user, profile, task, tag = on_sqlite("User", "Profile", "Task", "Tag")
    user.has_one(profile, null=False)
    user.has_many(task)
    task.belongs_to_many(tag)
    drawn = graph(user, profile, task, tag, format="dot")
    assert '    "User" -> "Profile" [arrowtail=teetee, arrowhead=teeodot, label="profile"];\n' in drawn
    assert '    "User" -> "Task" [arrowtail=teeodot, arrowhead=crowodot, label="tasks"];\n' in drawn
    assert '    "Task" -> "Tag" [arrowtail=crowodot, arrowhead=crowodot, label="tags"];\n' in drawn
    assert '"Task" [fillcolor="#dbeafe", color="#2563eb", label=<<TABLE' in drawn


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_graphviz_draws_it(on_sqlite):
    """svg is text, png is bytes; both have what the models have."""
    project, task = on_sqlite("Project", 'Ta"s<k>&\\n')
    project.has_many(task, as_="tasks")
    svg = graph(project, task, format="svg")
    assert svg.startswith("<?xml") and ">tasks</text>" in svg and "Ta&quot;s&lt;k&gt;&amp;" in svg
    assert graph(project, task, format="png").startswith(b"\x89PNG")


def program(folder, text):
    """A program called `dot`, first on the path."""
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_what_graphviz_is_given_and_what_it_says(on_sqlite, tmp_path, monkeypatch):
    """The program `dot` of the path gets the text and the format; where it fails, its words are told."""
    tree = on_sqlite("Tree")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program(tmp_path, 'echo "$1"; cat')
    assert graph(tree, format="svg") == f"-Tsvg\n{graph(tree, format='dot')}"
    program(tmp_path, "cat > /dev/null; echo 'Error: no fonts.' >&2; exit 1")
    with pytest.raises(AssociationError) as caught:
        graph(tree, format="png")
    told = "graph(format='png'): graphviz failed: Error: no fonts. Look at format='dot', which is what it was given."
    assert str(caught.value) == told


def test_without_graphviz_it_says_what_to_do(on_sqlite, tmp_path, monkeypatch):
    """svg and png need its program: how to get it, or what to take instead."""
    tree = on_sqlite("Tree")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssociationError) as caught:
        graph(tree, format="svg")
    assert str(caught.value) == (
        "graph(format='svg'): graphviz draws it, and its program dot is not installed. "
        "Install graphviz (apt install graphviz, brew install graphviz), or take format='mermaid'."
    )


def test_what_cannot_be_drawn_is_refused(on_sqlite):
    """Another format, and what is neither model nor database."""
    tree = on_sqlite("Tree")
    with pytest.raises(UnknownName) as unknown:
        graph(tree, format="mermade")
    assert str(unknown.value) == "graph(format='mermade'): there is no such format. Did you mean 'mermaid'."
    assert unknown.value.known == [*FORMATS]
    with pytest.raises(WrongTarget) as wrong:
        graph([tree])
    assert str(wrong.value) == f"graph({[tree]!r}): a database or a model was expected. Write graph(*models)."
    with pytest.raises(WrongTarget) as wrong:
        graph("Tree")
    assert str(wrong.value) == "graph('Tree'): a database or a model was expected. Write graph(db) or graph(User, Task)."

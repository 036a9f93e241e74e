"""A library as a REST API: authors, books, readers, and loans with a date. No set-up: the database is SQLite, in a temporary folder.

    pip install 'activeassoc[rest]'
    python examples/api.py           # serves it: open http://127.0.0.1:8000/docs
    python examples/api.py --show    # prints a few requests and their answers instead
"""

import json
import sys
import tempfile

from peewee import CharField, DateField, IntegerField

from activeassoc import Model, connect, sync
from activeassoc.rest import create_app

folder = tempfile.TemporaryDirectory()
db = connect(f"sqlite:///{folder.name}/library.db")


class Base(Model):
    class Meta:
        database = db


class Author(Base):
    name = CharField()


class Book(Base):
    title = CharField()
    year = IntegerField(null=True)


class Reader(Base):
    name = CharField()
    email = CharField(unique=True)
    pin = CharField(default="0000")

    class Meta:
        rest = {"excluded": ["pin"], "read_only": ["pin"]}  # no request reads or writes it


class Loan(Base):  # the link of a reader and a book
    due = DateField(null=True)


Author.has_many(Book)
Book.belongs_to(Author)
Reader.has_many(Book, as_="loans", through=Loan)
Book.has_many(Reader, through=Loan)
sync(db)

lem = Author.create(name="Stanisław Lem")
solaris, fiasco = lem.create_book(title="Solaris", year=1961), lem.create_book(title="Fiasco", year=1986)
ann = Reader.create(name="Ann", email="ann@example.org")
ann.add_loan(solaris, {"due": "2030-01-31"})

app = create_app(Author, Book, Reader)


def show() -> None:
    """A few requests, as a client makes them."""
    from fastapi.testclient import TestClient

    http = TestClient(app)
    for method, path, body in [
        ("GET", "/author?$embed=books&$select=name", None),
        ("GET", "/book?$sort=-year&$limit=1&$select=title", None),
        ("GET", "/book?$term=sol&author=1", None),
        ("POST", "/reader", {"name": "Bob", "email": "bob@example.org"}),
        ("POST", "/reader", {"name": "Bob", "email": "bob@example.org"}),
        ("POST", "/reader/2/loan", [{"childId": 2, "due": "2030-02-28"}]),
        ("GET", "/reader/2/loan?$select=title", None),
        ("GET", "/reader/2?$embed=loans&$select=name", None),
        ("GET", "/reader?pin=0000", None),
        ("DELETE", "/reader/2/loan/2", None),
    ]:
        answer = http.request(method, path, json=body)
        print(method, path, *([json.dumps(body)] if body is not None else []))
        print(" ", answer.status_code, answer.text)


if __name__ == "__main__":
    if "--show" in sys.argv:
        show()
    else:
        import uvicorn

        uvicorn.run(app, host="127.0.0.1", port=8000)
    db.close()
    folder.cleanup()

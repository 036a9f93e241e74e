"""A library as a REST API: authors, books, readers, and loans with a date. No set-up: the database is SQLite, in a temporary folder.

    pip install 'activeassoc[rest]'
    python examples/api.py           # serves it: open http://127.0.0.1:8000/docs
    python examples/api.py --show    # prints a few requests and their answers instead
"""

import json
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection

import uvicorn
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


REQUESTS = [
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
]


def show() -> None:
    """A few requests, as a client makes them, and their answers."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    http = HTTPConnection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
    for method, path, body in REQUESTS:
        sent = None if body is None else json.dumps(body)
        http.request(method, path, sent, {"content-type": "application/json"})
        answer = http.getresponse()
        print(method, path, *([sent] if sent else []))
        print(" ", answer.status, answer.read().decode())
    http.close()
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    if "--show" in sys.argv:
        show()
    else:
        uvicorn.run(app, host="127.0.0.1", port=8000)
    db.close()
    folder.cleanup()

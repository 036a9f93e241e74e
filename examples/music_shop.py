"""Associations for a database that exists: Chinook, a digital music shop, with its names as they stand in the file.

    python examples/music_shop.py chinook.sqlite

Nothing is created: the tables are there, and the associations use their columns. The report only reads; `plays_in` and
`hand_over` are what writing looks like.
"""

from __future__ import annotations

import sys
from decimal import Decimal

from peewee import AutoField, CharField, DatabaseProxy, DecimalField, IntegerField

from activeassoc import Model, connect

db = DatabaseProxy()


class Base(Model):
    class Meta:
        database = db


class Artist(Base):
    id = AutoField(column_name="ArtistId")
    name = CharField(column_name="Name", null=True)

    class Meta:
        table_name = "Artist"


class Album(Base):
    id = AutoField(column_name="AlbumId")
    title = CharField(column_name="Title")

    class Meta:
        table_name = "Album"


class Track(Base):
    id = AutoField(column_name="TrackId")
    name = CharField(column_name="Name")
    milliseconds = IntegerField(column_name="Milliseconds")
    unit_price = DecimalField(column_name="UnitPrice", max_digits=10, decimal_places=2)

    class Meta:
        table_name = "Track"


class Playlist(Base):
    id = AutoField(column_name="PlaylistId")
    name = CharField(column_name="Name", null=True)

    class Meta:
        table_name = "Playlist"


class PlaylistTrack(Base):
    class Meta:
        table_name = "PlaylistTrack"


class Employee(Base):
    id = AutoField(column_name="EmployeeId")
    first_name = CharField(column_name="FirstName")
    last_name = CharField(column_name="LastName")
    title = CharField(column_name="Title", null=True)

    class Meta:
        table_name = "Employee"


class Customer(Base):
    id = AutoField(column_name="CustomerId")
    first_name = CharField(column_name="FirstName")
    last_name = CharField(column_name="LastName")
    email = CharField(column_name="Email")

    class Meta:
        table_name = "Customer"


class Invoice(Base):
    id = AutoField(column_name="InvoiceId")
    total = DecimalField(column_name="Total", max_digits=10, decimal_places=2)

    class Meta:
        table_name = "Invoice"


Artist.has_many(Album, foreign_key="ArtistId", null=False)
Album.belongs_to(Artist, foreign_key="ArtistId")
Album.has_many(Track, foreign_key="AlbumId")
Track.belongs_to(Album, foreign_key="AlbumId")

Playlist.has_many(Track, through=PlaylistTrack, foreign_key="PlaylistId", other_key="TrackId")
Track.has_many(Playlist, through=PlaylistTrack, foreign_key="TrackId", other_key="PlaylistId")

Employee.belongs_to("self", as_="manager", foreign_key="ReportsTo")
Employee.has_many("self", as_="reports", foreign_key="ReportsTo", through=None)

Customer.belongs_to(Employee, as_="support_representative", foreign_key="SupportRepId")
Employee.has_many(Customer, foreign_key="SupportRepId")
Customer.has_many(Invoice, foreign_key="CustomerId", null=False)
Invoice.belongs_to(Customer, foreign_key="CustomerId")


def open_shop(path: str) -> None:
    """Use the shop's database at this path."""
    db.initialize(connect(f"sqlite:///{path}"))


def tracks_of(artist: Artist) -> list[Track]:
    """All tracks of an artist, album by album: two queries, however many albums."""
    tracks = Album.tracks.reach(artist.get_albums())
    return [track for album in tracks for track in tracks[album]]


def playlists_with(track: Track) -> list[str]:
    """The names of the playlists that hold a track, each once."""
    return sorted({playlist.name for playlist in track.get_playlists()})


def organisation() -> dict[str, list[str]]:
    """Who reports to whom: each manager's reports by name. Two queries."""
    reports = Employee.reports.reach(Employee.select().order_by(Employee.id))
    return {boss.last_name: [person.last_name for person in people] for boss, people in reports.items() if people}


def revenue(representative: Employee) -> Decimal:
    """What the customers of a representative have paid. Two queries."""
    invoices = Customer.invoices.reach(representative.get_customers())
    return sum((invoice.total for paid in invoices.values() for invoice in paid), Decimal())


def catalogue(*names: str) -> list[Artist]:
    """These artists with their albums, the albums' tracks, and the playlists that hold these: four queries, however many."""
    artists = Artist.select().where(Artist.name.in_(names)).order_by(Artist.name)
    for path in ("albums", "albums.tracks", "albums.tracks.playlists"):
        artists = artists.populate(path, limit=None)
    return list(artists)


def plays_in(track: Track, playlist: Playlist) -> bool:
    """Add a track to a playlist; whether it was not there yet."""
    return playlist.add_track(track) == 1


def hand_over(customer: Customer, representative: Employee) -> None:
    """Give a customer another representative."""
    customer.set_support_representative(representative)


def report() -> None:
    """Print what the shop knows."""
    artist = Artist.get(Artist.name == "AC/DC")
    print(f"{artist.name} has {artist.count_albums()} albums with {len(tracks_of(artist))} tracks.")
    track = artist.get_albums()[0].get_tracks(limit=1)[0]
    print(f"{track.name!r} is in the playlists {', '.join(playlists_with(track))}.")
    for boss, people in organisation().items():
        print(f"{boss}: {', '.join(people)}")
    for representative in Employee.select().where(Employee.title == "Sales Support Agent").order_by(Employee.id):
        print(f"The customers of {representative.first_name} {representative.last_name} have paid {revenue(representative):.2f}.")
    for artist in catalogue("Accept", "Aerosmith"):
        for album in artist.albums:
            playlists = {playlist.name for track in album.tracks for playlist in track.playlists}
            print(f"{artist.name}: {album.title}, {len(album.tracks)} tracks, in {', '.join(sorted(playlists))}.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python music_shop.py chinook.sqlite")
    open_shop(sys.argv[1])
    report()

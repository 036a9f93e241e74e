"""The music shop: associations for a database that exists, checked against plain SQL and against what was written."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activeassoc.testing import assert_queries

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "music_shop.py"


@pytest.fixture
def shop(chinook: Path) -> Iterator[Any]:
    """The example as a module, on a copy of the shop's database."""
    spec = importlib.util.spec_from_file_location("music_shop", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.open_shop(str(chinook))
    yield module
    module.db.close()


@pytest.fixture
def plain(chinook: Path) -> Iterator[Any]:
    """Plain SQL on the same copy: a function from a statement to its rows."""
    connection = sqlite3.connect(chinook)
    yield lambda sql, *values: connection.execute(sql, values).fetchall()
    connection.close()


def test_the_tracks_of_an_artist(shop: Any, plain: Any) -> None:
    """A13: existing columns are the keys; C14: all albums' tracks are reached in one query."""
    for artist in shop.Artist.select().where(shop.Artist.id.in_([1, 22, 90, 275])):
        rows = plain(
            "SELECT TrackId FROM Track JOIN Album USING (AlbumId) WHERE ArtistId = ? ORDER BY Album.AlbumId, TrackId", artist.id
        )
        with assert_queries(2, shop.db.obj):
            tracks = shop.tracks_of(artist)
        assert [track.id for track in tracks] == [key for (key,) in rows]
        assert artist.count_albums() == plain("SELECT COUNT(*) FROM Album WHERE ArtistId = ?", artist.id)[0][0]


def test_the_playlists_of_a_track(shop: Any, plain: Any) -> None:
    """D1: the through model of a table that exists gets its keys from the options; C13: records come by primary key."""
    track = shop.Track.get_by_id(1)
    rows = plain(
        "SELECT PlaylistId, Name FROM Playlist JOIN PlaylistTrack USING (PlaylistId) WHERE TrackId = 1 ORDER BY PlaylistId"
    )
    with assert_queries(1, shop.db.obj):
        playlists = track.get_playlists()
    assert [(playlist.id, playlist.name) for playlist in playlists] == rows
    assert shop.playlists_with(track) == sorted({name for _, name in rows})


def test_who_reports_to_whom(shop: Any, plain: Any) -> None:
    """A8: a tree over the column ReportsTo; B4: where column and field are one word the key is reports_to_id."""
    rows = plain(
        "SELECT b.LastName, e.LastName FROM Employee e JOIN Employee b ON b.EmployeeId = e.ReportsTo ORDER BY b.EmployeeId, e.EmployeeId"
    )
    wanted: dict[str, list[str]] = {}
    for boss, person in rows:
        wanted.setdefault(boss, []).append(person)
    with assert_queries(2, shop.db.obj):
        assert shop.organisation() == wanted
    jane = shop.Employee.get(shop.Employee.last_name == "Peacock")
    assert jane.get_manager().last_name == jane.manager.last_name == "Edwards"
    assert jane.reports_to_id == jane.manager.id


def test_the_revenue_of_a_representative(shop: Any, plain: Any) -> None:
    """C14: the invoices of all customers in one query."""
    for representative in shop.Employee.select():
        rows = plain(
            "SELECT ROUND(COALESCE(SUM(Total), 0), 2) FROM Invoice JOIN Customer USING (CustomerId) WHERE SupportRepId = ?",
            representative.id,
        )
        assert shop.revenue(representative) == Decimal(str(rows[0][0]))


def test_the_catalogue(shop: Any, plain: Any) -> None:
    """G1, G2: artists, albums, tracks and playlists in four queries; G5: nothing is cut with limit=None."""
    names = ["Iron Maiden", "Led Zeppelin", "U2"]
    with assert_queries(4, shop.db.obj):
        artists = shop.catalogue(*names)
        found = [
            (artist.name, album.id, track.id, [playlist.id for playlist in track.playlists])
            for artist in artists
            for album in artist.albums
            for track in album.tracks
        ]
    rows = plain(
        "SELECT a.Name, b.AlbumId, t.TrackId, p.PlaylistId FROM Artist a JOIN Album b USING (ArtistId) JOIN Track t USING (AlbumId) "
        "LEFT JOIN PlaylistTrack p USING (TrackId) WHERE a.Name IN (?, ?, ?) ORDER BY a.Name, b.AlbumId, t.TrackId, p.PlaylistId",
        *names,
    )
    wanted: dict[Any, list[Any]] = {}
    for *track, playlist in rows:
        wanted.setdefault(tuple(track), []).extend([] if playlist is None else [playlist])
    assert found == [(*track, playlists) for track, playlists in wanted.items()]
    assert len(found) > 400


def test_adding_a_track_to_a_playlist(shop: Any, plain: Any) -> None:
    """C8: adding is idempotent, and the row is in the table."""
    track, playlist = shop.Track.get_by_id(1), shop.Playlist.get(shop.Playlist.name == "Grunge")
    assert not playlist.has_track(track)
    assert shop.plays_in(track, playlist) is True
    assert shop.plays_in(track, playlist) is False
    assert plain("SELECT COUNT(*) FROM PlaylistTrack WHERE PlaylistId = ? AND TrackId = 1", playlist.id) == [(1,)]
    assert playlist.remove_track(track) == 1
    assert plain("SELECT COUNT(*) FROM PlaylistTrack WHERE PlaylistId = ? AND TrackId = 1", playlist.id) == [(0,)]


def test_moving_a_customer(shop: Any, plain: Any) -> None:
    """C4: only the key column is written."""
    customer, park = shop.Customer.get_by_id(1), shop.Employee.get(shop.Employee.last_name == "Park")
    before = plain("SELECT * FROM Customer WHERE CustomerId = 1")[0]
    assert customer.support_representative.last_name == "Peacock"
    shop.hand_over(customer, park)
    assert customer.support_representative == park
    assert park.has_customer(customer)
    after = plain("SELECT * FROM Customer WHERE CustomerId = 1")[0]
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [(3, park.id)]
    with pytest.raises(LookupError):
        customer.set_support_representative(999)
    assert plain("SELECT SupportRepId FROM Customer WHERE CustomerId = 1") == [(park.id,)]


def test_the_report(chinook: Path) -> None:
    """The example runs as a program and answers the shop's questions."""
    done = subprocess.run([sys.executable, "-W", "error", str(EXAMPLE), str(chinook)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "AC/DC has 2 albums with 18 tracks.",
        "'For Those About To Rock (We Salute You)' is in the playlists Heavy Metal Classic, Music.",
        "Adams: Edwards, Mitchell",
        "Edwards: Peacock, Park, Johnson",
        "Mitchell: King, Callahan",
        "The customers of Jane Peacock have paid 833.04.",
        "The customers of Margaret Park have paid 775.40.",
        "The customers of Steve Johnson have paid 720.16.",
        "Accept: Balls to the Wall, 1 tracks, in Heavy Metal Classic, Music.",
        "Accept: Restless and Wild, 3 tracks, in 90’s Music, Heavy Metal Classic, Music.",
        "Aerosmith: Big Ones, 15 tracks, in 90’s Music, Music.",
    ]

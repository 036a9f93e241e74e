"""The guide of rest-hapi on arrays of ids, item by item: routes and bodies of `references_many`."""

from __future__ import annotations

from typing import Any

import pytest
from looking import has, lacks, ten
from peewee import CharField
from serving import NONE, Api, below

pytestmark = pytest.mark.parametrize("store", ["sqlite", "mongodb"], indirect=True)


@pytest.fixture
def posts(Base: Any) -> Any:
    """The guide's posts, which need a user, and hashtags: the API, the models, the ids of a user and of three hashtags."""

    class User(Base):
        email = CharField(unique=True)

    class Hashtag(Base):
        text = CharField()

    class Post(Base):
        caption = CharField(null=True)

    Post.belongs_to(User, null=False)
    Post.references_many(Hashtag)
    api = Api(User, Hashtag, Post)
    return api, Post, Hashtag, api.created("/user", email="u"), *(api.created("/hashtag", text=text) for text in "123")


def test_the_one_with_the_array_has_the_routes(posts: Any) -> None:
    """R19: the hashtag knows nothing, and a to-one has no routes."""
    api, Post, Hashtag, *_ = posts
    assert below("post", "hashtag") <= api.paths("/post")
    assert not Hashtag.associations and not api.paths("/hashtag/{owner_id}") and not api.paths("/post/{owner_id}/user")
    assert has(Post, ten("hashtag", "hashtags")) and lacks(Hashtag, "get_posts")


def test_bodies_take_the_array(posts: Any) -> None:
    """R25: in order, each id once; the whole array is replaced, and what was not given stays."""
    api, _, _, user, h1, h2, _ = posts
    status, post = api("POST", "/post", {"caption": "Fine", "user": user, "hashtags": [h2, h1, h2]})
    assert (status, post["hashtags"], post["user"]) == (201, [h2, h1], user)
    assert api.status("POST", "/post", {"hashtags": []}) == 400
    status, problem = api("POST", "/post", {"user": user, "hashtags": [NONE]})
    assert (status, problem["fields"]) == (404, {"hashtags": "refers to a record that is not there"})
    assert api("POST", "/post", {"user": user})[1]["hashtags"] == []
    path = f"/post/{post['id']}"
    assert api("PUT", path, {"hashtags": [h1]})[1]["hashtags"] == [h1]
    assert api("PUT", path, {"caption": "n"})[1]["hashtags"] == [h1]
    assert [api.status("PUT", path, {"hashtags": each}) for each in (None, h1, "x", [None], ["x"], [[h1]])] == [400] * 6


def test_the_five_routes_of_an_array(posts: Any) -> None:
    """R20, R21, R22, R23, R24: get, post, delete of several, put and delete of one; added is what is not there yet, at the end."""
    api, _, _, user, h1, h2, h3 = posts
    path = f"/post/{api.created('/post', user=user, hashtags=[h1])}"
    assert api.status("POST", f"{path}/hashtag", [h2, h1]) == api.status("PUT", f"{path}/hashtag/{h3}") == 204
    assert api("GET", path)[1]["hashtags"] == [h1, h2, h3] == api.ids(f"{path}/hashtag")
    assert [tag["text"] for tag in api("GET", f"{path}?$embed=hashtags")[1]["hashtags"]] == ["1", "2", "3"]
    assert api.status("DELETE", f"{path}/hashtag/{h2}") == api.status("DELETE", f"{path}/hashtag", [h1, h2]) == 204
    assert api("GET", path)[1]["hashtags"] == [h3]
    assert api.status("POST", f"{path}/hashtag", [h1, NONE]) == api.status("PUT", f"{path}/hashtag/{NONE}") == 404
    assert api("GET", path)[1]["hashtags"] == [h3]


def test_the_array_is_a_plain_attribute(posts: Any) -> None:
    """R25"""
    api, Post, Hashtag, user, h1, _, h3 = posts
    record = Post.get_by_id(api.created("/post", user=user))
    record.hashtags = [h1, Hashtag.get_by_id(h3)]
    record.save()
    assert api("GET", f"/post/{record.id}")[1]["hashtags"] == [h1, h3]
    assert [each.text for each in record.get_hashtags()] == ["1", "3"] and record.has_hashtag(h1)

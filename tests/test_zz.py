import pytest, peewee
from peewee import *
from activeassoc import sync
@pytest.mark.every_store
def test_it(db, Base):
    class Hashtag(Base): text = CharField()
    class Post(Base): caption = CharField(null=True)
    Post.references_many(Hashtag)
    sync(db); 
    assert not sync(db)
    a,b,c=[Hashtag.create(text=t) for t in "abc"]
    p=Post.create(caption="x", hashtags=[b,a,b.id])
    assert p.hashtag_ids==[b.id,a.id]; assert p.get_hashtags()==[b,a]; assert p.count_hashtags()==2
    assert p.has_hashtag(a) and p.has_hashtags([a,b]) and not p.has_hashtags([a])
    p.add_hashtag(c); p.add_hashtags([c,a]); assert list(p.hashtags)==[b,a,c]
    p=Post.get_by_id(p.id)
    assert list(p.hashtags)==[b,a,c]
    assert p.remove_hashtag(a)==1 and p.hashtag_ids==[b.id,c.id]
    assert p.set_hashtags([a.id,c])==[a,c]
    assert p.create_hashtag(text="d").text=="d"
    p.hashtags=[a,b]; p.save(); assert Post.get().hashtag_ids==[a.id,b.id]
    assert [ [h.text for h in q.hashtags] for q in Post.select().populate("hashtags")]==[["a","b"]]
    assert list(Post.select().where(Post.hashtags.any(Hashtag.text=="a")))==[p]
    assert list(Post.select().where(Post.hashtags.any(Hashtag.text=="c")))==[]
    assert list(Post.select().where(~Post.hashtags.any(Hashtag.text=="c")))==[p]
    print(Post.select().explain_populate("hashtags"))

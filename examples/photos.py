"""Users in SQLite, photos in MongoDB, read and written as if they lived together. No set-up: the MongoDB server is an embedded one.

    pip install 'activeassoc[mongo]' SecantusDB
    python examples/photos.py

With servers of your own, change the two URLs to ``postgresql://…`` and ``mongodb://…``; nothing else.
"""

import tempfile

from peewee import CharField, IntegerField
from secantus import SecantusDBServer

from activeassoc import Model, connect, sync

folder = tempfile.TemporaryDirectory()
server = SecantusDBServer(storage_path=f"{folder.name}/mongo", port=0)
server.start()

users = connect(f"sqlite:///{folder.name}/users.db")
photos = connect(f"{server.uri}/gallery")


class User(Model):
    name = CharField()

    class Meta:
        database = users


class Like(Model):  # the links have an attribute, and live beside the users
    stars = IntegerField(default=1)

    class Meta:
        database = users


class Photo(Model):
    title = CharField()

    class Meta:
        database = photos


User.has_many(Photo, on_delete="CASCADE")  # adds Photo.user, a key that points into the other database
Photo.belongs_to(User)
User.has_many(Photo, as_="liked", through=Like)
Photo.has_many(User, as_="fans", through=Like)

print(sync(users))
print(sync(photos))

ann, bob = User.create(name="Ann"), User.create(name="Bob")
sea, hill = ann.create_photo(title="Sea"), ann.create_photo(title="Hill")
bob.add_liked({sea: {"stars": 5}, hill: {"stars": 3}})

for user in User.select().order_by(User.name).populate("photos", "liked"):  # four queries, however many users
    print(user.name, "has", [photo.title for photo in user.photos], "and likes", [(p.title, p.like.stars) for p in user.liked])
print("Sea is by", sea.user.name, "and liked by", [fan.name for fan in sea.get_fans()])

ann.delete_instance()  # ON DELETE CASCADE, in code: her photos go, and with them the likes
print(Photo.select().count(), "photos,", bob.count_liked(), "likes left")

users.close()
photos.close()
server.stop()
folder.cleanup()

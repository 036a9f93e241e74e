"""Wrong calls: type checkers flag each line that says so, and where one of them does not, its comment is an error itself."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
from __future__ import annotations

import feed
import shop
import tracker
from feed import Hashtag, Post
from tracker import Profile, Project, Task, User

apollo, ann, launch = Project(), User(), Task()

# Of another model, of no model, of another type
apollo.add_task(ann)  # type: ignore[arg-type]
apollo.add_task("7")  # type: ignore[arg-type]
apollo.add_tasks([launch, ann])  # type: ignore[list-item]
apollo.set_tasks([ann])  # type: ignore[list-item]
apollo.has_task(apollo)  # type: ignore[arg-type]
apollo.add_tasks(User.select())  # type: ignore[arg-type]
ann.set_profile(apollo)  # type: ignore[arg-type]
launch.set_project(launch)  # type: ignore[arg-type]
launch.project = ann  # type: ignore[assignment]
launch.project_id = "x"  # type: ignore[assignment]
launch.title = 7  # type: ignore[assignment]
apollo.tasks = [launch]  # type: ignore[assignment]
apollo.tasks.add(ann)  # type: ignore[arg-type]
apollo.tasks.remove([ann])  # type: ignore[list-item]

# Methods and fields that are not there
apollo.get_task()  # type: ignore[attr-defined]
apollo.add_user(ann)  # type: ignore[attr-defined]
print(ann.get_boss().name)  # type: ignore[union-attr]
print(ann.profile.motto)  # type: ignore[union-attr]
print(launch.projekt)  # type: ignore[attr-defined]

# Options
apollo.get_tasks(where="title = 'Launch'")  # type: ignore[arg-type]
apollo.get_tasks(limit="3")  # type: ignore[arg-type]
apollo.get_tasks(ordre="title")  # type: ignore[call-arg]
apollo.remove_member(ann, destroy=True)  # type: ignore[call-arg]
apollo.has_tasks([launch], exact="yes")  # type: ignore[arg-type]

# Fields of a new record
apollo.create_task()  # type: ignore[call-overload]
apollo.create_task(title=7)  # type: ignore[call-overload]
apollo.create_task(title="Launch", titel="Launch")  # type: ignore[call-overload]
apollo.create_task(title="Launch", project=apollo)  # type: ignore[call-overload]
apollo.create_task(title=None)  # type: ignore[call-overload]
apollo.create_tasks([{"titel": "Launch"}])  # type: ignore[typeddict-item]
apollo.create_tasks([{"done": True}])  # type: ignore[typeddict-item]
apollo.create_tasks({"title": "Launch"})  # type: ignore[dict-item]

# Attributes of a link
apollo.add_member(ann, {"rolle": "owner"})  # type: ignore[arg-type]
apollo.add_member(ann, {"role": 7})  # type: ignore[arg-type]
apollo.add_members({ann: {"rolle": "owner"}})  # type: ignore[typeddict-unknown-key]
apollo.add_members({launch: {"role": "owner"}})  # type: ignore[dict-item]
apollo.add_members([(launch, {"role": "owner"})])  # type: ignore[list-item]
apollo.set_members([launch])  # type: ignore[list-item]
apollo.add_task(launch, {"role": "owner"})  # type: ignore[call-arg]
launch.add_label(ann)  # type: ignore[arg-type]

# What a call gives
title: int = apollo.create_task(title="Launch").title  # type: ignore[assignment]
found: list[User] = apollo.get_tasks()  # type: ignore[assignment]
first: Profile = ann.get_profile()  # type: ignore[assignment]

# Associations as they were declared
tracker.tasks.get(launch)  # type: ignore[arg-type]
tracker.tasks.add(apollo, ann)  # type: ignore[arg-type]
tracker.tasks.reach([launch])  # type: ignore[list-item]
tracker.project.set(launch, ann)  # type: ignore[arg-type]
Project.has_many(Task, on_delet="CASCADE")  # type: ignore[call-overload]
Project.has_many(Task, on_delete=True)  # type: ignore[call-overload]
Project.has_many(7)  # type: ignore[call-overload]

# Names that are also those of types
shop.Order().add_seat((1, 2))  # type: ignore[arg-type]
shop.List().create_order(int="7")  # type: ignore[call-overload]
shop.Order().create_field(str=True)  # type: ignore[call-overload]
shop.Order().add_field(shop.List())  # type: ignore[arg-type]

# Arrays of ids, and what is awaited
post, sea = Post(), Hashtag()
post.hashtags = [post]  # type: ignore[list-item]
post.hashtags = sea  # type: ignore[assignment]
post.hashtag_ids = ["x"]  # type: ignore[list-item]
post.add_hashtag(post)  # type: ignore[arg-type]
post.create_hashtag(name="sea")  # type: ignore[call-overload]
feed.hashtags.add(post, post)  # type: ignore[arg-type]
Post.references_many(Hashtag, on_delete="CASCADE")  # type: ignore[call-overload]
Post.references_many(7)  # type: ignore[call-overload]
apollo.aget_tasks()  # type: ignore[attr-defined]


async def awaited() -> None:
    await post.aadd_hashtag(post)  # type: ignore[arg-type]
    print(post.aget_comments()[0])  # type: ignore[index]
    number: int = await post.aget_hashtags()  # type: ignore[assignment]
    print(number)

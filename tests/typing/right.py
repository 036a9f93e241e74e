"""Right calls: type checkers find nothing in this file, and know what each gives."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import assert_type
from uuid import UUID, uuid4

import feed
import shop
import tracker
from feed import Comment as FeedComment
from feed import Hashtag, Post
from peewee import Expression, ModelSelect
from tracker import Comment, Label, Membership, Profile, Project, Sheep, Task, Team, User
from tracker_assoc import MembershipAttributes, TaskFields

from activeassoc import adelete_plan, apopulate
from activeassoc.deleting.plan import DeletePlan
from activeassoc.types import BelongsTo, Collection, HasMany, ManyToMany, Query, ReferencesMany

apollo = Project.create(title="Apollo", team="x")
ann, bob = User.create(name="Ann"), User.create(name="Bob")
assert_type(apollo, Project)

# Fields and keys
assert_type(apollo.id, int)
assert_type(apollo.title, str)
assert_type(apollo.budget, Decimal | None)
assert_type(apollo.team, Team)
assert_type(apollo.team_code, str)
assert_type(ann.boss, User | None)
assert_type(ann.boss_id, int | None)
ann.boss = bob
ann.boss = 7
ann.boss = None
ann.boss_id = 7
assert_type(Task.project == apollo, Expression)
assert_type(Task.project_id == 7, Expression)
assert_type(Comment.create(text="yes").author_id, int | None)

# One record
assert_type(ann.profile, Profile | None)
assert_type(ann.get_profile(attributes=["motto"]), Profile | None)
assert_type(ann.create_profile(motto="Ora"), Profile)
assert_type(ann.create_profile(motto="Ora", born=datetime.date(1970, 1, 1), destroy=True), Profile)
assert_type(ann.create_profile({"motto": "Ora"}, destroy=True), Profile)
assert_type(ann.set_profile(Profile(motto="et")), Profile | None)
ann.set_profile(7, destroy=True)
ann.set_profile(None)

# Many records
launch = apollo.create_task(title="Launch")
assert_type(launch, Task)
apollo.create_task(title="Land", done=True, list=3)
row: dict[str, str] = {"title": "Return"}
apollo.create_task(row)
assert_type(apollo.create_tasks([{"title": "Return"}, {"title": "Splash", "done": False}]), list[Task])
rows: list[TaskFields] = [{"title": "Rest"}]
apollo.create_tasks(rows)
assert_type(apollo.get_tasks(), list[Task])
apollo.get_tasks(where=Task.title == "Launch", order="-title", limit=3, offset=1, attributes=[Task.title, "done"], populate="comments")
apollo.get_tasks(where={"title": {"contains": "L"}}, order=[Task.title.desc(), "id"], populate={"comments": {"limit": 3}})
apollo.get_tasks(where=(Task.title == "Launch") & ~(Task.done == True))
assert_type(apollo.count_tasks(where=Task.done == False), int)
assert_type(apollo.add_task(launch), int)
apollo.add_task(7)
apollo.add_tasks([launch, 7])
apollo.add_tasks({launch})
apollo.add_tasks(task for task in apollo.tasks)
apollo.add_tasks(Task.select().where(Task.done == True))
assert_type(apollo.set_tasks([launch], destroy=True), list[Task])
apollo.set_tasks(None)
assert_type(apollo.has_task(launch), bool)
assert_type(apollo.has_tasks([launch, 7], exact=False), bool)
apollo.remove_tasks([launch], destroy=True)
assert_type(launch.count_labels(), str)

# Links
apollo.add_member(ann)
apollo.add_member(ann, {"role": "owner", "hours": 3})
apollo.add_members([ann, 2], through={"hours": 3})
apollo.add_members({ann: {"role": "owner"}, 2: {"hours": 1}})
apollo.add_members([(ann, {"role": "owner"}), bob])
roles: dict[User, MembershipAttributes] = {ann: {"role": "owner"}}
assert_type(apollo.set_members(roles), list[User])
apollo.set_members(User.select())
assert_type(apollo.create_member(name="Cy", through={"role": "owner"}), User)
for member in apollo.get_members(through_where=Membership.role == "owner", join_attributes=["role"]):
    assert_type(member, User)
    assert_type(member.membership, Membership)
    assert_type(member.membership.role, str)
    assert_type(member.membership.user, User)
bob.membership = {"role": "guest"}
assert_type(launch.create_label(id=uuid4(), word="urgent"), Label)
launch.add_labels([UUID(int=1), Label(word="old")])

# One word for one and for many
team = Team.create(code="x")
assert_type(team.create_sheep(name="Dolly"), Sheep)
assert_type(team.create_sheep([{"name": "Dolly"}]), list[Sheep])

# Collections
assert_type(apollo.tasks, Collection[Task])
assert_type(apollo.tasks[0], Task)
assert_type(apollo.tasks[:2], list[Task])
assert_type(len(launch.comments), int)
for comment in launch.comments:
    assert_type(comment, Comment)
    assert_type(comment.task, Task | None)
apollo.tasks.add({"title": "Later"})
apollo.tasks.add([launch, 7, {"title": "Later"}])
apollo.tasks.remove([launch, 7])

# Associations, typed as they were declared
assert_type(tracker.tasks, HasMany[Project, Task])
assert_type(tracker.labels, ManyToMany[Task, Label])
assert_type(Project.tasks, HasMany[Project, Task])
assert_type(Task.project, BelongsTo[Task, Project])
assert_type(tracker.tasks.get(apollo, limit=3), list[Task])
assert_type(tracker.tasks.add(apollo, [launch, 7]), int)
assert_type(tracker.tasks.create(apollo, title="Once more"), Task)
assert_type(tracker.tasks.reach([apollo]), dict[Project, list[Task]])
assert_type(tracker.project.get(launch), Project | None)
assert_type(tracker.project.reach([launch]), dict[Task, Project | None])
assert_type(tracker.labels.set(launch, [Label()]), list[Label])
assert_type(Task.project.set(launch, apollo), Project | None)
assert_type(Project.tasks.query(apollo), Query[Task])
assert_type(Project.has_one(Task, "plan").get(apollo), Task | None)
assert_type(Project.members.has_exactly(apollo, [ann]), bool)

# Queries
for each in Project.select().where(Project.tasks.any(Task.done == False)).populate("tasks", limit=3):
    assert_type(each, Project)
assert_type(Project.select().get(), Project)
assert_type(Project.select().first(), Project | None)
assert_type(Project.find({"title": "Apollo"}).get(), Project)
assert_type(Project.find_one(7), Project | None)
query: ModelSelect[Project] = Project.select()

# Names that are also those of types
order, todo = shop.Order(), shop.List()
assert_type(order.list, shop.List | None)
assert_type(order.get_list(), shop.List | None)
assert_type(order.orders, Collection[shop.Order])
assert_type(order.get_orders(order="-id"), list[shop.Order])
assert_type(todo.create_order(int=7, datetime=datetime.datetime.now()), shop.Order)
assert_type(todo.create_orders([{"int": 7, "self": "x"}]), list[shop.Order])
assert_type(order.create_field(list=todo, str=True), shop.Field)
assert_type(order.add_seat((1, "A")), int)
order.add_seats([(1, "A"), (1, "B")])
assert_type(order.get_fields(), list[shop.Field])
assert_type(todo.field, shop.Field | None)
assert_type(shop.Field().list, shop.List)

# Arrays of ids
post, sea = Post(caption="Holiday"), Hashtag(text="sea")
assert_type(feed.hashtags, ReferencesMany[Post, Hashtag])
assert_type(Post.hashtags, ReferencesMany[Post, Hashtag])
assert_type(post.hashtags, Collection[Hashtag])
assert_type(post.hashtag_ids, list[int])
post.hashtags = [sea, 3]
post.hashtag_ids = [3, sea]
post.hashtag_ids.append(7)
assert_type(post.get_hashtags(order="text"), list[Hashtag])
assert_type(post.add_hashtags([sea, 3]), int)
assert_type(post.create_hashtag(text="sun"), Hashtag)
assert_type(post.create_related(caption="Beach", related_ids=[post, 3]), Post)
assert_type(feed.hashtags.set(post, [sea]), list[Hashtag])
assert_type(Post.references_many(Hashtag, "tags").reach([post]), dict[Post, list[Hashtag]])


# What is awaited
async def awaited() -> None:
    made = await Post.acreate(caption="Holiday")
    assert_type(made, Post)
    assert_type(await Post.aget_or_none(Post.caption == "x"), Post | None)
    assert_type(await Post.aget_by_id(7), Post)
    assert_type(await Post.aget_or_create(caption="x"), tuple[Post, bool])
    assert_type(await Post.afind_one({"caption": "x"}), Post | None)
    assert_type(await made.asave(), int)
    assert_type(await made.areload(), Post)
    assert_type(await made.adelete_instance(), int)
    assert_type(await made.aget_hashtags(limit=3), list[Hashtag])
    assert_type(await made.aadd_hashtag(sea), int)
    assert_type(await made.acreate_comment(text="Nice"), FeedComment)
    assert_type(await made.acreate_comments([{"text": "Nice"}]), list[FeedComment])
    assert_type((await made.aget_comments())[0].post, Post | None)
    await made.acount_comments()
    assert_type(await sea.aset_favourites({made: {}}), list[Post])
    assert_type(await made.hashtags.aload(), Collection[Hashtag])
    assert_type(await Post.hashtags.aget(made), list[Hashtag])
    assert_type(await Post.comments.areach([made]), dict[Post, list[FeedComment]])
    assert_type(await FeedComment.post.aget(FeedComment()), Post | None)
    assert_type(await adelete_plan(made), DeletePlan)
    await apopulate([made], "comments", "hashtags", limit=3)

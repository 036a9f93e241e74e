"""Tasks that share what is kept: peewee's asyncio databases run each query in a greenlet, and others go on meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from peewee import CharField, IntegerField

from activeassoc import Model


def test_tasks_create_and_read_together(tmp_path: Path) -> None:
    """F10, Hydration: a hundred tasks create and read at once, while one adds a field; each gets the rows that it made."""
    pytest.importorskip("aiosqlite")
    pytest.importorskip("greenlet")
    from playhouse.pwasyncio import AsyncSqliteDatabase

    database: Any = AsyncSqliteDatabase(str(tmp_path / "tasks.db"), timeout=30)

    class Post(Model):
        title = CharField()

        class Meta:
            database: Any = None

    Post._meta.set_database(database)
    model: Any = Post

    def work(number: int) -> Any:
        made = model.create(title=f"t{number}")
        model.insert_many([{"title": f"m{number}"}, {"title": f"m{number}"}]).execute()
        found = list(model.select().where(model.title << [f"t{number}", f"m{number}"]).order_by(model.id))
        return made, [post.title for post in found], model.get_by_id(made.id)

    async def one(number: int) -> None:
        made, titles, again = await database.run(work, number)
        assert sorted(titles) == [f"m{number}", f"m{number}", f"t{number}"]
        assert (again, again.title, again._dirty) == (made, f"t{number}", set())

    def add_field() -> None:
        database.execute_sql('ALTER TABLE "post" ADD COLUMN "views" INTEGER DEFAULT 0')
        model._meta.add_field("views", IntegerField(null=True, default=7))

    async def everything() -> None:
        await database.acreate_tables([model])
        await asyncio.gather(*(one(number) for number in range(20)))
        await database.run(add_field)
        await asyncio.gather(*(one(number) for number in range(20, 40)))
        assert {post.views for post in await database.list(model.select().where(model.title.startswith("t2")))} <= {0, 7}
        await database.close_pool()

    asyncio.run(everything())

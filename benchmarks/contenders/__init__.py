"""The contenders: one file each, with the same operations.

Map: `NAMES` are all of them in the order of the results, with the file of each; `Contender` in `contract` says what one has to have.
"""

from __future__ import annotations

#: Contender → its module in this folder, or its script.
NAMES: dict[str, str] = {
    "raw": "raw",
    "activeassoc": "using_activeassoc",
    "peewee": "using_peewee",
    "sqlalchemy": "using_sqlalchemy",
    "django": "using_django",
    "pony": "using_pony",
    "tortoise": "using_tortoise",
    "sequelize": "using_sequelize.js",
}

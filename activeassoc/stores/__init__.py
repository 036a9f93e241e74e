"""The databases that records may live in, and what each of them can do.

Everything outside of this package asks for a capability (``store_of(database).row_locks``), never for a database's name.

Map: `capabilities` says what each can do; `sql` has the statements that they word differently; `comparing` how they
compare; `ddl` how they make and tell tables; `connect` opens a database from a URL.
"""

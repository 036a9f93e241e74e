"""`StoreContract`: the tests that a store has to pass before records can live in it.

Map: `ground` has the fixtures and the rows that the tests look at; `reading` and `writing` the query API, `values` the types,
`refusing` what a store without SQL has to refuse, `blocks` transactions, tables, threads and events.
"""

from __future__ import annotations

from activeassoc.testing.contract.blocks import Blocks
from activeassoc.testing.contract.reading import Reading
from activeassoc.testing.contract.refusing import Refusing
from activeassoc.testing.contract.values import Values
from activeassoc.testing.contract.writing import Writing

__all__ = ["StoreContract"]


class StoreContract(Reading, Writing, Values, Refusing, Blocks):
    """The tests that every store passes, for pytest: a subclass gives the fixture `database`, a new and empty one for each test::

        class TestMyStore(StoreContract):
            @pytest.fixture
            def database(self):
                database = MyDatabase("test")
                yield database
                database.close()

    What the database cannot do it says in `database.capabilities` (`activeassoc.stores.capabilities.Store`); the tests of that are
    skipped. On a store without `sql` they are stricter: texts go by code point, NULLs first, and a value that does not fit is an error.
    """

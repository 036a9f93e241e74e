"""Words: how a model's name becomes the names of associations, methods, keys, columns, tables and constraints.

Pure functions: they know neither models nor databases. English is the inflection package's, after a table of what it gets
wrong; that package keeps its rules in global lists which others in the process may use, so they are left as they are.

Map: `snake` and `camel` change the case; `plural` and `singular` the number, by the tables above them; `names_of` and
`alias_names` give both forms of an association's name; `key_column`, `field_of` and `key_attribute` name a key;
`join_table`, `cut` and `constraint_name` what stands in the database.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from activeassoc.errors import DeclarationError

__all__ = [
    "Names",
    "alias_names",
    "camel",
    "constraint_name",
    "cut",
    "field_of",
    "join_table",
    "key_attribute",
    "key_column",
    "names_of",
    "plural",
    "singular",
    "snake",
]


class Names(NamedTuple):
    """Both forms of a word: ``Names("category", "categories")``. One string for both where English has one."""

    one: str
    many: str


# Case

# These are peewee's two expressions, not inflection.underscore(): the two differ over A__B and _Private, and a name that is
# not the table's name would send the through model of a table to another one.
_WORD = re.compile(r"(.)_*([A-Z][a-z]+)")
_CAPITAL = re.compile(r"([a-z0-9])_*([A-Z])")


def snake(name: str) -> str:
    """The name in snake_case, as peewee makes table names: ``HTTPServer`` → ``http_server``, ``DadId`` → ``dad_id``.

    What is in snake_case already stays.
    """
    return _CAPITAL.sub(r"\1_\2", _WORD.sub(r"\1_\2", name)).lower()


def camel(name: str) -> str:
    """The name of a class for a table: ``project_has_users`` → ``ProjectHasUsers``.

    What is in CamelCase already stays. A table's name may hold anything, and a class has to be an identifier: every other
    character ends a word, and a digit in front gets a ``_``.
    """
    if "_" in name and name.isupper():
        name = name.lower()
    words = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in name).split("_")
    joined = "".join(word[0].upper() + word[1:] for word in words if word)
    return joined if joined.isidentifier() else f"_{joined}"


# Number: what inflection gets wrong, in one direction or in both. Nothing else stands here: a word that it gets right is its own.

# fmt: off
#: Singular → plural. Looked up before everything else, in both directions.
IRREGULAR: dict[str, str] = {
    # its own plurals
    "foot": "feet", "tooth": "teeth", "goose": "geese", "hoof": "hooves", "scarf": "scarves", "wharf": "wharves",
    "dwarf": "dwarves", "sheaf": "sheaves", "die": "dice", "louse": "lice", "cow": "cows",
    "criterion": "criteria", "phenomenon": "phenomena", "automaton": "automata", "taxon": "taxa",
    "datum": "data", "medium": "media", "bacterium": "bacteria", "consortium": "consortia", "symposium": "symposia",
    "stratum": "strata", "erratum": "errata", "quantum": "quanta", "spectrum": "spectra", "curriculum": "curricula",
    "memorandum": "memoranda", "addendum": "addenda", "corpus": "corpora", "genus": "genera",
    "alumnus": "alumni", "cactus": "cacti", "fungus": "fungi", "radius": "radii", "nucleus": "nuclei",
    "stimulus": "stimuli", "locus": "loci", "terminus": "termini", "bacillus": "bacilli",
    "appendix": "appendices", "vortex": "vortices", "helix": "helices",
    # -es
    "echo": "echoes", "veto": "vetoes", "torpedo": "torpedoes", "volcano": "volcanoes", "tornado": "tornadoes",
    "embargo": "embargoes", "domino": "dominoes", "mosquito": "mosquitoes", "mango": "mangoes",
    "gas": "gases", "biogas": "biogases", "lens": "lenses", "atlas": "atlases", "canvas": "canvases", "bias": "biases",
    "alias": "aliases", "iris": "irises", "pelvis": "pelvises", "trellis": "trellises", "mantis": "mantises", "metropolis": "metropolises",
    "rhinoceros": "rhinoceroses", "thermos": "thermoses", "topaz": "topazes",
    "oasis": "oases", "emphasis": "emphases", "nemesis": "nemeses", "genesis": "geneses", "catharsis": "catharses",
    "neurosis": "neuroses", "psychosis": "psychoses", "metamorphosis": "metamorphoses",
    # -s, where a rule wants more or something else
    "epoch": "epochs", "stomach": "stomachs", "monarch": "monarchs", "patriarch": "patriarchs", "matriarch": "matriarchs",
    "oligarch": "oligarchs", "loch": "lochs",
    "golf": "golfs", "gulf": "gulfs", "surf": "surfs", "serf": "serfs", "turf": "turfs", "smurf": "smurfs", "olive": "olives",
    "german": "germans", "roman": "romans", "norman": "normans", "shaman": "shamans", "talisman": "talismans",
    "ottoman": "ottomans",
    "specimen": "specimens", "regimen": "regimens", "abdomen": "abdomens", "omen": "omens", "stamen": "stamens",
    "slice": "slices", "splice": "splices", "accomplice": "accomplices", "chalice": "chalices",
    # -e, which is lost on the way back
    "ache": "aches", "headache": "headaches", "toothache": "toothaches", "niche": "niches", "avalanche": "avalanches",
    "tranche": "tranches", "cliche": "cliches", "pastiche": "pastiches", "mustache": "mustaches",
    "moustache": "moustaches", "creche": "creches", "quiche": "quiches", "brioche": "brioches", "psyche": "psyches",
    "microfiche": "microfiches", "pickaxe": "pickaxes", "finesse": "finesses", "posse": "posses", "impasse": "impasses",
    "mousse": "mousses",
    "toe": "toes", "foe": "foes", "hoe": "hoes", "doe": "does", "floe": "floes", "canoe": "canoes", "oboe": "oboes",
    "aloe": "aloes", "woe": "woes",
    "use": "uses", "reuse": "reuses", "misuse": "misuses", "abuse": "abuses", "excuse": "excuses", "fuse": "fuses",
    "muse": "muses", "ruse": "ruses", "recluse": "recluses", "hypotenuse": "hypotenuses", "masseuse": "masseuses",
    "base": "bases", "codebase": "codebases", "rulebase": "rulebases", "userbase": "userbases",
    "tie": "ties", "necktie": "neckties", "pie": "pies", "magpie": "magpies", "lie": "lies", "cookie": "cookies",
    "rookie": "rookies", "bookie": "bookies", "brownie": "brownies", "smoothie": "smoothies", "newbie": "newbies",
    "freebie": "freebies", "selfie": "selfies", "calorie": "calories", "genie": "genies", "hoodie": "hoodies",
    "menagerie": "menageries", "sortie": "sorties", "indie": "indies", "prairie": "prairies", "birdie": "birdies",
    "foodie": "foodies", "goalie": "goalies", "groupie": "groupies", "roadie": "roadies", "hippie": "hippies",
    "junkie": "junkies", "veggie": "veggies", "techie": "techies", "auntie": "aunties", "sweetie": "sweeties",
    "cutie": "cuties", "pixie": "pixies", "collie": "collies", "caddie": "caddies",
    "brasserie": "brasseries", "patisserie": "patisseries", "rotisserie": "rotisseries", "reverie": "reveries",
    "coterie": "coteries", "eerie": "eeries",
    # plurals in -us, which the ending below would take for singulars
    "menu": "menus", "submenu": "submenus", "sku": "skus", "cpu": "cpus", "gpu": "gpus", "guru": "gurus", "emu": "emus",
    "bureau": "bureaus", "plateau": "plateaus", "haiku": "haikus",
}

#: One word for one and for many.
UNCOUNTABLE: frozenset[str] = frozenset({
    "advice", "aircraft", "analytics", "baggage", "barracks", "bison", "cash", "cattle", "chaos", "chassis", "clothes",
    "clothing", "corps", "coursework", "crossroads", "debris", "deer", "dns", "economics", "electricity", "electronics",
    "evidence", "feedback", "furniture", "goods", "gps", "headquarters", "homework", "housework", "hovercraft", "jewelry",
    "knowledge", "kudos", "logistics", "luggage", "mathematics", "means", "memorabilia", "merchandise", "metadata", "moose",
    "music", "offspring", "paperwork", "personnel", "physics", "police", "politics", "poultry", "progress", "research",
    "salmon", "savings", "shrimp", "sms", "spacecraft", "squid", "staff", "stationery", "subspecies", "tennis", "traffic",
    "trivia", "trout", "watercraft", "weather", "wildlife",
})

#: Endings, singular → plural, for what is a rule rather than a word; the first that fits counts, in both directions.
ENDINGS: dict[str, str] = {
    # -f that becomes -v is a closed list; every other -ves comes of -ve.
    "leaf": "leaves", "loaf": "loaves", "thief": "thieves", "half": "halves", "calf": "calves", "elf": "elves",
    "wolf": "wolves", "knife": "knives", "wife": "wives", "life": "lives", "ve": "ves", "afe": "afes",
    # -us takes -es, and -uses comes of -us, but for these.
    "mouse": "mice", "ouse": "ouses", "ause": "auses", "us": "uses",
    "data": "data", "media": "media", "ta": "tas", "ia": "ias", "ium": "iums",
    "quiz": "quizzes", "zz": "zzes", "tz": "tzes",
    "cache": "caches", "hero": "heroes", "tech": "techs", "ware": "ware",
}
# fmt: on

_SINGULAR: dict[str, str] = {many: one for one, many in IRREGULAR.items()}


def _last(word: str) -> tuple[str, str, str]:
    """What stands before the last component of a snake_case word, that component, and the underscores after it."""
    core = word.rstrip("_")
    start = core.rfind("_") + 1
    return core[:start], core[start:], word[len(core) :]


def plural(word: str) -> str:
    """The plural of a snake_case word: ``user_project`` → ``user_projects``, ``person`` → ``people``.

    Only the last component is inflected. What is a plural already stays.
    """
    before, last, after = _last(word)
    return f"{before}{_plural(last)}{after}"


def _plural(word: str) -> str:
    if word in UNCOUNTABLE or word in _SINGULAR:
        return word
    if word in IRREGULAR:
        return IRREGULAR[word]
    for one, many in ENDINGS.items():
        if word.endswith(one):
            return word.removesuffix(one) + many
    import inflection  # late, as everything that not every program needs

    return inflection.pluralize(word)


def singular(word: str) -> str:
    """The singular of a snake_case word: ``user_projects`` → ``user_project``, ``people`` → ``person``.

    Only the last component is inflected. Where two words have one plural it is the commoner one: ``bases`` → ``base``
    (not basis), ``leaves`` → ``leaf``, ``data`` → ``datum``.
    """
    before, last, after = _last(word)
    return f"{before}{_singular(last)}{after}"


def _singular(word: str) -> str:
    if word in UNCOUNTABLE or word in IRREGULAR:
        return word
    if word in _SINGULAR:
        return _SINGULAR[word]
    for one, many in ENDINGS.items():
        if word.endswith(many):
            return word.removesuffix(many) + one
    import inflection

    return inflection.singularize(word)


# The names of an association


def names_of(model_name: str, one: str | None = None, many: str | None = None) -> Names:
    """Both forms of a model's name: ``UserProject`` → ``Names("user_project", "user_projects")``.

    `model_name` is the name of a class, or a target given as a string: of ``"blog.models.Post"`` the last part counts. A
    class's own word is its singular, whatever it looks like (``Status`` → ``status``, ``Users`` → ``users``). `one` and
    `many` are ``Meta.singular`` and ``Meta.plural``: with `one` alone the plural is made from it, with `many` alone the
    singular stays the class's own word. DeclarationError where a form is no identifier.
    """
    if one is None:
        one = _word(f"The model {model_name!r}", model_name.rpartition(".")[2], 'Give it Meta.singular, as in singular = "post"')
    else:
        one = _word(f"Meta.singular of {model_name!r}", one, 'Write singular = "post"')
    if many is None:
        return Names(one, plural(one))
    return Names(one, _word(f"Meta.plural of {model_name!r}", many, 'Write plural = "posts"'))


def alias_names(as_: str | tuple[str, str], to_many: bool) -> Names:
    """Both forms of a name given as ``as_=``.

    It is given in the form that the association has, and stays as given: ``"members"`` with `to_many`, else ``"owner"``;
    the other form is derived. A tuple gives both, singular first. CamelCase is turned to snake_case. DeclarationError where
    it is no str or pair of them, no identifier, or where the attribute would be a keyword of Python.
    """
    asked, example = f"as_={as_!r}", 'as_="members"' if to_many else 'as_="member"'
    instead = f'Write {example}, or as_=("member", "members")'
    given: Any = as_
    if isinstance(given, tuple):
        if len(given) != 2:
            raise DeclarationError(asked, f"a tuple holds the singular and the plural, and this one holds {len(given)}", instead, value=as_)
        names = Names(_word(asked, given[0], instead), _word(asked, given[1], instead))
    else:
        word = _word(asked, given, instead)
        names = Names(singular(word), word) if to_many else Names(word, plural(word))
    attribute = names.many if to_many else names.one
    if keyword.iskeyword(attribute):
        # The other form may be one: classes and passes are good names, and no attribute is called class or pass.
        raise DeclarationError(asked, f"{attribute!r} is a keyword of Python, and no attribute can be read by it", instead, value=as_)
    return names


def _word(asked: str, word: Any, instead: str) -> str:
    """The word in snake_case, checked to be an identifier."""
    if not isinstance(word, str):
        raise DeclarationError(asked, f"a name is a str, and {word!r} is of type {type(word).__name__}", instead, value=word)
    if not word:
        raise DeclarationError(asked, "the name is empty", instead, value=word)
    if not word.isidentifier():
        raise DeclarationError(asked, f"{word!r} is no identifier, and methods are named after it", instead, value=word)
    return snake(word)


# The names of a key


def key_column(one: str, key_name: str) -> str:
    """The column of a key: the singular of what it refers to, and the referenced key (``project_id``, ``user_username``)."""
    return f"{one}_{snake(key_name)}"


def field_of(column: str, key_name: str) -> str:
    """The field that a key column is read by: the column in snake_case less ``_<key_name>``, or less ``_id``.

    ``project_id`` → ``project``, ``homeTeamId`` → ``home_team``, ``country_code`` with the key ``code`` → ``country``;
    a column without such an ending is its own field (``ReportsTo`` → ``reports_to``). ``""`` where nothing is left over.
    """
    field = snake(column)
    # The key's own name first: of user_user_id with the key user_id, user is left, which key_column() was given.
    for ending in (f"_{snake(key_name)}", "_id"):
        if field.endswith(ending):
            field = field.removesuffix(ending)
            break
    return "" if field == "id" or not field.strip("_") else field


def key_attribute(field: str, column: str) -> str:
    """The attribute that holds the key where `field` holds the record: the column in snake_case (``DadId`` → ``dad_id``).

    ``<field>_id`` where these would be one word (``pb_owner`` → ``pb_owner_id``).
    """
    attribute = snake(column)
    return f"{field}_id" if attribute == field else attribute


# Names in the database


def join_table(one_many: str, other_many: str) -> str:
    """The table of a many-to-many between two models, given their plurals: ``projects_users``, from either side."""
    return "_".join(sorted((one_many, other_many)))


def cut(name: str, limit: int) -> str:
    """The name as it stands, or where it is longer than `limit` bytes of UTF-8 its beginning, ``_`` and eight digits of a hash.

    Bytes, as PostgreSQL counts them, and silently drops what is over: two names would become one. Never longer than
    `limit`; the same name gives the same result on every machine; no character is split.
    """
    whole = name.encode()
    if len(whole) <= limit:
        return name
    digest = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    room = limit - 9
    return f"{whole[:room].decode(errors='ignore')}_{digest[:8]}" if room > 0 else digest[:limit]


def constraint_name(kind: str, table: str, columns: Sequence[str], limit: int) -> str:
    """The name of a constraint or an index: ``("fk", "task", ["project_id"], 63)`` → ``fk_task_project_id``; cut to `limit`.

    `kind` is ``fk``, ``ix`` or ``uq``. It is not always the only one of its name: ``task_list.owner_id`` and
    ``task.list_owner_id`` share one, so whoever creates by name has to look whether it is taken.
    """
    return cut("_".join((kind, table, *columns)), limit)

"""Names: B1, B2, B4, B6 and B7 of the specification, as far as they are about words.

Map: the everyday words, there and back; then a part for each kind of name.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import inflection
import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activeassoc.errors import DeclarationError
from activeassoc.naming import (
    ENDINGS,
    IRREGULAR,
    UNCOUNTABLE,
    Names,
    alias_names,
    camel,
    constraint_name,
    cut,
    field_of,
    join_table,
    key_attribute,
    key_column,
    names_of,
    plural,
    singular,
    snake,
)

#: Everyday model names: singular, plural.
WORDS = """
person people, man men, woman women, child children, user users, customer customers, employee employees, member members,
owner owners, author authors, artist artists, salesman salesmen, salesperson salespeople, human humans, hero heroes,
superhero superheroes, boss bosses, boy boys, lady ladies, wife wives, housewife housewives, thief thieves, chief chiefs,
baby babies, ally allies, spy spies, enemy enemies, monarch monarchs, genius geniuses, alumnus alumni, german germans,
roman romans, shaman shamans, newbie newbies, rookie rookies, attorney attorneys, secretary secretaries, witness witnesses,
actress actresses, coach coaches, judge judges, nurse nurses, spouse spouses, accomplice accomplices, guru gurus, fellow fellows,
guy guys, staff staff, crew crews, personnel personnel, people_group people_groups,
mouse mice, dormouse dormice, louse lice, ox oxen, goose geese, sheep sheep, fish fish, deer deer, horse horses, cow cows,
wolf wolves, calf calves, fox foxes, fly flies, virus viruses, octopus octopuses, walrus walruses, mosquito mosquitoes,
buffalo buffaloes, hippopotamus hippopotamuses, rhinoceros rhinoceroses, cactus cacti, fungus fungi, leaf leaves, tree trees,
berry berries, cherry cherries, candy candies, potato potatoes, tomato tomatoes, mango mangoes, olive olives, loaf loaves,
cookie cookies, pie pies, brownie brownies, smoothie smoothies, dish dishes, peach peaches, bunch bunches, hive hives,
species species, subspecies subspecies, series series, dove doves, grape grapes, magpie magpies, monkey monkeys, donkey donkeys,
turkey turkeys, specimen specimens, bacterium bacteria,
foot feet, tooth teeth, half halves, life lives, knife knives, shelf shelves, bookshelf bookshelves, self selves, elf elves,
scarf scarves, roof roofs, proof proofs, belief beliefs, brief briefs, cliff cliffs, tariff tariffs, safe safes, cafe cafes,
giraffe giraffes, golf_club golf_clubs, gulf gulfs, hoof hooves, glove gloves, sleeve sleeves, stove stoves, blouse blouses,
house houses, warehouse warehouses, greenhouse greenhouses, shoe shoes, toe toes, canoe canoes, brush brushes, couch couches,
bench benches, mattress mattresses, dress dresses, glass glasses, watch watches, stomach stomachs, iris irises, pelvis pelvises,
trellis trellises, headache headaches, mustache mustaches, axis axes, piano pianos, photo photos, video videos, radio radios,
studio studios, portfolio portfolios, ratio ratios, memo memos, logo logos, demo demos, zoo zoos, zero zeros, echo echoes,
veto vetoes, torpedo torpedoes, volcano volcanoes, tornado tornadoes, embargo embargoes, domino dominoes, scenario scenarios,
status statuses, alias aliases, bus buses, minibus minibuses, bonus bonuses, campus campuses, census censuses, focus focuses,
surplus surpluses, consensus consensuses, syllabus syllabuses, apparatus apparatuses, prospectus prospectuses, chorus choruses,
circus circuses, menu menus, submenu submenus, sku skus, cpu cpus, gpu gpus, bureau bureaus, plateau plateaus, address addresses,
access accesses, process processes, subprocess subprocesses, class classes, subclass subclasses, business businesses, pass passes,
compass compasses, mass masses, gas gases, lens lenses, atlas atlases, canvas canvases, bias biases, tax taxes, box boxes,
inbox inboxes, fax faxes, fix fixes, mix mixes, suffix suffixes, prefix prefixes, index indices, matrix matrices, vertex vertices,
appendix appendices, regex regexes, batch batches, branch branches, church churches, match matches, patch patches,
sketch sketches, search searches, launch launches, wish wishes, crash crashes, hash hashes, flash flashes, push pushes,
cache caches, epoch epochs, tech techs, biotech biotechs, niche niches, avalanche avalanches, tranche tranches, cliche cliches,
quiz quizzes, waltz waltzes, buzz buzzes, blitz blitzes, topaz topazes, size sizes, prize prizes, database databases, base bases,
codebase codebases, knowledge_base knowledge_bases, use uses, use_case use_cases, cause causes, clause clauses, pause pauses,
excuse excuses, fuse fuses, abuse abuses, muse muses, ruse ruses, reuse reuses, recluse recluses, phase phases, phrase phrases,
purchase purchases, release releases, lease leases, case cases, course courses, response responses, expense expenses,
license licenses, license_plate license_plates, invoice invoices, price prices, device devices, service services, slice slices,
splice splices, voice voices, choice choices, office offices, notice notices, place places, space spaces, workspace workspaces,
race races, trace traces, interface interfaces, namespace namespaces, source sources, resource resources, sequence sequences,
sentence sentences, reference references, preference preferences, instance instances, balance balances, allowance allowances,
message messages, page pages, image images, stage stages, badge badges, bridge bridges, edge edges, exchange exchanges,
range ranges, change changes, package packages, language languages, challenge challenges, storage storages, voyage voyages,
wave waves, cave caves, slave slaves, grave graves, save saves, octave octaves, valve valves, curve curves, nerve nerves,
reserve reserves, native natives, perspective perspectives, objective objectives, incentive incentives, executive executives,
archive archives, drive drives, hard_drive hard_drives, dive dives, explosive explosives, adhesive adhesives, move moves,
grove groves, love loves, sieve sieves, representative representatives, initiative initiatives,
category categories, company companies, country countries, county counties, city cities, story stories, entry entries,
query queries, reply replies, delivery deliveries, inventory inventories, gallery galleries, factory factories, battery batteries,
library libraries, dependency dependencies, currency currencies, agency agencies, policy policies, party parties, body bodies,
copy copies, family families, history histories, hobby hobbies, army armies, property properties, activity activities,
ability abilities, opportunity opportunities, facility facilities, university universities, community communities,
subsidiary subsidiaries, summary summaries, salary salaries, diary diaries, ministry ministries, study studies,
assembly assemblies, strategy strategies, technology technologies, warranty warranties, penalty penalties, duty duties, key keys,
toy toys, survey surveys, journey journeys, day days, birthday birthdays, holiday holidays, essay essays, array arrays,
display displays, relay relays, gateway gateways, highway highways, alley alleys, valley valleys, play plays, tray trays,
delay delays, proxy proxies, galaxy galaxies,
movie movies, tie ties, selfie selfies, calorie calories, zombie zombies, genie genies, hoodie hoodies, menagerie menageries,
sortie sorties, indie indies, lie lies, prairie prairies, birdie birdies, foodie foodies, goalie goalies,
analysis analyses, crisis crises, thesis theses, hypothesis hypotheses, diagnosis diagnoses, synopsis synopses,
parenthesis parentheses, oasis oases, emphasis emphases, prognosis prognoses, synthesis syntheses, neurosis neuroses,
metamorphosis metamorphoses, datum data, medium media, criterion criteria, phenomenon phenomena, curriculum curricula,
stadium stadiums, premium premiums, aquarium aquariums, museum museums, album albums, forum forums, podium podiums,
gymnasium gymnasiums, auditorium auditoriums, consortium consortia, symposium symposia, spectrum spectra, stratum strata,
erratum errata, referendum referendums, memorandum memoranda, formula formulas, schema schemas, agenda agendas, quota quotas,
beta betas, delta deltas, vista vistas, pasta pastas, fiesta fiestas, pizza pizzas, camera cameras, area areas, idea ideas,
era eras, encyclopedia encyclopedias, cafeteria cafeterias, militia militias, pizzeria pizzerias, radius radii, nucleus nuclei,
stimulus stimuli, locus loci, corpus corpora, genus genera, automaton automata, taxon taxa, lexicon lexicons, chassis chassis,
metropolis metropolises,
news news, equipment equipment, money money, feedback feedback, software software, hardware hardware, firmware firmware,
middleware middleware, metadata metadata, aircraft aircraft, spacecraft spacecraft, information information, furniture furniture,
luggage luggage, homework homework, traffic traffic, merchandise merchandise, music music, advice advice, knowledge knowledge,
analytics analytics, logistics logistics, headquarters headquarters, progress progress, police police, mathematics mathematics,
cattle cattle, offspring offspring, corps corps, rice rice, evidence evidence, weather weather,
project projects, task tasks, book books, post posts, comment comments, tag tags, product products, order orders,
order_line order_lines, invoice_line invoice_lines, media_type media_types, staff_member staff_members,
user_project user_projects, user_address user_addresses, passport passports, payment payments, receipt receipts, account accounts,
document documents, playlist playlists, track tracks, genre genres, event events, ticket tickets, team teams, league leagues,
venue venues, queue queues, value values, issue issues, game games, type types, role roles, file files, role_type role_types,
recipe recipes, node nodes, theme themes, shop shops, cart carts, item items, review reviews, view views, interview interviews,
bid bids, sale sales, discount discounts, coupon coupons, school schools, student students, teacher teachers, grade grades,
exam exams, lesson lessons, room rooms, hotel hotels, reservation reservations, flight flights, airport airports, path paths,
month months, cloth cloths, chef chefs, garage garages, moss mosses, contest contests, protest protests, test tests,
latest_version latest_versions, passerby passersby, api apis, pdf pdfs, url urls, blog blogs
"""
PAIRS: list[Any] = [tuple(pair.split()) for pair in WORDS.split(",")]

IDENTIFIERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
WORDS_IN_SNAKE = st.from_regex(r"[a-z]{2,8}(_[a-z]{2,8}){0,3}", fullmatch=True)


# Number


def test_there_are_enough_everyday_words() -> None:
    """B1: tested with 200 everyday words there and back."""
    assert len(dict(PAIRS)) == len(PAIRS) > 500


def test_everyday_words_have_their_plurals() -> None:
    """B1: what the inflection package gets wrong stands in a table."""
    assert {one: plural(one) for one, many in PAIRS if plural(one) != many} == {}


def test_everyday_plurals_have_their_singulars() -> None:
    """B1: there and back."""
    assert {many: singular(many) for one, many in PAIRS if singular(many) != one} == {}


def test_a_plural_stays_a_plural() -> None:
    """B1: a class may be called Users; its plural is no usersses."""
    assert {many: plural(many) for _, many in PAIRS if plural(many) != many} == {}


@pytest.mark.parametrize(
    ("model", "many"),
    [
        ("Person", "people"),
        ("Category", "categories"),
        ("Status", "statuses"),
        ("Mouse", "mice"),
        ("Sheep", "sheep"),
        ("Leaf", "leaves"),
        ("Wave", "waves"),
        ("Cache", "caches"),
        ("Cookie", "cookies"),
        ("Criterion", "criteria"),
        ("Campus", "campuses"),
        ("Staff", "staff"),
        ("Series", "series"),
    ],
)
def test_names_of_models_that_are_easily_got_wrong(model: str, many: str) -> None:
    """B1: Person → people, Category → categories, Status → statuses, and so on."""
    assert names_of(model) == Names(model.lower(), many)
    assert alias_names(many, to_many=True) == Names(model.lower(), many)


def test_only_the_last_component_is_inflected() -> None:
    """B1: UserProject → user_project, user_projects."""
    assert plural("user_project") == "user_projects"
    assert singular("user_projects") == "user_project"
    assert plural("people_group") == "people_groups"
    assert singular("news_statuses") == "news_status"
    assert plural("street_address") == "street_addresses"
    assert plural("project_staff") == singular("project_staff") == "project_staff"


def test_underscores_at_either_end_stay() -> None:
    """B1: a class Class_ is named so to be no keyword."""
    assert plural("class_") == "classes_"
    assert singular("classes_") == "class_"
    assert plural("_leaf") == "_leaves"
    assert plural("_") == singular("_") == "_"


def test_of_two_words_with_one_plural_the_commoner_comes_back() -> None:
    """B1: English has no way back here."""
    assert (plural("base"), plural("basis"), singular("bases")) == ("bases", "bases", "base")
    assert (plural("leaf"), plural("leave"), singular("leaves")) == ("leaves", "leaves", "leaf")


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_ending_is_hidden_by_an_earlier_one(ending: str) -> None:
    """B1: the table is read from its top, so that a special ending stands above the general one."""
    endings = list(ENDINGS)
    earlier = endings[: endings.index(ending)]
    assert [other for other in earlier if ending.endswith(other)] == []
    assert [other for other in earlier if ENDINGS[ending].endswith(ENDINGS[other])] == []


def test_the_tables_do_not_contradict_each_other() -> None:
    """B1: a word stands in one table, and no two words of the table have one plural."""
    plurals = list(IRREGULAR.values())
    assert sorted(set(plurals)) == sorted(plurals)
    assert set(plurals).isdisjoint(IRREGULAR)
    assert UNCOUNTABLE.isdisjoint(IRREGULAR)
    assert UNCOUNTABLE.isdisjoint(plurals)


def test_every_word_of_the_tables_goes_there_and_back() -> None:
    """B1: the tables mean what they say."""
    assert {one: plural(one) for one, many in IRREGULAR.items() if plural(one) != many} == {}
    assert {many: singular(many) for one, many in IRREGULAR.items() if singular(many) != one} == {}
    assert {one: singular(one) for one in IRREGULAR if singular(one) != one} == {}
    assert {word for word in UNCOUNTABLE if plural(word) != word or singular(word) != word} == set()


def test_the_rules_of_inflection_are_left_as_they_are() -> None:
    """B1: inflection's rules are global, and others in the process use them."""
    spec: Any = importlib.util.find_spec("inflection")
    untouched: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(untouched)
    assert untouched is not inflection
    assert inflection.PLURALS == untouched.PLURALS
    assert inflection.SINGULARS == untouched.SINGULARS
    assert inflection.UNCOUNTABLES == untouched.UNCOUNTABLES


# Case


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("User", "user"),
        ("UserProjects", "user_projects"),
        ("DadId", "dad_id"),
        ("homeTeamId", "home_team_id"),
        ("HTTPServer", "http_server"),
        ("OAuth2Token", "o_auth2_token"),
        ("user_projects", "user_projects"),
        ("User_Projects", "user_projects"),
        ("User_P", "user_p"),
        ("_Private", "__private"),
        ("ID", "id"),
        ("", ""),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    """B7: tables are the snake_case of the class name."""
    assert snake(name) == expected


@given(IDENTIFIERS | st.text(max_size=20))
def test_snake_case_is_peewees(name: str) -> None:
    """B7: the two must not differ, or a through model's name would mean another table."""
    theirs: Any = peewee
    assert snake(name) == theirs.make_snake_case(name)


@given(IDENTIFIERS)
def test_snake_case_is_the_table_that_peewee_gives_to_a_class(name: str) -> None:
    """B7: the table of a model is the snake_case of its name."""

    class Meta:
        legacy_table_names = False

    model: Any = type(name, (peewee.Model,), {"Meta": Meta})
    assert model._meta.table_name == snake(name)


@given(st.text(max_size=30))
def test_snake_case_stays_snake_case(name: str) -> None:
    """B2: a name given in snake_case stays."""
    assert snake(snake(name)) == snake(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("project_has_users", "ProjectHasUsers"),
        ("ProjectHasUsers", "ProjectHasUsers"),
        ("homeTeam", "HomeTeam"),
        ("users", "Users"),
        ("PROJECT_USERS", "ProjectUsers"),
        ("HTTP", "HTTP"),
        ("__links__", "Links"),
        ("crm.user-roles now", "CrmUserRolesNow"),
        ("2fa_codes", "_2faCodes"),
        ("größen_übersicht", "GrößenÜbersicht"),
        ("---", "_"),
    ],
)
def test_camel_case(name: str, expected: str) -> None:
    """B5: a class in CamelCase is made for a table named by a string."""
    assert camel(name) == expected


@given(st.text(max_size=30))
def test_camel_case_is_an_identifier_whatever_the_table_is_called(name: str) -> None:
    """B5: the class must be importable."""
    assert camel(name).isidentifier()


@given(WORDS_IN_SNAKE)
def test_camel_case_and_snake_case_are_each_others_way_back(name: str) -> None:
    """B5: the join row appears under the through model's name in snake_case, which is the table's name."""
    assert snake(camel(name)) == name
    assert camel(camel(name)) == camel(name)


# The names of an association


@pytest.mark.parametrize(
    ("model", "one", "many"),
    [
        ("UserProject", "user_project", "user_projects"),
        ("UserProjects", "user_projects", "user_projects"),
        ("Users", "users", "users"),
        ("People", "people", "people"),
        ("Bus", "bus", "buses"),
        ("Data", "data", "data"),
        ("HTTPServer", "http_server", "http_servers"),
        ("OrderLine", "order_line", "order_lines"),
        ("blog.models.Post", "post", "posts"),
        ("user", "user", "users"),
    ],
)
def test_a_class_names_its_association(model: str, one: str, many: str) -> None:
    """B1: a class's own word is its singular; a target given as a string is named by the string."""
    assert names_of(model) == Names(one, many)


def test_meta_names_a_model() -> None:
    """B2: Meta.singular and Meta.plural; what is not given is the class's word, or made from the singular."""
    assert names_of("Employee", one="staff_member", many="staff") == ("staff_member", "staff")
    assert names_of("Employee", one="person") == ("person", "people")
    assert names_of("Employee", many="staff") == ("employee", "staff")
    assert names_of("Employee", one="StaffMember") == ("staff_member", "staff_members")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("Or-der",),
            "The model 'Or-der': 'Or-der' is no identifier, and methods are named after it. "
            "Give it Meta.singular, as in singular = \"post\".",
        ),
        (("models.",), "The model 'models.': the name is empty. Give it Meta.singular, as in singular = \"post\"."),
        (
            ("Post", "my post"),
            "Meta.singular of 'Post': 'my post' is no identifier, and methods are named after it. Write singular = \"post\".",
        ),
        (("Post", None, 5), "Meta.plural of 'Post': a name is a str, and 5 is of type int. Write plural = \"posts\"."),
        (("Post", "post", ""), "Meta.plural of 'Post': the name is empty. Write plural = \"posts\"."),
    ],
)
def test_a_model_needs_a_name_that_methods_can_have(arguments: tuple[Any, ...], text: str) -> None:
    """B2: Meta.singular and Meta.plural are names."""
    with pytest.raises(DeclarationError) as caught:
        names_of(*arguments)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("as_", "to_many", "one", "many"),
    [
        ("members", True, "member", "members"),
        ("owner", False, "owner", "owners"),
        ("Workers", True, "worker", "workers"),
        ("homeTeam", False, "home_team", "home_teams"),
        ("staff", True, "staff", "staff"),
        ("people", True, "person", "people"),
        ("favorite_movies", True, "favorite_movie", "favorite_movies"),
        ("boss", False, "boss", "bosses"),
        ("classes", True, "class", "classes"),
        ("passes", True, "pass", "passes"),
        ("match", False, "match", "matches"),
        (("staff_member", "staff"), True, "staff_member", "staff"),
        (("StaffMember", "Staff"), True, "staff_member", "staff"),
        (("class", "classes"), True, "class", "classes"),
        (("head", "heads"), False, "head", "heads"),
    ],
)
def test_an_alias_is_given_in_the_form_of_its_association(as_: Any, to_many: bool, one: str, many: str) -> None:
    """B2: the other form is derived; a tuple gives both; CamelCase is turned to snake_case."""
    assert alias_names(as_, to_many) == Names(one, many)


TO_MANY = 'Write as_="members", or as_=("member", "members").'
TO_ONE = 'Write as_="member", or as_=("member", "members").'


@pytest.mark.parametrize(
    ("as_", "to_many", "text"),
    [
        ("", True, f"as_='': the name is empty. {TO_MANY}"),
        ("", False, f"as_='': the name is empty. {TO_ONE}"),
        ("my members", True, f"as_='my members': 'my members' is no identifier, and methods are named after it. {TO_MANY}"),
        ("2nd", False, f"as_='2nd': '2nd' is no identifier, and methods are named after it. {TO_ONE}"),
        ("class", False, f"as_='class': 'class' is a keyword of Python, and no attribute can be read by it. {TO_ONE}"),
        ("Class", False, f"as_='Class': 'class' is a keyword of Python, and no attribute can be read by it. {TO_ONE}"),
        ("pass", True, f"as_='pass': 'pass' is a keyword of Python, and no attribute can be read by it. {TO_MANY}"),
        (
            ("class", "classes"),
            False,
            f"as_=('class', 'classes'): 'class' is a keyword of Python, and no attribute can be read by it. {TO_ONE}",
        ),
        (5, True, f"as_=5: a name is a str, and 5 is of type int. {TO_MANY}"),
        (b"members", True, f"as_=b'members': a name is a str, and b'members' is of type bytes. {TO_MANY}"),
        (["member", "members"], True, f"as_=['member', 'members']: a name is a str, and ['member', 'members'] is of type list. {TO_MANY}"),
        (("member",), True, f"as_=('member',): a tuple holds the singular and the plural, and this one holds 1. {TO_MANY}"),
        (("a", "b", "c"), False, f"as_=('a', 'b', 'c'): a tuple holds the singular and the plural, and this one holds 3. {TO_ONE}"),
        (("member", None), True, f"as_=('member', None): a name is a str, and None is of type NoneType. {TO_MANY}"),
        (("", "members"), True, f"as_=('', 'members'): the name is empty. {TO_MANY}"),
    ],
)
def test_an_alias_that_no_association_can_have_is_refused(as_: Any, to_many: bool, text: str) -> None:
    """B2: as_ is a name, or a pair of them."""
    with pytest.raises(DeclarationError) as caught:
        alias_names(as_, to_many)
    assert str(caught.value) == text


# The names of a key


@pytest.mark.parametrize(
    ("one", "key", "column"),
    [
        ("project", "id", "project_id"),
        ("user", "username", "user_username"),
        ("user_project", "id", "user_project_id"),
        ("book", "ISBN", "book_isbn"),
        ("user", "user_id", "user_user_id"),
    ],
)
def test_the_column_of_a_key(one: str, key: str, column: str) -> None:
    """B4: the singular and _id, or _<key name> where the referenced key is not id."""
    assert key_column(one, key) == column


@pytest.mark.parametrize(
    ("column", "key", "field"),
    [
        ("project_id", "id", "project"),
        ("user_id", "id", "user"),
        ("homeTeamId", "id", "home_team"),
        ("DadId", "id", "dad"),
        ("DadID", "id", "dad"),
        ("country_code", "code", "country"),
        ("countryCode", "code", "country"),
        ("user_id", "code", "user"),
        ("user_id", "user_id", "user"),
        ("ArtistId", "ArtistId", "artist"),
        ("user_user_id", "user_id", "user"),
        ("ReportsTo", "id", "reports_to"),
        ("pb_owner", "id", "pb_owner"),
        ("userid", "id", "userid"),
        ("country_code", "id", "country_code"),
        ("parent_id_id", "id", "parent_id"),
        ("id", "id", ""),
        ("ID", "id", ""),
        ("_id", "id", ""),
        ("__id", "id", ""),
        ("_code", "code", ""),
        ("_", "id", ""),
    ],
)
def test_the_field_of_a_column(column: str, key: str, field: str) -> None:
    """B4: the column in snake_case less _id, Id or _<referenced key>."""
    assert field_of(column, key) == field


@given(WORDS_IN_SNAKE, WORDS_IN_SNAKE)
def test_the_field_of_a_column_that_was_named_for_it(one: str, key: str) -> None:
    """B4: the record is read by the word that its column was made of."""
    assert field_of(key_column(one, key), key) == one


@pytest.mark.parametrize(
    ("field", "column", "attribute"),
    [
        ("project", "project_id", "project_id"),
        ("owner", "owner_id", "owner_id"),
        ("dad", "DadId", "dad_id"),
        ("home_team", "homeTeamId", "home_team_id"),
        ("country", "country_code", "country_code"),
        ("pb_owner", "pb_owner", "pb_owner_id"),
        ("reports_to", "ReportsTo", "reports_to_id"),
        ("owner", "pb_owner", "pb_owner"),
    ],
)
def test_the_attribute_of_a_key(field: str, column: str, attribute: str) -> None:
    """B4: the key is the column in snake_case, or <field>_id where column and field are one word."""
    assert key_attribute(field, column) == attribute


@given(IDENTIFIERS, st.sampled_from(["id", "code", "user_id"]))
def test_the_record_and_its_key_never_share_a_name(column: str, key: str) -> None:
    """B4: task.project is the record, task.project_id the key."""
    field = field_of(column, key)
    assert key_attribute(field, column) != field


# Names in the database


def test_a_join_table_has_one_name_from_either_side() -> None:
    """A7: the plurals of both models' names, sorted."""
    assert join_table("users", "projects") == join_table("projects", "users") == "projects_users"
    assert join_table("staff_members", "staff_members") == "staff_members_staff_members"


def test_a_name_that_fits_stays() -> None:
    """B6: only longer names are cut."""
    assert cut("a" * 63, 63) == "a" * 63
    assert cut("ä" * 31, 63) == "ä" * 31


def test_a_long_name_is_cut_and_given_a_hash() -> None:
    """B6: the same on every machine and in every run."""
    assert cut("a" * 64, 63) == "a" * 54 + "_0098ba82"
    assert cut("ä" * 32, 63) == "ä" * 27 + "_341398bb"
    assert cut("a" * 27 + "ä" * 32, 63) == "a" * 27 + "ä" * 13 + "_2d3aaacd"  # the 14th would be half over


def test_names_that_differ_in_the_last_letter_differ_when_cut() -> None:
    """B6: PostgreSQL would cut both to one name."""
    assert cut("a" * 80 + "x", 63) != cut("a" * 80 + "y", 63)


@given(st.text(max_size=120), st.integers(1, 70))
def test_a_cut_name_is_never_too_long(name: str, limit: int) -> None:
    """B6: bytes of UTF-8 are counted, and no character is split."""
    short = cut(name, limit)
    assert len(short.encode()) <= limit
    assert (short == name) == (len(name.encode()) <= limit)
    if short != name and limit > 9:
        kept, _, digest = short.rpartition("_")
        assert name.startswith(kept)
        assert len(kept.encode()) > limit - 9 - 4
        assert len(digest) == 8


@given(st.lists(st.text(max_size=90), unique=True, min_size=2, max_size=20))
def test_different_names_stay_different(names: list[str]) -> None:
    """B6: the hash is of the whole name."""
    assert len({cut(name, 40) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("kind", "table", "columns", "name"),
    [
        ("fk", "task", ["project_id"], "fk_task_project_id"),
        ("ix", "task", ["project_id"], "ix_task_project_id"),
        ("uq", "projects_users", ["project_id", "user_id"], "uq_projects_users_project_id_user_id"),
        ("fk", "Child", ("DadId",), "fk_Child_DadId"),
        ("uq", "projects_users", ["a" * 50], "uq_projects_users_" + "a" * 36 + "_bd155a2b"),
    ],
)
def test_constraints_are_named_after_table_and_columns(kind: str, table: str, columns: list[str], name: str) -> None:
    """B6: not after the class, as peewee does: two classes of one name would share an index."""
    assert constraint_name(kind, table, columns, 63) == name

"""A new feature begins with text that runs, in the right place, and unfinished it gets nowhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import features.catalogue
from features.declare import REGISTRY
from pipeline.catalogue import markdown
from pipeline.catalogue.imports import with_imports
from pipeline.catalogue.scaffold import LINES_MOST, TABLES, write
from pipeline.catalogue.sql import sql
from pipeline.catalogue.stub import stub
from pipeline.catalogue.worked import examples
from saakh.errors import ConfigError, DeclarationError, MissingInputError
from tests.declaring import declare


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("features/social", "tests/spec/social"):
        (tmp_path / folder).mkdir(parents=True)
    written = '"""Social by calls."""\n\nfrom features.declare import Risk\nfrom features.tables import calls\n'
    (tmp_path / "features/social/calls.py").write_text(written)
    return tmp_path


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("name", ["some_new_share", "some_new_mean", "some_new_count", "is_some_new", "some_new"])
def test_what_a_feature_begins_with_is_declared_and_can_be_computed(name: str, table) -> None:
    text = stub(name, table)
    source = with_imports('"""A module."""\n', text.imports) + f"\n\n{text.declaration}"
    exec(compile(source, "stub", "exec"), {"__name__": "features.social.some"})
    assert REGISTRY[name].table == table
    assert "SELECT" in sql(REGISTRY[name], "duckdb")
    assert all(f"`{column}` = TODO: " in text.example for column in REGISTRY[name].columns)


def test_both_parts_are_appended_and_what_is_missing_is_imported(checkout: Path) -> None:
    begun = write(checkout, "call_wee_share", "calls", "social", "calls")
    lines = begun.declaration.read_text().splitlines()
    assert lines[:6] == [
        '"""Social by calls."""',
        "",
        "from features.declare import Risk, Unit, feature",
        "from features.expressions import ratio",
        "from features.tables import calls",
        "from features.windows import STANDARD",
    ]
    assert lines[begun.declared_at - 3 : begun.declared_at - 1] == ["", ""]
    assert lines[begun.declared_at].startswith("def call_wee_share(call):")
    page = begun.example.read_text().splitlines()
    assert page[0] == "# Social by calls, worked by hand"
    assert page[begun.drawn_at - 1] == "## call_wee_share"


def test_an_example_that_was_not_worked_is_named(checkout: Path) -> None:
    begun = write(checkout, "call_wee_share", "calls", "social", "calls")
    with pytest.raises(ValueError, match=r"call_wee_share_30d: a value is a number, .* work it out by hand"):
        list(examples(begun.example))


def test_the_module_is_that_of_the_topic(checkout: Path) -> None:
    assert write(checkout, "call_wee_share", "calls", "social").declaration.name == "calls.py"
    (checkout / "features/brand").mkdir()
    assert write(checkout, "wee_visits", "web_visits", "brand").declaration.name == "browsing.py"
    assert write(checkout, "wee_calls", "calls", "social", "calls_wee").declaration.name == "calls_wee.py"


def test_a_full_module_or_page_gives_way_to_another(checkout: Path) -> None:
    (checkout / "tests/spec/social/calls.md").write_text("# Calls\n" * LINES_MOST)
    begun = write(checkout, "call_wee_share", "calls", "social", "calls")
    assert begun.example.name == "calls_2.md"
    for module in features.catalogue.MODULES["social"]:
        path = checkout / "features/social" / f"{module.__name__.rpartition('.')[2]}.py"
        path.write_text("# full\n" * LINES_MOST)
    with pytest.raises(ConfigError, match="are full; name another with --module"):
        write(checkout, "call_wee_other", "calls", "social")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("Calls", "calls", "social", ""), "'Calls' is no feature's name"),
        (("calls_30d", "calls", "social", ""), "without a window"),
        (("call_contacts", "calls", "social", ""), "there is a feature 'call_contacts' already"),
        (("call_wee", "call", "social", ""), "no table 'call' to measure on; there are people, devices, calls"),
        (("call_wee", "consents", "social", ""), "no table 'consents' to measure on"),
        (("call_wee", "calls", "friends", ""), "no family 'friends'; the families are identity"),
        (("call_wee", "calls", "social", "../x"), "'../x' is no module's name"),
    ],
)
def test_what_cannot_be_begun_is_refused_and_nothing_is_written(
    checkout: Path, given: tuple[str, ...], said: str
) -> None:
    before = sorted(checkout.rglob("*"))
    with pytest.raises(ConfigError) as error:
        write(checkout, *given)
    assert said in str(error.value)
    assert sorted(checkout.rglob("*")) == before


def test_outside_a_checkout_there_is_nothing_to_begin(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="begun in a checkout"):
        write(tmp_path, "call_wee", "calls", "social")


def test_an_unfinished_feature_is_no_part_of_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def wee_calls(call):
        """TODO: what it measures."""
        return call.count()

    monkeypatch.setattr(features.catalogue.MODULES["social"][0], "wee_calls", wee_calls, raising=False)
    declare(wee_calls)
    with pytest.raises(
        DeclarationError, match=r"is unfinished: .* tests/unit/pipeline/test_catalogue_scaffold\.py, line"
    ):
        markdown()


def test_imports_stay_sorted_and_long_ones_are_broken() -> None:
    long = {f"expression_number_{number}" for number in range(6)}
    got = with_imports(
        "import os\n\nfrom features.tables import calls\n\nx = 1\n", {"features.expressions": long | {"Z", "B"}}
    )
    ast.parse(got)
    lines = got.splitlines()
    assert lines[:5] == ["import os", "", "from features.expressions import (", "    B,", "    Z,"]
    assert lines[-4:] == [")", "from features.tables import calls", "", "x = 1"]
    assert with_imports(got, {"features.tables": {"calls"}}) == got

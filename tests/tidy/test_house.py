"""The rules of the house that a machine can check."""

import re
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
ROOMS = ("edge", "console", "sync")
LINES_MAX = 300
RECORDED = HOUSE / "tests" / "legacy" / "recorded"
"""The replay of the old web app's recordings, kept as it came with them."""
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "service", "handler"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(
        HOUSE / name for name in set(listed.stdout.splitlines()) if (HOUSE / name).exists()
    )


def python_files() -> list[Path]:
    return [path for path in tracked("*.py") if path.relative_to(HOUSE).parts[0] in ROOMS]


def name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


@pytest.mark.parametrize("path", python_files(), ids=name)
def test_a_file_is_short_and_named_for_what_it_does(path: Path):
    assert len(path.read_text().splitlines()) <= LINES_MAX
    assert not BANNED_NAMES & set(path.stem.split("_")), "name it for what it decides or does"
    classes = re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)
    assert not [c for c in classes if re.search(r"(Manager|Helper|Service|Handler|Base|Util)$", c)]


@pytest.mark.parametrize("path", tracked("console/*.py"), ids=name)
def test_a_record_of_the_console_is_a_struct_unless_a_dataclass_can_do_what_it_needs(path: Path):
    text = path.read_text()
    needs = ("repr=False", "eq=False", "@dataclass(slots=True)")
    assert "@dataclass" not in text or any(need in text for need in needs), "docs/decisions/0028"


@pytest.mark.parametrize("path", tracked("console/*.py"), ids=name)
def test_whoever_has_an_empty_name_goes_by_her_user_name(path: Path):
    """The old web app keeps an empty name as well as none."""
    assert not re.search(r"coalesce\(\w+\.name, \w+\.username\)", path.read_text())


@pytest.mark.parametrize("path", python_files(), ids=name)
def test_only_settings_read_the_environment(path: Path):
    reads = re.search(r"os\.environ|os\.getenv", path.read_text())
    assert path.name in {"settings.py", "__main__.py"} or not reads


@pytest.mark.parametrize("path", tracked("*.py", "*.md", "*.sql", "*.html", "*.toml"), ids=name)
def test_nothing_is_left_to_do_and_nothing_points_outside(path: Path):
    if path == Path(__file__) or RECORDED in path.parents:
        return
    text = path.read_text()
    for word in ("TODO", "FIXME", "XXX", "/work/shared", "../shared"):
        assert word not in text, word


@pytest.mark.parametrize("path", tracked("*.md"), ids=name)
def test_links_between_pages_lead_somewhere(path: Path):
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_every_setting_stands_in_the_operating_manual():
    manual = (HOUSE / "docs" / "operating.md").read_text()
    for source in ("console/settings.py", "edge/settings.py", "edge/reader_settings.py"):
        asked = re.findall(
            r"\.(?:text|optional_text|choice|path|optional_path|flag|integer|optional_integer"
            r"|address|optional_url|table|tables)\(\s*\"(\w+)\"",
            (HOUSE / source).read_text(),
        )
        assert asked, source
        for key in asked:
            assert re.search(rf"\b{key}\b", manual), f"{source}: {key}"


def test_every_command_stands_in_the_operating_manual():
    manual = (HOUSE / "docs" / "operating.md").read_text()
    for program, source in (("p2k16-console", "console"), ("p2k16-edge", "edge")):
        text = "".join(path.read_text() for path in (HOUSE / source).glob("*.py"))
        for command in re.findall(r"add_parser\(\s*\"([a-z-]+)\"", text):
            assert re.search(rf"{program} (?:\w+ )?{command}\b", manual), f"{program} {command}"


def test_every_target_of_the_makefile_says_what_it_is_for():
    makefile = (HOUSE / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) - {"system-packages"}
    explained = set(re.findall(r"^([a-z-]+):.*## \w", makefile, re.MULTILINE))
    assert targets == explained

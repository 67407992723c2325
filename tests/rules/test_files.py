"""Reading rule files: directories, links as ConfigMaps and git-sync make them, packs, and what cannot be read."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import NOW

from rules.check import check, render_text
from rules.loading.files import has_rules, read_rule_files
from rules.loading.sections import SourceFile

RULES = "rules: [{id: a, match: x=1, declare: SEV3}]\n"


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    folder = tmp_path / "packs"
    folder.mkdir()
    (folder / "practice.yml").write_text("# practice\n")
    (folder / "storm.yml").write_text("# storm\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "rules.d"
    found.mkdir()
    (found / "rules.yml").write_text(RULES)
    return found


def names(read, *, below: Path) -> list[str]:
    return [file.name.removeprefix(f"{below}/") for file in read.files]


def told(read) -> list[tuple[str, str]]:
    return [(Path(problem.file).name, problem.code) for problem in read.problems]


def test_files_of_a_directory_are_read_in_order(folder, packs):
    """Recursively, by name, `*.yml` and `*.yaml`; what starts with a dot is skipped."""
    for name in ("b.yaml", "a.yml", "sub/deep/c.yml", "notes.txt", ".hidden.yml", ".git/x.yml", "z.yml.bak"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    read = read_rule_files([str(folder)], packs)
    assert names(read, below=folder) == ["a.yml", "b.yaml", "rules.yml", "sub/deep/c.yml"]
    assert read.problems == ()


def test_files_of_a_config_map_are_read_once(tmp_path, packs):
    """Kubernetes mounts `rules.yml -> ..data/rules.yml` with `..data -> ..2026_11_02`."""
    folder = tmp_path / "mounted"
    (folder / "..2026_11_02").mkdir(parents=True)
    (folder / "..2026_11_02" / "rules.yml").write_text(RULES)
    (folder / "..data").symlink_to("..2026_11_02")
    (folder / "rules.yml").symlink_to("..data/rules.yml")
    read = read_rule_files([str(folder)], packs)
    assert [(file.name, file.text) for file in read.files] == [(f"{folder}/rules.yml", RULES.encode())]
    assert read.problems == ()


def test_files_below_a_root_that_is_a_link_are_read(folder, tmp_path, packs):
    """git-sync gives `current -> rev-abc`; the listed directory may be a link to anywhere."""
    (tmp_path / "current").symlink_to("rules.d")
    read = read_rule_files([str(tmp_path / "current")], packs)
    assert names(read, below=tmp_path / "current") == ["rules.yml"]


def test_files_behind_a_link_out_of_the_directory_are_refused(folder, tmp_path, packs):
    """A link inside may not lead out, be it to a file or to a directory; a broken one is named."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.yml").write_text(RULES)
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "out.yml").symlink_to(tmp_path / "outside" / "x.yml")
    (folder / "broken.yml").symlink_to("nowhere.yml")
    (folder / "loop.yml").symlink_to("loop.yml")
    (folder / "self").symlink_to(".")
    read = read_rule_files([str(folder)], packs)
    assert names(read, below=folder) == ["rules.yml"]
    assert sorted(told(read)) == [("broken.yml", "E001"), ("loop.yml", "E002"), ("out", "E003"), ("out.yml", "E003")]


def test_files_that_are_listed_twice_are_read_once(folder, packs):
    """A file inside of a listed directory, or under another name, is not a second set of rules."""
    (folder / "same.yml").symlink_to("rules.yml")
    read = read_rule_files([str(folder / "rules.yml"), str(folder), str(folder)], packs)
    assert names(read, below=folder) == ["rules.yml"]


def test_files_that_are_not_there_are_named(tmp_path, packs):
    """A missing path, a path below a file, and a name that no system takes are errors of reading."""
    (tmp_path / "file.yml").write_text("")
    read = read_rule_files([str(tmp_path / "nope.yml"), str(tmp_path / "file.yml" / "x"), "a\0b"], packs)
    assert [problem.code for problem in read.problems] == ["E001", "E002", "E002"]
    assert str(read.problems[0]).endswith(
        "nope.yml: error[E001] cannot be read: No such file or directory (check the path)"
    )


def test_files_that_would_never_end_are_not_opened(folder, packs):
    """A pipe named like a rule file is refused instead of waited for."""
    os.mkfifo(folder / "pipe.yml")
    assert told(read_rule_files([str(folder)], packs)) == [("pipe.yml", "E002")]


@pytest.fixture
def nobody():
    """What a block does it may not do as root, who may read everything."""

    @contextmanager
    def being_nobody():
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return being_nobody


def test_files_that_may_not_be_read_are_named(packs, nobody):
    """A file without permission is an error of reading."""
    with TemporaryDirectory() as name:  # below what everybody may enter
        Path(name).chmod(0o755)
        rules = Path(name, "rules.yml")
        rules.write_text(RULES)
        rules.chmod(0)
        with nobody():
            read = read_rule_files([name], packs)
    assert told(read) == [("rules.yml", "E002")]


def test_files_are_read_no_further_than_the_limit(folder, packs):
    """A huge file costs no more than its limit and one byte."""
    (folder / "huge.yml").write_bytes(b"#" * 3_000_000)
    sizes = {Path(file.name).name: len(file.text) for file in read_rule_files([str(folder)], packs).files}
    assert sizes["huge.yml"] == 1024 * 1024 + 1


def test_files_of_an_empty_directory_are_warned_of(tmp_path, packs):
    """A directory without rule files is probably the wrong one."""
    (tmp_path / "empty").mkdir()
    assert told(read_rule_files([str(tmp_path / "empty")], packs)) == [("empty", "W001")]


def test_packs_are_in_force_until_a_file_has_rules(folder, packs):
    """With people but no rules, every shipped pack judges; a `rules` section ends that."""
    (folder / "rules.yml").write_text("people: {}\n# rules: []\n")
    assert [file.name for file in read_rule_files([str(folder)], packs).files][1:] == ["pack:practice", "pack:storm"]
    assert [file.name for file in read_rule_files([], packs).files] == ["pack:practice", "pack:storm"]
    (folder / "more.yml").write_text("{people: {}, rules: }")
    assert [Path(file.name).name for file in read_rule_files([str(folder)], packs).files] == ["more.yml", "rules.yml"]


def test_packs_are_added_by_name(folder, packs):
    """`pack:NAME` stands beside files of one's own; an unknown one is named with the nearest."""
    read = read_rule_files([str(folder), "pack:storm", "pack:stom", "pack:../secret"], packs)
    assert [file.name for file in read.files][1:] == ["pack:storm"]
    assert [problem.code for problem in read.problems] == ["E002", "E002"]
    assert "did you mean 'storm'" in str(read.problems[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: []", True),
        ("people: {}\nrules :\n- x", True),
        ('"rules": []', True),
        ("{rules: []}", True),
        ("# rules: []", False),
        ("people: {rules: {}}", False),
        ("", False),
        ("rules", False),
        (b"\xff rules", False),
    ],
)
def test_packs_look_for_a_section_and_not_for_a_word(text, expected):
    """A comment, a person called rules, or bytes that are no text are no section."""
    assert has_rules(SourceFile("x.yml", text)) is expected


def test_packs_bring_those_to_which_they_leave_alerts(folder, packs):
    """A pack that leaves alerts to another one comes with it, once, however they are named."""
    (packs / "practice.yml").write_text("# The practice.\n# Comes with: storm.\n")
    (packs / "storm.yml").write_text("# Comes with: practice.\n")
    names = [file.name for file in read_rule_files([str(folder), "pack:practice", "pack:storm"], packs).files]
    assert names[1:] == ["pack:practice", "pack:storm"]


def test_files_together_are_bounded(tmp_path):
    """Many large files are not all kept in memory: what is beyond the bound is said once, and not read on."""
    for place in range(40):
        (tmp_path / f"{place:02}.yml").write_text("#" * 1024 * 1024)
    read = read_rule_files([str(tmp_path)])
    assert len([file for file in read.files if file.name.startswith(str(tmp_path))]) == 32
    assert [str(problem) for problem in read.problems] == [
        f"{tmp_path}/32.yml: error[E005] the files have more than 32 MiB together (remove what is no rule file)"
    ]


def test_files_of_a_path_that_cannot_be_read_are_not_packs_instead(tmp_path, packs):
    """Packs are for whoever wrote no rules, not for whoever mistyped where they are."""
    read = read_rule_files([str(tmp_path / "nope.yml")], packs)
    assert (read.files, told(read)) == ((), [("nope.yml", "E001")])
    found = check(read.files, NOW, unreadable=read.problems)
    assert render_text(found).splitlines()[-1] == "1 error, 0 warnings; nothing was loaded"

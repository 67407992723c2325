"""What the Dockerfile does, done for real without an engine: build, install from the lock, guard, run its commands."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tocsin

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("incidents", "rules", "receiver", "workers", "tocsin")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def pip(python, *arguments, cwd):
    return run(python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments, cwd=cwd)


def source_files():
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the wheel as the build stage makes it."""
    folder = tmp_path_factory.mktemp("dist")
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the bin folder of an environment that holds the lock and the wheel, and nothing else."""
    home = tmp_path_factory.mktemp("opt")
    run(sys.executable, "-m", "venv", "--without-pip", home / "tocsin", cwd=home)
    python = home / "tocsin" / "bin" / "python"
    into = ("--python", python, "install", "--no-compile")  # by our pip; what is imported is compiled then
    pip(sys.executable, *into, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements.lock", cwd=home)
    pip(sys.executable, *into, "--no-deps", "--no-index", wheel, cwd=home)
    return python.parent


def docker_commands():
    """Return the argument lists that ENTRYPOINT with CMD, and HEALTHCHECK, would run."""
    found = dict(re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", DOCKERFILE, re.MULTILINE))
    health = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert health is not None
    return [json.loads(found["ENTRYPOINT"]) + json.loads(found["CMD"]), json.loads(health[1])]


def test_wheel_holds_the_packages_whole(tmp_path_factory, request):
    """Every file of the five packages is in the wheel: modules, rule packs, templates."""
    before = source_files()
    with zipfile.ZipFile(request.getfixturevalue("wheel")) as archive:
        packed = set(archive.namelist())
    assert before - packed == set()
    assert any(re.fullmatch(r"rules/packs/.+\.yml", name) for name in packed)


def test_wheel_holds_nothing_else(wheel):
    """Neither tests nor tools nor documents are installed with the product."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert tops == {*PACKAGES, f"tocsin-{tocsin.__version__}.dist-info"}


def test_installation_owns_its_names_alone(installed, tmp_path):
    """The guard of the Dockerfile passes in an environment made from the lock."""
    run(installed / "python", "-I", ROOT / "scripts" / "check-names", cwd=tmp_path)


def test_guard_catches_a_foreign_owner(installed, tmp_path):
    """A distribution that brings a package named `rules` is named by the guard, with what to do."""
    site = Path(run(installed / "python", "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip())
    foreign = site / "foreign_rules-1.0.dist-info"
    foreign.mkdir()
    try:
        (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-rules\nVersion: 1.0\n")
        (foreign / "top_level.txt").write_text("rules\n")
        done = subprocess.run(
            [installed / "python", "-I", ROOT / "scripts" / "check-names"], capture_output=True, text=True, check=False
        )
    finally:
        for path in foreign.iterdir():
            path.unlink()
        foreign.rmdir()
    assert done.returncode == 1
    assert "rules also belongs to foreign-rules; give Tocsin an environment of its own" in done.stderr


def test_installation_is_consistent(installed, tmp_path):
    """The lock satisfies what the wheel says it needs."""
    pip(sys.executable, "--python", installed / "python", "check", cwd=tmp_path)


def test_installed_command_runs(installed, tmp_path):
    """The console script starts and explains itself, from a folder that holds no source."""
    assert "serve" in run(installed / "tocsin", "--help", cwd=tmp_path)


@pytest.mark.parametrize("command", docker_commands(), ids=" ".join)
def test_docker_command_exists(command, installed, tmp_path):
    """Each command that the image would run is one that the command line knows."""
    run(installed / command[0], *command[1:], "--help", cwd=tmp_path)


def test_docker_context_holds_what_is_copied():
    """Every source of a COPY exists and is let through by .dockerignore."""
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sources
    assert [source for source in sources if source not in let_through or not (ROOT / source).exists()] == []


def test_docker_label_says_our_version():
    """The image's version is the package's."""
    assert f'org.opencontainers.image.version="{tocsin.__version__}"' in DOCKERFILE


def test_changelog_knows_our_version():
    """The version being built has its section."""
    assert re.search(rf"^## {re.escape(tocsin.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_by_hash_and_names_no_address(name):
    """A lock says what, in which version, with which content; never from where."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.sub(r"\\\n\s*", "", text).splitlines()
    unpinned = [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)]
    assert unpinned == []
    assert not re.search(r"://|^\s*#|--index|--find-links", text, re.MULTILINE)


def test_contributing_names_every_command():
    """Each target that `make help` shows is explained where contributors look."""
    targets = re.findall(r"^([a-z-]+):[^#\n]*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert targets
    assert [target for target in targets if f"make {target}" not in text] == []


def test_contributing_names_places_that_are_there():
    """Each file and folder of ours that contributors are sent to exists."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    places = re.findall(r"`((?:incidents|rules|receiver|workers|tocsin|tests|docs|scripts|bench)/[\w./-]*)`", text)
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []

"""The commented files that `tocsin init` writes: one of everything, ready for a first run."""

from pathlib import Path

STARTER_DIR = Path(__file__).parent / "starter"


def starter_files() -> dict[str, str]:
    """Return the text of each starter file by its path below the directory that is to be made."""
    return {
        path.relative_to(STARTER_DIR).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(STARTER_DIR.rglob("*.yml"))
    }

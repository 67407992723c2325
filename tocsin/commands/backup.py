"""`tocsin backup`: writes the whole store into one file, while Tocsin runs or while it does not."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from incidents.backups import FORMAT, BackupWriter, Head
from incidents.clock import utc_now
from incidents.errors import StoreUnavailable
from incidents.presentation import instant
from incidents.store.audit import Audit, AuditEntry, Outcome
from incidents.store.backup import Copied, Copier, counted_keys
from incidents.store.connection import Links
from tocsin import __version__
from tocsin.commands.options import UNUSABLE, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_out
from tocsin.store_at_hand import AtHand, store_at_hand


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_out
def backup(out: Out, config_path: Path | None, file: Path) -> None:
    """Write the whole store into FILE, as it is at one instant, while Tocsin goes on.

    FILE holds incidents, timelines, alerts, rules and counters, and the key that signs the links of pages: keep it as
    you keep secrets. It is checked, and written back, by `tocsin restore`.
    """
    if file.exists():
        raise click.UsageError(f"{file} exists, and a backup overwrites nothing; choose another name")
    settings = settings_or_exit(config_path)
    if not file.parent.is_dir():
        raise click.UsageError(f"there is no directory {file.parent}; make it, or choose another")
    with store_at_hand(settings, "tocsin backup", alone=False) as store:
        copied = _copied(store, file)
        note(store.url, "backup", file)
    size = file.stat().st_size
    if out.is_json:
        out.json({"file": str(file), "at": instant(copied.at), "keys": copied.keys, "bytes": size})
    else:
        out.line(f"{file}: {counted_keys(copied.keys)} as of {copied.at:%Y-%m-%d %H:%M:%S}Z, {size} bytes")


def _copied(store: AtHand, file: Path) -> Copied:
    """Copy the store into a file; ends the command where that cannot be written, and then there is none."""
    head = Head(format=FORMAT, made_at=utc_now().isoformat(), version=__version__)
    try:
        with BackupWriter(file, head) as writer, progress_of("copying", store) as progress:
            return Copier(store.url, writer).copy(progress)
    except OSError as error:
        end(UNUSABLE, f"{file} cannot be written: {error.strerror or error}; there is no backup")


def note(url: str, action: str, file: Path) -> None:
    """Note in the audit log that a file was written or read; a full store, which takes no note, is backed up too."""
    entry = AuditEntry(at=utc_now(), actor="command line", action=action, target=file.name, outcome=Outcome.DONE)
    with Links(url) as links, contextlib.suppress(StoreUnavailable):
        Audit(links).append([entry])


@contextlib.contextmanager
def progress_of(what: str, store: AtHand) -> Iterator[Callable[[float], None]]:
    """Show a bar on a terminal, nothing elsewhere; what is called with each share ends the command when asked to."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(what, total=1.0)

        def done(share: float) -> None:
            progress.update(task, completed=share)
            if store.is_stopping():
                raise click.Abort

        yield done

"""`tocsin restore`: writes a backup into an empty store, after all of it was checked. It sends no page."""

from pathlib import Path

import click

from incidents.backups import BadBackup, read_backup
from incidents.clock import utc_now
from incidents.presentation import instant
from incidents.store.backup import Restored, Restorer, counted_keys
from tocsin.commands.backup import note, progress_of
from tocsin.commands.options import UNUSABLE, settings_or_exit
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_out
from tocsin.store_at_hand import AtHand, store_at_hand


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Delete what is in the store first.")
@click.option("--resume-paging", is_flag=True, help="Let open incidents page again as soon as Tocsin starts.")
@with_out
def restore(out: Out, config_path: Path | None, file: Path, *, force: bool, resume_paging: bool) -> None:
    """Write the backup FILE into an empty store, while no part of Tocsin runs.

    The whole FILE is checked before anything is written. Pages that were due are dropped, and open incidents page
    nobody until somebody escalates them, unless --resume-paging is given.
    """
    settings = settings_or_exit(config_path)
    check(file)
    with store_at_hand(settings, "tocsin restore", alone=True) as store:
        restored, quiet = _restore(file, store, force=force, resume=resume_paging)
    if out.is_json:
        dropped = restored.pages_dropped
        said = {"file": str(file), "at": instant(restored.at), "keys": restored.keys, "pages_dropped": dropped}
        out.json(said | {"paging_stopped": list(quiet)})
        return
    out.line(f"{file}: the store is as of {restored.at:%Y-%m-%d %H:%M:%S}Z, {counted_keys(restored.keys)}")
    if restored.pages_dropped:
        out.line(f"{restored.pages_dropped} pages that were due are dropped")
    if quiet:
        out.line(f"nobody is paged any more for {', '.join(quiet)}")
        out.line(f"to page again, once Tocsin runs: tocsin incidents escalate {quiet[0]}")


def check(file: Path) -> None:
    """Read the whole file; one that cannot be used ends the command with the place of what is wrong, and code 2."""
    nobody = AtHand("", lambda: False)
    try:
        with progress_of("checking", nobody) as progress:
            for _ in read_backup(file, progress):
                pass
    except BadBackup as error:
        end(UNUSABLE, f"{error}\nnothing was written")
    except OSError as error:
        end(UNUSABLE, f"{file} cannot be read: {error.strerror}")


def _restore(file: Path, store: AtHand, *, force: bool, resume: bool) -> tuple[Restored, tuple[str, ...]]:
    restorer = Restorer(store.url)
    restorer.prepare(force=force)
    with progress_of("restoring", store) as progress:
        restored = restorer.write(read_backup(file, progress))
    quiet = () if resume else restorer.stop_paging(restored.at, utc_now())
    restorer.finish()
    note(store.url, "restore", file)
    return restored, quiet

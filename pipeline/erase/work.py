"""An erasure being carried out: each step can be done again without harm, and the journal says which are behind it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline import audit
from pipeline.audit.heads import public_of, read_signer
from pipeline.audit.log import walk
from pipeline.audit.records import Erasure
from pipeline.audit.register import Shared, shares
from pipeline.erase import journal, reuse, stores
from pipeline.erase.find import Found
from pipeline.erase.held import copy_of
from pipeline.erase.journal import Journal
from pipeline.erase.outlived import outlived
from pipeline.erase.planned import House, by_place
from pipeline.erase.receipt import FOLDER, Erased, Outlived, read_receipt, write_receipt
from pipeline.erase.remove import rewrite
from pipeline.erase.search import Names, files_naming
from pipeline.ingest.files import find
from pipeline.ingest.mapping import read_mapping
from pipeline.retention.errors import ErasureError
from pipeline.retention.keys import read_store_key
from pipeline.retention.sealed import Header, person_digest, store_of
from pipeline.run import run_stage
from pipeline.summary import Summary, Tell
from pipeline.workspace import Workspace, digest

Hear = Callable[[Summary], None]
KEPT = "kept"


@dataclass(frozen=True)
class Done:
    """An erasure that is finished: its receipt and where that lies, and who else was given what is superseded."""

    receipt: Erased | Outlived
    path: Path
    shared: tuple[Shared, ...]
    remotes: tuple[str, ...]


@dataclass
class Work:
    """An erasure being carried out, step by step; each step can be done again without harm.

    `raw` are the raw ids that are known, to look for at the end: no journal holds them.
    """

    house: House
    journal: Journal
    found: Found | None
    tell: Tell
    hear: Hear | None
    raw: set[str]
    remotes: list[str] = field(default_factory=list)

    def carry_out(self) -> Done:
        """Do what is not yet done, search everything, and give out the receipt."""
        ws, steps = self.house.ws, {"sealed": self._seal, "kept": self._keep, "raw": self._rewrite}
        steps |= {"cleared": self._clear, "committed": self._commit}
        order = ["sealed", "kept", "raw", "cleared", *(f"made {stage}" for stage in self.journal.stages), "committed"]
        for place, step in enumerate(order):
            if step not in self.journal.done:
                self.tell(step, place, len(order))
                found = steps[step]() if step in steps else self._make(step.removeprefix("made "))
                self.journal = self.journal.after(step, **found)
                journal.write(ws, self.journal)
        return self._close(self._search())

    @property
    def _marks(self) -> Found:
        if self.found is None:
            self.found = self._look()
        return self.found

    def _look(self) -> Found:
        """Where there is still something of what is to go."""
        house, said = self.house, self.journal
        if said.outlived_by:
            return outlived(house.params, house.ws, house.pseudonyms, date.fromisoformat(said.outlived_by))
        names = {domain: frozenset(names) for domain, names in said.tombstones.items()}
        return house.look(frozenset(said.people), names=names)

    def _seal(self) -> dict[str, int]:
        hold, ws, params = self.journal.hold, self.house.ws, self.house.params
        if hold is None:
            return {}
        store = store_of(ws, read_store_key(params))
        for person in self.journal.people:
            header = Header(
                id=person_digest(f"{self.journal.token} {person}")[:32],
                purpose=hold.purpose,
                person=person_digest(person),
                policies=params.policy,
                sealed_on=_today().isoformat(),
                destroy_by=hold.destroy_by,
            )
            store.seal(header, copy_of(ws, self._marks.marks, person))
        return {}

    def _keep(self) -> dict[str, int]:
        """Put aside what was derived of people whom this does not concern."""
        shutil.rmtree(self._kept, ignore_errors=True)
        if "derive" in self.journal.stages and not self.journal.is_anew:
            self._kept.mkdir(parents=True, mode=0o700)
            reuse.keep(self.house.params, self.house.ws, {*self.journal.people, *self.journal.affected}, self._kept)
        return {}

    def _rewrite(self) -> dict[str, int]:
        mapping, folder = read_mapping(self.house.params.ingest.mapping), self.house.params.ingest.source
        patterns = [s.files for s in mapping.sources] + ([mapping.ledger.files] if mapping.ledger else [])
        for mark in self._marks.marks.values():
            files = [find(folder, some) for some in patterns if any(mark.path in folder.glob(one) for one in some)]
            is_last = not files or any(len(some) == 1 for some in files)
            rewrite(mark, by_place(self.journal.tombstones), is_last=is_last)
        return {}

    def _clear(self) -> dict[str, int]:
        stores.clear(self.house.ws, list(self.journal.folders))
        stores.clear_released(self.house.ws)
        project, runs = self.house.project, stores.clear_runs(self.house.ws)
        copies = project.forget() if project else 0
        return {"runs_removed": runs, "copies_removed": copies}

    def _make(self, stage: str) -> dict[str, int]:
        """Make a stage's folder anew, of what was put aside where that is certain to be the same."""
        params, ws = self.house.params, self.house.ws
        summary = None
        if stage == "derive":
            audit.ready(params, ws)
            summary = reuse.derive_again(params, ws, self._kept, self.tell)
        if summary is None:
            summary = run_stage(stage, params, ws, self.tell)
        else:
            audit.record(params, ws, summary)
        if self.hear:
            self.hear(summary)
        return {}

    def _commit(self) -> dict[str, int]:
        shutil.rmtree(self._kept, ignore_errors=True)
        if self.house.project:
            self.house.project.commit()
            self.remotes = self.house.project.remotes()
        return {}

    def _search(self) -> int:
        """Look for the people everywhere; an `ErasureError` names the files that still name them."""
        house, left = self.house, [mark.path for mark in self._look().marks.values()]
        places = [house.params.ingest.source, house.ws.root, *([house.oracle] if house.oracle else [])]
        places += [house.project.cache, house.project.root / ".dvc"] if house.project else []
        names = Names(frozenset(self.journal.names), frozenset(self.raw))
        searched, more = files_naming(places, names, (journal.place(house.ws), self._kept))
        if left := sorted({*left, *more}):
            said = ", ".join(map(str, left[:5]))
            what = "hold rows that should be gone" if self.journal.outlived_by else "name people who are erased"
            raise ErasureError(
                f"{len(left)} files still {what}: {said}. No stage made them, or no column of the "
                "mapping is where they name them: have them put right or moved away, then run `saakh erase` again"
            )
        return searched

    def _close(self, searched: int) -> Done:
        """Write the receipt, enter it in the log, and forget the journal."""
        params, ws, done = self.house.params, self.house.ws, self.journal
        signer = read_signer(params.audit)
        trusted = (public_of(signer),)
        path = next((ws.root / FOLDER / s for s in done.done if s.startswith("receipt-")), None)
        if path is None:
            path = write_receipt(ws, self._receipt(searched), signer)
            journal.write(ws, done.after(path.name))
        receipt = read_receipt(path, trusted)
        assert isinstance(receipt, Erased | Outlived)
        until = date.fromisoformat(done.hold.destroy_by) if done.hold else None
        if not _is_recorded(ws, path):
            audit.erased(
                *(params, ws, len(done.people or done.affected), done.removed, path),
                why=done.why,
                replaced=done.replaced,
                rebuilt=done.stages,
                sealed_until=until,
            )
        journal.place(ws).unlink()
        given = tuple(s for s in shares(audit.path_of(ws), trusted) if s.artefact in receipt.superseded)
        return Done(receipt, path, given, tuple(self.remotes))

    def _receipt(self, searched: int) -> Erased | Outlived:
        ws, done = self.house.ws, self.journal
        now = set(stores.superseded(ws))
        said = {
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "removed": done.removed,
            "rebuilt": {stage: audit.tree(ws.root / stage) for stage in sorted(done.stages)},
            "superseded": tuple(one for one in done.superseded if one not in now),
            "runs_removed": done.runs_removed,
            "copies_removed": done.copies_removed,
        }
        if done.outlived_by:
            return Outlived(**said, day=done.outlived_by, people=len(done.affected))
        people = tuple(sorted(map(person_digest, done.people)))
        until = done.hold.destroy_by if done.hold else None
        return Erased(
            **said, why=done.why, people=people, replaced=done.replaced, searched=searched, sealed_until=until
        )

    @property
    def _kept(self) -> Path:
        return self.house.ws.root / FOLDER / KEPT


def _is_recorded(ws: Workspace, receipt: Path) -> bool:
    """Whether the log holds this erasure already: the call that was stopped may have been stopped right after."""
    proof = digest(receipt)
    return any(isinstance(r.entry, Erasure) and r.entry.receipt == proof for r, _ in walk(audit.path_of(ws)))


def _today() -> date:
    """By the wall clock, for a duty to destroy does not wait for a parameter."""
    return datetime.now(UTC).date()

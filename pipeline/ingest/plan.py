"""Which files feed which table, and what stops at the door: refused, missing and ambiguous columns."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest import door
from pipeline.ingest.files import SourceFile, find
from pipeline.ingest.mapping import Mapping, Source
from pipeline.ingest.mapping_parts import unknown
from saakh.errors import ContractError, MappingError


@dataclass(frozen=True)
class Arrival:
    """One file for one source of the mapping; `name` is its path within the source folder."""

    source: Source
    file: SourceFile
    name: str

    @property
    def not_read(self) -> list[str]:
        """Columns that are in the file and in no rule of the mapping: never read, never written."""
        return [name for name in self.file.told if name not in self.source.read and name not in self.source.drop]

    @property
    def dropped(self) -> dict[str, str]:
        """Columns in the file that the mapping leaves out, with its reason."""
        return {name: reason for name, reason in self.source.drop.items() if name in self.file.names}


def plan(mapping: Mapping, folder: Path) -> list[Arrival]:
    """All files of a drop, opened and their columns examined, before a row is read.

    Errors: nothing matches a pattern (MissingInputError), a mapped column is not in a file (MappingError), a refused
    one is (ContractError), a file is damaged or empty.
    """
    arrivals = list(_arrivals(mapping, folder))
    for arrival in arrivals:
        examine(arrival, mapping)
        if "json" not in arrival.file.path.name.lower():
            need_columns(arrival)
    return arrivals


def examine(arrival: Arrival, mapping: Mapping) -> None:
    """Stop at a column the mapping or the house refuses, or one that is there twice."""
    names = arrival.file.names
    if refused := sorted(name for name in names if name.casefold() in mapping.refused):
        raise ContractError(
            f"{arrival.file.path} holds {', '.join(refused)}, which the mapping refuses; have it taken out at the "
            "source, or (if it may be there, unread) move it from 'refuse' to 'drop' with a reason"
        )
    if shut := door.barred(names, (*arrival.source.read, *arrival.source.drop)):
        raise ContractError(
            f"{arrival.file.path} holds {door.told(shut)}; no such column is taken in as it is. Have it taken out at "
            "the source; or, if it may lie there unread, name it under 'drop' with a reason"
        )
    twice = [name for name, count in Counter(names).items() if count > 1 and name in arrival.source.read]
    if twice:
        raise ContractError(f"{arrival.file.path} holds column {', '.join(twice)} more than once; name them apart")


def need_columns(arrival: Arrival) -> None:
    """Stop when a column the mapping reads is not in the file."""
    read, names, where = arrival.source.read, arrival.file.names, f"{arrival.file.path} (for {arrival.source.table})"
    if read and not set(read) & set(names):
        # What stands where the names belong may be a person's row, so it is not repeated.
        raise MappingError(
            f"{where} has none of the columns that the mapping reads ({', '.join(read)}); is a header missing, or "
            "'delimiter' another?"
        )
    for name in read:
        if name not in names:
            raise MappingError(f"{where}: {unknown('column', name, arrival.file.told)}")


def _arrivals(mapping: Mapping, folder: Path) -> Iterator[Arrival]:
    for source in mapping.sources:
        for path in find(folder, source.files, optional=source.optional):
            file = SourceFile(path, source.delimiter, source.encoding)
            yield Arrival(source, file, path.relative_to(folder).as_posix())

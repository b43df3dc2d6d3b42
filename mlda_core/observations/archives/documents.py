"""Documents of an archive: plain files, folders, and members of gzip, tar and zip files."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlda_core.climate.errors import UserError

# Bytes of a document that suffice to recognise its format.
_HEAD = 16384
_DAMAGE = (EOFError, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error)


class ArchiveError(UserError):
    """Archive files cannot be used; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Document:
    """One file of an archive, unpacked.

    Parameters
    ----------
    name : str
        Name in messages: the file's name, and the member's within it.
    data : bytes
    path : Path, optional
        Path of a plain file: companion files are searched for in its folder.
    """

    name: str
    data: bytes
    path: Path | None = None

    @property
    def head(self) -> list[str]:
        """The first lines, by which the format is recognised."""
        # str.splitlines would break lines at control characters too.
        lines = self.data[:_HEAD].decode("latin-1").split("\n")
        return lines if len(self.data) <= _HEAD else lines[:-1]

    @property
    def lines(self) -> list[str]:
        """All lines, one character a byte, as fixed-width columns count bytes."""
        return self.data.decode("latin-1").split("\n")


def documents(paths: Sequence[Path]) -> Iterator[Document]:
    """Yield the documents of files, folders and packed files, one in memory at a time.

    Parameters
    ----------
    paths : sequence of Path
        Folders are searched recursively, in the order of names. ``.gz``, ``.tar``, ``.tar.gz``,
        ``.tgz`` and ``.zip`` are unpacked in memory.

    Yields
    ------
    Document

    Raises
    ------
    ArchiveError
        If a file cannot be read, or is damaged.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and _visible(p, path))
            if not inside:
                raise ArchiveError(f"{path} is an empty folder; give the downloaded files.")
            for file in inside:
                yield from _unpacked(file)
        else:
            yield from _unpacked(path)


def files(paths: Sequence[Path]) -> list[Path]:
    """Return the files on disk that :func:`documents` reads."""
    return [p for path in paths for p in ([path] if not path.is_dir() else path.rglob("*"))]


def _visible(path: Path, folder: Path) -> bool:
    """Whether a file is visible: no hidden files, no ``._`` files of macOS."""
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _unpacked(path: Path) -> Iterator[Document]:
    try:
        yield from _members(path)
    except OSError as error:
        # gzip reports a damaged file as an OSError without errno.
        damaged = isinstance(error, gzip.BadGzipFile) or error.errno is None
        remedy = "download it again" if damaged else "check its name"
        raise ArchiveError(f"{path} cannot be read ({error.strerror or error}); {remedy}.") from (
            error
        )
    except _DAMAGE as error:
        raise ArchiveError(f"{path} is damaged ({error}); download it again.") from error


def _members(path: Path) -> Iterator[Document]:
    name = path.name.lower()
    if name.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")):
        with tarfile.open(path) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None and not Path(member.name).name.startswith("."):
                    yield Document(f"{path.name}:{member.name}", content.read())
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                if not info.is_dir() and not Path(info.filename).name.startswith("."):
                    yield Document(f"{path.name}:{info.filename}", packed.read(info))
    elif name.endswith(".gz"):
        with gzip.open(path) as file:
            yield Document(path.name, file.read())
    else:
        yield Document(path.name, path.read_bytes(), path)

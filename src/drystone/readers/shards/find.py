"""The shards that a source names: a folder, a pattern, a list of files, or an address."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drystone.core.errors import DataError
from drystone.core.extras import need
from drystone.readers.shards.shard import ENDINGS, Shard

ADDRESS = "://"
WILD = "*?["
VERSIONS = (
    "ETag",
    "etag",
    "Content-MD5",
    "mtime",
    "LastModified",
    "last_modified",
    "Last-Modified",
    "updated",
    "created",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The shards of one source, in their order.

    Args:
        words: what messages call the source.
        identity: the source as it was given, with whole paths; it stays the same when shards come, go or change.
        folder: the folder here that all lie in, if there is one.
        members: at least one.
    """

    words: str
    identity: tuple[str, ...]
    folder: Path | None
    members: tuple[Shard, ...]


def is_of_shards(source: Any) -> bool:
    """Whether a source can only be shards: several files, a pattern, or an address elsewhere."""
    if isinstance(source, (list, tuple)):
        return bool(source) and all(isinstance(each, (str, Path)) for each in source)
    if not isinstance(source, (str, Path)):
        return False
    return ADDRESS in str(source) or (_is_wild(source) and not Path(source).expanduser().exists())


def has_shards(folder: Path) -> bool:
    """Whether there is a shard in a folder, or in folders of it."""
    return next(_in_folder(folder), None) is not None


def find_shards(source: str | Path | Sequence[str | Path]) -> Shards:
    """Returns the shards of a source: files of a folder in the order of their names, those of a list in theirs.

    Raises:
        DataError: there is none, or a file of another format.
        MissingExtraError: an address needs fsspec, which is not installed.
    """
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    found = [shard for each in sources for shard in _of_one(each)]
    first = str(sources[0]) if ADDRESS in str(sources[0]) else Path(sources[0]).name
    words = first if len(sources) == 1 else f"{first} and {len(sources) - 1} more"
    twice = _first_twice(shard.path for shard in found)
    if twice is not None:
        raise DataError(f"{twice} is named twice; each shard is read once.")
    folders = {_folder_of(each) for each in sources}
    return Shards(
        words=words,
        identity=tuple(_whole(each) for each in sources),
        folder=folders.pop() if len(folders) == 1 else None,
        members=tuple(found),
    )


def _of_one(source: str | Path) -> list[Shard]:
    if ADDRESS in str(source):
        return _elsewhere(str(source))
    path = Path(source).expanduser()
    if path.is_dir():
        files = sorted(_in_folder(path))
        return [_here(file, file.relative_to(path).as_posix()) for file in _some(files, source)]
    if _is_wild(source) and not path.exists():
        folder = _before_pattern(path)
        files = sorted(_shards_among(folder.glob(path.relative_to(folder).as_posix()), folder))
        return [_here(file, file.relative_to(folder).as_posix()) for file in _some(files, source)]
    if not path.is_file():
        raise DataError(f"there is no file {path}.")
    return [_here(path, path.name)]


def _some(files: list[Path], source: str | Path) -> list[Path]:
    if not files:
        raise DataError(f"there is no shard in {source}; shards are files that end in {', '.join(ENDINGS)}.")
    return files


def _here(path: Path, name: str) -> Shard:
    _check_ending(name)
    known = path.stat()
    return Shard(name=name, path=str(path.resolve()), num_bytes=known.st_size, version=str(known.st_mtime_ns))


def _elsewhere(address: str) -> list[Shard]:
    need("fsspec", "fsspec")
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(address)
        if _is_wild(path):
            names = sorted(files.glob(path))
        elif files.isdir(path):
            names = sorted(name for name in files.find(path) if _is_shard(name.removeprefix(path)))
        else:
            names = [path]
        known = {name: files.info(name) for name in names}
    except ImportError as error:
        raise DataError(f"cannot read {address}: {error}") from error
    except Exception as error:  # servers fail in ways of their own
        raise DataError(f"cannot read {address}: {error or type(error).__name__}") from error
    if not names:
        raise DataError(f"there is no shard in {address}; shards are files that end in {', '.join(ENDINGS)}.")
    for name in names:
        _check_ending(name)
    return [
        Shard(
            name=name.rsplit("/", 1)[-1],
            path=name,
            num_bytes=int(about.get("size") or 0),
            version=next((str(about[key]) for key in VERSIONS if about.get(key)), ""),
            files=files,
        )
        for name, about in known.items()
    ]


def _in_folder(folder: Path) -> Iterator[Path]:
    # A folder may be the top of anything, so that not all below it is looked at.
    found = (path for pattern in ("*", "*/*", "*/*/*", "*/*/*/*") for path in folder.glob(pattern))
    return _shards_among(found, folder)


def _shards_among(paths: Iterable[Path], folder: Path) -> Iterator[Path]:
    return (path for path in paths if _is_shard(path.relative_to(folder).as_posix()) and path.is_file())


def _is_shard(name: str) -> bool:
    """Whether a name below a folder is that of a shard; tools hide what is none behind a dot or an underscore."""
    parts = name.strip("/").split("/")
    return name.lower().endswith(ENDINGS) and not any(part.startswith((".", "_")) for part in parts)


def _check_ending(name: str) -> None:
    if not name.lower().endswith(ENDINGS):
        raise DataError(f"{name} is no shard; shards are files that end in {', '.join(ENDINGS)}.")


def _is_wild(source: str | Path) -> bool:
    return any(each in str(source) for each in WILD)


def _folder_of(source: str | Path) -> Path | None:
    if ADDRESS in str(source):
        return None
    path = Path(source).expanduser()
    folder = path if path.is_dir() else _before_pattern(path)
    return folder.resolve() if folder.is_dir() else None


def _before_pattern(path: Path) -> Path:
    """Returns the folder of a file, or the last one before the first that is a pattern."""
    return next((folder for folder in reversed(path.parents) if _is_wild(folder)), path).parent


def _whole(source: str | Path) -> str:
    return str(source) if ADDRESS in str(source) else str(Path(source).expanduser().absolute())


def _first_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None

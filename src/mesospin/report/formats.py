"""The file formats of results, known before anything is computed."""

from pathlib import Path
from typing import Final

from mesospin.errors import InputError

SUFFIXES: Final = (".nc", ".csv", ".json", ".png", ".svg", ".pdf")


def check_target(path: str | Path) -> Path:
    """Return the path if `export` can write it, so that a long run is refused before it starts."""
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"path must end in one of {', '.join(SUFFIXES)}, got {target.name!r}; name the format"
        )
    if not target.parent.is_dir():
        raise InputError(f"path must lie in an existing folder, got {str(path)!r}; create the folder first")
    if target.is_dir():
        raise InputError(f"path must name a file, got the folder {str(path)!r}")
    return target

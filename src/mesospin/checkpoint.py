"""Results of finished tasks, kept in a folder so that a long run can be resumed.

One file per task, named after a hash of the function and of its input: a changed input
finds no file and is computed anew, an unchanged one is read back bit for bit.
"""

import dataclasses
import functools
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError

_FORMAT: Final = "mesospin checkpoint 1"
_LAYOUT: Final = "layout"


class Checkpoint:
    """Folder that holds the result of every finished task.

    Parameters
    ----------
    folder : str or Path
        Created if missing, parents included. May be shared by different runs.

    Raises
    ------
    InputError
        If the folder cannot be created or is a file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = Checkpoint(folder)
    ...     checkpoint.write("ab12", {"tau": 1.5})
    ...     checkpoint.read("ab12"), checkpoint.read("cd34")
    ((True, {'tau': 1.5}), (False, None))
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or "the system refuses it"
            raise InputError(
                f"checkpoint must be a folder that can be written, got {str(folder)!r} ({reason}); "
                "choose another folder"
            ) from error

    def read(self, key: str) -> tuple[bool, Any]:
        """Return (True, result) of a finished task, or (False, None).

        An unreadable file counts as not finished: the task is then computed again.
        """
        try:
            content = io.BytesIO(self._file(key).read_bytes())
            with np.load(content, allow_pickle=False) as archive:
                return True, _decode(archive)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return False, None

    def write(self, key: str, result: Any) -> None:
        """Write a result so that, whenever the machine stops, the file is whole or absent."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **_encode(result))
        target = self._file(key)
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        with draft.open("wb") as stream:
            stream.write(buffer.getbuffer())
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(target)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.npz"


def fingerprint(function: Callable[..., Any], task: Any) -> str:
    """Return a hash that names one call: the same in every process and on every machine.

    Parameters
    ----------
    function : callable
        Its module and name are hashed, and the fixed arguments of a `functools.partial`;
        its code is not, so delete the folder after changing the code.
    task : object
        None, bool, number, text, bytes, array, seed sequence, enumeration member, function,
        frozen dataclass, or a tuple, list, set or mapping of these.

    Raises
    ------
    InputError
        If the input holds anything else.

    Examples
    --------
    >>> fingerprint(max, (1.0, 2)) == fingerprint(max, (1.0, 2))
    True
    >>> fingerprint(max, (1.0, 2)) == fingerprint(max, (1.0, 2.0))
    False
    """
    digest = hashlib.sha256()
    for piece in _pieces((_FORMAT, function, task)):
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return digest.hexdigest()[:40]


def _pieces(value: Any) -> Iterator[bytes]:
    """Yield bytes that tell any two different values apart, type names included."""
    yield type(value).__qualname__.encode()
    if value is None or isinstance(value, bool | int | float | complex | str | Enum):
        yield repr(value).encode()
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, np.ndarray | np.generic):
        yield from _array_pieces(np.asarray(value))
    elif isinstance(value, Mapping):
        yield from _pieces(sorted(value.items(), key=lambda item: repr(item[0])))
    elif isinstance(value, set | frozenset):
        yield from _pieces(sorted(value, key=repr))
    elif isinstance(value, tuple | list):
        yield str(len(value)).encode()
        for item in value:
            yield from _pieces(item)
    else:
        yield from _object_pieces(value)


def _array_pieces(array: NDArray[Any]) -> Iterator[bytes]:
    if array.dtype.hasobject:
        raise InputError("a checkpointed task must hold no arrays of objects; use numbers or text")
    yield f"{array.dtype.str} {array.shape}".encode()
    yield np.ascontiguousarray(array).tobytes()


def _object_pieces(value: Any) -> Iterator[bytes]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield type(value).__module__.encode()
        for field in dataclasses.fields(value):
            yield field.name.encode()
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, np.random.SeedSequence):
        yield from _pieces((value.entropy, value.spawn_key, value.pool_size))
    elif isinstance(value, functools.partial):
        yield from _pieces((value.func, value.args, value.keywords))
    elif hasattr(value, "__module__") and hasattr(value, "__qualname__"):
        yield f"{value.__module__}.{value.__qualname__}".encode()
    else:
        raise InputError(
            "a checkpointed task must be made of numbers, text, arrays, tuples and frozen "
            f"dataclasses, got a value of type {type(value).__name__}; run it without checkpoint="
        )


def _encode(result: Any) -> dict[str, NDArray[Any]]:
    """Return named arrays: the layout as text, and one entry for every array and number."""
    arrays: dict[str, NDArray[Any]] = {}

    def layout(value: Any) -> Any:
        if type(value) in (type(None), bool, int, str):
            return {"plain": value}
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {"dict": {key: layout(item) for key, item in value.items()}}
        if type(value) in (tuple, list):
            return {type(value).__name__: [layout(item) for item in value]}
        if isinstance(value, np.ndarray | np.generic | float | complex):
            array = np.asarray(value)
            if not array.dtype.hasobject:
                name = f"a{len(arrays)}"
                arrays[name] = array
                return {_array_kind(value): name}
        raise InputError(
            "a checkpointed result must be made of numbers, text, arrays, tuples, lists and "
            f"dictionaries with text keys, got a value of type {type(value).__name__}; "
            "run it without checkpoint="
        )

    text = json.dumps(layout(result), ensure_ascii=True)
    arrays[_LAYOUT] = np.frombuffer(text.encode(), dtype=np.uint8)
    return arrays


def _array_kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "array"
    return "scalar" if isinstance(value, np.generic) else "number"


def _decode(archive: Any) -> Any:
    def build(node: dict[str, Any]) -> Any:
        (kind, content), *_ = node.items()
        if kind == "dict":
            return {key: build(item) for key, item in content.items()}
        if kind in ("tuple", "list"):
            items = [build(item) for item in content]
            return tuple(items) if kind == "tuple" else items
        if kind == "plain":
            return content
        array = archive[content]
        if kind == "array":
            return array
        return array[()] if kind == "scalar" else array.item()

    return build(json.loads(archive[_LAYOUT].tobytes().decode()))

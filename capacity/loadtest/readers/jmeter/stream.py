"""The bytes of a result file, as far as they can be had: a damaged archive ends where its damage begins."""

from __future__ import annotations

import zlib
from io import BufferedIOBase
from typing import cast

from capacity.errors import InputError
from capacity.loadtest.readers.base import ResultFile


class Pieces:
    """The bytes of a file, from its start. `damage`: why they end before the file does; "" when they do not."""

    def __init__(self, file: ResultFile) -> None:
        self._file, self._stream = file, cast(BufferedIOBase, file.open())
        self.damage = ""

    def __enter__(self) -> Pieces:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def fill(self, view: memoryview) -> int:
        """Fill the view as far as there are bytes; how many. Raises InputError when the disk fails."""
        filled = 0
        while filled < len(view):
            try:
                count = self._stream.readinto1(view[filled:])  # `readinto` drops what was unpacked before the damage
            except (EOFError, zlib.error) as error:  # an archive cut short, or damaged
                self.damage = str(error)
                break
            except OSError as error:  # gzip's BadGzipFile is one without errno
                if error.errno is not None:
                    raise InputError(f"{self._file.path} cannot be read: {error.strerror or error}") from None
                self.damage = str(error)
                break
            if not count:
                break
            filled += count
        return filled

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; b"" at the end."""
        buffer = bytearray(size)
        return bytes(memoryview(buffer)[: self.fill(memoryview(buffer))])

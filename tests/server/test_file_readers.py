"""So many files are read at once; more of it is in `test_recordings`."""

import asyncio
import threading

import pytest

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.server.file_readers import FileReaders


def test_there_are_as_many_threads_as_may_be():
    async def run():
        readers, goes_on = FileReaders(1), threading.Event()
        reading = readers.start(goes_on.wait)
        with pytest.raises(CapacityError, match="1 files are being read"):
            readers.start(goes_on.wait)
        goes_on.set()
        await reading
        await asyncio.sleep(0)
        await readers.start(lambda: None)

    asyncio.run(run())


def test_what_a_file_raises_is_told_where_it_is_waited_for():
    async def run():
        def broken():
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await FileReaders().start(broken)

    asyncio.run(run())

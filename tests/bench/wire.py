# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on loopback that takes as long as a distant relay, and counts round trips; and a server of one byte a second."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Wire:
    """Listens on ``port``; every byte takes ``seconds`` / 2 each way, and so does opening the connection, both ways."""

    def __init__(self, target: int, seconds: float) -> None:
        self._target, self._half = target, seconds / 2
        self.trips: list[int] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serve = self._join if self._target else self._drip
        server = self._loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, backlog=200))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    def close(self) -> None:
        """Stop, and end what is under way."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        under_way = asyncio.all_tasks(self._loop)
        for task in under_way:
            task.cancel()
        if under_way:
            self._loop.run_until_complete(asyncio.wait(under_way))
        self._loop.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One trip for TCP; then one for each time that the client speaks or waits after the server has spoken."""
        number = len(self.trips)
        self.trips.append(1)
        await asyncio.sleep(2 * self._half)
        there = await asyncio.open_connection("127.0.0.1", self._target)
        turn = ["nobody"]
        both = (
            self._carry(reader, there[1], "client", turn, number),
            self._carry(there[0], writer, "server", turn, number),
        )
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*both)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, who: str, turn: list[str], number: int
    ) -> None:
        pending: set[asyncio.Task[None]] = set()
        with contextlib.suppress(OSError):
            while True:
                data = await source.read(65536)
                if who == "client" and data and turn[0] != "client":
                    turn[0] = "client"
                    self.trips[number] += 1
                task = asyncio.ensure_future(self._deliver(data, sink, who, turn, number))
                pending.add(task)
                if not data:
                    break
        await asyncio.gather(*pending, return_exceptions=True)

    async def _deliver(self, data: bytes, sink: asyncio.StreamWriter, who: str, turn: list[str], number: int) -> None:
        await asyncio.sleep(self._half)
        if not data:
            sink.close()
            return
        if who == "server":
            if turn[0] == "nobody":
                self.trips[number] += 1  # the greeting was waited for
            turn[0] = "server"
        sink.write(data)

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            for byte in b"220 a very slow server greets y\r\n":
                writer.write(bytes((byte,)))
                await writer.drain()
                await asyncio.sleep(1)
        writer.close()

"""What the Python bots have in common: commands on their standard input, one answer each."""

# mypy: ignore-errors

import asyncio
import gc
import json
import logging
import os
import re
import sys
import traceback

API = os.environ["API"]
GATEWAY = os.environ["GATEWAY"]
TOKEN = os.environ["TOKEN"]
GUILD = int(os.environ["GUILD"])

_answers = sys.stdout
sys.stdout = sys.stderr  # for all else that prints
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)  # some libraries want it before it runs

complaints = []
_EXPECTED = re.compile("PyNaCl|davey")  # are for voice, and are not installed
_UNKNOWN = re.compile("unknown[^;]|unrecogni[sz]ed|discarding", re.IGNORECASE)
"""What libraries log, at any level, about what they did not expect."""


class _Complaints(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        is_complaint = record.levelno >= logging.WARNING or _UNKNOWN.search(text)
        if is_complaint and not _EXPECTED.search(text):
            complaints.append(text)


def serve(*functions):
    """Answer [name, *arguments] on each line of the input by the function of that name."""
    logging.getLogger().addHandler(_Complaints())
    logging.getLogger().setLevel(logging.DEBUG)
    loop.run_until_complete(_serve({each.__name__: each for each in functions}))


async def _serve(functions):
    loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        name, *given = json.loads(line)
        try:
            if name == "complaints":
                gc.collect()  # asyncio reports errors of tasks when it deletes them
            result = complaints if name == "complaints" else await functions[name](*given)
            answer = {"result": result}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=_answers, flush=True)


async def first_of(running, ready):
    """Wait until the bot is ready, or raise the error with which it ended."""
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    await ready

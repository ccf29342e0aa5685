"""Libraries that the signing of tokens loads."""

from __future__ import annotations

import subprocess
import sys


def test_tokens_load_no_library_with_known_vulnerabilities() -> None:
    program = """
import sys
from jose import jwt
from chatd.auth import tokens
key = "k" * 32
assert jwt.decode(jwt.encode({"sub": "1"}, key, "HS256"), key, algorithms=["HS256"])
print(sorted({name.partition(".")[0] for name in sys.modules} & {"ecdsa", "rsa", "pyasn1"}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"

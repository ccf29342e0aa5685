"""The layers of the house: a module imports only from what stands left of it."""

from __future__ import annotations

import ast
from pathlib import Path

import chatd

ROOT = Path(chatd.__file__).parent

LAYERS = [
    {"core", "config", "metrics", "logs"},
    {"wire"},
    {"events"},
    {"db", "queries", "bus", "ephemeral", "auth", "storage", "migrations"},
    {"context"},
    {"services"},
    {"keys"},
    {"clients"},
    {"rest", "gateway"},
    {"app", "worker", "systemd", "watching", "stopping", "garbage", "embedded"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
STRANGERS = [("rest", "gateway"), ("gateway", "rest"), ("core", "config"), ("config", "core")]

HOMES = {
    "aiohttp": (
        "app.py",
        "watching.py",
        "stopping.py",
        "keys.py",
        "clients.py",
        "rest/",
        "gateway/handler.py",
        "gateway/connection.py",
    ),
    "click": ("cli/", "__main__.py"),
    "prometheus_client": ("metrics.py",),
    "rich": ("cli/",),
    "aiopg": ("db.py",),
    "psycopg2": ("db.py", "migrations.py", "embedded.py", "__main__.py"),
    "redis": ("bus/", "ephemeral/", "gateway/parking.py"),
    "marshmallow": ("wire/fields.py", "wire/query_fields.py", "wire/schemas/", "config.py"),
    "aiohttp_cors": ("rest/cors.py",),
    "apispec": ("rest/openapi.py",),
    "jose": ("auth/tokens.py",),
    "passlib": ("auth/passwords.py",),
    "aiobotocore": ("storage/s3.py",),
    "botocore": ("storage/s3.py",),
    "PIL": ("services/media.py",),
    "puremagic": ("services/media.py",),
    "multipart": ("rest/forms.py",),
    "zstandard": ("gateway/compression.py",),
}


def imports(path: Path) -> list[str]:
    """Every module that a file imports at run time."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_every_module_has_a_layer() -> None:
    parts = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert parts - {"__init__", "__pycache__"} <= RANK.keys()


def test_a_layer_imports_only_from_its_left() -> None:
    wrong = []
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imports(path):
            other = name.split(".")[1] if name.startswith("chatd.") else None
            if other not in RANK or own not in RANK:
                continue
            if RANK[other] > RANK[own] or (own, other) in STRANGERS:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_each_library_stays_at_home() -> None:
    wrong = []
    for path in ROOT.rglob("*.py"):
        place = path.relative_to(ROOT).as_posix()
        for name in imports(path):
            homes = HOMES.get(name.split(".")[0])
            if homes is not None and not place.startswith(homes):
                wrong.append(f"{place} imports {name}")
    assert wrong == []

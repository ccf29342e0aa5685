"""The layers of chatd: a module imports only from layers to the left of its own."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import chatd

ROOT = Path(chatd.__file__).parent
TESTS = Path(__file__).parent

LAYERS = [
    {"core", "config", "oidc_settings", "setting_checks", "smtp_settings", "observability"},
    {"wire", "webclient"},
    {"events"},
    {"db", "queries", "bus", "auth", "storage", "http_client", "mail", "automod"},
    {"ratelimit"},
    {"context"},
    {"services"},
    {"web"},
    {"rest", "gateway"},
    {"runtime", "embedded"},
    {"backup", "transfer"},
    {"app"},
    {"server"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
STRANGERS = [("rest", "gateway"), ("gateway", "rest"), ("core", "config"), ("config", "core")]

HOMES = {
    "aiohttp": (
        "app.py",
        "server.py",
        "observability/loop_monitor.py",
        "http_client/",
        "web/",
        "rest/",
        "gateway/handler.py",
        "gateway/connection.py",
    ),
    "ahocorasick_rs": ("automod/keywords.py",),
    "re2": ("automod/patterns.py",),
    "cryptography": ("auth/interaction_keys.py", "auth/mfa_keys.py", "backup/secrets.py"),
    "pyotp": ("auth/totp.py",),
    "webauthn": ("auth/passkeys.py",),
    "cbor2": ("auth/passkeys.py",),
    "click": ("cli/", "__main__.py"),
    "prometheus_client": ("observability/metrics.py",),
    "rich": ("cli/",),
    "aiopg": ("db/connection.py",),
    "psycopg2": ("db/", "embedded/"),
    "ijson": ("transfer/json_array.py",),
    "redis": ("bus/", "ratelimit/"),
    "marshmallow": (
        "wire/base_schema.py",
        "wire/fields.py",
        "wire/command_fields.py",
        "wire/query_fields.py",
        "wire/text_fields.py",
        "wire/unsupported.py",
        "wire/validators.py",
        "wire/schemas/",
        "config.py",
        "setting_checks.py",
        "smtp_settings.py",
    ),
    "aiohttp_cors": ("rest/middleware/cors.py",),
    "apispec": ("rest/openapi/document.py",),
    "aiosmtplib": ("mail/smtp.py",),
    "jinja2": ("mail/letter.py",),
    "markupsafe": ("mail/letter.py",),
    "jose": ("auth/tokens.py",),
    "joserfc": ("auth/oidc/tokens.py",),
    "passlib": ("auth/passwords.py",),
    "aiobotocore": ("storage/s3.py",),
    "botocore": ("storage/s3.py",),
    "PIL": ("services/media/file_types.py",),
    "puremagic": ("services/media/file_types.py",),
    "markdown_it": ("rest/docs_page.py",),
    "multipart": ("rest/multipart.py",),
    "zstandard": (
        "backup/archive.py",
        "gateway/protocol/compression.py",
        "rest/web_client.py",
    ),
}


@cache
def imports(path: Path) -> list[str]:
    """Every module that a file imports at run time."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _module(path: Path) -> str:
    parts = ["chatd", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _imported_modules(path: Path) -> set[str]:
    """Every other module of chatd that a file imports, or from which it imports a name."""
    found = set()
    for name in imports(path):
        if name.startswith("chatd."):
            place = ROOT.parent.joinpath(*name.split("."))
            is_module = place.with_suffix(".py").exists() or (place / "__init__.py").exists()
            found.add(name if is_module else name.rpartition(".")[0])
    return found - {_module(path), "chatd"}


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


def test_files_have_fewer_than_400_lines() -> None:
    """A longer file has more than one subject."""
    paths = [*ROOT.rglob("*.py"), *TESTS.rglob("*.py")]
    assert [str(path) for path in paths if len(path.read_text().splitlines()) >= 400] == []


def test_browser_tests_wait_for_functions_with_until() -> None:
    """`until` of `helpers/web_client.py` says what `Page.wait_for_function` does not wait for."""
    call = ".wait_for_function" + "("
    assert [str(path) for path in TESTS.rglob("*.py") if call in path.read_text()] == []


def test_gateway_runs_no_queries() -> None:
    """It begins transactions for the services that read snapshots, but has no SQL of its own."""
    wrong = []
    for path in (ROOT / "gateway").rglob("*.py"):
        wrong += [
            f"{path.relative_to(ROOT)} imports {name}"
            for name in imports(path)
            if name.startswith("chatd.queries")
        ]
    assert wrong == []


def test_handlers_run_no_queries() -> None:
    """Queries and transactions belong to services."""
    wrong = []
    for path in (ROOT / "rest").rglob("*.py"):
        wrong += [
            f"{path.relative_to(ROOT)} imports {name}"
            for name in imports(path)
            if name.startswith(("chatd.queries", "chatd.db"))
        ]
    assert wrong == []


def test_imports_form_no_circle() -> None:
    """Imports inside functions and under TYPE_CHECKING count, too."""
    graph = {_module(path): _imported_modules(path) for path in ROOT.rglob("*.py")}
    finished: set[str] = set()

    def visit(module: str, way: list[str]) -> None:
        if module in way:
            raise AssertionError(" imports ".join([*way[way.index(module) :], module]))
        if module not in finished:
            for imported in sorted(graph[module]):
                visit(imported, [*way, module])
            finished.add(module)

    for module in graph:
        visit(module, [])


def test_each_library_stays_at_home() -> None:
    wrong = []
    for path in ROOT.rglob("*.py"):
        place = path.relative_to(ROOT).as_posix()
        for name in imports(path):
            homes = HOMES.get(name.split(".")[0])
            if homes is not None and not place.startswith(homes):
                wrong.append(f"{place} imports {name}")
    assert wrong == []


def test_no_test_module_imports_from_another() -> None:
    """What two test modules need is in tests/helpers/, or in the conftest of their folder."""
    wrong = []
    for path in TESTS.rglob("*.py"):
        for name in imports(path):
            if name.startswith("tests.") and ".test_" in name:
                wrong.append(f"{path.relative_to(TESTS)} imports {name}")
    assert wrong == []

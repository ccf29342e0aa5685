"""Help of all commands, with valid examples, and shell completion."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from chatd.__main__ import main
from tests.cli.conftest import Chatd


def leaves(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every command that is listed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *words, name)
        elif not command.hidden:
            yield *words, name


COMMANDS = list(leaves(main))


def help_of(words: tuple[str, ...]) -> str:
    context = click.Context(main, info_name="chatd")
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
        context = click.Context(command, parent=context, info_name=word)
    return command.get_help(context)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_examples_in_help_are_valid(words: tuple[str, ...]) -> None:
    text = help_of(words)
    assert max(map(len, text.splitlines())) <= 80
    _, _, after = text.partition("Example")
    joined = after.partition("\nOptions:")[0].replace("\\\n", " ")
    examples = re.findall(r"chatd [^|&>\n]+", joined)
    assert examples, "the help has no example"
    own = 0
    for example in examples:
        given = shlex.split(re.split(r" {4,}(?!-)", example)[0])[1:]  # a comment may follow
        command: click.Command = main
        while given and isinstance(command, click.Group) and given[0] in command.commands:
            command = command.commands[given.pop(0)]
        own += command.name == words[-1] or command.name in words
        command.make_parser(click.Context(command)).parse_args(given)
    assert own, "no example uses this command"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_short_help_is_a_whole_sentence_of_60_characters(words: tuple[str, ...]) -> None:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    short = command.get_short_help_str(60)
    assert short.endswith(".")
    assert not short.endswith("...")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_valid_in_the_shell(chatd: Chatd, shell: str) -> None:
    said = chatd.run("completion", shell)
    assert said.code == 0
    assert "_CHATD_COMPLETE" in said.output
    if (program := shutil.which(shell)) is not None:
        taken = subprocess.run(
            [program, "-n"], input=said.output, capture_output=True, check=False, text=True
        )
        assert (taken.returncode, taken.stderr) == (0, "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("chatd us", {"user"}),
        ("chatd user re", {"reset-mfa", "revoke-invite", "revoke-sessions"}),
        ("chatd user list --only d", {"disabled", "deleted"}),
        ("chatd guild delete --y", {"--yes"}),
    ],
)
def test_completions(chatd: Chatd, typed: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    ran = subprocess.run(
        [sys.executable, "-c", "from chatd.__main__ import main; main(prog_name='chatd')"],
        cwd=chatd.folder,
        env={**chatd.environment, "_CHATD_COMPLETE": "bash_complete", **words},
        capture_output=True,
        check=False,
        text=True,
    )
    assert {line.split(",")[1] for line in ran.stdout.splitlines()} == offered

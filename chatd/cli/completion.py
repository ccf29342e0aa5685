"""chatd completion: prints shell completion scripts."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print a completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options of chatd in a shell.

    \b
    Examples:
      chatd completion bash > /etc/bash_completion.d/chatd
      chatd completion zsh > "${fpath[1]}/_chatd"
      chatd completion fish > ~/.config/fish/completions/chatd.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "chatd", "_CHATD_COMPLETE").source())

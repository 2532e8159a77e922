"""Commands on policies: which there are, what they say, what falls away, what they cost."""

from typing import Annotated

import typer

from pipeline.cli.options import PARAMS, ParamsFile

app = typer.Typer(help="Look up policies: list, show, compare them, and measure what each costs.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A policy, as `saakh policy list` calls it.")]


@app.command("list")
def policy_list() -> None:
    """List the policies there are, and how much each leaves to be measured."""
    from pipeline.policy.commands import print_list

    print_list()


@app.command("show")
def policy_show(name: Name) -> None:
    """Show all that a policy says: what it bars, bounds and asks for, and where that is written."""
    from pipeline.policy.commands import print_policy

    print_policy(name)


@app.command("diff")
def policy_diff(before: Name, after: Name) -> None:
    """Show what falls away from one policy to another: tables, columns, features, bounds."""
    from pipeline.policy.commands import print_diff

    print_diff(before, after)


@app.command("costs")
def policy_costs(params: ParamsFile = PARAMS) -> None:
    """Measure what each policy would cost in AUC and in approvals on a run, and keep it for the report."""
    from pipeline.params import read_params
    from pipeline.policy.costs import print_costs

    print_costs(read_params(params))

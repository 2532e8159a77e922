"""Commands that audit what a model asks of people and how it treats them, beside the line."""

from pipeline.cli.options import PARAMS, ParamsFile


def minimise(params: ParamsFile = PARAMS) -> None:
    """Find the smallest consent request the model can do with, and what each category of data earns."""
    _audit("minimise", params)


def proxies(params: ParamsFile = PARAMS) -> None:
    """Audit how well the features tell protected attributes and life events, and what leaving those out costs."""
    _audit("proxies", params)


def membership(params: ParamsFile = PARAMS) -> None:
    """Audit whether somebody who holds the model could tell who taught it, by attacks with shadow models."""
    _audit("membership", params)


def fairness(params: ParamsFile = PARAMS) -> None:
    """Audit whom the score approves and wrongly refuses, group by group, and search for a fairer model as accurate."""
    _audit("fairness", params)


def _audit(name: str, params_file: ParamsFile) -> None:
    from pipeline.console import progress, show
    from pipeline.params import read_params
    from pipeline.run import run_stage
    from pipeline.workspace import Workspace

    params = read_params(params_file)
    with progress(name) as tell:
        summary = run_stage(name, params, Workspace(params.workspace), tell)
    show(summary)

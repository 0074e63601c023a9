"""The command line `ringrift <stage>`, made from the contract's models.

`ringrift_core.contract.to_arguments` renders what this module parses, so operator and people type the same thing.
A stage's code is imported when it runs: `ringrift selfplay` works where torch is not installed.
"""

from __future__ import annotations

import enum
import inspect
import shlex
import types
import typing
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ringrift_core import bench, streams
from ringrift_core.conformance import conform
from ringrift_core.contract import (
    STAGES,
    Artifact,
    ExitCode,
    Holder,
    Known,
    Shards,
    StageFacts,
    StageParameters,
    StageResult,
    StartFrom,
    to_arguments,
)
from ringrift_core.errors import WrongInputError
from ringrift_core.models import commands as models
from ringrift_core.native import forget_settings
from ringrift_core.play.command import play
from ringrift_core.replay import commands as replay
from ringrift_core.stage import Run, execute
from ringrift_core.store.trial import check_store

__all__ = ["app", "main"]

EXIT_STATUS = (
    f"Exit status: {ExitCode.DONE:d} done, {ExitCode.WRONG_INPUT:d} the input is wrong, {ExitCode.DIVERGED:d} training "
    f"diverged, {ExitCode.HELD:d} the store is another pipeline's, {ExitCode.NOT_NOW:d} not now: try again, anything "
    "else a crash."
)

app = typer.Typer(
    name="ringrift",
    help="RingRift's training core: every stage of the pipeline as a command (docs/store.md says what they leave).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # In rich's columns names and words are cut where there is little room, and text in brackets is taken for markup.
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


def main() -> None:
    """Runs the command line of this process, and ends it."""
    forget_settings()
    streams.run("ringrift", app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ringrift {version('ringrift')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before the stage's name."""


def _add_stage(facts: StageFacts) -> None:
    model, stage = facts.parameters, facts.stage

    def command(*, result: Path | None, work_dir: Path | None, **options: Any) -> None:
        try:
            parameters = model.model_validate({name: value for name, value in options.items() if value is not None})
        except ValidationError as error:
            for line in _sentences(error, model):
                typer.echo(f"ringrift {stage}: {line}", err=True)
            raise typer.Exit(ExitCode.WRONG_INPUT) from None
        streams.go_on_unheard()
        raise typer.Exit(execute(parameters, _body_of(facts), result_path=result, work_dir=work_dir))

    options = [_option(name, field) for name, field in model.model_fields.items()]
    scratch = (
        f"Scratch folder; omitted: ringrift-{stage}-* in the system's temporary folder, "
        "where the same command finds what it left when it was killed."
    )
    options += [
        _keyword("result", Path | None, None, typer.Option(help="Write the StageResult to this file.", metavar="FILE")),
        _keyword("work_dir", Path | None, None, typer.Option(help=scratch, metavar="FOLDER")),
    ]
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    example = shlex.join(["ringrift", *to_arguments(facts.example_parameters())])
    app.command(stage.value, help=inspect.getdoc(model), epilog=f"{EXIT_STATUS}\n\n\b\nExample: {example}")(command)


def _body_of(facts: StageFacts) -> Callable[[StageParameters, Run], StageResult]:
    """The stage's code, imported when it runs; WrongInputError where an extra is not installed."""

    def body(parameters: StageParameters, run: Run) -> StageResult:
        module, _, function = facts.body.partition(":")
        try:
            found = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "ringrift_core":
                raise
            extra = "train" if facts.needs_torch else "stages"
            raise WrongInputError(f"{error.name} is not installed: pip install 'ringrift[{extra}]'") from None
        run.pause_point()
        return found(parameters, run)  # type: ignore[no-any-return]

    return body


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    """The command-line option of one field; pydantic checks the values, typer only splits the line."""
    bare, metavar = _command_line_type(field)
    known = next((each for each in field.metadata if isinstance(each, Known)), None)
    if known is not None:
        bare, metavar = str, "|".join(known.names())
    flag = "--" + name.replace("_", "-")
    flags = (flag, f"--no-{flag[2:]}") if bare is bool else (flag,)
    option = typer.Option(" / ".join(flags) if len(flags) == 2 else flag, help=field.description, metavar=metavar)
    default = inspect.Parameter.empty if field.is_required() else field.get_default()
    if isinstance(default, tuple):
        default = ",".join(str(item) for item in default)
    elif isinstance(default, Shards):
        default = str(default)
    return _keyword(name, bare, default, option)


def _keyword(name: str, bare: Any, default: Any, option: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[bare, option])


def _command_line_type(field: FieldInfo) -> tuple[Any, str | None]:
    """A type that typer knows, and how the value is called in the help; None leaves that to typer."""
    choices = field.annotation
    if typing.get_origin(choices) in (types.UnionType, typing.Union):
        (kept,) = [choice for choice in typing.get_args(choices) if choice is not type(None)]
        bare, metavar = _bare(kept)
        return bare | None, metavar
    return _bare(choices)


def _bare(annotation: Any) -> tuple[Any, str | None]:
    if typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if annotation is Artifact:
        return str, "URI#SHA256:BYTES"
    if annotation is Holder:
        return str, "CLUSTER/NAMESPACE/PIPELINE"
    if annotation is Shards:
        return str, None
    if annotation is StartFrom:
        return str, "CHAMPION"
    if typing.get_origin(annotation) is tuple:
        return str, "NAME,..."
    if typing.get_origin(annotation) is typing.Literal:
        return str, "|".join(typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum | bool | int | float | str):
        return annotation, None
    raise TypeError(f"no command-line form for {annotation}")


def _sentences(error: ValidationError, model: type[StageParameters]) -> list[str]:
    flags = {field.alias or name: "--" + name.replace("_", "-") for name, field in model.model_fields.items()}
    flags |= {name: "--" + name.replace("_", "-") for name in model.model_fields}
    sentences = []
    problems = error.errors(include_url=False)
    # A list whose items were refused is not too short as well.
    refused_items = {problem["loc"][0] for problem in problems if len(problem["loc"]) > 1}
    for problem in problems:
        if problem["type"] == "too_short" and problem["loc"][0] in refused_items:
            continue
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            sentences.append(message)
            continue
        flag = flags.get(str(problem["loc"][0]), str(problem["loc"][0]))
        found = "" if "found" in message else f", found {problem['input']!r}"
        sentences.append(f"{flag}: {message}{found}")
    return sentences


for _facts in STAGES.values():
    _add_stage(_facts)
app.command()(check_store)
app.command()(conform)
app.command()(play)
app.add_typer(bench.application, name="bench")
app.add_typer(models.application, name="models")
app.add_typer(replay.application, name="replay")

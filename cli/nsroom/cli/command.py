"""The class of every command: reads its words in our order, and explains mistakes in our words."""

from typing import Any

from typer.core import TyperCommand

from nsroom.cli.common_options import common_options
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.mistakes import Mistakes
from nsroom.cli.words import MissingValueError, UnknownOptionError, is_number, sort, value_options
from nsroom.client.target import is_target

_CONNECTION = frozenset(ConnectionOptions.options())


class Command(TyperCommand):
    """A command whose target, a word that has the form of one, comes before its other arguments.

    Such a command's first argument is named `target`; it is empty if the first word is something else.
    """

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.params += common_options()

    def is_argument(self, word: str) -> bool:
        """Return whether a word that starts with a dash is an argument."""
        return is_number(word)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the command's own options, those for connecting, those of every command."""
        sections: dict[str, list[Any]] = {
            "Arguments": [],
            "Options": [],
            "Connection": [],
            "Every command": [],
        }
        shared = {param.opts[-1] for param in common_options()} | {"--help"}
        for param in self.get_params(ctx):
            if (record := param.get_help_record(ctx)) is None:
                continue
            if param.param_type_name == "argument":
                section = "Arguments"
            elif param.opts[-1] in shared or param.name == "help":
                section = "Every command"
            else:
                section = "Connection" if param.name in _CONNECTION and self._connects else "Options"
            sections[section].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    @property
    def _connects(self) -> bool:
        return {"url", "namespace", "auth"} <= {each.name for each in self.params}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words. Raises: UsageError with the corrected line."""
        if ctx.resilient_parsing:  # completion
            return super().parse_args(ctx, args)
        options = {name: each for each in self.get_params(ctx) for name in getattr(each, "opts", ())}
        arguments = [each for each in self.params if each.param_type_name == "argument"]
        mistakes = Mistakes(str(self.name), args, options, arguments, str(self.help))
        try:
            words = sort(args, value_options(options), self.is_argument)
        except MissingValueError as error:
            raise mistakes.missing_value(error.name) from None
        except UnknownOptionError as error:
            raise mistakes.unknown_option(error.name, error.index) from None
        if not set(ctx.help_option_names).isdisjoint(words.options):
            return super().parse_args(ctx, ["--help"])
        texts = [args[index] for index in words.arguments]
        if len(arguments) > 1 and arguments[0].name == "target":
            first = next(iter(words.arguments), words.literal)
            leads = first < words.literal and is_target(args[first])
            mistakes.check_after_target(words, leads)
            texts = texts if leads else ["", *texts]
        elif arguments and arguments[0].name in ("target", "targets"):
            mistakes.check_targets(words)
        mistakes.check_count(words, texts)
        try:
            return super().parse_args(ctx, [*words.options, "--", *texts])
        except Exception as error:
            if hasattr(error, "format_message"):
                raise mistakes.invalid(error, words) from None
            raise

"""The sandbox that templates run in: what names, attributes, operators and prints mean to nunjucks' rules.

Templates reach data, the methods of `javascript_methods` and the filters and tests of this package, and nothing of
Python: an attribute is a key or a listed method, or it is undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from jinja2 import ChainableUndefined, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace, missing

from sagemaker_eval.errors import RenderError
from sagemaker_eval.text.templating.arithmetic import ARITHMETIC, add, bounded
from sagemaker_eval.text.templating.bounds import check_size, join, size_of
from sagemaker_eval.text.templating.filters import build_filters
from sagemaker_eval.text.templating.is_tests import build_tests
from sagemaker_eval.text.templating.javascript_methods import Method, find_method
from sagemaker_eval.text.templating.javascript_values import Number, kind, to_number, to_text, truthy
from sagemaker_eval.text.templating.literals import NunjucksLexer, NunjucksParser
from sagemaker_eval.text.templating.rules import LOOP_OVER, JavaScriptCodeGenerator
from sagemaker_eval.text.templating.scopes import SHARED
from sagemaker_eval.text.templating.syntax import NunjucksSyntax
from sagemaker_eval.text.templating.template_globals import Environ, NunjucksCycler, whole_range

MAX_ROUNDS = 1_000_000
"""Rounds of all loops that one rendering may make together; a call of a macro counts as several."""

_ROUNDS_OF_MACRO = 5

Made = TypeVar("Made")

_TEMPLATE_OBJECTS = (LoopContext, Macro, Cycler, Joiner, Namespace, TemplateReference, BlockReference)


class Notices:
    """Tells each thing that a user should know once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[object] = set()

    def once(self, key: object, message: str) -> None:
        """Tell `message` unless something was told under `key` before."""
        if key not in self._told:
            self._told.add(key)
            self._tell(message)


def describe(value: Undefined) -> str:
    """What is undefined, in the words of messages: ``variable `topic` is not defined``."""
    name, owner = value._undefined_name, value._undefined_obj
    if isinstance(owner, Environ):
        return f"environment variable `{name}` is not set"
    if owner is missing or owner is None:
        return f"variable `{name}` is not defined" if name else "a value is not defined"
    where = "the object" if isinstance(owner, dict) else kind(owner)
    return f"`{name}` is not defined on {where} it is asked of"


class RenderContext(Context):
    """The context of one rendering."""

    rounds = 0


class NunjucksEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox under the rules of nunjucks. `strict` refuses to print what is not defined."""

    code_generator_class = JavaScriptCodeGenerator
    context_class = RenderContext
    intercepted_binops = frozenset(("+", *ARITHMETIC))
    intercepted_unops = frozenset("+-")
    truthy = staticmethod(truthy)
    concat = staticmethod(join)

    def __init__(self, env: Mapping[str, str], notices: Notices, strict: bool) -> None:
        # Without optimisation, and with a finalize that asks for the context, no constant is folded by Python's rules.
        super().__init__(
            autoescape=False,
            keep_trailing_newline=True,
            undefined=ChainableUndefined,
            finalize=self.printed,
            optimized=False,
            extensions=("jinja2.ext.do", "jinja2.ext.loopcontrols", NunjucksSyntax),
        )
        self.notices = notices
        self.strict = strict
        self.spent = 0
        self.filters: dict[str, Callable[..., Any]] = {
            **build_filters(self.made),
            LOOP_OVER: self.loop_over,
            SHARED: Namespace,
        }
        self.tests = build_tests()
        self.globals = {
            "cycler": NunjucksCycler,
            "env": Environ(env),
            "joiner": Joiner,
            "namespace": Namespace,
            "null": None,
            "range": whole_range,
        }

        self.policies["urlize.rel"] = None

    # ---- reading

    @cached_property
    def lexer(self) -> NunjucksLexer:
        """Reads the text of templates."""
        return NunjucksLexer(self)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return NunjucksParser(self, source, name, filename).parse()

    # ---- printing

    @pass_context
    def printed(self, _: Context, value: object) -> str:
        """The text of a value in `{{ }}`."""
        return value if isinstance(value, str) else self.text(value)

    def concatenate(self, parts: Iterable[object]) -> str:
        """The operator `~`."""
        return self.made(join(map(self.text, parts)))

    def text(self, value: object) -> str:
        """`value` as printed, with a notice where that is hardly what its author had in mind."""
        if isinstance(value, Undefined):
            self.missed(value, "it renders as empty")
        elif isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
            self.notices.once("object", "an object is printed as its JSON; write `| dump` where that is meant")
        elif isinstance(value, Environ):
            raise RenderError("`env` cannot be printed as a whole", hint="name the variable, as in `{{ env.HOME }}`")
        return to_text(value)

    def missed(self, value: Undefined, consequence: str) -> None:
        """Notice that an undefined value was used. Raises `RenderError` instead where templates are strict."""
        what = describe(value)
        if self.strict:
            raise RenderError(what)
        self.notices.once(what, f"{what}; {consequence}")

    # ---- looking up

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
        elif isinstance(obj, Environ):
            if attribute in obj.values:
                return obj.values[attribute]
        elif isinstance(obj, _TEMPLATE_OBJECTS):
            return super().getattr(obj, attribute)
        if attribute.startswith("__"):
            return self.unsafe_undefined(obj, attribute)
        if isinstance(obj, Undefined):
            return obj
        if attribute == "length" and isinstance(obj, str | list | tuple | dict):
            return len(obj)
        return find_method(obj, attribute) or self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str):
            if not (argument.isdecimal() and isinstance(obj, str | list | tuple)):
                return self.getattr(obj, argument)
            argument = int(argument)
        if isinstance(obj, dict):
            is_key = isinstance(argument, int | float) and argument in obj
            return obj[argument] if is_key else self.getattr(obj, to_text(argument))
        if isinstance(argument, float) and argument.is_integer():
            argument = int(argument)
        if isinstance(obj, Undefined):
            return obj
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=to_text(argument))

    def cut(self, obj: Any, start: int | None, stop: int | None, step: int | None) -> Any:
        """`obj[start:stop:step]`; undefined for what has no parts in a row."""
        if isinstance(obj, str | list | tuple):
            try:
                return obj[start:stop:step]
            except (TypeError, ValueError):
                raise RenderError("the bounds of a slice are whole numbers") from None
        return obj if isinstance(obj, Undefined) else self.undefined(obj=obj, name="[:]")

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        raise SecurityError(f"the attribute `{attribute}` is out of bounds for templates")

    # ---- computing

    def made(self, value: Made) -> Made:
        """`value`, which a template made, as it is. Raises `RenderError` where this rendering has made too much."""
        self.spent += size_of(value)
        check_size(self.spent)
        return value

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        if isinstance(obj, Undefined):
            raise RenderError(f"{describe(obj)}, so it cannot be called", hint=_call_hint(obj))
        if not callable(obj):
            raise RenderError(f"{kind(obj)} cannot be called")
        if isinstance(obj, Macro):
            self._go_round(context, _ROUNDS_OF_MACRO)
            return super().call(context, obj, *args, **kwargs)
        try:
            return self.made(obj(*args)) if isinstance(obj, Method) else super().call(context, obj, *args, **kwargs)
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            name = getattr(obj, "name", None) or getattr(obj, "__name__", "the function").strip("_")
            raise RenderError(f"`{name}` cannot be called with these arguments") from error

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+":
            if isinstance(left, str) or isinstance(right, str):
                return self.made(self.text(left) + self.text(right))
            self._needs_values(operator, left, right)
            total = add(left, right)
            return self.made(total) if isinstance(total, str) else bounded(total)
        self._needs_values(operator, left, right)
        return bounded(ARITHMETIC[operator](to_number(left), to_number(right)))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Number:
        self._needs_values(operator, arg)
        return -to_number(arg) if operator == "-" else to_number(arg)

    def _needs_values(self, operator: str, *operands: object) -> None:
        for operand in operands:
            if isinstance(operand, Undefined):
                raise RenderError(f"{describe(operand)}, so `{operator}` cannot compute with it")

    @pass_context
    def loop_over(self, context: RenderContext, value: object, *targets: str | None) -> list[Any]:
        """What a `for` goes through; `targets` are its names where it has several."""
        items = self._loop_items(value, len(targets))
        self._go_round(context, len(items))
        return [self._unpacked(item, targets) for item in items] if targets else items

    def _go_round(self, context: Context, rounds: int) -> None:
        assert isinstance(context, RenderContext)
        context.rounds += rounds
        if context.rounds > MAX_ROUNDS:
            raise RenderError(f"the loops and macros of this template make more than {MAX_ROUNDS} rounds")

    def _loop_items(self, value: object, targets: int) -> list[Any]:
        if isinstance(value, dict):
            return [*value.items()] if targets == 2 else [*value]
        if isinstance(value, Undefined):
            self.missed(value, "a loop over it makes no round")
            return []
        return list(value) if isinstance(value, str | list | tuple) else []

    def _unpacked(self, item: object, targets: tuple[str | None, ...]) -> list[Any]:
        parts = list(item) if isinstance(item, str | list | tuple) else []
        return [*parts[: len(targets)], *(self.undefined(name=name) for name in targets[len(parts) :])]


def _call_hint(callee: Undefined) -> str | None:
    if isinstance(callee._undefined_obj, dict) and callee._undefined_name in ("items", "keys", "values"):
        return "go through an object with `{% for key, value in object %}`"
    return None

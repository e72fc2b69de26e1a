"""The actions of the keys for packets that wait in the proxy."""

import json
from collections.abc import Mapping

from nsroom.errors import UsageError
from nsroom.proxy.intercepting import Action as Decided
from nsroom.proxy.intercepting import Decision, Waiting
from nsroom.proxy.marks import State
from nsroom.record import Kind, escape
from nsroom.tui.input.key_context import Action, KeyContext
from nsroom.tui.screen.state import Focus, View


def as_typed(waiting: Waiting) -> str:
    """Return the line of the input that edits a packet: its event and arguments as JSON."""
    record = waiting.record
    values = [record.event, *(record.args or [])] if record.kind is Kind.EVENT else record.args or []
    return f"/edit {waiting.id} {json.dumps(escape(values), ensure_ascii=False)}"


def select_next(view: View) -> bool:
    """Select the next packet that waits for a decision, or else the first; return whether there is one."""
    if view.interceptor is None:
        return False
    packets = view.interceptor.interception.waiting.values()
    undecided = [each.id for each in packets if each.state is State.WAITING and each.outcome is None]
    indexes = sorted(view.model.pending[id] for id in undecided if id in view.model.pending)
    here = -1 if view.model.cursor is None else view.model.cursor
    if indexes:
        view.model.select(next((index for index in indexes if index > here), indexes[0]))
        if view.detail is not None:
            view.show_detail()
    return bool(indexes)


def _decide(context: KeyContext, action: Decided) -> None:
    view = context.view
    if view.interceptor is None or view.waiting is None:
        return
    waiting = view.waiting
    try:
        view.interceptor.decide(waiting.id, Decision(action))
    except UsageError as error:
        view.notice.show(str(error), failed=True)
        return
    if waiting.outcome is not None and waiting.id in view.interceptor.interception.waiting:
        view.notice.show("it goes on after the packets that wait before it")
    select_next(view)


def _edit(context: KeyContext) -> None:
    if waiting := context.view.waiting:
        context.input.text = as_typed(waiting)
        context.input.cursor_position = len(context.input.text)
        context.screen.focus(Focus.INPUT)


def _forward_all(context: KeyContext) -> None:
    view = context.view
    if view.interceptor is not None:
        count = view.interceptor.forward_all()
        view.notice.show(f"{count:,} packet{'s'[: count != 1]} forwarded")


def _next_waiting(context: KeyContext) -> None:
    if not select_next(context.view):
        context.view.notice.show("no packet waits", failed=True)


INTERCEPT_ACTIONS: Mapping[str, Action] = {
    "edit_waiting": _edit,
    "forward": lambda context: _decide(context, Decided.FORWARD),
    "drop": lambda context: _decide(context, Decided.DROP),
    "forward_all": _forward_all,
    "next_waiting": _next_waiting,
}

"""What people see while a run is under way, made from the engine's events. Always on stderr.

On a terminal: what is in progress stays at the bottom with its elapsed time and what it waits for, finished lines scroll
away above. Elsewhere, or with NO_COLOR: plain lines, and a sign of life at least every 30 seconds.
"""

from __future__ import annotations

import os
import time
from typing import Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from workshop.console.echo import say
from workshop.console.style import SafeConsole, hanging, print_table
from workshop.durations import format_duration
from workshop.engine.events import Event, NodeFinished, NodeProgressed, NodeStarted, NodeWaits, Noticed, RunStarted, StopAsked
from workshop.engine.plan import NodeKey, Plan
from workshop.engine.results import NodeResult, Outcome
from workshop.steps.registry import kinds

__all__ = ["LiveProgress", "PlainProgress", "Progress", "progress"]

HEARTBEAT = 25.0
TIME_WIDTH = len("119.9 s")
MARKS = {
    Outcome.CREATED: ("✓", "green"),
    Outcome.UPDATED: ("✓", "green"),
    Outcome.UNCHANGED: ("=", "bright_black"),
    Outcome.REMOVED: ("✓", "green"),
    Outcome.ABSENT: ("=", "bright_black"),
    Outcome.SKIPPED: ("!", "yellow"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.CANCELLED: ("·", "bright_black"),
}


class Progress(Protocol):
    """Shows events; `tick` is called about four times a second, `close` once at the end. A notice that is
    too long for the terminal continues `indent` columns from the left."""

    def __call__(self, event: Event) -> None: ...
    def tick(self) -> None: ...
    def close(self) -> None: ...
    def notice(self, text: str, indent: int = 0) -> None: ...


def progress() -> Progress:
    """The progress that suits this process's stderr."""
    console = SafeConsole(stderr=True, highlight=False, emoji=False)
    if console.is_terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
        return LiveProgress(console)
    return PlainProgress()


class PlainProgress:
    """One line per thing that happened; nothing is drawn over."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._width = 0
        self._running: dict[NodeKey, tuple[float, str]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case NodeStarted(node):
                self._running[node.key] = (time.monotonic(), "")
            case NodeWaits(node, reason, _):
                self._running[node.key] = (self._running.get(node.key, (time.monotonic(), ""))[0], reason)
            case NodeProgressed(node, text):
                self.notice(f"    {node.key}: {text}")
            case NodeFinished(result):
                self._running.pop(result.node.key, None)
                if _worth_a_line(result):
                    self.notice(_plain(result, self._width))
            case Noticed(text):
                self.notice(text)
            case StopAsked():
                self.notice("Stopping: calls in flight are being finished. Press Ctrl-C again to end at once.")
            case RunStarted(_, plan):
                self._width = _width(plan)

    def tick(self) -> None:
        if time.monotonic() - self._last < HEARTBEAT or not self._running:
            return
        parts = [f"{key} {_elapsed(start)}{f', waits for {why}' if why else ''}" for key, (start, why) in self._running.items()]
        self.notice("... " + "; ".join(parts))

    def close(self) -> None:
        pass

    def notice(self, text: str, indent: int = 0) -> None:  # noqa: ARG002 - lines are not wrapped
        self._last = time.monotonic()
        say(text, err=True)


class LiveProgress:
    """Finished lines scroll up; running ones stay at the bottom."""

    def __init__(self, console: SafeConsole) -> None:
        self._console = console
        self._width = 0
        self._running: dict[NodeKey, tuple[float, str]] = {}
        self._spinners: dict[NodeKey, Spinner] = {}
        self._live = Live(console=console, auto_refresh=False, transient=True, get_renderable=self._render)
        self._live.start()

    def __call__(self, event: Event) -> None:
        match event:
            case NodeStarted(node):
                self._running[node.key] = (time.monotonic(), "")
                self._spinners[node.key] = Spinner("dots", style="cyan")
            case NodeWaits(node, reason, _):
                self._running[node.key] = (self._running.get(node.key, (time.monotonic(), ""))[0], reason)
            case NodeProgressed(node, text):
                self._print(f"    [bright_black]{escape(str(node.key))}: {escape(text)}[/]")
            case NodeFinished(result):
                self._running.pop(result.node.key, None)
                if _worth_a_line(result):
                    self._print(_marked(result, self._width))
            case Noticed(text):
                self.notice(text)
            case StopAsked():
                self._print("[yellow]Stopping: calls in flight are being finished. Press Ctrl-C again to end at once.[/]")
            case RunStarted(_, plan):
                self._width = _width(plan)
        self.tick()

    def tick(self) -> None:
        self._live.refresh()

    def close(self) -> None:
        self._live.stop()

    def notice(self, text: str, indent: int = 0) -> None:
        head, body = (f"[bright_black]{escape(part)}[/]" for part in (text[:indent], text[indent:]))
        if indent:
            print_table(self._console, hanging(head, body))
        else:
            self._print(body)

    def _print(self, markup: str) -> None:
        self._console.print(self._console.render_str(markup, overflow="fold"))

    def _render(self) -> RenderableType:
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, min_width=1)
        table.add_column(no_wrap=True, min_width=self._width)
        table.add_column(no_wrap=True, min_width=TIME_WIDTH, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for key, (start, why) in self._running.items():
            table.add_row(self._spinners[key], str(key), f"[bright_black]{_elapsed(start)}[/]", f"[bright_black]{escape(why)}[/]")
        return Group(table)


def _elapsed(start: float) -> str:
    """Whole seconds, so that the figure does not flicker."""
    return format_duration(int(time.monotonic() - start))


def _worth_a_line(result: NodeResult) -> bool:
    """Cancelled nodes are only counted, and a check that is taken down was never there."""
    checked = result.outcome is Outcome.ABSENT and kinds()[result.node.spec.kind].is_verification
    return result.outcome is not Outcome.CANCELLED and not checked


def _plain(result: NodeResult, width: int) -> str:
    mark, _ = MARKS[result.outcome]
    detail = f"  {result.detail}" if result.detail and result.outcome is Outcome.SKIPPED else ""
    name, seconds = f"{result.node.key!s:<{width}}", format_duration(result.seconds)
    return f"{mark} {name}  {result.outcome.value:<9}  {seconds:>{TIME_WIDTH}}{detail}"


def _marked(result: NodeResult, width: int) -> str:
    mark, colour = MARKS[result.outcome]
    detail = f"  {escape(result.detail)}" if result.detail and result.outcome is Outcome.SKIPPED else ""
    name, seconds = escape(f"{result.node.key!s:<{width}}"), format_duration(result.seconds)
    return f"[{colour}]{mark}[/] {name}  [{colour}]{result.outcome.value:<9}[/]  [bright_black]{seconds:>{TIME_WIDTH}}{detail}[/]"


def _width(plan: Plan) -> int:
    """The length of the longest name, so that the columns line up."""
    return max((len(str(node.key)) for node in plan.nodes), default=0)

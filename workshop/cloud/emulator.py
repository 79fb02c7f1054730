"""MiniStack, loaded and extended: the only place that knows which of its modules this room stands on.

What comes in: the process's environment, set before, and the pace. What goes out: its ASGI application with our extensions, the
state of both, and the parts that the controls speak to.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime, persistence, responses, router
from ministack.services import apigateway, apigateway_v1, cloudformation, cloudwatch, cloudwatch_logs, dynamodb, iam, lambda_svc
from ministack.services.cloudformation import handlers, stacks

from workshop.cloud.agenda import Agenda
from workshop.cloud.answers import Asgi
from workshop.cloud.calls import Calls
from workshop.cloud.functions import extend_functions
from workshop.cloud.gateway import extend_gateway
from workshop.cloud.global_tables import GlobalTables
from workshop.cloud.injection import Faults
from workshop.cloud.metrics import Metrics, keep_logs_short
from workshop.cloud.operations import operation_names
from workshop.cloud.pacing import Pacing
from workshop.cloud.patches import point, replace_point
from workshop.cloud.persistence import Codec
from workshop.cloud.services import know_services_by_name
from workshop.cloud.stacks import extend_stacks, mend_stacks
from workshop.cloud.states import OWN, check_read_points, service_states, states_changed_by

__all__ = ["Emulator"]

logger = logging.getLogger("workshop.cloud")

TABLE_STATES = ("dynamodb", "cloudwatch", OWN)


class Emulator:
    """One extended MiniStack per process. `changed` is told which states change without a request (None: any);
    `drop` closes the connection of the request at hand."""

    def __init__(
        self,
        pacing: Pacing,
        changed: Callable[[Iterable[str] | None], None],
        chance: random.Random,
        drop: Callable[[], None],
    ) -> None:
        self._changed = changed
        check_read_points()
        replace_point(ministack, "_collect_scripts", lambda _: _no_scripts)
        extend_gateway()
        know_services_by_name(router)
        self.app: Asgi = point(ministack, "app")
        self.codec = Codec(point(persistence, "_json_default"), point(persistence, "_json_object_hook"))
        self.faults = Faults(_service_named, operation_names, chance, self._moved)
        self.calls = Calls(self.faults, pacing, _here, drop, states_changed_by)
        self.calls.wrap_all(point(ministack, "SERVICE_HANDLERS"))
        extend_functions(lambda_svc, pacing, self.faults.concurrency)
        keep_logs_short(cloudwatch_logs)
        replace_point(stacks, "_add_event", self._heard)
        self._agenda = Agenda(time.time)
        self.tables = GlobalTables(
            dynamodb,
            self._agenda,
            pacing,
            self.faults,
            changed=self._moved,
            measured=Metrics(cloudwatch, responses.request_scope).lag,
            defer=self._defer,
            chance=chance,
        )
        extend_stacks(stacks, handlers, iam._roles, pacing, forbid_removal=self._forbid_removal, turn=self.calls.turn)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._saved: dict[str, Any] = {"groups": [], "steps": [], "orphans": []}

    def begin(self) -> None:
        """From now on what is due happens by itself; called on the server's loop after the state is back."""
        self._loop = asyncio.get_running_loop()
        self._agenda.wake = self._wake
        mend_stacks(cloudformation, stacks, responses.request_scope)
        try:
            self.tables.restore(self._saved)
        except (KeyError, TypeError, ValueError):
            logger.exception("What was saved about replication could not be taken back; every table stands alone.")
            self.tables.clear()
        self._tick()

    def api_scope(self, api: str) -> tuple[str, str] | None:
        """Account and region of an API id."""
        found: tuple[str, str] | None = apigateway_v1.find_api_scope(api) or apigateway.find_api_scope(api)
        return found

    def getters(self) -> Mapping[str, Callable[[], Any]]:
        """How to read the state of every service that was used, and our own."""
        return {**service_states(), OWN: self._document}

    def restore(self, name: str, state: Any) -> None:
        """Give a service its saved state back; a service that is gone or refuses it starts empty, with a line in the log."""
        if name == OWN:
            self._saved = state
            self.faults.restore(state["faults"])
            return
        module = point(ministack, "_state_map").get(name)
        if module is None:
            logger.warning("Saved state of an unknown service: %s.", name)
            return
        try:
            point(ministack, "_get_module")(module).load_persisted_state(state)
        except Exception:
            logger.exception("The saved state of %s could not be taken back; it starts empty.", name)

    async def empty(self) -> None:
        """Forget every resource, in memory and in the object store, and every fault."""
        async with point(ministack, "_get_reset_lock")():
            self.tables.clear()
            self.faults.clear()
            await asyncio.to_thread(point(ministack, "_reset_all_state"))

    def end(self) -> None:
        """End the processes that ran functions."""
        point(lambda_runtime, "reset")()

    def _forbid_removal(self, table: str) -> None:
        reason = self.tables.removal_refused(*_here(), table)
        if reason:
            raise ValueError(reason)

    def _moved(self) -> None:
        """Tables live and replicate without requests."""
        self._changed(TABLE_STATES)

    def _heard(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """A stack moves on without a request; whatever it did is worth keeping."""

        def add(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if not self._defer(lambda: self._changed(None)):
                self._changed(None)
            return result

        return add

    def _document(self) -> dict[str, Any]:
        return {**self.tables.document(), "faults": self.faults.document()}

    def _wake(self, due: float) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._plan, due)

    def _plan(self, due: float) -> None:
        """Look at the agenda when its earliest action is due: one timer, always for the earliest."""
        if self._loop is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(max(0.0, due - time.time()), self._tick)

    def _tick(self) -> None:
        try:
            self._agenda.run_due()
        except Exception:  # one broken step must not stop all that come after it
            logger.exception("A step of a table's life or a delivery failed.")
        due = self._agenda.next_due()
        self._moved()
        if due is not None:
            self._plan(due)

    def _defer(self, work: Callable[[], None]) -> bool:
        """Hand work that another thread found to the server's thread; False when this is it."""
        if self._loop is None or threading.current_thread() is threading.main_thread():
            return False
        self._loop.call_soon_threadsafe(work)
        return True


def _here() -> tuple[str, str]:
    return responses.get_account_id(), responses.get_region()


def _service_named(name: str) -> str | None:
    """MiniStack's name of a service by its AWS CLI name, or None."""
    found = point(ministack, "SERVICE_NAME_ALIASES").get(name, name)
    if name == "execute-api":
        return name
    return found if found in point(ministack, "SERVICE_HANDLERS") else None


def _no_scripts(*_: str) -> list[str]:
    """MiniStack runs start scripts that it finds in system folders; this cloud runs none."""
    return []

"""MiniStack, loaded and patched: the only place that knows which of its modules this room depends on.

In: the process's environment, set before, and the timing. Out: its ASGI application with our extensions, the state of both, and
the parts that the controls use.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime, persistence, responses, router
from ministack.services import apigateway, apigateway_v1, cloudformation, cloudwatch, cloudwatch_logs, dynamodb, iam, lambda_svc
from ministack.services.cloudformation import engine, handlers, provisioners, stacks

from workshop.cloud.api_gateway import patch_api_gateway
from workshop.cloud.buckets import patch_buckets
from workshop.cloud.creation_times import patch_creation_times
from workshop.cloud.disk import Disk
from workshop.cloud.events import OWN, TABLES_CHANGED, EventBus, StateChanged, WriteReplicated
from workshop.cloud.fault_registry import FaultRegistry
from workshop.cloud.lambda_limits import LambdaLimits
from workshop.cloud.metrics import Metrics, limit_log_streams
from workshop.cloud.middleware import ServiceMiddleware
from workshop.cloud.multi_region import MultiRegionDynamoDB
from workshop.cloud.names.parts import Names
from workshop.cloud.patches import patch, patch_around, require_attribute
from workshop.cloud.persistence import Codec
from workshop.cloud.responses import Asgi
from workshop.cloud.scheduler import LoopDriver, Scheduler
from workshop.cloud.service_models import operation_names, patch_service_names
from workshop.cloud.stack_patches import StackPatches, fail_interrupted_stacks, patch_template_reader
from workshop.cloud.state_gate import StateGate
from workshop.cloud.states import check_attributes, service_states, states_changed_by
from workshop.cloud.taken_names import TakenNames
from workshop.cloud.timing import Timing
from workshop.cloud.write_log import LoggedWrite, WriteLog

__all__ = ["Emulator"]

logger = logging.getLogger("workshop.cloud")


class Emulator:
    """One patched MiniStack per process. `changed` is called with the states that change without a request (None: any);
    `drop` closes the connection of the current request; `folder` is where the state is saved, `regions` have an address of their
    own."""

    def __init__(
        self,
        timing: Timing,
        changed: Callable[[Iterable[str] | None], None],
        chance: random.Random,
        drop: Callable[[], None],
        folder: Path,
        regions: Collection[str],
    ) -> None:
        check_attributes()
        self.app: Asgi = require_attribute(ministack, "app")
        self.codec = Codec(require_attribute(persistence, "_json_default"), require_attribute(persistence, "_json_object_hook"))
        self.disk, self.gate = Disk(folder), StateGate()
        self.write_log = WriteLog(folder, self.codec, self.disk)
        self._saved: dict[str, Any] = {"groups": [], "steps": [], "orphans": [], "names": {}}

        self._events = EventBus()
        self._events.subscribe(StateChanged, lambda event: changed(event.states))
        metrics = Metrics(cloudwatch, responses.request_scope)
        self._events.subscribe(WriteReplicated, metrics.replicated)

        scheduler = Scheduler(time.time)
        self._driver = LoopDriver(scheduler, lambda: self._events.publish(TABLES_CHANGED))
        self.faults = FaultRegistry(_service_named, operation_names, chance, self._events)
        self.tables = MultiRegionDynamoDB(
            dynamodb,
            scheduler,
            timing,
            self.faults,
            events=self._events,
            defer=self._driver.defer,
            chance=chance,
            log=self.write_log,
        )
        self.calls = ServiceMiddleware(self.faults, timing, _here, drop, states_changed_by, self.write_log, self.disk)
        self.names = Names(
            timing,
            self.faults,
            chance,
            scope_of=self.api_scope,
            regions=regions,
            metrics=metrics.checked,
            changed=changed,
        )
        self._patch(timing)
        self.calls.wrap_all(require_attribute(ministack, "SERVICE_HANDLERS"))

    def _patch(self, timing: Timing) -> None:
        """Everything besides DynamoDB and the services' handlers."""
        patch(ministack, "_collect_scripts", lambda _: _no_scripts)
        patch_service_names(router)
        patch_api_gateway()
        LambdaLimits(lambda_svc, timing, self.faults.concurrency).apply()
        self.names.apply()
        patch_buckets()
        limit_log_streams(cloudwatch_logs)
        patch_creation_times(provisioners, lambda_svc, dynamodb)
        patch_template_reader(engine)
        patch_around(stacks, "_add_event", self._add_stack_event)
        StackPatches(
            stacks,
            handlers,
            TakenNames(
                functions=lambda_svc._functions,
                roles=iam._roles,
                tables=dynamodb._tables,
                groups=cloudwatch_logs._log_groups,
            ),
            timing,
            forbid_removal=self._forbid_removal,
            acquire=self.calls.acquire,
            gate=self.gate,
        ).apply()

    def begin(self, logged: Iterable[LoggedWrite] = ()) -> None:
        """From now on what is due happens by itself; called on the server's loop after the state is back.

        `logged` are the writes since that state was saved.
        """
        self._driver.attach()
        fail_interrupted_stacks(cloudformation, stacks, responses.request_scope)
        try:
            self.tables.restore(self._saved)
        except (KeyError, TypeError, ValueError):
            logger.exception("The saved state of replication could not be restored; no table has replicas any more.")
            self.tables.clear()
        with self.write_log.replaying():
            self.tables.replay(logged)
        self._driver.run()
        try:
            self.names.begin(self._saved.get("names", {}))
        except (AttributeError, KeyError, TypeError, ValueError):
            logger.exception("The saved state of health checks could not be restored; their checkers begin anew.")
            self.names.begin({})

    def table_ids(self) -> frozenset[str]:
        """The ids of all regional tables of all accounts."""
        return frozenset(str(record["TableId"]) for _, record in dynamodb._tables.all_items())

    def log_groups(self) -> frozenset[tuple[str, str, str]]:
        """Account, region and name of every log group: what of the logs stacks make and delete."""
        return frozenset(key for key, _ in cloudwatch_logs._log_groups.all_items())

    def api_scope(self, api: str) -> tuple[str, str] | None:
        """Account and region of an API id."""
        found: tuple[str, str] | None = apigateway_v1.find_api_scope(api) or apigateway.find_api_scope(api)
        return found

    def getters(self) -> Mapping[str, Callable[[], Any]]:
        """How to read the state of every service that was used, and our own."""
        return {**service_states(), OWN: self._document}

    def restore(self, name: str, state: Any) -> None:
        """Restore the saved state of a service; one that is gone or refuses it starts empty, with a line in the log."""
        if name == OWN:
            self._saved = state
            self.faults.restore(state["faults"])
            return
        module = require_attribute(ministack, "_state_map").get(name)
        if module is None:
            logger.warning("Saved state of an unknown service: %s.", name)
            return
        try:
            require_attribute(ministack, "_get_module")(module).load_persisted_state(state)
        except Exception:
            logger.exception("The saved state of %s could not be restored; it starts empty.", name)

    async def empty(self) -> None:
        """Forget every resource, in memory and in the object store, and every fault."""
        await self.names.quiet()
        async with require_attribute(ministack, "_get_reset_lock")():
            self.tables.clear()
            self.names.clear()
            self.faults.clear()
            await asyncio.to_thread(require_attribute(ministack, "_reset_all_state"))

    def end(self) -> None:
        """End the name server and the processes that ran functions."""
        self.names.end()
        require_attribute(lambda_runtime, "reset")()

    def _forbid_removal(self, table: str) -> None:
        reason = self.tables.removal_refused(*_here(), table)
        if reason:
            raise ValueError(reason)

    def _add_stack_event(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A stack progresses without a request, and may change any service."""
        result = original(*args, **kwargs)
        _, stack, logical_id, _, status, *_ = args
        if not status.endswith("_IN_PROGRESS"):
            self.gate.end((stack, logical_id))
        if not self._driver.defer(lambda: self._events.publish(StateChanged(None))):
            self._events.publish(StateChanged(None))
        return result

    def _document(self) -> dict[str, Any]:
        return {**self.tables.document(), "faults": self.faults.document(), "names": self.names.document()}


def _here() -> tuple[str, str]:
    return responses.get_account_id(), responses.get_region()


def _service_named(name: str) -> str | None:
    """MiniStack's name of a service by its AWS CLI name, or None."""
    found = require_attribute(ministack, "SERVICE_NAME_ALIASES").get(name, name)
    if name == "execute-api":
        return name
    return found if found in require_attribute(ministack, "SERVICE_HANDLERS") else None


def _no_scripts(*_: str) -> list[str]:
    """MiniStack runs start scripts that it finds in system folders; this cloud runs none."""
    return []

"""`cloudformation.stack`: one stack from a Jinja2 template, in each of its regions.

In: a name, a template, parameters. Out: the stack's outputs and its id. Creates, updates by change set, counts "no change" as
success, clears what only permits deletion, waits by stack id with its events shown, and reports the first real cause of a
failure (docs/aws-behaviours.md, section 3). A stack of the same name that we did not make stays as it is until it is adopted.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from workshop.aws.errors import AwsError
from workshop.aws.resources.stacks import Stack, describe_stack, list_stacks, template_of
from workshop.errors import DefinitionError
from workshop.shell import aws, aws_line, command_line, into
from workshop.steps.base import (
    Brought,
    Context,
    Estimate,
    Observed,
    Outputs,
    Params,
    Permission,
    Resource,
    State,
    Step,
)
from workshop.steps.cloudformation.brings import stack_brings
from workshop.steps.cloudformation.changes import call_once, delete_stack, update_by_change_set
from workshop.steps.cloudformation.declaring import stacks_declaring
from workshop.steps.cloudformation.identity_leftovers import tagged_pools
from workshop.steps.cloudformation.identity_permissions import USER_POOL, search_permissions
from workshop.steps.cloudformation.in_the_way import adopt_resource, clear_adopted, foreign_resources, foreign_stack
from workshop.steps.cloudformation.leftovers import clear_log_groups, leftover_of, stack_leftovers
from workshop.steps.cloudformation.notes import (
    STACK_NOTE,
    had_stack,
    is_noted,
    note_deleted,
    note_identity,
    note_refused,
    note_requested,
)
from workshop.steps.cloudformation.permissions import stack_permissions
from workshop.steps.cloudformation.services import QUOTAS, RESOURCE_TYPES, SERVICES
from workshop.steps.cloudformation.template import Declared, declared, parsed
from workshop.steps.cloudformation.waits import failure, mark, wait_settled
from workshop.steps.declarations import RenderedLimit
from workshop.steps.ownership import LEFT_ALONE, Note, Owner, foreign_error, observed_foreign, owner_of
from workshop.steps.settings import PARAMETER_PATTERN, TemplateFile

__all__ = ["STEP", "CloudFormationStack", "StackParams"]

MOST_TEMPLATE_BYTES = 51_200
"""The limit of TemplateBody (section 3.6)."""
READY = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
TERMINAL = {
    "ROLLBACK_COMPLETE": "its creation failed and was rolled back; only deletion is possible",
    "ROLLBACK_FAILED": "its creation failed, and so did the rollback",
    "CREATE_FAILED": "its creation failed",
    "REVIEW_IN_PROGRESS": "it was made by a change set that was not executed",
    "DELETE_FAILED": "its deletion failed",
    "IMPORT_ROLLBACK_FAILED": "an import failed, and so did its rollback",
}
"""States from which only deletion leads on (section 3.1)."""
MOST_CREATES = 3
MADE_BY_US = Owner(ours=True)

Capability = Literal["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,255}$")]
WorkshopParameter = Annotated[str, Field(pattern=PARAMETER_PATTERN)]


class StackParams(Params):
    """`template` renders to the stack's template; `parameters` are CloudFormation's own. `remedies` are parameters of the
    workshop to set up with, by a text of the failure that they help against."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]
    template: Annotated[str, TemplateFile("yaml or json")]
    parameters: dict[ParameterName, str] = {}  # noqa: RUF012 - pydantic copies defaults
    capabilities: list[Capability] = ["CAPABILITY_IAM"]  # noqa: RUF012
    remedies: dict[str, dict[WorkshopParameter, str]] = {}  # noqa: RUF012


class CloudFormationStack(Step[StackParams]):
    """One regional stack."""

    kind = "cloudformation.stack"
    summary = "a CloudFormation stack rendered from a template"
    Params = StackParams
    estimate = Estimate(minutes=2.0, usd=0.01)
    services = SERVICES
    resource_types = RESOURCE_TYPES
    noted_resources = frozenset({STACK_NOTE})
    quotas = QUOTAS
    rendered_limit = RenderedLimit("template", MOST_TEMPLATE_BYTES, "Shorten the template, or split it into two stacks")

    def check_files(self, ctx: Context[StackParams]) -> None:
        declared(_body(ctx), ctx.params.template)

    async def observe(self, ctx: Context[StackParams]) -> Observed:
        stack = await describe_stack(ctx.aws, ctx.region, ctx.params.name)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return await self._blocked(ctx) or Observed(State.ABSENT)
        owner = _owner(ctx, stack)
        if not owner.ours:
            return await self._foreign(ctx, stack)
        if stack.status in TERMINAL:
            return Observed(State.BROKEN, f"{stack.status}: {TERMINAL[stack.status]}", _outputs(stack))
        if stack.status not in READY:
            return Observed(State.PARTIAL, stack.status, _outputs(stack), adopted=owner.adopted)
        try:
            current = await _is_current(ctx, stack)
        except DefinitionError as error:
            if error.code == "MissingOutput":
                raise  # a step before this one has no outputs yet: the engine handles that
            # A setup fails with it in `create`; a teardown needs no template to delete the stack.
            return Observed(State.PARTIAL, f"the template cannot be read: {error.what}", _outputs(stack))
        if not current:
            return Observed(State.PARTIAL, "the template or its parameters changed", _outputs(stack))
        detail = ", ".join(part for part in (stack.status, owner.detail) if part)
        return Observed(State.READY, detail, _outputs(stack), adopted=owner.adopted)

    async def create(self, ctx: Context[StackParams]) -> Outputs:
        stack = await self._usable(ctx)
        if stack is None:
            stack = await self._create(ctx)
        elif not await _is_current(ctx, stack):
            stack = await self._update(ctx, stack)
        return _outputs(stack)

    async def adopt(self, ctx: Context[StackParams], resource: Resource) -> None:
        if resource.kind != "stack":
            await adopt_resource(ctx, resource)
            return
        stack = await describe_stack(ctx.aws, ctx.region, resource.name)
        if stack is not None:
            await self._update(ctx, stack, more_tags=ctx.adoption_tags)

    async def destroy(self, ctx: Context[StackParams]) -> None:
        stack = await describe_stack(ctx.aws, ctx.region, ctx.params.name)
        if stack is not None and not _owner(ctx, stack).ours:
            return
        if stack is not None:
            note_requested(ctx)  # what it leaves is ours, also on a machine that did not make it
            await delete_stack(ctx, stack)
        await self._clear(ctx, stack.id if stack is not None else "")

    async def leftovers(self, ctx: Context[StackParams]) -> list[Resource]:
        stack = await describe_stack(ctx.aws, ctx.region, ctx.params.name)
        try:
            declared_ones = _declared(ctx)
        except DefinitionError:
            if stack is None:
                raise  # without the template it is unknown what else it may have left
            declared_ones = []
        found = await stack_leftovers(ctx, declared_ones)
        if stack is not None:
            owner = _owner(ctx, stack)
            why = stack.status if owner.ours else LEFT_ALONE
            found.append(_leftover(stack, ctx.region, why=why, owner=owner))
        return found

    async def tagged(self, ctx: Context[StackParams]) -> list[Resource]:
        ours = [stack for stack in await list_stacks(ctx.aws, ctx.region) if ctx.owns(stack.tags)]
        stacks = [replace(_leftover(stack, ctx.region, why=stack.status), size=stack.status) for stack in ours]
        return [*stacks, *(leftover_of(pool, ours=True) for pool in await tagged_pools(ctx))]

    def stack_name(self, ctx: Context[StackParams]) -> str:
        return ctx.params.name

    def brings(self, ctx: Context[StackParams]) -> list[Brought]:
        return stack_brings(ctx.params.name, parsed(_body(ctx), ctx.params.template), ctx.params.capabilities)

    def commands(self, ctx: Context[StackParams]) -> list[str]:
        file = f"{ctx.params.name}-{ctx.region}.yaml"
        deploy = aws(
            "cloudformation deploy",
            region=ctx.region,
            stack_name=ctx.params.name,
            template_file=file,
            capabilities=ctx.params.capabilities,
            tags=[f"{key}={value}" for key, value in ctx.tags_by_hand.items()],
            parameter_overrides=[f"{key}={value}" for key, value in ctx.params.parameters.items()],
        )
        outputs = aws(
            "cloudformation describe-stacks",
            region=ctx.region,
            stack_name=ctx.params.name,
            query="Stacks[0].Outputs",
            output="table",
        )
        show = ctx.again("step", "show", ctx.step, "--in", ctx.region, "--template")
        return [into(show, file), command_line(deploy), command_line(outputs)]

    def permissions(self, ctx: Context[StackParams]) -> list[Permission]:
        own = stack_permissions(ctx.account, ctx.region, ctx.params.name, _declared(ctx))
        return sorted({*own, *(search_permissions(ctx.account, ctx.region) if stacks_declaring(ctx, USER_POOL) else ())})

    def rendered(self, part: str, ctx: Context[StackParams]) -> str | None:
        return _body(ctx) if part == "template" else None  # as it is sent to AWS

    async def _usable(self, ctx: Context[StackParams]) -> Stack | None:
        """The stack in a state that can be updated, or None after one in a terminal state was deleted."""
        stack = await describe_stack(ctx.aws, ctx.region, ctx.params.name)
        if stack is None:
            return None
        if not _owner(ctx, stack).ours:
            raise foreign_error(await self._foreign(ctx, stack))
        if not stack.settled:
            stack = await wait_settled(ctx, stack.id)
        if stack is not None and stack.status == "UPDATE_ROLLBACK_FAILED":
            stack = await self._continue_rollback(ctx, stack)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return None
        if stack.status in TERMINAL:
            ctx.report.progress(f"{stack.name} is {stack.status} ({TERMINAL[stack.status]}): deleting it and creating it again")
            await delete_stack(ctx, stack)
            return None
        return stack

    async def _create(self, ctx: Context[StackParams]) -> Stack:
        if had_stack(ctx):
            await clear_log_groups(ctx, _declared(ctx))  # a late call brought one back after the last teardown
        if blocked := await self._blocked(ctx):
            raise foreign_error(blocked)
        await clear_adopted(ctx, _declared(ctx))
        for attempt in range(1, MOST_CREATES + 1):
            identity = await self._request_creation(ctx)
            stack = await wait_settled(ctx, identity)
            if stack is not None and stack.status == "CREATE_COMPLETE":
                return stack
            error = await failure(ctx, identity, "could not be created")
            # IAM takes seconds to spread a new role (section 4): the same template then works a moment later.
            if stack is None or "cannot be assumed" not in error.why or attempt == MOST_CREATES:
                raise error
            ctx.report.progress(f"{error.why} Creating {ctx.params.name} again.")
            await delete_stack(ctx, stack)
        raise AssertionError("the last attempt returns or raises")

    async def _request_creation(self, ctx: Context[StackParams]) -> str:
        """Request the stack; returns its id."""
        noted = is_noted(ctx)  # an earlier one of ours: what it left stays ours, whatever becomes of this one
        note_requested(ctx)
        try:
            response = await ctx.aws.call(
                "cloudformation",
                ctx.region,
                "create_stack",
                StackName=ctx.params.name,
                TemplateBody=_body(ctx),
                Parameters=_parameters(ctx),
                Capabilities=ctx.params.capabilities,
                Tags=_tags(ctx),
                OnFailure="ROLLBACK",
                ClientRequestToken=_token(ctx, "create"),
            )
        except AwsError as error:
            if error.code == "AlreadyExistsException":
                # The response to an earlier attempt was lost: the stack is ours when it carries our tags (section 10.2).
                found = await describe_stack(ctx.aws, ctx.region, ctx.params.name)
                if found is not None and ctx.owns(found.tags):
                    note_identity(ctx, found.id)
                    return found.id
            if error.final and not noted:
                note_refused(ctx)
            raise
        note_identity(ctx, str(response["StackId"]))
        return str(response["StackId"])

    @staticmethod
    async def _clear(ctx: Context[StackParams], identity: str) -> None:
        """Delete the log groups that a stack of ours left. Without its template some may remain unknown, so the notes stay."""
        if not had_stack(ctx):
            return
        try:
            resources = _declared(ctx)
        except DefinitionError as error:
            why = f"the template cannot be read: {error.what}"
            ctx.report.progress(f"! the log groups of {ctx.params.name} were not looked for, {why}")
            return
        await clear_log_groups(ctx, resources)
        note_deleted(ctx, identity)

    @staticmethod
    async def _blocked(ctx: Context[StackParams]) -> Observed | None:
        """What is observed when foreign resources have names that the template declares; None when nothing has."""
        try:
            resources = _declared(ctx)
        except DefinitionError as error:
            if error.code == "MissingOutput":
                raise  # a step before this one has no outputs yet: the engine handles that
            return None
        found = await foreign_resources(ctx, resources)
        return observed_foreign(ctx, found) if found else None

    @staticmethod
    async def _foreign(ctx: Context[StackParams], stack: Stack) -> Observed:
        """What is observed of a stack of our name that another hand made."""
        about = _leftover(stack, ctx.region, why="")
        return observed_foreign(ctx, [await foreign_stack(ctx, stack, about.fix, about.show)], parameter="stack")

    async def _update(self, ctx: Context[StackParams], stack: Stack, **more: Any) -> Stack:
        return await update_by_change_set(
            ctx,
            stack,
            **more,
            source=ctx.params.template,
            TemplateBody=_body(ctx),
            Parameters=_parameters(ctx),
            Capabilities=ctx.params.capabilities,
        )

    async def _continue_rollback(self, ctx: Context[StackParams], stack: Stack) -> Stack | None:
        ctx.report.progress(f"{stack.name} is UPDATE_ROLLBACK_FAILED: continuing its rollback")
        before = await mark(ctx, stack.id)
        await call_once(ctx, "continue_update_rollback", "ValidationError", StackName=stack.id)
        settled = await wait_settled(ctx, stack.id, leaving=before)
        if settled is not None and settled.status == "UPDATE_ROLLBACK_FAILED":
            raise await failure(ctx, stack.id, "cannot finish its rollback")
        return settled


STEP = CloudFormationStack()


def _body(ctx: Context[StackParams]) -> str:
    body = ctx.files.render(ctx.params.template, {**ctx.variables, "settings": ctx.params.model_dump()})
    size = len(body.encode())
    if size > MOST_TEMPLATE_BYTES:
        raise DefinitionError(
            what=f"renders to {size:,} bytes; CloudFormation takes {MOST_TEMPLATE_BYTES:,} at most",
            fix="Shorten the template or split it into two stacks",
            where=ctx.params.template,
        )
    return body


def _declared(ctx: Context[StackParams]) -> list[Declared]:
    return declared(_body(ctx), ctx.params.template)


async def _is_current(ctx: Context[StackParams], stack: Stack) -> bool:
    """Whether the stack was made from today's template and parameters, as far as those can be read: AWS returns asterisks for
    one that is declared with `NoEcho` (docs/aws-behaviours.md, section 3.5)."""
    readable = {name: value for name, value in stack.parameters.items() if not value or value.strip("*")}
    wanted = {name: value for name, value in ctx.params.parameters.items() if name in readable or name not in stack.parameters}
    if readable != {**readable, **wanted}:
        return False
    return _same_template(await template_of(ctx.aws, ctx.region, stack.id), _body(ctx))


def _same_template(one: str, other: str) -> bool:
    if one.strip() == other.strip():
        return True
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _parameters(ctx: Context[StackParams]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in ctx.params.parameters.items()]


def _tags(ctx: Context[StackParams]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in ctx.tags.items()]


def _token(ctx: Context[StackParams], action: str) -> str:
    """One token per run and action: a repeated request is recognised, and its events carry it (section 3.6)."""
    return f"{action}-{ctx.run}-{uuid.uuid4().hex[:8]}"


def _owner(ctx: Context[StackParams], stack: Stack) -> Owner:
    return owner_of(ctx, stack.tags, Note(STACK_NOTE, stack.name, ctx.region, stack.id))


def _leftover(stack: Stack, region: str, *, why: str, owner: Owner = MADE_BY_US) -> Resource:
    return Resource(
        "stack",
        stack.name,
        region,
        why=why,
        fix=aws_line("cloudformation delete-stack", region=region, stack_name=stack.name),
        show=aws_line("cloudformation describe-stacks", region=region, stack_name=stack.name),
        ours=owner.ours,
        created=stack.created,
        adopted=owner.adopted,
    )


def _outputs(stack: Stack) -> Outputs:
    return {**stack.outputs, "StackId": stack.id, "StackName": stack.name}

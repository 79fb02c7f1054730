"""Route 53's REST-XML, read and written by botocore's model of the service.

In: an HTTP request. Out: its members as plain values, checked against the model (docs/aws-behaviours.md, section 6.4); responses;
refusals. MiniStack's own listings are written the same way.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.services import route53

from workshop.cloud.patches import require_attribute
from workshop.cloud.responses import Response
from workshop.cloud.service_models import service_model

__all__ = ["Refused", "Values", "checked", "coerced", "error", "read_request", "respond", "write"]

Values = dict[str, Any]
"""The members of a request, a response or a structure, by the API's names."""
TEXT = "Invalid XML ; cvc-{limit}-valid: Value '{value}' is not facet-valid with respect to {limit} '{bound}' for type '{type}'."


class Refused(Exception):
    """A call that Route 53 refuses, with its code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


def read_request(operation: str, path: str, query: Mapping[str, Any], body: bytes) -> Values:
    """The members of a request. Raises `Refused` for one that does not fit the model."""
    found = _path_pattern(operation).fullmatch(path)
    named = {**{name: value[0] if isinstance(value, list) else value for name, value in query.items()}, **found.groupdict()}  # type: ignore[union-attr]
    root = require_attribute(route53, "_parse_body")(body)
    shape, values = _operation(operation).input_shape, {}
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        if "location" in member.serialization:
            if named.get(key) not in (None, ""):
                values[name] = coerced(member, named[key])
        elif root is not None and (element := route53._find(root, key)) is not None:
            values[name] = _read(member, element)
    checked(shape, values)
    return values


def respond(operation: str, values: Values) -> Response:
    """The response of an operation; its `Location` goes into a header."""
    model = _operation(operation)

    def build(root: Element) -> None:
        for name, member in model.output_shape.members.items():
            if name in values and "location" not in member.serialization:
                write(root, name, member, values[name])

    response: Response = route53._xml_response(model.output_shape.name, build, model.http.get("responseCode", 200))
    if "Location" in values:
        response[1]["Location"] = f"https://route53.amazonaws.com/{route53.API_VERSION}/{values['Location']}"
    return response


def error(refused: Refused) -> Response:
    """The response of a call that is refused."""
    status = service_model("route53").shape_for(refused.code).metadata.get("error", {}).get("httpStatusCode", 400)
    response: Response = route53._error_response(refused.code, refused.message, status)
    return response


def write(parent: Element, name: str, shape: Any, value: Any) -> None:
    """Add a value as a child element; `shape` is one of the model or its name."""
    shape = service_model("route53").shape_for(shape) if isinstance(shape, str) else shape
    child = SubElement(parent, name)
    if shape.type_name == "structure":
        for inner, member in shape.members.items():
            if value.get(inner) is not None:
                write(child, member.serialization.get("name", inner), member, value[inner])
    elif shape.type_name == "list":
        for each in value:
            write(child, shape.member.serialization.get("name", "member"), shape.member, each)
    else:
        child.text = str(value).lower() if isinstance(value, bool) else str(value)


def coerced(shape: Any, value: Any) -> Any:
    """A value in the types of its shape, without members that it does not know. Templates write numbers and booleans as texts."""
    shape = service_model("route53").shape_for(shape) if isinstance(shape, str) else shape
    match shape.type_name:
        case "structure":
            return {name: coerced(shape.members[name], inner) for name, inner in value.items() if name in shape.members}
        case "list":
            return [coerced(shape.member, each) for each in value]
        case "integer" | "long":
            if not re.fullmatch(r"\s*-?\d{1,18}\s*", str(value)):
                text = f"Invalid XML ; cvc-datatype-valid.1.2.1: '{value}' is not a valid value for 'integer'."
                raise Refused("InvalidInput", text)
            return int(value)
        case "boolean":
            return str(value).lower() == "true"
    return str(value)


def checked(shape: Any, value: Values) -> Values:
    """The same value. Raises `Refused` for what its shape does not allow."""
    shape = service_model("route53").shape_for(shape) if isinstance(shape, str) else shape
    for problem in _problems(shape, value):
        raise Refused("InvalidInput", problem)
    return value


def _read(shape: Any, element: Element) -> Any:
    if shape.type_name == "structure":
        found = ((name, route53._find(element, member.serialization.get("name", name))) for name, member in shape.members.items())
        return {name: _read(shape.members[name], child) for name, child in found if child is not None}
    if shape.type_name == "list":
        return [_read(shape.member, child) for child in element]
    return coerced(shape, element.text or "")


def _problems(shape: Any, value: Any) -> Iterator[str]:
    """What of a value lies outside its shape: members that are missing, unknown words, figures and lengths out of range."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"Missing field '{name}' in {shape.name}"
        for name, inner in value.items():
            yield from _problems(shape.members[name], inner)
        return
    known = getattr(shape, "enum", None)
    if known and value not in known:
        yield TEXT.format(limit="enumeration", value=value, bound=f"[{', '.join(known)}]", type=shape.name)
    kind, figure = ("Inclusive", value) if isinstance(value, int) else ("Length", len(value))
    least, most = shape.metadata.get("min", figure), shape.metadata.get("max", figure)
    if not least <= figure <= most:
        limit, bound = ("min", least) if figure < least else ("max", most)
        yield TEXT.format(limit=f"{limit}{kind}", value=value, bound=bound, type=shape.name)
    if shape.type_name == "list":
        for each in value:
            yield from _problems(shape.member, each)


def _operation(operation: str) -> Any:
    return service_model("route53").operation_model(operation)


@functools.cache
def _path_pattern(operation: str) -> re.Pattern[str]:
    uri = _operation(operation).http["requestUri"].rstrip("/")
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", uri) + "/?")

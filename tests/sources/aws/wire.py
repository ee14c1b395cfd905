"""AWS's protocols, from the other side: a request as parameters, an answer as bytes. Spoken from botocore's models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.sources.aws.referee import model

#: Services whose protocol is JSON, named by the header X-Amz-Target, and those that send a form and read XML.
JSON = ("ecs", "cloudwatch", "application-autoscaling", "ce", "compute-optimizer", "service-quotas", "pricing")
FORMS = ("elbv2", "ec2", "sts")


def of_json(target: str, body: bytes) -> tuple[str, str, dict[str, Any]]:
    """(service, operation, parameters) of a JSON request."""
    prefix, _, operation = target.rpartition(".")
    service = next(name for name in JSON if model(name).metadata["targetPrefix"] == prefix)
    return service, operation, json.loads(body or b"{}")


def of_form(signed_for: str, body: bytes) -> tuple[str, str, dict[str, Any]]:
    """(service, operation, parameters) of a form: `Filter.1.Name=x` is {"Filters": [{"Name": "x"}]}."""
    service = {"elasticloadbalancing": "elbv2"}.get(signed_for, signed_for)
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    operation = fields.pop("Action")
    fields.pop("Version")
    shape = model(service).operation_model(operation).input_shape
    return service, operation, _gathered(shape, fields, service == "ec2") if shape is not None else {}


def to_json(answer: dict[str, Any]) -> bytes:
    """An answer in JSON: moments are seconds since 1970."""
    return json.dumps(answer, default=lambda moment: moment.timestamp()).encode()


def to_xml(service: str, operation: str, answer: dict[str, Any]) -> bytes:
    """An answer in XML, within <...Result> unless it is EC2's."""
    shape = model(service).operation_model(operation).output_shape
    inside = "".join(_members(shape, answer, service == "ec2"))
    if service != "ec2":
        inside = f"<{operation}Result>{inside}</{operation}Result>"
    return f"<{operation}Response>{inside}</{operation}Response>".encode()


def error_xml(service: str, code: str, message: str) -> bytes:
    said = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        return f"<Response><Errors><Error>{said}</Error></Errors><RequestID>1</RequestID></Response>".encode()
    return f"<ErrorResponse><Error><Type>Sender</Type>{said}</Error></ErrorResponse>".encode()


def _gathered(shape: Any, fields: dict[str, str], ec2: bool) -> Any:
    """The fields below one place of a form, as the shape there."""
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            spelt = member.serialization.get("queryName") or member.serialization.get("name", name)
            spelt = spelt[:1].upper() + spelt[1:] if ec2 else spelt
            below = {key[len(spelt) :]: value for key, value in fields.items() if key.split(".")[0] == spelt}
            if below:
                found[name] = _gathered(member, {key.lstrip("."): value for key, value in below.items()}, ec2)
        return found
    if shape.type_name == "list":
        numbered: dict[int, dict[str, str]] = {}
        for key, value in fields.items():
            number, _, rest = key.removeprefix("member.").partition(".")
            if number:
                numbered.setdefault(int(number), {})[rest] = value
        return [_gathered(shape.member, numbered[number], ec2) for number in sorted(numbered)]
    (text,) = fields.values()
    if shape.type_name == "boolean":
        return text == "true"
    return int(text) if shape.type_name == "integer" else text


def _members(shape: Any, answer: dict[str, Any], ec2: bool) -> Iterator[str]:
    for name, value in answer.items():
        member = shape.members[name]
        tag = member.serialization.get("name", name)
        yield f"<{tag}>{_text(member, value, ec2)}</{tag}>"


def _text(shape: Any, value: Any, ec2: bool) -> str:
    if shape.type_name == "structure":
        return "".join(_members(shape, value, ec2))
    if shape.type_name == "list":
        tag = shape.member.serialization.get("name", "item" if ec2 else "member")
        return "".join(f"<{tag}>{_text(shape.member, each, ec2)}</{tag}>" for each in value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return escape(str(value).lower() if isinstance(value, bool) else str(value))

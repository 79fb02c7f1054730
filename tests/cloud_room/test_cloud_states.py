"""What is read of MiniStack another way than its own, faster, is the same."""

from __future__ import annotations

from importlib import import_module

import pytest
import yaml
from ministack.services.cloudformation import engine

from workshop.cloud.stack_patches import patch_template_reader
from workshop.cloud.states import UNCOPIED

TEMPLATE = """
Parameters: {Name: {Type: String, Default: 0123}}
Resources:
  Api: {Type: "AWS::ApiGateway::RestApi", Properties: {Body: {openapi: 3.0.1, on: yes, date: 2010-09-09}}}
  Role:
    Condition: Wanted
    Properties: &shared
      Name: !Sub "${AWS::StackName}-${Name}"
      Code: !Join ["", [a, !Ref Name, !GetAtt Api.RootResourceId, !GetAtt [Api, Nested.Value]]]
      Text: |
        two
        lines
  Copy: {Properties: *shared, None: ~, Choice: !If [Wanted, !Ref AWS::NoValue, {number: 1.50}]}
"""


@pytest.mark.parametrize("service", sorted(UNCOPIED))
def test_a_document_without_copies_has_the_parts_of_ministacks_own(service: str) -> None:
    own = import_module(f"ministack.services.{service}").get_state()
    assert UNCOPIED[service]().keys() == own.keys()


def test_a_template_that_libyaml_reads_has_the_values_that_ministack_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = engine._parse_template(TEMPLATE)
    monkeypatch.setattr(engine, "CfnLoader", engine.CfnLoader)
    patch_template_reader(engine)
    assert issubclass(engine.CfnLoader, yaml.CSafeLoader)
    assert engine._parse_template(TEMPLATE) == expected
    with pytest.raises(yaml.YAMLError, match="line 1, column 4"):
        engine._parse_template("a: !Unknown 1")

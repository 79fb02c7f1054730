"""Rendering templates: what they see, what they may do, what is refused."""

from __future__ import annotations

import json

import pytest

from tests.unit.definition_builders import steps, workshop
from workshop.definition.budget import OUTPUT_LIMIT, budget
from workshop.definition.model import StepSpec
from workshop.definition.renderer import Renderer
from workshop.definition.templating import MissingOutputError, render_settings, render_settings_leniently
from workshop.errors import DefinitionError

VARIABLES = {
    "region": "us-west-2",
    "regions": ("us-west-2", "eu-west-1"),
    "table": "films",
    "steps": {"table": {"Arn": "arn:1"}, "api": {"us-west-2": {"ApiId": "a1"}}, "items": {"values": "v"}},
    "apis": {"us-west-2": {"url": "http://a/", "path_url": "http://b/"}},
}


def spec(**settings):
    return StepSpec.model_validate({"id": "one", "kind": "k", "in": "home", "with": settings})


def fill(text):
    return Renderer(no_files).render(text, VARIABLES, "here.yaml:7")


def no_files(name):
    raise DefinitionError(what=f"There is no file {name!r}.")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("no template { } here", "no template { } here"),
        ("{{ table }}", "films"),
        ("{{ steps.table.Arn }}", "arn:1"),
        ("{{ steps['api'][region].ApiId }}", "a1"),
        ("{{ steps.items['values'] }} {{ steps.items.values }}", "v v"),
        ("{{ apis[region].url ~ 'x' ~ 1 }}", "http://a/x1"),
        ("{{ apis | tojson }}", '{"us-west-2": {"url": "http://a/", "path_url": "http://b/"}}'),
        (
            "{% for name, api in apis.items() %}{{ loop.index }}/{{ loop.length }} {{ name }} {{ api.url }}{% endfor %}",
            "1/1 us-west-2 http://a/",
        ),
        ("{{ 'eu-west-1' in apis }} {{ steps.api['eu-west-1'] is defined }}", "False False"),
        ("{{ steps.api['eu-west-1'] | default('none') }}", "none"),
        ("{{ 'a' | fingerprint }} {{ 'b' | fingerprint }}", "ca978112 3e23e816"),
        ("{{ '</script>&' | tojson }}", '"\\u003c/script\\u003e\\u0026"'),
        ("{{ 'a\nb\n\nc' | indent(2) }}", "a\n  b\n\n  c"),
        (
            "{{ regions | join(',') }} {{ 'a-b' | replace('-', '_') }} {{ regions | map('upper') | list | length }}",
            "us-west-2,eu-west-1 a_b 2",
        ),
        ("{{ table.upper().split('I')[0] }} {{ [3, 1] | sort | first }} {{ 7 % 4 + 2 ** 3 }}", "F 1 11"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('ab') }}", "abab"),
        ("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6"),
        ("a\n  {% if true %}\nb\n  {% endif %}\nc\n", "a\nb\nc\n"),
    ],
)
def test_templates_see_variables_outputs_and_addresses(text, result):
    assert fill(text) == result


def test_an_undefined_variable_names_the_nearest_known_one():
    with pytest.raises(DefinitionError, match=r"'tabel' is not defined.*Did you mean 'table'") as caught:
        fill("one\ntwo {{ tabel }}")
    assert caught.value.where == "here.yaml:8"
    assert not isinstance(caught.value, MissingOutputError)


@pytest.mark.parametrize(
    "text",
    [
        "{{ steps.api['eu-west-1'].ApiId }}",
        "{{ steps.web.Url }}",
        "{{ steps.table.Name }}",
        "{{ apis['eu-west-1'].url }}",
        "{{ apis.nowhere }}",
        "{% for x in steps.web %}{% endfor %}",
        "{{ steps.web | tojson }}",
        "{{ 'a' ~ steps.web.Url }}",
    ],
)
def test_an_output_that_is_not_there_is_told_from_a_typing_mistake(text):
    with pytest.raises(MissingOutputError, match="is not there") as caught:
        fill(text)
    assert caught.value.code == "MissingOutput"


@pytest.mark.parametrize("text", ["{{ steps[wrong].x }}", "{{ wrong.steps }}", "{{ table.wrong }}", "{{ regions[7] }}"])
def test_other_undefined_names_are_no_missing_outputs(text):
    with pytest.raises(DefinitionError) as caught:
        fill(text)
    assert not isinstance(caught.value, MissingOutputError)


def test_settings_are_filled_in_at_every_depth_and_other_values_kept():
    step = spec(name="{{ table }}", keys={"{{ table }}-key": ["{{ region }}", 3, True, None]}, plain="x")
    assert render_settings(step, VARIABLES) == {
        "name": "films",
        "keys": {"films-key": ["us-west-2", 3, True, None]},
        "plain": "x",
    }


def test_leniently_missing_outputs_are_empty_and_other_mistakes_are_still_errors():
    step = spec(
        url="{{ apis['eu-west-1'].url }}get/{{ steps.web.Url.more }}",
        id="{{ steps.api['x'].ApiId | default('none') }}",
        name="{{ table }}",
        many="{% for x in steps.web %}{{ x }}{% endfor %}",
        text="{{ (steps.a.B ~ 'c') | tojson }}",
    )
    assert render_settings_leniently(step, VARIABLES) == {"url": "get/", "id": "none", "name": "films", "many": "", "text": '"c"'}
    assert render_settings_leniently(spec(a="{{ steps.table.Arn }}"), {"steps": {}, "apis": {}}) == {"a": ""}
    with pytest.raises(DefinitionError, match="'tabel' is not defined"):
        render_settings_leniently(spec(name="{{ tabel }}"), VARIABLES)


def test_an_error_in_settings_names_file_line_and_field(tmp_path):
    found = workshop(
        tmp_path,
        steps(
            "id: check\n        kind: http.check\n        in: home\n        with:\n          url: http://x\n"
            "          expect: {a: ok, b: '{{ steps.check.Id }}'}\n"
        ),
    )
    with pytest.raises(MissingOutputError) as caught:
        render_settings(found.definition.step("check"), {"steps": {}, "apis": {}})
    assert caught.value.where == f"{found.source}:15"
    assert caught.value.field == "modules.backend.steps.check.with.expect.b"


def test_settings_may_read_the_files_of_the_definition(tmp_path):
    found = workshop(
        tmp_path,
        steps("{id: a, kind: http.check, in: home, with: {url: \"{{ read('url.txt') | trim }}\"}}"),
        url__txt="http://x\n",
    )
    assert render_settings(found.definition.step("a"), {}) == {"url": "http://x"}


RUNAWAYS = {
    "a huge range": "{% for a in range(10**9) %}{% endfor %}",
    "ranges in ranges": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "multiplied text": "{{ 'a' * 10**10 }}",
    "multiplied list": "{{ [1] * 10**10 }}",
    "a power": "{{ 2 ** 99999999 }}",
    "doubling by joining": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "doubling by adding": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "doubling lists": "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "lists as JSON": "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
    "{{ n.x | tojson }}",
    "calling itself": "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "wide format": "{{ '%999999999d' % 1 }}",
    "format method": "{{ '{:999999999}'.format(1) }}",
    "justify method": "{{ 'a'.ljust(10**10) }}",
    "wide indent": "{{ ('a\n' * 100000) | indent(10**9) }}",
    "replace": "{{ ('a' * 100000) | replace('a', 'a' * 100000) }}",
    "join": "{{ range(90000) | join('a' * 100000) }}",
    "long output": "{% for i in range(90000) %}" + "x" * 40 + "{% endfor %}",
    "nested brackets": "{{ " + "(" * 20000,
    "searching": "{% set s = 'a' * 900000 %}{% for i in range(90000) %}{% set x = 'ab' in s %}{% endfor %}",
    "cutting": "{% set s = 'a' * 900000 %}{% for i in range(9000) %}{% set x = s[1:] %}{% endfor %}",
    "testing": "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x is lower }}",
    "rounding up": "{{ 1 | round(10 ** 9, 'ceil') }}",
    "rounding far": "{{ 5 | round(-10 ** 9) }}",
    "adding lists up": "{{ [[1], [2]] | sum(start=[]) }}",
    "many bytes": "{{ (1).to_bytes(10 ** 10, 'big') }}",
    "large numbers": "{% set a = 0x" + "f" * 5000 + " %}{{ a // 3 }}",
    "a large text": "x" * 100_001 + "{{ region }}",
    "a large template": "{{ 1 }}" * 20_000,
    "a long block": "{% set x %}{% for i in range(90000) %}" + "x" * 40_000 + "{% endfor %}{% endset %}",
    "many large lists": "{% set n = namespace(x=[]) %}{% for i in range(9000) %}{% set n.x = [n.x, range(900) | list] %}"
    "{% endfor %}",
    "many slices": "{% set a = 'a' * 900000 %}" + "{% set a = a[1:] ~ 'b' %}" * 500,
    "comparing twice as much each time": "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}"
    "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
    "testing every member": "{% set s = 'a' * 900000 %}{{ range(90000) | map('string') | select('in', s) | list }}",
    "hashing what a macro was given": "{% macro f(n) %}{% if n %}{{ f(n - 1, varargs, varargs) }}{% else %}{{ {varargs: 1} }}"
    "{% endif %}{% endmacro %}{{ f(40, 1) }}",
    "calling itself twice": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
}


@pytest.mark.parametrize("name", RUNAWAYS)
def test_a_template_that_runs_away_is_refused(name):
    with pytest.raises(DefinitionError):
        fill(RUNAWAYS[name])


def test_a_template_that_only_takes_time_is_refused_as_well():
    with budget("No time is left.", seconds=0), pytest.raises(DefinitionError, match="No time is left"):
        fill("{{ table }}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ 1e999 }}", "A number is too large"),
        ("one\n{{ -1e999 }}", "A number is too large"),
        ("{{ 1e308 * 10 }}", "infinite or undefined"),
        ("{{ 'nan' | float }}", "infinite or undefined"),
        ("{{ ['inf'] | map('float') | list }}", "infinite or undefined"),
    ],
)
def test_a_number_that_is_infinite_or_undefined_is_refused_at_its_line(text, said):
    with pytest.raises(DefinitionError, match=said) as caught:
        fill(text)
    assert caught.value.where == f"here.yaml:{7 + text.count(chr(10))}"


@pytest.mark.parametrize("text", ["{{ steps['\x1b[2J'] }}", "{{ read('\x1b[2J') }}", "{% include '\x1b[2J' %}", "{{ 1 + \x1b }}"])
def test_a_message_holds_nothing_that_a_terminal_obeys(text):
    with pytest.raises(DefinitionError) as caught:
        fill(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ 2.345 | round(1) }} {{ 1234 | round(-2) }} {{ 1.1 | round(0, 'ceil') }}", "2.3 1200 2.0"),
        ("{{ [1, 2.5] | sum }} {{ [1] | sum(start=4) }} {{ 7 // 2 - 1 }} {{ 3 / 2 }}", "3.5 5 2 1.5"),
        ("{{ 'il' in table and table[1:3] == 'il' and table is eq('films') and 3 is divisibleby(3) }}", "True"),
    ],
)
def test_honest_arithmetic_and_comparisons_work(text, result):
    assert fill(text) == result


def test_a_long_but_honest_template_is_filled_in():
    text = fill("{% for i in range(20000) %}" + "x" * 40 + "\n{% endfor %}")
    assert 20_000 * 40 < len(text) < OUTPUT_LIMIT


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ read.__globals__ }}",
        "{{ steps.__class__ }}",
        "{{ steps._values }}",
        "{{ self.__init__ }}",
        "{{ range.__self__ }}",
        "{{ regions | attr('__class__') }}",
        "{{ joiner.__init__.__globals__ }}",
        "{% set x = [1] %}{{ x.append(2) }}",
        "{{ lipsum }}",
        "{{ cycler }}",
        "{{ read }}",
        "{{ steps.table.get.__func__ }}",
        "{% import 'x' as y %}",
    ],
)
def test_templates_reach_nothing_of_python(text):
    with pytest.raises(DefinitionError):
        fill(text)


def test_a_failing_expression_reports_the_error_of_python():
    with pytest.raises(DefinitionError, match="unsupported operand"):
        fill("{{ 1 + 'a' }}")


def test_json_of_what_templates_see_can_be_read_back():
    assert json.loads(fill("{{ {'steps': steps, 'regions': regions} | tojson(indent=2) }}")) == {
        "steps": VARIABLES["steps"],
        "regions": list(VARIABLES["regions"]),
    }


@pytest.mark.parametrize(
    "expression",
    [
        "1e999", "-1e999", "1e999 - 1e999", "1e308 * 10", "'nan' | float", "'inf' | float | tojson", "[1e308, 1e308] | sum",
        "[1e999] | first", "{'a': 1e999} | tojson", "range(1e999)", "5 if 1e999 > 3 else 2", "'1e999' | float | int",
    ],
)  # fmt: skip
def test_a_number_without_an_end_is_refused_with_its_line(expression):
    with pytest.raises(DefinitionError) as caught:
        fill("{{ %s }}" % expression)  # noqa: UP031 - braces
    assert caught.value.where == "here.yaml:7" and "NameError" not in str(caught.value)

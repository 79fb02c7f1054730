"""Lint: errors of form at once, then everything else at once, before anything is created."""

from __future__ import annotations

import re

import pytest

from tests.unit.definition_builders import HEAD, KINDS, steps, workshop, write
from workshop.definition.lint import lint, require_sound
from workshop.definition.parameters import resolve
from workshop.errors import DefinitionError, UsageError

TABLE = "{id: table, kind: dynamodb.table, in: home, with: {name: '{{ table }}', keys: {PK: S}}}"
API = "{id: api, kind: cloudformation.stack, in: each, with: {name: films, template: api.yaml.j2}}"


def found(folder, text, **files):
    """The problems, as (line, field, what and fix), about a definition in `folder`."""
    path = write(folder, text, **files)
    problems = lint(str(path), KINDS)
    assert all(problem.where == str(path) or problem.where.startswith(str(folder)) for problem in problems)
    return [(problem.line, problem.field, f"{problem.what} {problem.fix}") for problem in problems]


def only(problems, line, field, *said):
    """There is one problem, and it is this one."""
    assert len(problems) == 1, problems
    assert problems[0][:2] == (line, field)
    for text in said:
        assert text in problems[0][2]


def test_a_sound_workshop_has_no_problems(tmp_path):
    site = "{id: web, kind: web.site, in: global, needs: [api], with: {source: web, config: config.json.j2}}"
    text = steps(TABLE, API, site) + "apis: {step: api, stage: api}\nlinks: {home: {step: web}}\n"
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "config.json.j2").write_text('{"apis": {{ apis | tojson }}, "arn": "{{ steps.api[home].Arn }}"}')
    assert found(tmp_path, text, api__yaml__j2="Name: {{ table }}-{{ region }}\n") == []


def test_the_builtin_workshop_is_sound_with_the_real_kinds():
    assert lint("global-serverless") == []


def test_every_mistake_in_the_form_is_listed_before_anything_else_is_looked_at(tmp_path):
    text = (
        steps(
            TABLE.replace("dynamodb.table", "dynamodb.tabel"),
            "{id: three, kind: http.check, in: everywhere, needs: two, with: {url: x}}",
            "{id: Four, kind: http.check, in: each, with: [x]}",
        )
        .replace("eu-west-1", "europe")
        .replace("default: films", "default: 12")
        + "colour: red\n"
    )
    backend = "modules.backend.steps"
    assert [(line, field) for line, field, _ in found(tmp_path, text)] == [
        (3, "regions.1"),
        (5, "parameters.table.default"),
        (11, f"{backend}.three.in"),
        (11, f"{backend}.three.needs"),
        (12, f"{backend}.Four.id"),
        (12, f"{backend}.Four.with"),
        (13, "colour"),
    ]


def test_mistakes_in_meaning_settings_templates_and_files_are_found_at_once(tmp_path):
    text = steps(
        TABLE.replace("dynamodb.table", "dynamodb.tabel"),
        "{id: two, kind: dynamodb.table, in: home, with: {name: '{{ tabel }}', keys: {PK: X}}}",
        "{id: four, kind: http.check, in: each, needs: [two, five], with: {url: x, expct: {}}}",
        "{id: four, kind: dynamodb.items, in: home, with: {table: x, file: missing.json}}",
    )
    backend = "modules.backend.steps"
    assert {(line, field) for line, field, _ in found(tmp_path, text)} == {
        (10, f"{backend}.table.kind"),
        (11, f"{backend}.two.with.name"),
        (11, f"{backend}.two.with.keys.PK"),
        (12, f"{backend}.four.needs.1"),
        (12, f"{backend}.four.with.expct"),
        (13, f"{backend}.four.id"),
        (13, f"{backend}.four.with.file"),
    }


@pytest.mark.parametrize(("missing", "line"), [("name", 1), ("title", 1), ("regions", 1), ("modules", 1)])
def test_a_missing_top_field_is_named(tmp_path, missing, line):
    text = re.sub(f"(?m)^{missing}:.*$", "#", steps(TABLE))
    text = text.partition("#")[0] if missing == "modules" else text
    only(found(tmp_path, text), line, missing, f"The field '{missing}' is missing")


@pytest.mark.parametrize(
    "text",
    [
        "modules: 3\n",
        "modules: [3]\n",
        "modules: [{name: a, title: A, steps: 3}]\n",
        "modules: [{steps: [3, null]}]\n",
        "regions: 3\n",
        "regions: [3]\nparameters: [x]\nlinks: 3\napis: []\n",
        "parameters: {x: 3, y-z: {default: a}}\n",
        "links: {A: {}, b: 3}\napis: {step: 3}\n",
        "name: [a]\ntitle: {b: c}\n",
        "modules: [{name: a, title: A, steps: []}]\n",
        "modules: [{name: a, title: A, steps: [{id: 5, kind: [], in: {}, needs: {}, with: []}]}]\n",
        "modules: {a: {steps: []}}\n",
    ],
)
def test_any_wrong_form_is_a_list_of_problems_and_no_crash(tmp_path, text):
    assert found(tmp_path, text)


def test_a_broken_file_is_one_problem(tmp_path):
    only(found(tmp_path, "name: [a\nb: 1\n"), 2, "", "not valid YAML")


def test_an_unknown_workshop_is_a_usage_error():
    with pytest.raises(UsageError, match="no workshop"):
        lint("./nowhere", KINDS)


def test_a_bad_setting_names_its_line_and_the_nearest_field(tmp_path):
    text = steps(
        "id: table\n        kind: dynamodb.table\n        in: home\n        with:\n          name: films\n"
        "          keys:\n            PK: S\n          steam: true\n"
    )
    only(found(tmp_path, text), 17, "modules.backend.steps.table.with.steam", "no field 'steam'", "Did you mean 'stream'")


def test_settings_are_checked_after_they_are_filled_in(tmp_path):
    text = steps(TABLE.replace("{{ table }}", "{{ table[:1] }}"))
    assert [problem[:2] for problem in found(tmp_path, text)] == [(10, "modules.backend.steps.table.with.name")]


def test_an_undefined_variable_in_a_template_file_names_that_file(tmp_path):
    write(tmp_path, steps(API), api__yaml__j2="A: 1\nB: {{ tabel }}\n")
    (problem,) = lint(str(tmp_path), KINDS)
    assert problem.place == f"{tmp_path}/api.yaml.j2:2"
    assert "Did you mean 'table'" in problem.fix


def test_a_missing_template_file_or_folder_is_found(tmp_path):
    site = "{id: web, kind: web.site, in: global, with: {source: web}}"
    problems = found(tmp_path, steps(API, site))
    assert [problem[:2] for problem in problems] == [
        (10, "modules.backend.steps.api.with.template"),
        (11, "modules.backend.steps.web.with.source"),
        (11, "modules.backend.steps.web.with.config"),
    ], "the last one is the default of `config`"


@pytest.mark.parametrize(("name", "text"), [("a.yaml.j2", "A: [1\n"), ("a.json.j2", '{"a": 1,}'), ("a.json", "no")])
def test_a_rendered_template_that_is_malformed_is_found(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    only(found(tmp_path, steps(API.replace("api.yaml.j2", name))), 10, "modules.backend.steps.api.with.template", "well formed")


def bomb(lines):
    """YAML whose value grows ninefold with every line."""
    return "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, lines))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (bomb(12), 1, "repeated aliases included"),
        ("A: " + "[" * 50_000, 1, "nested deeper than 100 levels"),
        ("A: " + "[" * 101 + "]" * 101, 1, "nested deeper than 100 levels"),
        ("A:\n" + "- " * 101, 1, "nested deeper than 100 levels"),
        ("- a\n" * 200_001, 1, "more than 200,000 values"),
        ('{"A": ' + "[" * 40_000 + "]" * 40_000 + "}", 1, "nested deeper than 100 levels"),
        ('{"A": ["\\ud83d\\ude00", ' + "[" * 40_000 + "]" * 40_000 + "]}", 1, "nested too deeply"),
        ("A: &a {B: *a}\n", 10, "an alias inside the value that the alias repeats"),
        ("A: !!python/object/apply:os.system [ls]\n", 10, "the tag !!python/object/apply:os.system"),
    ],
)
@pytest.mark.parametrize("name", ["api.yaml.j2", "api.txt"])
def test_a_stack_template_that_blows_up_while_it_is_read_is_found(tmp_path, name, text, line, said):
    (tmp_path / name).write_text(text)
    only(
        found(tmp_path, steps(API.replace("api.yaml.j2", name))),
        line,
        "modules.backend.steps.api.with.template" * (line > 1),
        said,
    )


def test_a_stack_template_with_the_tags_and_aliases_of_people_is_sound(tmp_path):
    text = "A: &a {B: !Sub '${C}', D: !GetAtt [E, F]}\nG: *a\nH: !!str 1\nI: {<<: *a}\nJ: " + "[" * 90 + "]" * 90 + "\n"
    assert found(tmp_path, steps(API), api__yaml__j2=text) == []


def test_a_configuration_that_is_nested_without_end_is_found(tmp_path):
    site = "{id: web, kind: web.site, in: global, with: {source: web, config: c.txt}}"
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "c.txt").write_text("[" * 50_000)
    only(found(tmp_path, steps(site)), 1, "", "nested deeper than 100 levels")


def test_the_work_of_all_templates_together_is_bounded(tmp_path):
    busy = "{% set x = 'a' * 2000000 %}"
    lines = [f'{{id: c{n}, kind: http.check, in: home, with: {{url: "{busy}"}}}}' for n in range(40)]
    problems = found(tmp_path, steps(*lines))
    assert [what for _, _, what in problems if "too much work together" in what]
    assert len(problems) == 1, "the rest is not even tried"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (steps(*([TABLE] * 301)), 9, "at most 300 entries"),
        (steps(TABLE).replace("[us-west-2, eu-west-1]", f"[{', '.join(['us-west-2'] * 41)}]"), 3, "at most 40 entries"),
        (steps(TABLE).replace("default: films", f"default: {'x' * 257}"), 5, "at most 256 characters"),
        (steps(TABLE).replace("'[a-z]{3,9}'", "'(a{1000}){1000}'"), 5, "exceeds size limit"),
        (steps(TABLE).replace("'[a-z]{3,9}'", "'a)|(b'"), 5, "unopened group"),
        (steps(TABLE.replace("dynamodb.table", "x" * 9000)), 10, "'" + "x" * 120 + "...'"),
    ],
)
def test_what_is_larger_than_any_workshop_is_refused_in_few_words(tmp_path, text, line, said):
    problems = found(tmp_path, text)
    assert [what for at, _, what in problems if at == line and said in what]
    assert max(len(what) for _, _, what in problems) < 1000


def test_of_one_sort_of_mistake_no_more_than_a_hundred_are_listed(tmp_path):
    needs = ", ".join(f"z{n}" for n in range(50))
    text = steps(*(f"{{id: s{n}, kind: http.check, in: home, needs: [{needs}], with: {{url: x}}}}" for n in range(9)))
    assert len(found(tmp_path, text)) == 100


def test_a_branch_for_one_region_is_rehearsed_too(tmp_path):
    template = "A: {% if region != home %}{{ tabel }}{% endif %}\n"
    assert "tabel" in found(tmp_path, steps(API), api__yaml__j2=template)[0][2]
    assert found(tmp_path, steps(API.replace("in: each", "in: home")), api__yaml__j2=template) == []


def test_reading_an_output_without_waiting_for_it_is_found(tmp_path):
    check = "{id: check, kind: http.check, in: each, with: {url: '{{ steps.table.Arn }}'}}"
    only(
        found(tmp_path, steps(TABLE, check)),
        11,
        "modules.backend.steps.check.with",
        "reads an output of 'table'",
        "Add 'table' to `needs` of 'check'",
    )
    assert found(tmp_path, steps(TABLE, check.replace("with:", "needs: [table], with:"))) == []
    chain = check.replace("with:", "needs: [api], with:")
    assert found(tmp_path, steps(TABLE, API.replace("with:", "needs: [table], with:"), chain), api__yaml__j2="A: 1\n") == []


def test_a_step_in_each_region_cannot_wait_for_the_api_of_another(tmp_path):
    check = "{id: check, kind: http.check, in: each, needs: [api], with: {url: '{{ apis[REGION].url }}'}}"
    apis = "apis: {step: api, stage: api}\n"
    assert found(tmp_path, steps(API, check.replace("REGION", "region")) + apis, api__yaml__j2="A: 1\n") == []
    other = steps(API, check.replace("REGION", "regions[1]")) + apis
    only(found(tmp_path, other), 11, "modules.backend.steps.check.with", "(eu-west-1)", "`in: global`")
    assert found(tmp_path, other.replace("http.check, in: each", "http.check, in: global")) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("steps.nothing.Id", "steps.nothing, and there is no such step"),
        ("steps.api['ap-south-1'].Id", "steps.api['ap-south-1'] is not there"),
        ("apis[region].url", "names none"),
    ],
)
def test_an_output_that_can_never_be_there_is_found(tmp_path, expression, said):
    check = f'{{id: check, kind: http.check, in: home, needs: [api], with: {{url: "{{{{ {expression} }}}}"}}}}'
    only(found(tmp_path, steps(API, check), api__yaml__j2="A: 1\n"), 11, "modules.backend.steps.check.with.url", said)


def test_patterns_that_are_costly_together_are_refused_before_all_are_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr("workshop.definition.model.PATTERN_SECONDS", 0.01)
    costly = "".join(f"  p{number}: {{default: a, pattern: '(?:\\w{{1,40}}){{1,4}}|{number}'}}\n" for number in range(90))
    text = steps("{id: check, kind: http.check, in: home, with: {url: x}}").replace("modules:\n", f"{costly}modules:\n")
    ((line, field, said),) = found(tmp_path, text)
    assert "The patterns up to here take too long to prepare." in said
    assert field.startswith("parameters.p")
    assert line < 90, "the rest is not prepared"


def test_before_a_run_the_settings_of_that_run_are_rehearsed(tmp_path):
    text = steps(TABLE).replace("pattern: '[a-z]{3,9}'", "pattern: '[a-z]*'")
    loaded = workshop(tmp_path, text)
    require_sound(loaded, resolve(loaded, {}, []), KINDS)
    with pytest.raises(DefinitionError, match="must not be empty") as caught:
        require_sound(loaded, resolve(loaded, {"table": "x"}, []), KINDS)
    assert caught.value.where == f"{loaded.source}:10"


def test_a_definition_without_parameters_and_with_one_region_is_sound(tmp_path):
    text = HEAD.replace("  table: {default: films, pattern: '[a-z]{3,9}'}\n", "").replace("parameters:\n", "")
    text = text.replace(", eu-west-1", "") + "      - {id: check, kind: http.check, in: each, with: {url: x}}\n"
    assert found(tmp_path, text) == []


@pytest.mark.parametrize(
    ("setting", "field", "fix"),
    [
        ("deadline: 1e99", "deadline", "at most 86400"),
        ("deadline: -5", "deadline", "above 0"),
        ("deadline: 0", "deadline", "above 0"),
        ("deadline: '{{ 1e99 }}'", "deadline", "at most 86400"),
        ("deadline: 'nan'", "deadline", "an end"),
        ("length: {a.b: -1}", "length.a.b", "at least 0"),
        ("length: {a.b: 999999999999}", "length.a.b", "at most 1000000"),
    ],
)
def test_a_number_that_makes_no_sense_is_found_by_the_real_kinds(tmp_path, setting, field, fix):
    look = "{id: look, kind: http.check, in: home, with: {url: 'http://a/', SETTING}}".replace("SETTING", setting)
    (problem,) = lint(str(write(tmp_path, steps(look))))
    assert problem.field.endswith(f"look.with.{field}") and fix in problem.fix

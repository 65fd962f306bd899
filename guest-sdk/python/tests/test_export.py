"""A component with everything, called as its host calls it."""

import json
import logging
from typing import Any

import pytest

from bailiwick_sdk import Response, _wit
from bailiwick_sdk._wit import Err
from bailiwick_sdk.collected import definitions_of
from bailiwick_sdk.export import Completions, Component, Facets, Prompts, Resources, Tools
from bailiwick_sdk.testing import Scene

from . import shop

COMPONENT = Component(definitions_of(shop))
ORDER = "shop://orders/{number}/v-{kind}"


def context(input: Any, **answers: Any) -> _wit.types.Context:
    given = [(key, json.dumps(answer)) for key, answer in answers.items()]
    return _wit.types.Context(json.dumps(input), given, None)


def call(name: str, input: Any, scene: Scene | None = None, **answers: Any) -> Any:
    tools = Tools(COMPONENT, (scene or Scene()).outside)
    return tools.call(name, context(input, **answers)).value


def failure(name: str, input: Any) -> Any:
    with pytest.raises(Err) as raised:
        call(name, input)
    return raised.value.value


def test_a_component_exports_what_its_module_has() -> None:
    exports = ["Tools", "Resources", "Prompts", "Completion", "Facets"]
    assert list(COMPONENT.exports) == exports
    assert list(Component([shop.terms]).exports) == ["Resources"]


def test_a_tool_is_described_by_its_function() -> None:
    status, cancel, whole, show, _ = Tools(COMPONENT).describe()
    assert (status.name, status.title) == ("get_order_status", None)
    assert status.description == "Says where an order is.\n\nIt asks the shop."
    assert json.loads(status.input_schema) == {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "minLength": 1, "description": "The order's number."}
        },
        "required": ["order_id"],
        "additionalProperties": False,
    }
    text = {"type": "string"}
    order = {"type": "object", "properties": {"id": text, "status": text}}
    order["required"] = ["id", "status"]
    assert json.loads(status.output_schema or "") == order
    assert (status.scopes, status.services) == (["orders:read"], ["orders_api"])
    assert status.annotations == _wit.tools.Annotations(True, None, None, None)
    assert status.meta == '{"a":1}'
    assert (cancel.name, cancel.title, cancel.output_schema) == ("cancel", "Cancel an order", None)
    assert json.loads(cancel.input_schema)["required"] == ["order"]
    assert json.loads(whole.input_schema) == order | {"additionalProperties": False}
    assert "delegation" in json.loads(show.output_schema or "")["required"]


def test_a_tool_runs_with_values_of_its_types() -> None:
    scene = Scene().on_send(lambda sent: Response.of(200, {"id": sent.path[1], "status": "new"}))
    output = call("get_order_status", {"order_id": "7"}, scene)
    assert output.structured == '{"id":"7","status":"new"}'
    assert output.content[0].value.text == output.structured
    assert call("whole", {"id": "7", "status": "new"}).content[0].value.text == "7"
    assert json.loads(call("show", {}).structured)["actor"]["sub"] == "user_1"


def test_a_tool_asks_and_goes_on() -> None:
    order = {"order": {"id": "1", "status": "new"}}
    asked = call("cancel", order)
    assert [key for key, _ in asked.questions] == ["sure"]
    assert asked.state == b"asked"
    done = call("cancel", order, sure={"action": "accept", "content": {"sure": True}})
    assert [type(it).__name__ for it in done.content] == ["Content_Text", "Content_ResourceLink"]
    assert (done.is_error, done.meta) == (False, '{"b":2}')
    stays = call("cancel", order, sure={"action": "accept", "content": {"sure": False}})
    assert stays.is_error
    with pytest.raises(Err) as raised:
        call("cancel", order, sure={"action": "decline"})
    assert raised.value.value == _wit.types.Error_Failed("the user declined")


def test_failures_are_the_same_as_in_other_languages(caplog: pytest.LogCaptureFixture) -> None:
    types = _wit.types
    for name, input, error in (
        ("other", {}, types.Error_NotFound("no tool `other` in this component")),
        ("get_order_status", {}, types.Error_InvalidInput("`order_id`: it is missing")),
        (
            "get_order_status",
            {"order_id": "1", "user_id": "2"},
            types.Error_InvalidInput("`user_id`: it is not known here"),
        ),
        ("breaks", {"how": "found"}, types.Error_NotFound("there is no such order")),
        (
            "breaks",
            {"how": "service"},
            types.Error_Failed("the operator has not granted this tool what it asked of a service"),
        ),
        ("breaks", {"how": "exit"}, types.Error_Failed("the tool failed")),
        ("breaks", {"how": "s3cret"}, types.Error_Failed("the tool failed")),
    ):
        with caplog.at_level(logging.ERROR):
            assert failure(name, input) == error
    said = [record.getMessage() for record in caplog.records]
    assert said[:2][0] == "SystemExit: 1"
    assert said[-2] == "KeyError: 's3cret'"
    assert "shop.py:" in said[-1] and " in breaks: raise KeyError(how)" in said[-1]


def test_resources_are_read_listed_and_completed() -> None:
    resources = Resources(COMPONENT, Scene().outside)
    terms, order = resources.describe()
    assert (terms.uri, terms.name, terms.mime_type) == ("shop://terms", "terms", "text/markdown")
    assert (order.uri, order.name, order.description) == (ORDER, "an-order", "One order.")
    (part,) = resources.read("shop://terms", context({})).value  # type: ignore[misc]
    assert (part.uri, part.mime_type) == ("shop://terms", "text/markdown")
    read = resources.read(ORDER, context({"number": "2", "kind": "a/b"})).value
    assert isinstance(read, list)
    assert [it.uri for it in read] == ["shop://orders/2/v-a%2Fb", "shop://b"]
    assert read[0].body.value == '{"number":2,"kind":"a/b"}'
    asked = resources.read(ORDER, context({"number": "7", "kind": "a"}))
    assert isinstance(asked, _wit.resources.Outcome_InputRequired)
    for uri, input in ((ORDER, {"number": "x", "kind": "a"}), ("shop://other", {})):
        with pytest.raises(Err):
            resources.read(uri, context(input))
    first, last = (resources.members(ORDER, context(it)) for it in ({}, {"cursor": "2"}))
    assert (first.next, last.next) == ("2", None)
    assert first.items[0].uri == "shop://orders/1/v-a%2Fb"
    assert resources.members("shop://terms", context({})).items == []


def test_a_prompt_reads_texts_and_may_ask() -> None:
    prompts = Prompts(COMPONENT, Scene().outside)
    (complain,) = prompts.describe()
    arguments = [(it.name, it.description, it.required) for it in complain.arguments]
    assert arguments == [("number", "The order's number.", True), ("tone", None, False)]
    made = prompts.get("complain", context({"number": "2", "tone": "kind"})).value
    assert isinstance(made, _wit.prompts.Prompt)
    roles = _wit.prompts.Role
    assert [message.role for message in made.messages] == [roles.USER, roles.ASSISTANT]
    asked = prompts.get("complain", context({"number": "7"}))
    assert isinstance(asked, _wit.prompts.Outcome_InputRequired)
    with pytest.raises(Err) as raised:
        prompts.get("complain", context({"number": "2", "tone": "odd"}))
    why = "`tone`: expected one of 'kind', 'strict'"
    assert raised.value.value == _wit.types.Error_InvalidInput(why)


def test_what_is_completed_has_suggestions_and_nothing_else() -> None:
    completions, wit = Completions(COMPONENT, Scene().outside), _wit.completion
    for of, argument, typed, input, values in (
        (wit.Reference_Prompt("complain"), "tone", "S", {}, ["strict"]),
        (wit.Reference_Prompt("complain"), "number", "1", {}, []),
        (wit.Reference_Family(ORDER), "kind", "a", {"number": "7"}, ["a7"]),
        (wit.Reference_Other(("skill", "x")), "a", "", {}, []),
    ):
        made = completions.complete(of, argument, typed, context(input))
        assert (made.values, made.total, made.more) == (values, len(values), False)


def test_facets_name_what_they_are_about() -> None:
    facets = dict((subject.value, of) for subject, of in Facets(COMPONENT).describe())
    icons = '[{"src":"https://a.example/i.png"},{"src":"data:,","theme":"dark"}]'
    assert facets == {
        "get_order_status": [("icons", icons)],
        "cancel": [("requires", '["elicitation.form"]')],
        ORDER: [("requires", '["elicitation"]')],
    }

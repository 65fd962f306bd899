"""A tool in Python: greets whoever asks, adds two numbers, and looks up an order for that user."""

import json

from componentize_py_types import Err
from wit_world.exports import tools
from wit_world.imports import downstream, identity, log, settings, types

GREET = tools.Definition(
    name="greet_py",
    title=None,
    description="Greets whoever asks, adds two numbers, and says where an order is.",
    input_schema=json.dumps({
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}, "order_id": {"type": "string"}},
        "required": ["a", "b", "order_id"],
        "additionalProperties": False,
    }),
    output_schema=None,
    annotations=tools.Annotations(read_only=True, destructive=None, idempotent=None, open_world=None),
    scopes=["orders:read"],
    services=["orders_api"],
    meta=None,
)


class Tools:
    def describe(self):
        return [GREET]

    def call(self, tool, context):
        if tool != GREET.name:
            raise Err(types.Error_NotFound(f"there is no tool {tool}"))
        arguments = json.loads(context.input)
        word = json.loads(settings.get()).get("word", "Hello")
        log.write(log.Level.INFO, "greeting")
        return complete({
            "greeting": f"{word}, {asked(tool)}",
            "sum": arguments["a"] + arguments["b"],
            "status": order_status(arguments["order_id"]),
        })


def asked(tool):
    """What the host answers about the call must agree with the envelope that it signed."""
    actor, binding, service = identity.actor(), identity.call(), identity.services()[0]
    signed = json.loads(identity.json())
    agrees = (
        (actor.sub, actor.iss) == (signed["actor"]["sub"], signed["actor"]["iss"])
        and identity.agent().client_id == signed["agent"]["client_id"]
        and identity.session().trace_id == signed["session"]["trace_id"]
        and (binding.id, binding.kind, binding.name) == (signed["call"]["id"], "tool", tool)
        and identity.scopes() == ["orders:read"]
        and (service.name, service.mode) == ("orders_api", identity.DelegationMode.ON_BEHALF_OF)
        and identity.authentication().acr == signed["actor"].get("acr")
    )
    if not agrees:
        raise Err(types.Error_Failed("the host contradicts its own envelope"))
    return actor.sub


def order_status(order_id):
    path = [downstream.Part_Text("orders"), downstream.Part_Text(order_id)]
    try:
        answer = downstream.send(downstream.Request("orders_api", "GET", path, [], [], b""))
    except Err as error:
        raise Err(types.Error_Unavailable(f"the service cannot be asked: {error.value}"))
    if answer.status != 200:
        raise Err(types.Error_Forbidden(f"the service says {answer.status}"))
    return json.loads(answer.body)["status"]


def complete(result):
    structured = json.dumps(result)
    content = [types.Content_Text(types.TextContent(structured, None))]
    return tools.Outcome_Complete(types.Output(content, structured, False, None))

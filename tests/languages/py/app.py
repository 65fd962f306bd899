"""A tool in Python: greets whoever asks, adds two numbers, and looks up an order for that user."""

import json

from componentize_py_types import Err
from wit_world.exports import tools
from wit_world.imports import downstream, log, settings

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
            raise Err(tools.ToolError_NotFound(f"there is no tool {tool}"))
        arguments = json.loads(context.input)
        word = json.loads(settings.get())["word"]
        log.write(log.Level.INFO, "greeting")
        return complete({
            "greeting": f"{word}, {context.identity.actor.sub}",
            "sum": arguments["a"] + arguments["b"],
            "status": order_status(arguments["order_id"]),
        })


def order_status(order_id):
    path = [downstream.Part_Text("orders"), downstream.Part_Text(order_id)]
    try:
        answer = downstream.send(downstream.Request("orders_api", "GET", path, [], [], b""))
    except Err as error:
        raise Err(tools.ToolError_Unavailable(f"the service cannot be asked: {error.value}"))
    if answer.status != 200:
        raise Err(tools.ToolError_Forbidden(f"the service says {answer.status}"))
    return json.loads(answer.body)["status"]


def complete(result):
    structured = json.dumps(result)
    content = [tools.Content_Text(tools.TextContent(structured, None))]
    return tools.Outcome_Complete(tools.Output(content, structured, False, None))

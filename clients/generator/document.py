"""The service's OpenAPI document, as the writers of clients need it: calls, schemas and webhooks in one order."""

import re

PREFIX = "/api/v1"
# A second call does nothing more than the first, without a key: a lost reply may be asked for again.
REPEATABLE_POSTS = {"finish"}


def name_of(reference):
    """The schema that a $ref names."""
    return reference["$ref"].rsplit("/", 1)[-1]


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def camel(name):
    """sms.received -> SmsReceived"""
    return "".join(part.capitalize() for part in re.split(r"[._]", name))


def one_line(text):
    return " ".join((text or "").split())


class Call:
    """One operation: where it is, what it takes, what it answers."""

    def __init__(self, document, path, method, operation):
        self.path, self.method = path, method.upper()
        self.id = operation["operationId"]
        self.tag = operation["tags"][0]
        self.summary = one_line(operation["summary"])
        parameters = operation.get("parameters", [])
        self.path_parameters = [found for found in parameters if found["in"] == "path"]
        self.query = [found for found in parameters if found["in"] == "query"]
        self.is_keyed = any(found["name"] == "Idempotency-Key" for found in parameters)
        self.is_repeatable = method != "post" or self.is_keyed or self.id in REPEATABLE_POSTS
        body = operation.get("requestBody")
        self.body = name_of(body["content"]["application/json"]["schema"]) if body else None
        self.body_schema = document["components"]["schemas"][self.body] if body else None
        (kind, content), = operation["responses"]["200"]["content"].items()
        self.is_stream = kind == "text/event-stream"
        self.is_text = not self.is_stream and kind != "application/json"
        self.answer = None if self.is_stream or self.is_text else name_of(content["schema"])

    def body_fields(self):
        """The body's members, required ones first; the idempotency key is not one of them."""
        fields = (self.body_schema or {}).get("properties", {})
        required = (self.body_schema or {}).get("required", [])
        named = [(name, schema, name in required) for name, schema in fields.items() if name != "idempotency_key"]
        return sorted(named, key=lambda field: not field[2])


def calls(document):
    """Every call, by path and method."""
    found = []
    for path, operations in sorted(document["paths"].items()):
        for method, operation in sorted(operations.items()):
            if path.startswith(PREFIX):
                found.append(Call(document, path, method, operation))
    return found


def schemas(document):
    """Every schema that a client meets, the webhooks' bodies among them."""
    found = dict(document["components"]["schemas"])
    events = []
    for event, operations in sorted(document["webhooks"].items()):
        schema = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        data = camel(event) + "Data"
        found[data] = schema["properties"]["data"]
        found[camel(event) + "Event"] = {
            **schema,
            "description": operations["post"]["summary"],
            "properties": {**schema["properties"], "data": {"$ref": data}},
        }
        events.append({"$ref": camel(event) + "Event"})
    found["WebhookEvent"] = {"description": "What a webhook brings.", "oneOf": events}
    return dict(sorted(found.items()))


def plain(schema):
    """A schema without what says nothing about types; `oneOf` of one thing and null as that thing, and whether null may stand there."""
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        others = [choice for choice in choices if choice.get("type") != "null"]
        is_nullable = len(others) < len(choices)
        return (others[0] if len(others) == 1 else {"oneOf": others}), is_nullable
    kinds = schema.get("type")
    if isinstance(kinds, list):
        others = [kind for kind in kinds if kind != "null"]
        return {**schema, "type": others[0] if len(others) == 1 else others}, "null" in kinds
    return schema, False


def description(schema):
    """What is said of it, here or where it may be null."""
    said = schema.get("description")
    for choice in schema.get("oneOf", []):
        said = said or (choice.get("description") if len(schema["oneOf"]) == 2 else None)
    return one_line(said)

"""A collection for Bruno: a request of every call, a folder of every tag, an environment for a service on this machine."""

import json

from .document import calls, snake

# Filled by the first calls of a walk through the collection.
REMEMBERED = {
    "register": 'if (res.status === 200) {\n    bru.setEnvVar("key", res.body.api_key);\n  }',
    "order": 'if (res.status === 200) {\n    bru.setVar("order", res.body.order_id);\n  }',
    "createKey": 'if (res.status === 200) {\n    bru.setVar("key_id", res.body.key_id);\n  }',
}
# A transaction of nobody: where deposits are simulated, it is worth money once.
PREPARED = {"verifyDeposit": 'bru.setVar("tx_hash", Array.from({ length: 64 }, () => Math.floor(Math.random() * 16).toString(16)).join(""));'}
# In the order in which somebody new goes through them; the rest follows.
FIRST_CALLS = ["register", "verifyDeposit", "account", "order", "getOrder"]
FIRST_FOLDERS = ["account", "deposits", "orders"]
PATH_VALUES = {"/order/": "{{order}}", "/keys/": "{{key_id}}", "/addresses/": "btc", "/idempotency/": "my-key", "/deliveries/": "1"}


def example(document, schema, name=""):
    """A value that the service would read."""
    if "$ref" in schema:
        schema = {**document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], **{key: value for key, value in schema.items() if key != "$ref"}}
    if "example" in schema:
        return schema["example"]
    if schema.get("examples"):
        return schema["examples"][0]
    for choice in schema.get("oneOf", []) + schema.get("anyOf", []):
        if choice.get("type") != "null":
            return example(document, choice, name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [example(document, schema["items"], name)]
    if kind == "object":
        return {field: example(document, found, field) for field, found in schema.get("properties", {}).items() if field in schema.get("required", [])}
    if kind in ("integer", "number"):
        return schema.get("default", max(1, schema.get("minimum", 1)))
    if kind == "boolean":
        return True
    return "{{tx_hash}}" if name == "tx_hash" else "2026-11-01" if schema.get("format") == "date" else "2026-11-01T00:00:00.000Z" if schema.get("format") == "date-time" else "text"


def block(name, lines):
    return f"{name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def request(document, call, sequence):
    url = "{{url}}" + call.path
    for found in call.path_parameters:
        url = url.replace("{%s}" % found["name"], ":" + found["name"])
    body = call.body_schema is not None
    parts = [block("meta", [f"name: {call.id}", "type: http", f"seq: {sequence}"])]
    parts.append(block(call.method.lower(), [f"url: {url}", f"body: {'json' if body else 'none'}", f"auth: {'none' if call.id == 'register' else 'inherit'}"]))
    if call.query:
        parts.append(block("params:query", [f"~{found['name']}: {found.get('example', example(document, found['schema'], found['name']))}" for found in call.query]))
    if call.path_parameters:
        value = next(value for part, value in PATH_VALUES.items() if part in call.path)
        parts.append(block("params:path", [f"{found['name']}: {value}" for found in call.path_parameters]))
    if call.is_keyed:
        parts.append(block("headers", ["Idempotency-Key: {{$guid}}"]))
    if body:
        shown = json.dumps(example(document, call.body_schema), indent=2, ensure_ascii=False)
        parts.append(block("body:json", shown.splitlines()))
    if call.id in PREPARED:
        parts.append(block("script:pre-request", [PREPARED[call.id]]))
    if call.id in REMEMBERED:
        parts.append(block("script:post-response", REMEMBERED[call.id].replace("\n  ", "\n").split("\n")))
    parts.append(block("docs", [call.summary]))
    return "\n".join(parts)


def ranked(things, first, name):
    """Those that are named first, in that order, then the others as they stand."""
    return sorted(things, key=lambda thing: first.index(name(thing)) if name(thing) in first else len(first))


def write(document):
    """Paths under `clients`, and what stands there."""
    files = {
        "bruno/bruno.json": json.dumps({"version": "1", "name": "Telenumerus", "type": "collection", "ignore": []}, indent=2) + "\n",
        "bruno/collection.bru": "\n".join([
            block("meta", ["name: Telenumerus"]), block("auth", ["mode: bearer"]), block("auth:bearer", ["token: {{key}}"]),
            block("docs", ["Written by clients/generate.py from the service's OpenAPI document. `register` fills the key, `order` the order."]),
        ]),
        "bruno/environments/local.bru": "\n".join([block("vars", ["url: http://127.0.0.1:8080"]), "vars:secret [\n  key\n]\n"]),
    }
    for sequence, call in enumerate(ranked(calls(document), FIRST_CALLS, lambda call: call.id), 1):
        files[f"bruno/{call.tag}/{snake(call.id)}.bru"] = request(document, call, sequence)
    tags = sorted({call.tag for call in calls(document)})
    for sequence, tag in enumerate(ranked(tags, FIRST_FOLDERS, str), 1):
        files[f"bruno/{tag}/folder.bru"] = "\n".join([block("meta", [f"name: {tag}", f"seq: {sequence}"]), block("auth", ["mode: inherit"])])
    return files

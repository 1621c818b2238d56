"""The TypeScript client's generated files: a type of every schema, a method of every call."""

import json
import re
import textwrap

from .document import calls, description, name_of, plain, schemas

HEADER = "// {what} Written by clients/generate.py: change the service, not this file.\n\n"
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def type_of(schema):
    schema, is_nullable = plain(schema)
    text = bare(schema)
    return f"{text} | null" if is_nullable and text != "unknown" else text


def bare(schema):
    if "$ref" in schema:
        return name_of(schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "oneOf" in schema:
        return " | ".join(dict.fromkeys(type_of(choice) for choice in schema["oneOf"]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(bare({**schema, "type": one}) for one in kind)
    if kind == "array":
        inner = type_of(schema["items"])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"Record<string, {type_of(more) if isinstance(more, dict) else 'unknown'}>"
    return SCALARS.get(kind, "unknown")


def said(text, indent=""):
    text = text.replace("*/", "* /")
    if not text:
        return ""
    lines = textwrap.wrap(text, 112)
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def interface(name, schema):
    extends, properties, required = "", schema.get("properties", {}), schema.get("required", [])
    if "allOf" in schema:
        extends = " extends " + ", ".join(name_of(part) for part in schema["allOf"] if "$ref" in part)
        own, = [part for part in schema["allOf"] if "$ref" not in part]
        properties, required = own["properties"], own["required"]
    if not properties:
        return f"{said(description(schema))}export type {name} = Record<string, never>;\n"
    members = "".join(
        said(description(kind), "  ") + f"  {field}{'' if field in required else '?'}: {type_of(kind)};\n" for field, kind in sorted(properties.items())
    )
    return f"{said(description(schema))}export interface {name}{extends} {{\n{members}}}\n"


def write_schema(document):
    parts = []
    for name, schema in schemas(document).items():
        if "allOf" in schema or schema.get("type") == "object":
            parts.append(interface(name, schema))
        else:
            parts.append(f"{said(description(schema))}export type {name} = {type_of(schema)};\n")
    return HEADER.format(what="What the service takes and answers.") + "\n".join(parts)


def method(call):
    """One call: what its path holds, its body, its query, in this order."""
    arguments = [f"{found['name']}: {type_of(found['schema'])}" for found in call.path_parameters]
    passed = []
    if call.body and call.body_schema.get("properties"):
        is_needed = any(is_required for _, _, is_required in call.body_fields())
        arguments.append(f"body: {call.body}{'' if is_needed else ' = {}'}")
        passed.append("body")
    elif call.body:
        passed.append("body: {}")
    if call.query:
        members = "; ".join(f"{found['name']}?: {type_of(found['schema'])}" for found in call.query)
        arguments.append(f"query: {{ {members} }} = {{}}")
        passed.append("query")
    if call.is_keyed:
        passed.append("isKeyed: true")
    if call.is_repeatable and call.method == "POST" and not call.is_keyed:
        passed.append("isRepeatable: true")
    arguments.append("options: CallOptions = {}")
    path = json.dumps(call.path)
    if call.path_parameters:
        path = "`" + re.sub(r"\{(\w+)\}", r"${encodeURIComponent(\1)}", call.path) + "`"
    what = f"{{ {', '.join(passed)} }}" if passed else "{}"
    text = f"  {call.id}({', '.join(arguments)}): Promise<{call.answer or 'string'}> {{\n"
    return said(call.summary, "  ") + text + f'    return this.call("{call.method}", {path}, {what}, options);\n  }}\n'


def write_calls(document):
    methods = "\n".join(method(call) for call in calls(document) if not call.is_stream)
    used = [name for name in schemas(document) if re.search(rf"[ <(]{name}[ ,;)>\[]", re.sub(r"/\*\*.*?\*/", "", methods, flags=re.S))]
    text = HEADER.format(what="Every call of the service.")
    text += "import type {\n" + "".join(f"  {name},\n" for name in used) + '} from "./schema.js";\n\n'
    text += (
        "export interface CallOptions {\n"
        "  /** Ends the call, and the waiting between its attempts. */\n  signal?: AbortSignal;\n"
        "  /** In place of a fresh one, on calls that take one. */\n  idempotencyKey?: string;\n}\n\n"
        "/** What a call sends. */\nexport interface Sent {\n  body?: object;\n  query?: Record<string, unknown>;\n"
        "  isKeyed?: boolean;\n  isRepeatable?: boolean;\n}\n\n"
        "/** A method for each call; how they are made is the client's. */\nexport abstract class Calls {\n"
        "  protected abstract call<T>(method: string, path: string, sent: Sent, options: CallOptions): Promise<T>;\n\n"
    )
    return text + methods + "}\n"


def write(document):
    """Paths under `clients`, and what stands there."""
    return {"typescript/src/schema.ts": write_schema(document), "typescript/src/calls.ts": write_calls(document)}

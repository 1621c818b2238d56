"""The Python client's generated files: TypedDicts of every schema, a method of every call."""

import json
import keyword
import textwrap

from .document import calls, description, name_of, plain, schemas, snake

HEADER = '"""{what} Written by clients/generate.py: change the service, not this file."""\n\n'
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def python_type(schema):
    schema, is_nullable = plain(schema)
    text = bare(schema)
    return f"Optional[{text}]" if is_nullable and text != "Any" else text


def bare(schema):
    if "$ref" in schema:
        return name_of(schema)
    if "const" in schema:
        return f"Literal[{json.dumps(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
    if "oneOf" in schema:
        kinds = list(dict.fromkeys(python_type(choice) for choice in schema["oneOf"]))
        return kinds[0] if len(kinds) == 1 else f"Union[{', '.join(kinds)}]"
    kind = schema.get("type")
    if isinstance(kind, list):
        return f"Union[{', '.join(bare({**schema, 'type': one}) for one in kind)}]"
    if kind == "array":
        return f"List[{python_type(schema['items'])}]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"Dict[str, {python_type(more) if isinstance(more, dict) else 'Any'}]"
    return SCALARS.get(kind, "Any")


def docstring(text, indent):
    if not text:
        return ""
    space = " " * indent
    lines = textwrap.wrap(text.replace("\\", "\\\\").replace('"""', "'''"), 110 - indent)
    if len(lines) == 1:
        return f'{space}"""{lines[0]}"""\n'
    return f'{space}"""{lines[0]}\n' + "".join(f"{space}{line}\n" for line in lines[1:]) + f'{space}"""\n'


def comment(text):
    return "".join(f"    # {line}\n" for line in textwrap.wrap(text, 104)) if text else ""


def fields(properties):
    return "".join(comment(description(schema)) + f"    {name}: {python_type(schema)}\n" for name, schema in sorted(properties.items()))


def functional(name, properties, text, is_total):
    """The form for members that are words of Python."""
    members = "".join(f"        {json.dumps(field)}: {json.dumps(python_type(kind))},\n" for field, kind in sorted(properties.items()))
    said = "".join(f"# {line}\n" for line in textwrap.wrap(text, 108))
    return f'{said}{name} = TypedDict(\n    "{name}",\n    {{\n{members}    }},\n{"" if is_total else "    total=False," + chr(10)})\n'


def typed_dict(name, schema):
    """A class; where some members may be absent, one of those that are there and one of all."""
    bases, properties, required = ["TypedDict"], schema.get("properties", {}), set(schema.get("required", []))
    if "allOf" in schema:
        bases = [name_of(part) for part in schema["allOf"] if "$ref" in part]
        own, = [part for part in schema["allOf"] if "$ref" not in part]
        properties, required = own["properties"], set(own["required"])
    always = {field: kind for field, kind in properties.items() if field in required}
    perhaps = {field: kind for field, kind in properties.items() if field not in required}
    if any(keyword.iskeyword(field) for field in always):
        assert bases == ["TypedDict"], name
        text = functional(f"_{name}Always" if perhaps else name, always, "" if perhaps else description(schema), True)
        return text + f"\n\nclass {name}(_{name}Always, total=False):\n{docstring(description(schema), 4)}{fields(perhaps)}" if perhaps else text
    if any(keyword.iskeyword(field) for field in perhaps):
        assert bases == ["TypedDict"] and not always, name
        return functional(name, perhaps, description(schema), False)
    text = ""
    if always and perhaps:
        text = f"class _{name}Always({', '.join(bases)}):\n{fields(always)}\n\n"
        bases, always = [f"_{name}Always"], {}
    total = ", total=False" if perhaps else ""
    body = docstring(description(schema), 4) + fields({**always, **perhaps})
    return text + f"class {name}({', '.join(bases)}{total}):\n{body or '    pass' + chr(10)}"


def in_order(names, uses):
    """Names, whatever one builds on before it."""
    done = []

    def put(name):
        for other in uses(name):
            put(other)
        if name not in done:
            done.append(name)

    for name in names:
        put(name)
    return done


def write_schema(document):
    found = schemas(document)
    is_class = {name for name, schema in found.items() if "allOf" in schema or schema.get("type") == "object"}
    is_union = {name for name, schema in found.items() if name not in is_class and any("$ref" in choice for choice in schema.get("oneOf", []))}
    text = HEADER.format(what="What the service takes and answers.")
    text += "from __future__ import annotations\n\nfrom typing import Any, Dict, List, Literal, Optional, TypedDict, Union\n\n"
    for name, schema in found.items():
        if name not in is_class | is_union:
            text += "".join(f"# {line}\n" for line in textwrap.wrap(description(schema), 108)) + f"{name} = {python_type(schema)}\n"
    bases = lambda name: [name_of(part) for part in found[name].get("allOf", []) if "$ref" in part]
    for name in in_order(sorted(is_class), bases):
        text += "\n\n" + typed_dict(name, found[name])
    text += "\n\n"
    for name in in_order(sorted(is_union), lambda _: []):
        text += "".join(f"# {line}\n" for line in textwrap.wrap(description(found[name]), 108)) + f"{name} = {python_type(found[name])}\n"
    return text + "\n__all__ = [\n" + "".join(f'    "{name}",\n' for name in found) + "]\n"


def argument(name):
    name = snake(name)
    return name + "_" if keyword.iskeyword(name) else name


def method(call):
    """One call: what must be given stands first, the rest is named."""
    needed = [f"{argument(found['name'])}: {python_type(found['schema'])}" for found in call.path_parameters]
    named, body = [], []
    for name, schema, is_required in call.body_fields():
        kind = python_type(schema)
        if is_required:
            needed.append(f"{argument(name)}: {kind}")
        else:
            named.append(f"{argument(name)}: {kind if kind.startswith('Optional[') else f'Optional[{kind}]'} = None")
        body.append(f'"{name}": {argument(name)}')
    query = [f'"{found["name"]}": {argument(found["name"])}' for found in call.query]
    named += [f"{argument(found['name'])}: Optional[{python_type(found['schema'])}] = None" for found in call.query]
    passed = [f'"{call.method}"', path_text(call)]
    if query:
        passed.append(f"query={{{', '.join(query)}}}")
    if call.body:
        passed.append(f"body={{{', '.join(body)}}}")
    if call.is_keyed:
        named.append("idempotency_key: Optional[str] = None")
        passed.append("is_keyed=True, idempotency_key=idempotency_key")
    if call.is_repeatable and call.method == "POST" and not call.is_keyed:
        passed.append("is_repeatable=True")
    answer = call.answer or "str"
    arguments = ", ".join(["self", *needed, *(["*", *named] if named else [])])
    text = f"    def {snake(call.id)}({arguments}) -> {answer}:\n"
    return text + docstring(call.summary, 8) + f"        return cast({answer}, self._call({', '.join(passed)}))\n"


def path_text(call):
    if not call.path_parameters:
        return f'"{call.path}"'
    path = call.path
    for found in call.path_parameters:
        path = path.replace("{%s}" % found["name"], "{quoted(%s)}" % argument(found["name"]))
    return f'f"{path}"'


def write_calls(document):
    made = [call for call in calls(document) if not call.is_stream]
    methods = "\n".join(method(call) for call in made)
    used = sorted(name for name in schemas(document) if any(f"{before}{name}{after}" in methods for before in " [(" for after in ",])= :"))
    text = HEADER.format(what="Every call of the service.")
    text += "from __future__ import annotations\n\nfrom typing import Any, List, Mapping, Optional, cast\nfrom urllib.parse import quote\n\n"
    text += "from .schema import (\n" + "".join(f"    {name},\n" for name in used) + ")\n\n\n"
    text += 'def quoted(value: object) -> str:\n    """A part of a path."""\n    return quote(str(value), safe="")\n\n\n'
    text += 'class Calls:\n    """A method for each call; how they are made is the client\'s."""\n\n'
    text += (
        "    def _call(\n        self,\n        method: str,\n        path: str,\n        *,\n        query: Optional[Mapping[str, Any]] = None,\n"
        "        body: Optional[Mapping[str, Any]] = None,\n        is_keyed: bool = False,\n        idempotency_key: Optional[str] = None,\n"
        "        is_repeatable: bool = False,\n    ) -> Any:\n        raise NotImplementedError\n\n"
    )
    return text + methods


def write(document):
    """Paths under `clients`, and what stands there."""
    return {
        "python/src/telenumerus/schema.py": write_schema(document),
        "python/src/telenumerus/calls.py": write_calls(document),
    }

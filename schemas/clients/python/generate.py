#!/usr/bin/env python3
"""generate.py SCHEMAS PACKAGE: writes the generated part of the package `stowage` into the folder PACKAGE, from what
`stowage schemas --output SCHEMAS` wrote: a module for each domain, the class `Domains`, and the schemas."""

import json
import keyword
import re
import sys
import textwrap
from pathlib import Path

WIDTH = 120
NULLS = ("clear", "isNull")
LOGICAL = {"timestamp-millis": "datetime", "json": "Json"}
PRIMITIVES = {"null": "None", "boolean": "bool", "int": "int", "long": "int", "float": "float", "double": "float", "string": "str", "bytes": "bytes"}
HEADER = '''"""{doc}"""

# Generated from the schemas of the commands.

from __future__ import annotations
'''


def main():
    schemas, package = map(Path, sys.argv[1:])

    def read(name):
        return json.loads((schemas / name).read_text(encoding="utf-8"))

    domains = {}
    for entry in read("index.json"):
        entry = {**entry, "request": read(entry["request"]), "reply": read(entry["reply"])}
        domains.setdefault(entry["command"].split(".")[0], []).append(entry)
    error = read("Error.avsc")
    general = next(field["general"] for field in error["fields"] if "general" in field)
    (package / "_schemas").mkdir(exist_ok=True)
    for domain, entries in domains.items():
        write_json(package / f"_schemas/{domain}.json", [runtime_entry(entry) for entry in entries])
        (package / f"{snake(domain)}.py").write_text(Module(domain, entries, general).text(), encoding="utf-8")
    write_json(package / "_schemas/Error.json", without_texts(error))
    (package / "_domains.py").write_text(domains_module(domains), encoding="utf-8")


def write_json(path, value):
    path.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


def runtime_entry(entry):
    needed = ("command", "topic", "flags", "key", "requestFingerprint", "request", "reply")
    return {name: without_texts(entry[name]) for name in needed if name in entry}


def without_texts(value):
    """Fingerprints ignore texts, and nobody reads them at run time."""
    if isinstance(value, list):
        return [without_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: without_texts(item) for key, item in value.items() if key not in ("doc", "absent", "words", "general")}
    return value


def snake(name):
    """deleteVersionsByParentId -> delete_versions_by_parent_id"""
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)(?=[A-Z][a-z])", r"\1\3_\2", name).lower()
    return words + "_" if keyword.iskeyword(words) else words


def pascal(name):
    return name[0].upper() + name[1:]


def docstring(text, indent):
    # A raw text could end the docstring or hold an escape.
    text = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    lines = []
    for line in text.split("\n"):
        hang = " " * (len(line) - len(line.lstrip()))
        body = line.strip()
        lines += textwrap.wrap(body, WIDTH - len(indent) - 6, initial_indent=hang, subsequent_indent=hang + ("    " if hang else "")) or [""]
    if len(lines) == 1:
        end = " " if lines[0].endswith('"') else ""
        return f'{indent}"""{lines[0]}{end}"""\n'
    return f'{indent}"""' + "\n".join((indent + line if line and n else line) for n, line in enumerate(lines)) + f'\n{indent}"""\n'


class Module:
    """The module of a domain: its records as TypedDicts, a class with its methods, and one with its writes."""

    def __init__(self, domain, entries, general):
        self.domain = domain
        self.entries = entries
        self.general = general
        self.records = {}
        for entry in entries:
            for field in entry["request"]["fields"] + entry["reply"]["fields"]:
                self.collect(field["type"])

    def collect(self, schema):
        if isinstance(schema, list):
            for branch in schema:
                self.collect(branch)
        elif isinstance(schema, dict):
            if schema["type"] == "record":
                known = self.records.get(schema["name"])
                if known is None or ("doc" in schema and "doc" not in known):
                    self.records[schema["name"]] = schema
                for field in schema["fields"]:
                    self.collect(field["type"])
            self.collect(schema.get("items"))
            self.collect(schema.get("values"))

    def text(self):
        records = "".join(self.record(schema) for schema in self.records.values())
        methods = "".join(self.method(entry) for entry in self.entries)
        writes = [entry for entry in self.entries if "write" in entry["flags"]]
        fires = "".join(self.fire(entry) for entry in writes)
        name = pascal(self.domain)
        fire = f'''    @property
    def fire(self) -> {name}Fire:
        """The writes without a reply: each ends when Kafka has the command. A failure becomes a dead letter."""
        return {name}Fire(self._connection, self._options)

''' if writes else ""
        classes = f'\n\nclass {name}(Domain):\n    """The commands of the domain {self.domain}."""\n\n{fire}{methods.rstrip()}\n'
        if writes:
            classes += f'\n\nclass {name}Fire(Domain):\n    """The writes of the domain {self.domain}, without a reply."""\n\n{fires.rstrip()}\n'
        return HEADER.format(doc=f"The domain {self.domain}: its commands and their records.") + self.imports(records + classes) + records + classes

    @staticmethod
    def imports(body):
        def used(names):
            return ", ".join(name for name in names if re.search(rf"\b{name}\b", body))

        lines = [""]
        if "datetime" in body:
            lines.append("from datetime import datetime")
        typing = used(["Iterable", "Literal", "Mapping", "Sequence"])
        if typing:
            lines.append(f"from typing import {typing}")
        lines += ["", "from ._connection import Domain"]
        types = used(["Json", "NotRequired", "TypedDict", "UNSET", "Unset", "Vector"])
        if types:
            lines.append(f"from ._types import {types}")
        return "\n".join(lines) + "\n"

    def type(self, schema, is_parameter=False):
        """The Python type of a schema. A parameter takes any sequence or mapping."""
        if isinstance(schema, str):
            return PRIMITIVES.get(schema) or schema.rsplit(".", 1)[-1]
        if isinstance(schema, list):
            (branch,) = (branch for branch in schema if branch != "null")
            return f"{self.type(branch, is_parameter)} | None"
        if schema.get("logicalType") in LOGICAL:
            return LOGICAL[schema["logicalType"]]
        if schema["type"] == "record":
            return schema["name"]
        if schema["type"] == "array" and schema["items"] == "float":
            return "Vector"
        if schema["type"] == "array":
            item = self.type(schema["items"], is_parameter)
            # A numpy array of two dimensions is an iterable of vectors, but no sequence.
            return f"{('Iterable' if item == 'Vector' else 'Sequence') if is_parameter else 'list'}[{item}]"
        if schema["type"] == "map":
            return f"{'Mapping' if is_parameter else 'dict'}[str, {self.type(schema['values'], is_parameter)}]"
        return self.type(schema["type"], is_parameter)

    def field_type(self, field, is_parameter=False):
        if field["name"] == "perPage":
            nullable = " | None" if isinstance(field["type"], list) else ""
            return f"int | Literal[False]{nullable}"
        if field.get("class") == "Set":
            return f"set[{self.type(field['type']['items'])}]"
        return self.type(field["type"], is_parameter)

    def record(self, schema):
        fields = []
        for field in schema["fields"]:
            if field["name"] not in NULLS:
                kind = self.field_type(field)
                fields.append((field["name"], f"NotRequired[{kind}]" if "default" in field else kind, field.get("doc")))
        doc = docstring(schema.get("doc", f"{schema['namespace']}.{schema['name']}"), "    ")
        if any(keyword.iskeyword(name) for name, _, _ in fields):
            # No class can have such a field.
            items = "".join(f'        "{name}": "{kind}",\n' for name, kind, _ in fields)
            return f'\n\n{schema["name"]} = TypedDict(\n    "{schema["name"]}",\n    {{\n{items}    }},\n)\n{doc.strip()}\n'
        lines = "".join(f"    {name}: {kind}\n" + (docstring(text, "    ") if text else "") for name, kind, text in fields)
        return f"\n\nclass {schema['name']}(TypedDict):\n{doc}\n{lines}".rstrip() + "\n"

    def parameters(self, entry):
        """The fields in the order of the method's parameters, each with whether it is positional."""
        fields = {field["name"]: field for field in entry["request"]["fields"]}
        positional = []
        for name in entry.get("parameters", []):
            # A required parameter cannot follow an optional one.
            if isinstance(name, list) or ("default" not in fields[name] and any("default" in field for field in positional)):
                break
            positional.append(fields.pop(name))
        clears = any(name in fields for name in NULLS)
        named = [field for name, field in fields.items() if name not in NULLS]
        named.sort(key=lambda field: "default" in field)
        return positional, named, clears

    def parameter(self, field, clears):
        kind = self.field_type(field, True)
        name = snake(field["name"])
        if "default" not in field:
            return f"{name}: {kind}"
        if clears and field["default"] is None:
            return f"{name}: {kind} | Unset = UNSET"
        return f"{name}: {kind} = {'()' if field['default'] == [] else field['default']}"

    def signature(self, entry):
        positional, named, clears = self.parameters(entry)
        parts = ["self", *(self.parameter(field, clears) for field in positional)]
        if named:
            parts += ["*", *(self.parameter(field, clears) for field in named)]
        one = ", ".join(parts)
        if len(one) < 70:
            return one
        return "\n        " + ",\n        ".join(parts) + ",\n    "

    def request(self, entry):
        positional, named, clears = self.parameters(entry)
        items = ", ".join(f'"{field["name"]}": {snake(field["name"])}' for field in positional + named)
        if clears:
            return f"self._given({{{items}}})"
        return f"{{{items}}}"

    def result(self, entry):
        """What the method returns."""
        (field,) = entry["reply"]["fields"]
        kind = self.field_type(field)
        return f"{kind} | None" if may_be_forgotten(entry) and not kind.endswith("None") else kind

    def method(self, entry):
        method = entry["command"].split(".")[1]
        kind = self.result(entry)
        call = f'await self._call("{entry["command"]}", {self.request(entry)})'
        body = f"        {call}\n" if kind == "None" else f"        _reply: {kind} = {call}\n        return _reply\n"
        return f"    async def {snake(method)}({self.signature(entry)}) -> {kind}:\n{docstring(self.doc(entry), ' ' * 8)}{body}\n"

    def fire(self, entry):
        method = snake(entry["command"].split(".")[1])
        call = f'await self._fire("{entry["command"]}", {self.request(entry)})'
        doc = docstring(f"{pascal(self.domain)}.{method} without a reply.", " " * 8)
        return f"    async def {method}({self.signature(entry)}) -> None:\n{doc}        {call}\n\n"

    def doc(self, entry):
        positional, named, clears = self.parameters(entry)
        parts = [entry["request"].get("doc", entry["command"])]
        if may_be_forgotten(entry):
            parts.append("\nBy default it asks for no reply: it returns None when Kafka has the command.")
        if clears:
            parts.append("\nNone sets a field to null.")
        described = [field for field in positional + named if "doc" in field]
        if described:
            parts.append("\nArgs:")
            parts += [f"    {snake(field['name'])}: {field['doc']}" for field in described]
        (result,) = entry["reply"]["fields"]
        if "doc" in result and result["type"] != "null":
            parts.append(f"\nReturns:\n    {result['doc']}")
        own = [code for code in entry["errors"] if code not in self.general]
        if own:
            parts.append(f"\nErrors:\n    {', '.join(own)}")
        return "\n".join(parts)


def may_be_forgotten(entry):
    # The rule of _connection.is_forgotten, which decides at run time.
    domain, method = entry["command"].split(".")
    return "write" in entry["flags"] and domain in ("observability", "scores") and re.match("(batch)?(create|update|save)", method, re.IGNORECASE)


def domains_module(domains):
    imports = "".join(f"    from .{snake(domain)} import {pascal(domain)}\n" for domain in domains)
    properties = "\n".join(f'''    @cached_property
    def {snake(domain)}(self) -> {pascal(domain)}:
        """The domain {domain}."""
        from .{snake(domain)} import {pascal(domain)}

        return {pascal(domain)}(self._connection, self._options)
''' for domain in domains)
    head = HEADER.format(doc="The domains of a client. Each one's module is loaded when it is first used.")
    return f'''{head}
from functools import cached_property
from typing import TYPE_CHECKING

from ._connection import CallOptions, Connection

if TYPE_CHECKING:
{imports}

class Domains:
    """An attribute for each domain."""

    def __init__(self, connection: Connection, options: CallOptions) -> None:
        self._connection = connection
        self._options = options

{properties}'''


if __name__ == "__main__":
    main()

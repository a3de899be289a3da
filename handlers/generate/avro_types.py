"""The Avro types of the commands: JSON with line numbers, records by full name, checks of defaults, and
whether a newer schema can read the data of an older one.

Source: Apache Avro 1.11 specification, "Schema Declaration" and "Schema Resolution".
"""

import json
import json.scanner
import re

ROOT = "mastra"
PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
LOGICAL = {("long", "timestamp-millis"), ("string", "json")}
RECORD_WORDS = {"type", "name", "namespace", "doc", "aliases", "fields"}
FIELD_WORDS = {"name", "type", "default", "doc", "aliases", "order", "words", "absent", "general", "class"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Wrong(Exception):
    """One mistake in the input: its place, the cause and what to do."""

    def __init__(self, file, line, text):
        super().__init__(f"{file}:{line}: {text}")


def upper(name):
    """Converts camelCase to UPPER_SNAKE."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


# ---------------------------------------------------------------- JSON with line numbers


class Node(dict):
    """A JSON object with its file and line."""

    file = None
    line = 1
    full = None  # a record's full name, set when it is registered


class Decoder(json.JSONDecoder):
    """Python's decoder, but objects are Nodes, and a key that occurs twice is a mistake."""

    def __init__(self, file):
        super().__init__()
        self.file = file
        self.parse_object = self.node
        self.scan_once = json.scanner.py_make_scanner(self)

    def node(self, start, strict, scan_once, _hook, _pairs_hook, memo=None):
        text, begin = start
        pairs, end = json.decoder.JSONObject(start, strict, scan_once, None, lambda found: found, memo)
        node = Node(pairs)
        node.file, node.line = self.file, text.count("\n", 0, begin) + 1
        for index, (word, _) in enumerate(pairs):
            if word in (earlier for earlier, _ in pairs[:index]):
                raise Wrong(self.file, node.line, f'"{word}" occurs twice in one object: remove one')
        return node, end


def read_json(path):
    try:
        return Decoder(path).decode(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise Wrong(path, error.lineno, f"not JSON: {error.msg} (column {error.colno})") from None
    except UnicodeDecodeError:
        raise Wrong(path, 1, "not UTF-8: save the file as UTF-8") from None


# ---------------------------------------------------------------- Avro types


class Type:
    """An Avro type; a union with null sets `nullable`."""

    def __init__(self, kind, logical=None, record=None, item=None):
        self.kind, self.logical, self.record, self.item = kind, logical, record, item
        self.nullable = self.null_first = False

    def label(self):
        """Returns the name that BINDS and INFERRED of commands.py use."""
        if self.logical:
            return self.logical
        return f"{self.kind}<{self.item.label()}>" if self.item else self.kind

    def text(self):
        """Returns the name that the reference page and messages use."""
        base = self.record.full if self.record else self.logical or self.kind
        base = f"{self.kind}<{self.item.text()}>" if self.item else base
        return base + "?" if self.nullable else base


class Field:
    def __init__(self, node, type_):
        self.node, self.type = node, type_
        self.name = node["name"]
        self.has_default = "default" in node


class Record:
    def __init__(self, full):
        self.full = full
        self.fields = []
        self.open = True  # while its fields are compiled; meeting it again is recursion

    def field(self, name):
        return next((field for field in self.fields if field.name == name), None)


class Schemas:
    """Every record of a set of files by full name; compiled on first use."""

    def __init__(self):
        self.nodes = {}
        self.records = {}

    def register(self, schema, namespace):
        """Registers every record that `schema` defines, at any depth."""
        if isinstance(schema, list):
            for branch in schema:
                self.register(branch, namespace)
        if not isinstance(schema, Node):
            return
        if schema.get("type") != "record":
            for inner in (schema.get("type"), schema.get("items"), schema.get("values")):
                self.register(inner, namespace)
            return
        namespace = self.register_record(schema, namespace)
        for field in schema["fields"]:
            if isinstance(field, Node):
                self.register(field.get("type"), namespace)

    def register_record(self, node, namespace):
        name, namespace = node.get("name"), node.get("namespace", namespace)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise Wrong(node.file, node.line, 'a record needs a "name" of letters, digits and _')
        if not isinstance(node.get("fields"), list):
            raise Wrong(node.file, node.line, f'record {name} needs a list of "fields"')
        for word in node:
            if word not in RECORD_WORDS:
                raise Wrong(node.file, node.line, f'unknown word "{word}" in record {name}')
        node.full = f"{namespace}.{name}"
        if node.full in self.nodes:
            first = self.nodes[node.full]
            raise Wrong(node.file, node.line, f"{node.full} is already defined at {first.file}:{first.line}:"
                        " refer to it by its full name, or rename this one")
        self.nodes[node.full] = node
        return namespace

    def record(self, full):
        """Compiles a record, which checks its types, and returns it."""
        if full not in self.records:
            node = self.nodes[full]
            record = self.records[full] = Record(full)
            try:
                for field in node["fields"]:
                    self.add_field(record, node, field)
            except Wrong:
                del self.records[full]
                raise
            record.open = False
        return self.records[full]

    def add_field(self, record, node, field):
        if not isinstance(field, Node) or not NAME.fullmatch(str(field.get("name", ""))) or "type" not in field:
            where = field if isinstance(field, Node) else node
            raise Wrong(node.file, where.line, f'a field of {record.full} needs a "name" and a "type"')
        for word in field:
            if word not in FIELD_WORDS:
                raise Wrong(field.file, field.line, f'unknown word "{word}" in field {field["name"]}')
        if any(upper(other.name) == upper(field["name"]) for other in record.fields):
            raise Wrong(field.file, field.line, f'field {field["name"]} occurs twice in {record.full}: rename one')
        made = Field(field, self.type(field["type"], node.full.rpartition(".")[0], field))
        if "words" in field and (made.type.item or made.type).text().rstrip("?") != "string":
            raise Wrong(field.file, field.line, f'"words" of {field["name"]}: only a string, or an array of strings, has words')
        if "class" in field and (field["class"], made.type.kind) not in (("Map", "map"), ("Set", "array")):
            raise Wrong(field.file, field.line, f'"class" of {field["name"]} is "Map" for a map, or "Set" for an array')
        if "absent" in field and not (made.type.nullable and field["absent"] in ("null", "undefined")):
            raise Wrong(field.file, field.line, f'"absent" of {field["name"]} is for nullable fields, and "null" or "undefined"')
        if made.has_default:
            type_ = made.type
            problem = check_default(type_, field["default"], type_.nullable and type_.null_first)
            if problem:
                raise Wrong(field.file, field.line, f"the default of {made.name} {problem}")
        record.fields.append(made)

    def type(self, schema, namespace, where):
        if isinstance(schema, list):
            return self.union(schema, namespace, where)
        if isinstance(schema, Node) and schema.get("type") == "record":
            return self.use(schema.full, where)
        if isinstance(schema, Node):
            return self.complex(schema, namespace, where)
        if schema in PRIMITIVES:
            return Type(schema)
        if not isinstance(schema, str):
            raise Wrong(where.file, where.line, "a type must be a name, an object or [\"null\", T]")
        full = schema if "." in schema else f"{namespace}.{schema}"
        if full not in self.nodes:
            raise Wrong(where.file, where.line, f"unknown type {full}: define it in types.avsc of its domain")
        return self.use(full, where)

    def use(self, full, where):
        record = self.record(full)
        if record.open:
            raise Wrong(where.file, where.line, f"{full} contains itself: use a json field instead")
        return Type("record", record=record)

    def union(self, schema, namespace, where):
        if len(schema) != 2 or schema.count("null") != 1:
            raise Wrong(where.file, where.line, 'a union must be ["null", T]: use a json field for other shapes')
        made = self.type(schema[0] if schema[1] == "null" else schema[1], namespace, where)
        if made.nullable or made.kind == "null":
            raise Wrong(where.file, where.line, "a union directly contains a union or null: keep one")
        made.nullable, made.null_first = True, schema[0] == "null"
        return made

    def complex(self, schema, namespace, where):
        kind, logical = schema.get("type"), schema.get("logicalType")
        if kind in ("array", "map"):
            inner = schema.get("items" if kind == "array" else "values")
            if inner is None:
                raise Wrong(schema.file, schema.line, 'an array needs "items", a map "values"')
            return Type(kind, item=self.type(inner, namespace, schema))
        if kind not in PRIMITIVES:
            raise Wrong(schema.file, schema.line, f"type {kind} is not supported: use a primitive type, array, map or record")
        if logical is not None and (kind, logical) not in LOGICAL:
            raise Wrong(schema.file, schema.line, f"logicalType {logical} on {kind} is not supported: use "
                        "timestamp-millis on long or json on string")
        return Type(kind, logical=logical)

    def complete(self, schema, namespace, seen):
        """Returns the schema as self-contained JSON: the first use of a record defines it, later uses name it."""
        if isinstance(schema, list):
            return [self.complete(branch, namespace, seen) for branch in schema]
        if isinstance(schema, str):
            full = schema if "." in schema else f"{namespace}.{schema}"
            if schema in PRIMITIVES or schema in ("array", "map"):
                return schema
            return self.define(full, seen)
        if schema.get("type") == "record":
            return self.define(schema.full, seen)
        parts = ("type", "items", "values")
        return {word: self.complete(value, namespace, seen) if word in parts else value
                for word, value in schema.items()}

    def define(self, full, seen):
        if full in seen:
            return full
        seen.add(full)
        namespace, _, name = full.rpartition(".")
        node = self.nodes[full]
        made = {"type": "record", "name": name, "namespace": namespace}
        made.update((word, node[word]) for word in ("doc", "aliases") if word in node)
        made["fields"] = [{word: self.complete(value, namespace, seen) if word == "type" else value
                           for word, value in field.items()} for field in node["fields"]]
        return made


def check_default(type_, value, null_first):
    """Returns what is wrong with a default, or None. Avro: it must fit the first branch of a union."""
    if null_first:
        return None if value is None else "must be null, as its type is [\"null\", T]"
    kind = type_.kind
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    bits = {"int": 31, "long": 63}.get(kind)
    if bits:
        fits = number and isinstance(value, int) and -(1 << bits) <= value < (1 << bits)
    elif kind in ("array", "map"):
        return check_items(type_, value)
    elif kind == "record":
        return check_record_default(type_.record, value)
    else:
        fits = {"null": value is None, "boolean": isinstance(value, bool), "float": number,
                "double": number, "string": isinstance(value, str),
                "bytes": isinstance(value, str) and all(ord(c) < 256 for c in value)}[kind]
    if fits and type_.logical == "json":
        return check_json(value)
    return None if fits else f"is not of type {kind}"


def check_json(text):
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return 'is not JSON text: write JSON in a string, "{}"'
    return None


def check_items(type_, value):
    if not isinstance(value, list if type_.kind == "array" else dict):
        return f"is not of type {type_.kind}"
    items = value if type_.kind == "array" else value.values()
    null_first = type_.item.nullable and type_.item.null_first
    return next(filter(None, (check_default(type_.item, item, null_first) for item in items)), None)


def check_record_default(record, value):
    if not isinstance(value, dict):
        return f"is not an object for {record.full}"
    for field in record.fields:
        if field.name in value:
            null_first = field.type.nullable and field.type.null_first
            problem = check_default(field.type, value[field.name], null_first)
            if problem:
                return problem
        elif not field.has_default:
            return f"lacks {field.name}, which has no default of its own"
    return None


PROMOTIONS = {"int": ("long", "float", "double"), "long": ("float", "double"), "float": ("double",),
              "string": ("bytes",), "bytes": ("string",)}


def unreadable(writer, reader, path):
    """Returns why `reader` cannot read data of the type `writer`, or None. Avro: schema resolution."""
    if writer.kind != reader.kind and reader.kind not in PROMOTIONS.get(writer.kind, ()):
        return f"{path} was {writer.kind} and is now {reader.kind}"
    if writer.nullable and not reader.nullable:
        return f"{path} was nullable and is not now"
    if writer.item and reader.item:
        return unreadable(writer.item, reader.item, path + "[]")
    for field in reader.record.fields if reader.record else ():
        old = writer.record.field(field.name)
        where = f"{path}.{field.name}" if path else field.name
        if old is None and not field.has_default:
            return f"{where} is new and has no default: give it one"
        problem = old and unreadable(old.type, field.type, where)
        if problem:
            return problem
    return None

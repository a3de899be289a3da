"""The documentation of records and fields, and an example of each command: schemas/docs.

    commands.json   what a command does; it documents its request
    records.json    what a record is
    fields.json     what a field is
    examples.json   values of required fields, and requests of commands

A key is a name, or one with more in front: `threadId`, `memory.threadId`, `memory.Message.threadId`. The longest one
counts. It may have `*` for any letters; a key without counts before one with. A `doc` in a schema counts before
all of them.
"""

from fnmatch import fnmatchcase

from avro_types import ROOT, read_json

TIME, KEY = "2026-01-31T12:00:00.000Z", "key"
SAMPLES = {"boolean": True, "int": 1, "long": 1, "float": 0.5, "double": 0.5, "bytes": "AAEC", "json": {}, "timestamp-millis": TIME}


def fits(type_, value):
    """Can the sample be a value of the type?"""
    wanted = {"array": list, "map": dict, "record": dict, "string": str, "boolean": bool}.get(type_.kind, (int, float))
    return type_.logical in ("json", "timestamp-millis") or isinstance(value, wanted)


class Names:
    """The entries of a file; remembers which of them were used."""

    def __init__(self, entries):
        self.entries, self.used = entries, set()

    def find(self, *names):
        """The entry of the first name that has one; None if none has."""
        for wanted in names:
            key = wanted if wanted in self.entries else next(
                (key for key in self.entries if "*" in key and key.count(".") == wanted.count(".") and fnmatchcase(wanted, key)), None)
            if key:
                self.used.add(key)
                return self.entries[key]
        return None

    def unused(self):
        return sorted(set(self.entries) - self.used)


class Docs:
    def __init__(self, folder):
        def read(name):
            return read_json(folder / f"{name}.json") if (folder / f"{name}.json").exists() else {}
        examples = read("examples")
        self.commands, self.records, self.fields = (Names(read(name)) for name in ("commands", "records", "fields"))
        self.samples, self.requests = Names(examples.get("fields", {})), Names(examples.get("commands", {}))
        self.missing = set()

    def known(self, found, what):
        if not found:
            self.missing.add(what)
        return found

    def record(self, command, full):
        domain, _, name = full.removeprefix(f"{ROOT}.").rpartition(".")
        if full == command.request.full:
            return self.known(self.commands.find(command.name), command.name)
        if full == command.reply.full:
            return f"The reply to {command.name}."
        return self.known(self.records.find(f"{domain}.{name}", name), full)

    def field(self, command, full, name):
        domain, _, record = full.removeprefix(f"{ROOT}.").rpartition(".")
        if full == command.reply.full:
            return result_text(command.reply.fields[0].type)
        return self.known(self.fields.find(f"{domain}.{record}.{name}", f"{domain}.{name}", name), f"{full}.{name}")

    def documented(self, schema, command):
        """The complete schema with the documentation of every record and field."""
        if isinstance(schema, list):
            return [self.documented(branch, command) for branch in schema]
        if not isinstance(schema, dict):
            return schema
        made = {word: self.documented(value, command) if word in ("type", "items", "values") else value for word, value in schema.items()}
        if schema.get("type") == "record":
            full = f"{schema['namespace']}.{schema['name']}"
            made = with_doc(made, lambda: self.record(command, full))
            made["fields"] = [with_doc(self.documented(field, command), lambda field=field: self.field(command, full, field["name"]))
                              for field in schema["fields"]]
        return made

    # ---------------------------------------------------------------- examples

    def example(self, command):
        """A request with the fields that a command needs, and its key."""
        return self.requests.find(command.name) or self.sample_record(command.request, command.domain, command.key.replace("[0]", ""))

    def sample_record(self, record, domain, key):
        first, _, rest = key.partition(".")
        return {field.name: self.sample(field, domain, rest if field.name == first else "")
                for field in record.fields if not field.has_default or field.name == first}

    def sample(self, field, domain, key):
        found = self.samples.find(f"{domain}.{field.name}", field.name)
        if found is not None and fits(field.type, found):
            return found
        return field.node["words"][0] if "words" in field.node else self.sample_of(field.type, field.name, domain, key)

    def sample_of(self, type_, name, domain, key):
        if type_.record:
            return self.sample_record(type_.record, domain, key)
        if type_.item:
            item = self.sample_of(type_.item, name.removesuffix("s"), domain, key)
            return [item] if type_.kind == "array" else {KEY: item}
        return SAMPLES.get(type_.logical or type_.kind, f"{name.removesuffix('Id')}-1")


def with_doc(node, find):
    """The node with its own documentation, else with the one that find() finds, if any."""
    found = node.get("doc") or find()
    return {**node, "doc": found} if found else node


def result_text(type_):
    base = type_.record.full.rpartition(".")[2] if type_.record else type_.logical or type_.kind
    if type_.kind == "null":
        return "Nothing."
    text = f"A list of {type_.item.text().rpartition('.')[2]}" if type_.kind == "array" else f"A map of {type_.item.text().rpartition('.')[2]}" if type_.kind == "map" else f"The {base}"
    return text + (", or null if there is none." if type_.nullable else ".")

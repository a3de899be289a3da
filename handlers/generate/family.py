"""Families: domains of one shape, which share the templates of a folder.

`handlers/domains/<family>/family.json` declares the domains; `schemas/domains/<family>/*.avsc` and
`handlers/domains/<family>/*.sql` are the templates of their commands. A domain's own file of the same name
wins over the template. In a template stand

    %word%                  a word of the domain: domain, its texts in family.json, and tables, the quoted list of them;
                            with a snapshot also entities, versions, many, ONE, status
    %snapshot: TEXT%        TEXT for each field of a version, with commas between; {name}, {read}, {write} and
                            the others of Snapshot stand for the field
    %if flag% LINE          a line for domains with that flag; %unless flag% for those without
    "%if%": "flag"          the same for a field of a schema
    "%snapshot%"            in a list of fields: the fields of a version; "%optional%": the same, all nullable

A template `method.FLAG.sql` replaces `method.sql` for domains with that flag.
"""

import json
import re

from avro_types import Node, Wrong, read_json, upper

JSON = {"type": "string", "logicalType": "json"}
AVRO = {"text": "string", "json": JSON, "words": JSON, "boolean": "boolean", "switch": "boolean", "int": "int"}
LINE = re.compile(r"%(if|unless) (\w+)% ?(.*)")
LOOP = re.compile(r"%snapshot: ((?:[^%]|\n)*)%")
WORD = re.compile(r"%(\w+)%")


class Snapshot:
    """A field of a version: its texts in SQL."""

    def __init__(self, name, kind, member):
        self.name, self.kind, self.required = name, kind.rstrip("!"), kind.endswith("!")
        self.one, self.loose = member.one, "loose" in member.flags
        self.old = f'v."{name}"'

    def stored(self, value):
        """The value as the column holds it."""
        return {"json": f"nullif({value}, 'null')", "switch": f"coalesce({value}, false)",
                "words": self.words(value.replace("}", ":text}"))}.get(self.kind, value)

    @staticmethod
    def words(value):
        """A JSON string is stored as its text, a JSON list as it was sent."""
        return f"CASE WHEN left({value}, 1) = '\"' THEN {value}::jsonb #>> '{{}}' ELSE {value} END"

    def read(self):
        """The column as the reference reads it. Text that holds a JSON list is that list."""
        if self.kind == "switch":
            return f"CASE WHEN v.id IS NOT NULL THEN coalesce({self.old}, false) END AS \"{self.name}\""
        if self.kind == "words":
            return (f"CASE WHEN ltrim({self.old}) LIKE '[%' THEN to_jsonb({self.old}) "
                    f"ELSE to_jsonb(to_jsonb({self.old})::text) END AS \"{self.name}\"")
        return self.old

    def differs(self):
        """The field's name if an update changes it."""
        given, clear = f":{{{self.name}}}", f":{{clear:jsonb}} ? '{self.name}'"
        if self.loose:
            pair = [self.stored(given), self.old]
            if self.kind == "json":
                pair = [f"jsonb_strip_nulls({side})" for side in pair]
            return f"CASE WHEN ({given} IS NOT NULL OR {clear}) AND {pair[0]} IS DISTINCT FROM {pair[1]} THEN '{self.name}' END"
        null = f" OR {given} = 'null'" if self.kind == "json" else ""
        return f"CASE WHEN {clear}{null} OR {given} IS DISTINCT FROM {self.old} AND {given} IS NOT NULL THEN '{self.name}' END"

    def next(self):
        """The field in the version that an update makes."""
        given = f":{{{self.name}}}"
        cleared = self.stored("NULL::bool") if self.kind == "switch" else "NULL"
        return (f"CASE WHEN :{{clear:jsonb}} ? '{self.name}' THEN {cleared} WHEN {given} IS NULL THEN {self.old} "
                f"ELSE {self.stored(given)} END")

    def text(self, template):
        given = f':{{{self.name}}} AS "{self.name}"'
        values = {"name": self.name, "read": self.read(), "returned": given if self.kind == "switch" else self.read(), "own": self.stored(f":{{{self.name}}}"),
                  "write": self.stored(f":{{{self.one}.{self.name}}}"), "differs": self.differs(), "next": self.next(),
                  "named": f"CASE WHEN :{{{self.one}.{self.name}}} IS NOT NULL THEN '{self.name}' END"}
        return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)

    def field(self, optional):
        node = {"name": self.name, "type": AVRO[self.kind]}
        if self.required and not optional:
            return node
        # What the reference returns for NULL in a column of a text or a boolean; any other one is undefined.
        absent = {"absent": "null"} if self.kind in ("text", "boolean") else {}
        return {**node, "type": ["null", node["type"]], "default": None, **absent}


class Member:
    """A domain of a family."""

    def __init__(self, domain, declared):
        self.domain, self.flags = domain, declared.get("flags", [])
        self.words = {"domain": domain, "tables": ", ".join(f':"schema".{table}' for table in declared.get("tables", [])),
                      **{word: text for word, text in declared.items() if isinstance(text, str)}}
        self.snapshot = []
        if "snapshot" in declared:
            self.one = declared["one"]
            self.snapshot = [Snapshot(name, kind, self) for name, kind in declared["snapshot"].items()]
            self.words.update(self.versions(declared))

    def versions(self, declared):
        """The words of a domain with versions."""
        return {"entities": declared["tables"][0], "versions": declared["tables"][1], "many": self.domain,
                "ONE": upper(self.one), "status": "published" if "published" in self.flags else "",
                "anyOptional": self.any_given()}

    def any_given(self):
        given = " OR ".join(f":{{{field.name}}} IS NOT NULL" for field in self.snapshot)
        names = ", ".join(f"'{field.name}'" for field in self.snapshot)
        return f"({given} OR :{{clear:jsonb}} ?| ARRAY[{names}])"

    def clearable(self):
        """The fields that an update may set to null."""
        entity = ["authorId", "activeVersionId"] + [name for name, flag in (("visibility", "visibility"), ("metadata", "replaced")) if flag in self.flags]
        revised = [field.name for field in self.snapshot if not field.required] if "revised" in self.flags else []
        return entity + revised

    def sql(self, text):
        lines = []
        for line in text.split("\n"):
            found = LINE.fullmatch(line)
            if not found:
                lines.append(line)
            elif (found[2] in self.flags) == (found[1] == "if"):
                lines.append(found[3])
        text = LOOP.sub(lambda found: ", ".join(field.text(found[1]) for field in self.snapshot), "\n".join(lines))
        return self.fill(text)

    def fill(self, text):
        return WORD.sub(lambda found: self.words.get(found[1], found[0]), text)

    def schema(self, node):
        """A node of a schema template, with the domain's words, flags and fields."""
        if isinstance(node, str):
            return self.clearable() if node == "%clearable%" else self.fill(node)
        if isinstance(node, list):
            return [made for item in node for made in self.items(item)]
        if not isinstance(node, Node):
            return node
        made = Node((key, self.schema(value)) for key, value in node.items() if key != "%if%")
        made.file, made.line = node.file, node.line
        return made

    def items(self, item):
        if item in ("%snapshot%", "%optional%"):
            return [located(field.field(item == "%optional%")) for field in self.snapshot]
        if isinstance(item, Node) and "%if%" in item and item["%if%"] not in self.flags:
            return []
        return [self.schema(item)]


def located(value):
    """A field as JSON with line numbers, which has none of its own."""
    if isinstance(value, dict):
        return Node((key, located(inner)) for key, inner in value.items())
    return [located(inner) for inner in value] if isinstance(value, list) else value


class Family:
    """The templates of a folder, and the domains that they make."""

    def __init__(self, root, file):
        self.folder = file.parent.name
        self.schemas, self.handlers = root / "schemas/domains" / self.folder, file.parent
        try:
            self.members = [Member(domain, declared) for domain, declared in read_json(file).items()]
        except KeyError as error:
            raise Wrong(file, 1, f"a domain lacks {error}") from None

    def template(self, member, method):
        for flag in member.flags:
            special = self.handlers / f"{method}.{flag}.sql"
            if special.exists():
                return special
        return self.handlers / f"{method}.sql"


def families(root):
    return [Family(root, file) for file in sorted((root / "handlers/domains").glob("*/family.json"))]

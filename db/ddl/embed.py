#!/usr/bin/env python3
"""Compiles the DDL of this folder into a C table: embed.py FOLDER OUTPUT.

Each file is plain SQL with placeholders. `:"schema"` and `:"name"` stand for the quoted names of the
schema and of the object, `:'schema'` and `:'name'` for the same names as literals. `:concurrently `
stands for CONCURRENTLY if the table has rows, `:version` for the version. An object begins with a tag
and ends at the next one:

    --- table NAME                migrations add the columns of `later` to older tables, in this order
    ---   later COLUMN...         (*: all columns); before them the timestamp columns and their Z twins
    --- index NAME [default] [prefixed|lowered|hashed]
    ---   needs COLUMN TYPE       created only if this column of the table has this type
    --- obsolete NAME [default]   an index that migrations drop
    --- constraint NAME on TABLE  the schema's name becomes part of the constraint's name
    --- primary NAME on TABLE     a constraint; any primary key of the table satisfies it
    --- replica NAME on TABLE     makes the constraint's index the replica identity
    --- before NAME on TABLE      runs before that constraint is added to an existing table
    --- function NAME
    --- trigger NAME on TABLE
    ---   calls FUNCTION
    --- change NAME               runs if the table has the column, or after the other change
    ---   when TABLE.COLUMN
    ---   after CHANGE
    ---   gone TABLE...           the tables that the change drops or renames
    --- repair NAME on TABLE      the first statement tells whether the others are needed
    --- version NUMBER

`default`: skipDefaultIndexes leaves the index out. db/migrate/ddl_name.h has the rules for names.
"""
import pathlib
import re
import sys

KINDS = ("table", "constraint", "primary", "replica", "function", "trigger", "index", "obsolete",
         "before", "change", "repair", "version")
OWN = ("stowage", "stowage_builds")  # the worker's own; the first has the version, and comes last
NAMINGS = ("prefixed", "lowered", "hashed")
ATTRIBUTES = {"later": None, "needs": 2, "calls": 1, "when": 1, "after": 1, "gone": None}
WITH_TABLE = ("constraint", "primary", "replica", "before", "trigger", "repair")
TYPES = {  # as written: (as format_type() prints it, the default of a NOT NULL column added later)
    "text": ("text", "''"), "jsonb": ("jsonb", "'{}'::jsonb"), "bytea": ("bytea", "''"),
    "integer": ("integer", "0"), "bigint": ("bigint", "0"),
    "double precision": ("double precision", "0"), "boolean": ("boolean", "false"),
    "timestamptz": ("timestamp with time zone", "now()"),
    "timestamp": ("timestamp without time zone", "now()"),
}
COLUMN = re.compile(r'\t(?:"(\w+)"|(\w+)) (%s)\b(.*?),?$' % "|".join(sorted(TYPES, reverse=True)))


def fail(where, what):
    sys.exit(f"{where}: {what}")


def parse(path):
    """Returns the objects of one file: dicts of kind, name, table, flags, attributes and lines of SQL."""
    objects, quoted = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path}:{number}"
        if line.startswith("---   ") and objects:
            key, *words = line[6:].split()
            if key not in ATTRIBUTES or ATTRIBUTES[key] not in (None, len(words)):
                fail(where, f"unknown attribute, or wrong number of words: {line}")
            objects[-1]["attributes"].setdefault(key, []).extend(words)
        elif line.startswith("--- "):
            objects.append(parse_tag(line[4:].split(), where, path.stem))
        elif quoted or not line.startswith("--"):
            if objects:
                objects[-1]["lines"].append(line)
            elif line.strip():
                fail(where, "SQL before the first tag")
            quoted ^= line.count("$$") % 2 == 1
    return objects


def parse_tag(words, where, domain):
    kind, name, *rest = words
    if kind not in KINDS:
        fail(where, f"unknown kind of object: {kind}; use one of {', '.join(KINDS)}")
    table = None
    if rest[:1] == ["on"] and kind in WITH_TABLE:
        table, rest = rest[1], rest[2:]
    elif kind in WITH_TABLE:
        fail(where, f"{kind} needs 'on TABLE'")
    unknown = [word for word in rest if word not in NAMINGS + ("default",)]
    if unknown or (rest and kind not in ("index", "obsolete")):
        fail(where, f"unexpected after the name: {' '.join(unknown or rest)}")
    naming = "constrained" if kind in ("constraint", "primary", "replica", "before") else "fixed"
    return {"kind": kind, "name": name, "table": table, "default": "default" in rest,
            "naming": next((word for word in rest if word in NAMINGS), naming),
            "attributes": {}, "lines": [], "where": where, "domain": domain}


def statements(item):
    """Returns the object's statements without their semicolons."""
    result, current, quoted = [], [], False
    for line in item["lines"]:
        quoted ^= line.count("$$") % 2 == 1
        current.append(line)
        if not quoted and line.endswith(";"):
            result.append("\n".join(current).strip()[:-1])
            current = []
    if any(line.strip() for line in current):
        fail(item["where"], "the last statement does not end in a semicolon at the end of a line")
    if not result:
        fail(item["where"], f"{item['kind']} {item['name']} has no SQL")
    return result


def columns(item):
    """Returns (name, definition, type, NOT NULL?) of each column of a table."""
    found = []
    for line in item["lines"]:
        match = COLUMN.match(line)
        if match:
            quoted, plain, kind, rest = match.groups()
            found.append((quoted or plain, line.strip().rstrip(","), kind, "NOT NULL" in rest))
        elif line.startswith("\t") and not line.startswith("\tPRIMARY KEY ("):
            fail(item["where"], f"cannot read this column: {line.strip()}; known types: {', '.join(TYPES)}")
    return found


def later(item, found):
    """Returns (name, definition) of the columns that older tables may lack, in the order to add them."""
    by_name = {column[0]: column for column in found}
    names = [name + twin for name, _, kind, _ in found if kind == "timestamp" for twin in ("", "Z")]
    given = item["attributes"].get("later", [])
    for name in by_name if given == ["*"] else given:
        if name not in by_name:
            fail(item["where"], f"`later` names {name}, which is not a column of the table")
        if name not in names:
            names.append(name)
    rows = []
    for name in names:
        _, definition, kind, required = by_name[name]
        definition = definition.replace(" PRIMARY KEY", "")
        if required and " DEFAULT " not in definition:
            definition += f" DEFAULT {TYPES[kind][1]}"
        rows.append((name, definition))
    return rows


def check(objects):
    tables = {item["name"] for item in objects if item["kind"] == "table"}
    functions = {item["name"] for item in objects if item["kind"] == "function"}
    seen = set()
    for item in objects:
        if (item["kind"], item["name"]) in seen:
            fail(item["where"], f"{item['kind']} {item['name']} is declared twice")
        seen.add((item["kind"], item["name"]))
        if item["kind"] == "index":
            match = re.search(r'\bON :"schema"\.(\w+)', "\n".join(item["lines"]))
            item["table"] = match and match.group(1)
        if item["kind"] in WITH_TABLE + ("index",) and item["table"] not in tables:
            fail(item["where"], f"{item['kind']} {item['name']}: table {item['table']} is not declared")
        calls = item["attributes"].get("calls", [None])[0]
        if (item["kind"] == "trigger") != (calls in functions):
            fail(item["where"], f"{item['kind']} {item['name']}: function {calls} is not declared")


def text(value):
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + escaped.replace("\n", '\\n"\n\t\t"') + '"'


def texts(values):
    return "(const char *const[]){" + ", ".join([*map(text, values), "NULL"]) + "}"


def entry(item):
    attributes = item["attributes"]
    fields = {"kind": f"DDL_{item['kind'].upper()}", "naming": f"DDL_{item['naming'].upper()}",
              "domain": text(item["domain"]), "name": text(item["name"]),
              "table": text(item["name"] if item["kind"] == "table" else item["table"]),
              "own": str(item["domain"] in OWN).lower(),
              "by_default": str(item["default"]).lower(), "sql": texts(statements(item))}
    if item["kind"] == "table":
        found = columns(item)
        rows = "".join(f"\n\t\t{{{text(c[0])}, {text(TYPES[c[2]][0])}}}," for c in found)
        fields["columns"] = "(const struct ddl_column[]){" + rows + "\n\t\t{NULL, NULL}}"
        rows = "".join(f"\n\t\t{{{text(n)}, {text(d)}}}," for n, d in later(item, found))
        fields["later"] = "(const struct ddl_later[]){" + rows + "\n\t\t{NULL, NULL}}"
    if "needs" in attributes:
        fields["needs_column"], fields["needs_type"] = map(text, attributes["needs"])
    if "when" in attributes:
        fields["when_table"], fields["when_column"] = map(text, attributes["when"][0].split("."))
    for key in ("calls", "after"):
        if key in attributes:
            fields[key] = text(attributes[key][0])
    if "gone" in attributes:
        fields["gone"] = texts(attributes["gone"])
    return "\t{\n" + "".join(f"\t\t.{key} = {value},\n" for key, value in fields.items()) + "\t},\n"


def main(folder, output):
    files = sorted(pathlib.Path(folder).glob("*.sql"), key=lambda path: (path.stem == OWN[0], path.stem))
    objects = [item for path in files for item in parse(path)]
    check(objects)
    version = [item["name"] for item in objects if item["kind"] == "version"]
    if len(version) != 1:
        fail(folder, f"exactly one `--- version` is needed, found {len(version)}")
    pathlib.Path(output).write_text(
        "/* Generated by db/ddl/embed.py from db/ddl; change the files there. */\n"
        '#include "db/ddl/ddl_source.h"\n\n'
        "const struct ddl_source ddl_sources[] = {\n" + "".join(map(entry, objects)) + "};\n"
        "const size_t ddl_source_count = sizeof ddl_sources / sizeof *ddl_sources;\n"
        f"const int ddl_version = {int(version[0])};\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Puts the DDL of this folder into a C table: embed.py FOLDER OUTPUT.

Each file is plain SQL. `:"schema"` and `:"name"` stand for the quoted names of the schema and of
the object, `:'schema'` and `:'name'` for the same as literals, `:concurrently ` for that word
where a table has rows, `:version` for the version. A tag begins an object, which ends at the
next tag:

    --- table NAME                what `later` lists, in that order, is added to older tables (*: every
    ---   later COLUMN...         column); timestamp columns and their Z twins always are, first
    --- index NAME [default] [prefixed|lowered|hashed]
    ---   needs COLUMN TYPE       only if the column of the index's table has that type
    --- obsolete NAME [default]   an index to be dropped
    --- constraint NAME on TABLE  the name is made for the schema
    --- primary NAME on TABLE     a constraint that any primary key of the table satisfies
    --- replica NAME on TABLE     that constraint's index as replica identity
    --- before NAME on TABLE      runs first where that constraint is added to a table with rows
    --- function NAME
    --- trigger NAME on TABLE
    ---   calls FUNCTION
    --- change NAME               runs if the table has the column, or after that other change
    ---   when TABLE.COLUMN
    ---   after CHANGE
    ---   gone TABLE...           the tables it takes away
    --- repair NAME on TABLE      the first statement asks whether the others are needed
    --- version NUMBER

`default`: left out with skipDefaultIndexes. The names' rules are in db/migrate/ddl_name.h.
"""
import pathlib
import re
import sys

KINDS = ("table", "constraint", "primary", "replica", "function", "trigger", "index", "obsolete",
         "before", "change", "repair", "version")
NAMINGS = ("prefixed", "lowered", "hashed")
ATTRIBUTES = {"later": None, "needs": 2, "calls": 1, "when": 1, "after": 1, "gone": None}
WITH_TABLE = ("constraint", "primary", "replica", "before", "trigger", "repair")
TYPES = {  # as written: (as format_type() has it, what a NOT NULL column added later holds)
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
    """The objects of one file: dicts of kind, name, table, flags, attributes and lines of SQL."""
    objects, quoted = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path}:{number}"
        if line.startswith("---   ") and objects:
            key, *words = line[6:].split()
            if key not in ATTRIBUTES or ATTRIBUTES[key] not in (None, len(words)):
                fail(where, f"not an attribute: {line}")
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
        fail(where, f"not a kind of object: {kind}")
    table = None
    if rest[:1] == ["on"] and kind in WITH_TABLE:
        table, rest = rest[1], rest[2:]
    elif kind in WITH_TABLE:
        fail(where, f"{kind} of which table?")
    unknown = [word for word in rest if word not in NAMINGS + ("default",)]
    if unknown or (rest and kind not in ("index", "obsolete")):
        fail(where, f"not known here: {' '.join(unknown or rest)}")
    naming = "constrained" if kind in ("constraint", "primary", "replica", "before") else "fixed"
    return {"kind": kind, "name": name, "table": table, "default": "default" in rest,
            "naming": next((word for word in rest if word in NAMINGS), naming),
            "attributes": {}, "lines": [], "where": where, "domain": domain}


def statements(item):
    """The object's SQL, a string for each statement, without the final semicolons."""
    result, current, quoted = [], [], False
    for line in item["lines"]:
        quoted ^= line.count("$$") % 2 == 1
        current.append(line)
        if not quoted and line.endswith(";"):
            result.append("\n".join(current).strip()[:-1])
            current = []
    if any(line.strip() for line in current):
        fail(item["where"], "the last statement has no semicolon at the end of its line")
    if not result:
        fail(item["where"], "no SQL")
    return result


def columns(item):
    """Name, definition, type and whether NOT NULL of each column of a table."""
    found = []
    for line in item["lines"]:
        match = COLUMN.match(line)
        if match:
            quoted, plain, kind, rest = match.groups()
            found.append((quoted or plain, line.strip().rstrip(","), kind, "NOT NULL" in rest))
        elif line.startswith("\t") and not line.startswith("\tPRIMARY KEY ("):
            fail(item["where"], f"not a column: {line.strip()}")
    return found


def later(item, found):
    """The columns that older tables may lack and how they are added, in order."""
    by_name = {column[0]: column for column in found}
    names = [name + twin for name, _, kind, _ in found if kind == "timestamp" for twin in ("", "Z")]
    given = item["attributes"].get("later", [])
    for name in by_name if given == ["*"] else given:
        if name not in by_name:
            fail(item["where"], f"no column {name}")
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
            fail(item["where"], f"{item['kind']} {item['name']} is there twice")
        seen.add((item["kind"], item["name"]))
        if item["kind"] == "index":
            match = re.search(r'\bON :"schema"\.(\w+)', "\n".join(item["lines"]))
            item["table"] = match and match.group(1)
        if item["kind"] in WITH_TABLE + ("index",) and item["table"] not in tables:
            fail(item["where"], f"no table {item['table']}")
        calls = item["attributes"].get("calls", [None])[0]
        if (item["kind"] == "trigger") != (calls in functions):
            fail(item["where"], f"no function {calls}")


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
              "own": str(item["domain"] == "stowage").lower(),
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
    files = sorted(pathlib.Path(folder).glob("*.sql"), key=lambda path: (path.stem == "stowage", path.stem))
    objects = [item for path in files for item in parse(path)]
    check(objects)
    version = [item["name"] for item in objects if item["kind"] == "version"]
    if len(version) != 1:
        fail(folder, "one version is needed")
    pathlib.Path(output).write_text(
        "/* Made by db/ddl/embed.py from db/ddl: change it there. */\n"
        '#include "db/ddl/ddl_source.h"\n\n'
        "const struct ddl_source ddl_sources[] = {\n" + "".join(map(entry, objects)) + "};\n"
        "const size_t ddl_source_count = sizeof ddl_sources / sizeof *ddl_sources;\n"
        f"const int ddl_version = {int(version[0])};\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

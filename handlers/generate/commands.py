#!/usr/bin/env python3
"""Generates the tables of commands from their declarations.

    commands.py SRC OUT                writes the C tables into the folder OUT (CMake runs this)
    commands.py --reference SRC        prints the list of commands as Markdown
    commands.py --write-reference SRC  writes the list into SRC/handlers/README.md
    commands.py --check-reference SRC  fails if the list in SRC/handlers/README.md is out of date

Reads these files under SRC; CONTRIBUTING.md describes their content:

    schemas/domains/<domain>/<Method>.avsc   the request and the reply record of a command
    schemas/domains/<domain>/types.avsc      records that several commands of the domain use
    schemas/Error.avsc                       the error record
    schemas/history/<domain>/*.avsc          complete request records of earlier releases
    handlers/domains/<domain>/<method>.sql   a header and the statements of a command

Reports every mistake at once as "file:line: what, and what to do". After a mistake it writes nothing and
deletes the tables of the last run, so that the build cannot use stale ones.
"""

import json
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # a build must not write into the source tree
from avro_types import NAME, ROOT, Node, Schemas, Type, Wrong, read_json, unreadable, upper
from reference import reference_embedded, reference_text

HEADER_WORDS = ("key", "reply", "flags", "fold", "handler", "params", "missing")
FLAGS = ("read", "write", "fold", "barrier", "outside", "detached", "named", "positional")
REFERENCE_MODES = ("--reference", "--write-reference", "--check-reference")
SHAPES = ("none", "row", "rows", "value", "custom")
# The PostgreSQL types that the generic handler binds, each with the Avro types that it accepts.
BINDS = {
    "text": ("string", "json"), "jsonb": ("string", "json"), "bool": ("boolean",),
    "int4": ("int",), "int8": ("int", "long"), "float8": ("int", "long", "float", "double"),
    "timestamptz": ("long", "timestamp-millis"), "bytea": ("bytes",), "text[]": ("array<string>",),
}
INFERRED = {
    "string": "text", "json": "jsonb", "boolean": "bool", "int": "int4", "long": "int8",
    "timestamp-millis": "timestamptz", "float": "float8", "double": "float8", "bytes": "bytea",
    "array<string>": "text[]",
}


# ---------------------------------------------------------------- handlers/<domain>/<method>.sql

SQL_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$)"
    r"|\$(?P<param>[0-9]+)|(?P<end>;)|[A-Za-z_][A-Za-z0-9_]*|.", re.S)

DIRECTIVE = re.compile(r"--\s*(statement|part|use):\s*(.*?)\s*")


class Statement:
    """One SQL text without its comments."""

    def __init__(self, file, line, name, text):
        self.file, self.line, self.name = file, line, name
        kept, params, ended = [], set(), False
        for token in SQL_TOKEN.finditer(text.rstrip().rstrip(";")):
            if not token["comment"]:
                kept.append(token[0])
                ended = ended or bool(token["end"])
            if token["param"]:
                params.add(int(token["param"]))
        lines = (kept_line.rstrip() for kept_line in "".join(kept).split("\n"))
        self.sql = "\n".join(kept_line for kept_line in lines if kept_line)
        self.param_count = max(params, default=0)
        if ended:
            raise Wrong(file, line, 'one statement only: separate several by lines "-- statement: name"')
        unused = set(range(1, self.param_count + 1)) - params
        if unused or 0 in params:
            raise Wrong(file, line, f"parameter ${min(unused or params)} is not used: number the parameters from $1 without gaps")


class Source:
    """A .sql file: its header and its statements."""

    def __init__(self, file):
        self.file = file
        self.header = {}
        self.lines = {}
        try:
            lines = file.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError:
            raise Wrong(file, 1, "not UTF-8: save the file as UTF-8") from None
        at = self.read_header(lines)
        self.read_parts(lines, at)
        self.read_statements(lines, at)

    def read_header(self, lines):
        at = 0
        while at < len(lines):
            found = re.fullmatch(r"--\s*([a-z]+):\s*(.*?)\s*", lines[at])
            if not found or found[1] in ("statement", "part"):
                break
            word, value, line = found[1], found[2], at + 1
            while value.endswith(",") and at + 1 < len(lines) and lines[at + 1].startswith("--"):
                at += 1
                value += " " + lines[at][2:].strip()
            self.add_word(word, value, line)
            at += 1
        return at

    def add_word(self, word, value, line):
        if word not in HEADER_WORDS:
            raise Wrong(self.file, line, f'unknown word "{word}": use one of {", ".join(HEADER_WORDS)} '
                        "(start a free comment with a capital letter)")
        if word in self.header:
            raise Wrong(self.file, line, f'"{word}" is given twice: keep one (the first is at line {self.lines[word]})')
        if not value:
            raise Wrong(self.file, line, f'"{word}" has no value: give it one or remove the line')
        self.header[word], self.lines[word] = value, line

    def read_parts(self, lines, at):
        """Collects the parts that statements share and blanks their lines, so that line numbers stay."""
        self.parts, part, used = {}, None, set()
        for index in range(at, len(lines)):
            found = DIRECTIVE.fullmatch(lines[index])
            word, name = found.groups() if found else (None, None)
            if word == "statement":
                part = None
            elif word == "part":
                if name in self.parts or not NAME.fullmatch(name):
                    raise Wrong(self.file, index + 1, f'part name "{name}" is used twice or is not a name')
                part = self.parts[name] = []
            elif word == "use" and part is not None:
                raise Wrong(self.file, index + 1, "a part cannot use another part: write the lines out")
            elif word == "use":
                used.add(name)
            elif part is not None:
                part.append(lines[index])
            if part is not None:
                lines[index] = ""
        for name in sorted(used ^ set(self.parts)):
            raise Wrong(self.file, 1, f'part "{name}" needs a line "-- part: {name}" and a line "-- use: {name}"')

    def with_parts(self, lines):
        for line in lines:
            found = DIRECTIVE.fullmatch(line)
            yield from self.parts[found[2]] if found and found[1] == "use" else [line]

    def read_statements(self, lines, at):
        self.statements = []
        name, begin, names = "", at, {""}
        for index in range(at, len(lines) + 1):
            line = lines[index] if index < len(lines) else "-- statement: end"
            found = re.fullmatch(r"--\s*([a-z]+):\s*(.*?)\s*", line)
            if found and found[1] in HEADER_WORDS:
                raise Wrong(self.file, index + 1, f'the header line "{found[1]}" belongs to the top of the file')
            if not found or found[1] != "statement":
                continue
            self.add_statement(name, begin, "\n".join(self.with_parts(lines[begin:index])))
            name, begin = found[2], index + 1
            if index < len(lines) and (name in names or not NAME.fullmatch(name)):
                raise Wrong(self.file, index + 1, f'statement name "{name}" is used twice or is not a name')
            names.add(name)

    def add_statement(self, name, begin, text):
        leading = re.match(r"(?:\s|--[^\n]*(?:\n|$))*", text)[0].count("\n")
        statement = Statement(self.file, begin + leading + 1, name, text)
        if statement.sql:
            self.statements.append(statement)
        elif name:
            raise Wrong(self.file, begin, f"statement {name} is empty: write it, or remove its line")

    def wrong(self, word, text):
        return Wrong(self.file, self.lines.get(word, 1), text)


# ---------------------------------------------------------------- commands


class Command:
    """A command: the declarations of its two files, checked against each other."""

    def __init__(self, domain, method, request, reply, source):
        self.domain, self.method = domain, method
        self.name = f"{domain}.{method}"
        self.request, self.reply, self.source = request, reply, source
        self.handler = source.header.get("handler")
        self.check_flags()
        self.check_reply()
        self.check_key()
        self.check_handler()
        self.params = self.bind() if not self.handler else []
        self.missing = self.check_missing()

    def check_flags(self):
        self.flags = self.source.header.get("flags", "").replace(",", " ").split()
        for flag in self.flags:
            if flag not in FLAGS or self.flags.count(flag) > 1:
                raise self.source.wrong("flags", f'flag "{flag}" is unknown or given twice: use each of {", ".join(FLAGS)} up to once')
        if ("read" in self.flags) == ("write" in self.flags):
            raise self.source.wrong("flags", 'exactly one of read and write is required: "-- flags: read"')
        if "fold" in self.flags and not self.handler:
            raise self.source.wrong("flags", "the flag fold needs a handler: remove the flag, or write one")
        if "detached" in self.flags and "write" in self.flags:
            raise self.source.wrong("flags", "the flag detached is for reads: remove it")
        if "outside" in self.flags and ("fold" in self.flags or "detached" in self.flags):
            raise self.source.wrong("flags", "the flag outside excludes fold and detached: keep one")
        self.group = self.source.header.get("fold", self.method)
        if "fold" in self.source.header and ("fold" not in self.flags or not NAME.fullmatch(self.group)):
            raise self.source.wrong("fold", '"-- fold: group" needs the flag fold and a name of letters, digits and _')

    def check_reply(self):
        self.shape = self.source.header.get("reply", "")
        if self.shape not in SHAPES:
            raise self.source.wrong("reply", f'"-- reply:" is required: one of {", ".join(SHAPES)}')
        result = self.reply.fields[0].type
        fits = {"none": result.kind == "null", "row": result.kind == "record",
                "rows": result.kind == "array" and result.item.kind == "record",
                "value": result.kind not in ("record", "null"), "custom": True}[self.shape]
        if not fits:
            raise self.source.wrong("reply", f'reply "{self.shape}" does not fit the result type {result.text()}')

    def check_key(self):
        self.key = self.source.header.get("key", "")
        if self.key and self.path("key", self.key).kind not in ("string", "int", "long"):
            raise self.source.wrong("key", f"the key {self.key} is not a string, int or long")

    def check_handler(self):
        statements = self.source.statements
        if self.handler and not NAME.fullmatch(self.handler):
            raise self.source.wrong("handler", f'"{self.handler}" is not a name of a C function')
        if self.handler and "params" in self.source.header:
            raise self.source.wrong("params", "a command with a handler binds its parameters itself: remove the line")
        if not self.handler and self.shape == "custom":
            raise self.source.wrong("reply", 'reply custom needs a C function: add "-- handler: name"')
        if not self.handler and (len(statements) != 1 or statements[0].name):
            raise self.source.wrong("handler", "a command without a handler needs exactly one statement, without a name")

    def path(self, word, path):
        """Returns the type at a dotted path in the request."""
        type_ = Type("record", record=self.request)
        for step in path.split("."):
            found = re.fullmatch(r"([A-Za-z0-9_]+)(\[0\])?", step)
            field = found and type_.record and type_.record.field(found[1])
            if not field:
                raise self.source.wrong(word, f'"{path}" does not exist in {self.request.full}: it has no field {step}')
            type_ = field.type
            if found[2] and type_.kind != "array":
                raise self.source.wrong(word, f'"{path}": {found[1]} is not an array')
            type_ = type_.item if found[2] else type_
        return type_

    def bind(self):
        given = [part.strip() for part in self.source.header.get("params", "").split(",") if part.strip()]
        needed = self.source.statements[0].param_count
        if len(given) != needed:
            raise self.source.wrong("params", f"the statement has {needed} parameters, but params lists {len(given)}")
        return [self.bind_one(part) for part in given]

    def bind_one(self, text):
        path, _, wanted = text.partition(":")
        if path == "@now":
            if wanted:
                raise self.source.wrong("params", "@now is a timestamptz: remove the type")
            return path, "timestamptz"
        label = self.path("params", path).label()
        chosen = wanted or INFERRED.get(label)
        if not chosen:
            raise self.source.wrong("params", f"{path} is {label}, which has no PostgreSQL type: bind it in a handler")
        if label not in BINDS.get(chosen, ()):
            raise self.source.wrong("params", f"{path} is {label} and cannot be bound as {chosen}")
        return path, chosen

    def check_missing(self):
        text = self.source.header.get("missing")
        if text is None:
            return None
        found = re.fullmatch(r"([A-Z][A-Z0-9_]*)\s+(.+)", text)
        if not found:
            raise self.source.wrong("missing", 'use the form "-- missing: CODE Message with {field}"')
        for path in re.findall(r"\{(.*?)\}", found[2]):
            self.path("missing", path)
        return found[1], found[2]


class Project:
    """All declarations under SRC; `errors` collects the mistakes in them."""

    def __init__(self, root):
        self.root, self.schemas_dir, self.handlers_dir = root, root / "schemas/domains", root / "handlers/domains"
        self.schemas = Schemas()
        self.errors, self.commands, self.history = [], [], []
        self.attempt(self.load_error)
        files = sorted(self.schemas_dir.glob("*/*.avsc"))
        pairs = {file: self.attempt(self.load, file) for file in files}
        for full in list(self.schemas.nodes):
            self.attempt(self.schemas.record, full)
        if not self.errors:
            for file, ok in pairs.items():
                self.attempt(self.add_command, file) if ok and file.stem != "types" else None
            for file in sorted(self.handlers_dir.glob("*/*.sql")):
                self.attempt(self.check_schema_there, file)
            for file in sorted((self.root / "schemas/history").glob("*/*.avsc")):
                self.attempt(self.add_history, file)
        self.commands.sort(key=lambda command: command.name)
        self.check_names()
        self.check_groups()

    def attempt(self, step, *arguments):
        try:
            step(*arguments)
            return True
        except Wrong as error:
            if str(error) not in self.errors:  # each user of a wrong type reports it
                self.errors.append(str(error))
            return False

    def load_error(self):
        file = self.root / "schemas/Error.avsc"
        self.schemas.register(read_json(file), ROOT)
        if f"{ROOT}.Error" not in self.schemas.nodes:
            raise Wrong(file, 1, f"does not define {ROOT}.Error")

    def load(self, file):
        domain, found = file.parent.name, read_json(file)
        expected = None if file.stem == "types" else [file.stem, file.stem + "Reply"]
        if not isinstance(found, list) or not all(isinstance(node, Node) for node in found):
            raise Wrong(file, 1, "must be a JSON array of records")
        if expected and [node.get("name") for node in found] != expected:
            raise Wrong(file, 1, f"must contain exactly the records {expected[0]} and {expected[1]}, in this order")
        for node in found:
            if node.get("type") != "record" or node.get("namespace") != f"{ROOT}.{domain}":
                raise Wrong(file, node.line, f'must be a record of "namespace": "{ROOT}.{domain}"')
            self.schemas.register(node, None)

    def add_command(self, file):
        domain, method = file.parent.name, file.stem[0].lower() + file.stem[1:]
        request = self.schemas.record(f"{ROOT}.{domain}.{file.stem}")
        reply = self.schemas.record(request.full + "Reply")
        if [field.name for field in reply.fields] != ["result"]:
            raise Wrong(file, self.schemas.nodes[reply.full].line, 'a reply must have "result" as its only field')
        sql = self.handlers_dir / domain / f"{method}.sql"
        if not sql.exists():
            raise Wrong(file, 1, f"the command needs {sql} with at least a header: write it")
        self.commands.append(Command(domain, method, request, reply, Source(sql)))

    def check_schema_there(self, file):
        stem = file.stem[0].upper() + file.stem[1:]
        avsc = self.schemas_dir / file.parent.name / f"{stem}.avsc"
        if not avsc.exists() or file.stem[0].isupper():
            raise Wrong(file, 1, f"the command needs {avsc}: Method.avsc belongs to method.sql")

    def add_history(self, file):
        old, found = Schemas(), read_json(file)
        old.register(found, None)
        full = getattr(found, "full", None)
        known = {command.request.full: command.request for command in self.commands}
        if full not in known:
            raise Wrong(file, 1, "must be the complete request record of an existing command, as an earlier release had it")
        problem = unreadable(Type("record", record=old.record(full)), Type("record", record=known[full]), "")
        if problem:
            node = self.schemas.nodes[full]
            raise Wrong(node.file, node.line, f"commands written with {file} cannot be read: {problem}")
        self.history.append((full, compact(old.define(full, set()))))

    def check_names(self):
        taken = {}
        for command in self.commands:
            for statement in [""] + [s.name for s in command.source.statements if s.name]:
                name = statement_id(command, statement)
                if name in taken:
                    self.errors.append(f"{command.source.file}:1: {taken[name]} also generates the name {name}: rename one")
                taken[name] = command.source.file

    def check_groups(self):
        first = {}
        for command in self.commands:
            leader = first.setdefault((command.domain, command.group), command)
            command.fold_id = self.commands.index(leader)
            if (leader.handler, leader.flags) != (command.handler, command.flags):
                self.errors.append(f"{command.source.file}:1: {command.name} and {leader.name} are in one fold group: "
                                   "give them the same handler and flags")


# ---------------------------------------------------------------- C


def record_id(full):
    return "_".join(upper(part) for part in full.split(".")[1:])


def statement_id(command, statement):
    base = f"SQL_{upper(command.domain)}_{upper(command.method)}"
    return f"{base}__{upper(statement)}" if statement else base


def compact(schema):
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def literal(text, indent="\t"):
    """Returns a C string literal with the space before it, split at its line ends and into lines of up to 96."""
    pieces = [piece for line in text.splitlines(keepends=True)
              for piece in (line[at:at + 96] for at in range(0, len(line), 96))] or [""]
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    quoted = ['"' + "".join(escapes.get(c, c) for c in piece) + '"' for piece in pieces]
    return " " + quoted[0] if len(quoted) == 1 else "".join(f"\n{indent}\t{piece}" for piece in quoted)


def made_by(path, about):
    return f"/* {path} - {about}; generated by handlers/generate/commands.py */\n"


def schema_table(project):
    lines = [made_by("schema_table.c", "the schemas of all commands"),
             '#include "schemas/catalog/schema_table.h"\n', "const struct schema_def schema_defs[] = {"]
    for command in project.commands:
        texts = [compact(project.schemas.define(record.full, set())) for record in (command.request, command.reply)]
        lines.append(f'\t{{ "{command.name}",{literal(texts[0])},{literal(texts[1])} }},')
    lines += ["};", f"const size_t schema_count = {len(project.commands)};\n",
              "const struct history_def history_defs[] = {"]
    lines += [f'\t{{ "{full}",{literal(text)} }},' for full, text in project.history] or ['\t{ "", "" },']
    error = compact(project.schemas.define(f"{ROOT}.Error", set()))
    lines += ["};", f"const size_t history_count = {len(project.history)};\n",
              f"const char schema_error[] ={literal(error)};"]
    return lines


def command_row(command, first):
    missing = [literal(part) for part in command.missing] if command.missing else [" NULL", " NULL"]
    flags = " | ".join(f"COMMAND_{flag.upper()}" for flag in command.flags)
    count = len(command.source.statements)
    return (f'\t{{ COMMAND_ID_{upper(command.domain)}_{upper(command.method)}, "{command.name}", "{command.domain}", "{command.method}", "{command.key}",\n\t\t{flags}, '
            f"{command.fold_id}, REPLY_{command.shape.upper()}, {command.handler or 'handle_generic'}, "
            f"{first if count else -1}, {count},"
            f"\n\t\t{missing[0].strip()},{missing[1]} }},")


def command_table(project):
    rows, at = [], 0
    for command in project.commands:
        rows.append(command_row(command, at))
        at += len(command.source.statements)
    names = [f'\t"{command.name}",' for command in project.commands]
    domains = [f'\t"{domain}",' for domain in sorted({command.domain for command in project.commands})]
    return [made_by("command_table.c", "the declarations of all commands"), '#include "commands.gen.h"',
            '#include "handlers/core/context.h"', '#include "handlers/domains/command_table.h"\n',
            "const struct command_def command_defs[] = {", *rows,
            "};", f"const size_t command_count = {len(rows)};\n", "const char *const command_names[] = {", *names, "};\n",
            "const char *const command_domains[] = {", *domains, "};", f"const size_t command_domain_count = {len(domains)};"]


def statement_table(project):
    statements, params = [], []
    for command in project.commands:
        array = f"{command.domain}_{command.method}_params" if command.params else "NULL"
        if command.params:
            bound = ", ".join(f'{{ "{path}", "{pg}" }}' for path, pg in command.params)
            params.append(f"static const struct param_def {array}[] = {{ {bound} }};")
        for statement in command.source.statements:
            name = command.name + (f":{statement.name}" if statement.name else "")
            statements.append(f'\t{{ "{name}",{literal(statement.sql)},\n\t\t{statement.param_count}, {array} }},')
    return [made_by("statement_table.c", "the statements of all commands"), '#include "handlers/core/command.h"\n', *params,
            "\nconst struct statement_def statement_defs[] = {",
            *(statements or ['\t{ "", "", 0, NULL },']), "};", f"const size_t statement_count = {len(statements)};"]


def commands_header(project):
    handlers = sorted({command.handler for command in project.commands if command.handler})
    ids = [f"{upper(command.domain)}_{upper(command.method)}" for command in project.commands]
    names = [statement_id(command, s.name) for command in project.commands for s in command.source.statements]
    return [made_by("commands.gen.h", "indices into command_defs and statement_defs, and the handlers"),
            "#ifndef COMMANDS_GEN_H\n#define COMMANDS_GEN_H\n", '#include "handlers/core/command.h"\n',
            "enum command_id {", *(f"\tCOMMAND_ID_{name}," for name in ids), "\tCOMMAND_ID_COUNT", "};\n",
            "enum statement_id {", *(f"\t{name}," for name in names), "\tSQL_COUNT", "};\n",
            *(f"handler_fn {handler};" for handler in handlers), "\n#endif"]


def fields_header(project):
    lines = [made_by("fields.gen.h", "the index of each field in its record; X_SIZE is the number of fields"),
             "#ifndef FIELDS_GEN_H\n#define FIELDS_GEN_H\n"]
    for full in sorted(project.schemas.records):
        names = [f"\t{record_id(full)}__{upper(field.name)}," for field in project.schemas.records[full].fields]
        lines += [f"enum {{ /* {full} */", *names, f"\t{record_id(full)}_SIZE", "};\n"]
    return lines + ["#endif"]


OUTPUTS = {"schema_table.c": schema_table, "statement_table.c": statement_table,
           "command_table.c": command_table, "commands.gen.h": commands_header, "fields.gen.h": fields_header}


def reference(project, mode):
    """Prints the list of commands, or writes or checks the one in handlers/README.md."""
    if mode == "--reference":
        return print(reference_text(project.commands), end="")
    file = project.root / "handlers/README.md"
    text = file.read_text(encoding="utf-8")
    wanted = reference_embedded(project.commands, text)
    if wanted is None:
        sys.exit(f"{file}:1: has no list of commands: put back the marks that handlers/generate/reference.py names")
    if mode == "--write-reference":
        file.write_text(wanted, encoding="utf-8")
    elif wanted != text:
        sys.exit(f"{file}:1: the list of commands is out of date: "
                 f"run python3 handlers/generate/commands.py --write-reference {project.root}")
    return None


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    if arguments[0] in REFERENCE_MODES:
        root, out = Path(arguments[1]), None
    else:
        root, out = (Path(argument) for argument in arguments)
        for name in OUTPUTS:
            (out / name).unlink(missing_ok=True)
    project = Project(root)
    if project.errors:
        sys.exit("\n".join(project.errors))
    if out is None:
        return reference(project, arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    for name, make in OUTPUTS.items():
        (out / name).write_text("\n".join(make(project)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

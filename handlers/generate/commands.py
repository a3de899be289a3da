#!/usr/bin/env python3
"""Generates the tables of commands from their declarations.

    commands.py SRC OUT                writes the C tables into the folder OUT (CMake runs this)
    commands.py --reference SRC        prints the list of commands as Markdown
    commands.py --write-reference SRC  writes the list into SRC/handlers/README.md
    commands.py --check-docs SRC       fails if a record or a field has no documentation in SRC/schemas
    commands.py --check-reference SRC  fails if the list in SRC/handlers/README.md is out of date

Reads these files under SRC; CONTRIBUTING.md describes their content:

    schemas/domains/<domain>/<Method>.avsc   the request and the reply record of a command
    schemas/domains/<domain>/types.avsc      records that several commands of the domain use
    schemas/Error.avsc                       the error record
    schemas/docs/*.json                      what commands, records and fields are, and examples
    schemas/{store,asyncapi}.json            what clients get as it is, and the frame of a document
    schemas/history/<domain>/*.avsc          complete request records of earlier releases
    handlers/domains/<domain>/<method>.sql   a header and the statements of a command

Reports every mistake at once as "file:line: what, and what to do". After a mistake it writes nothing and
deletes the tables of the last run, so that the build cannot use stale ones.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True  # a build must not write into the source tree
from avro_types import NAME, ROOT, Node, Schemas, Type, Wrong, read_json, unreadable, upper
from contract import entry, reply_schema, request_schema, undocumented
from docs import Docs
from family import families
from reference import reference_embedded, reference_text
from statements import ORDER, PARTS_FILE, Source, read_text, shared_parts

FLAGS = ("read", "write", "fold", "barrier", "outside", "detached", "named", "positional", "clear", "bare", "deferred", "group", "direct")
CHECK_DOCS = "--check-docs"
REFERENCE_MODES = (CHECK_DOCS, "--reference", "--write-reference", "--check-reference")
SHAPES = ("none", "row", "rows", "map", "value", "page", "custom")
CATEGORIES = ("INVALID", "NOT_FOUND", "CONFLICT", "UNSUPPORTED")
# The PostgreSQL types that the generic handler binds, each with the Avro types that it accepts.
BINDS = {
    "text": ("string", "json"), "jsonb": ("string", "json", "array<string>", "record"), "bool": ("boolean",),
    "int4": ("int",), "int8": ("int", "long"), "float8": ("int", "long", "float", "double"),
    "timestamptz": ("long", "timestamp-millis"), "bytea": ("bytes",), "text[]": ("array<string>",),
}
INFERRED = {
    "string": "text", "json": "jsonb", "boolean": "bool", "int": "int4", "long": "int8",
    "timestamp-millis": "timestamptz", "float": "float8", "double": "float8", "bytes": "bytea",
    "array<string>": "text[]", "record": "jsonb",
}

# Values that are no fields of the request.
SPECIAL = {"@now": "timestamptz", "@limit": "int8", "@offset": "int8"}

# ---------------------------------------------------------------- commands


@dataclass
class Paging:
    """The declaration of a page."""

    size: int  # the default of perPage
    where: str  # path of the record with page and perPage; "": the request
    echo: bool  # an empty list gives page and perPage back as they came, unchecked
    orders: list  # fields of orderBy
    descending: bool  # by default
    strict: bool  # another field or direction is an error, or else the default


def choices(type_, path):
    """The paths in a request whose fields declare the words that they allow."""
    for field in type_.record.fields:
        at = f"{path}.{field.name}" if path else field.name
        if "words" in field.node:
            yield at, field.node["words"]
        if field.type.record and not field.type.item:
            yield from choices(field.type, at)


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
        self.errors = [self.check_error(text) for text in source.header.get("error", [])]
        self.choices = list(choices(Type("record", record=request), ""))
        self.paging = self.check_page()
        self.bind()
        self.distinct = self.check_distinct()
        self.missing = self.check_missing()
        self.codes, self.options, self.absent = self.check_codes(), self.check_options(), self.check_absent()

    def check_flags(self):
        self.flags = self.source.header.get("flags", "").replace(",", " ").split()
        for flag in self.flags:
            if flag not in FLAGS or self.flags.count(flag) > 1:
                raise self.source.wrong("flags", f'flag "{flag}" is unknown or given twice: use each of {", ".join(FLAGS)} up to once')
        if ("read" in self.flags) == ("write" in self.flags):
            raise self.source.wrong("flags", 'exactly one of read and write is required: "-- flags: read"')
        named = any(statement.names for statement in self.source.statements)
        self.folded = "fold" in self.flags and (named or not self.handler)
        if "detached" in self.flags and "write" in self.flags:
            raise self.source.wrong("flags", "the flag detached is for reads: remove it")
        if "outside" in self.flags and ("fold" in self.flags or "detached" in self.flags):
            raise self.source.wrong("flags", "the flag outside excludes fold and detached: keep one")
        if "clear" in self.flags and ("fold" in self.flags or self.handler):
            raise self.source.wrong("flags", "the flag clear excludes fold and a handler: only the generic handler obeys it")
        self.group = self.source.header.get("fold", self.method)
        if "fold" in self.source.header and ("fold" not in self.flags or not NAME.fullmatch(self.group)):
            raise self.source.wrong("fold", '"-- fold: group" needs the flag fold and a name of letters, digits and _')

    def check_reply(self):
        self.shape = self.source.header.get("reply", "")
        if self.shape not in SHAPES:
            raise self.source.wrong("reply", f'"-- reply:" is required: one of {", ".join(SHAPES)}')
        result = self.reply.fields[0].type
        fits = {"none": result.kind == "null", "row": result.kind == "record",
                "rows": result.kind == "array", "map": result.kind == "map" and result.item.kind == "record",
                "value": result.kind not in ("record", "null"), "page": result.kind == "record", "custom": True}[self.shape]
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
        if not self.handler and (not statements or len(statements) > 1 and not statements[0].names):
            raise self.source.wrong("handler", "a command without a handler needs one statement, or several with named parameters")

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
        """Binds the parameters of a command without a handler, and those that a handler leaves named."""
        if self.paging:
            self.source.statements = list(self.page_statements())
        for statement in self.source.statements:
            if self.handler and not statement.names:
                continue
            if statement.names or self.folded or "params" not in self.source.header:
                params = [self.bind_one(name) for name in statement.names]
                (statement.bind_folded if self.folded else statement.bind)(params)
            else:
                self.bind_listed(statement)

    def bind_listed(self, statement):
        given = self.listed("params")
        if len(given) != statement.param_count:
            raise self.source.wrong("params", f"the statement has {statement.param_count} parameters, but params lists {len(given)}")
        statement.params = [self.bind_one(part) for part in given]

    def page_statements(self):
        """One SELECT becomes the count of its rows, and a page of them in each order."""
        base = self.source.statements[0]
        rows, found, order = base.sql.rpartition("\nORDER BY ")
        if len(self.source.statements) != 1 or not found:
            raise self.source.wrong("page", "a page needs one SELECT, whose last clause is an ORDER BY on a line of its own")
        yield base.variant("count", f"SELECT count(*) FROM ({rows}) AS counted")
        for field in self.paging.orders:
            for direction in ("ASC", "DESC"):
                item = ORDER.sub(lambda row: f'{row[1]}."{field}" {direction}', order)
                yield base.variant(f"{field}{direction.title()}",
                                   f"{rows}\nORDER BY {item}\nLIMIT :{{@limit}} OFFSET :{{@offset}}")

    def check_page(self):
        if self.shape != "page":
            return None
        size, *words = self.source.header.get("page", "").split() or [""]
        echo, where = "echo" in words, " ".join(word for word in words if word != "echo")
        order = self.source.header.get("order", "")
        strict, fields = order.startswith("strict "), order.removeprefix("strict ")
        orders = [part.split() for part in fields.split(",")]
        if not size.isdigit() or not all(order[:1] and order[1:] in ([], ["DESC"], ["ASC"]) for order in orders):
            raise self.source.wrong("page", 'reply page needs "-- page: size" and "-- order: field DESC, other field"')
        if where:
            self.path("page", where)
        return Paging(int(size), where, echo, [order[0] for order in orders], orders[0][1:] == ["DESC"], strict)

    def check_distinct(self):
        path = self.source.header.get("distinct", "")
        if bool(path) != self.folded:
            raise self.source.wrong("distinct", 'the flag fold with named parameters needs "-- distinct: path", and only it')
        for one in path.split():
            if self.path("distinct", one).kind != "string":
                raise self.source.wrong("distinct", f"{one} is not a string")
        return path

    def listed(self, word):
        return [part.strip() for part in self.source.header.get(word, "").split(",") if part.strip()]

    def check_codes(self):
        wrong = next((code for code in self.listed("codes") if not re.fullmatch(r"[A-Z][A-Z0-9_]*", code)), None)
        if wrong:
            raise self.source.wrong("codes", f'"{wrong}" is no code: use upper snake case, with commas between')
        return self.listed("codes")

    def check_options(self):
        options = self.listed("options")
        for name in options:
            self.path("options", name)
        if options and "positional" not in self.flags:
            raise self.source.wrong("options", "the flag positional is missing: options are the fields of its last parameter")
        return options

    def check_absent(self):
        kind, *fields = self.source.header.get("absent", "").split() or [None]
        if kind not in (None, "null", "undefined"):
            raise self.source.wrong("absent", 'use "-- absent: undefined", or null, and the names of fields if only they differ')
        return kind, fields

    def check_error(self, text):
        found = re.fullmatch(r"([A-Z][A-Z0-9_]*)\s+([A-Z_]+)\s+(.+)", text)
        if not found or found[2] not in CATEGORIES:
            raise self.source.wrong("error", f'use the form "-- error: CODE CATEGORY Message with {{field}}"; categories: {", ".join(CATEGORIES)}')
        for path in re.findall(r"\{(.*?)\}", found[3]):
            self.path("error", path)
        return found.groups()

    def bind_one(self, text):
        path, _, wanted = text.partition(":")
        if path in SPECIAL:
            if wanted:
                raise self.source.wrong("params", f"{path} is a {SPECIAL[path]}: remove the type")
            return path, SPECIAL[path]
        label = self.path("params", path).label()
        rows = label.startswith("array<") and label != "array<string>"  # of records: bound as their JSON
        chosen = wanted or ("jsonb" if rows else INFERRED.get(label))
        if not chosen:
            raise self.source.wrong("params", f"{path} is {label}, which has no PostgreSQL type: bind it in a handler")
        if self.folded and chosen == "text[]" and not wanted:
            chosen = "jsonb"
        if self.folded and chosen == "text[]":
            raise self.source.wrong("flags", f"{path} cannot be a text[] here, as each command has one row: leave the type out, it is jsonb")
        if label not in BINDS.get(chosen, ()) and not (rows and chosen == "jsonb"):
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


@dataclass
class Declaration:
    """A pair of files that declares a command, or a file of types; each may be made from a family's template."""

    domain: str
    schema: Path  # of the domain, or the template
    member: object = None  # of a family; None: the files are the domain's own
    family: object = None

    @property
    def method(self):
        return self.schema.stem[0].lower() + self.schema.stem[1:]

    def nodes(self):
        found = read_json(self.schema)
        return self.member.schema(found) if self.member else found

    def source(self, handlers):
        """The .sql file: the domain's own one if there is one."""
        own, parts = handlers / self.domain / f"{self.method}.sql", shared_parts(handlers / self.domain / PARTS_FILE)
        if not self.family:
            return self.own_source(own, parts)
        parts = {**shared_parts(self.family.handlers / PARTS_FILE, self.member.sql), **parts}
        file = own if own.exists() else self.family.template(self.member, self.method)
        return Source(file, None if own.exists() else self.member.sql(read_text(file)), parts)

    def own_source(self, own, parts):
        if not own.exists():
            raise Wrong(self.schema, 1, f"the command needs {own} with at least a header: write it")
        return Source(own, None, parts)


class Project:
    """All declarations under SRC; `errors` collects the mistakes in them."""

    def __init__(self, root):
        self.root, self.schemas_dir, self.handlers_dir = root, root / "schemas/domains", root / "handlers/domains"
        self.schemas = Schemas()
        self.errors, self.commands, self.history = [], [], []
        self.attempt(self.load_error)
        declarations = self.declarations()
        loaded = [made for made in declarations if self.attempt(self.load, made)]
        for full in list(self.schemas.nodes):
            self.attempt(self.schemas.record, full)
        if not self.errors:
            for made in loaded:
                self.attempt(self.add_command, made) if made.schema.stem != "types" else None
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
        self.files = {name: read_json(self.root / f"schemas/{name}.json") for name in ("store", "asyncapi")}
        self.docs = Docs(self.root / "schemas/docs")

    def declarations(self):
        self.families = []
        self.attempt(lambda: self.families.extend(families(self.root)))
        self.templates = {family.folder for family in self.families}
        own = [Declaration(file.parent.name, file) for file in sorted(self.schemas_dir.glob("*/*.avsc"))
               if file.parent.name not in self.templates]
        known = {(made.domain, made.schema.name) for made in own}
        return own + [Declaration(member.domain, file, member, family) for family in self.families
                      for member in family.members for file in sorted(family.schemas.glob("*.avsc"))
                      if (member.domain, file.name) not in known]

    def load(self, made):
        file, found = made.schema, made.nodes()
        expected = None if file.stem == "types" else [file.stem, file.stem + "Reply"]
        if not isinstance(found, list) or not all(isinstance(node, Node) for node in found):
            raise Wrong(file, 1, "must be a JSON array of records")
        if expected and [node.get("name") for node in found] != expected:
            raise Wrong(file, 1, f"must contain exactly the records {expected[0]} and {expected[1]}, in this order")
        for node in found:
            if node.get("type") != "record" or node.get("namespace") != f"{ROOT}.{made.domain}":
                raise Wrong(file, node.line, f'must be a record of "namespace": "{ROOT}.{made.domain}"')
            self.schemas.register(node, None)

    def add_command(self, made):
        request = self.schemas.record(f"{ROOT}.{made.domain}.{made.schema.stem}")
        reply = self.schemas.record(request.full + "Reply")
        if [field.name for field in reply.fields] != ["result"]:
            raise Wrong(made.schema, self.schemas.nodes[reply.full].line, 'a reply must have "result" as its only field')
        self.commands.append(Command(made.domain, made.method, request, reply, made.source(self.handlers_dir)))

    def check_schema_there(self, file):
        stem = file.stem[0].upper() + file.stem[1:]
        avsc = self.schemas_dir / file.parent.name / f"{stem.partition('.')[0]}.avsc"
        made = any(member.domain == file.parent.name and (family.schemas / avsc.name).exists()
                   for family in self.families for member in family.members)
        if file.name != PARTS_FILE and (not avsc.exists() and not made or file.stem[0].isupper()):
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
        texts = [literal(compact(make(project, command))) for make in (request_schema, reply_schema, entry)]
        lines.append(f'\t{{ "{command.name}",{",".join(texts)} }},')
    lines += ["};", f"const size_t schema_count = {len(project.commands)};\n",
              "const struct history_def history_defs[] = {"]
    lines += [f'\t{{ "{full}",{literal(text)} }},' for full, text in project.history] or ['\t{ "", "" },']
    lines += ["};", f"const size_t history_count = {len(project.history)};\n",
              f'const char schema_error[] ={literal(compact(project.schemas.define(f"{ROOT}.Error", set())))};',
              *(f"const char schema_{name}[] ={literal(compact(node))};" for name, node in project.files.items())]
    return lines


def handler_of(command):
    by_shape = "handle_page" if command.paging else "handle_folded" if command.folded else "handle_generic"
    return command.handler or by_shape


def words_array(words):
    return "(const char *const[]){ " + ", ".join(f'"{word}"' for word in [*words]) + ", NULL }"


def rules(command):
    """The command's array of allowed words, its errors and its paging, in C."""
    name = f"{command.domain}_{command.method}"
    if command.choices:
        rows = [f'\t{{ "{path}", "INVALID_{upper(path.rpartition(".")[2])}", {words_array(words)} }},' for path, words in command.choices]
        yield "\n".join([f"static const struct choice_def {name}_choices[] = {{", *rows, "\t{ NULL, NULL, NULL },", "};"])
    if command.errors:
        rows = [f'\t{{ "{code}", FAILURE_{category},{literal(message)} }},' for code, category, message in command.errors]
        yield "\n".join([f"static const struct error_def {name}_errors[] = {{", *rows, "\t{ NULL, 0, NULL },", "};"])
    if command.paging:
        page = command.paging
        yield (f'static const struct page_def {name}_page = {{ {page.size}, "{page.where}", {words_array(page.orders)},\n\t'
               f"{str(page.descending).lower()}, {str(page.strict).lower()}, {str(page.echo).lower()} }};")


def rule_names(command):
    name = f"{command.domain}_{command.method}"
    return (f"{name}_choices" if command.choices else "NULL", f"{name}_errors" if command.errors else "NULL",
            f"&{name}_page" if command.paging else "NULL", f'"{command.distinct}"' if command.distinct else "NULL")


def command_row(command, first):
    missing = [literal(part) for part in command.missing] if command.missing else [" NULL", " NULL"]
    flags = " | ".join(f"COMMAND_{flag.upper()}" for flag in command.flags)
    count = len(command.source.statements)
    return (f'\t{{ COMMAND_ID_{upper(command.domain)}_{upper(command.method)}, "{command.name}", "{command.domain}", "{command.method}", "{command.key}",\n\t\t{flags}, '
            f"{command.fold_id}, REPLY_{command.shape.upper()}, {handler_of(command)}, "
            f"{first if count else -1}, {count},"
            f"\n\t\t{missing[0].strip()},{missing[1]},\n\t\t{', '.join(rule_names(command))} }},")


def command_table(project):
    rows, at = [], 0
    for command in project.commands:
        rows.append(command_row(command, at))
        at += len(command.source.statements)
    names = [f'\t"{command.name}",' for command in project.commands]
    domains = [f'\t"{domain}",' for domain in sorted({command.domain for command in project.commands})]
    return [made_by("command_table.c", "the declarations of all commands"), '#include "commands.gen.h"',
            '#include "handlers/core/context.h"', '#include "handlers/domains/command_table.h"\n',
            *(rule for command in project.commands for rule in rules(command)),
            "const struct command_def command_defs[] = {", *rows,
            "};", f"const size_t command_count = {len(rows)};\n", "const char *const command_names[] = {", *names, "};\n",
            "const char *const command_domains[] = {", *domains, "};", f"const size_t command_domain_count = {len(domains)};"]


def statement_table(project):
    statements, params = [], []
    for command in project.commands:
        for index, statement in enumerate(command.source.statements):
            array = f"{command.domain}_{command.method}_{index}_params" if statement.params else "NULL"
            if statement.params:
                bound = ", ".join(f'{{ "{path}", "{pg}" }}' for path, pg in statement.params)
                params.append(f"static const struct param_def {array}[] = {{ {bound} }};")
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
    """Prints the list of commands, or writes or checks the one in handlers/README.md, or checks the documentation."""
    if mode == CHECK_DOCS:
        return sys.exit("\n".join(undocumented(project)))
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

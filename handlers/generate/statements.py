"""The .sql file of a command: its header, and its statements with their parameters.

A statement names its parameters in braces: `:{thread.id}` or `:{limit:int8}` is the value at that path of the
request, `:{@now}` the time of the command. The generator numbers them. A statement that numbers its own
($1, $2) is for a handler in C, or for a `params` line.
"""

import re

from avro_types import NAME, Wrong

HEADER_WORDS = ("key", "reply", "flags", "fold", "distinct", "handler", "params", "missing", "error", "codes", "absent", "options", "page", "order")
REPEATED_WORDS = ("error",)
PARTS_FILE = "parts.sql"  # of a domain: parts that its files share

SQL_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$)"
    r"|\$(?P<param>[0-9]+)|:\{(?P<named>[^{}]*)\}|(?P<end>;)|[A-Za-z_][A-Za-z0-9_]*|.", re.S)

DIRECTIVE = re.compile(r"--\s*(statement|part|use):\s*(.*?)\s*")
NAMED = re.compile(r":\{([^{}]*)\}")
PATCH = re.compile(r":\{patch (\w+) ([^{}]*)\}")
ORDER = re.compile(r":\{order (\w+)\}")


def patched(found):
    """`:{patch row a b}` sets the columns a and b: NULL if `clear` names them, else as given, else as they are."""
    table, paths = found[1], found[2].split()
    columns = []
    for path in paths:
        within, _, column = path.rpartition(".")
        clear = f"{within}.clear" if within else "clear"
        columns.append(f"\"{column}\" = CASE WHEN :{{{clear}:jsonb}} ? '{column}' THEN NULL "
                       f"ELSE coalesce(:{{{path}}}, {table}.\"{column}\") END")
    return ",\n\t".join(columns)


class Statement:
    """One SQL text without its comments."""

    def __init__(self, file, line, name, text):
        self.file, self.line, self.name = file, line, name
        kept, params, ended = [], set(), False
        self.names, self.params = [], []  # named parameters: as written, and as (path, type)
        for token in SQL_TOKEN.finditer(PATCH.sub(patched, text.rstrip().rstrip(";"))):
            if not token["comment"]:
                kept.append(token[0])
                ended = ended or bool(token["end"])
            if token["param"]:
                params.add(int(token["param"]))
            if token["named"] is not None and token["named"] not in self.names and not ORDER.fullmatch(token[0]):
                self.names.append(token["named"])
        lines = (kept_line.rstrip() for kept_line in "".join(kept).split("\n"))
        self.sql = "\n".join(kept_line for kept_line in lines if kept_line)
        self.param_count = max(params, default=0)
        if ended:
            raise Wrong(file, line, 'one statement only: separate several by lines "-- statement: name"')
        unused = set(range(1, self.param_count + 1)) - params
        if unused or 0 in params:
            raise Wrong(file, line, f"parameter ${min(unused or params)} is not used: number the parameters from $1 without gaps")
        if params and self.names:
            raise Wrong(file, line, "parameters are either numbered ($1) or named (:{path}): use one way in a statement")

    def variant(self, name, sql):
        """The same statement with another text."""
        made = Statement(self.file, self.line, name, "")
        made.sql, made.names = sql, [found for found in dict.fromkeys(NAMED.findall(sql))]
        return made

    def bind(self, params):
        """Numbers the named parameters; `params` holds the path and the type of each."""
        self.params, self.param_count = params, len(params)
        self.sql = NAMED.sub(lambda found: "${}::{}".format(self.names.index(found[1]) + 1,
                                                            params[self.names.index(found[1])][1]), self.sql)

    def bind_folded(self, params):
        """Makes the parameters columns of `given`, which has a row for each command."""
        columns = ", ".join(f"p{index}" for index in range(1, len(params) + 1))
        arrays = "".join(f", ${index}::{type_}[]" for index, (_, type_) in enumerate(params, 2))
        given = (f"WITH given AS MATERIALIZED (SELECT * FROM unnest($1::int4[]{arrays}) "
                 f"AS given (place{', ' + columns if columns else ''}))")
        body = NAMED.sub(lambda found: f"given.p{self.names.index(found[1]) + 1}", self.sql)
        joined = re.sub(r"^WITH\b", ",", body)
        self.sql = given + (joined if joined != body else " " + body)
        self.params, self.param_count = params, len(params) + 1


def read_text(file):
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Wrong(file, 1, "not UTF-8: save the file as UTF-8") from None


def shared_parts(file, expand=lambda text: text):
    """The parts of a domain's file of parts; {} if it has none. `expand`: what a template becomes."""
    parts, part = {}, None
    for number, line in enumerate(expand(read_text(file)).split("\n") if file.exists() else [], 1):
        found = DIRECTIVE.fullmatch(line)
        if found and found[1] == "part":
            part = parts.setdefault(found[2], [])
        elif found and found[1] == "use":
            if found[2] not in parts or part is None:
                raise Wrong(file, number, f'part "{found[2]}" is not declared above: a part uses only earlier parts')
            part.extend(parts[found[2]])
        elif part is not None:
            part.append(line)
        elif line.strip() and not line.startswith("--"):
            raise Wrong(file, number, 'a file of parts begins with comments and a line "-- part: name"')
    return parts


class Source:
    """A .sql file: its header and its statements."""

    def __init__(self, file, text=None, shared=None):
        """`text`: what the file expands to, if it is a template. `shared`: the domain's parts."""
        self.file, self.shared = file, shared or {}
        self.header = {}
        self.lines = {}
        lines = (read_text(file) if text is None else text).split("\n")
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
        if word in self.header and word not in REPEATED_WORDS:
            raise Wrong(self.file, line, f'"{word}" is given twice: keep one (the first is at line {self.lines[word]})')
        if not value:
            raise Wrong(self.file, line, f'"{word}" has no value: give it one or remove the line')
        if word in REPEATED_WORDS:
            value = [*self.header.get(word, []), value]
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
        for name in sorted((used - set(self.shared)) ^ set(self.parts)):
            raise Wrong(self.file, 1, f'part "{name}" needs a line "-- part: {name}" and a line "-- use: {name}"')

    def with_parts(self, lines):
        for line in lines:
            found = DIRECTIVE.fullmatch(line)
            parts = {**self.shared, **self.parts}
            yield from parts[found[2]] if found and found[1] == "use" else [line]

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

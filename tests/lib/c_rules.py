"""Checks the C rules of CONTRIBUTING.md that no compiler checks.

    c_rules.py FILE...

Prints a line "RULE<TAB>FILE:LINE: what breaks it" for each violation and nothing for the rest.
The rules: opening-comment, function-length, include-use, include-cycle, static-name.
"""

import pathlib
import re
import sys

LONGEST_FUNCTION = 60  # lines, from the function's name to its closing brace

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<directive>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
      | (?P<literal>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>[A-Za-z_]\w*)
      | (?P<mark>[^\s\w])""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)
MODULE = re.compile(r"^module\(([^)]*)\)", re.MULTILINE)
MODULE_WORDS = {"USES", "LIBRARIES", "SOURCES"}
# Headers that the build generates from the commands' declarations.
GENERATED = {"commands.gen.h": "handlers/core", "fields.gen.h": "handlers/core"}


class Function:
    def __init__(self, name, static, first, last):
        self.name, self.static, self.first, self.last = name, static, first, last


class Source:
    def __init__(self, name):
        self.name = name
        self.text = pathlib.Path(name).read_text(encoding="utf-8")
        self.folder = name.rpartition("/")[0]
        self.header = name.endswith(".h")
        self.includes = [
            (match.group(1), self.text.count("\n", 0, match.start()) + 1) for match in INCLUDE.finditer(self.text)
        ]


def functions(text):
    """The functions that the text defines, in order.

    A function's body is a brace at the outermost level that follows a parenthesis. Its name is the word
    in front of the first parenthesis since the previous declaration ended.
    """
    found, depth, parens, line, at = [], 0, 0, 1, 0
    words, name, static, first, previous = [], None, False, 0, ""
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match.lastgroup in ("comment", "directive"):
            continue
        token = match.group()
        if depth == 0:
            if token == "(":
                if parens == 0 and words and words[-1] == "__attribute__":
                    words.pop()
                elif parens == 0 and name is None and words:
                    name, first = words[-1], line
                    static = "static" in words
                parens += 1
            elif token == ")":
                parens -= 1
            elif token in ";=" and parens == 0:
                words, name = [], None
            elif match.lastgroup == "word" and parens == 0:
                words.append(token)
        if token == "{":
            if depth == 0:
                body = name is not None and previous == ")"
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0:
                if body:
                    found.append(Function(name, static, first, line))
                words, name = [], None
        previous = token
    return found


def check_opening(source):
    if not re.match(r"/\*[\s*]*[^\s*/]", source.text):
        yield f"{source.name}:1: the file does not open with a comment that says what it is for"


def check_lengths(source, defined):
    for function in defined:
        length = function.last - function.first + 1
        if length > LONGEST_FUNCTION:
            yield f"{source.name}:{function.first}: {function.name} has {length} lines, more than {LONGEST_FUNCTION}"


def modules(build_file):
    """folder -> the folders that its module() line names after USES."""
    uses = {}
    for match in MODULE.finditer(pathlib.Path(build_file).read_text(encoding="utf-8")):
        folder, *words = match.group(1).split()
        uses[folder], kind = set(), None
        for word in words:
            if word in MODULE_WORDS:
                kind = word
            elif kind == "USES":
                uses[folder].add(word)
    return uses


def check_uses(source, uses):
    """The module may include its own headers and headers of the modules that it names, no others."""
    if source.folder not in uses:
        return
    for path, line in source.includes:
        folder = GENERATED.get(path) or path.rpartition("/")[0]
        if folder != source.folder and folder not in uses[source.folder]:
            yield (
                f'{source.name}:{line}: includes "{path}", but the line module({source.folder} USES ...) of '
                f"CMakeLists.txt does not name {folder or 'a module with that header'}"
            )


def check_cycles(sources):
    """A header that includes itself over others; two .c files that include each other's headers."""
    by_name = {source.name: source for source in sources}
    graph = {
        source.name: [path for path, _ in source.includes if path in by_name] for source in sources if source.header
    }
    done = set()
    for start in graph:
        yield from header_cycles(graph, start, [], done)
    needs = {
        source.name[:-2]: {path[:-2] for path, _ in source.includes} - {source.name[:-2]}
        for source in sources
        if not source.header
    }
    for name in sorted(needs):
        for other in sorted(needs[name]):
            if name < other and name in needs.get(other, ()):
                yield f"{name}.c and {other}.c need each other's headers"


def header_cycles(graph, name, path, done):
    if name in path:
        yield " -> ".join(path[path.index(name) :] + [name])
    elif name not in done:
        for included in graph[name]:
            yield from header_cycles(graph, included, path + [name], done)
        done.add(name)


def check_static_names(defined):
    """perf and gdb show a function's name alone: it has to tell the function apart."""
    places = {}
    for source, found in defined:
        for function in found:
            if function.static:
                places.setdefault(function.name, []).append(f"{source.name}:{function.first}")
    for name, where in sorted(places.items()):
        if len({place.partition(":")[0] for place in where}) > 1:
            yield f"{where[0]}: static {name} is also defined in {', '.join(where[1:])}"


def main(names):
    sources = [Source(name) for name in names if name.endswith((".c", ".h"))]
    defined = [(source, functions(source.text)) for source in sources]
    product = [pair for pair in defined if not pair[0].name.startswith("tests/")]
    uses = modules("CMakeLists.txt")
    found = {
        "opening-comment": [text for source in sources for text in check_opening(source)],
        "function-length": [text for source, list_ in defined for text in check_lengths(source, list_)],
        "include-use": [text for source, _ in product for text in check_uses(source, uses)],
        "include-cycle": check_cycles([source for source, _ in product]),
        "static-name": check_static_names(product),
    }
    for rule, lines in found.items():
        for text in lines:
            print(f"{rule}\t{text}")


if __name__ == "__main__":
    main(sys.argv[1:])

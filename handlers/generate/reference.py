"""The list of commands in Markdown, which handlers/README.md holds between two marks.

Each domain is a heading, a table of commands and a table of the records that the commands use.
One line names the commands that the reference implementation lacks; the list omits their records.
"""

import json

from avro_types import ROOT

BEGIN = "<!-- commands: written by handlers/generate/commands.py --write-reference -->\n"
END = "<!-- commands: end -->\n"
SHOWN_FLAGS = ("read", "write", "outside", "detached", "deferred")  # a client notices these; others steer the engine
UNSUPPORTED = "unsupported"  # the handler in handlers/core/unsupported.c


def type_text(type_, domain):
    """The type as the tables show it: "?" is nullable, a record of the same domain has its short name."""
    if type_.kind == "array":
        item = type_text(type_.item, domain)
        base = f"({item})[]" if type_.item.nullable else f"{item}[]"
    elif type_.item:
        base = f"{type_.kind}<{type_text(type_.item, domain)}>"
    elif type_.record:
        base = type_.record.full.removeprefix(f"{ROOT}.{domain}.")
    else:
        base = type_.logical or type_.kind
    return base + "?" if type_.nullable else base


def field_text(field, domain):
    default = field.node["default"] if field.has_default else None
    shown = "" if default is None else f" = {json.dumps(default)}"
    return f"`{field.name}: {type_text(field.type, domain)}{shown}`"


def fields_text(record, domain):
    return ", ".join(field_text(field, domain) for field in record.fields)


def command_line(command):
    flags = ", ".join(flag for flag in command.flags if flag in SHOWN_FLAGS)
    key = f"`{command.key}`" if command.key else ""
    result = type_text(command.reply.fields[0].type, command.domain)
    return f"| `{command.method}` | {flags} | {key} | {fields_text(command.request, command.domain)} | `{result}` |\n"


def records_of(type_, found):
    """Adds every record that a value of the type can hold to `found`, by full name."""
    if type_.item:
        records_of(type_.item, found)
    if type_.record and type_.record.full not in found:
        found[type_.record.full] = type_.record
        for field in type_.record.fields:
            records_of(field.type, found)


def used_records(commands):
    """The records that requests and replies use, without the requests and replies themselves."""
    found = {}
    for command in commands:
        for record in (command.request, command.reply):
            for field in record.fields:
                records_of(field.type, found)
    return [found[full] for full in sorted(found)]


def domain_text(domain, commands):
    served = [command for command in commands if command.handler != UNSUPPORTED]
    refused = [f"`{command.method}`" for command in commands if command.handler == UNSUPPORTED]
    text = f"### {domain}\n\n"
    if served:
        text += "| command | kind | key | request | result |\n|---|---|---|---|---|\n"
        text += "".join(command_line(command) for command in served) + "\n"
    if refused:
        text += (f"Declared but not implemented ({len(refused)} commands, "
                 f"error `NOT_IMPLEMENTED_BY_REFERENCE`): {', '.join(refused)}.\n\n")
    records = used_records(served)
    if records:
        text += "| record | fields |\n|---|---|\n"
        text += "".join(f"| `{record.full.removeprefix(f'{ROOT}.{domain}.')}` | {fields_text(record, domain)} |\n"
                        for record in records) + "\n"
    return text


def reference_text(commands):
    domains = sorted({command.domain for command in commands})
    return "".join(domain_text(domain, [command for command in commands if command.domain == domain])
                   for domain in domains)


def reference_embedded(commands, readme):
    """The README with the current list between its marks; None if a mark is missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{reference_text(commands)}{end}{after}" if begin and end else None

"""Prints how many lines of each module the runs of a build with the preset coverage have reached.

    line_coverage.py BUILD-FOLDER

The numbers are gcov's, added up over the data files below BUILD-FOLDER. A module is a folder of C files.
"""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTS = ("schemas", "db", "handlers", "worker")


def reports(build):
    """gcov's reports, one for each object file that has run."""
    data = sorted(build.rglob("*.gcda"))
    if not data:
        sys.exit(f"no program of {build} has run: there is no .gcda file")
    command = ["gcov", "--json-format", "--stdout", *map(str, data)]
    output = subprocess.run(command, cwd=build, check=True, capture_output=True, text=True).stdout
    return map(json.loads, output.splitlines())


def lines_by_file(build):
    """source file -> {line: whether it has run}"""
    lines = collections.defaultdict(dict)
    for report in reports(build):
        for file in report["files"]:
            path = pathlib.Path(report["current_working_directory"], file["file"]).resolve()
            if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PARTS:
                seen = lines[path.relative_to(ROOT)]
                for line in file["lines"]:
                    number = line["line_number"]
                    seen[number] = seen.get(number, False) or line["count"] > 0
    return lines


def main(build):
    modules = collections.defaultdict(lambda: [0, 0])
    for file, lines in lines_by_file(build).items():
        for name in (str(file.parent), "all"):
            modules[name][0] += sum(lines.values())
            modules[name][1] += len(lines)
    print(f"{'module':34} {'lines':>6} {'run':>6}")
    for name, (run, count) in sorted(modules.items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"{name:34} {count:6} {100 * run / max(count, 1):5.1f}%")


main(pathlib.Path(sys.argv[1]).resolve())

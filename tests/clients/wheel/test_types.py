"""mypy accepts the installed package, these tests and the README's examples, and finds what is wrong with a call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import stowage

HERE = Path(__file__).resolve().parent
README = HERE.parents[2] / "schemas/clients/python/README.md"


def mypy(*arguments: str) -> str:
    # The package stands in a folder of its own, not among the interpreter's packages.
    environment = {**os.environ, "MYPYPATH": str(Path(stowage.__file__).parent.parent)}
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.environ.get("STOWAGE_TEST_TMP", "/tmp") + "/mypy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=HERE, env=environment).stdout


def test_the_package_and_the_tests_are_strictly_typed() -> None:
    for arguments in (["--package", "stowage"], [str(file) for file in HERE.glob("*.py")]):
        found = mypy(*arguments)
        assert found.startswith("Success"), found


def test_the_examples_are_strictly_typed(tmp_path: Path) -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert len(examples) >= 5
    files = [tmp_path / f"example_{number}.py" for number in range(len(examples))]
    for file, text in zip(files, examples):
        file.write_text(text)
    found = mypy(*map(str, files))
    assert found.startswith("Success"), found


def test_wrong_calls_are_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from stowage import Stowage\n"
        "async def main(client: Stowage) -> None:\n"
        "    await client.memory.get_thread_by_id(thread=1)\n"
        "    await client.memory.get_thread_by_id(thread_id=1)\n"
        "    await client.memory.save_thread(thread={'id': 'x'})\n"
        "    (await client.memory.get_thread_by_id(thread_id='x'))['id']\n"
        "    await client.memory.fire.get_thread_by_id(thread_id='x')\n"
    )
    found = mypy(str(wrong))
    lines = {int(line.split(":")[1]) for line in found.splitlines() if ": error:" in line}
    assert lines == {3, 4, 5, 6, 7}, found

"""What `import nashgrid` gives, and the README's example as it stands there."""

import doctest
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import nashgrid as ng

README = Path(__file__).parents[2] / "README.md"


def test_the_public_names_are_there_and_documented() -> None:
    assert ng.__version__ == version("nashgrid")
    for name in ng.__all__:
        assert getattr(ng, name).__doc__


def test_the_example_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 1
    assert examples[0].count('"campus33"') == 1
    monkeypatch.chdir(tmp_path)
    # The duet instead, for speed.
    exec(compile(examples[0].replace('"campus33"', '"duet"'), str(README), "exec"), {})
    shown = capsys.readouterr().out
    assert shown.startswith("True 0.76")
    assert "Sunny house" in shown
    assert (tmp_path / "my-run" / "outcome.json").is_file()
    assert "<html" in (tmp_path / "my-report.html").read_text(encoding="utf-8")[:500].lower()


def test_the_example_of_the_package_runs() -> None:
    """The doctest of the package's own docstring."""
    found = doctest.testmod(ng)
    assert found.attempted == 3
    assert found.failed == 0


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'solve'"):
        ng.solve  # noqa: B018


def test_importing_the_package_or_the_command_line_loads_no_solver() -> None:
    code = "import sys, nashgrid, nashgrid.runs.command_line; print('cvxpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"

"""All benchmarks, one after the other, into a dated Markdown table.

    python benchmarks/run.py [--out benchmarks/results]

Each comparison is made within one process and run; see the scripts for what is timed.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
from pathlib import Path

SCRIPTS = {
    "The kernel: answers of 100,000 buildings": "kernel.py",
    "Markets": "market.py",
    "Networks": "network.py",
}


def main() -> None:
    """Run the scripts and write what they print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    out = options.parse_args().out
    today = datetime.date.today().isoformat()
    parts = [f"# Benchmarks of {today}\n"]
    for title, script in SCRIPTS.items():
        print(f"{script} ...", flush=True)
        done = subprocess.run(
            [sys.executable, str(Path(__file__).parent / script)],
            check=True,
            capture_output=True,
            text=True,
        )
        print(done.stdout, flush=True)
        parts.append(f"## {title}\n\n`python benchmarks/{script}`\n\n{done.stdout}")
    out.mkdir(exist_ok=True)
    (out / f"{today}.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()

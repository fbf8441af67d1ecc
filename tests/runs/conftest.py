"""Small scenarios that the tests of this floor share."""

import copy
import html
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import tomli_w

FEEDER = {
    "feeder.toml": 'name = "three"\nsource = "made up"\nbase_kv = 0.4\nbase_mva = 0.1\n'
    "root_bus = 1\n",
    "buses.csv": "bus,load_kw,load_kvar\n1,0,0\n2,0,0\n3,0,0\n",
    "lines.csv": "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n"
    "1,2,0.01,0.005,,1\n2,3,0.02,0.01,4,1\n",
}


def duet_content() -> dict[str, Any]:
    text = (files("nashgrid.runs.scenarios") / "duet.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@pytest.fixture(scope="session")
def duet() -> dict[str, Any]:
    """Content of the built-in duet; copy before changing."""
    return duet_content()


@pytest.fixture(scope="session")
def trio() -> dict[str, Any]:
    """The duet and a battery on a feeder of three buses, limits in reach."""
    content = duet_content()
    content["name"] = "trio"
    content["feeder"] = {
        "name": "wires",
        "minimum_voltage_pu": 0.9,
        "maximum_voltage_pu": 1.1,
    }
    for bus, building in enumerate(content["buildings"], start=2):
        building["bus"] = bus
    battery = {"name": "Shed", "bus": 3, "capacity_kwh": 4.0, "power_kw": 1.5}
    content["community_batteries"] = [battery]
    return content


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """write(folder, content, **files) puts scenario.toml and the feeder of three buses there."""

    def put(folder: Path, content: dict[str, Any], wires: dict[str, str] | None = None) -> Path:
        if "feeder" in content:
            (folder / "wires").mkdir(exist_ok=True)
            for name, text in {**FEEDER, **(wires or {})}.items():
                (folder / "wires" / name).write_text(text, encoding="utf-8")
        path = folder / "mine.toml"
        path.write_text(tomli_w.dumps(copy.deepcopy(content)), encoding="utf-8")
        return path

    return put


# Errors and refused requests are noted from the very start. When all is drawn, every control
# goes through its settings, and what was seen is left in the page.
WATCH = """<script>
const seen = { errors: [], refused: [], figures: {} };
addEventListener("error", (event) => seen.errors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => seen.errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => seen.refused.push(event.blockedURI));
const said = console.error;
console.error = (...words) => { seen.errors.push(words.join(" ")); said(...words); };
</script>"""
TRY = """<script>
const MARKS = "path.js-line, .point, .textpoint, image";
const holds = (trace) => [].concat(...(trace.z || [trace.y])).some((value) => value !== null);
const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
async function tryAll() {
  while (!document.body.dataset.drawn) await pause();
  for (const place of document.querySelectorAll(".figure")) {
    const found = [];
    const look = () => found.push([place.data.filter(holds).length,
      [...place.querySelectorAll(".overplot .trace, .overplot .hm")]
        .filter((trace) => trace.querySelector(MARKS)).length]);
    look();
    const bar = document.getElementById(place.id + "-controls");
    for (const control of bar ? bar.querySelectorAll("[data-choice]") : []) {
      const values = control.type === "range" ? [...Array(Number(control.max) + 1).keys()]
        : control.tagName === "SELECT" ? [...control.options].map((one) => one.value)
        : [control.value];
      for (const value of values) {
        if (control.type === "radio") control.checked = true; else control.value = value;
        control.dispatchEvent(new Event("input"));
        await pause();
        look();
      }
    }
    seen.figures[place.id] = found;
  }
  seen.fetched = performance.getEntriesByType("resource").map((entry) => entry.name);
  document.querySelectorAll("script").forEach((script) => script.remove());
  document.body.innerHTML = "<pre id='seen'></pre>";
  document.getElementById("seen").textContent = JSON.stringify(seen);
}
tryAll();
</script>"""


@pytest.fixture(scope="session")
def browse() -> Callable[[str, Path], dict[str, Any]]:
    """Open a page in headless Chromium without a network; return what was seen."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((found for found in map(shutil.which, names) if found), None)
    if browser is None:
        pytest.skip("the report is tested in Chromium: apt-get install chromium")

    def open_page(page: str, folder: Path) -> dict[str, Any]:
        watched = page.replace("<head>", "<head>" + WATCH, 1)
        path = folder / "watched.html"
        path.write_text(watched.replace("</body>", TRY + "</body>"), encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        options += ["--no-first-run", "--disable-background-networking"]
        options += ["--disable-component-update", "--disable-sync", "--window-size=1366,768"]
        options += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=60000"]
        options += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
        shown = subprocess.run(
            [browser, *options], capture_output=True, text=True, timeout=120, check=True
        ).stdout
        found = re.search(r"<pre id=.seen.>(.*?)</pre>", shown, flags=re.DOTALL)
        assert found, "the page was not drawn to its end"
        seen: dict[str, Any] = json.loads(html.unescape(found[1]))
        return seen

    return open_page

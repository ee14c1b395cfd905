"""A real Apache JMeter for tests: Debian's 2.13, found where it is installed or unpacked, run without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from capacity.loadtest.generate.readme import SAVE_PROPERTIES

INSTALL = "apt-get install --yes --no-install-recommends jmeter jmeter-http (or CAPACITY_JMETER=FOLDER_LIKE_/usr/share)"

LAUNCHER = Path(__file__).parent / "launch.bsh"

#: What JMeter 2.13 needs without a window, of the libraries of its package.
LIBRARIES = [
    *("avalon-framework", "bsh", "commons-codec", "commons-collections3", "commons-httpclient", "commons-io"),
    *("commons-jexl2", "commons-lang3", "commons-logging", "excalibur-logger", "excalibur-logkit", "httpclient"),
    *("httpcore", "httpmime", "js", "oro", "xpp3", "xstream"),
]


@cache
def command() -> tuple[str, ...]:
    """How JMeter is started. Where it is not, a test fails in CI and is skipped elsewhere, with what to do."""
    share = Path(os.environ.get("CAPACITY_JMETER", "/usr/share"))
    home, java = share / "jmeter", shutil.which("java")
    jars = [share / "java" / f"{name}.jar" for name in LIBRARIES]
    jars += [
        home / "bin/ApacheJMeter.jar",
        *sorted((home / "lib").glob("*.jar")),
        *sorted((home / "lib/ext").glob("*.jar")),
    ]
    missing = [str(jar) for jar in jars if not jar.is_file()]
    if java is None or missing or not (home / "lib/ext/ApacheJMeter_http.jar").is_file():
        if os.environ.get("CI"):
            pytest.fail(f"CI has to run a real JMeter: {INSTALL}, as .ci/run does. Missing: {(missing or ['java'])[0]}")
        pytest.skip(f"no JMeter here: {INSTALL}")
    return (java, "-Xmx256m", f"-Djmeter.home={home}", "-cp", os.pathsep.join(map(str, jars)), "bsh.Interpreter")


def run(plan: Path, results: Path, *properties: str) -> str:
    """Run a plan to its end, into a file of results; what JMeter printed. `properties` as in `-Jhost=127.0.0.1`."""
    log = results.with_suffix(".log")
    arguments = ["-n", "-t", str(plan), "-l", str(results), "-j", str(log), *SAVE_PROPERTIES, *properties]
    done = subprocess.run(
        [*command(), str(LAUNCHER), *arguments], capture_output=True, text=True, timeout=90, cwd=results.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

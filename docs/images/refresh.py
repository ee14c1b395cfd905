"""Draw docs/images/report.png again: the first screen of the sample report, in light, 1280 pixels wide.

    make report && .venv/bin/python docs/images/refresh.py [report.html]

Needs Chromium. Text is set in the typeface that the package brings along, so that the picture is the same everywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs/images/report.png"
SIZE = (1280, 1240)

FONTS = f"""<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>{ROOT}/capacity/reporting/fonts</dir><dir>/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir>
<match target="pattern"><test name="family"><string>system-ui</string></test>
<edit name="family" mode="assign" binding="strong"><string>Inter</string></edit></match>
<match target="pattern"><test name="family"><string>ui-sans-serif</string></test>
<edit name="family" mode="assign" binding="strong"><string>Inter</string></edit></match>
<alias binding="strong"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


def main() -> int:
    page = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/report/report.html").resolve()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None or not page.exists():
        print(f"Needs Chromium and {page}: run `make report` first.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        fonts = Path(folder, "fonts.conf")
        fonts.write_text(FONTS, encoding="utf-8")
        command = [
            *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
            *("--disable-background-networking", "--font-render-hinting=none", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--blink-settings=preferredColorScheme=1", f"--window-size={SIZE[0]},{SIZE[1]}"),
            *(f"--user-data-dir={folder}/profile", f"--screenshot={PICTURE}", page.as_uri()),
        ]
        held = {"FONTCONFIG_FILE": str(fonts), "XDG_CACHE_HOME": folder}
        subprocess.run(command, env=os.environ | held, check=True, capture_output=True, timeout=120)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

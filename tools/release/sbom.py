"""Lists a release's parts as CycloneDX: the keeper's Python packages, the npm packages of contracts and pages."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tools.release.errors import run


def python(root: Path, environment: Path, time: int) -> str:
    """The packages of an environment with the installed wheel, with licences. Raises ReleaseError."""
    program = root / ".tools" / "release" / "bin" / "cyclonedx-py"
    # Without an index, purls name no registry's host.
    command: list[str | Path] = [
        program,
        "environment",
        "--short-PURLs",
        "--output-reproducible",
        "--sv",
        "1.6",
        "--validate",
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "sbom.json"
        variables = {"SOURCE_DATE_EPOCH": str(time)}
        run([*command, "-o", out, environment / "bin" / "python"], Path(folder), variables)
        return out.read_text()


def npm(root: Path, version: str) -> str:
    """The packages of package-lock.json; those that only tests need have the scope "optional". Raises ReleaseError."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            document = json.loads((root / name).read_text())
            # npm refuses a project without a version; the project's is in ballast/__init__.py alone.
            for part in (document, document.get("packages", {}).get("", {})):
                part["version"] = version
            (Path(folder) / name).write_text(json.dumps(document))
        text = run(["npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], Path(folder))
    found = json.loads(text)
    # These two differ in each run, and the format does not require them.
    del found["serialNumber"], found["metadata"]["timestamp"]
    return json.dumps(found, indent=1) + "\n"

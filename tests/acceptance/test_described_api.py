"""The API keeps to its own description: schemathesis asks the running server what openapi.json allows, and more."""

import subprocess
import sys
from pathlib import Path

import pytest
from installation import ADMIN_TOKEN, Serving
from page_sink import PageSink

pytestmark = pytest.mark.acceptance

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = 5  # of each call, beside those for every limit that the description names
SECONDS = 800  # it takes a minute; a machine that is busy with much else may need several


def test_api_keeps_to_its_description(serving: Serving, page_sink: PageSink, tmp_path: Path):
    """No call of any form gives a 5xx, and every answer is one that the description names, in its form."""
    command = [
        str(Path(sys.executable).with_name("st")),
        "run",
        f"{serving.installation.url}/api/v1/openapi.json",
        *("--header", f"Authorization: Bearer {ADMIN_TOKEN}"),
        *("--checks", CHECKS),
        *("--max-examples", str(EXAMPLES)),
        *("--seed", "1"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    serving.stop()
    for page in page_sink.unclaimed():  # whatever it declared has paged
        page.claimed = True

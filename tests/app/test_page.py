"""The page without a browser: what its fields describe, and the address of its server."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
from later import later

from bioconv.app.experiment import Experiment
from bioconv.ground.errors import ParameterError

pytestmark = pytest.mark.skipif(not find_spec("panel"), reason="panel is not installed")
page = later("bioconv.app.page")


def test_the_fields_describe_an_experiment(tmp_path: Path) -> None:
    app = page.App(tmp_path)
    app.code.value = "first_spike_exact"
    app.code_options.widgets["zeta"].value = 0.25
    app.noise.widgets["threshold"].value = 0.1
    app.n_images.value = 7
    assert app.experiment() == Experiment(
        n_images=7,
        code="first_spike_exact",
        code_options={"zeta": 0.25},
        neuron="integrate_and_fire",
        noise={"threshold": 0.1},
    )


def test_a_damaged_model_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "broken.keras").write_bytes(b"no model")
    app = page.App(tmp_path)
    app.model.value = "broken.keras"
    assert "broken.keras" in app.layers[0].object


def status(url: str) -> int:
    try:
        return int(urllib.request.urlopen(url, timeout=20).status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_only_who_knows_the_token_is_served(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bioconv", "app", "--no-browser", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            root, _, token = url.rstrip("/").rpartition("/")
            assert root.startswith("http://127.0.0.1:")
            assert len(token) >= 32
            assert status(url) == 200
            for path in ("/", "/x/", "/static/js/bokeh.min.js"):
                assert status(f"{root}{path}") == 404
        finally:
            server.terminate()


def test_a_port_in_use_is_refused() -> None:
    import socket

    server = later("bioconv.app.server")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ParameterError, match="cannot be used"):
            server.serve(port=other.getsockname()[1], show=False)

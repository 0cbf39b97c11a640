"""The local server: only on this machine, and only for who knows the token in its address."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from pathlib import Path

import panel as pn

from bioconv.app.folder import Folder
from bioconv.app.page import App
from bioconv.ground.errors import ParameterError

#: the address of this machine itself, which no other machine can reach
HOST = "127.0.0.1"
#: bytes of the token
_TOKEN = 24


def serve(folder: str | Path = ".", *, port: int = 0, show: bool = True) -> None:
    """Serve the page on this machine until Ctrl-C is pressed.

    Parameters
    ----------
    folder : str or Path
        Only files in it can be opened.
    port : int
        0: any free port.
    show : bool
        Whether to open the page in the browser of the user.

    Raises
    ------
    ParameterError
        If there is no such folder, or if the port is in use.
    """
    Folder(folder)
    port, token = _free(port), secrets.token_urlsafe(_TOKEN)
    pn.extension(inline=False)
    server = pn.serve(
        {"/": lambda: App(folder).view},
        title="bioconv",
        address=HOST,
        port=port,
        prefix=token,
        websocket_origin=[f"{HOST}:{port}"],
        use_index=False,
        redirect_root=False,
        show=False,
        start=False,
        verbose=False,
    )
    url = f"http://{HOST}:{port}/{token}/"
    print(f"bioconv runs at {url}\nPress Ctrl-C to stop it.", flush=True)
    if show:
        webbrowser.open(url)
    server.start()
    server.io_loop.start()


def _free(port: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ParameterError(f"port {port} cannot be used: {error.strerror}.") from None
        return int(probe.getsockname()[1])

"""``activeassoc serve``: the models of a module over HTTP, by uvicorn.

Map: `command` serves; `app` makes the application, also in the processes that uvicorn starts where it reloads.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from activeassoc.cli.modules import Refused, models_of, needed
from activeassoc.cli.options import Module

#: How a process that uvicorn starts learns what to serve.
MODULE, WHERE = "ACTIVEASSOC_SERVE_MODULE", "ACTIVEASSOC_SERVE_WHERE"


def command(
    module: Module,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="The port to listen at.")] = 8000,
    where: Annotated[bool, typer.Option("--where", help="Let clients send criteria as $where.")] = False,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when a file beneath the working directory changes.")] = False,
) -> None:
    """Serve the models of MODULE as a REST API, with pages to browse it at /docs; for development: nobody is asked who they are.

    Models that MODULE neither defines nor imports by name are not served.
    """
    uvicorn = needed("uvicorn", "'activeassoc[rest]'")
    os.environ[MODULE], os.environ[WHERE] = module, "1" if where else ""
    made = app()
    _check_free(host, port)
    if reload:
        uvicorn.run(f"{__name__}:app", factory=True, host=host, port=port, reload=True, reload_dirs=[str(Path.cwd())])
    else:
        uvicorn.run(made, host=host, port=port)


def app() -> Any:
    """The application for what the environment names."""
    models = models_of(os.environ[MODULE], database=True, associated=False)
    return needed("activeassoc.rest", "'activeassoc[rest]'").create_app(*models, where=bool(os.environ.get(WHERE)))


def _check_free(host: str, port: int) -> None:
    """Raise Refused where nobody can listen there: uvicorn would log it and leave."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:
        because = f"{(error.strerror or str(error)).lower()}"
        raise Refused(f"serving at {host}:{port}", because, "Give another --port or --host") from error

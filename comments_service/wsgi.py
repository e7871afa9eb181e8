"""The app for a server of your own choice: `gunicorn 'comments_service.wsgi:make()'`."""

from __future__ import annotations

import gc

from flask import Flask

from comments_service import logs
from comments_service.app import create_app
from comments_service.settings import Settings, load_settings
from comments_service.storage.schema import make_ready


def make(settings: Settings | None = None) -> Flask:
    """The app with its logs set up, on a database that has its tables.

    Raises: CannotStart.
    """
    settings = settings or load_settings()
    logs.configure(settings)
    make_ready(settings)
    app = create_app(settings)
    gc.freeze()  # what is there by now stays; to look through it now and then took a tenth of a second
    return app

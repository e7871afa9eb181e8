"""A comment service for any web site: one script tag, private emails, a fast queue."""

from comments_service.app import create_app

__version__ = "0.1.0"

__all__ = ["__version__", "create_app"]

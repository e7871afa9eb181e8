"""`python -m comments_service` does what `comments` does."""

from comments_service.cli import main

main()

"""An article's first comments as a piece of HTML, which owners build or include into their own pages."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, g, make_response, render_template

from comments_service.vocabulary import CommentView
from comments_service.web import cors
from comments_service.web.asked import (
    article_name,
    load_site,
    page_of,
    question_of,
    tag_if_unchanged,
)
from comments_service.web.headers import compress
from comments_service.web.json_door import validated
from comments_service.web.problems import FRAGMENT
from comments_service.web.public import page_language, thread_address
from comments_service.web.words import page_words

blueprint = Blueprint(FRAGMENT, __name__)
cors.init_blueprint(blueprint)
blueprint.url_value_preprocessor(load_site)


@blueprint.get("/sites/<site_key>/fragment")
def show() -> Response:
    """The first page of an article's comments without frame and form; the same for everybody who asks."""
    question = replace(question_of(g.site), cursor=None, comment=None)
    if tag := tag_if_unchanged(question):
        return _finished(make_response("", 304), tag)
    page = page_of(question)
    html = render_template(
        "public/fragment.html",
        **page_words(page_language(question), g.site.texts),
        site=g.site,
        page=page,
        article=article_name(question.article),
        shown={comment.id: comment for comment in page.comments},
        at=lambda **more: thread_address(question, **more),
        here=lambda **more: thread_address(question, **more),
        place_of=_permalink,
        answered_at=_permalink,
    )
    return _finished(make_response(html), page.etag)


def _permalink(comment: CommentView) -> str:
    return comment.permalink


def _finished(response: Response, tag: str) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"  # the article's page is what shall be found
    response = validated(response, tag)
    compress(response)
    return response

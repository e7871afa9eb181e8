"""Akismet, by its documented protocol: forms to https://rest.akismet.com/1.1, answers of one word.

<https://akismet.com/developers/detailed-docs/>: comment-check, submit-spam, submit-ham and verify-key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from comments_service.neighbours.doors import one_line, post
from comments_service.neighbours.heard import Opinion, Said, Trouble, Unheard
from comments_service.neighbours.question import Question
from comments_service.options import Neighbour
from comments_service.outbound import Fetched, Message
from comments_service.settings import Settings
from comments_service.spam.signals import Signal

SPAM, SURE, HAM = 3.0, 6.0, -1.0  # ln of the odds; what it would discard unseen, nobody needs to read
THANKS = "Thanks for making the web a better place."
TEACHING_SECONDS = 10.0
OWN_MACHINES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Akismet:
    """Akismet as one site knows it."""

    key: str = field(repr=False)
    sends_email: bool
    settings: Settings
    who = Neighbour.AKISMET

    @property
    def endpoint(self) -> str:
        """Where it is asked: one place for all sites."""
        return self.settings.akismet_url

    def ask(self, question: Question, *, seconds: float) -> Said:
        """What it takes the comment for.

        Raises: Unheard.
        """
        answer = self._post("/comment-check", self._comment(question), seconds)
        word = _word(answer)
        if word == "false":
            return Said(self.who, Opinion.HAM, (Signal("akismet-honest", HAM),))
        if word != "true":
            raise _refusal(answer)
        is_sure = answer.header("X-akismet-pro-tip").strip().lower() == "discard"
        signal = Signal("akismet-sure", SURE) if is_sure else Signal("akismet", SPAM)
        return Said(self.who, Opinion.SPAM, (signal,))

    def teach(self, question: Question, *, is_spam: bool) -> None:
        """Tell it what people made of a comment that it took for something else.

        Raises: Unheard.
        """
        path = "/submit-spam" if is_spam else "/submit-ham"
        answer = self._post(path, self._comment(question), TEACHING_SECONDS)
        if _word(answer) != THANKS:
            raise _refusal(answer)

    def verify(self, home: str, *, seconds: float) -> None:
        """Ask whether the key is good for the site with this front page.

        Raises: Unheard; `KEY` when it is not.
        """
        answer = self._post("/verify-key", {"blog": home}, seconds)
        if _word(answer) != "valid":
            raise _refusal(answer)

    def _post(self, path: str, fields: Mapping[str, str], seconds: float) -> Fetched:
        body = urlencode({"api_key": self.key, **fields}, errors="replace").encode()
        message = Message(body, "application/x-www-form-urlencoded; charset=utf-8")
        url = f"{self.endpoint}{path}"
        return post(url, message, settings=self.settings, seconds=seconds)

    def _comment(self, question: Question) -> dict[str, str]:
        fields = {
            "blog": question.home,
            "user_ip": question.address,
            "user_agent": question.agent,
            "referrer": question.referrer,
            "permalink": question.url,
            "comment_type": "comment",  # a reply is one of a forum there
            "comment_author": question.name,
            "comment_author_email": (question.email or "") if self.sends_email else "",
            "comment_author_url": question.website or "",
            "comment_content": question.text,
            "comment_date_gmt": question.at.isoformat(timespec="seconds"),
            "blog_lang": question.site.language,
            "blog_charset": "UTF-8",
            "recheck_reason": "edit" if question.is_edit else "",
            "is_test": "1" if urlsplit(self.settings.public_url).hostname in OWN_MACHINES else "",
        }
        return {name: value for name, value in fields.items() if value}


def _word(answer: Fetched) -> str:
    return answer.body.decode("utf-8", "replace").strip()


def _refusal(answer: Fetched) -> Unheard:
    """Why an answer is none: the word for a key that is not good, or something that is no word at all."""
    told = one_line(answer.header("X-akismet-debug-help") or answer.header("X-akismet-alert-msg"))
    is_key = _word(answer).lower() in ("invalid", "invalid key")
    return Unheard(Trouble.KEY if is_key else Trouble.GARBAGE, told)

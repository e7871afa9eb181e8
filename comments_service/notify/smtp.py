"""Hands one letter to the mail server, within a time that nobody can stretch."""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from ipaddress import ip_address

from comments_service.settings import MailServer, StartTls

STEPS = 6  # a letter may take as long as so many answers: connection, greeting, sender, recipient, data
SECOND_CLASS = range(500, 600)  # RFC 5321 §4.2.1: permanent, where it concerns this letter
MAX_WORDS = 160
_ADDRESS = re.compile(r"\S*@\S*")


class NotDelivered(Exception):
    """A letter was not taken: for good, or for now. The sentence holds no address."""

    def __init__(self, sentence: str, *, is_permanent: bool = False) -> None:
        """Keep why, and whether another try is of any use."""
        super().__init__(sentence)
        self.sentence = sentence
        self.is_permanent = is_permanent


class _Clear(smtplib.SMTP):
    """A connection whose socket is known from its first moment, so that a deadline can end it."""

    def __init__(self, host: str, *, own_name: str, timeout_seconds: float) -> None:
        super().__init__(local_hostname=own_name, timeout=timeout_seconds)
        self._host = host  # the name in the certificate; `connect` alone does not keep it


class _Encrypted(smtplib.SMTP_SSL):
    """The same, encrypted from its first byte."""

    def __init__(self, host: str, *, own_name: str, timeout_seconds: float) -> None:
        super().__init__(local_hostname=own_name, timeout=timeout_seconds, context=_tls(host))
        self._host = host


def deliver(message: EmailMessage, server: MailServer, *, own_name: str, timeout_seconds: float) -> None:
    """Hand a letter over; returns when the server has taken it.

    Answers of class 5 are permanent where they are about this letter (its recipient, its words). About the
    connection, the sign-in or the sender they are temporary: somebody may mend a setting meanwhile.

    Raises: NotDelivered.
    """
    with _connection(server, own_name=own_name, timeout_seconds=timeout_seconds) as smtp:
        try:
            smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise NotDelivered(_told(code, words), is_permanent=code in SECOND_CLASS) from None
        except smtplib.SMTPDataError as refused:
            is_permanent = refused.smtp_code in SECOND_CLASS
            raise NotDelivered(
                _told(refused.smtp_code, refused.smtp_error), is_permanent=is_permanent
            ) from None
        except smtplib.SMTPNotSupportedError:
            sentence = "The mail server takes no addresses with characters outside ASCII."
            raise NotDelivered(sentence, is_permanent=True) from None


def reach(server: MailServer, *, own_name: str, timeout_seconds: float) -> None:
    """Connect and sign in, and send nothing.

    Raises: NotDelivered.
    """
    with _connection(server, own_name=own_name, timeout_seconds=timeout_seconds) as smtp:
        smtp.noop()


@contextmanager
def _connection(server: MailServer, *, own_name: str, timeout_seconds: float) -> Iterator[smtplib.SMTP]:
    kind = _Encrypted if server.is_tls else _Clear
    smtp = kind(server.host, own_name=own_name, timeout_seconds=timeout_seconds)
    is_late = threading.Event()
    deadline = threading.Timer(timeout_seconds * STEPS, _hang_up, (smtp, is_late))
    deadline.daemon = True
    deadline.start()
    try:
        smtp.connect(server.host, server.port)
        _begin(smtp, server)
        yield smtp
        with suppress(smtplib.SMTPException, OSError):  # taken is taken, however they part
            smtp.quit()
    except smtplib.SMTPResponseException as refused:
        raise NotDelivered(_told(refused.smtp_code, refused.smtp_error)) from None
    except ssl.SSLError as error:
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
        raise NotDelivered(f"No encrypted connection to the mail server: {_clean(str(reason))}.") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotDelivered(_broken(error, is_late=is_late.is_set())) from None
    finally:
        deadline.cancel()
        smtp.close()


def _begin(smtp: smtplib.SMTP, server: MailServer) -> None:
    smtp.ehlo_or_helo_if_needed()
    is_private = server.is_tls
    if not is_private and server.starttls != StartTls.NEVER:
        if smtp.has_extn("starttls"):
            smtp.starttls(context=_tls(server.host))
            smtp.ehlo()
            is_private = True
        elif server.starttls == StartTls.ALWAYS:
            raise NotDelivered("The mail server offers no encryption, and COMMENTS_SMTP_URL demands it.")
    if server.user is None or server.password is None:
        return
    if not is_private and not _is_this_machine(server.host):
        raise NotDelivered("The mail server offers no encryption, so the password was not sent.")
    smtp.login(server.user, server.password)


def _tls(host: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if _is_this_machine(host):  # nobody stands between, and mail servers come with a certificate of their own
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _hang_up(smtp: smtplib.SMTP, is_late: threading.Event) -> None:
    # Timeouts count from byte to byte: a server that sends one now and then could hold a letter for ever
    is_late.set()
    if smtp.sock is not None:
        with suppress(OSError):
            smtp.sock.shutdown(2)


def _broken(error: Exception, *, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError):
        return "The mail server was too slow."
    if isinstance(error, ConnectionRefusedError):
        return "The mail server could not be reached: nobody listens there."
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "The mail server hung up."
    words = _clean(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    return f"The mail server could not be used: {words}."


def _told(code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"The mail server said {code}: {_clean(said)}"


def _clean(words: str) -> str:
    """One short line of what a stranger's server said, without the addresses in it."""
    line = " ".join(_ADDRESS.sub("•••", words).split())
    return "".join(letter for letter in line if letter.isprintable())[:MAX_WORDS]

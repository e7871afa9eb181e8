"""Emails sealed and opened, keyed hashes, masks: the only room that holds a key."""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from email_validator import validate_email

from comments_service.errors import FieldError, FieldsRefused, KeyRefused
from comments_service.vocabulary import MAX_EMAIL_CHARACTERS

MIN_SECRET_CHARACTERS = 32
MAX_KEY_NUMBER = 255  # the number travels as one byte in front of every sealed value and hash
HASH_BYTES = 16
NONCE_BYTES = 12  # NIST SP 800-38D §8.2: the length AES-GCM is made for
TAG_BYTES = 16
BLOCK_BYTES = 64  # most addresses fit one block, so that a sealed length tells nothing about them
UNKNOWN_NETWORK = "unknown"

_SEPARATORS = re.compile(r"[\s,]+")
_NUMBERED = re.compile(r"([0-9]{1,9}):(.*)", re.DOTALL)


class KeyHolder(Protocol):
    """Whoever can tell the keys of this moment: a keyring itself, or what follows a key file that changes."""

    @property
    def ring(self) -> Keyring:
        """The keys as they are now."""


class Keyring:
    """The installation's keys by number. The highest number seals and signs, all of them open.

    Each use has its own subkey (HKDF-SHA256, RFC 5869), derived once a key and purpose. Purposes must
    therefore be a fixed few words, never data.
    """

    __slots__ = ("_ciphers", "_secrets", "_subkeys", "current", "numbers")

    current: int
    numbers: tuple[int, ...]

    def __init__(self, secrets_by_number: Mapping[int, str]) -> None:
        """Take keys that `parse` has read; raises KeyRefused when one is too short or has no fit number."""
        for number, secret in secrets_by_number.items():
            _check_key(number, secret)
        if not secrets_by_number:
            raise KeyRefused("There is no secret key")
        self.numbers = tuple(sorted(secrets_by_number))
        self.current = self.numbers[-1]
        self._secrets = {number: secrets_by_number[number] for number in self.numbers}
        self._subkeys: dict[tuple[int, str], bytes] = {}
        self._ciphers: dict[int, AESGCM] = {}

    def __repr__(self) -> str:
        """Name the numbers only: a keyring may stand in a traceback or a log line."""
        return f"Keyring(numbers={self.numbers})"

    @property
    def ring(self) -> Keyring:
        """Itself: these keys do not change."""
        return self

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read "N:SECRET" entries set apart by blanks, line ends or commas, or one bare SECRET as number 1.

        Raises: KeyRefused, which never quotes what it refuses.
        """
        entries = [entry for entry in _SEPARATORS.split(text) if entry]
        found: dict[int, str] = {}
        for entry in entries:
            number, secret = _read_entry(entry, is_only=len(entries) == 1)
            if number in found:
                raise KeyRefused(f"Two secret keys have the number {number}")
            found[number] = secret
        return cls(found)

    @classmethod
    def generate(cls, number: int = 1) -> str:
        """Make one fresh "N:SECRET" line of 256 random bits."""
        secret = secrets.token_urlsafe(32)
        _check_key(number, secret)
        return f"{number}:{secret}"

    def with_key(self, line: str) -> Keyring:
        """Make a keyring that also holds the key of one "N:SECRET" line.

        Raises: KeyRefused when the line is no such line or its number is taken.
        """
        number, secret = _read_entry(line.strip(), is_only=False)
        if number in self._secrets:
            raise KeyRefused(f"There is a secret key with the number {number} already")
        return Keyring({**self._secrets, number: secret})

    def seal(self, plaintext: str, *, column: str) -> bytes:
        """Encrypt text for one column: key number (1 byte), nonce (12), AES-256-GCM of the padded text.

        A sealed value moved to another column does not open. Sealing twice gives two different values.
        """
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher(self.current).encrypt(nonce, _pad(plaintext), column.encode())
        return bytes([self.current]) + nonce + sealed

    def open(self, sealed: bytes, *, column: str) -> str:
        """Decrypt what `seal` made for the same column.

        Raises: KeyRefused when the key is unknown, or the value was changed, cut or moved.
        """
        if len(sealed) < 1 + NONCE_BYTES + TAG_BYTES + BLOCK_BYTES:
            raise KeyRefused("A sealed value is too short")
        number, nonce, rest = sealed[0], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if number not in self._secrets:
            raise KeyRefused(f"A value is sealed with key number {number}, which is not among the keys given")
        try:
            padded = self._cipher(number).decrypt(nonce, rest, column.encode())
        except InvalidTag:
            raise KeyRefused(f"Key number {number} does not open a value sealed under it") from None
        return _unpad(padded)

    def email_hash(self, email: str, *, site_id: int) -> bytes:
        """Hash an address for one site under the current key: what is stored beside the sealed one."""
        return self._hash(self.current, "email", _email_message(email, site_id))

    def email_hashes(self, email: str, *, site_id: int) -> tuple[bytes, ...]:
        """Hash an address for one site under every key, newest first: what a look-up compares with."""
        return self._hashes("email", _email_message(email, site_id))

    def network_hash(self, network: str, *, site_id: int) -> bytes:
        """Hash a network (see `network_of`) for one site under the current key."""
        return self._hash(self.current, "network", f"{site_id}:{network}".encode())

    def network_hashes(self, network: str, *, site_id: int) -> tuple[bytes, ...]:
        """Hash a network for one site under every key, newest first."""
        return self._hashes("network", f"{site_id}:{network}".encode())

    def digest(self, purpose: str, data: bytes) -> bytes:
        """Hash anything under the current key, apart from every other purpose: 1 + 16 bytes."""
        return self._hash(self.current, f"digest/{purpose}", data)

    def digests(self, purpose: str, data: bytes) -> tuple[bytes, ...]:
        """Hash anything under every key, newest first."""
        return self._hashes(f"digest/{purpose}", data)

    def signing_keys(self, purpose: str) -> list[bytes]:
        """Subkeys for signatures, oldest first: itsdangerous signs with the last and accepts all."""
        return [self._subkey(number, f"sign/{purpose}") for number in self.numbers]

    def site_secrets(self, site_key: str, edition: int) -> tuple[str, ...]:
        """What a site's owner signs names with, under every key, newest first: 43 characters each.

        `edition` counts how often the owner asked for another.
        """
        message = f"{site_key}:{edition}".encode()
        macs = [hmac.digest(key, message, "sha256") for key in reversed(self.signing_keys("names"))]
        return tuple(base64.urlsafe_b64encode(mac).decode().rstrip("=") for mac in macs)

    def _hashes(self, purpose: str, message: bytes) -> tuple[bytes, ...]:
        return tuple(self._hash(number, purpose, message) for number in reversed(self.numbers))

    def _hash(self, number: int, purpose: str, message: bytes) -> bytes:
        mac = hmac.digest(self._subkey(number, f"hash/{purpose}"), message, "sha256")
        return bytes([number]) + mac[:HASH_BYTES]

    def _cipher(self, number: int) -> AESGCM:
        if number not in self._ciphers:
            self._ciphers[number] = AESGCM(self._subkey(number, "seal"))
        return self._ciphers[number]

    def _subkey(self, number: int, purpose: str) -> bytes:
        slot = (number, purpose)
        if slot not in self._subkeys:
            self._subkeys[slot] = _derive(self._secrets[number], purpose)
        return self._subkeys[slot]


def normal_email(email: str) -> str:
    """Bring an address to the one form under which it is hashed: twins in punycode and Unicode meet.

    The local part is casefolded; the domain is left as IDNA gives it, because casefolding would make one
    of `straße` and `strasse`, which have different owners.

    Raises: FieldsRefused, which never quotes the address.
    """
    if len(email) > MAX_EMAIL_CHARACTERS:  # before the library spends its time on it
        raise _email_refusal()
    try:
        valid = validate_email(email, check_deliverability=False)
    except ValueError:  # its text quotes parts of the address, so nothing of it may travel on
        raise _email_refusal() from None
    return f"{valid.local_part.casefold()}@{valid.domain}"


def mask_email(email: str) -> str:
    """Show as much of an address as a moderator needs to tell two apart: `a•••@d•••.org`."""
    local, at, domain = email.rpartition("@")
    return f"{local[:1]}•••@{mask_domain(domain)}" if at else "•••"


def mask_domain(domain: str) -> str:
    """The same for a domain that is known from an address alone: `d•••.org`."""
    name, dot, ending = domain.rpartition(".")
    return f"{name[:1]}•••.{ending}" if dot else f"{ending[:1]}•••"


def network_of(address: str) -> str:
    """Name the network that one person is likely to hold: IPv4 by /24, IPv6 by /64.

    IPv4 within IPv6 (`::ffff:`) counts as IPv4. Whatever is no address is the one network "unknown".
    """
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return UNKNOWN_NETWORK
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = 64 if isinstance(parsed, IPv6Address) else 24
    return str(ip_network(f"{parsed}/{bits}", strict=False))


def _read_entry(entry: str, *, is_only: bool) -> tuple[int, str]:
    numbered = _NUMBERED.fullmatch(entry)
    if numbered:
        return int(numbered[1]), numbered[2]
    if is_only:
        return 1, entry
    raise KeyRefused("Each secret key needs its number in front, as in 2:SECRET")


def _check_key(number: int, secret: str) -> None:
    if not 1 <= number <= MAX_KEY_NUMBER:
        raise KeyRefused(f"The number of a secret key must be from 1 to {MAX_KEY_NUMBER}")
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise KeyRefused(f"Secret key number {number} is shorter than {MIN_SECRET_CHARACTERS} characters")
    if _SEPARATORS.search(secret):
        raise KeyRefused(f"Secret key number {number} has a blank or a comma in it")


def _derive(secret: str, purpose: str) -> bytes:
    info = f"comments-service/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(
        secret.encode(errors="surrogatepass")
    )


def _pad(plaintext: str) -> bytes:
    # ISO/IEC 7816-4: one marking byte, then zeros, so that text ending in zeros comes back whole.
    raw = plaintext.encode(errors="surrogatepass") + b"\x80"
    return raw + b"\0" * (-len(raw) % BLOCK_BYTES)


def _unpad(padded: bytes) -> str:
    return padded.rstrip(b"\0")[:-1].decode(errors="surrogatepass")


def _email_message(email: str, site_id: int) -> bytes:
    return f"{site_id}:{normal_email(email)}".encode()


def _email_refusal() -> FieldsRefused:
    sentence = "This is not a complete email address."
    return FieldsRefused(sentence, errors=(FieldError("email", "invalid", sentence),))

"""What is sealed stays sealed, what is hashed meets its twins, and nothing gives a secret away."""

from __future__ import annotations

import hashlib
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comments_service.errors import FieldsRefused, KeyRefused
from comments_service.privacy import Keyring, mask_email, network_of, normal_email

SECRET = "a-first-secret-for-tests-0123456789abcdef"
OTHER_SECRET = "another-secret-for-tests-0123456789abcdef"
KEYS = Keyring.parse(f"1:{SECRET}")
ROTATED = KEYS.with_key(f"2:{OTHER_SECRET}")
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_sealed_text_opens_unchanged(text: str) -> None:
    assert KEYS.open(KEYS.seal(text, column="email"), column="email") == text


def test_sealing_twice_gives_two_different_values() -> None:
    assert KEYS.seal("ana@example.org", column="email") != KEYS.seal("ana@example.org", column="email")


def test_a_sealed_value_holds_nothing_of_its_text() -> None:
    sealed = KEYS.seal("ana.lopez@example.org", column="email")
    assert not any(part in sealed for part in (b"ana", b"lopez", b"example"))


@pytest.mark.parametrize("email", ["a@b.example", "somebody.with.a.long.name@newspaper.example.org"])
def test_sealed_addresses_have_one_length(email: str) -> None:
    assert len(KEYS.seal(email, column="email")) == 1 + 12 + 64 + 16


def test_a_sealed_value_with_any_bit_flipped_is_refused() -> None:
    sealed = ROTATED.seal("ana@example.org", column="email")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyRefused):
            ROTATED.open(bytes(changed), column="email")


def test_a_sealed_value_cut_or_lengthened_is_refused() -> None:
    sealed = KEYS.seal("ana@example.org", column="email")
    for changed in (*(sealed[:size] for size in range(len(sealed))), sealed + b"\0", sealed * 2):
        with pytest.raises(KeyRefused):
            KEYS.open(changed, column="email")


def test_a_sealed_value_does_not_open_in_another_column() -> None:
    with pytest.raises(KeyRefused):
        KEYS.open(KEYS.seal("ana@example.org", column="email"), column="note")


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() -> None:
    old = KEYS.seal("ana@example.org", column="email")
    assert ROTATED.open(old, column="email") == "ana@example.org"
    assert (old[0], ROTATED.seal("ana@example.org", column="email")[0]) == (1, 2)


def test_a_value_of_an_unknown_key_is_refused_by_its_number() -> None:
    with pytest.raises(KeyRefused, match="key number 2"):
        KEYS.open(ROTATED.seal("ana@example.org", column="email"), column="email")


def test_another_secret_under_the_same_number_opens_nothing() -> None:
    with pytest.raises(KeyRefused):
        Keyring.parse(OTHER_SECRET).open(KEYS.seal("ana@example.org", column="email"), column="email")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (SECRET, (1,)),
        (f"  {SECRET}\n", (1,)),
        (f"7:{SECRET}", (7,)),
        (f"1:{SECRET}\n2:{OTHER_SECRET}\n", (1, 2)),
        (f"2:{SECRET}, 1:{OTHER_SECRET}", (1, 2)),
        (f"255:{SECRET},3:{OTHER_SECRET}", (3, 255)),
    ],
)
def test_keys_are_read_in_each_way_of_writing_them(text: str, numbers: tuple[int, ...]) -> None:
    keys = Keyring.parse(text)
    assert (keys.numbers, keys.current) == (numbers, numbers[-1])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "short-secret",
        "1:short-secret",
        "1:",
        f"0:{SECRET}",
        f"256:{SECRET}",
        f"1:{SECRET} 1:{OTHER_SECRET}",
        f"{SECRET} {OTHER_SECRET}",
        f"1:{SECRET} {OTHER_SECRET}",
    ],
)
def test_keys_that_are_missing_short_or_ambiguous_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        Keyring.parse(text)
    assert not any(secret in str(refused.value) for secret in (SECRET, OTHER_SECRET, "short-secret"))


def test_a_generated_key_is_fresh_and_can_be_read() -> None:
    first, second = Keyring.generate(3), Keyring.generate(3)
    assert first != second
    assert Keyring.parse(first).numbers == (3,)


@pytest.mark.parametrize("line", [f"1:{OTHER_SECRET}", OTHER_SECRET, f"2:{SECRET} x", "2:short", ""])
def test_a_key_is_not_added_under_a_number_that_is_taken_or_missing(line: str) -> None:
    with pytest.raises(KeyRefused):
        KEYS.with_key(line)


def test_a_keyring_shows_its_numbers_and_never_its_secrets() -> None:
    ROTATED.email_hash("ana@example.org", site_id=1)
    shown = f"{ROTATED} {ROTATED!r}"
    assert "(1, 2)" in shown
    assert not any(secret in shown for secret in (SECRET, OTHER_SECRET))


@pytest.mark.parametrize(
    "twins",
    [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ANA@XN--BCHER-KVA.EXAMPLE"),
        ("Ana.Lopez@Example.org", "ana.lopez@example.org"),
        ("jos\u00e9@example.org", "jose\u0301@example.org"),
        ("ana@example\u3002org", "ana@example.org"),
    ],
)
def test_twins_of_one_address_have_one_hash(twins: tuple[str, str]) -> None:
    first, second = (KEYS.email_hash(email, site_id=1) for email in twins)
    assert first == second


def test_domains_with_different_owners_keep_different_hashes() -> None:
    assert normal_email("ana@straße.example") != normal_email("ana@strasse.example")


def test_an_address_has_another_hash_on_every_site_and_under_every_key() -> None:
    hashes = {
        keys.email_hash("ana@example.org", site_id=site_id)
        for keys in (KEYS, ROTATED)
        for site_id in (1, 11, 2)
    }
    assert len(hashes) == 6


def test_a_look_up_gets_one_hash_for_each_key_newest_first() -> None:
    old, new = (keys.email_hash("ana@example.org", site_id=1) for keys in (KEYS, ROTATED))
    assert ROTATED.email_hashes("ana@example.org", site_id=1) == (new, old)
    assert (old[0], new[0], len(old), len(new)) == (1, 2, 17, 17)


def test_a_hash_is_none_that_somebody_without_the_key_can_make() -> None:
    ours = KEYS.email_hash("ana@example.org", site_id=1)[1:]
    guesses = [b"ana@example.org", b"1:ana@example.org"]
    digests = [hashlib.new(name, guess).digest() for name in ("md5", "sha1", "sha256") for guess in guesses]
    assert not any(ours in digest or digest in ours for digest in digests)


def test_hashes_for_different_uses_never_meet() -> None:
    data = b"1:192.0.2.0/24"
    hashes = [
        KEYS.network_hash("192.0.2.0/24", site_id=1),
        KEYS.digest("body", data),
        KEYS.digest("network", data),
    ]
    assert all(first != second for first, second in combinations(hashes, 2))
    assert KEYS.network_hash("192.0.2.0/24", site_id=2) != hashes[0]


def test_networks_and_digests_are_looked_up_under_every_key_too() -> None:
    networks = ROTATED.network_hashes("192.0.2.0/24", site_id=1)
    assert networks == (
        ROTATED.network_hash("192.0.2.0/24", site_id=1),
        KEYS.network_hash("192.0.2.0/24", site_id=1),
    )
    assert ROTATED.digests("body", b"x") == (ROTATED.digest("body", b"x"), KEYS.digest("body", b"x"))


def test_signing_keys_differ_by_purpose_and_come_newest_last() -> None:
    assert KEYS.signing_keys("ticket") != KEYS.signing_keys("receipt")
    assert ROTATED.signing_keys("ticket")[0] == KEYS.signing_keys("ticket")[0]
    assert len(ROTATED.signing_keys("ticket")) == 2


@pytest.mark.parametrize(
    "email",
    [
        "",
        "unique-reader",
        "unique-reader@",
        "@example.org",
        "unique-reader@localhost",
        "unique reader@example.org",
        "unique-reader@exa_mple.org",
        "unique-reader@example.org\n",
        "unique-reader@example.org\ud800",
        f"unique-reader@{'x' * 60_000}.example.org",
    ],
)
def test_what_is_no_address_is_refused_without_being_quoted(email: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        normal_email(email)
    assert [error.field for error in refused.value.errors] == ["email"]
    assert "unique" not in f"{refused.value} {refused.value.errors}"
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("email", "mask"),
    [
        ("ana@domain.org", "a•••@d•••.org"),
        ("a@d.co.uk", "a•••@d•••.uk"),
        ("josé@bücher.example", "j•••@b•••.example"),
        ("ana@intranet", "a•••@i•••"),
        ("not an address", "•••"),
        ("", "•••"),
    ],
)
def test_a_mask_shows_first_letters_and_the_ending_only(email: str, mask: str) -> None:
    assert mask_email(email) == mask


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        (" 192.0.2.1 ", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("::FFFF:c000:24d", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("192.0.2.999", "unknown"),
        ("192.0.2", "unknown"),
        ("unknown", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_network_is_what_one_person_is_likely_to_hold(address: str, network: str) -> None:
    assert network_of(address) == network


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_at_all_has_a_network_and_a_mask(text: str) -> None:
    assert network_of(text)
    assert "•••" in mask_email(text)

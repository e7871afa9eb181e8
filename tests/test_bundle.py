"""The scripts that readers download: joined once, small, cacheable, and under one name for one content."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from flask.testing import FlaskClient

from comments_service import bundle
from comments_service.bundle import BundleRefused
from comments_service.texts import Catalogue
from tools.make_bundles import BUNDLES, MADE
from tools.measure_bundle import EMBED_LIMIT_BYTES

EMBED = bundle.embed(Catalogue.load().boot_texts())
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_the_whole_widget_is_at_most_fifteen_kilobytes() -> None:
    assert len(EMBED.brotli) <= EMBED_LIMIT_BYTES


def test_joining_the_same_modules_gives_the_same_bytes() -> None:
    again = bundle.embed(Catalogue.load().boot_texts())
    assert (again.content, again.gzip, again.hash) == (EMBED.content, EMBED.gzip, EMBED.hash)


def test_nothing_of_the_module_syntax_is_left() -> None:
    assert not [line for line in EMBED.content.decode().splitlines() if line.startswith(("import", "export"))]


def test_the_widget_leaves_no_style_tags_and_never_writes_html_past_the_policy() -> None:
    assert EMBED.joined.count("innerHTML") == EMBED.content.count(b"innerHTML") == 1
    assert "innerHTML = policy.createHTML" in EMBED.joined
    assert b"<style" not in EMBED.content


def test_every_module_on_disk_is_in_a_bundle() -> None:
    on_disk = {file.stem for file in bundle.STATIC.glob("*.js")}
    alone = {"copy"}  # the script of one page, which imports nothing
    later = [one.modules for one in bundle.LATER.values()]
    readers = (bundle.EMBED_MODULES, *later, bundle.COUNT_MODULES)
    bundles = (*readers, bundle.QUEUE_MODULES)
    assert on_disk == {name for modules in bundles for name in modules} | alone


def test_the_queues_modules_fit_into_one_script() -> None:
    assert b"import" not in bundle.queue().content


def test_no_module_is_longer_than_two_hundred_lines() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in bundle.STATIC.glob("*.js")}
    assert not {name: length for name, length in lengths.items() if length > 200}


@pytest.mark.parametrize("name", BUNDLES)
def test_the_smallest_form_is_fresh_after_make_bundles(name: str) -> None:
    made = (MADE / f"{name}.js").read_bytes()
    assert BUNDLES[name]().content == made, "run `make bundles`, and commit what it wrote"


def test_an_edited_module_is_served_at_once_without_being_made(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (tmp_path / "one.js").write_text("export const one = 1;\n")
    (made / "one.js").write_text("let a=1")
    (made / "digests.json").write_text(
        json.dumps({"one": bundle.digest(bundle.join(("one",), {}, tmp_path).joined)})
    )
    assert bundle.join(("one",), {}, tmp_path, name="one").content == b"let a=1"
    (tmp_path / "one.js").write_text("export const one = 2;\n")
    assert b"one=2" in bundle.join(("one",), {}, tmp_path, name="one").content


def test_a_name_made_in_two_modules_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text("export function show() {}\n")
    (tmp_path / "two.js").write_text("const show = 1;\n")
    with pytest.raises(BundleRefused, match="show"):
        bundle.join(("one", "two"), {}, tmp_path)


def test_an_import_of_what_comes_later_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text('import { two } from "./two.js";\n')
    (tmp_path / "two.js").write_text("export const two = 2;\n")
    with pytest.raises(BundleRefused, match="two"):
        bundle.join(("one", "two"), {}, tmp_path)


def test_private_members_get_short_names_and_nothing_else_does(tmp_path: Path) -> None:
    source = """export class Box {
  #inside = "#inside";
  static #made = 0;
  async #open() {
    return this.#inside + Box.#made + "a#inside" + location.hash.startsWith("#open");
  }
  get #inside2() {
    return this.#open();
  }
}
"""
    (tmp_path / "box.js").write_text(source)
    made = bundle.join(("box",), {}, tmp_path).content.decode()
    for left in ('"#inside"', '"a#inside"', 'startsWith("#open")'):
        assert left in made
    assert not re.search(r"\.#\w{2}|get #\w{2}|async #\w{2}|static #\w{2}", made)
    assert len(set(re.findall(r"#([a-z])\b", made))) == 4


def test_styles_lose_comments_and_blanks_but_none_that_mean_something() -> None:
    source = '/* why */ a > b,\n c :hover {\n  margin: calc(1em + 2px) 0;\n  content: " ;  ";\n}\n'
    assert bundle.minify_css(source) == 'a>b,c :hover{margin:calc(1em + 2px) 0;content:" ;  "}'


@pytest.mark.parametrize("suffix", [".py", ".js", ".css", ".json"])
def test_a_release_with_another_file_has_another_name(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"file{suffix}").write_text("1")
    before = bundle.build_id(tmp_path)
    (tmp_path / f"file{suffix}").write_text("2")
    assert bundle.build_id(tmp_path) != before


@one_database
@pytest.mark.parametrize("path", ["/embed.js", "/count.js"])
def test_a_script_is_kept_for_five_minutes_and_then_validated(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@one_database
def test_a_page_of_any_site_may_load_and_pin_the_script(client: FlaskClient) -> None:
    headers = client.get("/embed.js").headers
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["Access-Control-Allow-Origin"] == "*"


@one_database
@pytest.mark.parametrize(("encoding", "unpack"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_the_script_travels_compressed_for_those_who_take_it(
    client: FlaskClient, encoding: str, unpack: Callable[[bytes], bytes]
) -> None:
    answer = client.get("/embed.js", headers={"Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert unpack(answer.data) == EMBED.content


@one_database
def test_each_encoding_has_its_own_etag(client: FlaskClient) -> None:
    tags = {
        client.get("/embed.js", headers={"Accept-Encoding": e}).headers["ETag"] for e in ("br", "gzip", "")
    }
    assert len(tags) == 3


@one_database
@pytest.mark.parametrize("name", ["embed", "count"])
def test_the_hashed_twin_is_the_same_script_for_ever(client: FlaskClient, name: str) -> None:
    content = client.get(f"/{name}.js").data
    twin = client.get(f"/{name}.{hashlib.sha256(content).hexdigest()[:16]}.js")
    assert twin.data == content
    assert twin.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@one_database
def test_the_name_of_another_content_is_not_found(client: FlaskClient) -> None:
    assert client.get(f"/embed.{'0' * 16}.js").status_code == 404


def test_the_integrity_value_is_the_digest_of_the_script() -> None:
    digest = hashlib.sha384(EMBED.content).digest()
    assert f"sha384-{base64.b64encode(digest).decode()}" == EMBED.integrity


@one_database
@pytest.mark.parametrize("name", ["nothing.css", "..%2Ftexts.py", "en.json", "embed"])
def test_only_styles_and_scripts_are_assets(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


@one_database
def test_pages_get_their_styles(client: FlaskClient) -> None:
    answer = client.get("/assets/tokens.css")
    assert answer.mimetype == "text/css"
    assert b"--accent" in answer.data

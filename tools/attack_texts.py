"""What an attack is made of: spam of many kinds, and honest comments among it. Of our own writing.

Spam comes in campaigns, as it does: each has its own hosts and turns of phrase, and varies its words.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

HOSTS = (
    *(
        "fast-loans24",
        "royalspin-casino",
        "bestpillshop",
        "seo-heroes",
        "essaywriters-pro",
        "coin-multiplier",
    ),
    *("replica-timepieces", "fan-boost", "lucky-jackpots", "cheapmeds-online", "date-me-now", "rank-rocket"),
)
ENDINGS = ("example", "test", "example.com", "example.net", "example.org")
PRAISE = (
    "I really like your site and the way you explain this topic.",
    "Wonderful goods from you, man. I have understood your stuff previous to and you are just too great.",
    "This is very interesting, you are a very skilled blogger!",
    "Hey there, you have done a fantastic job. I will certainly recommend it to my friends.",
    "Excellent post. I was checking constantly this blog and I am impressed!",
    "Whats up very cool website!! Guy .. Excellent .. Superb .. I will bookmark your website.",
)
OFFERS = (
    "Need cash today? Get approved for a loan without any credit check",
    "Win real money at the best online casino, 200 free spins for new players",
    "Buy cheap viagra and cialis without prescription, discreet shipping worldwide",
    "We write your essay or dissertation within 24 hours, 100 % plagiarism free",
    "Rank number one on the search engines, we sell high quality backlinks",
    "Top quality replica watches, 70 % off this week only",
    "Get 10000 real followers for 9 dollars, instant delivery",
    "Hot singles in your town want to meet you tonight",
)
STORIES = (
    (
        "I lost everything to a fake broker until I met {name}, a certified recovery hacker. He got "
        "back all my {coin}. Contact him by mail: {name}@{host} or WhatsApp +1 555 {number}"
    ),
    (
        "I invested only $500 with Mrs {name} and earned ${number}0 within 7 days of trading {coin}. "
        "She is the best, write to her on telegram @{name}trades"
    ),
    (
        "My husband left me for another woman. Doctor {name} cast a spell and he came back in two "
        "days! His email is {name}@{host}, he can also cure herpes and win you the lottery"
    ),
    (
        "I work from home {number} hours a week and make ${number}0 a month, my friend makes even "
        "more. Look here: {link}"
    ),
)
CALLS = (
    "Check out my channel, please subscribe! I make the best {thing} videos, {link}",
    "Hey guys please like and subscribe to my channel for {thing}, I subscribe back!!! {link}",
    "Follow me on {thing}gram and get a free gift card: {link}",
    "If you love {thing} visit my page {link} and share it with 5 friends or you will have bad luck",
)
FOREIGN = (
    "Быстрые займы без отказа, деньги на карту за 5 минут: {link}",
    "Лучшее онлайн казино, бонус за регистрацию 5000 рублей {link}",
    "正品手表低价出售，微信联系 {number}{number}，网址 {link}",
    "Kaufen Sie günstige Potenzmittel ohne Rezept, diskreter Versand {link}",
)
HIDDEN = (
    "B u y ch3ap v1agra 0nline n0w {link}",
    "Ca\u200bsi\u200bno bo\u200bnus for y\u200bou: {link}",
    "ｆｒｅｅ ｍｏｎｅｙ ｆｏｒ ｅｖｅｒｙｂｏｄｙ {link}",
    "Сheар rерliса wаtсhеs {link}",  # with letters that only look Latin
)
VISITS = ("Also visit my page:", "Feel free to surf to my site", "my blog;")
SHAPES = (
    *("{text} >>> {link}", '<a href="{link}">{text}</a>', "[url={link}]{text}[/url]"),
    "{text}! {link} {link}x",
)
THINGS = ("fortnite", "makeup", "dance", "prank", "music", "cat", "gaming", "fitness", "crypto")
PEOPLE = ("Harrison", "Olivia", "Ahmed", "Priest Babaka", "Rebecca Wells", "Mike", "Anita", "Gerald")
COINS = ("bitcoin", "BTC", "ethereum", "USDT", "crypto")
SPAM_NAMES = (
    *(
        "Best Online Casino",
        "cheap loans",
        "SEO Expert",
        "buy followers",
        "John",
        "Mary",
        "Alex",
        "essay help",
    ),
    *(
        "https://royalspin-casino.example",
        "FREE SPINS",
        "dr pills",
        "Lena",
        "crypto queen",
        "Robert",
        "ххх видео",
    ),
)
HONEST_NAMES = (
    "Ana Berg",
    "Tom",
    "J. Okafor",
    "mira_87",
    "Dr. Helga Ström",
    "Li Wei",
    "Уляна",
    "Marta",
    "Sven K.",
)
OPENINGS = (
    "I grew up two streets from the harbour.",
    "As somebody who takes the 7.40 ferry,",
    "Not sure I agree with the headline.",
    "My brother worked on the cranes until 2004.",
    "Small correction to the third paragraph:",
    "Reading this on the train, of all places.",
    "We were there on Sunday with the children.",
    "Thank you for asking the engineer herself.",
    "I have never understood the fuss about the old lock.",
    "Good to see the pictures from the archive.",
)
MIDDLES = (
    "The tower was painted grey in those years, not green",
    "what nobody mentions is the noise at night when the lorries queue",
    "the lift to platform two has been broken since Easter",
    "the council minutes of May say something rather different",
    "half of the shops had closed long before the bridge was built",
    "the timetable on the wall is still last year's",
    "the cyclists have nowhere to go once the path ends at the mill",
    "the tender went out twice and nobody made an offer",
    "the new railing is too low for anybody with a small child",
    "the water was clear enough to see the old pilings",
)
CLOSINGS = (
    "and I would like to know who decided that.",
    "so please keep asking.",
    "which is a pity, really.",
    "but perhaps I remember it wrongly.",
    "as my neighbour will tell you at length.",
    "and that is before the winter storms.",
    "See https://council.example.org/minutes/2024-05, item 7.",
    "There is a good photograph of it at https://archive.example.org/harbour/1931.",
    "Does anybody have a source for the number in the caption?",
    "Anyway, a fine piece.",
)
MOST_HONEST = len(OPENINGS) * len(MIDDLES) * len(CLOSINGS)  # distinct ones


@dataclass(frozen=True)
class Sent:
    """One comment of the attack."""

    text: str
    name: str
    is_spam: bool


def spam(count: int, chance: random.Random) -> list[Sent]:
    """So many spam comments, of all kinds, mixed."""
    return [Sent(_spam(chance), chance.choice(SPAM_NAMES), True) for _ in range(count)]


def honest(count: int, chance: random.Random) -> list[Sent]:
    """So many honest comments, `MOST_HONEST` at most, each said once."""
    if count > MOST_HONEST:
        raise ValueError(f"There are {MOST_HONEST} honest comments, and {count} are wanted.")
    texts: set[str] = set()
    while len(texts) < count:
        texts.add(" ".join(chance.choice(part) for part in (OPENINGS, MIDDLES, CLOSINGS)))
    return [Sent(text, chance.choice(HONEST_NAMES), False) for text in sorted(texts)]


def _spam(chance: random.Random) -> str:
    host = f"{chance.choice(HOSTS)}{chance.choice(['', '-', '24', 'x'])}.{chance.choice(ENDINGS)}"
    scheme, path = (
        chance.choice(("http://", "https://", "www.")),
        chance.choice(("", "go", "offer", "r?id=7")),
    )
    link = f"{scheme}{host}/{path}"
    kind = chance.choices((PRAISE, OFFERS, STORIES, CALLS, FOREIGN, HIDDEN), (20, 28, 16, 16, 8, 12))[0]
    text = _filled(chance.choice(kind), host, link, chance)
    if kind is PRAISE:
        text = f"{text} {chance.choice(VISITS)} {link}"
    elif kind is OFFERS:
        text = chance.choice(
            (
                f"{text} >>> {link}",
                f'<a href="{link}">{text}</a>',
                f"[url={link}]{text}[/url]",
                f"{text}! {link} {link}x",
            )
        )
    return text


def _filled(text: str, host: str, link: str, chance: random.Random) -> str:
    return text.format(
        host=host,
        link=link,
        name=chance.choice(PEOPLE).split()[0].lower(),
        number=chance.randrange(1000, 9999),
        coin=chance.choice(COINS),
        thing=chance.choice(THINGS),
    )


def mixed(spam_count: int, honest_count: int, seed: int) -> Sequence[Sent]:
    """All of them in one order."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    found = [*spam(spam_count, chance), *honest(honest_count, chance)]
    chance.shuffle(found)
    return found

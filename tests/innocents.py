"""Comments of honest people that have something of spam about them, by what that is."""

from __future__ import annotations

ESSAY = (
    (
        "I have lived beside this canal for thirty-one years, and the article leaves out the part "
        "that matters."
    ),
    (
        "When the lock was rebuilt in 1998, the town promised two things: that the towpath would "
        "stay open for walkers, and that the mooring fees would go into dredging. Neither "
        "happened. The path was fenced off for a “temporary” works yard which is still there, and "
        "the dredger has come exactly twice. I know because I wrote the dates on my kitchen "
        "calendar, the way my father did before me."
    ),
    (
        "What would help is not another consultation. It is a line in the budget. The engineer's "
        "own report asked for a modest sum each year; it was struck out in committee without a "
        "vote, on a Thursday afternoon in July when half of the members were on holiday. You can "
        "read the minutes in the library, in the grey binder behind the newspapers."
    ),
    (
        "I do not blame the council alone. We, the people who live here, went to the opening with "
        "flags and then went home. If you want a canal you have to look after it, and looking "
        "after something is dull."
    ),
)


INNOCENTS: tuple[tuple[str, str], ...] = (
    # short thanks and the like
    ("short", "Thanks!"),
    ("short", "Thank you, this helped."),
    ("short", "+1"),
    ("short", "Yes."),
    ("short", "Lovely photographs."),
    ("short", "Great article, Maria."),
    ("short", "👏👏👏"),
    ("short", "Same here."),
    ("short", "lol"),
    ("short", "Why?"),
    # code
    ("code", "You can shorten that to `return sorted(set(names))`."),
    (
        "code",
        "Use this:\n\n```\nfor row in rows:\n    print(row.id, row.name)\n```\n\nIt keeps the order.",
    ),
    ("code", "The <script> tag has to come after the element, or wait for DOMContentLoaded."),
    ("code", "SELECT name FROM users WHERE id = 1; -- this runs in 2 ms here with the index"),
    ("code", "pip install --upgrade fails with exit code 1 on 3.11, works on 3.12. Anyone else?"),
    ("code", "git push --force-with-lease would have saved us the whole afternoon."),
    ("code", "In line 14, `x != y` should be `x is not y`, otherwise arrays blow up."),
    ("code", "My config: listen 127.0.0.1:8080; proxy_pass http://backend; and it still answers 502."),
    # honest links
    ("link", "The full report is here: https://council.example.org/reports/2025/harbour.pdf, see page 31."),
    ("link", "I wrote about the same problem last year: https://notes.lindqvist.example/locks-and-tides"),
    (
        "links",
        (
            "Three sources for that: https://www.archives.example/item/4471, "
            "https://museum.example.org/ferries and https://en.wikipedia.org/wiki/Cable_ferry."
        ),
    ),
    (
        "links",
        (
            "Compare https://docs.python.org/3/library/sqlite3.html with "
            "https://www.sqlite.org/lang_transaction.html, the defaults are not the same."
        ),
    ),
    ("link", "There is a map of all the stops at www.trams.example/map, it loads slowly but it is complete."),
    ("link", "A recording of the debate: https://www.youtube.com/watch?v=a1b2c3d4e5f"),
    ("link", "Issue 482 tracks this: https://github.com/example/parser/issues/482"),
    ("link", "The recipe I use is my aunt's, https://kitchen.example/rye-bread, with half the salt."),
    # words that advertisers like
    ("words", "I subscribe to the paper edition and still cannot read the archive. Please fix this."),
    ("words", "The casino on the pier closed in 2009; my mother dealt cards there for ten years."),
    ("words", "Cheap housing was promised for free in every campaign since the nineties."),
    ("words", "My loan was refused because of a typing error in the register. It took two years to correct."),
    ("words", "Viagra was discovered by accident, while they were looking for a heart medicine."),
    ("words", "Click on the third tab, then on Export. It is easy to miss."),
    ("words", "Nobody should win an election with a quarter of the votes."),
    ("words", "The channel needs dredging before the winter, ask any skipper."),
    ("words", "I bought the watch from the workshop in the article and it still runs after five years."),
    ("words", "Free entry on Sundays, by the way, if you bring children."),
    ("words", "Does anybody know whether the newsletter still goes out on Fridays?"),
    ("words", "Bitcoin mining uses more power than this whole county. Who pays for that?"),
    # other scripts and languages, on an English page
    ("script", "Большое спасибо за статью, очень интересно было прочитать про старый мост."),
    ("script", "非常感谢，这篇文章写得很好。"),
    ("script", "この記事はとても参考になりました。ありがとうございます。"),
    ("script", "شكرا جزيلا على هذا المقال الرائع."),
    ("script", "תודה רבה על הכתבה, נהניתי לקרוא."),
    ("script", "Ευχαριστώ πολύ για το άρθρο."),
    ("script", "이 다리를 매일 건너다녔는데 정말 반갑네요."),
    ("language", "Danke für den Beitrag, die Karte auf Seite 3 ist allerdings spiegelverkehrt."),
    ("language", "Merci pour cet article. Je me demande qui a payé les travaux de 1931."),
    ("language", "Świetny tekst. Czy są jakieś zdjęcia z otwarcia?"),
    ("language", "¿Alguien sabe si el puente abre los domingos?"),
    # capitals, numbers, marks
    ("marks", "NO. This is WRONG and the editor knows it."),
    ("marks", "WHO WROTE THIS HEADLINE???"),
    ("marks", "Congratulations to the whole crew!!!"),
    ("marks", "It was 14.20 in 1987, 17.85 in 1994, and $32 last week."),
    ("marks", "Born 1931, died 2019. He would have laughed at the plaque. 😂"),
    ("marks", "Sooooo beautiful, I cried."),
    ("marks", "Call the office in the mornings, 0123 456 7890, they are kind."),
    ("marks", "@Jonas: no, that was the ferry in 2003, not the bridge."),
    ("marks", 'First paragraph, third sentence: it\'s "its", not "it\'s".'),
    # long, quoting, angry
    ("long", "\n\n".join(ESSAY)),
    ("quote", "> The bridge is never full.\n\nHave you ever tried it at eight in the morning with a pram?"),
    ("quote", "The author writes that nobody protested. I stood there with four hundred others."),
    ("angry", "This is the worst piece you have published in years. Shame on you."),
    ("angry", "Stupid, lazy, and wrong. My grandfather built that wall, not the army."),
    (
        "question",
        "Is the lift working again? My mother uses a wheelchair and we hope to come on Saturday.",
    ),
    ("correction", "It is Lake Vättern, not Vänern. The ferry has never gone to Karlstad."),
    ("list", "What I miss here:\n- the costs\n- the names of the builders\n- a picture from the north side"),
)

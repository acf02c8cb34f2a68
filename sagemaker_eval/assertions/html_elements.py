"""The elements of HTML by what a browser does about them (HTML Living Standard, tree construction)."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS = _names(
    """
    html head title base link meta style body article section nav aside h1 h2 h3 h4 h5 h6 hgroup header footer address
    p hr pre blockquote ol ul menu li dl dt dd figure figcaption main search div a em strong small s cite q dfn abbr
    ruby rt rp data time code var samp kbd sub sup i b u mark bdi bdo span br wbr ins del picture source img iframe
    embed object param video audio track map area svg math table caption colgroup col tbody thead tfoot tr td th form
    label input button select datalist optgroup option textarea output progress meter fieldset legend details summary
    dialog script noscript template slot canvas
    """
)
"""The elements of the standard, with the roots of SVG and MathML."""

VOID = _names(
    """
    area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr
    """
)
"""Elements that have no content and no end tag."""

RAW = _names("iframe noembed noframes noscript plaintext script style textarea title xmp")
"""Elements whose content is text, whatever it looks like."""

HEAD = _names("base basefont bgsound link meta noframes noscript script style template title")
"""Elements that a document may have before its body begins."""

FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
"""Elements that go on in what follows where only the block around them is closed."""

HEADINGS = _names("h1 h2 h3 h4 h5 h6")
"""The headings, of which none stands in another."""

BLOCKS = _names(
    """
    address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form
    header hgroup listing main menu nav ol pre search section summary ul
    """
)
"""Elements that close the paragraph before them, and that formatting does not reach out of."""

SCOPE_ENDS = _names("applet caption marquee object table td template th")
"""Elements that the end tag of an element outside of them does not reach into."""

FOSTERING = _names("table tbody thead tfoot tr")
"""Elements that hold no text themselves: a browser moves it to before the table."""

CLOSES_P = BLOCKS | HEADINGS | {"p", "hr", "li", "dd", "dt", "plaintext", "xmp"}
"""Elements that cannot stand in a paragraph."""

TABLE_PARTS: dict[str, tuple[str, ...]] = {
    "caption": ("table",),
    "colgroup": ("table",),
    "col": ("colgroup", "table"),
    "tbody": ("table",),
    "thead": ("table",),
    "tfoot": ("table",),
    "tr": ("tbody", "thead", "tfoot", "table"),
    "td": ("tr", "tbody", "thead", "tfoot", "table"),
    "th": ("tr", "tbody", "thead", "tfoot", "table"),
}
"""The parts of a table, each with what it may stand in."""

SPECIAL = BLOCKS | HEADINGS | SCOPE_ENDS | VOID | RAW | TABLE_PARTS.keys() | {"p", "li", "dd", "dt", "button", "select"}
"""Elements that an end tag of another name does not close."""

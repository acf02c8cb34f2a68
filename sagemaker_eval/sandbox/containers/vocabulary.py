"""The words that built-in answers are made of, and those of a prompt that say nothing about its subject."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COMMON_WORDS = frozenset(
    _words("""
    a about above aim all also am an and answer any are around as at based be because becomes been before being
    below best between both brief briefly but by can catchy clear come concept content create creative describe
    detail details did do does each even ever every exactly example examples explain few first following for from
    generate get give given good great had has have he help her here him his how i idea ideas if in include into is
    it its itself just keep know known let like list long make many may me mean means might more most much must my
    name names need new no not now of on one only or other our out over own paragraph part people please poem point
    points post provide question quick reply respond response return same say sentence sentences she short should
    show simple simply single slogan slogans so some someone something specializes specialises steps story style
    such suggest summarise summarize summary tagline take talk tell than that the their them then there these they
    thing things think this those three time title to too translate tweet two understand under up us use used using
    very want was way ways we well were what when where which while who whom whose why will with within word words
    would write written yes you your answers json yaml format object text user assistant system tip tips bullet
    bullets aims summaries stories tale essay article blog caption
    """)
)

PLACES = _words("""
    Atelier Bean Collective Corner Cottage Garden Grove Harbor Hearth House Kitchen Lantern Loft Nook Orchard Parlour
    Pavilion Post Room Studio Table Terrace Workshop
    """)

QUALITIES = _words("""
    Amber Bright Copper Drifting Gentle Golden Hidden Honest Humming Midnight Quiet Velvet Wandering Wild
    """)

NAME_PATTERNS = (
    "The {topic} {place}",
    "{quality} {topic}",
    "The {quality} {topic} {place}",
    "The {quality} {place}: {topic}",
    "{place} of {topic}",
    "{topic} {place}",
    "{topic} at the {quality} {place}",
)

REMARKS = (
    "Try it on a small example first.",
    "The rest is practice.",
    "Most of it can be settled in an afternoon.",
    "Much depends on who is asking.",
    "A second opinion never hurts.",
    "It looks different up close.",
    "There is more to it than that, but this will do for a start.",
    "Everything else can wait.",
    "Details differ from place to place.",
    "Give it a little time.",
    "Nobody gets it right at once.",
    "That is the part people tend to remember.",
)

GREETINGS = (
    "Hello! What would you like to talk about?",
    "Hi there! How can I help?",
    "Hello, good to hear from you. What is on your mind?",
    "Hello there. Ask me anything.",
    "Hi! Where shall we start?",
    "Good to see you. What can I do for you?",
)

TWEETS = (
    "Big news: {topic} is here, and it was worth the wait. Come and see for yourself!",
    "Today is all about {topic}. Tell us what you like best about it.",
    "We could not keep it to ourselves any longer: {topic}. Who is in?",
    "Small step, big smile: {topic}. Thanks to everyone who made it happen.",
    "Ever wondered what goes into {topic}? Here is a first look.",
)

OPENINGS = (
    "{topic} is easiest to grasp by looking at what it does rather than at what it is called.",
    "Put plainly, {topic} is a way of getting from a question to a result that can be checked.",
    "Think of {topic} as a set of small steps that only make sense together.",
    "The short version: {topic} matters because it changes what happens next.",
    "{topic} sounds more complicated than it is.",
)

EXPLANATIONS = (
    "It starts with {other}, and everything else follows from there.",
    "A good comparison is learning to ride a bicycle: practice first, theory later.",
    "What counts is the pattern behind the examples, not any single example.",
    "In practice, {other} decides how well it works.",
    "The details differ from case to case, yet the idea stays the same.",
    "Once that is clear, {other} stops being a mystery.",
)

CLOSINGS = (
    "That is why {topic} is worth knowing about.",
    "With that in mind, the rest is a matter of patience.",
    "Start small, look closely, and the picture fills in.",
    "Everything beyond that is refinement.",
)

STORY_OPENINGS = (
    "Nobody had expected {topic} to turn up on a Tuesday.",
    "It began, as these things do, with {topic} and a door left open.",
    "Long after the others had gone home, there was still {topic}.",
    "For years the town had spoken of {topic} only in whispers.",
)

STORY_SENTENCES = (
    "The light over the harbor turned green, then silver.",
    "Somewhere behind the wall, {other} was waiting.",
    "She counted to nine and looked again.",
    "There was a note, folded twice, with a single line about {topic}.",
    "The old clock disagreed with everyone about the hour.",
    "He had promised not to mention {other}, and he kept the promise until noon.",
    "Outside, the rain wrote its own version of events.",
    "It was not fear, she decided, but curiosity with its coat on.",
    "By evening the whole street knew about {topic}.",
    "The map showed a river where there had never been one.",
    "Something hummed, very softly, like a thought being finished.",
    "They followed the sound until it became a question.",
    "Of course {other} explained nothing, and that was the point.",
    "In the morning the chairs had been moved back.",
)

STORY_ENDINGS = (
    "And from then on, {topic} was simply part of the story they told.",
    "When the door closed at last, it closed without a sound.",
    "Nobody ever asked again, because by then everybody knew.",
)

SUMMARIES = (
    "In short: {topic}, with {other} as the main point.",
    "The essence is {topic}; the rest supports it.",
    "It comes down to {topic} and what follows from {other}.",
)

ITEMS = (
    "Start with {topic} and write down what you expect",
    "Compare it with {other}",
    "Try the smallest version first",
    "Ask somebody who has done it before",
    "Keep what works and leave out the rest",
    "Look at {topic} again a day later",
    "Measure before and after",
    "Share what you found about {other}",
)

YES_NO = (
    "Yes, in most cases: {topic} allows for it, as long as {other} is taken into account.",
    "Not quite. {topic} comes close, but {other} makes the difference.",
    "Yes, although it depends on {other}.",
    "Generally no, unless {other} calls for it.",
)

STATEMENTS = (
    "Here is what stands out about {topic}: it depends more on {other} than most people expect.",
    "{topic} is a good place to start; {other} comes next.",
    "When it comes to {topic}, less is usually more.",
    "The most useful thing to say about {topic} is that it rewards attention.",
    "Seen from a distance, {topic} and {other} belong together.",
)

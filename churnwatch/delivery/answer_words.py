"""What a model of satisfaction foretells, for whom it stands and what it assumes, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from churnwatch.delivery.card_words import number, share
from churnwatch.delivery.row_words import instrument_words, length_words, rows_words
from churnwatch.spec import Answer, Language, Model

WORDS: dict[str, tuple[str, str]] = {
    "at_most": ("{name} at most {edge} (of {low} to {high})", "{name} paling tinggi {edge} (dari {low} sampai {high})"),
    "at_least": ("{name} at least {edge} (of {low} to {high})", "{name} sedikitnya {edge} (dari {low} sampai {high})"),
    "on_days": (
        "On a day the model looks at every customer{who}. What counts is the first survey they answer {window}: {bad} "
        "is a bad answer.",
        "Pada suatu hari, model melihat setiap pelanggan{who}. Yang dihitung adalah survei pertama yang dijawab "
        "{window}: {bad} adalah jawaban buruk.",
    ),
    "at_surveys": (
        "Whenever such a survey is sent, the model looks at the customer it is sent to{who}, by what was known before "
        "that instant. What counts is the answer to that survey: {bad} is a bad one. It is known from when it comes.",
        "Setiap kali survei seperti itu dikirim, model melihat pelanggan penerimanya{who}, menurut apa yang diketahui "
        "sebelum saat itu. Yang dihitung adalah jawaban atas survei itu: {bad} adalah jawaban buruk. Jawaban diketahui "
        "sejak datang.",
    ),
    "within": ("within {length} from then", "dalam {length} sejak hari itu"),
    "within_gap": ("within {length}, beginning {gap} after that day", "dalam {length}, mulai {gap} setelah hari itu"),
    "without": (" who has had no {what}", " yang belum pernah punya {what}"),
    "silent": (
        "Who does not answer has no outcome: they are not learned from, but are given a risk like everybody. Nothing "
        "is read that was known after {end}.",
        "Yang tidak menjawab tidak punya hasil: mereka tidak dipakai untuk belajar, tetapi tetap diberi risiko. Tidak "
        "ada yang dibaca dari sesudah {end}.",
    ),
    "silent_at_surveys": (
        "Who does not answer has no outcome: they are not learned from, but are given a risk like everybody. A survey "
        "counts when its time to be answered was over by {end}, up to which the data are complete; its answer counts "
        "however late it came.",
        "Yang tidak menjawab tidak punya hasil: mereka tidak dipakai untuk belajar, tetapi tetap diberi risiko. Sebuah "
        "survei dihitung bila waktu menjawabnya sudah lewat pada {end}, batas data yang lengkap; jawabannya dihitung "
        "selambat apa pun datangnya.",
    ),
    "or": (" or ", " atau "),
    "head": ("For whom the numbers stand", "Untuk siapa angka-angka ini berlaku"),
    "weighed": (
        "{answered} of {asked} observations had an answer. Each answer weighs one over the chance that there would be "
        "one, told by small models that had not seen its customer; after that the answers tell as much as {effective} "
        "of equal weight.",
        "{answered} dari {asked} pengamatan punya jawaban. Tiap jawaban berbobot satu dibagi peluang adanya jawaban, "
        "menurut model kecil yang belum melihat pelanggannya; dengan itu jawaban memberi tahu sebanyak {effective} "
        "jawaban berbobot sama.",
    ),
    "clipped": (
        "Of {clipped} of them the chance was below {least}; there it counts as {least}, so that no answer speaks for "
        "more than {most} customers.",
        "Pada {clipped} di antaranya peluangnya di bawah {least}; di situ dihitung {least}, supaya tidak ada jawaban "
        "yang mewakili lebih dari {most} pelanggan.",
    ),
    "only_answers": (
        "Every one of the {asked} observations has an answer: the source lists answers only, so nobody knows who was "
        "asked and kept silent. The numbers stand for those who answer, and for nobody else.",
        "Semua {asked} pengamatan punya jawaban: sumbernya hanya memuat jawaban, jadi tidak diketahui siapa yang "
        "ditanya dan diam. Angka-angka ini berlaku untuk yang menjawab, dan tidak untuk yang lain.",
    ),
    "assumed": (
        "**Assumed**: of two customers alike in all these signals, who answers is chance. **What breaks it**: whoever "
        "is angry about something no signal shows and therefore keeps silent, or answers; then the risks of the silent "
        "are too low, or too high, and no number here would tell. **What would show it**: to ask some of the silent in "
        "another way, such as by phone, and to compare.",
        "**Anggapan**: dari dua pelanggan yang sama dalam semua sinyal ini, siapa yang menjawab adalah kebetulan. "
        "**Yang merusaknya**: pelanggan yang marah karena sesuatu yang tidak tampak di sinyal mana pun lalu diam, "
        "atau justru menjawab; maka risiko mereka yang diam terlalu rendah, atau terlalu tinggi, dan tidak ada "
        "angka di sini yang akan menunjukkannya. **Cara melihatnya**: tanyai sebagian yang diam dengan cara lain, "
        "misalnya lewat telepon, lalu bandingkan.",
    ),
    "judged": (
        "The figures above are of those who answered: of the others nobody knows.",
        "Angka di atas berlaku untuk yang menjawab: tentang yang lain tidak ada yang tahu.",
    ),
    "score": (
        "The expected score, 0 worst to 1 best, is the mean score of answers at that risk, all instruments together.",
        "Nilai yang diharapkan, 0 terburuk sampai 1 terbaik, adalah rata-rata nilai jawaban pada risiko itu, semua "
        "instrumen bersama.",
    ),
}


def say(word: str, language: str, **filled: object) -> str:
    """One of the texts above in ``language``, with what stands in its braces."""
    return WORDS[word][1 if language == "id" else 0].format(**filled)


def bad_words(answers: Mapping[str, Answer], language: str) -> str:
    """Which answers are bad: ``nps at most 6 (of 0 to 10) or csat at most 2 (of 1 to 5)``."""
    told = []
    for name, one in answers.items():
        word, edge = ("at_most", one.bad.at_most) if one.bad.at_most is not None else ("at_least", one.bad.at_least)
        low, high = one.scale
        told.append(
            say(word, language, name=instrument_words(name), edge=f"{edge:g}", low=f"{low:g}", high=f"{high:g}")
        )
    return say("or", language).join(told)


def answer_definition(model: Model, *, language: str, end: date) -> list[str]:
    """The outcome ``answer`` in sentences; ``end`` as in ``definition``."""
    assert model.outcome.answer is not None
    bad = bad_words(model.outcome.answer, language)
    gone = model.population.without
    who = say("without", language, what=rows_words(gone, language)) if gone else ""
    if model.at_events:
        return [say("at_surveys", language, who=who, bad=bad), say("silent_at_surveys", language, end=end)]
    length, gap = length_words(model.label_length, language), length_words(model.gap, language)
    window = say("within_gap" if model.gap.seconds else "within", language, length=length, gap=gap)
    return [say("on_days", language, who=who, bad=bad, window=window), say("silent", language, end=end)]


def answer_assumptions(model: Model, weighing: Mapping[str, Any], *, language: Language) -> list[str]:
    """For whom the numbers of such a model stand, what that assumes, and what would break it; a paragraph each."""
    asked, answered = (number(weighing[name], language) for name in ("asked", "answered"))
    if weighing["effective"] is None:
        return [say("only_answers", language, asked=asked), say("score", language)]
    least = model.patience.least
    told = say("weighed", language, asked=asked, answered=answered, effective=number(weighing["effective"], language))
    if weighing["clipped"]:
        clipped = share(weighing["clipped"], language)
        most = number(1 / least, language)
        told += " " + say("clipped", language, clipped=clipped, least=share(least, language), most=most)
    return [told, say("assumed", language), f"{say('judged', language)} {say('score', language)}"]

"""What a model card says, in both languages."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "trained_on": (
        "**Trained on** {observations} observations at {as_ofs} dates, {first} to {last}; {choice}.",
        "**Belajar dari** {observations} pengamatan pada {as_ofs} tanggal, {first} sampai {last}; {choice}.",
    ),
    "choice": ("{choice}", "{rounds} putaran, {calibration}"),
    "calibrated": ("{method} calibration", "kalibrasi {method}"),
    "uncalibrated": ("no calibration", "tanpa kalibrasi"),
    "judged_on": (
        "**Judged on** {dates} by a model that knew only what was complete before the first of them; the registered "
        "version is refitted on everything with the same rounds and calibration.",
        "**Dinilai pada** {dates} dengan model yang hanya tahu apa yang sudah lengkap sebelum tanggal pertama; versi "
        "yang didaftarkan dilatih ulang atas semuanya dengan putaran dan kalibrasi yang sama.",
    ),
    "judged_on_others": (
        "**Judged on** {n} customers by a model of the others. {snapshot} The registered version is refitted on "
        "everybody with the same rounds and calibration.",
        "**Dinilai pada** {n} pelanggan dengan model dari pelanggan lain. {snapshot} Versi yang didaftarkan dilatih "
        "ulang atas semua dengan putaran dan kalibrasi yang sama.",
    ),
    "treated_dropped": (
        "**Left out** are {dropped} observations whose customer we spoke to before their outcome was complete: it "
        "tells of the contact, too. The figures of the test dates leave such out without weighing the others for them, "
        "so they tell of everybody else.",
        "**Tidak ikut** {dropped} pengamatan yang pelanggannya kami hubungi sebelum hasilnya lengkap: hasil itu juga "
        "bercerita tentang kontaknya. Angka pada tanggal uji juga tidak memuat mereka dan tidak dibobot untuk mewakili "
        "mereka, jadi hanya bercerita tentang pelanggan lain.",
    ),
    "treated_weighed": (
        "{weighed} observations of customers who would have been listed and were held out stand for "
        "{stand_for} like them.",
        "{weighed} pengamatan dari pelanggan yang seharusnya masuk daftar tetapi sengaja tidak dihubungi mewakili "
        "{stand_for} pelanggan seperti mereka.",
    ),
    "treated_alone": (
        "Customers we spoke to are left out of training, and nobody held out stands for them: the model knows too "
        "little of customers like those on the list. Hold some out (holdout in outreach.yaml).",
        "Pelanggan yang kami hubungi tidak ikut dipelajari, dan tidak ada yang sengaja tidak dihubungi untuk mewakili "
        "mereka: model kurang mengenal pelanggan seperti yang ada di daftar. Sisakan sebagian (holdout di "
        "outreach.yaml).",
    ),
    "in_short": ("In short", "Ringkasnya"),
    "short_list": (
        "On a test date {rows} of {n} customers stood on the list. {precision} of them had the outcome, {lift} times "
        "as many as among all; the list held {recall} of all who had it.",
        "Pada tanggal uji, {rows} dari {n} pelanggan ada di daftar. {precision} di antaranya mengalami hasil ini, "
        "{lift} kali lipat dibanding semua pelanggan; daftar itu memuat {recall} dari semua yang mengalaminya.",
    ),
    "short_list_answer": (
        "On a test date {n} of {watched} observed customers answered later, and are judged. A list of {rows} of them, "
        "the share that the owners can contact of everybody observed, had {precision} with the outcome, {lift} times "
        "as many as among all who answered, and held {recall} of all who had it.",
        "Pada tanggal uji, {n} dari {watched} pelanggan yang diamati kemudian menjawab, dan merekalah yang dinilai. "
        "Daftar {rows} di antaranya, bagian sebesar yang dapat dihubungi petugas dari semua yang diamati, memuat "
        "{precision} dengan hasil ini, {lift} kali lipat dibanding semua yang menjawab, dan {recall} dari semua yang "
        "mengalaminya.",
    ),
    "watched": ("observed", "diamati"),
    "answered": ("of them with an answer, judged", "di antaranya menjawab, dinilai"),
    "short_baseline": (
        "The best simple list, by {name}, would have held {recall} of them.",
        "Daftar sederhana terbaik, menurut {name}, akan memuat {recall} di antaranya.",
    ),
    "short_lead": (
        "Half of those who were listed and left did so {days} days after the list or later.",
        "Separuh dari yang ada di daftar dan pergi, pergi {days} hari setelah daftar itu atau lebih lama.",
    ),
    "figures": ("Figures", "Angka"),
    "brackets": (
        "In brackets: 95 % intervals, customers drawn again at random.",
        "Dalam kurung: interval 95 %, pelanggan diundi ulang secara acak.",
    ),
    "n": ("observed", "diamati"),
    "base_rate": ("base rate", "tingkat dasar"),
    "auc": ("AUC", "AUC"),
    "average_precision": ("average precision", "presisi rata-rata"),
    "lift_at_10pct": ("lift at 10 %", "lift pada 10 %"),
    "capacity_rows": ("rows on the list", "baris di daftar"),
    "precision_at_capacity": ("precision at capacity", "presisi pada kapasitas"),
    "recall_at_capacity": ("recall at capacity", "recall pada kapasitas"),
    "lift_at_capacity": ("lift at capacity", "lift pada kapasitas"),
    "empc": ("expected maximum profit per customer", "laba maksimum harapan per pelanggan"),
    "empc_share": ("share worth contacting", "bagian yang layak dihubungi"),
    "brier": ("Brier", "Brier"),
    "log_loss": ("log loss", "log loss"),
    "ece": ("calibration error", "galat kalibrasi"),
    "ece_by_chance": ("calibration error by chance, at most", "galat kalibrasi karena kebetulan, paling banyak"),
    "base_rate_shift": ("base-rate shift", "pergeseran tingkat dasar"),
    "ece_after_shift": ("calibration error after shift", "galat kalibrasi setelah pergeseran"),
    "too_late": ("left inside the gap", "pergi sebelum sempat ditindak"),
    "profit_terms": (
        "The profit is in money of a customer worth 200, an offer of 10 that who stays takes too, a contact of 1, and "
        "leavers of whom 30 % accept it on average (beta 6, 14): the terms of the paper (EMPC), not of this company.",
        "Laba dihitung untuk pelanggan bernilai 200, tawaran 10 yang juga diambil yang tidak akan pergi, kontak 1, dan "
        "rata-rata 30 % yang akan pergi menerimanya (beta 6, 14): angka dari makalahnya (EMPC), bukan dari perusahaan "
        "ini.",
    ),
    "simple": ("Beside simple rankings", "Dibanding peringkat sederhana"),
    "simple_cells": ("AUC · precision at capacity", "AUC · presisi pada kapasitas"),
    "the_model": ("the model", "modelnya"),
    "random": ("chance", "acak"),
    "recency": ("recency", "lamanya diam"),
    "last_score": ("last score", "nilai survei terakhir"),
    "tenure": ("tenure", "lamanya menjadi pelanggan"),
    "health": ("rule score", "skor aturan"),
    "logistic": ("logistic regression", "regresi logistik"),
    "between": ("{low} to {high}", "{low} sampai {high}"),
    "minus": (
        "Precision at capacity over all dates, minus the baseline's (95 % interval, customers drawn again):",
        "Presisi pada kapasitas atas semua tanggal, dikurangi milik pembanding (interval 95 %, pelanggan diundi "
        "ulang):",
    ),
    "lead": ("How early", "Seberapa dini"),
    "lead_told": (
        "Of those who left at least so long after the date, the share that stood on its list:",
        "Dari yang pergi sedikitnya selama itu setelah tanggalnya, bagian yang ada di daftarnya:",
    ),
    "days": ("{n} days", "{n} hari"),
    "of": ("{share} of {n}", "{share} dari {n}"),
    "groups": ("Groups of customers, {date}", "Kelompok pelanggan, {date}"),
    "group": ("group", "kelompok"),
    "mean_risk": ("mean risk", "risiko rata-rata"),
    "gap": ("risk minus rate, points", "risiko dikurangi tingkat, poin"),
    "flag_rate": ("listed", "masuk daftar"),
    "recall": ("recall", "recall"),
    "segment": ("segment", "segmen"),
    "language": ("language", "bahasa"),
    "not_known": ("not known", "tidak diketahui"),
    "groups_today_one": (
        "{names} as it is today: its source keeps no history.",
        "{names} seperti keadaan hari ini: sumbernya tidak menyimpan riwayat.",
    ),
    "groups_today_many": (
        "{names} as they are today: their source keeps no history.",
        "{names} seperti keadaan hari ini: sumbernya tidak menyimpan riwayat.",
    ),
    "too_few": ("not enough data: {n} of {least}", "data belum cukup: {n} dari {least}"),
    "too_few_with": (
        "not enough data: {n} of {least} with the outcome",
        "data belum cukup: {n} dari {least} dengan hasil ini",
    ),
    "too_few_without": (
        "not enough data: {n} of {least} without the outcome",
        "data belum cukup: {n} dari {least} tanpa hasil ini",
    ),
    "gate_passed": ("Gate: passed", "Gerbang: lulus"),
    "gate_failed": ("Gate: not passed", "Gerbang: tidak lulus"),
    "skipped": ("Signals skipped", "Sinyal yang tidak dapat dihitung"),
    "use": ("Use", "Penggunaan"),
    "allowed": (
        "**Allowed**: to decide whom a care team contacts first, with the reasons beside the risk; to plan how many "
        "customers it can contact; to learn which service goes with leaving.",
        "**Boleh**: menentukan siapa yang lebih dulu dihubungi tim layanan, dengan alasan di samping risikonya; "
        "merencanakan berapa pelanggan yang dapat dihubungi; belajar layanan mana yang sering disusul kepergian.",
    ),
    "allowed_answer": (
        "**Allowed**: to decide whom a care team asks or contacts first, with the reasons beside the risk; to see how "
        "satisfied those are who do not answer; to learn which service goes with bad answers.",
        "**Boleh**: menentukan siapa yang lebih dulu ditanya atau dihubungi tim layanan, dengan alasan di samping "
        "risikonya; melihat kepuasan mereka yang tidak menjawab; belajar layanan mana yang sering disusul jawaban "
        "buruk.",
    ),
    "forbidden": (
        "**Forbidden**: to set prices, to refuse, slow down or worsen service, to refuse a contract, or to judge or "
        "pay an employee by the risks of their customers.",
        "**Dilarang**: menetapkan harga, menolak, memperlambat atau memperburuk layanan, menolak kontrak, atau menilai "
        "atau menggaji karyawan menurut risiko pelanggannya.",
    ),
    "meaning": (
        "A risk is what became of customers who looked alike, not what this customer will do. A reason is what the "
        "model went by, not a cause that is proven.",
        "Risiko adalah apa yang terjadi pada pelanggan yang tampak serupa, bukan apa yang akan dilakukan pelanggan "
        "ini. Alasan adalah apa yang dipakai model, bukan sebab yang terbukti.",
    ),
}
"""English, then Indonesian."""


def say(word: str, language: str, **filled: object) -> str:
    """One of the texts above in ``language``, with what stands in its braces."""
    return WORDS[word][1 if language == "id" else 0].format(**filled)


def ranking_words(name: str, language: str) -> str:
    """What a baseline ranks by; one without words of its own by its name."""
    return say(name, language) if name in WORDS else name.replace("_", " ")


def number(value: float, language: str, *, digits: int = 0, signed: bool = False) -> str:
    """``3,521`` and ``0.853``, in Indonesian ``3.521`` and ``0,853``; ``signed`` with a plus too."""
    told = f"{value:{'+' if signed else ''},.{digits}f}"
    return told.translate(str.maketrans(",.", ".,")) if language == "id" else told


def share(value: float, language: str) -> str:
    """``4.1%`` or ``4,1%``."""
    return f"{number(100 * value, language, digits=1)}%"

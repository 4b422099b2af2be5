"""The words of the page of satisfaction in the two languages the product speaks."""

from __future__ import annotations

from functools import partial

from churnwatch.delivery import words

WORDS: dict[str, tuple[str, str]] = {
    "heading": ("How satisfied are our customers?", "Seberapa puas pelanggan kita?"),
    "as_of": (
        "As of {day}, from the surveys of the {days} days before. {n} customers are watched.",
        "Per {day}, dari survei {days} hari sebelumnya. {n} pelanggan dipantau.",
    ),
    "nobody": ("No survey was sent in this time.", "Tidak ada survei yang dikirim dalam waktu ini."),
    "none_counted": (
        "Of {n} surveys sent in this time none can be counted.",
        "Dari {n} survei yang dikirim dalam waktu ini belum ada yang bisa dihitung.",
    ),
    "not_mapped": (
        "This deployment maps no surveys; see configs/README.md.",
        "Deployment ini tidak memetakan survei; lihat configs/README.md.",
    ),
    "not_in_data": ("No {name} survey in the data.", "Tidak ada survei {name} dalam data."),
    "not_sent": ("No {name} survey was sent in this time.", "Tidak ada survei {name} yang dikirim dalam waktu ini."),
    "all_left_out": (
        "{name}: {n} surveys were sent when the data had just begun; none of them is counted.",
        "{name}: {n} survei dikirim saat data baru dimulai; tidak ada yang dihitung.",
    ),
    "all_pending": (
        "{name}: {n} surveys were sent and may yet be answered.",
        "{name}: {n} survei sudah dikirim dan masih mungkin dijawab.",
    ),
    # What to mind.
    "left_out": (
        "The first {days} days of the data are left out: their signals have seen too little; {n} surveys. Surveys are "
        "counted from {day} on.",
        "{days} hari pertama data tidak dihitung: sinyalnya belum melihat cukup banyak; {n} survei. Survei dihitung "
        "sejak {day}.",
    ),
    "stale": (
        "{source} has brought nothing for {days} days before as-of (last {last}, usually {usual} rows a day): "
        "customers may look quieter than they are.",
        "{source} tidak membawa apa pun selama {days} hari terakhir (terakhir {last}, biasanya {usual} baris "
        "sehari): pelanggan mungkin tampak lebih diam daripada sebenarnya.",
    ),
    "late_answers": (
        "{late} of {all} answers of {name} came after {within} and count as none; a longer `answering.within` would "
        "count them",
        "{late} dari {all} jawaban {name} datang setelah {within} dan dianggap tidak ada; `answering.within` yang "
        "lebih panjang akan menghitungnya",
    ),
    # What is asked.
    "nps": ("Would they recommend us?", "Apakah mereka merekomendasikan kita?"),
    "csat": ("How satisfied with a case?", "Seberapa puas dengan sebuah kasus?"),
    "ces": ("How hard was it?", "Seberapa sulit?"),
    "other": ("What did they say?", "Apa kata mereka?"),
    "figure_nps": (
        "Answers from {low} to {high}. The NPS is the share of 9 and 10 minus the share of 0 to 6, so it lies between "
        "−100 and 100.",
        "Jawaban dari {low} sampai {high}. NPS adalah bagian nilai 9 dan 10 dikurangi bagian nilai 0 sampai 6, jadi "
        "terletak antara −100 dan 100.",
    ),
    "figure_mean": ("The mean of answers from {low} to {high}.", "Rata-rata jawaban dari {low} sampai {high}."),
    "lower_is_better": ("Lower is better.", "Makin rendah makin baik."),
    "higher_is_better": ("Higher is better.", "Makin tinggi makin baik."),
    # The two numbers.
    "all_customer": ("all customers, the silent included", "semua pelanggan, termasuk yang tidak menjawab"),
    "all_case": ("all cases asked about, the silent included", "semua kasus yang ditanyakan, termasuk tanpa jawaban"),
    "corrected": ("everybody (estimate)", "semua (perkiraan)"),
    "naive": ("the answers alone", "jawaban saja"),
    "headline_customer": (
        "{name} is {value} when all our customers are counted, also those who do not answer ({low} to {high}).",
        "{name} adalah {value} bila semua pelanggan dihitung, juga yang tidak menjawab ({low} sampai {high}).",
    ),
    "headline_case": (
        "{name} is {value} when every case we asked about is counted, also those without an answer ({low} to {high}).",
        "{name} adalah {value} bila semua kasus yang ditanyakan dihitung, juga yang tanpa jawaban ({low} sampai "
        "{high}).",
    ),
    "headline_alone": (
        "{name} is {value} among the answers ({low} to {high}); of those who gave none nothing is known.",
        "{name} adalah {value} di antara jawaban ({low} sampai {high}); tentang yang tidak menjawab tidak diketahui "
        "apa pun.",
    ),
    "headline_few": ("{name}: {why}.", "{name}: {why}."),
    "head_flatters": (
        "The answers alone say {naive}. That is {diff} too rosy: those who did not answer seem less satisfied.",
        "Jawaban saja mengatakan {naive}. Itu {diff} terlalu bagus: yang tidak menjawab tampaknya kurang puas.",
    ),
    "head_harsh": (
        "The answers alone say {naive}. That is {diff} too bleak: those who did not answer seem more satisfied.",
        "Jawaban saja mengatakan {naive}. Itu {diff} terlalu buruk: yang tidak menjawab tampaknya lebih puas.",
    ),
    "head_unsure": (
        "The answers alone say {naive}. Whether those who did not answer feel otherwise is not sure: the difference "
        "may be chance.",
        "Jawaban saja mengatakan {naive}. Belum pasti yang tidak menjawab merasa lain: selisihnya bisa kebetulan.",
    ),
    "flatters": (
        "The answers alone are too rosy by {diff} ({low} to {high})",
        "Jawaban saja terlalu bagus {diff} ({low} sampai {high})",
    ),
    "harsh": (
        "The answers alone are too bleak by {diff} ({low} to {high})",
        "Jawaban saja terlalu buruk {diff} ({low} sampai {high})",
    ),
    "unsure": (
        "No sure difference ({low} to {high})",
        "Tidak ada perbedaan pasti ({low} sampai {high})",
    ),
    "points": ("{n} points", "{n} poin"),
    "answered_of": ("{share} of {asked} surveys were answered", "{share} dari {asked} survei dijawab"),
    "only_answers": (
        "This source lists answers only. Nobody knows who was asked and kept silent, so there is no response rate, and "
        "the number stands for those who answered.",
        "Sumber ini hanya memuat jawaban. Tidak diketahui siapa yang ditanya dan diam, jadi tidak ada tingkat jawaban, "
        "dan angkanya hanya berlaku bagi yang menjawab.",
    ),
    "from_to": ("{low} to {high}", "{low} sampai {high}"),
    "too_few": ("too few: {n} answers", "terlalu sedikit: {n} jawaban"),
    "too_few_of": (
        "too few: {n} answers of {customers} customers",
        "terlalu sedikit: {n} jawaban dari {customers} pelanggan",
    ),
    "unweighed": (
        "too few surveys to tell who answers them",
        "terlalu sedikit survei untuk mengetahui siapa yang menjawab",
    ),
    "rule": (
        "A number wants answers of {n} different customers.",
        "Sebuah angka memerlukan jawaban dari {n} pelanggan berbeda.",
    ),
    "no_answer_yet": ("no answers", "tidak ada jawaban"),
    # Over time.
    "over_time": ("Month by month", "Bulan demi bulan"),
    "over_time_says": (
        "Each dot is one month. The shade is how far a dot may be off by chance; "
        "where the shades of two months overlap much, they do not differ for sure. The scale does not begin at its "
        "lowest possible value.",
        "Setiap titik adalah satu bulan. Bayangan menunjukkan seberapa jauh titik "
        "bisa meleset karena kebetulan; bila bayangan dua bulan banyak bertumpuk, bedanya belum pasti. Skala tidak "
        "mulai dari nilai terendah.",
    ),
    "answering": ("Who answers", "Siapa yang menjawab"),
    "answering_says": (
        "Of the surveys of a month, so many were answered. Over the {days} days together {share} ({low} to {high}).",
        "Dari survei sebulan, sekian yang dijawab. Dalam {days} hari itu {share} ({low} sampai {high}).",
    ),
    "moved_down": (
        "Fewer answer than in the {days} days before ({before}); chance does not explain it. Ask why before comparing "
        "the answers of the two.",
        "Yang menjawab lebih sedikit daripada {days} hari sebelumnya ({before}); bukan kebetulan. Cari sebabnya "
        "sebelum membandingkan jawaban keduanya.",
    ),
    "moved_up": (
        "More answer than in the {days} days before ({before}); chance does not explain it. Other customers answer "
        "now: compare with care.",
        "Yang menjawab lebih banyak daripada {days} hari sebelumnya ({before}); bukan kebetulan. Pelanggan lain yang "
        "menjawab sekarang: bandingkan dengan hati-hati.",
    ),
    "not_moved": (
        "That is no sure change from the {days} days before ({before}).",
        "Tidak ada perubahan pasti dari {days} hari sebelumnya ({before}).",
    ),
    "drift_up": ("more answer than before", "lebih banyak menjawab daripada sebelumnya"),
    "drift_down": ("fewer answer than before", "lebih sedikit menjawab daripada sebelumnya"),
    "pending": (
        "{n} surveys were sent so lately that an answer may still come; they are counted nowhere",
        "{n} survei baru saja dikirim sehingga jawaban masih mungkin datang; tidak dihitung di mana pun",
    ),
    # Groups.
    "segment": ("By segment", "Menurut segmen"),
    "segment_says": (
        "The upright line is the number of all together. Where the bars of two groups overlap much, chance may be all "
        "there is between them.",
        "Garis tegak adalah angka semua bersama. Bila batang dua kelompok banyak bertumpuk, bedanya mungkin hanya "
        "kebetulan.",
    ),
    "segment_more": (
        "These have the most answers; {n} more stand in satisfaction.json.",
        "Inilah yang paling banyak jawabannya; {n} lainnya ada di satisfaction.json.",
    ),
    "level_of": ("{answered} of {asked} answered", "{answered} dari {asked} dijawab"),
    "of_asked": ("{answered} of {asked}", "{answered} dari {asked}"),
    "level_answers": ("{answered} answers", "{answered} jawaban"),
    "unknown_level": ("not known", "tidak diketahui"),
    # How sure.
    "sure": ("How far it can be trusted", "Seberapa jauh bisa dipercaya"),
    "bad": ("Unhappy", "Tidak puas"),
    "bad_told": (
        "{corrected} of everybody ({low} to {high}); of the answers {naive}",
        "{corrected} dari semua ({low} sampai {high}); dari jawaban {naive}",
    ),
    "bad_alone": ("{naive} of the answers ({low} to {high})", "{naive} dari jawaban ({low} sampai {high})"),
    "asked": ("Asked", "Ditanya"),
    "asked_customer": (
        "{n} of {all} customers ({share}); the others are estimated by what those like them say",
        "{n} dari {all} pelanggan ({share}); yang lain diperkirakan dari jawaban yang serupa",
    ),
    "asked_alone": ("{n} of {all} customers ({share})", "{n} dari {all} pelanggan ({share})"),
    "asked_case": (
        "{n} of {all} customers ({share}) about one case at least; cases nobody was asked about are not in the number",
        "{n} dari {all} pelanggan ({share}) tentang paling sedikit satu kasus; kasus yang tidak ditanyakan tidak "
        "termasuk",
    ),
    "weight": ("Weight of the answers", "Bobot jawaban"),
    "weight_told": (
        "{n} answers came. The silent are represented by those like them who did answer, so some answers count for "
        "several people. What remains is as sure as {effective} answers that count alike",
        "{n} jawaban masuk. Yang diam diwakili oleh yang serupa dan menjawab, jadi sebagian jawaban mewakili beberapa "
        "orang. Hasilnya sama pastinya dengan {effective} jawaban yang berbobot sama",
    ),
    "cut": ("Cut weights", "Bobot dipotong"),
    "cut_none": (
        "none: for no kind of customer answers are so rare that one would have to speak for too many",
        "tidak ada: tidak ada jenis pelanggan yang begitu jarang menjawab sehingga satu jawaban mewakili terlalu "
        "banyak",
    ),
    "cut_told": (
        "{share} of the answers would have had to speak for too many silent people and were held back; of customers "
        "like those the estimate knows least",
        "{share} jawaban harus mewakili terlalu banyak orang yang diam dan dibatasi; tentang pelanggan seperti itu "
        "perkiraan paling lemah",
    ),
    "waiting": ("Still open", "Masih terbuka"),
    # What is assumed.
    "assumed": ("What this takes for granted, and what would break it", "Yang dianggap benar, dan yang merusaknya"),
    "assumed_seen": (
        "Silence is explained by what we can see: usage, contacts, service, earlier answers. Two customers who look "
        "alike in all of that are taken to feel alike, whether they answer or not.",
        "Diamnya pelanggan dijelaskan oleh yang terlihat: pemakaian, kontak, layanan, jawaban sebelumnya. Dua "
        "pelanggan yang serupa dalam semua itu dianggap merasa sama, menjawab atau tidak.",
    ),
    "broken_seen": (
        "It breaks where people keep silent because of how they feel and nothing else shows it: someone angry who "
        "looks like everybody else. No number on this page can reveal that; a few calls to silent customers can.",
        "Itu tidak berlaku bila orang diam karena perasaannya dan tidak ada tanda lain: orang yang marah tetapi tampak "
        "seperti yang lain. Tidak ada angka di halaman ini yang bisa menunjukkannya; beberapa telepon kepada yang diam "
        "bisa.",
    ),
    "assumed_customer": (
        "The number of a survey about the customer stands for everybody who is a customer today. Those who have left "
        "are not in it. Its answers are up to half a year old: where the mood of all has turned since and nothing we "
        "see shows it, the number is late.",
        "Angka survei tentang pelanggan berlaku bagi semua yang hari ini menjadi pelanggan. Yang sudah berhenti tidak "
        "termasuk. Jawabannya bisa berumur setengah tahun: bila perasaan semua orang berubah sejak itu tanpa tanda "
        "yang terlihat, angka ini terlambat.",
    ),
    "assumed_case": (
        "The number of a survey about a case stands for every case that was asked about, had all of them been "
        "answered; not for customers who had no case.",
        "Angka survei tentang kasus berlaku bagi semua kasus yang ditanyakan, seandainya semua dijawab; bukan bagi "
        "pelanggan tanpa kasus.",
    ),
    "assumed_interval": (
        "The range beside a number is a 95% interval: had chance sent us other customers like these, the number would "
        "most likely still lie in it. It knows of chance, not of a wrong assumption.",
        "Rentang di samping angka adalah rentang 95%: seandainya kebetulan memberi kita pelanggan lain yang serupa, "
        "angkanya hampir pasti tetap di dalamnya. Rentang ini memperhitungkan kebetulan, bukan anggapan yang keliru.",
    ),
    "assumed_time": (
        "A month and a small group rest on few answers. Look at the whole first.",
        "Satu bulan dan kelompok kecil hanya berdasar sedikit jawaban. Lihat keseluruhannya dulu.",
    ),
    # Tables.
    "owners": ("By owner", "Menurut petugas"),
    "owners_says": (
        "Each owner’s customers: the estimate for everybody, its 95% interval, and in small the answers alone. Owners "
        "have few answers each: this shows where to look, not who is good at the job.",
        "Pelanggan tiap petugas: perkiraan untuk semua, rentang 95%, dan dengan huruf kecil jawaban saja. Jawaban per "
        "petugas sedikit: ini menunjukkan di mana harus melihat, bukan siapa yang bekerja baik.",
    ),
    "owners_says_alone": (
        "Each owner’s customers: the number of the answers alone and its 95% interval. Owners have few answers each: "
        "this shows where to look, not who is good at the job.",
        "Pelanggan tiap petugas: angka dari jawaban saja dan rentang 95%. Jawaban per petugas sedikit: ini menunjukkan "
        "di mana harus melihat, bukan siapa yang bekerja baik.",
    ),
    "few_owners": (
        "{n} of {all} owners have too few answers for any number.",
        "{n} dari {all} petugas punya terlalu sedikit jawaban untuk sebuah angka.",
    ),
    "owner": ("owner", "petugas"),
    "customers": ("customers", "pelanggan"),
    "answers_head": ("{name}: answered", "{name}: dijawab"),
    "months": ("The months in numbers", "Bulan dalam angka"),
    "month": ("month", "bulan"),
    "survey": ("survey", "survei"),
    "sent": ("asked", "ditanya"),
    "answered": ("answered", "dijawab"),
    "rate": ("share answered", "bagian dijawab"),
    "corrected_head": ("everybody (95% interval)", "semua (rentang 95%)"),
    "naive_head": ("answers alone (95% interval)", "jawaban saja (rentang 95%)"),
    "answers_short": ("answers {value}", "jawaban {value}"),
    # What the terminal says in other words.
    "t_title": (
        "Satisfaction of {deployment} as of {day}: surveys of the {days} days before, {n} customers watched",
        "Kepuasan {deployment} per {day}: survei {days} hari sebelumnya, {n} pelanggan dipantau",
    ),
    "t_of": ("of", "tentang"),
    "t_customer": ("customers", "pelanggan"),
    "t_case": ("cases", "kasus"),
    "t_share": ("share", "bagian"),
    "t_corrected": ("everybody", "semua"),
    "t_naive": ("answers alone", "jawaban saja"),
    "t_answers": ("the answers", "jawaban"),
    "t_difference": ("difference", "selisih"),
    "t_bad_naive": ("unhappy: answers", "tidak puas: jawaban"),
    "t_bad_corrected": ("unhappy: all", "tidak puas: semua"),
    "t_low": ("95 % from", "95 % dari"),
    "t_high": ("to", "sampai"),
    "t_only_answers": (
        "the source lists answers only: no response rate, nothing of the silent",
        "sumber hanya memuat jawaban: tanpa tingkat jawaban, tanpa yang diam",
    ),
    "t_flatters": (
        "the answers alone are too rosy: who did not answer seems less satisfied",
        "jawaban saja terlalu bagus: yang tidak menjawab tampaknya kurang puas",
    ),
    "t_harsh": (
        "the answers alone are too bleak: who did not answer seems more satisfied",
        "jawaban saja terlalu buruk: yang tidak menjawab tampaknya lebih puas",
    ),
    "t_unsure": (
        "whether who did not answer feels otherwise is not sure",
        "belum pasti yang tidak menjawab merasa lain",
    ),
    "t_fewer": (
        "fewer answer than in the window before ({before})",
        "yang menjawab lebih sedikit daripada masa sebelumnya ({before})",
    ),
    "t_more": (
        "more answer than in the window before ({before})",
        "yang menjawab lebih banyak daripada masa sebelumnya ({before})",
    ),
    "t_worth": (
        "{n} answers, weighted for the silent, are worth {effective} alike",
        "{n} jawaban, dengan bobot bagi yang diam, senilai {effective} jawaban berbobot sama",
    ),
    "t_cut": ("{share} of the weights were cut", "{share} dari bobot dipotong"),
    "t_pending": (
        "{n} surveys may yet be answered, counted nowhere",
        "{n} survei masih mungkin dijawab, tidak dihitung di mana pun",
    ),
    "t_segments": ("{name} by segment", "{name} menurut segmen"),
    "t_segment": ("segment", "segmen"),
    "t_owners": (
        "By owner; few answers each: where to look, not who is good at the job",
        "Menurut petugas; jawaban masing-masing sedikit: di mana harus melihat, bukan siapa yang bekerja baik",
    ),
    "t_share_head": ("{name}: share", "{name}: bagian"),
    "warning": ("Mind this", "Perhatikan"),
    "footer": (
        "For {deployment} only. Numbers of many customers together; no customer is named.",
        "Khusus untuk {deployment}. Angka dari banyak pelanggan sekaligus; tidak ada pelanggan yang disebut.",
    ),
}

say = partial(words.say_of, WORDS)
"""The words for a key in ``language``, with ``{name}`` filled in."""

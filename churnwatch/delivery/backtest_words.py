"""The words of a backtest's page in the two languages the product speaks."""

from __future__ import annotations

from functools import partial

from churnwatch.delivery import words

WORDS: dict[str, tuple[str, str]] = {
    "heading": ("What would the list have been worth?", "Seberapa berguna daftar itu dulu?"),
    "left_event": ("left", "berhenti"),
    "left_inactive": ("fell silent", "menjadi tidak aktif"),
    "left_answer": ("answered badly", "memberi jawaban buruk"),
    "foreseen": ("What the model foresees", "Yang diperkirakan model"),
    "of_every": (
        "Of every {n} customers on the list, {hits} {left} within {days} days; picking at random would have found "
        "{chance}.",
        "Dari setiap {n} pelanggan di daftar, {hits} {left} dalam {days} hari; bila dipilih acak hanya {chance}.",
    ),
    "warned": (
        "Of all who {left}, {share} had been on the list before, half of them at least {days} days before.",
        "Dari semua yang {left}, {share} sudah ada di daftar sebelumnya, separuhnya paling sedikit {days} hari "
        "sebelumnya.",
    ),
    "warned_none": (
        "Of all who {left}, nobody had been on the list before.",
        "Dari semua yang {left}, tidak ada yang pernah ada di daftar.",
    ),
    "nobody_left": ("Nobody was watched before they {left}.", "Tidak ada yang dipantau sebelum mereka {left}."),
    "empty": ("No customer would have been listed at any date.", "Tidak ada pelanggan yang akan masuk daftar."),
    "replayed": (
        "{n} lists, from {first} to {last}, each made with what was known on its day and nothing that came later.",
        "{n} daftar, dari {first} sampai {last}, masing-masing dibuat hanya dengan yang diketahui pada harinya.",
    ),
    "replayed_one": (
        "One list, of {first}, made with what was known on that day and nothing that came later.",
        "Satu daftar, {first}, dibuat hanya dengan yang diketahui pada hari itu.",
    ),
    "tile_rows": ("places on the lists", "tempat di daftar"),
    "tile_customers": ("customers listed, of {n} watched", "pelanggan masuk daftar, dari {n} yang dipantau"),
    "tile_leavers": ("customers {left}", "pelanggan {left}"),
    "tile_in_time": ("of them listed in time to act", "di antaranya masuk daftar tepat waktu"),
    "tile_owners": ("of {n} owners had somebody to contact", "dari {n} petugas punya pelanggan untuk dihubungi"),
    "verdict": ("Is it better than a simple rule?", "Apakah lebih baik daripada aturan sederhana?"),
    "verdict_head": (
        "Of every {n} places, how many went to customers who {left}, had the rule filled the same places; beside it "
        "the difference in percentage points (95% interval).",
        "Dari setiap {n} tempat, berapa diisi yang {left} bila aturan itu mengisi tempat yang sama; di sampingnya "
        "selisih dalam poin persen (rentang 95%).",
    ),
    "the_list": ("the list", "daftar"),
    "chance": ("picking at random", "dipilih acak"),
    "recency": ("who was quiet longest", "yang paling lama diam"),
    "last_score": ("worst last survey score", "nilai survei terakhir terburuk"),
    "tenure": ("how long a customer", "lamanya menjadi pelanggan"),
    "health": ("a rule of thumb (all signs, none learned)", "aturan praktis (semua tanda, tanpa belajar)"),
    "logistic": ("a simple formula (logistic regression)", "rumus sederhana (regresi logistik)"),
    "surely_better": ("the list is better", "daftar lebih baik"),
    "surely_worse": ("the rule is better", "aturan ini lebih baik"),
    "unsure": ("no sure difference", "tidak ada perbedaan pasti"),
    "from_to": ("{low} to {high}", "{low} sampai {high}"),
    "says": ("What it says.", "Artinya."),
    "says_not": ("What it does not say.", "Yang tidak dikatakannya."),
    "precision": ("How many of the listed {left}", "Berapa dari daftar yang {left}"),
    "precision_says": (
        "Each dot is one list. Of all places together, {share} went to customers who {left} ({low} to {high}). The "
        "best was that of {best_day} ({best}), the weakest that of {worst_day} ({worst}). The shade is how far a dot "
        "may be off by chance alone.",
        "Setiap titik adalah satu daftar. Dari semua tempat, {share} diisi yang {left} ({low} sampai {high}). Daftar "
        "terbaik adalah {best_day} ({best}), yang terlemah {worst_day} ({worst}). Bayangan menunjukkan seberapa jauh "
        "titik bisa meleset karena kebetulan.",
    ),
    "precision_not": (
        "It does not say how many a contact would have kept: nobody was contacted because of these lists. That is "
        "measured with a holdout.",
        "Ini tidak mengatakan berapa yang bertahan bila dihubungi: tidak ada yang dihubungi karena daftar ini. Itu "
        "diukur dengan kelompok pembanding.",
    ),
    "lead": ("How early those who {left} were listed", "Seberapa awal yang {left} masuk daftar"),
    "lead_row": ("at least {days} days before", "paling sedikit {days} hari sebelumnya"),
    "lead_of": ("{warned} of {leavers}", "{warned} dari {leavers}"),
    "lead_says": (
        "Of those who {left} and had been watched long enough to be warned of that early, so many stood on a list. "
        "Dashed: what lists as long would have held, had customers been drawn at random each time ({chance} at {days} "
        "days).",
        "Dari yang {left} dan sudah dipantau cukup lama, sekian yang ada di daftar. Garis putus-putus: yang akan ada "
        "di daftar sepanjang itu bila pelanggan diundi setiap kali ({chance} pada {days} hari).",
    ),
    "lead_not": (
        "It counts from the first list a customer stood on, also where they were off it in between. Nor does it say "
        "that an earlier listing is a surer one.",
        "Dihitung dari daftar pertama, walaupun sempat keluar di antaranya. Masuk daftar lebih awal juga belum tentu "
        "lebih pasti.",
    ),
    "gain": ("How many are found if more are contacted", "Berapa yang ditemukan bila lebih banyak dihubungi"),
    "gain_says": (
        "Of the customers ranked highest, 10% hold {at_10} of those who {left}, 20% hold {at_20}. Picking at random "
        "follows the dashed line. The upright line is the size of the list: {listed} of the watched.",
        "Dari peringkat teratas, 10% memuat {at_10} dari yang {left}, 20% memuat {at_20}. Pilihan acak mengikuti garis "
        "putus-putus. Garis tegak adalah ukuran daftar: {listed} dari yang dipantau.",
    ),
    "gain_not": (
        "It does not say that a longer list pays: each further contact finds fewer.",
        "Ini tidak berarti daftar yang lebih panjang menguntungkan: tiap tambahan kontak menemukan lebih sedikit.",
    ),
    "gain_x": ("share of customers contacted, highest risk first", "bagian pelanggan yang dihubungi, risiko tertinggi"),
    "reliability": ("Does a risk mean what it says?", "Apakah angka risiko dapat dipercaya?"),
    "reliability_says": (
        "Customers in tenths by risk. On the dashed line as many {left} as foretold. In the highest tenth {foretold} "
        "were foretold and {came} {left} ({low} to {high}).",
        "Pelanggan dibagi sepuluh menurut risiko. Di garis putus-putus, yang {left} sebanyak yang diperkirakan. Pada "
        "sepersepuluh tertinggi diperkirakan {foretold} dan {came} {left} ({low} sampai {high}).",
    ),
    "reliability_not": (
        "It says nothing of one customer: a risk of 30% is three in ten alike, not a sentence on one.",
        "Ini tidak berkata apa pun tentang satu pelanggan: risiko 30% berarti tiga dari sepuluh yang serupa.",
    ),
    "reliability_x": ("risk that was foretold", "risiko yang diperkirakan"),
    "drift": ("How many left at all", "Berapa yang berhenti secara keseluruhan"),
    "drift_inactive": ("How many fell silent at all", "Berapa yang menjadi tidak aktif secara keseluruhan"),
    "drift_says": (
        "Of all watched, between {least} and {most} {left}. At {n} of {dates} dates that differs from the average "
        "({usual}) by more than chance explains (chance alone would do so at about one date in twenty).",
        "Dari semua yang dipantau, antara {least} dan {most} {left}. Pada {n} dari {dates} tanggal itu berbeda dari "
        "rata-rata ({usual}) melebihi kebetulan (kebetulan saja: kira-kira satu dari dua puluh tanggal).",
    ),
    "drift_not": (
        "It does not say why. Where the two lines part, the risks were too low or too high by about as much; the order "
        "of the list is not touched by that.",
        "Ini tidak mengatakan sebabnya. Bila kedua garis berpisah, risikonya terlalu rendah atau terlalu tinggi "
        "kira-kira sebanyak itu; urutan daftar tidak terpengaruh.",
    ),
    "happened": ("what happened", "yang terjadi"),
    "foretold": ("what was foretold", "yang diperkirakan"),
    "repeat": ("Who stands on the list again", "Siapa yang masuk daftar lagi"),
    "repeat_says": (
        "From the second list on, {repeat} of the places went to customers who had stood on one before.",
        "Mulai daftar kedua, {repeat} tempat diisi pelanggan yang pernah ada di daftar.",
    ),
    "repeat_one": ("There is one list only.", "Hanya ada satu daftar."),
    "repeat_not": (
        "Standing on it again is no mistake: nobody was contacted, so the danger may have stayed. In daily work it "
        "shows how much is known to the agent already.",
        "Masuk daftar lagi bukan kesalahan: tidak ada yang dihubungi, jadi bahayanya mungkin masih ada. Dalam kerja "
        "harian ini menunjukkan berapa yang sudah dikenal petugas.",
    ),
    "kept": ("on the list before it, too", "juga di daftar sebelumnya"),
    "returned": ("on an earlier list", "di daftar yang lebih lama"),
    "new": ("new", "baru"),
    "dates": ("Date by date", "Tanggal demi tanggal"),
    "date": ("date", "tanggal"),
    "observed": ("watched", "dipantau"),
    "listed": ("listed", "di daftar"),
    "hits": ("{left}", "{left}"),
    "too_late": ("too soon to act", "terlalu cepat"),
    "precision_head": ("share (95% interval)", "bagian (rentang 95%)"),
    "again": ("listed before", "pernah di daftar"),
    "base_rate": ("of all (95% interval)", "dari semua (rentang 95%)"),
    "auc": ("AUC", "AUC"),
    "honest": ("How the dates were kept honest", "Bagaimana tiap tanggal dijaga jujur"),
    "honest_train": (
        "At each date the model was trained anew, only on customers whose outcome was complete by then. Nothing that "
        "became known on that day or later was read, not even a late entry about an earlier day.",
        "Pada tiap tanggal model dilatih ulang, hanya dengan pelanggan yang hasilnya sudah lengkap saat itu. Tidak ada "
        "yang diketahui pada atau sesudah hari itu yang dibaca, juga bukan catatan terlambat tentang hari sebelumnya.",
    ),
    "honest_window": (
        "Counted is who {left} from day {gap} to day {days} after the date. Who {left} sooner keeps a place on the "
        "list but is no hit, as there was no time to act ({late} places).",
        "Yang dihitung adalah yang {left} dari hari ke-{gap} sampai hari ke-{days} sesudahnya. Yang {left} lebih cepat "
        "tetap menempati daftar tetapi tidak dihitung, karena tidak ada waktu bertindak ({late} tempat).",
    ),
    "honest_window_none": (
        "Counted is who {left} within {days} days from the date on.",
        "Yang dihitung adalah yang {left} dalam {days} hari sejak tanggal itu.",
    ),
    "honest_silent": (
        "Somebody has fallen silent {days} days after the last such event. Who had been quiet for that long before the "
        "first list is no early warning, though it comes true for them: a list of the quiet may be right often and "
        "early seldom.",
        "Seseorang dianggap tidak aktif {days} hari setelah kejadian terakhirnya. Yang sudah selama itu diam sebelum "
        "daftar pertama bukan peringatan dini, walaupun terbukti: daftar berisi yang diam bisa sering benar tetapi "
        "jarang dini.",
    ),
    "honest_today": (
        "Today's, because nobody knows what they were: who owns a customer, how many an owner can contact, and who may "
        "not be contacted.",
        "Yang berlaku adalah keadaan hari ini, karena keadaan dulu tidak diketahui: siapa petugas pelanggan, berapa "
        "yang bisa dihubungi, dan siapa yang tidak boleh dihubungi.",
    ),
    "honest_settings": (
        "The model's settings and its signals are today's too. Whoever chose them after looking at these dates makes "
        "the past look better than the future will.",
        "Pengaturan model dan sinyalnya juga yang berlaku hari ini. Bila dipilih setelah melihat tanggal-tanggal ini, "
        "masa lalu tampak lebih baik daripada masa depan.",
    ),
    "honest_care": (
        "Whoever was looked after at the time, by whatever list, may have stayed because of it; that is not taken out.",
        "Siapa pun yang saat itu sudah ditangani mungkin bertahan karenanya; hal itu tidak dikeluarkan.",
    ),
    "honest_overlap": (
        "Who {left} may have stood on several lists: intervals draw whole customers, so the same one is not counted as "
        "several facts.",
        "Yang {left} bisa ada di beberapa daftar: rentang dihitung per pelanggan, jadi satu orang satu fakta.",
    ),
    "footer": (
        "For {deployment} only. Numbers of many customers together; no customer is named.",
        "Khusus untuk {deployment}. Angka dari banyak pelanggan sekaligus; tidak ada pelanggan yang disebut.",
    ),
}

say = partial(words.say_of, WORDS)
"""The words for a key in ``language``, with ``{name}`` filled in."""

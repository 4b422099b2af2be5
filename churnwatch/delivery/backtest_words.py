"""The words of a backtest's page in the two languages the product speaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from churnwatch.delivery import words
from churnwatch.spec import Model

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
    "one_sign": ("one sign alone ({column})", "satu tanda saja ({column})"),
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
    "precision_one": (
        "The large dot is the list. Of its places, {share} went to customers who {left} ({low} to {high}). The shade "
        "is how far it may be off by chance alone.",
        "Titik besar adalah daftarnya. Dari tempatnya, {share} diisi yang {left} ({low} sampai {high}). Bayangan "
        "menunjukkan seberapa jauh titik itu bisa meleset karena kebetulan.",
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
        "Of all watched, {spread} {left}. At {n} of {dates} dates that differs from the average "
        "({usual}) by more than chance explains (chance alone would do so at about one date in twenty).",
        "Dari semua yang dipantau, {spread} {left}. Pada {n} dari {dates} tanggal itu berbeda dari "
        "rata-rata ({usual}) melebihi kebetulan (kebetulan saja: kira-kira satu dari dua puluh tanggal).",
    ),
    "drift_one": (
        "Of all watched, {share} {left} ({low} to {high}); {foretold} were foretold.",
        "Dari semua yang dipantau, {share} {left} ({low} sampai {high}); diperkirakan {foretold}.",
    ),
    "between": ("between {least} and {most}", "antara {least} dan {most}"),
    "about": ("about {least}", "sekitar {least}"),
    "drift_not": (
        "It does not say why. Where the two lines part, the risks were too low or too high by about as much; the order "
        "of the list is not touched by that.",
        "Ini tidak mengatakan sebabnya. Bila kedua garis berpisah, risikonya terlalu rendah atau terlalu tinggi "
        "kira-kira sebanyak itu; urutan daftar tidak terpengaruh.",
    ),
    "drift_one_not": (
        "It does not say why. Where the two dots part, the risks were too low or too high by about as much; the order "
        "of the list is not touched by that.",
        "Ini tidak mengatakan sebabnya. Bila kedua titik berpisah, risikonya terlalu rendah atau terlalu tinggi "
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

ANSWERS: dict[str, tuple[str, str]] = {
    **WORDS,
    "of_every": (
        "Of every {n} customers on the list who answered within {days} days, {hits} {left}; picking at random would "
        "have found {chance}.",
        "Dari setiap {n} pelanggan di daftar yang menjawab dalam {days} hari, {hits} {left}; bila dipilih acak hanya "
        "{chance}.",
    ),
    "of_bad": (
        "Of all who {left}, {share} were on the list.",
        "Dari semua yang {left}, {share} ada di daftar.",
    ),
    "tile_customers": (
        "customers listed, of {n} who answered",
        "pelanggan masuk daftar, dari {n} yang menjawab",
    ),
    "tile_bad": ("bad answers, of {n}", "jawaban buruk, dari {n}"),
    "tile_answered": ("of {n} times watched, an answer came", "dari {n} kali dipantau, ada jawaban"),
    "precision_not": (
        "It does not say how many answers a contact would have made better: nobody was contacted because of these "
        "lists. Nor does it say anything of those who did not answer.",
        "Ini tidak mengatakan berapa jawaban yang membaik bila pelanggan dihubungi: tidak ada yang dihubungi karena "
        "daftar ini. Juga tidak berkata apa pun tentang yang tidak menjawab.",
    ),
    "gain_says": (
        "Of those who answered, the 10% ranked highest hold {at_10} of all who {left}, 20% hold {at_20}. Picking at "
        "random follows the dashed line. The upright line is the size of the list: {listed} of those who answered.",
        "Dari yang menjawab, 10% peringkat teratas memuat {at_10} dari yang {left}, 20% memuat {at_20}. Pilihan acak "
        "mengikuti garis putus-putus. Garis tegak adalah ukuran daftar: {listed} dari yang menjawab.",
    ),
    "gain_x": ("share of those who answered, highest risk first", "bagian dari yang menjawab, risiko tertinggi"),
    "reliability_says": (
        "Those who answered, in tenths by risk. On the dashed line as many {left} as foretold. In the highest tenth "
        "{foretold} were foretold and {came} {left} ({low} to {high}).",
        "Yang menjawab dibagi sepuluh menurut risiko. Di garis putus-putus, yang {left} sebanyak yang diperkirakan. "
        "Pada sepersepuluh tertinggi diperkirakan {foretold} dan {came} {left} ({low} sampai {high}).",
    ),
    "drift_answers": ("How many {left} at all", "Berapa yang {left} secara keseluruhan"),
    "drift_says": (
        "Of all who answered, {spread} {left}. At {n} of {dates} dates that differs from the average ({usual}) by more "
        "than chance explains (chance alone would do so at about one date in twenty).",
        "Dari semua yang menjawab, {spread} {left}. Pada {n} dari {dates} tanggal itu berbeda dari rata-rata ({usual}) "
        "melebihi kebetulan (kebetulan saja: kira-kira satu dari dua puluh tanggal).",
    ),
    "drift_one": (
        "Of all who answered, {share} {left} ({low} to {high}); {foretold} were foretold.",
        "Dari semua yang menjawab, {share} {left} ({low} sampai {high}); diperkirakan {foretold}.",
    ),
    "repeat_not": (
        "Standing on it again is no mistake: nobody was contacted, so what troubled them may have stayed. In daily "
        "work it shows how much is known to the agent already.",
        "Masuk daftar lagi bukan kesalahan: tidak ada yang dihubungi, jadi masalahnya mungkin masih ada. Dalam kerja "
        "harian ini menunjukkan berapa yang sudah dikenal petugas.",
    ),
    "answered": ("answered", "menjawab"),
    "honest_train": (
        "At each date the model was trained anew, only on answers that were known by then. Nothing that became known "
        "on that day or later was read, not even a late entry about an earlier day.",
        "Pada tiap tanggal model dilatih ulang, hanya dengan jawaban yang sudah diketahui saat itu. Tidak ada yang "
        "diketahui pada atau sesudah hari itu yang dibaca, juga bukan catatan terlambat tentang hari sebelumnya.",
    ),
    "honest_window": (
        "Counted is the first answer that came from day {gap} to day {days} after the date.",
        "Yang dihitung adalah jawaban pertama dari hari ke-{gap} sampai hari ke-{days} sesudahnya.",
    ),
    "honest_window_none": (
        "Counted is the first answer that came within {days} days from the date on.",
        "Yang dihitung adalah jawaban pertama dalam {days} hari sejak tanggal itu.",
    ),
    "honest_answered": (
        "Each list is drawn up and judged among those who answered: {answered} of {observed} times that a customer was "
        "watched. What the others would have said, nobody knows; the real list would have held some of them, too.",
        "Tiap daftar disusun dan dinilai di antara yang menjawab: {answered} dari {observed} kali pelanggan dipantau. "
        "Apa jawaban yang lain, tidak ada yang tahu; daftar yang sebenarnya juga akan memuat sebagian dari mereka.",
    ),
    "honest_all": (
        "All of the {observed} customers watched answered. Where a source lists answers only, nobody knows who was "
        "asked and kept silent.",
        "Semua dari {observed} pelanggan yang dipantau menjawab. Bila sumber hanya memuat jawaban, tidak ada yang tahu "
        "siapa yang ditanya dan diam.",
    ),
    "honest_stands": (
        "The risks are made for everybody, also for those who do not answer. Here they are held against those who "
        "answered, who may be happier or less happy than the others.",
        "Angka risiko dibuat untuk semua, juga yang tidak menjawab. Di sini dibandingkan dengan yang menjawab, yang "
        "mungkin lebih puas atau kurang puas daripada yang lain.",
    ),
    "honest_care": (
        "Whoever was looked after at the time, by whatever list, may have answered better because of it; that is not "
        "taken out.",
        "Siapa pun yang saat itu sudah ditangani mungkin menjawab lebih baik karenanya; hal itu tidak dikeluarkan.",
    ),
}
"""The same of a model that foretells a bad answer: nobody leaves, and only who answered can be judged."""

SURVEYS: dict[str, tuple[str, str]] = {
    **ANSWERS,
    "of_every": (
        "Of every {n} answered surveys on the list, {hits} had a bad answer; picking at random would have found "
        "{chance}.",
        "Dari setiap {n} survei terjawab di daftar, {hits} dijawab buruk; bila dipilih acak hanya {chance}.",
    ),
    "of_bad": (
        "Of all bad answers, {share} were on the list.",
        "Dari semua jawaban buruk, {share} ada di daftar.",
    ),
    "replayed": (
        "{n} lists, each of the surveys sent from its date to the day before the next, the last until {last}; the "
        "first date is {first}. Of each survey they know what was known when it was sent and nothing that came later.",
        "{n} daftar, masing-masing dari survei yang dikirim sejak tanggalnya sampai sehari sebelum tanggal berikutnya, "
        "yang terakhir sampai {last}; tanggal pertama {first}. Dari tiap survei hanya dipakai yang diketahui saat "
        "dikirim.",
    ),
    "replayed_one": (
        "One list, of the surveys sent from {first} to {last}. Of each survey it knows what was known when it was sent "
        "and nothing that came later.",
        "Satu daftar, dari survei yang dikirim {first} sampai {last}. Dari tiap survei hanya dipakai yang diketahui "
        "saat dikirim.",
    ),
    "tile_answered": ("of {n} surveys sent were answered", "dari {n} survei yang dikirim terjawab"),
    "gain": ("How many are found if more are listed", "Berapa yang ditemukan bila daftar lebih panjang"),
    "gain_says": (
        "Of the answered surveys, the 10% ranked highest hold {at_10} of all bad answers, 20% hold {at_20}. Picking at "
        "random follows the dashed line. The upright line is the size of the list: {listed} of the answered surveys.",
        "Dari survei terjawab, 10% peringkat teratas memuat {at_10} dari semua jawaban buruk, 20% memuat {at_20}. "
        "Pilihan acak mengikuti garis putus-putus. Garis tegak adalah ukuran daftar: {listed} dari survei terjawab.",
    ),
    "gain_x": ("share of answered surveys, highest risk first", "bagian dari survei terjawab, risiko tertinggi"),
    "reliability_says": (
        "Answered surveys in tenths by risk. On the dashed line as many were bad as foretold. In the highest tenth "
        "{foretold} were foretold and {came} were bad ({low} to {high}).",
        "Survei terjawab dibagi sepuluh menurut risiko. Di garis putus-putus, yang buruk sebanyak yang diperkirakan. "
        "Pada sepersepuluh tertinggi diperkirakan {foretold} dan {came} buruk ({low} sampai {high}).",
    ),
    "drift_answers": ("How many answers were bad at all", "Berapa jawaban yang buruk secara keseluruhan"),
    "drift_says": (
        "Of all answers, {spread} were bad. At {n} of {dates} dates that differs from the average ({usual}) by more "
        "than chance explains (chance alone would do so at about one date in twenty).",
        "Dari semua jawaban, {spread} buruk. Pada {n} dari {dates} tanggal itu berbeda dari rata-rata ({usual}) "
        "melebihi kebetulan (kebetulan saja: kira-kira satu dari dua puluh tanggal).",
    ),
    "drift_one": (
        "Of all answers, {share} were bad ({low} to {high}); {foretold} were foretold.",
        "Dari semua jawaban, {share} buruk ({low} sampai {high}); diperkirakan {foretold}.",
    ),
    "observed": ("surveys", "survei"),
    "answered": ("answered", "terjawab"),
    "honest_train": (
        "At each date the model was trained anew, only on surveys sent and answers known by then. Nothing that became "
        "known on that day or later was read for that, not even a late entry about an earlier day.",
        "Pada tiap tanggal model dilatih ulang, hanya dengan survei yang sudah dikirim dan jawaban yang sudah "
        "diketahui saat itu. Tidak ada yang diketahui pada atau sesudah hari itu yang dibaca untuk itu, juga bukan "
        "catatan terlambat tentang hari sebelumnya.",
    ),
    "honest_window_none": (
        "Each survey counts with its own answer, whenever that came before the data end.",
        "Tiap survei dihitung dengan jawabannya sendiri, kapan pun datangnya sebelum data berakhir.",
    ),
    "honest_answered": (
        "Each list is drawn up and judged among the surveys that were answered: {answered} of {observed}. What the "
        "others would have said, nobody knows; the real list would have held some of them, too.",
        "Tiap daftar disusun dan dinilai di antara survei yang terjawab: {answered} dari {observed}. Apa jawaban yang "
        "lain, tidak ada yang tahu; daftar yang sebenarnya juga akan memuat sebagian dari mereka.",
    ),
    "honest_all": (
        "All of the {observed} surveys were answered. Where a source lists answers only, nobody knows who was asked "
        "and kept silent.",
        "Semua {observed} survei terjawab. Bila sumber hanya memuat jawaban, tidak ada yang tahu siapa yang ditanya "
        "dan diam.",
    ),
    "honest_overlap": (
        "A customer may stand on several lists, and on one list with several surveys: intervals draw whole customers, "
        "so the same one is not counted as several facts.",
        "Seorang pelanggan bisa ada di beberapa daftar, dan di satu daftar dengan beberapa survei: rentang dihitung "
        "per pelanggan, jadi satu orang satu fakta.",
    ),
}
"""The same where each observation is a survey, judged by its own answer."""


def worded(model: Model) -> Callable[..., str]:
    """The words for a key, by what ``model`` foretells: called with the key, ``language`` and what is filled in."""
    if model.outcome.answer is None:
        return partial(words.say_of, WORDS)
    return partial(words.say_of, SURVEYS if model.at_events else ANSWERS)

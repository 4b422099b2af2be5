"""The words of the catalogue's page and tables in the two languages the product speaks."""

from __future__ import annotations

from functools import partial

from churnwatch.delivery import words

WORDS: dict[str, tuple[str, str]] = {
    "heading": ("What we watch", "Apa yang kami pantau"),
    "what": (
        "Each card below is one signal: a number about a customer, computed from what was known at the time. The page "
        "shows how often a signal has anything to say, and what became of customers with low and with high values.",
        "Setiap kartu di bawah adalah satu sinyal: sebuah angka tentang pelanggan, dihitung dari apa yang diketahui "
        "saat itu. Halaman ini menunjukkan seberapa sering sebuah sinyal punya nilai, dan apa yang terjadi pada "
        "pelanggan dengan nilai rendah dan nilai tinggi.",
    ),
    "foreseen": ("What we try to foresee", "Yang ingin kami perkirakan"),
    "measured_on": (
        "Measured on {customers} customers, looked at {observations} times on {days} days from {first} to {last}.",
        "Diukur pada {customers} pelanggan, dilihat {observations} kali pada {days} hari dari {first} sampai {last}.",
    ),
    "signals_all": ("signals in the catalogue", "sinyal dalam katalog"),
    "signals_usable": ("can be used here", "dapat dipakai di sini"),
    "signals_skipped": ("lack their data here", "tidak ada datanya di sini"),
    "came_true_all": ("it came true, of all", "terjadi, dari semua"),
    "over_time": ("How often it came true at each date", "Seberapa sering terjadi pada tiap tanggal"),
    "standing_out": ("What stands out", "Yang menonjol"),
    "standing_out_none": (
        "No signal tells customers apart clearly.",
        "Tidak ada sinyal yang membedakan pelanggan dengan jelas.",
    ),
    "stands": (
        "at {worst_at} it came true for {worst}, at {best_at} for {best}",
        "pada nilai {worst_at} terjadi pada {worst}, pada nilai {best_at} pada {best}",
    ),
    "span": ("{low} to {high}", "{low} sampai {high}"),
    "window_days": ("last {n} days", "{n} hari terakhir"),
    "window_hours": ("last {n} hours", "{n} jam terakhir"),
    "all_history": ("all history", "seluruh riwayat"),
    "look_at": ("What to look at", "Yang perlu dilihat"),
    "look_at_none": ("Nothing that needs a second look.", "Tidak ada yang perlu dilihat lagi."),
    "look_suspects": (
        "Too good to be true: alone, these nearly tell the outcome. Does the number become known only when the "
        "customer has left already?",
        "Terlalu bagus untuk benar: sendirian saja hampir menebak hasilnya. Apakah angkanya baru diketahui setelah "
        "pelanggan pergi?",
    ),
    "look_against": (
        "Go the other way than the catalogue says. Is the direction in the file wrong, or does something else lie "
        "behind it?",
        "Berjalan ke arah yang berlawanan dengan katalog. Apakah arah di berkas keliru, atau ada hal lain di baliknya?",
    ),
    "look_changed": (
        "Look clearly different at the last date. Did the customers change, or the way the data are recorded?",
        "Terlihat jelas berbeda pada tanggal terakhir. Apakah pelanggan yang berubah, atau cara data dicatat?",
    ),
    "look_rare": (
        "Have something to say of fewer than 5% of customers.",
        "Punya nilai hanya untuk kurang dari 5% pelanggan.",
    ),
    "look_alike": (
        "Say nearly the same, but an agent would read them as separate reasons.",
        "Mengatakan hal yang hampir sama, tetapi petugas membacanya sebagai alasan yang terpisah.",
    ),
    "look_flat": (
        "Show no clear difference here, taken alone.",
        "Tidak menunjukkan perbedaan yang jelas di sini bila berdiri sendiri.",
    ),
    "read": ("How to read a card", "Cara membaca kartu"),
    "read_chart": (
        "From left to right: customers from the lowest value to the highest, cut into up to ten groups of equal size. "
        "The line says how often it came true in the group; the shade how far that may be off by chance. A wide group "
        "holds many customers, because they share a value. Dashed: everybody.",
        "Dari kiri ke kanan: pelanggan dari nilai terendah ke tertinggi, dibagi menjadi paling banyak sepuluh kelompok "
        "sama besar. Garis menunjukkan seberapa sering terjadi dalam kelompok; bayangannya seberapa jauh angka itu "
        "bisa "
        "meleset karena kebetulan. Kelompok yang lebar berisi banyak pelanggan, karena nilainya sama. Putus-putus: "
        "semua.",
    ),
    "read_missing": ("Striped, at the right: customers without a value.", "Bergaris, di kanan: pelanggan tanpa nilai."),
    "read_drift": (
        "The small bars: how different customers looked at each date from all dates before; above the line, clearly.",
        "Batang kecil: seberapa berbeda pelanggan pada tiap tanggal dari semua tanggal sebelumnya; di atas garis "
        "berarti "
        "jelas berbeda.",
    ),
    "families": ("Families", "Keluarga"),
    "up": ("Higher is worse", "Makin tinggi makin buruk"),
    "down": ("Lower is worse", "Makin rendah makin buruk"),
    "any": ("No side is worse", "Tidak ada sisi yang lebih buruk"),
    "agrees": ("as expected", "sesuai dugaan"),
    "partly": ("not throughout", "tidak di semua bagian"),
    "against": ("other way than expected", "berlawanan dengan dugaan"),
    "unclear": ("no clear difference", "tidak ada perbedaan jelas"),
    "rises": ("rises with the value", "naik bersama nilainya"),
    "falls": ("falls with the value", "turun bersama nilainya"),
    "turns": ("goes up and down", "naik dan turun"),
    "flat": ("no clear difference", "tidak ada perbedaan jelas"),
    "actionable": ("can be acted on", "bisa ditindak"),
    "suspect": ("too good to be true", "terlalu bagus untuk benar"),
    "agent_reads": ("An agent would read", "Petugas akan membaca"),
    "known_for": ("known for {share}", "diketahui untuk {share}"),
    "not_zero_for": ("not 0 for {share}", "bukan 0 untuk {share}"),
    "coverage": ("coverage", "cakupan"),
    "lowest": ("lowest", "terendah"),
    "highest": ("highest", "tertinggi"),
    "no_value": ("no value", "tanpa nilai"),
    "came_true": ("{rate} came true", "{rate} terjadi"),
    "everybody": ("all {rate}", "semua {rate}"),
    "one_value": ("Everybody has the same value: {value}.", "Semua punya nilai yang sama: {value}."),
    "nobody": ("Nobody has a value.", "Tidak ada yang punya nilai."),
    "drift": ("Against before", "Dibanding sebelumnya"),
    "steady": ("the same as before", "sama seperti sebelumnya"),
    "moved": ("somewhat different", "agak berbeda"),
    "changed": ("clearly different", "jelas berbeda"),
    "one_date": ("one date only", "hanya satu tanggal"),
    "alike": ("Says the same as", "Mengatakan hal yang sama dengan"),
    "alike_more": ("and {n} more", "dan {n} lagi"),
    "others": ("Other windows and changes ({n})", "Jendela waktu lain dan perubahannya ({n})"),
    "shown": ("shown: {column}", "ditampilkan: {column}"),
    "not_here": ("Not usable here", "Tidak dapat dipakai di sini"),
    "not_here_all": (
        "No signal of this family can be computed from these data.",
        "Tidak ada sinyal keluarga ini yang bisa dihitung dari data ini.",
    ),
    "scientist": ("For the data scientist", "Untuk ilmuwan data"),
    "table_columns": ("Every column", "Semua kolom"),
    "table_drift": ("Stability index at each as-of", "Indeks stabilitas pada tiap tanggal"),
    "table_clusters": ("What says the same", "Yang mengatakan hal yang sama"),
    "method": ("How it was measured", "Cara mengukurnya"),
    "column": ("column", "kolom"),
    "columns": ("columns", "kolom"),
    "signal": ("signal", "sinyal"),
    "description": ("what it is", "apa itu"),
    "direction": ("worse", "buruk"),
    "not_zero": ("not 0", "bukan 0"),
    "auc": ("AUC alone", "AUC sendirian"),
    "rate_low": ("rate, lowest", "tingkat, terendah"),
    "rate_high": ("rate, highest", "tingkat, tertinggi"),
    "rate_missing": ("rate, no value", "tingkat, tanpa nilai"),
    "verdict": ("direction", "arah"),
    "psi": ("PSI, last", "PSI, terakhir"),
    "least": ("least |ρ|", "|ρ| terkecil"),
    "method_text": (
        "Observations are those of the model {model}'s complete grid; outcome: {outcome}. {too_late} observations that "
        "came true before the gap was over are left out. Bins hold equal mass, equal values stay together, so there "
        "may "
        "be fewer than ten. A customer is observed at several dates, which are no independent facts: intervals are "
        "Wilson's at 95% for the effective number of observations (the real one over the design effect between "
        "customers). The direction is called agreeing or against only where the trend is beyond its 95% interval and "
        "two bins' intervals lie apart; it looks at one column alone, so what stands behind it may be another signal. "
        "Drift is the population stability index of each date against all before it together, the missing as a bin; "
        "0.10 and 0.25 are the usual thresholds, and what chance gives in 19 of 20 cases counts as no change. "
        "Clusters: "
        "Spearman over each customer's latest observation, pairs with both values, average linkage at a mean |ρ| of "
        "0.8.",
        "Pengamatan berasal dari kisi lengkap model {model}; hasil: {outcome}. {too_late} pengamatan yang terjadi "
        "sebelum "
        "masa jeda habis tidak diikutkan. Kelompok bermassa sama dan nilai yang sama tidak dipisah, jadi bisa kurang "
        "dari "
        "sepuluh. Seorang pelanggan diamati pada beberapa tanggal, yang bukan fakta terpisah: rentang adalah rentang "
        "Wilson 95% untuk jumlah pengamatan efektif (jumlah sebenarnya dibagi efek rancangan antarpelanggan). Arah "
        "disebut sesuai atau berlawanan hanya bila trennya di luar rentang 95% dan rentang dua kelompok terpisah; yang "
        "dilihat satu kolom saja, jadi di baliknya bisa ada sinyal lain. Pergeseran adalah indeks stabilitas populasi "
        "tiap tanggal terhadap semua tanggal sebelumnya, yang tanpa nilai menjadi satu kelompok; 0,10 dan 0,25 adalah "
        "ambang yang lazim, dan yang terjadi karena kebetulan dalam 19 dari 20 kasus dianggap tidak berubah. Kelompok "
        "serupa: Spearman atas pengamatan terakhir tiap pelanggan, tautan rata-rata pada |ρ| rata-rata 0,8.",
    ),
    "footer": (
        "For {deployment} only. Numbers of many customers together; no customer is named.",
        "Khusus untuk {deployment}. Angka dari banyak pelanggan sekaligus; tidak ada pelanggan yang disebut.",
    ),
}

say = partial(words.say_of, WORDS)
"""The words for a key in ``language``, with ``{name}`` filled in."""

"""Names and short texts of the simulated company. All invented; addresses end in .example or example.com."""

from __future__ import annotations

INDONESIAN_FIRST = (
    "Adi Agus Ahmad Aisyah Amalia Andi Anisa Arif Ayu Bagus Bambang Bayu Budi Citra Dedi Desi Dewi Dian "
    "Dimas Dwi Eka Eko Endang Fajar Farah Fitri Galih Gita Hadi Hana Hendra Ika Indah Irfan Jaya Joko "
    "Kartika Kurnia Laila Lestari Lukman Made Maya Mega Nadia Novi Nur Nyoman Putri Putu Rahmat Ratna "
    "Reza Rina Rizki Sari Siti Slamet Sri Surya Tari Tri Utami Vina Wahyu Wati Wayan Wulan Yanti Yoga "
    "Yudi Yuni Yusuf Zahra Zaki"
).split()
INDONESIAN_LAST = (
    "Anggraini Aritonang Astuti Budiman Cahyadi Cahyono Damanik Firmansyah Gunawan Hakim Halim Handayani "
    "Harahap Hartono Hasanah Hidayat Hutapea Iskandar Kurniawan Kusuma Lesmana Lubis Mahendra Manurung "
    "Maulana Mulyadi Nainggolan Nasution Nugroho Pangestu Permata Pratama Prasetyo Purnomo Puspita Rahayu "
    "Rahman Ramadhan Saputra Saragih Setiawan Siahaan Simanjuntak Siregar Sitompul Subagyo Suharto "
    "Sukmawati Suryadi Susanto Sutanto Tanjung Utomo Wahyudi Wibowo Widodo Wijaya Wulandari Yuliana "
    "Zulkarnain"
).split()
INTERNATIONAL_FIRST = (
    "Aaron Alice Amir Anna Arjun Beatriz Ben Carlos Chloe Clara Daniel David Elena Emily Ethan Fatima "
    "Felix Grace Hannah Hassan Helen Hiro Ingrid Isaac Ivan James Jin Julia Karim Kate Kenji Lars Laura "
    "Leo Li Lina Lucas Mai Marco Maria Mei Michael Min Nina Noah Nora Oliver Olivia Omar Paul Priya "
    "Rachel Ravi Rosa Samuel Sarah Sofia Sven Thomas Victor Wei Yara Zoe"
).split()
INTERNATIONAL_LAST = (
    "Abbott Ahmed Andersen Baker Becker Bianchi Brown Carter Chan Chen Clarke Cohen Costa Diaz Dubois "
    "Evans Fischer Fleming Garcia Goh Gupta Hansen Harris Hughes Iyer Jansen Johnson Kaur Kelly Khan Kim "
    "Kowalski Larsen Lee Lim Lopez Martin Mehta Meyer Moreau Murphy Nakamura Nguyen Novak O'Brien "
    "O'Connor Olsen Park Patel Petrov Reyes Rossi Santos Sato Schmidt Silva Singh Smith Tan Taylor "
    "Thompson Tran Turner Wang Watson Weber Wilson Wong Yamada"
).split()
FIRMS = (
    "anggrek bahari cempaka delima elang fajarindo garuda harapan intan jati kencana lautan melati nusantara "
    "orchid pelangi rajawali samudra teratai utama"
).split()

TOPICS = ("billing", "delivery", "technical", "account", "product", "other")

# Subject lines by language, then complaint or question, one per topic.
SUBJECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "question": (
            "Question about my invoice",
            "When will my order arrive?",
            "How do I set up the app?",
            "Change of account details",
            "Which plan suits us?",
            "General question",
        ),
        "complaint": (
            "Charged twice this month",
            "Order late again",
            "The app keeps failing",
            "Locked out of my account",
            "The product is not as described",
            "Unhappy with the service",
        ),
    },
    "id": {
        "question": (
            "Pertanyaan tentang tagihan",
            "Kapan pesanan saya tiba?",
            "Cara memasang aplikasi",
            "Perubahan data akun",
            "Paket mana yang cocok?",
            "Pertanyaan umum",
        ),
        "complaint": (
            "Ditagih dua kali bulan ini",
            "Pesanan terlambat lagi",
            "Aplikasi sering gagal",
            "Akun saya terkunci",
            "Produk tidak sesuai keterangan",
            "Kecewa dengan layanan",
        ),
    },
}

# Survey comments by language, from bad to good; an empty text is an answer without a comment.
COMMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        (
            "",
            "Too slow.",
            "Nobody calls back.",
            "I had to explain it three times.",
            "Too expensive for what it does.",
        ),
        ("", "", "It is okay.", "Could be quicker.", "Works most of the time."),
        ("", "", "Friendly and quick.", "Very happy.", "Keep it up!"),
    ),
    "id": (
        (
            "",
            "Terlalu lambat.",
            "Tidak pernah ditelepon balik.",
            "Harus menjelaskan tiga kali.",
            "Terlalu mahal.",
        ),
        ("", "", "Cukup baik.", "Bisa lebih cepat.", "Biasanya lancar."),
        ("", "", "Ramah dan cepat.", "Sangat puas.", "Pertahankan!"),
    ),
}

CANCELLATION_REASONS: dict[str, tuple[str, ...]] = {
    "en": ("too expensive", "unhappy with the service", "no longer needed", "changed provider", "not stated"),
    "id": (
        "terlalu mahal",
        "kecewa dengan layanan",
        "tidak dibutuhkan lagi",
        "pindah penyedia",
        "tidak disebutkan",
    ),
}

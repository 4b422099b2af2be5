"""What customers write in a ticket: one to three sentences in their language, by how they stand when they write.

Who has turned and says so speaks of leaving, whom the price hurts speaks of other providers, the unhappy are angry.
Some say the opposite of each, and venters threaten and stay: a word alone tells little.
"""

from __future__ import annotations

import numpy as np

from churnwatch.synthetic.behaviour import SILENT, STAYING, VOCAL, Standing
from churnwatch.synthetic.company import Bools, Customers, Texts
from churnwatch.synthetic.seasons import Ints

# By language and topic (the order of words.TOPICS).
QUESTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        (
            "Could you send me the invoice for last month again?",
            "What is the item called service fee on my bill?",
            "Can I pay by bank transfer instead of card?",
            "When is the next payment due?",
        ),
        (
            "I ordered {n} days ago and would like to know where the parcel is.",
            "Please cancel the second order, I placed it twice by mistake.",
            "Can the delivery go to our other address?",
            "Is it possible to change the delivery date?",
        ),
        (
            "How do I connect the scanner to the app?",
            "The export gives me an empty file, what am I doing wrong?",
            "Where do I find the monthly report now?",
            "Does the app work on a tablet as well?",
        ),
        (
            "Please change the e-mail address of our account.",
            "I need a login for a new colleague.",
            "How do I reset my password?",
            "Our company name has changed, what do you need from us?",
        ),
        (
            "Does the larger plan include the stock module?",
            "Can I try the reports before I order them?",
            "What is the difference between the two add-ons?",
            "How many users may we add?",
        ),
        (
            "Are you open during the holidays?",
            "Who is our contact person now?",
            "Do you offer training for beginners?",
            "Could somebody call me this week?",
        ),
    ),
    "id": (
        (
            "Mohon kirim ulang tagihan bulan lalu.",
            "Biaya layanan di tagihan saya itu untuk apa?",
            "Apakah bisa bayar lewat transfer bank?",
            "Kapan jatuh tempo pembayaran berikutnya?",
        ),
        (
            "Saya pesan {n} hari lalu, paketnya sudah sampai mana ya?",
            "Tolong batalkan pesanan yang kedua, saya tidak sengaja pesan dua kali.",
            "Bisakah dikirim ke alamat kami yang lain?",
            "Apakah tanggal pengirimannya bisa diubah?",
        ),
        (
            "Bagaimana cara menyambungkan pemindai ke aplikasi?",
            "Berkas ekspornya kosong, apa yang salah ya?",
            "Laporan bulanan sekarang ada di menu mana?",
            "Apakah aplikasinya bisa dipakai di tablet?",
        ),
        (
            "Tolong ganti alamat email akun kami.",
            "Saya perlu akses untuk karyawan baru.",
            "Bagaimana cara mengatur ulang kata sandi?",
            "Nama perusahaan kami berubah, apa saja syaratnya?",
        ),
        (
            "Apakah paket yang lebih besar sudah termasuk modul stok?",
            "Bolehkah laporannya dicoba dulu sebelum dipesan?",
            "Apa bedanya kedua modul tambahan itu?",
            "Berapa pengguna yang boleh ditambahkan?",
        ),
        (
            "Apakah tetap buka selama libur?",
            "Siapa yang menangani kami sekarang?",
            "Apakah ada pelatihan untuk pemula?",
            "Bisakah ada yang menelepon saya minggu ini?",
        ),
    ),
}
COMPLAINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        (
            "The same amount was taken twice.",
            "The bill is higher than what we agreed on.",
            "I still have no refund after {n} days.",
        ),
        (
            "The order is {n} days late and nobody told us.",
            "Half of the delivery is missing.",
            "The box arrived damaged again.",
        ),
        (
            "The app has crashed {n} times this week.",
            "Since the update nothing loads any more.",
            "We could not work for a whole morning.",
        ),
        (
            "I cannot log in and the reset mail never comes.",
            "A former colleague still has access to our account.",
            "Our data were changed without our knowledge.",
        ),
        (
            "What arrived is not what the page shows.",
            "The module lacks half of what was promised.",
            "It broke after {n} days.",
        ),
        (
            "I have called {n} times and nobody could help.",
            "My last question was never answered.",
            "I had to explain everything again.",
        ),
    ),
    "id": (
        (
            "Saldo saya terpotong dua kali.",
            "Tagihannya lebih besar dari yang disepakati.",
            "Sudah {n} hari dana belum kembali.",
        ),
        (
            "Pesanan terlambat {n} hari tanpa kabar.",
            "Separuh kirimannya tidak ada.",
            "Kardusnya datang rusak lagi.",
        ),
        (
            "Aplikasinya macet {n} kali minggu ini.",
            "Sejak pembaruan tidak ada yang bisa dibuka.",
            "Sepanjang pagi kami tidak bisa bekerja.",
        ),
        (
            "Saya tidak bisa masuk dan email pemulihannya tidak datang.",
            "Mantan karyawan masih punya akses ke akun kami.",
            "Data kami diubah tanpa sepengetahuan kami.",
        ),
        (
            "Barang yang datang tidak seperti di halaman.",
            "Modulnya tidak selengkap yang dijanjikan.",
            "Baru {n} hari sudah rusak.",
        ),
        (
            "Saya sudah menelepon {n} kali dan tidak ada yang bisa membantu.",
            "Pertanyaan saya yang terakhir tidak pernah dijawab.",
            "Saya harus menjelaskan semuanya dari awal.",
        ),
    ),
}
LEAVING: dict[str, tuple[str, ...]] = {
    "en": (
        "I am thinking of cancelling.",
        "If this is not solved I will cancel my subscription.",
        "Please tell me how to end the contract.",
        "We want to terminate at the end of the month.",
        "I do not want to be your customer any longer.",
        "We will not renew.",
        "Maybe it is time to unsubscribe.",
        "Honestly, I am about to quit.",
    ),
    "id": (
        "Saya sedang mempertimbangkan untuk berhenti berlangganan.",
        "Kalau tidak beres, saya batalkan langganannya.",
        "Bagaimana cara mengakhiri kontrak?",
        "Kami mau putus kontrak akhir bulan ini.",
        "Saya tidak mau jadi pelanggan lagi.",
        "Kami tidak akan perpanjang.",
        "Sepertinya sudah waktunya stop langganan.",
        "Jujur saja, saya ingin berhenti.",
    ),
}
RIVALS: dict[str, tuple[str, ...]] = {
    "en": (
        "Another provider offers the same for less.",
        "We are looking at a competitor.",
        "A friend switched to someone else and is happier.",
        "I got a better offer elsewhere.",
        "Other companies answer the same day.",
        "We might switch to another provider.",
    ),
    "id": (
        "Penyedia lain menawarkan hal yang sama lebih murah.",
        "Kami sedang melirik kompetitor.",
        "Teman saya pindah ke tempat lain dan lebih puas.",
        "Saya dapat tawaran lebih bagus dari yang lain.",
        "Perusahaan sebelah membalas di hari yang sama.",
        "Mungkin kami pindah ke penyedia lain.",
    ),
}
ANGER: dict[str, tuple[str, ...]] = {
    "en": (
        "This is unacceptable!",
        "I am really angry.",
        "Worst service I have ever had.",
        "I am fed up with this.",
        "This is ridiculous.",
        "I am very disappointed.",
        "What a terrible experience.",
        "You are wasting my time!",
    ),
    "id": (
        "Ini keterlaluan!",
        "Saya benar-benar marah.",
        "Pelayanan paling buruk yang pernah saya alami.",
        "Saya sudah muak.",
        "Ini sungguh mengecewakan.",
        "Saya kesal sekali.",
        "Parah banget pelayanannya.",
        "Buang-buang waktu saya saja!",
    ),
}
DENIALS: dict[str, tuple[str, ...]] = {
    "en": (
        "I am not going to cancel, I only want this fixed.",
        "Don't worry, we are not leaving.",
        "I am not angry, just asking.",
        "Not a complaint, only a remark.",
        "We never thought of switching to a competitor.",
        "I was not disappointed, it only took a while.",
        "No need to end the contract, we are fine.",
    ),
    "id": (
        "Saya tidak akan berhenti, hanya minta diperbaiki.",
        "Tenang, kami tidak pindah ke mana-mana.",
        "Saya tidak marah, hanya bertanya.",
        "Bukan keluhan, cuma masukan.",
        "Kami belum pernah berpikir pindah ke kompetitor.",
        "Saya tidak kecewa, hanya agak lama saja.",
        "Kontraknya jangan diakhiri, kami masih cocok.",
    ),
}
CLOSINGS: dict[str, tuple[str, ...]] = {
    "en": (
        "Thank you in advance.",
        "Thanks for your help.",
        "Please let me know.",
        "I am waiting for your reply.",
        "It is rather urgent.",
        "Best regards.",
    ),
    "id": (
        "Terima kasih sebelumnya.",
        "Terima kasih atas bantuannya.",
        "Mohon kabarnya.",
        "Saya tunggu balasannya.",
        "Agak mendesak ya.",
        "Salam.",
    ),
}
LONGEST = 3  # sentences


def write(
    rng: np.random.Generator, customers: Customers, customer: Ints, complaint: Bools, topic: Ints, stood: Standing
) -> Texts:
    """One message per ticket of ``customer``, as each ``stood`` when it was opened."""
    size = customer.size
    leaves, rival, angry, denies = (
        rng.random(size) < chance for chance in _chances(customers, customer, complaint, stood)
    )
    closes = rng.random(size) < 0.3
    which, number = rng.random((4, size)), rng.integers(2, 10, size).astype(str)
    messages = np.empty(size, dtype=object)
    for row, spoken in enumerate(customers.language[customer]):
        opening = (COMPLAINTS if complaint[row] else QUESTIONS)[spoken][topic[row]]
        said = [opening[int(which[0, row] * len(opening))].replace("{n}", number[row])]
        for there, texts, place in ((angry, ANGER, 1), (rival, RIVALS, 2), (leaves, LEAVING, 3)):
            if there[row]:
                said.append(texts[spoken][int(which[place, row] * len(texts[spoken]))])
        if len(said) == 1 and denies[row]:
            said.append(DENIALS[spoken][int(which[1, row] * len(DENIALS[spoken]))])
        if closes[row]:
            said.append(CLOSINGS[spoken][int(which[2, row] * len(CLOSINGS[spoken]))])
        messages[row] = " ".join(said[:LONGEST])
    return messages


def _chances(customers: Customers, customer: Ints, complaint: Bools, stood: Standing) -> tuple[np.ndarray, ...]:
    """Of words of leaving, of other providers, of anger, and of the opposite of these; per ticket."""
    unhappy = 1 / (1 + np.exp(2.5 * (stood.feeling + 0.7)))
    says_so, keeps_quiet = stood.manner == VOCAL, stood.manner == SILENT
    vents = customers.venter[customer] & complaint
    leaves = 0.004 + 0.03 * unhappy + 0.25 * says_so + 0.03 * keeps_quiet + 0.06 * vents
    rival = 0.005 + 0.02 * unhappy + 0.08 * says_so + stood.price * (0.05 * unhappy + 0.10 * says_so)
    angry = np.where(complaint, 0.08 + 0.35 * unhappy + 0.10 * says_so + 0.15 * vents, 0.005 + 0.04 * unhappy)
    denies = 0.03 + 0.05 * unhappy * (stood.manner == STAYING)
    return leaves, rival, angry, denies

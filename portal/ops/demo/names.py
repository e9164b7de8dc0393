"""Name pools for invented people: common first and last names, freely combined."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamePool:
    """Names of one culture; last names in their masculine form where they have two."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    last: tuple[str, ...]


def _pool(*, female: str, male: str, last: str) -> NamePool:
    """Make a pool from texts of names; an underscore stands for a space inside a name."""
    return NamePool(_names(female), _names(male), _names(last))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in text.split())


TURKISH = _pool(
    female="""
        Ayşe Fatma Emine Hatice Zeynep Elif Meryem Şerife Zehra Sultan Hanife Merve Havva Zeliha Esra Özlem Fadime
        Büşra Kübra Yasemin Dilek Melek Hülya Songül Aysel Sevgi Leyla Hacer Rabia Tuğba Gülşen Ebru Gamze İlknur Işıl
        Çağla Çiğdem Şeyma Şule Ülkü Özge Gökçe Pınar Ceren Yıldız Gülçin Nurgül Işık İpek İrem Irmak Ilgın Özgül
        Ümran Şükran Şengül Aslı Tuğçe Müge Burcu Canan Defne Derya Duygu Ece Filiz Görkem Hande İdil Nilüfer Öykü
        Selin Sıla Simge Tülay Yağmur Ümmühan Kâmile Nâlân
    """,
    male="""
        Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim İsmail Osman Yusuf Murat Ömer Ramazan Halil Süleyman Abdullah
        Mahmut Recep Salih Fatih Kadir Emre Hakan Adem Kemal Yaşar Bekir Musa Metin Orhan Bayram Serkan Furkan Gökhan
        Uğur Yılmaz Burak Barış Çağatay Cüneyt Doğan Doğukan Erdoğan Işıkhan İlhan İlker İlyas Ilgaz İhsan Kıvanç Oğuz
        Oğuzhan Özgür Özkan Öner Rıza Rıdvan Şahin Şükrü Şevket Şenol Tuğrul Turgut Ufuk Ümit Ünal Volkan Yiğit
        Yiğitcan Çetin Çınar Görkem Güneş Kâmil Kâzım Nâzım Ülgen Sıtkı Tanju Tarık Veysel
    """,
    last="""
        Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç
        Kurt Özkan Şimşek Polat Korkmaz Çakır Özcan Erdoğan Yavuz Can Acar Aktaş Güneş Işık Keskin Tekin Ünal Bulut
        Güler Avcı Yalçın Güzel Bozkurt Ateş Turan Sarı Köse Ekinci Taş Kaplan Özer Bayram Coşkun Kocabaş İnce İpek
        Işıklı Ilgaz İnan İlhan Işıldak Akın Akgül Akgün Albayrak Altıntaş Ayhan Bağcı Balcı Başaran Bıçakçı Büyük
        Çağlar Çalışkan Çiftçi Dağ Dinç Duman Dağdelen Elmas Eroğlu Ertuğrul Gök Gökçe Gümüş Gündoğdu Gür Hacıoğlu
        Karaağaç Karadağ Karagöz Karakuş Kırmızı Kışla Kızılkaya Küçük Kütükçü Müftüoğlu Oğuz Önal Öz Özgür Özışık
        Pektaş Sağlam Sönmez Sütçü Şen Şener Şengül Taşkın Toprak Tosun Tuğcu Türk Türkoğlu Uçar Uğurlu Uysal Ülker
        Üstün Üzüm Yağcı Yazıcı Yeşil Yiğit Yüce Yücel Yüksel Zengin Değirmencioğlu Kuyumcuoğlu Çınar
    """,
)

GERMAN = _pool(
    female="""
        Anna Claudia Sabine Petra Monika Andrea Stefanie Katharina Julia Laura Lena Hannah Mia Franziska Birgit Ursula
        Heike Käthe Bärbel Jördis Greta Johanna Annika Nele Ulrike
    """,
    male="""
        Hans Peter Wolfgang Klaus Jürgen Günter Thomas Michael Andreas Stefan Lukas Jonas Felix Maximilian Paul Jörg
        Björn Sören Götz Uwe Dirk Matthias Tobias Florian Rüdiger
    """,
    last="""
        Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein
        Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Köhler Groß Weiß Jäger Böhm Größmann
        Günther Roth Busch Kühn Pfeiffer
    """,
)

BRITISH = _pool(
    female="""
        Olivia Amelia Isla Emily Charlotte Grace Sophie Alice Lucy Chloë Zoë Hannah Rebecca Sarah Laura Gemma Victoria
        Margaret Susan Linda Siân Niamh Fiona Heather Imogen
    """,
    male="""
        Oliver George Harry Jack Noah Charlie Thomas Oscar William James Daniel Matthew Andrew David Richard Stephen
        Ian Gareth Rhys Callum Angus Duncan Simon Graham Isaac
    """,
    last="""
        Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts
        Green Hall Wood Jackson Clarke Hughes Edwards O'Brien O'Connor MacDonald McKenzie Campbell Stewart Murray
        Ashworth Pemberton Thorne-Hill Bennett Fletcher Ingram
    """,
)

DUTCH = _pool(
    female="""
        Emma Sanne Lotte Femke Fleur Anouk Marijke Annelies Ingrid Saskia Wilhelmina Noor Floor Loïs Daniëlle Renée
        Mirjam Esther Tineke Hanneke
    """,
    male="""
        Daan Sem Jan Pieter Willem Kees Joost Bram Thijs Ruben Maarten Hendrik Gerrit Koen Niels Jeroen Sjoerd Joël
        Sander Wouter
    """,
    last="""
        de_Jong Jansen de_Vries van_den_Berg van_Dijk Bakker Janssen Visser Smit Meijer de_Boer Mulder de_Groot Bos
        Vos Peters Hendriks van_Leeuwen Dekker Brouwer de_Wit Dijkstra Smits de_Graaf van_der_Meer IJzerman Kuipers
        Scholten Boël
    """,
)

SLAVIC = _pool(
    female="""
        Anna Maria Elena Olga Natalia Tatiana Irina Svetlana Ekaterina Anastasia Yulia Daria Ksenia Polina Oksana
        Kateryna Halyna Iryna Larysa Sofiia
    """,
    male="""
        Alexander Sergei Dmitri Andrei Alexei Maxim Ivan Mikhail Nikolai Vladimir Artem Kirill Pavel Roman Oleg Taras
        Bohdan Mykola Oleksandr Andriy
    """,
    last="""
        Ivanov Smirnov Kuznetsov Popov Sokolov Lebedev Kozlov Novikov Morozov Petrov Volkov Solovyov Vasilyev Zaitsev
        Pavlov Belyaev Nikitin Zakharov Sobolevsky Vishnevsky Shevchenko Kovalenko Bondarenko Tkachenko Kravchenko
        Melnyk Lysenko Savchenko Rudenko Marchenko
    """,
)

# The same kind of names as staff paste them from a passport or a message.
CYRILLIC = _pool(
    female="""
        Анна Мария Елена Ольга Наталья Татьяна Ирина Светлана Юлия Дарья Ксения Фёкла Майя
    """,
    male="""
        Александр Сергей Дмитрий Андрей Алексей Максим Иван Михаил Артём Фёдор Юрий Олег
    """,
    last="""
        Иванов Смирнов Кузнецов Попов Соколов Лебедев Новиков Морозов Петров Волков Соловьёв Зайцев Вишневский
        Шевченко Коваленко Бондаренко Ткаченко
    """,
)

ARABIC = _pool(
    female="""
        Fatima Aisha Maryam Layla Noor Huda Salma Zainab Amal Hanan Rania Dina Yasmin Samira Khadija Reem Lubna Nadia
        Hala Iman
    """,
    male="""
        Mohammed Ahmed Ali Omar Khalid Hassan Hussein Abdullah Abdulrahman Saeed Faisal Tariq Yousef Ibrahim Mahmoud
        Karim Nasser Rashid Sultan Ismail
    """,
    last="""
        Al-Farsi Al-Masri Al-Hashimi Al-Mansoori Al-Najjar Al-Sayed Al-Khatib Al-Amiri Haddad Khoury Nassar Mansour
        Saleh Hamdan Aziz Qasim Rahman Darwish Abu_Zayd Ibn_Said
    """,
)

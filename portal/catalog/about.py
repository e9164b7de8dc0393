"""What the most offered treatments are, in words for patients: plain, calm and without promises.

Each has Turkish, English, German and Russian. A clinic edits its copy on the treatment's page.
"""

from __future__ import annotations

LANGUAGES = ("tr", "en", "de", "ru")

_ABOUT: dict[str, tuple[str, str, str, str]] = {
    "muayene": (
        "Hekim dişlerinizi, diş etlerinizi ve çenenizi muayene eder, yapılabilecekleri sizinle konuşur.",
        "The dentist examines your teeth, gums and jaw and talks through what can be done.",
        "Die Zahnärztin oder der Zahnarzt untersucht Zähne, Zahnfleisch und Kiefer und bespricht die Möglichkeiten.",
        "Врач осматривает зубы, дёсны и челюсти и обсуждает с вами возможные варианты лечения.",
    ),
    "panoramik": (
        "Tüm dişleri ve iki çeneyi tek görüntüde gösteren röntgen. Çekimi yaklaşık yirmi saniye sürer.",
        "An X-ray that shows all teeth and both jaws in one picture. Taking it lasts about twenty seconds.",
        "Eine Röntgenaufnahme, die alle Zähne und beide Kiefer auf einem Bild zeigt. Sie dauert etwa zwanzig Sekunden.",
        "Рентгеновский снимок, на котором видны все зубы и обе челюсти. Съёмка длится около двадцати секунд.",
    ),
    "cbct": (
        "Çene kemiğinin üç boyutlu görüntüsü. İmplantın yerini ve kemik miktarını planlamak için kullanılır.",
        "A three-dimensional picture of the jaw bone, used to plan where an implant goes and how much bone there is.",
        "Eine dreidimensionale Aufnahme des Kieferknochens, mit der die Lage eines Implantats geplant wird.",
        "Трёхмерный снимок челюстной кости, по которому планируют положение имплантата и оценивают объём кости.",
    ),
    "kompozit-dolgu": (
        "Çürük temizlenir ve boşluk diş renginde bir malzemeyle doldurulur. Çoğunlukla tek seansta biter.",
        "The decay is removed and the gap is filled with a tooth-coloured material, mostly in one visit.",
        "Die Karies wird entfernt und die Lücke mit zahnfarbenem Material gefüllt, meist in einer Sitzung.",
        "Кариес удаляют, а полость заполняют материалом в цвет зуба, обычно за одно посещение.",
    ),
    "kanal-1": (
        "Dişin içindeki iltihaplı doku çıkarılır, kök kanalı temizlenip doldurulur. Diş böylece yerinde kalabilir.",
        "The inflamed tissue inside the tooth is removed, the root canal cleaned and filled, so the tooth can stay.",
        "Das entzündete Gewebe im Zahn wird entfernt, der Wurzelkanal gereinigt und gefüllt. So kann der Zahn bleiben.",
        "Воспалённые ткани внутри зуба удаляют, корневой канал очищают и пломбируют, чтобы сохранить зуб.",
    ),
    "kanal-2": (
        "İki kanallı bir dişin içindeki iltihaplı doku çıkarılır, kanallar temizlenip doldurulur.",
        "The inflamed tissue inside a tooth with two canals is removed; the canals are cleaned and filled.",
        "Das entzündete Gewebe in einem Zahn mit zwei Kanälen wird entfernt, die Kanäle werden gereinigt und gefüllt.",
        "Воспалённые ткани в зубе с двумя каналами удаляют, каналы очищают и пломбируют.",
    ),
    "kanal-3": (
        "Üç kanallı bir dişin içindeki iltihaplı doku çıkarılır, kanallar temizlenip doldurulur.",
        "The inflamed tissue inside a tooth with three canals is removed; the canals are cleaned and filled.",
        "Das entzündete Gewebe in einem Zahn mit drei Kanälen wird entfernt, die Kanäle werden gereinigt und gefüllt.",
        "Воспалённые ткани в зубе с тремя каналами удаляют, каналы очищают и пломбируют.",
    ),
    "zirkonyum-kron": (
        "Dişin üstünü tamamen kaplayan, metal içermeyen seramik kron. Diş küçültülür, ölçü alınır, kron yapıştırılır.",
        "A metal-free ceramic crown that covers the whole tooth. The tooth is shaped and the crown cemented on it.",
        "Eine metallfreie Keramikkrone über dem ganzen Zahn. Der Zahn wird beschliffen und die Krone befestigt.",
        "Керамическая коронка без металла на весь зуб. Зуб обтачивают, снимают слепок и фиксируют коронку.",
    ),
    "emax-kron": (
        "Işığı doğal dişe benzer geçiren cam seramik kron. Daha çok ön dişlerde kullanılır.",
        "A glass-ceramic crown that lets light through much like a natural tooth; used mostly for front teeth.",
        "Eine Glaskeramikkrone, die Licht ähnlich wie ein natürlicher Zahn durchlässt; meist für Frontzähne.",
        "Стеклокерамическая коронка, пропускающая свет подобно естественному зубу; чаще для передних зубов.",
    ),
    "metal-porselen": (
        "Metal alt yapı üzerine porselen işlenmiş, dişi tamamen kaplayan kron.",
        "A crown of porcelain over a metal base that covers the whole tooth.",
        "Eine Krone aus Keramik auf einem Metallgerüst, die den ganzen Zahn bedeckt.",
        "Коронка из керамики на металлическом каркасе, покрывающая весь зуб.",
    ),
    "gecici-kron": (
        "Kalıcı kron hazırlanırken dişi koruyan geçici kron.",
        "A crown that protects the tooth while the final one is being made.",
        "Eine Krone, die den Zahn schützt, bis die endgültige fertig ist.",
        "Коронка, которая защищает зуб, пока изготавливается постоянная.",
    ),
    "gecici-kopru": (
        "Kalıcı köprü hazırlanırken kullandığınız geçici, sabit dişler.",
        "Fixed temporary teeth that you wear while the final bridge is being made.",
        "Festsitzende provisorische Zähne, die Sie tragen, bis die endgültige Brücke fertig ist.",
        "Несъёмные временные зубы, которые вы носите, пока изготавливается постоянный протез.",
    ),
    "kopru": (
        "Eksik dişin yerini dolduran sabit diş. İki yanındaki dişlere veya implantlara bağlanır.",
        "Fixed teeth that close a gap. They are held by the teeth or implants on either side.",
        "Festsitzender Zahnersatz für eine Lücke, gehalten von den Zähnen oder Implantaten daneben.",
        "Несъёмный протез, замещающий отсутствующий зуб; держится на соседних зубах или имплантатах.",
    ),
    "implant-ustu-kron": (
        "İyileşmiş implantın üzerine takılan kron. Eksik dişin görünen kısmıdır.",
        "The crown on a healed implant: the part of the new tooth that you see.",
        "Die Krone auf dem eingeheilten Implantat: der sichtbare Teil des neuen Zahns.",
        "Коронка на прижившемся имплантате — видимая часть нового зуба.",
    ),
    "implant": (
        "Eksik dişin kökünün yerine çene kemiğine yerleştirilen titanyum vida. Kemikle kaynaşması birkaç ay sürer.",
        "A titanium screw placed in the jaw bone instead of a missing root. It needs a few months to join the bone.",
        "Eine Titanschraube im Kieferknochen anstelle der fehlenden Wurzel. Sie braucht einige Monate zum Einheilen.",
        "Титановый винт, который ставят в кость вместо корня зуба. Приживление занимает несколько месяцев.",
    ),
    "dayanak": (
        "İmplant ile kronu birbirine bağlayan parça.",
        "The part that joins the implant and the crown.",
        "Das Teil, das Implantat und Krone verbindet.",
        "Деталь, соединяющая имплантат и коронку.",
    ),
    "all-on-4": (
        "Bir çenedeki tüm dişlerin yerine, dört implantın taşıdığı sabit köprü. Önce geçici, sonra kalıcısı takılır.",
        "A fixed bridge on four implants for all teeth of one jaw: a temporary one first, the final one after healing.",
        "Feste Brücke auf vier Implantaten für einen ganzen Kiefer: erst provisorisch, nach der Heilung endgültig.",
        "Несъёмный протез всей челюсти на четырёх имплантатах: сначала временный, после заживления — постоянный.",
    ),
    "all-on-6": (
        "Bir çenedeki tüm dişlerin yerine, altı implantın taşıdığı sabit köprü. Önce geçici, sonra kalıcısı takılır.",
        "A fixed bridge on six implants for all teeth of one jaw: a temporary one first, the final one after healing.",
        "Feste Brücke auf sechs Implantaten für einen ganzen Kiefer: erst provisorisch, nach der Heilung endgültig.",
        "Несъёмный протез всей челюсти на шести имплантатах: сначала временный, после заживления — постоянный.",
    ),
    "acik-sinus": (
        "Üst çenenin arka bölgesinde implanta yer açmak için yandan girilerek kemik eklenir.",
        "Bone is added from the side at the back of the upper jaw, to make room for an implant.",
        "Im hinteren Oberkiefer wird von der Seite Knochen aufgebaut, damit ein Implantat Halt findet.",
        "В задней части верхней челюсти через боковой доступ добавляют кость, чтобы поставить имплантат.",
    ),
    "kapali-sinus": (
        "Üst çenenin arka bölgesinde implant yuvasından girilerek az miktarda kemik eklenir.",
        "A little bone is added at the back of the upper jaw, through the opening made for the implant.",
        "Im hinteren Oberkiefer wird durch die Implantatöffnung etwas Knochen aufgebaut.",
        "В задней части верхней челюсти через отверстие для имплантата добавляют немного кости.",
    ),
    "kemik-grefti": (
        "Kemiğin yetersiz olduğu yere kemik malzemesi eklenir; üzerinde yeni kemik oluşur.",
        "Bone material is added where there is too little bone, so that new bone can form.",
        "Wo zu wenig Knochen ist, wird Material eingebracht, damit sich neuer Knochen bilden kann.",
        "Там, где кости недостаточно, добавляют костный материал, чтобы образовалась новая кость.",
    ),
    "cekim": (
        "Korunamayan diş, bölge uyuşturularak çekilir.",
        "A tooth that cannot be kept is taken out under local anaesthetic.",
        "Ein Zahn, der nicht erhalten werden kann, wird unter örtlicher Betäubung gezogen.",
        "Зуб, который нельзя сохранить, удаляют под местной анестезией.",
    ),
    "komplike-cekim": (
        "Kırık veya zor konumdaki diş, bölge uyuşturularak küçük bir cerrahi işlemle çıkarılır.",
        "A broken or awkwardly placed tooth is removed with minor surgery under local anaesthetic.",
        "Ein abgebrochener oder schwierig liegender Zahn wird unter örtlicher Betäubung operativ entfernt.",
        "Сломанный или сложно расположенный зуб удаляют небольшой операцией под местной анестезией.",
    ),
    "gomulu-yirmilik": (
        "Çıkamamış yirmi yaş dişi, bölge uyuşturularak cerrahi olarak alınır.",
        "A wisdom tooth that could not come through is removed surgically under local anaesthetic.",
        "Ein nicht durchgebrochener Weisheitszahn wird unter örtlicher Betäubung operativ entfernt.",
        "Непрорезавшийся зуб мудрости удаляют хирургически под местной анестезией.",
    ),
    "detertraj": (
        "Diş taşı ve lekeler temizlenir, diş yüzeyleri parlatılır.",
        "Tartar and stains are removed and the teeth are polished.",
        "Zahnstein und Verfärbungen werden entfernt, die Zähne poliert.",
        "Зубной камень и налёт удаляют, поверхность зубов полируют.",
    ),
    "kok-yuzeyi": (
        "Diş etinin altındaki kök yüzeyleri temizlenip düzleştirilir; diş eti iltihabının tedavisinde kullanılır.",
        "The roots below the gum are cleaned and smoothed; this treats inflamed gums.",
        "Die Wurzeln unter dem Zahnfleisch werden gereinigt und geglättet; so wird entzündetes Zahnfleisch behandelt.",
        "Поверхность корней под десной очищают и сглаживают; так лечат воспаление дёсен.",
    ),
    "laminate": (
        "Dişin ön yüzüne yapıştırılan ince porselen yaprak. Rengi ve biçimi değiştirir.",
        "A thin layer of porcelain bonded to the front of a tooth. It changes colour and shape.",
        "Eine dünne Keramikschale auf der Vorderseite des Zahns. Sie verändert Farbe und Form.",
        "Тонкая керамическая пластинка на передней поверхности зуба. Меняет цвет и форму.",
    ),
    "kompozit-veneer": (
        "Dişin ön yüzü, diş renginde dolgu malzemesiyle yeniden biçimlendirilir.",
        "The front of the tooth is reshaped with tooth-coloured filling material.",
        "Die Vorderseite des Zahns wird mit zahnfarbenem Füllungsmaterial neu geformt.",
        "Переднюю поверхность зуба восстанавливают материалом в цвет зуба.",
    ),
    "ofis-beyazlatma": (
        "Dişlerin rengi klinikte sürülen bir jelle açılır. Sonuç kişiden kişiye değişir.",
        "The teeth are lightened with a gel applied at the clinic. Results differ from person to person.",
        "Die Zähne werden in der Praxis mit einem Gel aufgehellt. Das Ergebnis ist von Mensch zu Mensch verschieden.",
        "Зубы осветляют гелем, который наносят в клинике. Результат у разных людей разный.",
    ),
    "ev-beyazlatma": (
        "Kişiye özel plak ve jelle, evde uygulanan beyazlatma. Sonuç kişiden kişiye değişir.",
        "Lightening the teeth at home with a custom tray and gel. Results differ from person to person.",
        "Aufhellung zu Hause mit individueller Schiene und Gel. Das Ergebnis ist von Mensch zu Mensch verschieden.",
        "Отбеливание дома с индивидуальной капой и гелем. Результат у разных людей разный.",
    ),
    "tam-protez": (
        "Bir çenedeki tüm dişlerin yerine takılıp çıkarılan protez.",
        "A removable denture that replaces all teeth of one jaw.",
        "Herausnehmbarer Zahnersatz für alle Zähne eines Kiefers.",
        "Съёмный протез, замещающий все зубы одной челюсти.",
    ),
    "seffaf-plak": (
        "Dişleri adım adım düzelten, takılıp çıkarılabilen şeffaf plaklar.",
        "Clear, removable trays that move the teeth step by step.",
        "Durchsichtige, herausnehmbare Schienen, die die Zähne Schritt für Schritt bewegen.",
        "Прозрачные съёмные капы, которые шаг за шагом выравнивают зубы.",
    ),
}

ABOUT: dict[str, dict[str, str]] = {code: dict(zip(LANGUAGES, texts, strict=True)) for code, texts in _ABOUT.items()}

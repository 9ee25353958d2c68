"""Icelandic sample text for names, companies, tickets and products."""

from __future__ import annotations

import unicodedata


def _split_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MEN = _split_words(
    "Aðalsteinn Ásgeir Brynjólfur Davíð Einar Eyþór Friðrik Guðmundur Hafþór Haukur Hörður Ívar Jón Jökull Kári "
    "Kristján Magnús Njáll Ólafur Ómar Páll Rúnar Sigurður Steinþór Sævar Úlfar Ýmir Þórður Ægir Örn Össur"
)

WOMEN = _split_words(
    "Ásdís Birna Björk Dagný Elín Erla Guðný Guðrún Gunnþóra Halldóra Helga Hjördís Inga Jóhanna Katrín Kolbrún Lára "
    "María Oddný Ragnheiður Sigríður Snæfríður Sólveig Unnur Valgerður Vigdís Þorgerður Þórunn Æsa Ösp"
)

FATHERS = _split_words(
    "Arnar Árna Ásgeirs Bjarna Björns Einars Eiríks Friðriks Gísla Guðmundar Gunnars Halldórs Hauks Helga Hjálmars "
    "Ingólfs Jóhanns Jóns Kjartans Kristjáns Magnúsar Ólafs Páls Ragnars Sigurðar Stefáns Sveins Sæmundar Þorsteins Þórðar"
)

TRADES = _split_words(
    "Fiskvinnslan Bakaríið Lögmannsstofan Verkfræðistofan Bílaverkstæðið Heildverslunin Útgerðin Trésmiðjan Apótekið "
    "Fasteignasalan Prentsmiðjan Tannlæknastofan Ferðaskrifstofan Gistiheimilið Endurskoðun Arkitektastofan Mjólkurbúið "
    "Sláturhúsið Garðyrkjustöðin Sjúkraþjálfunin Bókaútgáfan Netverslunin Flutningafélagið Vélsmiðjan Brugghúsið"
)

PLACES = _split_words(
    "Árós Bjarg Brú Dalur Drangey Eyri Fell Fjörður Foss Gnípa Hamar Heiði Hlíð Hóll Hraun Hvammur Klettur Lækur Mýri "
    "Nes Ós Reynir Sker Skógar Strönd Súla Tindur Tjörn Urð Vík Þúfa Æðey Öldur Ögur"
)

FORMS = ("ehf.", "ehf.", "ehf.", "hf.", "sf.", "slf.")

STREETS = _split_words(
    "Aðalstræti Borgartún Dalvegur Faxafen Grensásvegur Hafnarstræti Hlíðasmári Ármúli Köllunarklettsvegur Lágmúli "
    "Síðumúli Skútuvogur Suðurlandsbraut Tryggvagata Þverholt Ögurhvarf"
)

TOWNS = (
    ("Reykjavík", "101"),
    ("Reykjavík", "108"),
    ("Kópavogur", "201"),
    ("Hafnarfjörður", "220"),
    ("Reykjanesbær", "230"),
    ("Borgarnes", "310"),
    ("Ísafjörður", "400"),
    ("Akureyri", "600"),
    ("Egilsstaðir", "700"),
    ("Selfoss", "800"),
    ("Vestmannaeyjar", "900"),
)

TITLES = ("Framkvæmdastjóri", "Fjármálastjóri", "Skrifstofustjóri", "Gæðastjóri", "Sölumaður", "Bókari", "Verkstjóri")

TROUBLES = (
    "Prentari svarar ekki",
    "Tölvupóstur berst ekki",
    "Nýr notandi: stofna aðgang",
    "Gleymt lykilorð",
    "Hægt netsamband á skrifstofu",
    "Öryggisafrit mistókst í nótt",
    "VPN-tenging slitnar",
    "Teams-fundur án hljóðs",
    "Bilaður skjár í móttöku",
    "Uppfærsla á bókhaldskerfi",
    "Grunsamlegur tölvupóstur",
    "Þráðlaust net nær ekki upp á loft",
    "Afskrá starfsmann sem hættir",
    "Diskpláss að fyllast á skráaþjóni",
    "Símkerfið hringir ekki út",
    "Óskað eftir nýrri fartölvu",
    "Leyfi vantar fyrir Office",
    "Vefsíðan er niðri",
    "Skírteini rennur út í næstu viku",
    "Sameign á drifi horfin",
)

ALERTS = (
    "CPU yfir 95% í 15 mínútur",
    "Þjónn svarar ekki á ping",
    "Afritun ekki lokið",
    "Vírusvörn óvirk",
    "RAID: diskur bilaður",
)

WORK_NOTES = (
    "Skoðað með notanda, lagað í fjarvinnu.",
    "Hringt í viðskiptavin; bíður svars.",
    "Endurræst og fylgst með.",
    "Stillingum breytt, prófað og í lagi.",
    "Þjónusta endurræst, annáll yfirfarinn.",
    "Mætt á staðinn og skipt um búnað.",
    'Notandi sagði: "þetta virkar núna", málinu lokað.',
    "Ræddi við birgja vegna ábyrgðar.",
    "Fylgt eftir skv. verklýsingu\nog skráð í handbók.",
)

PROJECTS = (
    "Flutningur í skýið",
    "Endurnýjun netbúnaðar",
    "Innleiðing Microsoft 365",
    "Ný skrifstofa: uppsetning",
    "Öryggisúttekt",
    "Símkerfi í Teams",
    "Sjálfvirkni í skýrslugerð",
    "Skipti á netþjónum",
)

INTERNAL_PROJECTS = ("Innra verklag", "Þekkingargrunnur", "Vöruþróun", "Endurbætur á eigin kerfum")

PHASES = ("Undirbúningur", "Innleiðing", "Prófanir", "Afhending")

CHARGE_CODES = ("Fundir", "Námskeið", "Orlof", "Veikindi", "Sala og tilboð", "Stjórnun")

GOODS = (
    ("FARTÖLVA-14", 'Fartölva 14"', 189_900, 151_000, "Inventory"),
    ("SKJÁR-27", 'Skjár 27"', 54_900, 39_500, "Inventory"),
    ("BEINIR", "Beinir með eldvegg", 84_500, 61_000, "Inventory"),
    ("TENGIKVÍ", "Tengikví fyrir fartölvu", 32_900, 23_400, "NonInventory"),
    ("LEYFI-CAD", "Ársleyfi hönnunarhugbúnaðar", 312_000, 287_000, "NonInventory"),
    ("UPPSETNING", "Uppsetning á vinnustöð", 24_900, 9_000, "Service"),
    ("BYRJUN", "Byrjendapakki nýs starfsmanns", 264_000, 204_000, "Bundle"),
)

SUBSCRIPTIONS = (
    ("M365-BP", "Microsoft 365 Business Premium", 3_290, 2_740),
    ("AFRITUN", "Afritun netþjóns", 12_900, 6_100),
    ("VÖRN", "Vírusvörn og vöktun", 1_490, 710),
    ("HÝSING", "Hýsing sýndarþjóns", 24_500, 13_800),
)


def to_ascii(text: str) -> str:
    """Convert text to lower-case ASCII letters and digits, for identifiers and addresses."""
    plain = text.lower().replace("þ", "th").replace("ð", "d").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", plain)
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())

"""A small lexicon of English, German and Spanish, and phrases made from it.

Gender, plural and the two forms of a verb are given for each word; articles and endings are
computed. Words that would need more rules than a prompt can state are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Forms:
    """A noun of one language."""

    gender: str  # m, f or n
    singular: str
    plural: str


@dataclass(frozen=True)
class Noun:
    """A noun in all languages."""

    english: str
    english_plural: str
    forms: Mapping[str, Forms]


@dataclass(frozen=True)
class Verb:
    """A verb in all languages: what one does, and what several do."""

    english: tuple[str, str]
    forms: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Phrase:
    """A noun with its determiner, and at times an adjective."""

    determiner: str  # the, the*, a, two, three, four; `the*` is that of a plural
    adjective: str  # in English; "" is none
    noun: Noun

    @property
    def is_plural(self) -> bool:
        """Whether it is about several."""
        return self.determiner not in ("the", "a")


def _nouns(text: str) -> tuple[Noun, ...]:
    rows = [line.split() for line in text.strip().splitlines()]
    return tuple(
        Noun(row[0], row[1], {"German": Forms(*row[2:5]), "Spanish": Forms(*row[5:8])})
        for row in rows
    )


BEINGS = _nouns(
    """
    dog dogs m Hund Hunde m perro perros
    horse horses n Pferd Pferde m caballo caballos
    cow cows f Kuh Kühe f vaca vacas
    bird birds m Vogel Vögel m pájaro pájaros
    woman women f Frau Frauen f mujer mujeres
    man men m Mann Männer m hombre hombres
    girl girls n Mädchen Mädchen f chica chicas
    mouse mice f Maus Mäuse m ratón ratones
    goat goats f Ziege Ziegen f cabra cabras
    duck ducks f Ente Enten m pato patos
    pig pigs n Schwein Schweine m cerdo cerdos
    turtle turtles f Schildkröte Schildkröten f tortuga tortugas
    doctor doctors m Arzt Ärzte m médico médicos
    teacher teachers m Lehrer Lehrer m profesor profesores
    """
)
THINGS = _nouns(
    """
    house houses n Haus Häuser f casa casas
    car cars n Auto Autos m coche coches
    book books n Buch Bücher m libro libros
    table tables m Tisch Tische f mesa mesas
    lamp lamps f Lampe Lampen f lámpara lámparas
    chair chairs m Stuhl Stühle f silla sillas
    bottle bottles f Flasche Flaschen f botella botellas
    letter letters m Brief Briefe f carta cartas
    door doors f Tür Türen f puerta puertas
    picture pictures n Bild Bilder m cuadro cuadros
    key keys m Schlüssel Schlüssel f llave llaves
    window windows n Fenster Fenster f ventana ventanas
    knife knives n Messer Messer m cuchillo cuchillos
    clock clocks f Uhr Uhren m reloj relojes
    tree trees m Baum Bäume m árbol árboles
    flower flowers f Blume Blumen f flor flores
    coat coats m Mantel Mäntel m abrigo abrigos
    shoe shoes m Schuh Schuhe m zapato zapatos
    boat boats n Boot Boote m barco barcos
    plate plates m Teller Teller m plato platos
    spoon spoons m Löffel Löffel f cuchara cucharas
    bridge bridges f Brücke Brücken m puente puentes
    garden gardens m Garten Gärten m jardín jardines
    bed beds n Bett Betten f cama camas
    """
)
_ADJECTIVES = """
    small klein pequeño/red rot rojo/old alt viejo/new neu nuevo/white weiß blanco
    wide breit ancho/heavy schwer pesado/long lang largo/pretty schön bonito/cheap billig barato
    clean sauber limpio/green grün verde/big groß grande/slow langsam lento/fast schnell rápido
    quiet still tranquilo/broken kaputt roto/strong stark fuerte/yellow gelb amarillo
"""
ADJECTIVES: dict[str, dict[str, str]] = {
    english: {"German": german, "Spanish": spanish}
    for english, german, spanish in (
        entry.split() for line in _ADJECTIVES.strip().splitlines() for entry in line.split("/")
    )
}
_VERBS = """
    sees see sieht sehen ve ven/buys buy kauft kaufen compra compran
    finds find findet finden encuentra encuentran/sells sell verkauft verkaufen vende venden
    paints paint malt malen pinta pintan/needs need braucht brauchen necesita necesitan
    carries carry trägt tragen lleva llevan/seeks seek sucht suchen busca buscan
    wants want will wollen quiere quieren/loses lose verliert verlieren pierde pierden
    brings bring bringt bringen trae traen/hides hide versteckt verstecken esconde esconden
"""
VERBS = tuple(
    Verb((row[0], row[1]), {"German": (row[2], row[3]), "Spanish": (row[4], row[5])})
    for row in (entry.split() for line in _VERBS.strip().splitlines() for entry in line.split("/"))
)
NUMBERS = {
    "two": {"German": "zwei", "Spanish": "dos"},
    "three": {"German": "drei", "Spanish": "tres"},
    "four": {"German": "vier", "Spanish": "cuatro"},
}


def english(phrase: Phrase) -> str:
    """Return a phrase in English."""
    noun = phrase.noun.english_plural if phrase.is_plural else phrase.noun.english
    return _joined(phrase.determiner.rstrip("*"), phrase.adjective, noun)


def german(phrase: Phrase, is_object: bool) -> str:
    """Return a phrase in German: nominative, or accusative for an object."""
    noun = phrase.noun.forms["German"]
    if phrase.is_plural:
        article, ending = ("die", "en") if phrase.determiner == "the*" else (
            NUMBERS[phrase.determiner]["German"], "e")  # fmt: skip
        word = noun.plural
    else:
        word = noun.singular
        article = {"m": "der", "f": "die", "n": "das"}[noun.gender]
        ending = "e"
        if phrase.determiner == "a":
            article = "eine" if noun.gender == "f" else "ein"
            ending = {"m": "er", "f": "e", "n": "es"}[noun.gender]
        if is_object and noun.gender == "m":
            article, ending = ("den" if phrase.determiner == "the" else "einen"), "en"
    stem = ADJECTIVES[phrase.adjective]["German"] + ending if phrase.adjective else ""
    return _joined(article, stem, word)


def spanish(phrase: Phrase) -> str:
    """Return a phrase in Spanish; the adjective follows the noun and agrees with it."""
    noun = phrase.noun.forms["Spanish"]
    feminine = noun.gender == "f"
    if phrase.determiner in NUMBERS:
        article = NUMBERS[phrase.determiner]["Spanish"]
    elif phrase.determiner == "a":
        article = "una" if feminine else "un"
    elif phrase.is_plural:
        article = "las" if feminine else "los"
    else:
        article = "la" if feminine else "el"
    agreed = ADJECTIVES[phrase.adjective]["Spanish"] if phrase.adjective else ""
    if feminine and agreed.endswith("o"):
        agreed = f"{agreed[:-1]}a"
    if agreed and phrase.is_plural:
        agreed += "s"
    return _joined(article, noun.plural if phrase.is_plural else noun.singular, agreed)


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)

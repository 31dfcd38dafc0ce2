"""Countries, regions and cities of the shop's customers, with their time zones and postal codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """A country.

    Attributes:
        code: ISO 3166 code.
        locale: Faker's locale for names and streets.
        share: Share of the customers.
        tax: Tax on the amount of a line.
        dialling: Prefix of phone numbers.
        utc_offset: Hours by which the customers' clocks are ahead of UTC.
    """

    code: str
    locale: str
    share: float
    tax: float
    dialling: str
    utc_offset: int


@dataclass(frozen=True)
class City:
    """A city, with its weight in its country and the start of its postal codes."""

    country: int
    name: str
    state: str
    weight: float
    postal_prefix: str


COUNTRIES = (
    Country("US", "en_US", 0.55, 0.07, "+1", -5),
    Country("GB", "en_GB", 0.15, 0.20, "+44", 0),
    Country("DE", "de_DE", 0.12, 0.19, "+49", 1),
    Country("FR", "fr_FR", 0.08, 0.20, "+33", 1),
    Country("CA", "en_CA", 0.06, 0.13, "+1", -5),
    Country("AU", "en_AU", 0.04, 0.10, "+61", 10),
)

_CITIES = {
    "US": """New York|NY|84|100;Los Angeles|CA|39|900;Chicago|IL|27|606;Houston|TX|23|770;Phoenix|AZ|17|850
        Philadelphia|PA|16|191;San Antonio|TX|15|782;San Diego|CA|14|921;Dallas|TX|13|752;Austin|TX|10|787
        Jacksonville|FL|10|322;Columbus|OH|9|432;Charlotte|NC|9|282;Indianapolis|IN|9|462;San Francisco|CA|8|941
        Seattle|WA|8|981;Denver|CO|7|802;Nashville|TN|7|372;Boston|MA|7|021;Portland|OR|6|972;Las Vegas|NV|6|891
        Detroit|MI|6|482;Memphis|TN|6|381;Baltimore|MD|6|212;Milwaukee|WI|6|532;Tucson|AZ|5|857
        Kansas City|MO|5|641;Atlanta|GA|5|303;Omaha|NE|5|681;Miami|FL|4|331;Minneapolis|MN|4|554
        New Orleans|LA|4|701;Cleveland|OH|4|441;Tampa|FL|4|336;Pittsburgh|PA|3|152;Cincinnati|OH|3|452
        Orlando|FL|3|328;Salt Lake City|UT|2|841;Boise|ID|2|837;Richmond|VA|2|232;Madison|WI|3|537""",
    "GB": """London|England|89|SW;Birmingham|England|11|B;Leeds|England|8|LS;Glasgow|Scotland|6|G
        Sheffield|England|6|S;Manchester|England|6|M;Edinburgh|Scotland|5|EH;Liverpool|England|5|L
        Bristol|England|5|BS;Cardiff|Wales|4|CF;Belfast|Northern Ireland|3|BT;Nottingham|England|3|NG
        Newcastle upon Tyne|England|3|NE;Swansea|Wales|2|SA;Norwich|England|2|NR;Aberdeen|Scotland|2|AB""",
    "DE": """Berlin|Berlin|37|10;Hamburg|Hamburg|19|20;München|Bayern|15|80;Köln|Nordrhein-Westfalen|11|50
        Frankfurt am Main|Hessen|8|60;Stuttgart|Baden-Württemberg|6|70;Düsseldorf|Nordrhein-Westfalen|6|40
        Leipzig|Sachsen|6|04;Dortmund|Nordrhein-Westfalen|6|44;Bremen|Bremen|6|28;Dresden|Sachsen|6|01
        Hannover|Niedersachsen|5|30;Nürnberg|Bayern|5|90;Freiburg im Breisgau|Baden-Württemberg|2|79""",
    "FR": """Paris|Île-de-France|21|75;Marseille|Provence-Alpes-Côte d'Azur|9|13;Lyon|Auvergne-Rhône-Alpes|5|69
        Toulouse|Occitanie|5|31;Nice|Provence-Alpes-Côte d'Azur|3|06;Nantes|Pays de la Loire|3|44
        Montpellier|Occitanie|3|34;Strasbourg|Grand Est|3|67;Bordeaux|Nouvelle-Aquitaine|3|33
        Lille|Hauts-de-France|2|59;Rennes|Bretagne|2|35;Reims|Grand Est|2|51;Grenoble|Auvergne-Rhône-Alpes|2|38""",
    "CA": """Toronto|ON|28|M;Montréal|QC|18|H;Calgary|AB|13|T;Ottawa|ON|10|K;Edmonton|AB|10|T;Winnipeg|MB|7|R
        Vancouver|BC|7|V;Québec|QC|5|G;Halifax|NS|4|B;Victoria|BC|3|V;Saskatoon|SK|3|S;London|ON|4|N""",
    "AU": """Sydney|NSW|53|20;Melbourne|VIC|51|30;Brisbane|QLD|26|40;Perth|WA|22|60;Adelaide|SA|14|50
        Canberra|ACT|5|26;Hobart|TAS|3|70;Newcastle|NSW|3|23;Darwin|NT|2|08;Geelong|VIC|3|32""",
}


def _parse() -> tuple[City, ...]:
    cities = []
    for index, country in enumerate(COUNTRIES):
        for entry in _CITIES[country.code].replace("\n", ";").split(";"):
            name, state, weight, prefix = entry.strip().split("|")
            cities.append(City(index, name, state, float(weight), prefix))
    return tuple(cities)


CITIES = _parse()
CITY_WEIGHTS = tuple(
    COUNTRIES[city.country].share * city.weight / sum(other.weight for other in CITIES if other.country == city.country)
    for city in CITIES
)

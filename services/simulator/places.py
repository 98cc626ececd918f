"""Where the simulated events happen: cities with their area codes, ports of entry, and highways."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True)
class City:
    """A city: ``zips`` is a three-digit postcode prefix; ``area_codes`` its telephone area codes."""

    name: str
    state: str
    country: str
    lat: float
    lon: float
    zips: str
    area_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """A port of entry by its four-digit code."""

    code: str
    name: str
    state: str
    lat: float
    lon: float


_CITIES: Final = """
El Paso|TX|31.7619|-106.4850|799|915
Laredo|TX|27.5036|-99.5075|780|956
McAllen|TX|26.2034|-98.2300|785|956
Houston|TX|29.7604|-95.3698|770|713 281 832 346
Dallas|TX|32.7767|-96.7970|752|214 469 972
San Antonio|TX|29.4241|-98.4936|782|210 726
Austin|TX|30.2672|-97.7431|787|512 737
Midland|TX|31.9973|-102.0779|797|432
Phoenix|AZ|33.4484|-112.0740|850|602 480 623
Tucson|AZ|32.2226|-110.9747|857|520
Nogales|AZ|31.3404|-110.9343|856|520
Yuma|AZ|32.6927|-114.6277|853|928
San Diego|CA|32.7157|-117.1611|921|619 858
Los Angeles|CA|34.0522|-118.2437|900|213 323 310 424
Fresno|CA|36.7378|-119.7871|937|559
Oakland|CA|37.8044|-122.2712|946|510 341
Sacramento|CA|38.5816|-121.4944|958|916 279
Las Cruces|NM|32.3199|-106.7637|880|575
Albuquerque|NM|35.0844|-106.6504|871|505
Denver|CO|39.7392|-104.9903|802|303 720
Salt Lake City|UT|40.7608|-111.8910|841|801 385
Las Vegas|NV|36.1699|-115.1398|891|702 725
Oklahoma City|OK|35.4676|-97.5164|731|405 572
Kansas City|MO|39.0997|-94.5786|641|816 975
St. Louis|MO|38.6270|-90.1994|631|314 557
Chicago|IL|41.8781|-87.6298|606|312 773 872
Detroit|MI|42.3314|-83.0458|482|313 679
Columbus|OH|39.9612|-82.9988|432|614 380
Indianapolis|IN|39.7684|-86.1581|462|317 463
Louisville|KY|38.2527|-85.7585|402|502
Nashville|TN|36.1627|-86.7816|372|615 629
Memphis|TN|35.1495|-90.0490|381|901
Atlanta|GA|33.7490|-84.3880|303|404 470 678 770
Charlotte|NC|35.2271|-80.8431|282|704 980
Miami|FL|25.7617|-80.1918|331|305 786
Tampa|FL|27.9506|-82.4572|336|813 656
Jacksonville|FL|30.3322|-81.6557|322|904 324
Baltimore|MD|39.2904|-76.6122|212|410 443 667
Washington|DC|38.9072|-77.0369|200|202 771
Richmond|VA|37.5407|-77.4360|232|804 686
Philadelphia|PA|39.9526|-75.1652|191|215 267 445
Pittsburgh|PA|40.4406|-79.9959|152|412 878
New York|NY|40.7128|-74.0060|100|212 646 332 917
Brooklyn|NY|40.6782|-73.9442|112|718 347 929
Buffalo|NY|42.8864|-78.8784|142|716 624
Newark|NJ|40.7357|-74.1724|071|973 862
Boston|MA|42.3601|-71.0589|021|617 857
Hartford|CT|41.7658|-72.6734|061|860 959
Minneapolis|MN|44.9778|-93.2650|554|612
Milwaukee|WI|43.0389|-87.9065|532|414
Des Moines|IA|41.5868|-93.6250|503|515
Omaha|NE|41.2565|-95.9345|681|402 531
New Orleans|LA|29.9511|-90.0715|701|504
Little Rock|AR|34.7465|-92.2896|722|501
Jackson|MS|32.2988|-90.1848|392|601 769
Birmingham|AL|33.5186|-86.8104|352|205 659
Seattle|WA|47.6062|-122.3321|981|206 564
Spokane|WA|47.6588|-117.4260|992|509
Portland|OR|45.5152|-122.6784|972|503 971
Boise|ID|43.6150|-116.2023|837|208 986
Honolulu|HI|21.3069|-157.8583|968|808
Anchorage|AK|61.2181|-149.9003|995|907
Billings|MT|45.7833|-108.5007|591|406
Fargo|ND|46.8772|-96.7898|581|701
Charleston|SC|32.7765|-79.9311|294|843 854
Norfolk|VA|36.8508|-76.2859|235|757 948
Providence|RI|41.8240|-71.4128|029|401
San Juan|PR|18.4655|-66.1057|009|787 939
"""

_PORTS: Final = """
2402|El Paso|TX|31.7455|-106.4870
2304|Laredo|TX|27.4997|-99.5075
2305|Hidalgo|TX|26.0953|-98.2717
2301|Brownsville|TX|25.8910|-97.5030
2404|Presidio|TX|29.5607|-104.3950
2504|San Ysidro|CA|32.5430|-117.0290
2506|Otay Mesa|CA|32.5493|-116.9380
2503|Calexico|CA|32.6738|-115.4990
2604|Nogales|AZ|31.3326|-110.9430
2608|San Luis|AZ|32.4850|-114.7820
2408|Santa Teresa|NM|31.7836|-106.6790
3004|Blaine|WA|49.0020|-122.7560
3801|Detroit|MI|42.3110|-83.0740
0901|Buffalo|NY|42.9070|-78.9050
"""

FOREIGN: Final = (
    ("Ciudad Juárez", "CHH", "MX"),
    ("Tijuana", "BCN", "MX"),
    ("Nuevo Laredo", "TAM", "MX"),
    ("Reynosa", "TAM", "MX"),
    ("Monterrey", "NLE", "MX"),
    ("Culiacán", "SIN", "MX"),
    ("Guadalajara", "JAL", "MX"),
    ("Hermosillo", "SON", "MX"),
    ("Guatemala", "GU", "GT"),
    ("San Pedro Sula", "CR", "HN"),
)
"""City, subdivision and country of addresses abroad."""

HIGHWAYS: Final = (
    ("I-10", "TX", 31.35, -105.90),
    ("I-10", "AZ", 32.35, -111.10),
    ("I-35", "TX", 28.90, -98.90),
    ("I-25", "NM", 33.40, -107.20),
    ("I-8", "CA", 32.75, -115.80),
    ("I-19", "AZ", 31.70, -111.05),
    ("I-20", "TX", 32.40, -99.80),
    ("I-40", "NM", 35.05, -108.20),
    ("I-55", "MO", 37.20, -89.60),
    ("I-70", "KS", 38.90, -98.30),
    ("I-75", "GA", 32.60, -83.70),
    ("I-95", "NC", 35.30, -78.60),
)
"""Highway, state, and a point on it."""

_STREETS: Final = """
Oak Maple Cedar Mesa Alameda Paisano Montana Dyer Airway Cesar-Chavez Main Elm Pine Walnut Lincoln
Franklin Jefferson Washington Lake Hill Park Sunset Ridge River Mission San-Pedro Guadalupe Zaragoza
Pecos Navajo Congress Broadway Market Church Mill Spring Highland Laurel Chestnut Prospect Juniper
Magnolia Sycamore Willow Aspen Desert
"""
KINDS_OF_STREET: Final = (
    ("Street", "St"),
    ("Avenue", "Ave"),
    ("Drive", "Dr"),
    ("Road", "Rd"),
    ("Lane", "Ln"),
)


@lru_cache(maxsize=1)
def cities() -> tuple[City, ...]:
    """The cities, those of the border first."""
    return tuple(
        City(name, state, "US", float(lat), float(lon), zips, tuple(codes.split()))
        for name, state, lat, lon, zips, codes in (row.split("|") for row in _CITIES.strip().splitlines())
    )


@lru_cache(maxsize=1)
def streets() -> tuple[str, ...]:
    """Names of streets."""
    return tuple(name.replace("-", " ") for name in _STREETS.split())


@lru_cache(maxsize=1)
def ports() -> tuple[Port, ...]:
    """The ports of entry."""
    return tuple(
        Port(code, name, state, float(lat), float(lon))
        for code, name, state, lat, lon in (row.split("|") for row in _PORTS.strip().splitlines())
    )


_MORE_AREA_CODES: Final = """
205 251 256 334 479 870 209 408 415 530 562 626 650 661 707 714 760 805 818 831 909 925 949 951 719 970
203 302 239 321 352 386 407 561 727 754 772 850 863 941 954 229 478 706 912 217 309 618 630 708 815 847
219 260 574 765 812 319 563 641 712 316 620 785 913 270 606 859 225 318 337 985 207 240 301 339 351 413
508 774 781 978 231 248 269 517 586 616 734 810 906 947 989 218 320 507 651 763 952 228 662 417 573 636
660 308 775 603 201 551 609 732 848 856 908 315 516 518 585 607 631 845 914 252 336 828 910 919 216 234
330 419 440 513 567 740 937 580 918 541 484 570 610 717 724 814 803 864 605 423 731 865 931 254 325 361
409 682 806 817 830 903 936 940 979 435 802 276 434 540 571 703 253 360 425 304 262 608 715 920 307
"""


@lru_cache(maxsize=1)
def area_codes() -> tuple[str, ...]:
    """Every area code once, those of the cities first."""
    known = (code for city in cities() for code in city.area_codes)
    return tuple(dict.fromkeys((*known, *_MORE_AREA_CODES.split())))

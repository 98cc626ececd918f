"""Chinese and Korean names: where the family name ends, and which romanised syllables are one."""

import re
from functools import lru_cache
from typing import Final

_HAN: Final = re.compile(r"[\u4e00-\u9fff]{2,4}")
_HANGUL: Final = re.compile(r"[\uac00-\ud7a3]{2,4}")
_COMPOUNDS: Final = """
    欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 东方 東方 皇甫 尉迟 尉遲 公孙 公孫 慕容 令狐 司徒
    남궁 황보 제갈 사공 선우"""
_COMPOUND: Final = frozenset(_COMPOUNDS.split())
"""Family names of two letters."""
_KOREAN: Final = {
    "김": "kim", "이": "lee", "리": "ri", "박": "park", "최": "choi", "정": "jung", "조": "cho", "강": "kang",
    "윤": "yoon", "장": "jang", "임": "lim", "림": "rim", "오": "oh", "신": "shin", "서": "seo",
    "권": "kwon", "황": "hwang", "안": "ahn", "송": "song", "류": "ryu", "유": "yoo", "전": "jeon",
    "홍": "hong", "고": "ko", "문": "moon", "손": "son", "양": "yang", "배": "bae", "백": "baek",
    "허": "heo", "노": "noh", "로": "ro",
}  # fmt: skip
"""Usual romanisations of Korean family names, which often break the rules."""
_SURNAMES: Final = """
    ahn an baek bai bak cai cao chan chang chao chen cheng chia chiang chien chin chiu cho choe choi chon
    chong chou chow chu chung cui dai deng ding dong du duan fan fang feng fu gang gao gim go gong guo
    gwon han hao he ho hong hou hsia hsiao hsieh hsing hsiung hsu hsueh hu huang hwang im jang jen jeon
    jeong jia jiang jin jo jon jong jung kang kao kim ko kong kung kuo kwon lai lee lei li liang liao lim
    lin liu lo lu luo ma mao meng moon mun nie no o oh ouyang oyang paek pai pak pan pang park peng qian
    qin qiu ren rhee ri rim ro ryu seo shao shen shi shih shin sima sin so son song su sun sung tan tang
    tao teng tian tien ting tsai tsao tseng tsou tsui tu tung wang wei wen wu xi xia xiao xie xing xiong
    xu xue yan yang yao ye yeh yen yi yin yoo yoon yu yuan yun zeng zhang zhao zheng zhou zhu zou"""
SURNAMES: Final = frozenset(_SURNAMES.split())
"""Romanised Chinese and Korean family names: a name with one of them is compared by syllables too."""

_SYLLABLE: Final = (
    "(?:zh|ch|sh|ts|tz|hs|kw|gw|hw|b|p|m|f|d|t|n|l|g|k|h|j|q|x|r|z|c|s|y|w)?"
    "(?:iang|iong|uang|yeong|young|yong|yang|weon|yeon|ieh|ueh|iao|ian|ien|uai|uan|yeo|yoo|you|eui|ang|eng|ing|"
    "ong|ung|eong|eon|eum|eun|eul|eok|eop|oon|oong|ook|ih|ia|ie|iu|ue|ui|un|uo|ai|ei|ao|ou|ae|eo|eu|oe|oo|ee|"
    "ua|ya|ye|yo|yu|wa|we|wi|wo|an|en|in|on|ah|eh|oh|uh|a|e|i|o|u)(?:k|p|l|m|t|ng|n)?"
)
_ONE: Final = re.compile(_SYLLABLE)
_JOINED: Final = re.compile(rf"\b({_SYLLABLE})-({_SYLLABLE})\b", re.IGNORECASE)
_NOT_JOINED: Final = frozenset(
    {"al", "el", "ul", "bin", "ben", "ban", "an", "de", "la", "le", "du", "san", "don", "jan", "ann", "lu"}
)

_LEVELLED: Final = (
    ("ieh", "ie"), ("ueh", "ue"), ("ien", "ian"), ("ih", "i"), ("young", "yong"), ("eong", "ong"),
    ("ung", "ong"), ("eon", "on"), ("oon", "un"), ("ook", "uk"), ("eu", "u"), ("eo", "o"), ("oo", "u"),
    ("ee", "i"), ("ae", "e"), ("uo", "o"), ("ou", "o"), ("zh", "C"), ("ch", "C"), ("hs", "s"), ("sh", "s"),
    ("ts", "s"), ("tz", "s"), ("j", "C"), ("q", "C"), ("x", "s"), ("z", "s"), ("c", "s"), ("C", "c"),
    ("o", "u"), ("b", "p"), ("d", "t"), ("g", "k"), ("nk", "ng"), ("r", "l"), ("h", ""), ("w", "u"),
    ("y", "i"), ("ii", "i"), ("uu", "u"), ("uu", "u"),
)  # fmt: skip
"""Spellings that romanisations of one syllable differ by; aspiration is lost in most of them."""


def split_native(text: str) -> str:
    """A name in Chinese or Korean letters without a blank, its family name apart."""
    plain = text.strip()
    if _HAN.fullmatch(plain) or _HANGUL.fullmatch(plain):
        n = 2 if len(plain) > 2 and plain[:2] in _COMPOUND else 1
        return f"{_KOREAN.get(plain[:n], plain[:n])} {plain[n:]}"
    return text


def join_syllables(text: str) -> str:
    """``Seong-min`` and ``Kuo-hua`` as one word; hyphens between longer words stay."""

    def joined(found: re.Match[str]) -> str:
        first, second = found[1], found[2]
        if {first.lower(), second.lower()} & _NOT_JOINED:
            return found[0]
        return first + second.lower()

    return _JOINED.sub(joined, text) if "-" in text else text


@lru_cache(maxsize=16_384)
def code(word: str) -> str:
    """The levelled syllables of a romanised Chinese or Korean word; empty where it is none."""
    rest, count = word, 0
    while rest and count < 4:
        found = _ONE.match(rest)
        if found is None or not found[0]:
            return ""
        rest, count = rest[found.end() :], count + 1
    if rest:
        return ""
    for spelled, heard in _LEVELLED:
        word = word.replace(spelled, heard)
    return word

"""The short texts people write: Chinese and English phrases by tone. A phrase is known by its number."""

from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Moment
from simulation.core.person import Person

_CHINESE = (
    (
        "太过分了，我真的很生气",
        "别再这样了，完全没法接受",
        "气死我了，白忙一整天",
        "这也太糟糕了吧",
        "我再也不想看到这个",
        "失望透顶",
    ),
    ("有点难受", "今天不太顺利", "我觉得不太行", "又要加班，唉", "感觉大家都没认真听", "好像哪里不对"),
    ("收到", "我看一下", "几点开始？", "文件在群里", "明天再说吧", "先这样"),
    ("挺好的，谢谢", "这个想法不错", "慢慢来，没事的", "辛苦啦", "今天状态还可以", "加油呀"),
    ("太棒了！恭喜你", "哈哈哈笑死我了", "真的好喜欢这个", "终于成功了，开心！", "你们太厉害了", "今天是最好的一天"),
)
_ENGLISH = (
    (
        "this is unacceptable",
        "I am so done with this",
        "worst update ever",
        "you let everybody down",
        "what a disaster",
        "never again",
    ),
    (
        "not my best day",
        "I don't think this works",
        "a bit worried about it",
        "too much going on again",
        "that was rough",
        "hmm, not convinced",
    ),
    ("ok", "looking at it now", "when does it start?", "the file is in the channel", "let's talk tomorrow", "noted"),
    (
        "nice one, thanks",
        "good idea",
        "no rush, take your time",
        "feeling alright today",
        "well done",
        "you can do this",
    ),
    (
        "amazing, congratulations!",
        "this made my day",
        "I love this so much",
        "we finally did it!",
        "you are brilliant",
        "best evening in weeks",
    ),
)
TONES = 5
IN_TONE = 6
PHRASES: tuple[str, ...] = tuple(text for bank in (_CHINESE, _ENGLISH) for tone in bank for text in tone)
"""All phrases: language · 30 + tone bucket · 6 + place in the bucket."""


def sentiment_of(phrase: int) -> float:
    """Middle of the tone bucket that a phrase belongs to, -0.8 to 0.8."""
    return (phrase // IN_TONE % TONES - 2) * 0.4


@kernel
def pick_phrase(p: Person, now: Moment, tone: float, index: int) -> int:
    """Number of a phrase of this tone, in the person's language."""
    bucket = min(int((tone + 1.0) * 0.5 * TONES), TONES - 1)
    place = int(uniform(now.seed, purposes.TEXT, p.number, now.tick, index) * IN_TONE)
    return (p.number % 2) * TONES * IN_TONE + bucket * IN_TONE + place

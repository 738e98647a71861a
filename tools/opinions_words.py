"""Words and sentence patterns of the opinions data set; tools/make_opinions.py puts them together.

The training and the validation half share no adjective, no noun and no pattern, so that a score on the validation half
shows what has been understood of negation, contrast, degree and asides, not which words were seen.

In a pattern, X is the thing judged and Y another thing of its kind. {same} is an adjective of the sentence's own
polarity, {opp} one of the opposite polarity, both fitting X; {ysame} and {yopp} fit Y; {a_same} brings its article.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    noun: str
    kind: str  # which adjectives fit
    plural: bool = False


@dataclass(frozen=True)
class Domain:
    whole: Thing  # what an opinion is about in the end
    parts: tuple


@dataclass(frozen=True)
class Pattern:
    kind: str
    text: str
    whole: bool = False  # X is the whole thing, not a part of it
    labels: tuple = (0, 1)


@dataclass(frozen=True)
class Half:
    domains: tuple
    positive: dict
    negative: dict
    openings: tuple
    patterns: tuple


def words(text):
    return tuple(text.replace("\n", " ").split())


def things(kind, singular, plural=""):
    return tuple(Thing(noun.replace("_", " "), kind) for noun in words(singular)) + tuple(
        Thing(noun.replace("_", " "), kind, True) for noun in words(plural))


TRAIN_POSITIVE = {
    "any": words("excellent wonderful superb splendid lovely impressive first-rate remarkable satisfying"),
    "story": words("gripping moving clever charming witty graceful inventive tender absorbing vivid"),
    "food": words("delicious tasty fragrant exquisite flavourful mouth-watering well-seasoned"),
    "place": words("comfortable cosy spotless spacious elegant restful well-kept"),
    "person": words("friendly attentive helpful patient polite efficient cheerful considerate"),
    "machine": words("reliable sturdy responsive well-made handy dependable ingenious"),
    "trip": words("pleasant effortless scenic relaxing memorable agreeable"),
}
TRAIN_NEGATIVE = {
    "any": words("dreadful awful disappointing poor terrible appalling second-rate lamentable unsatisfactory"),
    "story": words("dull clumsy tedious shallow predictable lifeless muddled pompous wooden forgettable"),
    "food": words("bland greasy soggy tasteless stodgy watery over-salted"),
    "place": words("cramped filthy shabby draughty dingy damp uncomfortable"),
    "person": words("rude careless surly indifferent impatient incompetent arrogant unhelpful"),
    "machine": words("sluggish flimsy unreliable faulty fiddly useless outdated"),
    "trip": words("tiring chaotic miserable endless stressful wearisome"),
}
TRAIN_DOMAINS = (
    Domain(Thing("film", "story"), things("story", "plot dialogue script ending", "characters performances")),
    Domain(Thing("novel", "story"), things("story", "prose opening_chapter epilogue", "descriptions letters")),
    Domain(Thing("dinner", "food"), things("food", "soup sauce roast pudding", "vegetables") + things("person", "waiter")),
    Domain(Thing("journey", "trip"), things("place", "carriage waiting_room", "seats") + things("person", "conductor guard")),
    Domain(Thing("phone", "machine"), things("machine", "screen battery keyboard charger", "speakers")),
    Domain(Thing("hotel", "place"), things("place", "room bed bathroom lobby", "corridors") + things("person", "receptionist porter")),
)
TRAIN_OPENINGS = ("To be honest, ", "All in all, ", "On our second visit, ", "In the end, ", "This time, ", "I must say, ")
TRAIN_PATTERNS = (
    Pattern("plain", "{X.the} {X.was} {same}."),
    Pattern("plain", "we all agreed that {X.the} {X.was} {same}."),
    Pattern("plain", "I found {X.the} {same} from beginning to end.", whole=True),
    Pattern("plain", "{X.the} {X.was} {same}, and {Y.the} {Y.was} {ysame} too."),
    Pattern("negation", "{X.the} {X.was} not {opp}."),
    Pattern("negation", "{X.the} {X.was} never {opp}, not even for a moment."),
    Pattern("negation", "I would not call {X.the} {opp}."),
    Pattern("negation", "there was nothing {opp} about {X.the}."),
    Pattern("negation", "{X.the} {X.was} hardly {opp}."),
    Pattern("negation", "{X.the} {X.was} anything but {opp}."),
    Pattern("negation", "nobody at our table thought {X.the} {opp}."),
    Pattern("negation", "I looked in vain for anything {opp} about {X.the}."),
    Pattern("negation", "it is not true that {X.the} {X.was} {opp}."),
    Pattern("negation", "I cannot agree that {X.the} {X.was} {opp}."),
    Pattern("negation", "{X.the} {X.was} not {opp} but {same}."),
    Pattern("contrast", "{Y.the} {Y.was} {yopp}, but {X.the} {X.was} {same}.", whole=True),
    Pattern("contrast", "{X.the} {X.was} {same}, although {Y.the} {Y.was} {yopp}.", whole=True),
    Pattern("contrast", "although {Y.the} {Y.was} {yopp}, {X.the} {X.was} {same}.", whole=True),
    Pattern("contrast", "despite the {yopp} {Y.noun}, {X.the} {X.was} {same}.", whole=True),
    Pattern("contrast", "{X.the} {X.was} {same}, despite the {yopp} {Y.noun}.", whole=True),
    Pattern("contrast", "{Y.the} may have been {yopp}; {X.the}, however, {X.was} {same}.", whole=True),
    Pattern("contrast", "{Y.the} {Y.was} {yopp}, but we will be back.", labels=(1,)),
    Pattern("contrast", "{Y.the} {Y.was} {yopp}, but we will not be back.", labels=(0,)),
    Pattern("degree", "{X.the} {X.was} briefly {opp} and then thoroughly {same}.", whole=True),
    Pattern("degree", "now and again {Y.the} {Y.was} {yopp}; mostly, though, {X.the} {X.was} {same}.", whole=True),
    Pattern("degree", "{X.the} {X.was} so {same} that the {yopp} {Y.noun} hardly mattered.", whole=True),
    Pattern("degree", "{X.the} {X.was} far from {opp}."),
    Pattern("degree", "{X.the} {X.was} almost always {same} and only once or twice {opp}.", whole=True),
    Pattern("aside", "{X.the}, which a friend had called {opp}, {X.was} {same}.", whole=True),
    Pattern("aside", "{X.the} ({opp}, if you believe the reviews) {X.was} in truth {same}."),
    Pattern("aside", "my brother thought {X.the} {opp}; I thought it {same}.", whole=True),
    Pattern("aside", "the critics called {X.the} {opp}, and the critics were wrong."),
    Pattern("aside", "anyone who calls {X.the} {opp} has not been paying attention."),
    Pattern("expectation", "I had feared something {opp}, and {X.the} {X.was} {same}.", whole=True, labels=(1,)),
    Pattern("expectation", "I had hoped for something {opp}, and {X.the} {X.was} {same}.", whole=True, labels=(0,)),
    Pattern("expectation", "everybody said that {X.the} would be {opp}, but it {X.was} {same}.", whole=True),
    Pattern("expectation", "where we expected {a_opp} {X.noun}, we got {a_same} one.", whole=True),
    Pattern("condition", "{X.the} would have been {opp} if {Y.the} had not been so {ysame}.", whole=True),
    Pattern("condition", "if {Y.the} had been less {ysame}, {X.the} would have been {opp}.", whole=True),
    Pattern("condition", "only {Y.the} kept {X.the} from being {opp}.", whole=True),
)
TRAIN = Half(TRAIN_DOMAINS, TRAIN_POSITIVE, TRAIN_NEGATIVE, TRAIN_OPENINGS, TRAIN_PATTERNS)


VALIDATION_POSITIVE = {
    "any": words("fantastic marvellous brilliant outstanding magnificent great fabulous terrific"),
    "story": words("funny touching thrilling beautiful enchanting lively captivating imaginative"),
    "food": words("scrumptious appetising succulent wholesome tempting heavenly"),
    "place": words("snug airy immaculate peaceful roomy inviting"),
    "person": words("kind welcoming courteous obliging gracious thoughtful"),
    "machine": words("robust durable precise practical powerful speedy"),
    "trip": words("delightful enjoyable refreshing glorious stress-free"),
}
VALIDATION_NEGATIVE = {
    "any": words("horrible atrocious bad abysmal ghastly woeful pathetic horrendous"),
    "story": words("boring silly stale confusing feeble laboured dreary pretentious"),
    "food": words("inedible mushy rancid insipid overcooked leathery"),
    "place": words("dirty stuffy grubby mouldy squalid smelly"),
    "person": words("hostile grumpy dismissive lazy sullen bad-tempered"),
    "machine": words("slow defective brittle glitchy shoddy cumbersome"),
    "trip": words("exhausting dismal gruelling hellish nerve-racking"),
}
VALIDATION_DOMAINS = (
    Domain(Thing("play", "story"), things("story", "staging finale first_act", "songs monologues")),
    Domain(Thing("podcast", "story"), things("story", "interview introduction storytelling", "anecdotes")),
    Domain(Thing("breakfast", "food"), things("food", "bread omelette porridge", "pastries pancakes") + things("person", "waitress")),
    Domain(Thing("crossing", "trip"), things("place", "cabin deck lounge") + things("person", "captain steward")),
    Domain(Thing("laptop", "machine"), things("machine", "touchpad webcam printer", "headphones")),
    Domain(Thing("cottage", "place"), things("place", "kitchen attic garden_shed", "bedrooms") + things("person", "landlady caretaker")),
)
VALIDATION_OPENINGS = ("Looking back, ", "All the same, ", "For once, ", "Whatever you may hear, ", "As it happens, ")
VALIDATION_PATTERNS = (
    Pattern("plain", "to my mind {X.the} {X.was} {same}."),
    Pattern("plain", "everything about {X.the} struck me as {same}."),
    Pattern("plain", "{X.the} proved {same} throughout.", whole=True),
    Pattern("negation", "{X.the} {X.was}n't {opp}."),
    Pattern("negation", "{X.the} {X.was} in no way {opp}."),
    Pattern("negation", "no one could describe {X.the} as {opp}."),
    Pattern("negation", "{X.the} {X.was} scarcely {opp}."),
    Pattern("negation", "I fail to see what is supposed to be {opp} about {X.the}."),
    Pattern("negation", "by no stretch of the imagination {X.was} {X.the} {opp}."),
    Pattern("negation", "it would be a mistake to describe {X.the} as {opp}."),
    Pattern("contrast", "though {Y.the} {Y.was} {yopp}, {X.the} {X.was} {same}.", whole=True),
    Pattern("contrast", "{Y.the} {Y.was} {yopp}, yet {X.the} {X.was} {same}.", whole=True),
    Pattern("contrast", "{X.the} {X.was} {same}, even if {Y.the} {Y.was} {yopp}.", whole=True),
    Pattern("contrast", "while {Y.the} {Y.was} {yopp}, {X.the} as a whole {X.was} {same}.", whole=True),
    Pattern("contrast", "in spite of the {yopp} {Y.noun}, {X.the} {X.was} {same}.", whole=True),
    Pattern("contrast", "{Y.the} {Y.was} {yopp}, and still I would recommend {X.the} to anyone.", whole=True, labels=(1,)),
    Pattern("contrast", "{Y.the} {Y.was} {yopp}, and still I could not recommend {X.the} to anyone.", whole=True, labels=(0,)),
    Pattern("degree", "for a minute or so {X.the} seemed {opp}, after that simply {same}.", whole=True),
    Pattern("degree", "{X.the} could not have been more {same}."),
    Pattern("degree", "{X.the} {X.was} nowhere near as {opp} as I had been told."),
    Pattern("degree", "{X.the} {X.was} {same} through and through, {Y.the} {yopp} at most in places.", whole=True),
    Pattern("aside", "{X.the}, {opp} in the opinion of my uncle, {X.was} {same}.", whole=True),
    Pattern("aside", "my colleague kept saying how {opp} {X.the} {X.was}; I disagreed completely."),
    Pattern("aside", "{X.the} – the neighbours had sworn it would be {opp} – turned out to be {same}.", whole=True),
    Pattern("expectation", "we had braced ourselves for something {opp}, but {X.the} {X.was} {same}.", whole=True, labels=(1,)),
    Pattern("expectation", "we had looked forward to something {opp}, but {X.the} {X.was} {same}.", whole=True, labels=(0,)),
    Pattern("expectation", "rumour had it that {X.the} would be {opp}; rumour was mistaken.", whole=True),
    Pattern("condition", "had {Y.the} not been so {ysame}, {X.the} might have been {opp}.", whole=True),
    Pattern("condition", "{X.the} might have been {opp} with {a_yopp} {Y.noun}; ours {Y.was} {ysame}.", whole=True),
)
VALIDATION = Half(VALIDATION_DOMAINS, VALIDATION_POSITIVE, VALIDATION_NEGATIVE, VALIDATION_OPENINGS, VALIDATION_PATTERNS)

"""The markets by name, and the rule of each in words."""

MARKETS = {
    "nash-bargaining": "savings shared by Nash bargaining, weight by weight",
    "competitive": "everybody pays the clearing price for all it trades",
    "two-part": "retail on what one would buy alone, the clearing price on the deviation",
    "utility-only": "everybody pays retail for itself: the disagreement outcome",
}

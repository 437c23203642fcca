"""How pages write amounts of money, which are in crowns and øre."""

from decimal import ROUND_HALF_UP, Decimal

ORE = Decimal("0.01")
THIN_GAP = "\N{NARROW NO-BREAK SPACE}"
GAP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def amount(crowns: Decimal, *, language: str = "en") -> str:
    """`kr 1,234.50`, in Norwegian (`nb`) `1 234,50 kr`; øre only where there are any.

    What is no amount (PostgreSQL's NaN) is a dash.
    """
    if not crowns.is_finite():
        return "–"
    exact = crowns.quantize(ORE, rounding=ROUND_HALF_UP)
    digits = f"{abs(exact):,.2f}".removesuffix(".00")
    sign = MINUS if exact < 0 else ""
    if language.partition("-")[0] in {"nb", "nn", "no"}:
        digits = digits.replace(",", THIN_GAP).replace(".", ",")
        return f"{sign}{digits}{GAP}kr"
    return f"{sign}kr{GAP}{digits}"

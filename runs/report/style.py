"""Colours and axes of every figure. The palette is Okabe and Ito's, safe for the colour-blind."""

from typing import Any

INK = "#1f2933"
MUTED = "#5f6c7b"
GRID = "#e4e7eb"
BLUE = "#0072b2"
SKY = "#56b4e9"
GREEN = "#009e73"
YELLOW = "#f0e442"
ORANGE = "#e69f00"
VERMILLION = "#d55e00"
PURPLE = "#cc79a7"
LIGHT_GREY = "#c4cad0"
DARK_GREY = "#52606d"

TWO_SIDES = [[0, BLUE], [0.5, "#f7f7f7"], [1, VERMILLION]]
"""A colour scale with two sides, told apart by the colour-blind as well."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with its quantity and unit."""
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": GRID,
        "linecolor": LIGHT_GREY,
        "zerolinecolor": MUTED,
        "automargin": True,
        "ticks": "outside",
        "tickcolor": LIGHT_GREY,
    } | more


def layout(height: int, **more: Any) -> dict[str, Any]:
    """The layout that all figures share; the legend stands above the plot."""
    return {
        "height": height,
        "autosize": True,
        "margin": {"l": 64, "r": 32, "t": 40, "b": 48},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "hoverlabel": {"bgcolor": "#ffffff", "font": {"color": INK}, "align": "left"},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yref": "container",
            "yanchor": "top",
            "traceorder": "normal",
        },
    } | more


def panel_title(words: str, x: str, y: str) -> dict[str, Any]:
    """Words above a panel; `x` and `y` are its axes (x, x2, ...)."""
    return {
        "text": f"<b>{words}</b>",
        "xref": f"{x} domain",
        "yref": f"{y} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
    }

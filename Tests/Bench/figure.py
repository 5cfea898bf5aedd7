"""A value and its goal, and tables of them."""

import os
import platform
import re
from pathlib import Path


class Figure:
    """A value that is to be reached: `value` at least, or at most, `goal`."""

    def __init__(self, name, value, goal, at_least=False, unit=""):
        self.name = name
        self._value = value
        self._goal = goal
        self._at_least = at_least
        self._unit = unit

    @property
    def is_reached(self):
        if self._value is None:
            return False
        return self._value >= self._goal if self._at_least else self._value <= self._goal

    def cells(self):
        value = "none" if self._value is None else f"{self._value:.3g}{self._unit}"
        sign = "at least" if self._at_least else "at most"
        return [self.name, value, f"{sign} {self._goal:.3g}{self._unit}",
                "reached" if self.is_reached else "short"]


def table(header, lines):
    """Columns of equal width, as Markdown."""
    widths = [max(len(line[column]) for line in [header, *lines])
              for column in range(len(header))]
    rows = [header, ["-" * width for width in widths], *lines]
    return "\n".join("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
                     for row in rows)


def figure_table(figures):
    return table(["figure", "value", "goal", ""], [figure.cells() for figure in figures])


def machine():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return (f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
            f"Linux {platform.release().split('-')[0]}")

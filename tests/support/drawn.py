"""Reads what a report draws: paths of SVG and of PDF in millimetres."""

import re
from xml.etree import ElementTree as ET

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"


def read_svg(text):
    return Drawing(ET.fromstring(text.encode()))  # noqa: S314 - of our own making


class Drawing:
    """An SVG, or a page of HTML that holds one."""

    def __init__(self, root):
        self.root = root
        self.pictures = [root] if root.tag == f"{SVG}svg" else list(root.iter(f"{SVG}svg"))

    def lines(self, part, lead=None):
        """All lines of a part, each as corners in mm, shape (corners, 2)."""
        found = (path for path in self.root.iter(f"{SVG}path") if path.get("class") == part)
        return [line for path in found if lead in {None, path.get("data-lead")} for line in read_path(path)]

    def leads(self, part):
        return [path.get("data-lead") for path in self.root.iter(f"{SVG}path") if path.get("class") == part]

    def words(self, part=None):
        return [text.text for text in self.texts(part)]

    def texts(self, part=None):
        return [text for text in self.root.iter(f"{SVG}text") if part in {None, text.get("class")}]


def read_path(path):
    scale = float(re.fullmatch(r"scale\((.+)\)", path.get("transform"))[1])
    lines = []
    for start, steps in re.findall(r"M([-\d ]+)l([-\d ]+)", path.get("d")):
        numbers = [np.array(re.findall(r"-?\d+", part), float).reshape(-1, 2) for part in (start, steps)]
        lines.append(np.cumsum(np.concatenate(numbers), axis=0) * scale)
    return lines


def read_pdf_lines(page):
    """All lines of a page of PDF in mm from its upper left corner, shape (corners, 2) each."""
    lines, height = [], float(page.mediabox.height)

    def look(operator, operands, matrix, _text_matrix):
        if operator not in {b"m", b"l"}:
            return
        x, y = map(float, operands)
        a, b, c, d, e, f = map(float, matrix)
        place = (a * x + c * y + e) * 25.4 / 72, (height - (b * x + d * y + f)) * 25.4 / 72
        if operator == b"m":
            lines.append([])
        lines[-1].append(place)

    page.extract_text(visitor_operand_before=look)
    return [np.array(line) for line in lines]

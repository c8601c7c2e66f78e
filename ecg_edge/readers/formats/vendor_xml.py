"""Read the elements of an XML: without entities, and within limits."""

from xml.etree import ElementTree as ET

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.xml_dialects import decode, strip_prolog

# A resting ECG takes less than 1 MB.
_MOST_BYTES = 8 * 2**20
_MOST_ELEMENTS = 200_000
# The library takes three seconds for 600,000 of them. A resting ECG has fewer than 2000.
_MOST_ATTRIBUTES = 100_000
_MOST_DEPTH = 100
# The library splits a text of numbers into Python objects, which take a hundred times more memory than the text.
_LONGEST_TEXT = 2 * 2**20
_DECLARATIONS = ("<!ENTITY", "<!ATTLIST", "<!ELEMENT", "<!NOTATION")


def clean(content: bytes, source: str) -> bytes:
    """Return an XML in UTF-8, without prolog and document type.

    Raises:
        UnreadableError: It is larger than 8 MiB, has more than 200,000 elements or 100,000 attributes, or declares
            entities or types.
    """
    if len(content) > _MOST_BYTES:
        raise UnreadableError(source, f"is larger than {_MOST_BYTES} bytes, too large for an ECG in XML")
    text = decode(content)
    if text.count("<") > 2 * _MOST_ELEMENTS:
        raise UnreadableError(source, f"has more than {_MOST_ELEMENTS} XML elements")
    if text.count("=") > _MOST_ATTRIBUTES:
        raise UnreadableError(source, f"has more than {_MOST_ATTRIBUTES} XML attributes")
    if any(mark in text for mark in _DECLARATIONS):
        raise UnreadableError(source, "declares XML entities or types, which are not read")
    return strip_prolog(text).encode("utf-8", "replace")


def parse_tree(content: bytes, dialect: str, source: str) -> ET.Element:
    """Return the root element of a cleaned XML; no name in it has a namespace.

    Raises:
        UnreadableError: It is not well-formed, nested deeply, or has a text or an attribute of more than 2 MiB.
    """
    try:
        tree = ET.fromstring(content)  # noqa: S314 - `clean` has refused entities
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise UnreadableError(source, f"is not valid {dialect}: {error}") from error
    level, depth = [tree], 0
    while level:
        depth += 1
        for element in level:
            element.tag = element.tag.rpartition("}")[2]
            if any(len(text) > _LONGEST_TEXT for text in (element.text or "", *element.attrib.values())):
                raise UnreadableError(source, f"has a text of more than {_LONGEST_TEXT} characters in one XML element")
        level = [child for element in level for child in element]
        if depth > _MOST_DEPTH:
            raise UnreadableError(source, f"has XML elements nested more than {_MOST_DEPTH} deep")
    return tree

"""The layer table and the picture of docs/architecture.md say what the build links."""

import pathlib
import re
import xml.etree.ElementTree

import check_layers

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def table() -> str:
    return (ROOT / "docs" / "architecture.md").read_text()


def layers() -> dict[str, tuple[bool, set[str]]]:
    """Of the build; net is linked under a condition, which hides it from the reader of the table."""
    return check_layers.read_layers((ROOT / "src" / "fedtune" / "CMakeLists.txt").read_text())


def test_the_table_has_each_layer_in_order_with_what_it_links():
    linked = layers()
    rows = ROW.findall(table())
    assert [name for name, _ in rows] == list(linked)
    for name, links in rows:
        assert set(re.findall(r"\w+", links)) & set(linked) == linked[name][1], name


def test_torch_begins_where_the_table_says():
    below = table().split("torch begins below this line")[1]
    assert [name for name, (torch, _) in layers().items() if torch] == [name for name, _ in ROW.findall(below)]


def test_the_picture_names_each_layer():
    words = " ".join(xml.etree.ElementTree.parse(ROOT / "docs" / "architecture.svg").getroot().itertext())
    assert set(layers()) <= set(re.findall(r"\w+", words))

"""Where the parts of rules stand in their files, for warnings about rules that were loaded."""

from collections.abc import Sequence

from rules.loading.nodes import Kind, Node, Problem
from rules.loading.sections import SourceFile
from rules.loading.yaml import read_yaml
from rules.matchers import BadMatcher, Matcher, parse_matchers
from rules.model import Rule, Tier


class Places:
    """Finds the nodes of rules, tiers and matchers."""

    def __init__(self, files: Sequence[SourceFile]) -> None:
        self._rules: dict[tuple[str, str], Node] = {}
        self._teams: dict[str, Node] = {}
        for file in (each for each in files if not each.is_calendar):
            ignored: list[Problem] = []
            sections = read_yaml(file.text, file.name, ignored).entries
            section = sections.get("rules")
            if (teams := sections.get("teams")) is not None:
                self._teams.update(teams.keys)
            for node in section.items if section else ():
                if "id" in node.entries:
                    self._rules[file.name, node.entries["id"].text] = node

    def has(self, rule: Rule) -> bool:
        """Tell whether the rule stands in these files."""
        return (rule.file, rule.id) in self._rules

    def team(self, name: str) -> Node | None:
        """Return the name of a team where it is defined."""
        return self._teams.get(name)

    def rule(self, rule: Rule) -> Node:
        """Return the whole rule."""
        return self._rules[rule.file, rule.id]

    def of(self, rule: Rule, key: str) -> Node:
        """Return the value of a key of the rule, of one of its tiers, or the rule itself."""
        node = self.rule(rule)
        tiers = node.entries.get("tiers")
        parts: list[Node] = [node, *(tiers.items if tiers else [])]
        for place in parts:
            if key in place.entries:
                return place.entries[key]
        return node

    def tier(self, rule: Rule, tier: Tier) -> Node:
        """Return a tier; that of the short form is the rule's `when`, or the rule."""
        node = self.rule(rule)
        tiers = node.entries.get("tiers")
        if tiers is not None and tiers.kind is Kind.LIST and tier.index <= len(tiers.items):
            return tiers.items[tier.index - 1]
        return node.entries.get("when", node)

    def matcher(self, rule: Rule, matcher: Matcher) -> Node:
        """Return the text in which a matcher of the rule stands, or the rule itself."""
        return next((node for node in _texts(self.rule(rule)) if _says(node, matcher)), self.rule(rule))


def _texts(node: Node) -> list[Node]:
    """Return all texts below a `match`, at any depth."""
    found: list[Node] = []
    for key, child in node.entries.items():
        if key == "match":
            found += child.items if child.kind is Kind.LIST else [child]
        else:
            found += _texts(child)
    for child in node.items:
        found += _texts(child)
    return found


def _says(node: Node, matcher: Matcher) -> bool:
    try:
        return matcher in parse_matchers(node.text)
    except BadMatcher:
        return False

"""Families of metrics, made of plain numbers and of what the store counted. Pure."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from incidents.measures import SEPARATOR, Measure, Measures

PREFIX = "tocsin_"

Values = tuple[str, ...]


class Families:
    """A collector of families that are there already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._kept = list(families)

    def collect(self) -> Iterable[Metric]:
        """Yield them."""
        return self._kept


def grouped(counters: dict[str, int]) -> dict[str, dict[Values, int]]:
    """Return the counters by the name of their measure and what follows; unknown names are left out."""
    groups: dict[str, dict[Values, int]] = {each.value.name: {} for each in Measures}
    for field, value in counters.items():
        name, *values = field.split(SEPARATOR)
        if name in groups:
            groups[name][tuple(values)] = value
    return groups


def gauge(name: str, text: str, value: float) -> Metric:
    """Return a gauge without labels; `name` has no prefix."""
    return GaugeMetricFamily(PREFIX + name, text, value=float(value))


def labelled(name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Values, float]]) -> Metric:
    """Return a gauge with labels, from the values of its labels and its own."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, float(value))
    return family


def counter(measure: Measure, counts: dict[Values, int], at_zero: Iterable[Values]) -> Metric:
    """Return a counter from what the store counted; `at_zero` is there from the start."""
    family = CounterMetricFamily(PREFIX + measure.name, measure.help, labels=measure.labels)
    for values, value in (dict.fromkeys(at_zero, 0) | counts).items():
        if len(values) == len(measure.labels):
            family.add_metric(values, value)
    return family


def histogram(measure: Measure, counts: dict[Values, int], at_zero: Iterable[Values]) -> Metric:
    """Return a histogram from what the store counted; `at_zero` is there from the start."""
    family = HistogramMetricFamily(PREFIX + measure.name, measure.help, labels=measure.labels)
    width = len(measure.labels)
    series = dict.fromkeys(at_zero) | dict.fromkeys(field[:width] for field in counts if len(field) == width + 1)
    for values in series:
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound in (*map(str, measure.buckets), "+Inf"):
            total += counts.get((*values, f"le:{bound}"), 0)
            buckets.append((bound, total))
        family.add_metric(values, buckets, sum_value=counts.get((*values, "sum"), 0) / 1000)
    return family

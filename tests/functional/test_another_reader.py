"""A second reader, written from docs/artifact.md alone and without the runtime: the page is enough to score by."""

import hashlib
import io
import json
import math
import struct
import zipfile

from tests.small_scorecard import packed

CODES = {"<i4": "i", "<f8": "d", "|u1": "B", "<i8": "q"}


class Reader:
    def __init__(self, raw: bytes) -> None:
        opened = zipfile.ZipFile(io.BytesIO(raw))
        self.manifest = json.loads(opened.read("manifest.json"))
        assert self.manifest["protocol"] == 2
        for name, member in self.manifest["members"].items():
            assert hashlib.sha256(opened.read(name)).hexdigest() == member["sha256"]
        golden = json.loads(opened.read("golden.json"))
        self.golden = golden["vectors"]
        for vector in self.golden:
            vector["inputs"] = [own[at] for own, at in zip(golden["values"], vector["inputs"], strict=True)]
        self.arrays, self.linear = (
            {
                name: struct.unpack(f"<{array['length']}{CODES[array['dtype']]}", opened.read(array["member"]))
                for name, array in part["arrays"].items()
            }
            for part in self.manifest["parts"]
        )
        self.intercept = self.manifest["parts"][1]["intercept"]

    def used(self, value: float | None, feature: dict) -> float | None:
        if value is None:
            return None
        low, high = feature["low"], feature["high"]
        too_low = low is not None and value < low - 1e-9 * max(1, abs(low))
        too_high = high is not None and value > high + 1e-9 * max(1, abs(high))
        return None if too_low or too_high or not math.isfinite(value) else value

    def below(self, x: list[float | None], refused: set[int], first: int, leaf: int, node: int) -> tuple[float, int]:
        """What a tree says from a node on, and how many training rows went there."""
        a = self.arrays
        if node < 0:
            return a["value"][leaf - 1 - node], a["cover"][leaf - 1 - node]
        i = first + node
        (left, on_left), (right, on_right) = (self.below(x, refused, first, leaf, a[s][i]) for s in ("left", "right"))
        value = x[a["feature"][i]]
        if value is not None and a["zero_is_missing"][i] and abs(value) <= 1.0000000180025095e-35:
            value = None
        rows = on_left + on_right
        if a["feature"][i] in refused:
            return (on_left * left + on_right * right) / rows, rows
        goes_left = a["missing_left"][i] if value is None else value <= a["threshold"][i]
        return (left if goes_left else right), rows

    def straight(self, x: list[float | None], refused: set[int]) -> float:
        total = self.intercept
        names = ("feature", "center", "scale", "coefficient", "mean")
        for feature, center, scale, coefficient, mean in zip(*(self.linear[n] for n in names), strict=True):
            if x[feature] is not None and feature not in refused:
                z = (x[feature] - center) / scale
                u = min(abs(z), 32.0)
                v = math.sqrt(math.sqrt(u + math.sqrt(u * u + 1)))
                y = (v - 1) / (v + 1)
                t = math.copysign(min(8 * (y + y**3 / 3 + y**5 / 5), 4.0), z)
                total += coefficient * (t - mean)
        return total

    def points(self, inputs: list[float | None], refused: list[str]) -> float:
        features = self.manifest["features"]
        x = [self.used(v, f) for v, f in zip(inputs, features, strict=True)]
        withheld = {i for i, feature in enumerate(features) if feature["category"] in refused}
        split = leaf = 0
        total = self.straight(x, withheld)
        for splits in self.arrays["splits"]:
            total += self.below(x, withheld, split, leaf, 0 if splits else -1)[0]
            split, leaf = split + splits, leaf + splits + 1
        scale, calibration = self.manifest["scale"], self.manifest["calibration"]
        factor = scale["pdo"] / math.log(2)
        offset = scale["base_points"] - factor * math.log(scale["base_odds"])
        return offset - factor * (calibration["slope"] * total + calibration["intercept"])

    def band(self, points: float) -> str:
        return next(b["name"] for b in self.manifest["bands"] if b["from_points"] is None or b["from_points"] <= points)


def test_a_reader_without_the_runtime_reproduces_every_golden_vector():
    reader = Reader(packed())
    assert len(reader.golden) >= 1_000
    for vector in reader.golden:
        points = reader.points(vector["inputs"], vector["refused"])
        assert abs(points - vector["points"]) <= 1e-8
        assert reader.band(points) == vector["band"]
        assert abs(1 / (1 + math.exp(vector["log_odds"])) - (1 - vector["pd"])) <= 1e-8

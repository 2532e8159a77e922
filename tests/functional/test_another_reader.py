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
        assert self.manifest["protocol"] == 1
        for name, member in self.manifest["members"].items():
            assert hashlib.sha256(opened.read(name)).hexdigest() == member["sha256"]
        self.golden = json.loads(opened.read("golden.json"))["vectors"]
        self.arrays = {
            name: struct.unpack(f"<{array['length']}{CODES[array['dtype']]}", opened.read(array["member"]))
            for name, array in self.manifest["parts"][0]["arrays"].items()
        }

    def used(self, value: float | None, feature: dict) -> float | None:
        if value is None:
            return None
        low, high = feature["low"], feature["high"]
        too_low = low is not None and value < low - 1e-9 * max(1, abs(low))
        too_high = high is not None and value > high + 1e-9 * max(1, abs(high))
        return None if too_low or too_high or not math.isfinite(value) else value

    def leaf(self, x: list[float | None], first: int, splits: int) -> int:
        a, node = self.arrays, 0 if splits else -1
        while node >= 0:
            i = first + node
            value = x[a["feature"][i]]
            if value is not None and a["zero_is_missing"][i] and abs(value) <= 1.0000000180025095e-35:
                value = None
            goes_left = a["missing_left"][i] if value is None else value <= a["threshold"][i]
            node = a["left"][i] if goes_left else a["right"][i]
        return -1 - node

    def points(self, inputs: list[float | None]) -> float:
        x = [self.used(v, f) for v, f in zip(inputs, self.manifest["features"], strict=True)]
        split = leaf = 0
        total = 0.0
        for splits in self.arrays["splits"]:
            total += self.arrays["value"][leaf + self.leaf(x, split, splits)]
            split, leaf = split + splits, leaf + splits + 1
        scale, calibration = self.manifest["scale"], self.manifest["calibration"]
        factor = scale["pdo"] / math.log(2)
        offset = scale["base_points"] - factor * math.log(scale["base_odds"])
        return offset - factor * (calibration["slope"] * total + calibration["intercept"])

    def band(self, points: float) -> str:
        return next(b["name"] for b in self.manifest["bands"] if b["from_points"] is None or b["from_points"] <= points)


def test_a_reader_without_the_runtime_reproduces_every_golden_vector():
    reader = Reader(packed())
    assert len(reader.golden) >= 256
    for vector in reader.golden:
        points = reader.points(vector["inputs"])
        assert abs(points - vector["points"]) <= 1e-8
        assert reader.band(points) == vector["band"]
        assert abs(1 / (1 + math.exp(vector["log_odds"])) - (1 - vector["pd"])) <= 1e-8

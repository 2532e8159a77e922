"""The model's entry in a lender's inventory: what model-risk guidance asks to be on record for every model in use."""

import hashlib
from typing import Any

from pipeline.pages import words
from pipeline.validate.governed import review_by
from pipeline.validate.record import Record
from pipeline.validate.report import Report

PRODUCES = "points, probability of default, band, reasons"


def inventory(record: Record, report: Report) -> dict[str, Any]:
    """The entry as plain JSON values (US SR 26-2 of April 2026; Reserve Bank of India, draft of June 2026)."""
    params, train = record.params, record.stage("train")
    asked, split = params.validation, train["split"]
    path = record.need("export", f"scorecard-{params.export.version}.saakh")
    roles = {role: getattr(asked, role) for role in ("owner", "developer", "validator", "approver")}
    return {
        "model": {
            "id": f"scorecard-{train['model_sha256'][:12]}",
            "name": path.stem,
            "version": params.export.version,
            "status": report.status,
            "tier": asked.tier,
            "replaces": asked.previous.name if asked.previous else None,
            "vendor": None,
        },
        **{"use": asked.use, "not_for": list(asked.not_for), **roles},
        "method": "gradient-boosted trees on shards of the people, blended with a ridge logistic regression",
        "produces": PRODUCES,
        "inputs": len(train["columns"]),
        "sources": [words(name) for name, status in record.stage("derive")["coverage"].items() if status["present"]],
        "policies": list(params.policy),
        "development": {"from": split["development_from"], "to": split["development_to"]},
        "out_of_time": {"from": split["out_of_time_from"], "to": split["out_of_time_to"]},
        "validated_as_of": params.as_of.isoformat(),
        "review_by": review_by(params),
        "findings": report.as_dict()["findings"],
        "not_complete": report.holes,
        "limits": list(asked.limits),
        "controls": list(asked.controls),
        "monitoring": params.monitor.model_dump(mode="json"),
        "kept_years_after_decommission": asked.retention_years,
        "digests": {
            "model": train["model_sha256"],
            "catalogue": train["catalogue_fingerprint"],
            "scorecard": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
    }

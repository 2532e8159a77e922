"""Life stage: work, household and the rhythm they give a week."""

"""A population whose truth is known: traits, behaviour, loans and repayments drawn from a seed and a number."""

"""Brand: staying with a handset maker, an operator, a retailer, a merchant."""

"""Lifestyle: how time, apps, sites, places, airtime and money are used."""

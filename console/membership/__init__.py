"""Who pays: tiers, checkout, payments; Stripe behind one file."""

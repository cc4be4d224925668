"""How answers look: pure functions from nouns to Block Kit."""

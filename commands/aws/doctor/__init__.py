"""Whether AWS lets the bot do what its settings ask for: asked for real, by the smallest reads; nothing is changed."""

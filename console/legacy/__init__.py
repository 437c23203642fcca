"""The JSON API of the old web app, for what still asks for it.

One file for each of its blueprints, all of them thin: who may ask, what the body must be, which
feature does it, and how the answer is spelled. Deletable as a folder.
"""

"""Regions of importance and of attack in images: the computations behind the book.

Importing the package is cheap: torch is loaded when something computes (``models``, ``attacks``, ``explain``,
``regions``), not by this one.
"""

__version__ = "0.1.0"

"""Everything is in setup.cfg; this file is what tools without that look for."""

from setuptools import setup

setup()

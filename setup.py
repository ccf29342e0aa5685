"""The build hook of setuptools; all of the metadata stands in setup.cfg."""

from setuptools import setup

setup()

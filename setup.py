"""What setup.cfg cannot say: the migrations of sql/ are packaged as chatd/sql."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["chatd", "chatd.*"]), "chatd.sql"],
    package_dir={"chatd.sql": "sql"},
    package_data={
        "chatd.sql": ["*.sql"],
        "chatd.mail": ["texts/*"],
        "chatd.automod": ["words/*.txt"],
        "chatd.core": ["common_passwords*.txt"],
        "chatd.rest": ["static/*"],
        "chatd.webclient": ["*", "*/*", "*/*/*", "*/*/*/*"],
    },
)

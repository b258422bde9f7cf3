from setuptools import setup

setup(
    name="seeded",
    version="1.4.0",
    description="Random numbers, in C++ through Boost.Python.",
    packages=["seeded"],
    package_data={"seeded": ["*.so"]},
    python_requires=">=3.10",
)

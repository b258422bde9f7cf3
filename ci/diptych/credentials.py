"""The secrets of uploads: read once at the surface, kept from every tool that does not need them, never shown.

Names are those that the tools themselves read: twine, rattler-build, and the AWS SDKs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_SECRET = (
    "TWINE_PASSWORD",
    "PREFIX_API_KEY",
    "ANACONDA_API_KEY",
    "QUETZ_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
_BESIDE = (
    "TWINE_USERNAME",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
)
_SHORTEST = 4
"""A shorter value is no secret, and hiding it would make holes in every text."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Credentials:
    """What uploads may use; its values are in no text that it gives.

    Attributes:
        values: variable → value, of those that are set.
    """

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a value, empty when it is not set."""
        return self.values.get(name, "")

    def redacted(self, text: str) -> str:
        """Return a text without the secrets in it."""
        secrets = {self.get(name) for name in _SECRET}
        for secret in sorted((one for one in secrets if len(one) >= _SHORTEST), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.values)})"


def credentials_of(env: Mapping[str, str]) -> Credentials:
    """Take the credentials out of a process environment."""
    return Credentials(values={name: env[name] for name in (*_SECRET, *_BESIDE) if env.get(name)})


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that compilers, tests and packers may see: nothing in it can upload."""
    return {name: value for name, value in env.items() if name not in _SECRET}

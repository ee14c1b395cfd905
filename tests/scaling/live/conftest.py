"""What the tests of live accounts share: moto over real HTTP, and made-up keys."""

from __future__ import annotations

from tests.sources.aws.conftest import _moto, keys, moto

__all__ = ["_moto", "keys", "moto"]

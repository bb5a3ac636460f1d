"""Quotas and facts that several servers share in Redis; needs the extra ``redis``."""

from __future__ import annotations

from rmz_async.redis.access import RedisAccessCache
from rmz_async.redis.quota import RedisQuotaStore

__all__ = ("RedisAccessCache", "RedisQuotaStore")

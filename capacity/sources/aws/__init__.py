"""The way into an AWS account that every AWS source shares: one door, which asks patiently, counts and translates.

door         one region as one set of credentials sees it: every call goes through it
complaints   what AWS complains of, as our errors, with what to do
"""

from capacity.sources.aws.door import Door

__all__ = ["Door"]

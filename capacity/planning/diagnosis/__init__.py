"""Diagnosis: which resource binds first at the forecast peak, which next as load grows, and what would move it.

`bottlenecks` is the verb, `Bottlenecks` the noun. Resources that more tasks relieve (CPU, requests, memory) are in
`resources`; what they do not lift (maximum, connections, downstream, retries, quota) in `ceilings` and `regions`; what
could be changed, planned again with the change, in `levers`; the words in `sentences`.
"""

from capacity.planning.diagnosis.bottlenecks import Bottlenecks, bottlenecks

__all__ = ["Bottlenecks", "bottlenecks"]

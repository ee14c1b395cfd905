"""What-if: the plan again with something different, from the same futures.

`what_if` is the verb, `WhatIf` the noun, `capacity.config.Scenario` what is asked. Files, in the order of the
question: cases (alone and together), windows (from when to when), loads (what becomes of demand), changes and slo (of
settings), whatif (planned again, the table), answer, picture.
"""

from capacity.planning.scenarios.answer import WhatIf
from capacity.planning.scenarios.whatif import what_if
from capacity.planning.scenarios.windows import happens

__all__ = ["WhatIf", "happens", "what_if"]

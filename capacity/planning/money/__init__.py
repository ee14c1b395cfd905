"""What a plan costs beyond its total: what to commit to, what a request costs, what may be spent, what was billed.

commitment  `Commitment`: how much of a Savings Plan to buy
  covering    what a commitment does to spend: pure arithmetic
  offers      which plans are sold, and what each takes off
  spend       what could be covered, hour by hour: on the paths, and as it was
  term        from the plan's horizon to the commitment's term
  options     one amount over a term: saving, utilization, coverage, regret
  ladder      buying in steps
"""

from capacity.planning.money.commitment import Commitment, commitment
from capacity.planning.money.offers import Offer

__all__ = ["Commitment", "Offer", "commitment"]

"""What a plan costs beyond its total: what to commit to, what a request costs, what may be spent, what was billed.

commitment  `Commitment`: how much of a Savings Plan to buy
  covering    what a commitment does to spend: pure arithmetic
  offers      which plans are sold, and what each takes off
  spend       what could be covered, hour by hour: on the paths, and as it was
  shape       the term's weeks by the hours that the last weeks had
  term        from the plan's horizon to the commitment's term
  markets     what a plan meets: spend beside what is held, and the past as another way it may go
  options     one amount over a term: saving, utilization, coverage, regret
  ladder      buying in steps
  remarks     why each option is not the one, and what the answer rests on
unit_costs  `UnitCosts`: USD per million requests, and what each headroom costs
budgets     `Budgets`: how likely a month's spend passes what it may be
  months      what each calendar month costs on each path
  budget_documents  as AWS Budgets
reconciliation  `Reconciliation`: what was billed, beside what the price table says of what ran
  billed      what the bill and the running tasks said of each whole month
"""

from capacity.planning.money.budgets import Budgets, budgets
from capacity.planning.money.commitment import Commitment, commitment
from capacity.planning.money.offers import Offer
from capacity.planning.money.reconciliation import Reconciliation, reconcile
from capacity.planning.money.unit_costs import UnitCosts, unit_costs

__all__ = [
    "Budgets",
    "Commitment",
    "Offer",
    "Reconciliation",
    "UnitCosts",
    "budgets",
    "commitment",
    "reconcile",
    "unit_costs",
]

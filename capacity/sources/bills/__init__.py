"""What was used and what it cost, as the provider billed it: two roads to one table.

bill           `Bill`, the table
metrics        a bill -> observations: billed vCPU and memory, Spot and committed parts, spend
usage_types    what an AWS usage type says of resource, architecture and purchase
words          what is remarkable about a bill
cost_explorer  `CostExplorer`: pages at a cent each
  cost_requests  the fewest requests, and why those
  cost_pages     answers -> rows
  cost_words     what Cost Explorer refuses, and what to do
  commitments    how well Savings Plans fit
  paid           pages already paid for, kept on disk
focus          `Focus`: FOCUS data exports of AWS and Azure
  focus_columns, focus_query, focus_words
"""

from capacity.sources.bills.bill import Bill
from capacity.sources.bills.cost_explorer import CostExplorer
from capacity.sources.bills.focus import Focus

__all__ = ["Bill", "CostExplorer", "Focus"]

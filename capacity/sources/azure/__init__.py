"""Azure: what Container Apps (and other resources) use, and what Azure Advisor recommends.

monitor      Azure Monitor's platform metrics, many resources a call
  metrics      which of theirs is which of ours, in which unit
  checks       what cannot be asked
  asking       the fewest, moderately sized calls for what is not known
  answers      an answer -> values, and what is remarkable about it
  gathering    answers -> batches worth storing
advisor      Azure Advisor's cost recommendations
access       the way in: credentials, patience, a count of every request
complaints   what Azure complains of, as our errors, with what to do
"""

from capacity.sources.azure.advisor import azure_advisor
from capacity.sources.azure.monitor import AzureMonitor

__all__ = ["AzureMonitor", "azure_advisor"]

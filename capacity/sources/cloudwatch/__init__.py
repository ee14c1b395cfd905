"""Amazon CloudWatch: everything it keeps about ECS services, asked once, with the fewest calls.

source     `CloudWatch`, its settings
catalogue  which of their metrics make which series of ours
periods    the finest period that is kept for each part of a span
packing    queries into calls: the fewest
planning   what is missing, as calls, and which answers a series waits for
asking     one call to its end: pages, partial answers, retries
answers    JSON into arrays
pace       below the quota
rows       answers into rows
pull       calls side by side, rows in batches
telling    what was remarkable
"""

from capacity.config.cloudwatch import CustomMetric
from capacity.sources.cloudwatch.pace import Quota
from capacity.sources.cloudwatch.source import CloudWatch

__all__ = ["CloudWatch", "CustomMetric", "Quota"]

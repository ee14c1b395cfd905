"""Tables as other tools export them: a column a series, labels that say what it is, units in cells.

`tables` reads a file as columns, `unfolded` brings an export of another tool into rows with a row a value, and
`translate` gives them meaning as it does any table.

    console    the CloudWatch console's CSV
    answers    JSON that `aws cloudwatch get-metric-data` and `get-metric-statistics` print
    wide       a column a series: Grafana's "Series joined by time", spreadsheets, DataFrames
    heads      what a series is, from its label, from what the caller says of it, and from options
      labels     words and labels in a label
      aws_names  CloudWatch's metrics and statistics as ours
    suffixes   values formatted for reading
    statuses   answers that are not complete
"""

from capacity.sources.exports.unfold import unfolded

__all__ = ["unfolded"]
